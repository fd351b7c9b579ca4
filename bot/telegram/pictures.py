"""Pictures on their way to people: what Telegram has already is sent by its file id, the rest is drawn first."""

from __future__ import annotations

from typing import Protocol

from telegram import InputFile, Message
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest
from telegram.ext import ExtBot

from bot.charts import Drawing
from bot.core import flood
from bot.telegram import api_call
from bot.telegram.picture_process import NotDrawn, PictureProcess
from bot.telegram.rate_limiter import Passage
from bot.views.message import View
from db import diary
from db.engine import Database

PER_MINUTE = 3
"""Pictures that one person gets in a minute."""


class Monotonic(Protocol):
    """The clock's part that floods are measured with."""

    def monotonic(self) -> float: ...


class Pictures:
    """Sends pictures, draws what has to be drawn, and remembers what Telegram calls them."""

    def __init__(self, database: Database, process: PictureProcess, *, clock: Monotonic) -> None:
        self._database, self._process, self._clock = database, process, clock
        self._gate = flood.FloodGate(PER_MINUTE)

    def admit(self, user_id: int) -> flood.Manner:
        """How to treat one more picture for this person."""
        return self._gate.admit(user_id, now=self._clock.monotonic())

    async def drawn(self, drawing: Drawing) -> bytes | None:
        """The picture's bytes, or None where it could not be drawn."""
        try:
            return await self._process.draw(drawing)
        except NotDrawn:
            return None

    async def close(self) -> None:
        """End the drawing process."""
        await self._process.close()

    async def send(self, bot: ExtBot[Passage], user_id: int, drawing: Drawing, view: View) -> Message:
        """Send the picture with its caption. Raises what sending raises, and NotDrawn before anything was sent."""
        as_file = drawing.name == "page"  # a page is to be printed or handed on as it is; a photo Telegram would shrink
        async with self._database.read() as db:
            known = await diary.file_id(db, user_id, drawing.name, mark=drawing.mark)
        if known is not None:
            try:
                return await _send(bot, user_id, known, view, as_file=as_file)
            except BadRequest as error:
                # A file id is valid for one bot only, and not for ever.
                if "file identifier" not in str(error).lower():
                    raise
        await bot.send_chat_action(user_id, ChatAction.UPLOAD_PHOTO)
        picture = await self._process.draw(drawing)
        file = InputFile(picture, filename=_name(drawing, picture))
        sent = await _send(bot, user_id, file, view, as_file=as_file)
        await self._keep(user_id, drawing, sent)
        return sent

    async def _keep(self, user_id: int, drawing: Drawing, sent: Message) -> None:
        file = sent.document or (sent.photo[-1] if sent.photo else None)
        if file is not None:
            async with self._database.write("keep_picture") as db:
                await diary.keep_file_id(db, user_id, drawing.name, mark=drawing.mark, file_id=file.file_id)


async def _send(bot: ExtBot[Passage], user_id: int, file: InputFile | str, view: View, *, as_file: bool) -> Message:
    if as_file:
        return await bot.send_document(
            user_id,
            file,
            caption=view.text,
            parse_mode=ParseMode.HTML,
            disable_notification=view.silent,
            reply_markup=api_call.markup(view.keyboard),
        )
    return await bot.send_photo(
        user_id,
        file,
        caption=view.text,
        parse_mode=ParseMode.HTML,
        disable_notification=view.silent,
        reply_markup=api_call.markup(view.keyboard),
    )


def _name(drawing: Drawing, picture: bytes) -> str:
    return f"lull-{drawing.name}.{'pdf' if picture[:4] == b'%PDF' else 'png'}"
