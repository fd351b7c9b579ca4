"""What follows from an outcome: how the row ends or goes on, and what a block or an unknown chat does to the person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model import Delivery, Kind, NightRecord, State, Status
from bot.core.outcome import Gone, NotFound, Outcome, Rejected, Sent, TokenRefused, Unknown, Unsent, Why, Withdrawn
from bot.core.owed import Owed
from bot.delivery import settlement
from db import nights, users
from db.engine import Database
from tests.db import evenings
from tests.db.evenings import BED, DUE, MINUTE, NIGHT, UNTIL

ROW = Owed(7, Kind.REMINDER, NIGHT, DUE, UNTIL, BED, 0, 0, evenings.person(), NightRecord(NIGHT))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("outcome", "state", "waits", "counts"),
    [
        (Sent(5), State.SENT, None, True),
        (Unsent("nobody listens"), State.DUE, 2 * SECOND, False),
        (Unsent("flood control", 30.0), State.DUE, 30 * SECOND, False),
        (Withdrawn(Why.TOO_LATE), State.DUE, 2 * SECOND, False),
        (TokenRefused("Unauthorized"), State.DUE, MINUTE, False),
        (Rejected("can't parse entities"), State.DUE, 60 * MINUTE, False),
        (Gone("blocked"), State.GONE, None, False),
        (NotFound("chat not found"), State.GONE, None, False),
        (Unknown("timed out"), State.DUE, 2 * MINUTE, True),
    ],
    ids=repr,
)
def test_only_a_copy_that_may_have_arrived_counts_and_each_outcome_has_its_wait(
    outcome: Outcome, state: State, waits: timedelta | None, *, counts: bool
) -> None:
    end = settlement.settle(ROW, outcome, now=DUE)

    assert (end.state, end.due_at) == (state, None if waits is None else DUE + waits)
    assert end.uncount is not counts


@pytest.mark.parametrize("why", [Why.UNWANTED, Why.SHUTTING_DOWN])
def test_what_was_not_begun_ends_nothing_that_was(why: Why) -> None:
    assert not settlement.settle(ROW, Withdrawn(why), now=DUE).begun


@pytest.mark.parametrize(("copies", "waits"), [(0, 2 * MINUTE), (1, 5 * MINUTE), (2, None)])
def test_an_uncertain_copy_is_repeated_twice_and_then_unknown(copies: int, waits: timedelta | None) -> None:
    end = settlement.settle(replace(ROW, copies=copies), Unknown("timed out"), now=DUE)

    assert end.state is (State.UNKNOWN if waits is None else State.DUE)
    assert end.due_at == (None if waits is None else DUE + waits)


def test_tries_that_fail_come_less_and_less_often_but_every_minute_at_least() -> None:
    waits = [settlement.back_off(tries).total_seconds() for tries in (0, 1, 2, 3, 4, 5, 50)]

    assert waits == [2, 4, 8, 16, 32, 60, 60]


async def follows(database: Database, outcome: Outcome) -> Status:
    """What became of the person whose reminder ended so."""
    (row,) = await evenings.claim(database)
    change = settlement.follow(row, outcome, now=DUE)
    assert change is not None
    async with database.write() as db:
        await change(db)
        found = await users.find(db, 1)
    assert found is not None
    return found.status


async def test_a_block_ends_all_that_is_owed(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message(), evenings.message(kind=Kind.CHECK_IN))

    assert await follows(database, Gone("blocked")) is Status.GONE
    assert await evenings.state(database, kind=Kind.CHECK_IN) is State.CANCELLED


@pytest.mark.parametrize(
    ("before", "status"), [(None, Status.ACTIVE), (Delivery.SENT, Status.ACTIVE), (Delivery.NOT_FOUND, Status.GONE)]
)
async def test_a_chat_that_is_not_found_is_gone_on_the_second_night(
    database: Database, before: Delivery | None, status: Status
) -> None:
    await evenings.settle_in(database, evenings.person())
    if before is not None:
        async with database.write() as db:
            fate = {"user_id": 1, "night": NIGHT - timedelta(days=1), "reminder": before}
            await nights.close(db, [fate])
    await evenings.owe(database, evenings.message())

    assert await follows(database, NotFound("chat not found")) is status
