"""Polling against a Telegram whose updates have odd numbers: nothing is lost by them, and nothing is asked for without a pause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bot.clock import SharedClock
from bot.updates.polling import Polling
from db.engine import Database

ODD = 2**62
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Server:
    """Gives what is not confirmed, as Telegram does; `waiting` are numbers."""

    def __init__(self, *waiting: int) -> None:
        self.waiting, self.asked = list(waiting), list[int | None]()
        self.calls = asyncio.Event()

    async def call(self, method: str, *, offset: int | None = None, **_: Any) -> object:
        assert method == "getUpdates"
        self.asked.append(offset)
        self.calls.set()
        if offset is not None:
            self.waiting = [number for number in self.waiting if number >= offset]
        return [{"update_id": number} for number in sorted(self.waiting)]


class Stepping(SharedClock):
    """Its sleeps are over at once, and counted."""

    slept = 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        await asyncio.sleep(0)


@pytest.fixture
async def polling(
    replica: Callable[[], Awaitable[Any]], database: Database, clock: SharedClock, tmp_path: Any
) -> AsyncIterator[Callable[[Server], Polling]]:
    del clock
    one = await replica()
    stepping = Stepping(tmp_path / "clock")
    yield lambda server: Polling(server.call, database, one.lull.queues, clock=stepping)
    await one.settle()


async def test_an_update_far_above_does_not_hide_those_that_follow(polling: Callable[[Server], Polling]) -> None:
    server = Server(5, ODD)
    poll = polling(server)
    await poll._once()
    server.waiting += [6, 7]
    await poll._once()
    await poll._once()

    assert server.asked == [None, 6, 8]
    assert server.waiting == [ODD]


async def test_what_is_not_confirmed_is_not_asked_for_without_a_pause(polling: Callable[[Server], Polling]) -> None:
    server = Server(5, ODD)
    poll = polling(server)
    for _ in range(4):
        await poll._once()

    assert server.asked == [None, 6, 6, 6]
    assert poll._clock.slept == 3.0  # type: ignore[attr-defined]


async def test_after_seven_silent_days_the_offset_starts_anew(
    polling: Callable[[Server], Polling], clock: SharedClock
) -> None:
    server = Server(ODD)
    poll = polling(server)
    await poll._once()
    server.waiting = []
    # The clock's monotonic seconds follow its speed alone.
    poll._heard_at -= 7 * 86_400 + 1
    await poll._once()
    server.waiting = [12]
    await poll._once()
    await poll._once()

    assert server.asked == [None, None, None, 13]
