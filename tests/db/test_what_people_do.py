"""Answers, pauses, snoozes and changes of mind while a row is at any point of its way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.model import Delivery, Intake, Kind, State
from db import nights
from db.engine import Database
from db.outbox import changes, due, history, leases
from db.outbox import rows as outbox
from db.outbox.rows import Settled
from tests.db import evenings
from tests.db.evenings import BED, DUE, MINUTE, MORNING, NIGHT, NOON, UNTIL


@pytest.fixture(autouse=True)
async def _one_evening(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message(), evenings.message(kind=Kind.CHECK_IN))


async def unknown(database: Database, *, now: object = DUE) -> None:
    """One copy left, and nobody knows whether it arrived."""
    row = await evenings.sending(database)
    end = outbox.after_unknown(row.id, kind=row.kind, copies=1, sent_at=DUE, reason="read timeout")
    await evenings.settle(database, end)


async def test_an_answer_before_the_reminder_makes_it_superfluous(database: Database) -> None:
    await evenings.answer(database)

    assert await evenings.state(database) is State.CANCELLED
    assert await evenings.state(database, kind=Kind.CHECK_IN) is State.DUE


async def test_an_answer_takes_a_claimed_row_from_its_worker(database: Database) -> None:
    (row,) = await evenings.claim(database)
    await evenings.answer(database)

    await evenings.settle(database, Settled(row.id, State.DUE, due_at=DUE))

    stored = await evenings.find(database)
    assert (stored["state"], stored["worker"], stored["lease_until"]) == ("cancelled", None, None)


async def test_an_answer_proves_a_copy_that_nobody_was_sure_of(database: Database) -> None:
    await unknown(database)

    await evenings.answer(database, at=DUE + MINUTE)

    assert await evenings.state(database) is State.SENT
    assert await evenings.claim(database, now=DUE + 3 * MINUTE) == []


async def test_an_answer_proves_a_reminder_of_which_nothing_more_was_to_come(database: Database) -> None:
    row = await evenings.sending(database)
    await evenings.settle(database, Settled(row.id, State.UNKNOWN, reason="read timeout"))

    await evenings.answer(database, at=DUE + MINUTE)

    assert await evenings.state(database) is State.SENT


async def test_an_answer_to_the_copy_in_the_air_lets_no_other_follow(database: Database) -> None:
    row = await evenings.sending(database)
    await evenings.answer(database)
    end = outbox.after_unknown(row.id, kind=row.kind, copies=1, sent_at=DUE, reason="read timeout")

    await evenings.settle(database, end)

    assert end.state is State.DUE
    assert await evenings.state(database) is State.SENT
    assert await evenings.claim(database, now=DUE + 3 * MINUTE) == []


async def test_an_answer_while_an_attempt_fails_ends_the_attempts(database: Database) -> None:
    row = await evenings.sending(database)
    await evenings.answer(database)

    await evenings.settle(database, Settled(row.id, State.DUE, due_at=DUE + MINUTE, uncount=True))

    assert await evenings.state(database) is State.CANCELLED
    assert await evenings.claim(database, now=DUE + 2 * MINUTE) == []


async def test_an_answer_before_the_process_died_in_the_middle_of_a_send_lets_no_other_follow(
    database: Database,
) -> None:
    await evenings.sending(database)
    await evenings.answer(database)

    async with database.write() as db:
        await leases.reclaim(db, now=DUE, everything=True)

    assert await evenings.state(database) is State.SENT


async def test_an_answer_that_was_taken_back_lets_an_uncertain_reminder_go_again(database: Database) -> None:
    row = await evenings.sending(database)
    await evenings.answer(database)
    async with database.write() as db:
        await nights.record_intake(db, 1, NIGHT, None, at=DUE)

    await evenings.settle(database, outbox.after_unknown(row.id, kind=row.kind, copies=1, sent_at=DUE, reason="?"))

    assert len(await evenings.claim(database, now=DUE + 2 * MINUTE)) == 1


async def test_an_answer_ends_the_nudges(database: Database) -> None:
    await evenings.owe(database, evenings.message(kind=Kind.NUDGE))

    await evenings.answer(database)

    assert await evenings.state(database, kind=Kind.NUDGE) is State.CANCELLED


async def test_an_answer_does_not_touch_another_night_or_person(database: Database) -> None:
    other_night = NIGHT + timedelta(days=1)
    await evenings.settle_in(database, evenings.person(2))
    await evenings.owe(database, evenings.message(2), evenings.message(night=other_night))

    await evenings.answer(database)

    assert await evenings.state(database, 2) is State.DUE
    assert (await evenings.find(database, night=other_night))["state"] == "due"


async def test_what_is_called_off_is_not_sent_also_when_it_is_claimed(database: Database) -> None:
    rows = await evenings.claim(database)

    async with database.write() as db:
        await changes.cancel(db, 1, kinds=[Kind.REMINDER], reason="paused")

    assert await evenings.start(database, rows) == set()
    stored = await evenings.find(database)
    assert (stored["state"], stored["reason"]) == ("cancelled", "paused")
    assert await evenings.state(database, kind=Kind.CHECK_IN) is State.DUE


async def test_calling_off_from_a_night_on_leaves_the_nights_before(database: Database) -> None:
    tomorrow = NIGHT + timedelta(days=1)
    await evenings.owe(database, evenings.message(night=tomorrow))

    async with database.write() as db:
        await changes.cancel(db, 1, kinds=tuple(Kind), reason="away", first_night=tomorrow)

    assert await evenings.state(database) is State.DUE
    assert (await evenings.find(database, night=tomorrow))["state"] == "cancelled"


async def test_what_was_sent_stays_sent_when_the_rest_is_called_off(database: Database) -> None:
    await evenings.sent(database)

    async with database.write() as db:
        await changes.cancel(db, 1, kinds=tuple(Kind), reason="stopped")

    assert await evenings.state(database) is State.SENT
    assert await evenings.state(database, kind=Kind.CHECK_IN) is State.CANCELLED


async def test_a_night_whose_reminder_never_left_can_be_owed_again_whole(database: Database) -> None:
    rows = await evenings.claim(database)
    async with database.write() as db:
        await changes.cancel(db, 1, kinds=[Kind.CHECK_IN], reason="not wanted")
        open_again = await changes.withdraw(db, 1, NIGHT)

    await evenings.owe(
        database, evenings.message(due_at=DUE + MINUTE), evenings.message(kind=Kind.CHECK_IN, due_at=NOON)
    )

    assert open_again
    assert await evenings.start(database, rows) == set()
    assert (await evenings.find(database))["due_at"] == DUE + MINUTE
    check_in = await evenings.find(database, kind=Kind.CHECK_IN)
    assert (check_in["state"], check_in["due_at"]) == ("due", NOON)


async def test_a_night_that_was_never_owed_is_open(database: Database) -> None:
    async with database.write() as db:
        assert await changes.withdraw(db, 1, NIGHT + timedelta(days=1))


async def test_a_snoozed_reminder_has_been_a_message_and_is_not_owed_anew(database: Database) -> None:
    await unknown(database)
    await again(database, after=10 * MINUTE, message_id=7)

    async with database.write() as db:
        assert not await changes.withdraw(db, 1, NIGHT)

    row = await evenings.find(database)
    assert (row["state"], row["copies"], row["message_id"]) == ("due", 0, 7)


@pytest.mark.parametrize("how", ["sending", "sent", "unknown", "answered"])
async def test_a_night_whose_reminder_may_have_left_is_not_owed_again(database: Database, how: str) -> None:
    await {
        "sending": evenings.sending,
        "sent": evenings.sent,
        "unknown": unknown,
        "answered": evenings.answer,
    }[how](database)

    async with database.write() as db:
        assert not await changes.withdraw(db, 1, NIGHT)

    assert await evenings.state(database) is not None
    assert await evenings.state(database, kind=Kind.CHECK_IN) is State.DUE


async def again(database: Database, *, after: timedelta, message_id: int | None = None) -> None:
    async with database.write() as db:
        await changes.again(db, 1, NIGHT, at=DUE + after, until=UNTIL, bed_at=BED, message_id=message_id)


async def test_a_snoozed_reminder_is_the_same_row_due_later_and_no_repeat(database: Database) -> None:
    await evenings.sent(database)

    await again(database, after=10 * MINUTE)

    assert await evenings.claim(database, now=DUE + 9 * MINUTE) == []
    (row,) = await evenings.claim(database, now=DUE + 10 * MINUTE)
    assert (row.copies, row.tries, row.planned_at) == (0, 0, DUE + 10 * MINUTE)


async def test_a_snooze_is_not_lost_while_another_copy_is_in_the_air(database: Database) -> None:
    row = await evenings.sending(database)

    await again(database, after=10 * MINUTE)
    await evenings.settle(database, Settled(row.id, State.SENT, message_id=6))

    assert await evenings.state(database) is State.DUE
    assert len(await evenings.claim(database, now=DUE + 10 * MINUTE)) == 1


async def test_a_snooze_of_a_copy_in_the_air_leaves_nothing_to_take_back(database: Database) -> None:
    await evenings.sending(database)

    await again(database, after=10 * MINUTE)

    async with database.read() as db:
        assert await leases.workers(db) == set()
        assert not (await due.at(db, now=DUE + 9 * MINUTE, ahead=MINUTE)).to_reclaim


async def test_an_answer_to_a_snoozed_reminder_does_not_forget_that_it_was_sent(database: Database) -> None:
    await evenings.sent(database)
    await again(database, after=10 * MINUTE)
    await evenings.answer(database)

    async with database.write() as db:
        await history.close(db, now=NOON, limit=10)
        record = await nights.find(db, 1, NIGHT)

    assert (record.delivery, record.intake) == (Delivery.SENT, Intake.TAKEN)


async def test_the_morning_question_moves_only_before_it_was_sent(database: Database) -> None:
    later = MORNING + timedelta(hours=2)
    async with database.write() as db:
        await changes.move_check_in(db, 1, NIGHT, at=later, until=later + timedelta(hours=6))
    moved = await evenings.find(database, kind=Kind.CHECK_IN)
    await evenings.answer(database)
    await evenings.sent(database, now=later)

    async with database.write() as db:
        await changes.move_check_in(db, 1, NIGHT, at=MORNING, until=MORNING)

    assert (moved["due_at"], moved["planned_at"]) == (later, later)
    assert moved["until_at"] == moved["close_at"] == later + timedelta(hours=6)
    assert (await evenings.find(database, kind=Kind.CHECK_IN))["due_at"] == later
