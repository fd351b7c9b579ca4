"""The tip that a night's reminder carried: noted as it is sent, kept with the night, known for as long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.core import tips
from bot.core.model import Kind, Night, State
from db import personal_data, tables
from db import tips as shown_tips
from db.engine import Database
from db.outbox import history
from db.outbox.rows import Settled
from tests.db import evenings
from tests.db.evenings import DUE, MINUTE, NIGHT, NOON

TIP = tips.number("light_dim")
OTHER = tips.number("cooler_room")


@pytest.fixture(autouse=True)
async def _somebody(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())


async def shown(database: Database, night: Night = NIGHT) -> int | None:
    async with database.read() as db:
        return await shown_tips.shown(db, 1, night)


async def sent_with(database: Database, tip: int | None, *, state: State = State.SENT) -> None:
    row = await evenings.sending(database)
    await evenings.settle(database, Settled(row.id, state, sent_at=DUE, tip=tip))


async def close(database: Database) -> None:
    async with database.write() as db:
        await history.close(db, now=NOON, limit=100)


async def test_what_a_reminder_carried_is_known_before_and_after_it_is_history(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    assert await shown(database) is None

    await sent_with(database, TIP)
    before = await shown(database)
    await close(database)

    assert (before, await shown(database)) == (TIP, TIP)
    assert await shown(database, NIGHT - timedelta(days=1)) is None
    async with database.read() as db:
        assert await db.scalar(sa.select(tables.nights.c.tip)) == TIP
        held = await personal_data.read(db, 1)
    assert held is not None
    assert held.tips == {NIGHT: TIP}


async def test_what_may_have_arrived_counts_as_shown(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    await sent_with(database, TIP, state=State.UNKNOWN)
    await close(database)

    assert await shown(database) == TIP


async def test_a_repeat_without_a_tip_leaves_the_first_copy_s(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    row = await evenings.sending(database)
    await evenings.settle(database, Settled(row.id, State.DUE, due_at=DUE + MINUTE, sent_at=DUE, tip=TIP))
    row = await evenings.sending(database, now=DUE + MINUTE)
    await evenings.settle(database, Settled(row.id, State.SENT, sent_at=DUE + MINUTE))

    assert await shown(database) == TIP


async def test_what_a_question_in_the_morning_leaves_the_night_s_tip_alone(database: Database) -> None:
    taken_back = evenings.message(kind=Kind.TAKEN_BACK, tip=OTHER)
    await evenings.owe(database, evenings.message(), taken_back)
    assert await shown(database) is None

    await sent_with(database, TIP)
    await close(database)
    await evenings.owe(database, replace(taken_back, night=NIGHT + timedelta(days=1)))

    async with database.read() as db:
        assert await shown_tips.every(db, 1) == {NIGHT: TIP}
