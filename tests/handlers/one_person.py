"""Somebody who types and taps, on a real database and at a time of the test's choosing; every handler of the bot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from telegram import Update
from telegram.ext import ApplicationBuilder

from bot import handlers
from bot.core.model import Person, Status
from bot.handlers import free_text, routes
from bot.telegram.turn import Answer, Edit, Reply, Say, Turn
from bot.texts import content as contents
from bot.texts.content import Content
from bot.views.message import Keyboard, View
from config.settings import Settings
from db import users
from db.engine import Database

CAME = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
APPLICATION = ApplicationBuilder().token("123456:TEST").build()
CHAT = {"id": 7, "type": "private", "first_name": "Ann"}
ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "language_code": "en"}


@dataclass(frozen=True, slots=True)
class Desk:
    settings: Settings
    content: Content


DESK = Desk(Settings.model_validate({"bot_token": "123456:TEST"}), contents.load())


@dataclass(slots=True)
class Ann:
    """She goes to bed at 23:00 in Berlin and has been here since January."""

    database: Database
    now: datetime
    replies: list[Reply] = field(default_factory=list)
    user_id: int = 7

    @property
    def _chat(self) -> dict[str, object]:
        return CHAT | {"id": self.user_id}

    @property
    def _sender(self) -> dict[str, object]:
        return ANN | {"id": self.user_id}

    async def moves_in(self, **values: object) -> None:
        """Become somebody the bot knows."""
        async with self.database.write() as db:
            before = await users.create(db, 7, now=CAME, language="en")
            usual: dict[str, object] = {"zone": "Europe/Berlin", "bedtimes": (23 * 60,) * 7, "form": "citrate"}
            known = replace(before, seen_at=self.now, status=Status.ACTIVE, consent=1, **usual | values)  # type: ignore[arg-type]
            await users.save(db, before, known)

    async def person(self) -> Person:
        async with self.database.read() as db:
            found = await users.find(db, 7)
        assert found is not None
        return found

    async def types(self, text: str, *, replying_to: View | None = None, number: int = 5) -> list[Reply]:
        """A command or free text, perhaps as a reply to a message of ours with such buttons and number."""
        message: dict[str, object] = {
            "message_id": 9,
            "date": int(self.now.timestamp()),
            "chat": self._chat,
            "from": self._sender,
        }
        message["text"] = text
        if replying_to is not None:
            message["reply_to_message"] = self._ours(replying_to, number)
        update = Update.de_json({"update_id": 1, "message": message}, None)
        name = text[1:].split()[0] if text.startswith("/") else ""
        route = handlers.COMMANDS.get(name)
        return await self._turn(update, None if route is None else route.handler, text.split()[1:] if name else [])

    def _ours(self, view: View, number: int) -> dict[str, object]:
        markup = view.keyboard.as_json() if view.keyboard is not None else None
        ours: dict[str, object] = {"message_id": number, "date": 1, "chat": CHAT, "text": view.text}
        return ours if markup is None else ours | {"reply_markup": markup}

    async def taps(self, data: str) -> list[Reply]:
        """A button with such data, without its version."""
        message = {"message_id": 5, "date": int(self.now.timestamp()), "chat": self._chat, "text": "…"}
        query = {"id": "99", "from": self._sender, "chat_instance": "1", "data": f"v1:{data}", "message": message}
        return await self._turn(Update.de_json({"update_id": 1, "callback_query": query}, None), routes.pressed, [])

    async def _turn(self, update: Update, handler: handlers.Handler | None, args: Sequence[str]) -> list[Reply]:
        async with self.database.write() as db:
            turn = Turn(APPLICATION)
            await turn.begin(update, db=db, now=self.now, services=DESK)
            turn.args = list(args)
            await (handler or free_text.text)(update, turn)
            await turn.end(update)
        self.replies = turn.replies
        return turn.replies

    @property
    def answer(self) -> str:
        """What the last press was answered with: every press is answered, once."""
        answers = [reply for reply in self.replies if isinstance(reply, Answer)]
        assert len(answers) == 1
        return answers[0].text

    @property
    def page(self) -> View:
        """The one message that the last turn sent or changed."""
        (view,) = self.pages
        return view

    @property
    def pages(self) -> list[View]:
        return [reply.view for reply in self.replies if isinstance(reply, Say | Edit)]


def buttons(view: View) -> dict[str, str]:
    """The buttons' labels and what they say, without the leading version."""
    rows = view.keyboard.inline_keyboard if isinstance(view.keyboard, Keyboard) else ()
    return {button.text: str(button.callback_data).removeprefix("v1:") for row in rows for button in row}
