"""Edits that Telegram refused for now. Only the latest edit of each message is done, once its chat may be written to again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from telegram.error import RetryAfter, TelegramError

from bot.clock import Clock
from bot.telegram import transport
from bot.telegram.turn import Edit, EditButtons

LONGEST = 3600.0
"""Seconds of waiting after which an edit is dropped. The person has put the phone away; their next press updates the message."""

AnEdit = Edit | EditButtons
Do = Callable[[int, AnEdit], Awaitable[TelegramError | None]]
"""Does one edit in a chat. Returns the error it met, if any."""


class LateEdits:
    """What messages are to become.

    1. A message has at most one edit here, and a newer one takes the place of an older: nobody waits for what is overtaken.
    2. As long as one waits or is on its way, those that follow go through here too, so that the last one comes last.
    3. At the end of the process the rest is dropped: what was pressed is stored, only the message looks as it did.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._wanted: dict[tuple[int, int], AnEdit] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def replaces(self, chat_id: int, edit: AnEdit) -> bool:
        """Whether an older edit of the message waits here; then this one has taken its place."""
        key = (chat_id, edit.message_id)
        if key not in self._wanted:
            return False
        self._wanted[key] = _over(self._wanted[key], edit)
        return True

    def put(self, chat_id: int, edit: AnEdit, refusal: RetryAfter, do: Do) -> None:
        """Do this edit, or the one that has taken its place by then, when the time asked for is over."""
        if (seconds := transport.seconds_of(refusal)) > LONGEST:
            return
        if self.replaces(chat_id, edit):
            return
        self._wanted[chat_id, edit.message_id] = edit
        task = asyncio.create_task(self._later(chat_id, edit.message_id, seconds, do), name="late edit")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, chat_id: int, message_id: int, seconds: float, do: Do) -> None:
        key = (chat_id, message_id)
        try:
            while seconds <= LONGEST:
                await self._clock.sleep(seconds)
                edit = self._wanted[key]
                error = await do(chat_id, edit)
                seconds = transport.seconds_of(error) if isinstance(error, RetryAfter) else 0.0
                if not seconds and self._wanted[key] is edit:
                    return
        finally:
            del self._wanted[key]

    async def stop(self) -> None:
        """Drop what waits."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _over(old: AnEdit, new: AnEdit) -> AnEdit:
    """Both edits of a message in one: new buttons alone keep the text that is to come."""
    if isinstance(old, Edit) and isinstance(new, EditButtons):
        return Edit(old.message_id, replace(old.view, keyboard=new.keyboard))
    return new
