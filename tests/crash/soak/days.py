"""Days in a town: the minutes in which messages are in the air are lived, the dull hours between them skipped."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from bot.core.model import State
from db import tables
from db.engine import Database, Unavailable
from tests.crash import town as towns

FIRST = date(2026, 3, 26)
EVENING = datetime(2026, 3, 26, 21, 14, tzinfo=UTC)
"""A minute before the first reminder of the first day."""

BEDS = [22 * 60 + minute for minute in range(11)]
"""Bedtimes that are dealt in turn: reminders from 21:15 to 21:25, questions from 07:00 to 07:10."""

_BUSY = timedelta(minutes=12, seconds=30)
_PARTS = (timedelta(0), timedelta(hours=9, minutes=45))
_LONGEST = timedelta(minutes=52)
_AHEAD = timedelta(minutes=15)
_OPEN = (State.CLAIMED, State.SENDING)


@dataclass(frozen=True, slots=True)
class Pace:
    """Simulated seconds in a real one: while messages are in the air, and while the last repeats are waited for."""

    busy: float
    calm: float


@dataclass(slots=True)
class Days:
    """A town's days, one after another."""

    town: towns.Town
    database: Database
    pace: Pace

    async def live(self, end: datetime) -> None:
        """Live until then; of the dull hours only the last moment."""
        clock = self.town.clock
        for day in range((end - EVENING).days + 1):
            for part in _PARTS:
                begin = EVENING + timedelta(days=day) + part
                if clock.now() >= begin + _LONGEST:
                    continue
                if clock.now() < min(begin, end):
                    self.town.jump(min(begin, end))
                await self._part(begin, end)
        if clock.now() < end:
            self.town.jump(end)

    async def _part(self, begin: datetime, end: datetime) -> None:
        """The minutes in which all falls due, and after them as long as anything is still open."""
        self._go(self.pace.busy)
        await self.town.until(min(begin + _BUSY, end))
        last = min(begin + _LONGEST, end)
        while (now := self.town.clock.now()) < last and await self.open():
            self._go(self.pace.calm)
            await self.town.until(min(now + timedelta(seconds=20), last))

    def _go(self, speed: float) -> None:
        if self.town.clock.speed != speed:
            self.town.clock.set(self.town.clock.now(), speed=speed)

    async def open(self) -> int:
        """How many messages are owed now or soon, or in hand; 1 while the database cannot say."""
        box, now = tables.outbox, self.town.clock.now()
        soon = sa.and_(box.c.state == State.DUE, box.c.due_at <= now + _AHEAD)
        return await self._count(sa.or_(soon, box.c.state.in_(_OPEN)))

    async def in_hand(self) -> int:
        """How many rows are claimed or being sent: after a death, what the dead had in hand."""
        return await self._count(tables.outbox.c.state.in_(_OPEN))

    async def in_the_air(self) -> int:
        """How many rows are being sent: each of them may have arrived, and is repeated after a death."""
        return await self._count(tables.outbox.c.state == State.SENDING)

    async def _count(self, which: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(tables.outbox).where(which)
        try:
            async with self.database.read() as db:
                return int(await db.scalar(query) or 0)
        except Unavailable:
            return 1


@contextlib.asynccontextmanager
async def begun(town: towns.Town, pace: Pace) -> AsyncIterator[Days]:
    """The days of a town, with a look at its database."""
    database = Database(towns.async_url(town.database_url))
    try:
        yield Days(town, database, pace)
    finally:
        await database.close()


@dataclass(frozen=True, slots=True, order=True)
class Death:
    """When it is to come, and whether it was put among the messages on purpose."""

    at: datetime
    crowded: bool


def deaths(chance: random.Random, *, days: int, anywhere: int, crowded: int) -> list[Death]:
    """Deaths in order: some anywhere in those days, the others in the minutes in which messages are in the air."""
    found = [Death(EVENING + timedelta(seconds=chance.uniform(0, days * 86_400)), False) for _ in range(anywhere)]
    for _ in range(crowded):
        # Four in five in the evening, which is what must not be lost.
        part = EVENING + _PARTS[0 if chance.random() < 0.8 else 1]
        at = timedelta(days=chance.randrange(days), seconds=chance.uniform(55, _BUSY.total_seconds()))
        found.append(Death(part + at, True))
    return sorted(found)


async def nearly(town: towns.Town, chance: random.Random) -> None:
    """A random instant from now: within a few real milliseconds or, half of the time, just after the next message."""
    if chance.random() < 0.5:
        await asyncio.sleep(chance.uniform(0.0, 0.05))
    else:
        await towns.after_a_message(town, chance, patience=0.3)
