"""After a death, at the end of a window, at the end of a night: reclaim, expire, close."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.core.model import Delivery, Intake, Kind, Rating, State, Status
from db import nights, users
from db.engine import Database
from db.outbox import due, history, leases
from db.outbox.rows import LEASE, Settled
from tests.db import evenings
from tests.db.evenings import DUE, MINUTE, MORNING, NIGHT, NOON, UNTIL


@pytest.fixture(autouse=True)
async def _somebody(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())


async def reclaim(database: Database, *, now: datetime, everything: bool = False) -> list[tuple[Kind, State]]:
    async with database.write() as db:
        return await leases.reclaim(db, now=now, everything=everything)


async def expire(database: Database, *, now: datetime) -> list[tuple[Kind, State]]:
    async with database.write() as db:
        return await history.expire(db, now=now)


async def close(database: Database, *, now: datetime = NOON, limit: int = 100) -> list[history.ClosedRow]:
    async with database.write() as db:
        return await history.close(db, now=now, limit=limit)


async def diary(database: Database) -> tuple[Delivery | None, Intake | None]:
    async with database.read() as db:
        record = await nights.find(db, 1, NIGHT)
    return record.delivery, record.intake


# -- reclaim -----------------------------------------------------------------------------------------------------------


async def test_a_lease_that_still_runs_is_left_alone(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    await evenings.claim(database)

    assert await reclaim(database, now=DUE + LEASE - timedelta(seconds=1)) == []
    assert await evenings.state(database) is State.CLAIMED


async def test_what_a_dead_worker_had_not_begun_is_due_again_as_if_nothing_had_been(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    await evenings.claim(database)

    assert await reclaim(database, now=DUE + LEASE) == []

    row = await evenings.find(database)
    assert (row["state"], row["copies"], row["worker"]) == ("due", 0, None)


async def test_a_reminder_in_a_dead_workers_hands_goes_again_after_two_and_then_five_minutes(
    database: Database,
) -> None:
    await evenings.owe(database, evenings.message())
    moment, waits = DUE, []
    for _ in range(2):
        await evenings.sending(database, now=moment)
        assert await reclaim(database, now=moment + timedelta(seconds=1), everything=True) == [
            (Kind.REMINDER, State.DUE)
        ]
        due_at = (await evenings.find(database))["due_at"]
        waits.append(due_at - moment)
        moment = due_at

    row = await evenings.sending(database, now=moment)
    assert await reclaim(database, now=moment, everything=True) == [(Kind.REMINDER, State.UNKNOWN)]

    assert waits == [2 * MINUTE, 5 * MINUTE]
    assert row.copies == 2
    assert await evenings.claim(database, now=UNTIL - MINUTE) == []


async def test_a_repeat_that_would_come_too_late_ends_with_its_window(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    late = UNTIL - MINUTE
    await evenings.sending(database, now=late)
    await reclaim(database, now=late, everything=True)

    assert await evenings.claim(database, now=UNTIL) == []
    assert await expire(database, now=UNTIL) == [(Kind.REMINDER, State.UNKNOWN)]


async def test_a_check_in_that_may_have_arrived_is_not_repeated(database: Database) -> None:
    await evenings.owe(database, evenings.message(kind=Kind.CHECK_IN))
    await evenings.sending(database, now=MORNING)

    assert await reclaim(database, now=MORNING + LEASE) == [(Kind.CHECK_IN, State.UNKNOWN)]


async def test_a_check_in_that_tells_of_a_reminder_that_was_not_sent_goes_once_more(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    await expire(database, now=UNTIL)
    await evenings.owe(database, evenings.message(kind=Kind.CHECK_IN))
    await evenings.sending(database, now=MORNING)

    assert await reclaim(database, now=MORNING + LEASE) == [(Kind.CHECK_IN, State.DUE)]
    again = MORNING + 2 * MINUTE
    await evenings.sending(database, now=again)
    assert await reclaim(database, now=again + LEASE) == [(Kind.CHECK_IN, State.UNKNOWN)]


async def test_a_worker_that_comes_back_after_its_lease_writes_nothing(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    row = await evenings.sending(database)
    await reclaim(database, now=DUE + LEASE)

    await evenings.settle(database, Settled(row.id, State.SENT, message_id=5))

    assert await evenings.state(database) is State.DUE


# -- expire ------------------------------------------------------------------------------------------------------------


async def test_a_window_that_closes_on_nothing_sent_is_expired_with_its_reason(database: Database) -> None:
    await evenings.owe(database, evenings.message())

    assert await expire(database, now=UNTIL - timedelta(seconds=1)) == []
    assert await expire(database, now=UNTIL) == [(Kind.REMINDER, State.EXPIRED)]

    assert (await evenings.find(database))["reason"] == "not sent in time"


async def test_the_last_failures_reason_is_kept_when_a_window_closes(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    row = await evenings.sending(database)
    late = UNTIL + timedelta(hours=1)
    await evenings.settle(database, Settled(row.id, State.DUE, due_at=late, reason="no route", uncount=True))

    assert await expire(database, now=UNTIL) == [(Kind.REMINDER, State.EXPIRED)]
    assert (await evenings.find(database))["reason"] == "no route"


async def test_a_window_that_closes_on_an_uncertain_copy_is_unknown(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    await evenings.sending(database)
    await reclaim(database, now=DUE, everything=True)

    assert await expire(database, now=UNTIL) == [(Kind.REMINDER, State.UNKNOWN)]


async def test_what_a_worker_has_in_hand_does_not_expire_under_it(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    await evenings.sending(database, now=UNTIL - MINUTE)

    assert await expire(database, now=UNTIL) == []


# -- close -------------------------------------------------------------------------------------------------------------


async def test_a_reminded_night_without_an_answer_is_missed(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    await evenings.sent(database)

    assert await close(database, now=NOON - MINUTE) == []
    (closed,) = await close(database)

    assert closed == history.ClosedRow(1, Kind.REMINDER, NIGHT, State.SENT)
    assert await diary(database) == (Delivery.SENT, Intake.MISSED)
    assert await evenings.state(database) is None


async def test_an_answered_night_keeps_its_answer(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    await evenings.sent(database)
    await evenings.answer(database)

    await close(database)

    assert await diary(database) == (Delivery.SENT, Intake.TAKEN)


@pytest.mark.parametrize(
    ("state", "reason", "delivery", "intake"),
    [
        (State.UNKNOWN, "read timeout", Delivery.UNKNOWN, Intake.MISSED),
        (State.GONE, "blocked", Delivery.UNREACHABLE, None),
        (State.GONE, "not found", Delivery.NOT_FOUND, None),
        (State.CANCELLED, None, Delivery.CANCELLED, None),
        (State.EXPIRED, None, Delivery.EXPIRED, None),
        (State.DUE, None, Delivery.UNKNOWN, Intake.MISSED),
    ],
)
async def test_every_end_has_its_word_in_the_diary_and_only_reminded_nights_are_missed(
    database: Database, state: State, reason: str | None, delivery: Delivery, intake: Intake | None
) -> None:
    await evenings.owe(database, evenings.message())
    row = await evenings.sending(database)
    await evenings.settle(database, Settled(row.id, state, reason=reason))

    await close(database)

    assert await diary(database) == (delivery, intake)


async def test_a_row_that_nobody_came_to_is_expired_in_the_diary_too(database: Database) -> None:
    await evenings.owe(database, evenings.message())

    await close(database)

    assert await diary(database) == (Delivery.EXPIRED, None)


async def test_what_is_in_a_workers_hands_is_closed_once_it_is_back(database: Database) -> None:
    await evenings.owe(database, evenings.message())
    await evenings.sending(database)

    in_hand = await close(database)
    await reclaim(database, now=NOON)
    back = await close(database)

    assert (in_hand, len(back)) == ([], 1)
    assert await diary(database) == (Delivery.UNKNOWN, Intake.MISSED)


async def quiet_mornings(database: Database) -> int | None:
    async with database.read() as db:
        someone = await users.find(db, 1)
    assert someone is not None
    return someone.unanswered


async def test_a_check_in_without_an_answer_is_one_quiet_morning_counted_once(database: Database) -> None:
    await evenings.owe(database, evenings.message(kind=Kind.CHECK_IN))
    await evenings.sent(database, now=MORNING)

    for _ in range(3):
        await close(database, now=MORNING + timedelta(hours=6))

    assert await quiet_mornings(database) == 1


async def test_a_rated_morning_is_not_quiet(database: Database) -> None:
    await evenings.owe(database, evenings.message(kind=Kind.CHECK_IN))
    await evenings.sent(database, now=MORNING)
    async with database.write() as db:
        await nights.record_rating(db, 1, NIGHT, Rating.SAME, at=MORNING)

    await close(database, now=MORNING + timedelta(hours=6))

    assert await quiet_mornings(database) is None


async def test_a_check_in_that_never_arrived_is_not_a_quiet_morning(database: Database) -> None:
    await evenings.owe(database, evenings.message(kind=Kind.CHECK_IN))
    await expire(database, now=MORNING + timedelta(hours=6))

    await close(database, now=MORNING + timedelta(hours=6))

    assert await quiet_mornings(database) is None
    assert await diary(database) == (None, None)


async def test_history_is_made_a_page_at_a_time_and_each_row_once(database: Database) -> None:
    await evenings.settle_in(database, *(evenings.person(number) for number in range(2, 8)))
    await evenings.owe(database, *(evenings.message(number) for number in range(1, 8)))

    pages = [await close(database, limit=3) for _ in range(4)]

    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert {closed.user_id for page in pages for closed in page} == set(range(1, 8))


# -- figures -----------------------------------------------------------------------------------------------------------


async def test_the_backlog_counts_what_is_due_and_what_is_soon(database: Database) -> None:
    await evenings.settle_in(
        database,
        evenings.person(2, remind_at=DUE + 10 * MINUTE),
        evenings.person(3, remind_at=DUE + 20 * MINUTE),
        evenings.person(4, remind_at=None, remind_night=None, status=Status.STOPPED),
        evenings.person(5, remind_at=DUE + 1440 * MINUTE),
    )
    await evenings.owe(database, evenings.message(), evenings.message(5, due_at=DUE + 10 * MINUTE))

    async with database.read() as db:
        found = await due.at(db, now=DUE, ahead=15 * MINUTE)
    assert (found.due, found.ahead) == (1, 2)
