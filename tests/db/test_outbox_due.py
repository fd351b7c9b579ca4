"""The one look of every second: each thing that there is to do is seen, and in a quiet second nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.model import State
from db.engine import Database
from db.outbox import due
from db.outbox.due import Agenda
from db.outbox.rows import Settled
from tests.db import evenings
from tests.db.evenings import DUE, NOON

QUARTER = timedelta(minutes=15)


async def seen(database: Database, now: datetime) -> Agenda:
    async with database.read() as db:
        return await due.at(db, now=now, ahead=QUARTER)


async def test_an_empty_house_has_nothing_to_do(database: Database) -> None:
    assert await seen(database, DUE) == Agenda(0, 0, to_owe=False, to_reclaim=False, to_close=False)


async def test_a_person_whose_moment_has_come_is_to_be_owed(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(remind_at=DUE))

    assert (await seen(database, DUE)).to_owe
    before = await seen(database, DUE - timedelta(seconds=1))
    assert (before.to_owe, before.ahead) == (False, 1)


async def test_a_row_is_due_then_in_hand_then_to_be_reclaimed(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(remind_at=DUE + timedelta(days=1)))
    await evenings.owe(database, evenings.message())
    assert (await seen(database, DUE)).due == 1

    await evenings.claim(database)

    assert (await seen(database, DUE)) == Agenda(0, 0, to_owe=False, to_reclaim=False, to_close=False)
    assert (await seen(database, DUE + timedelta(minutes=3))).to_reclaim


async def test_a_row_past_its_night_is_to_be_closed_but_not_while_somebody_has_it(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    (row,) = await evenings.claim(database)
    assert not (await seen(database, NOON + timedelta(days=1))).to_close

    await evenings.settle(database, Settled(row.id, State.SENT, message_id=5, sent_at=DUE))

    assert (await seen(database, NOON + timedelta(days=1))).to_close
