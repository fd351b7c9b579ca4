"""Closes a message that a newer one has replaced: after a snooze the first copy goes once the second has been sent."""

from __future__ import annotations

import asyncio

from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.core.outcome import Outcome, Sent
from bot.core.owed import Owed
from bot.core.pacing import Lane
from bot.telegram import api_call
from bot.telegram.rate_limiter import Passage
from config import logs

_log = logs.logger(__name__)
_PASSAGE = Passage(Lane.BROADCAST)


class Tidying:
    """Deletes replaced messages beside the sending, which never waits for it.

    A replaced message whose deletion is lost, because the process died or Telegram was away, stays in the chat with its buttons.
    They still act on the same night, and a press that contradicts the night's answer asks first.
    """

    def __init__(self, bot: ExtBot[Passage]) -> None:
        self._bot = bot
        self._tasks: set[asyncio.Task[None]] = set()

    def after(self, row: Owed, outcome: Outcome) -> None:
        """Once a row's message is sent: the message that the row was before, if it was one, goes."""
        old = row.message_id
        if isinstance(outcome, Sent) and old is not None and old != outcome.message_id:
            task = asyncio.create_task(self._close(row.person.id, old), name="tidy")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self, *, seconds: float) -> None:
        """Let what has begun finish for so many real seconds."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _close(self, chat_id: int, message_id: int) -> None:
        try:
            # Too old to be deleted, say: its buttons can still go.
            if not await self._done("deleteMessage", chat_id, message_id):
                await self._done("editMessageReplyMarkup", chat_id, message_id)
        except Exception as error:  # nobody waits for this task: what went wrong must be seen
            _log.error("a replaced message could not be closed", kind=type(error).__name__, exc_info=error)

    async def _done(self, method: str, chat_id: int, message_id: int) -> bool:
        try:
            await api_call.call(self._bot, method, _PASSAGE, chat_id=chat_id, message_id=message_id)
        except TelegramError as error:
            _log.info("a replaced message was not closed", method=method, kind=type(error).__name__)
            return False
        return True
