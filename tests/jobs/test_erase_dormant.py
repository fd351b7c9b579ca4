"""People long silent: warned once, erased a month later, and spared as soon as they are heard of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.clock import SharedClock
from bot.core.model import Kind, Status
from bot.jobs.erase_dormant import EVERY, GRACE, SILENT_FOR, Partings
from db import tables, users
from db.engine import Database

NOW = datetime(2028, 1, 12, 14, 0, tzinfo=UTC)


async def owed(database: Database) -> int:
    query = sa.select(sa.func.count()).select_from(tables.outbox).where(tables.outbox.c.kind == Kind.DORMANT)
    async with database.read() as db:
        return await db.scalar(query) or 0


async def test_the_silent_are_warned_once_and_erased_a_month_later(database: Database, clock: SharedClock) -> None:
    async with database.write() as db:
        await users.create(db, 7, now=NOW - SILENT_FOR - timedelta(days=1), language="en")
        await users.create(db, 8, now=NOW, language="en")
        await db.execute(tables.users.update().values(status=Status.ACTIVE))
    partings = Partings(database, clock=clock)

    for later in (timedelta(), EVERY + timedelta(minutes=1)):
        clock.set(NOW + later)
        await partings.look()
        assert await owed(database) == 1
    clock.set(NOW + GRACE + timedelta(days=1))
    await partings.look()

    async with database.read() as db:
        assert await users.find(db, 7) is None
        assert await users.find(db, 8) is not None


async def test_a_second_look_soon_after_does_nothing(database: Database, clock: SharedClock) -> None:
    partings = Partings(database, clock=clock)
    clock.set(NOW)
    await partings.look()
    async with database.write() as db:
        await users.create(db, 7, now=NOW - SILENT_FOR - timedelta(days=1), language="en")
    clock.set(NOW + EVERY - timedelta(hours=1))
    await partings.look()
    assert await owed(database) == 0
