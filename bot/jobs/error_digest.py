"""Errors reach admins: a digest at most every hour, without personal data."""

from __future__ import annotations

from datetime import timedelta

from telegram.ext import ExtBot

from bot.clock import Clock
from bot.core.pacing import Lane
from bot.telegram import sender
from bot.telegram.rate_limiter import Passage
from bot.texts import language
from bot.views import admin as views
from config import logs
from db import broadcasts, users
from db.engine import Database, Unavailable

_log = logs.logger(__name__)

EVERY = timedelta(hours=1)


class ErrorDigest:
    """Tells admins of errors that they have not been told of."""

    def __init__(self, bot: ExtBot[Passage], database: Database, *, clock: Clock, admin_ids: tuple[int, ...]) -> None:
        self._bot, self._database, self._clock, self._admin_ids = bot, database, clock, admin_ids
        self._told: dict[str, int] = {}
        self._last: float | None = None

    async def beat(self) -> None:
        """Send what is new, unless the last digest is less than an hour old."""
        now = self._clock.monotonic()
        fresh = [(trouble.what, trouble.count - self._told.get(trouble.what, 0)) for trouble in logs.troubles()]
        fresh = [(what, count) for what, count in fresh if count > 0]
        if not fresh or (self._last is not None and now - self._last < EVERY.total_seconds()):
            return
        try:
            await self._send(fresh)
        except Unavailable as error:
            _log.warning("the digest of errors waits for the database", why=str(error))
            return
        self._last = now
        self._told = {trouble.what: trouble.count for trouble in logs.troubles()}

    async def at_once(self) -> None:
        """Send what is new however short ago the last digest was."""
        self._last = None
        await self.beat()

    async def _send(self, fresh: list[tuple[str, int]]) -> None:
        async with self._database.read() as db:
            admins = {*self._admin_ids, *await broadcasts.admins(db)}
            people = [(admin, await users.find(db, admin)) for admin in sorted(admins)]
        for admin, person in people:
            # Telegram lets a bot write only to those who wrote first.
            if person is not None:
                view = views.digest(language.words(person.language), fresh)
                # In the lane of answers: it may have to report that the other lanes are halted.
                await sender.send(self._bot, admin, view, passage=Passage(Lane.ANSWER))
