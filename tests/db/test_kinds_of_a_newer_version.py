"""While versions change a newer replica may owe kinds that this one does not know: it leaves them alone and goes on."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.core.model import Kind, State
from db import tables
from db.engine import Database
from db.outbox import history, leases
from tests.db import evenings
from tests.db.evenings import DUE, MINUTE, NIGHT, NOON, UNTIL

FOREIGN = {"user_id": 1, "kind": "later_kind", "night": NIGHT, "planned_at": DUE, "due_at": DUE, "until_at": UNTIL}
FOREIGN |= {"bed_at": UNTIL, "close_at": NOON}


@pytest.fixture
async def both(database: Database) -> Database:
    """A reminder, and beside it a message of a kind that is not known here."""
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    async with database.write() as db:
        await db.execute(tables.outbox.insert().values(**FOREIGN, state=State.DUE))
    return database


async def foreign(database: Database) -> str | None:
    async with database.read() as db:
        return await db.scalar(sa.select(tables.outbox.c.state).where(tables.outbox.c.kind == "later_kind"))


async def test_it_is_not_claimed(both: Database) -> None:
    rows = await evenings.claim(both)

    assert [row.kind for row in rows] == [Kind.REMINDER]
    assert await foreign(both) == State.DUE


async def test_its_window_ends_and_nobody_stumbles(both: Database) -> None:
    async with both.write() as db:
        ended = await history.expire(db, now=UNTIL)

    assert ended == [(Kind.REMINDER, State.EXPIRED)]
    assert await foreign(both) == State.EXPIRED


async def test_it_becomes_history(both: Database) -> None:
    async with both.write() as db:
        closed = await history.close(db, now=NOON, limit=100)

    assert [row.kind for row in closed] == [Kind.REMINDER]
    assert await foreign(both) is None


async def test_what_a_dead_newer_worker_was_sending_is_unknown(both: Database) -> None:
    async with both.write() as db:
        begun = {"state": State.SENDING, "worker": "newer", "lease_until": DUE, "copies": 1, "sent_at": DUE}
        await db.execute(tables.outbox.update().where(tables.outbox.c.kind == "later_kind").values(**begun))

    async with both.write() as db:
        assert await leases.reclaim(db, now=DUE + MINUTE) == []

    assert await foreign(both) == State.UNKNOWN
