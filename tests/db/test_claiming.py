"""Claim, start, settle: who has a row, in what order, and what a worker that lost it can still write."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core.model import Kind, State, Status
from db import users
from db.engine import Database
from db.outbox import leases
from db.outbox import rows as outbox
from db.outbox.rows import Settled
from tests.db import evenings
from tests.db.evenings import DUE, MINUTE, MORNING, NIGHT, UNTIL


async def test_a_row_that_is_owed_twice_is_there_once_and_stays_as_it_is(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    await evenings.sent(database)

    await evenings.owe(database, evenings.message(due_at=DUE + MINUTE))

    row = await evenings.find(database)
    assert (row["state"], row["planned_at"], row["message_id"]) == ("sent", DUE, 5)


async def test_a_claimed_row_brings_all_that_its_message_needs(database: Database) -> None:
    someone = evenings.person(label="the white ones", quiet=True)
    await evenings.settle_in(database, someone)
    await evenings.owe(database, evenings.message())

    (owed,) = await evenings.claim(database)

    assert (owed.kind, owed.night, owed.planned_at, owed.until_at) == (Kind.REMINDER, NIGHT, DUE, UNTIL)
    assert (owed.copies, owed.tries, owed.reminder) == (0, 0, State.CLAIMED)
    assert owed.person == someone
    assert owed.record.intake is None


async def test_nothing_is_claimed_before_its_moment_nor_from_the_end_of_its_window(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())

    assert await evenings.claim(database, now=DUE - timedelta(seconds=1)) == []
    assert await evenings.claim(database, now=UNTIL) == []
    assert len(await evenings.claim(database, now=UNTIL - timedelta(seconds=1))) == 1


async def test_reminders_go_before_check_ins_and_the_earliest_bedtime_first(database: Database) -> None:
    await evenings.settle_in(database, *(evenings.person(number) for number in range(1, 6)))
    await evenings.owe(
        database,
        evenings.message(1, Kind.CHECK_IN, due_at=DUE, until_at=DUE + MINUTE),
        evenings.message(2, until_at=UNTIL + 9 * MINUTE),
        evenings.message(3, until_at=UNTIL - 9 * MINUTE),
        evenings.message(4, Kind.NUDGE, until_at=UNTIL),
        evenings.message(5, Kind.KEEP_GOING, due_at=DUE, until_at=DUE + 2 * MINUTE),
    )

    first = await evenings.claim(database, limit=2)
    rest = await evenings.claim(database)

    assert [row.person.id for row in first] == [3, 4]
    assert [row.person.id for row in rest] == [2, 1, 5]


async def test_a_row_is_claimed_by_one_worker_alone(database: Database) -> None:
    await evenings.settle_in(database, *(evenings.person(number) for number in range(40)))
    await evenings.owe(database, *(evenings.message(number) for number in range(40)))

    taken = await asyncio.gather(*(evenings.claim(database, f"worker {n}", limit=7) for n in range(8)))

    ids = [row.id for rows in taken for row in rows]
    assert len(ids) == len(set(ids)) == 40
    assert max(len(rows) for rows in taken) == 7


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time
async def test_a_claim_does_not_wait_for_rows_that_another_is_claiming(database: Database) -> None:
    await evenings.settle_in(database, *(evenings.person(number) for number in range(4)))
    await evenings.owe(database, *(evenings.message(number) for number in range(4)))

    async with database.write() as slow:
        first = await outbox.claim(slow, worker="slow", now=DUE, limit=3)
        second = await asyncio.wait_for(evenings.claim(database, "quick"), 10)

    assert len(first) == 3
    assert len(second) == 1
    assert {row.id for row in first}.isdisjoint(row.id for row in second)


async def test_starting_counts_the_copy_and_renews_the_lease(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())

    await evenings.sending(database, now=DUE + MINUTE)

    row = await evenings.find(database)
    assert (row["state"], row["copies"], row["sent_at"]) == ("sending", 1, DUE + MINUTE)
    assert row["lease_until"] == DUE + MINUTE + outbox.LEASE


async def test_a_worker_whose_lease_was_taken_can_neither_start_nor_settle(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    (lost,) = await evenings.claim(database, "slow")
    later = DUE + outbox.LEASE
    async with database.write() as db:
        await leases.reclaim(db, now=later)
    await evenings.claim(database, "quick", now=later)

    started = await evenings.start(database, [lost], "slow", now=later)
    await evenings.settle(database, Settled(lost.id, State.SENT, message_id=9), worker="slow")

    row = await evenings.find(database)
    assert started == set()
    assert (row["state"], row["worker"], row["copies"], row["message_id"]) == ("claimed", "quick", 0, None)


async def test_a_row_whose_window_closed_while_it_waited_its_turn_is_not_started(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    rows = await evenings.claim(database)

    assert await evenings.start(database, rows, now=UNTIL) == set()
    assert (await evenings.find(database))["copies"] == 0


@pytest.mark.parametrize("status", [Status.STOPPED, Status.GONE, Status.PAUSED])
async def test_nothing_goes_to_somebody_who_left_between_claim_and_start(database: Database, status: Status) -> None:
    someone = evenings.person()
    await evenings.settle_in(database, someone)
    await evenings.owe(database, evenings.message())
    rows = await evenings.claim(database)
    async with database.write() as db:
        await users.rest(db, someone.id, status=status)

    assert await evenings.start(database, rows) == set()
    assert await evenings.state(database) is State.CANCELLED


async def test_the_morning_question_of_a_night_before_a_pause_still_goes(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(status=Status.PAUSED))
    await evenings.owe(database, evenings.message(kind=Kind.CHECK_IN))

    rows = await evenings.claim(database, now=MORNING)

    assert len(await evenings.start(database, rows, now=MORNING)) == 1


async def test_an_answer_between_claim_and_start_keeps_the_reminder_back(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    rows = await evenings.claim(database)
    await evenings.answer(database)

    assert await evenings.start(database, rows) == set()
    assert await evenings.state(database) is State.CANCELLED


async def test_a_nudge_owed_after_the_answer_never_leaves(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.answer(database)
    await evenings.owe(database, evenings.message(kind=Kind.NUDGE))
    rows = await evenings.claim(database)

    assert await evenings.start(database, rows) == set()
    assert await evenings.state(database, kind=Kind.NUDGE) is State.CANCELLED


async def test_a_row_that_nobody_is_behind_any_more_is_dropped_at_its_claim(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(2))
    await evenings.owe(database, evenings.message(1), evenings.message(2))

    rows = await evenings.claim(database)

    assert [row.person.id for row in rows] == [2]
    assert await evenings.state(database, 1) is None


async def test_somebody_erased_between_claim_and_start_gets_nothing(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    rows = await evenings.claim(database)
    async with database.write() as db:
        await db.exec_driver_sql("DELETE FROM users")

    assert await evenings.start(database, rows) == set()


async def test_sent_keeps_the_message_and_lets_go_of_the_row(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())

    await evenings.sent(database, message_id=2**40)

    row = await evenings.find(database)
    assert (row["state"], row["message_id"], row["copies"], row["tries"]) == ("sent", 2**40, 1, 1)
    assert (row["worker"], row["lease_until"]) == (None, None)


async def test_a_copy_that_was_certainly_not_sent_does_not_count(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    row = await evenings.sending(database)

    again = DUE + timedelta(seconds=2)
    await evenings.settle(database, Settled(row.id, State.DUE, due_at=again, reason="refused", uncount=True))

    stored = await evenings.find(database)
    assert (stored["state"], stored["due_at"], stored["copies"], stored["tries"]) == ("due", again, 0, 1)


async def test_a_copy_that_was_never_counted_is_not_taken_off_either(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    (row,) = await evenings.claim(database)

    await evenings.settle(database, Settled(row.id, State.DUE, due_at=DUE, uncount=True))

    assert (await evenings.find(database))["copies"] == 0


async def test_nothing_waits_beyond_the_end_of_its_window(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    (row,) = await evenings.claim(database)

    await evenings.settle(database, Settled(row.id, State.DUE, due_at=UNTIL + timedelta(hours=1)))

    assert (await evenings.find(database))["due_at"] == UNTIL


async def test_an_orderly_end_gives_back_what_was_claimed_and_keeps_what_is_in_the_air(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1), evenings.person(2))
    await evenings.owe(database, evenings.message(1), evenings.message(2, due_at=DUE + MINUTE))
    await evenings.sending(database)
    await evenings.claim(database, now=DUE + MINUTE)

    async with database.write() as db:
        await leases.give_back(db, worker="a")

    assert await evenings.state(database, 1) is State.SENDING
    assert await evenings.state(database, 2) is State.DUE


async def test_a_long_reason_is_cut_to_what_the_column_holds(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    row = await evenings.sending(database)

    await evenings.settle(database, Settled(row.id, State.GONE, reason="x" * 500))

    assert (await evenings.find(database))["reason"] == "x" * 120
