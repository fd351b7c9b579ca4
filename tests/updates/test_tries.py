"""An update that the database does not take is tried again after a while, and is thrown away only where that is hopeless."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from telegram import Update
from telegram.ext import MessageHandler, filters

from bot.clock import SharedClock
from bot.telegram.turn import Turn
from db import counts
from db.engine import Database
from db.inbox import StoredUpdate
from tests.updates.conftest import Replica, Replicas, left, noted, stored

PASSING = sa.exc.OperationalError(None, None, Exception("away"))
REFUSED = sa.exc.IntegrityError(None, None, Exception("refused"))


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made, none of which takes its time."""
    pauses: list[float] = []

    async def sleep(_: SharedClock, seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(SharedClock, "sleep", sleep)
    return pauses


def fails(one: Replica, error: Exception, times: int) -> None:
    """What a message does is undone by this, so many times."""
    left_over = [error] * times

    async def note(update: Update, turn: Turn) -> None:
        await one.lull.app.handlers[0][1].callback(update, turn)
        if left_over:
            raise left_over.pop()

    one.lull.app.handlers[0].insert(0, MessageHandler(filters.Regex(r"^n \d+$"), note))


async def dead(database: Database) -> int:
    async with database.read() as db:
        return await counts.dead_letters(db)


@pytest.mark.parametrize(
    ("error", "times", "pauses"),
    [
        (PASSING, 6, [0.2, 2.0, 2.0, 2.0, 2.0, 2.0]),
        (REFUSED, 2, [0.2, 2.0]),
        (ValueError("ours"), 2, []),
    ],
)
async def test_what_succeeds_at_last_is_done_once_and_nothing_is_put_aside(
    database: Database,
    replica: Replicas,
    message: Callable[..., StoredUpdate],
    slept: list[float],
    error: Exception,
    times: int,
    pauses: list[float],
) -> None:
    one = await replica()
    fails(one, error, times)
    await stored(database, [message(7)])

    one.lull.queues.add([message(7)])
    await one.settle()

    assert slept == pauses
    assert await noted(database) == [7]
    assert (await left(database), await dead(database)) == ([], 0)


@pytest.mark.parametrize(("error", "pauses"), [(REFUSED, [0.2, 2.0]), (ValueError("ours"), [])])
async def test_what_fails_three_times_for_a_reason_of_its_own_is_put_aside(
    database: Database,
    replica: Replicas,
    message: Callable[..., StoredUpdate],
    slept: list[float],
    error: Exception,
    pauses: list[float],
) -> None:
    one = await replica()
    fails(one, error, 3)
    await stored(database, [message(7)])

    one.lull.queues.add([message(7)])
    await one.settle()

    assert slept == pauses
    assert (await noted(database), await left(database), await dead(database)) == ([], [], 1)
