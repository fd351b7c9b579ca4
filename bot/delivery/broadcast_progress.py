"""The admin's message about a broadcast: a bar that moves while it runs, and the report at its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from telegram.ext import ExtBot

from bot.clock import Clock
from bot.core.broadcast import Broadcast, Phase
from bot.core.outcome import TokenRefused, Unknown, Unsent, Withdrawn
from bot.core.pacing import Lane
from bot.telegram import sender
from bot.telegram.rate_limiter import Passage
from bot.texts import language
from bot.views import broadcast as views
from bot.views.message import View
from db import broadcasts, users
from db.engine import Connection, Database

EVERY = timedelta(seconds=3)
"""The message is edited at most so often."""

QUIET = timedelta(seconds=30)
"""When nothing changed, what became of the copies is counted again only after so long."""

_FRESH = timedelta(days=1)


class BroadcastProgress:
    """Keeps the message about the newest broadcast true. Also the report of one that ended as its process died."""

    def __init__(self, bot: ExtBot[Any], database: Database, *, clock: Clock) -> None:
        self._bot, self._database, self._clock = bot, database, clock
        self._seen: tuple[int, Phase] | None = None
        self._text = ""  # what the message says since then, as far as we know
        self._look_at = -float("inf")  # on the monotonic clock
        self._finished = False

    async def look(self) -> None:
        """Bring the message up to date, if it is time."""
        async with self._database.read() as db:
            newest = next(iter(await broadcasts.latest(db, limit=1)), None)
            if newest is None or not self._due(newest):
                return
            view = await self._view(db, newest)
        if await self._shown(newest, view):
            changed, self._text = view.text != self._text, view.text
            self._finished = newest.phase is not Phase.RUNNING
            self._wait(EVERY if changed else QUIET)
        else:
            self._wait(EVERY)

    def _due(self, newest: Broadcast) -> bool:
        if newest.ended_at is not None and self._clock.now() - newest.ended_at > _FRESH:
            return False
        if self._seen != (newest.id, newest.phase):
            self._seen, self._text, self._finished = (newest.id, newest.phase), "", False
            # What the pressed button itself says goes first, and what is in the air may land.
            self._wait(EVERY)
        return not self._finished and self._clock.monotonic() >= self._look_at

    def _wait(self, length: timedelta) -> None:
        self._look_at = self._clock.monotonic() + length.total_seconds()

    async def _view(self, db: Connection, newest: Broadcast) -> View:
        report = await broadcasts.report(db, newest.id)
        admin = await users.find(db, newest.admin_id)
        return views.progress(language.words(None if admin is None else admin.language), newest, report)

    async def _shown(self, newest: Broadcast, view: View) -> bool:
        """Whether the message says it now, or never will."""
        if view.text == self._text or newest.panel_id is None:
            return True
        passage = Passage(Lane.ANSWER)
        outcome = await sender.edit(self._bot, newest.admin_id, newest.panel_id, view, passage=passage)
        return not isinstance(outcome, Unsent | Withdrawn | Unknown | TokenRefused)
