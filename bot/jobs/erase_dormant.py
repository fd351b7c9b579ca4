"""Background job: warn people who have been silent for eighteen months, and erase them a month later."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.core import planning
from bot.core.experiment import run
from bot.core.model import Kind, Person, Status
from config import logs
from db import erase, imports, users
from db.engine import Database, Unavailable
from db.outbox import rows as outbox

_log = logs.logger(__name__)

PAGE = 50
"""People warned or erased in one go."""

EVERY = timedelta(hours=12)
"""How often it looks, by the bot's clock."""

SILENT_FOR = timedelta(days=548)
"""Eighteen months without a word or a tap: then a warning."""

GRACE = timedelta(days=30)
"""From the warning to the erasure."""

_TOLD_WITHIN = timedelta(days=3)


class Partings:
    """Looks now and then. What it does survives a death at any point: each page is one transaction."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._looked_at: datetime | None = None

    async def look(self) -> None:
        """Now and then warn once, and a month later erase, in pages. It never raises: the next look comes."""
        now = self._clock.now()
        if self._looked_at is not None and now - self._looked_at <= EVERY:
            return
        try:
            async with self._database.write("imports") as db:
                await imports.prune(db, now=now)
            while await self._warn(now) == PAGE:
                pass
            while await self._erase(now) == PAGE:
                pass
            self._looked_at = now
        except Unavailable as error:
            _log.error("the database is away; people long silent wait", why=str(error))
        except Exception as error:  # a fault here must not end the other jobs
            _log.error("people long silent could not be looked for", kind=type(error).__name__, exc_info=error)

    async def _warn(self, now: datetime) -> int:
        async with self._database.write() as db:
            people = await erase.silent(db, since=now - SILENT_FOR, limit=PAGE)
            for person in people:
                await users.save(db, person, replace(person, warned_at=now))
            await outbox.owe(db, [_farewell(person, now) for person in people if person.status is not Status.GONE])
        return len(people)

    async def _erase(self, now: datetime) -> int:
        async with self._database.write() as db:
            gone = await erase.warned(db, before=now - GRACE, limit=PAGE)
            for user_id in gone:
                await erase.person(db, user_id, now=now)
        if gone:
            _log.info("people long silent were erased", count=len(gone))
        return len(gone)


def _farewell(person: Person, now: datetime) -> planning.Message:
    """The warning, by day."""
    at = now if person.schedule is None else run.tell_at(person.schedule, now=now)
    until = at + _TOLD_WITHIN
    return planning.Message(
        person.id, Kind.DORMANT, now.date(), due_at=at, until_at=until, bed_at=until, close_at=until
    )
