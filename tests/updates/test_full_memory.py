"""With as many letters in memory as there may be, what Telegram posts is refused, and taken when there is room."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
import pytest
from aiohttp import web

from bot.clock import SharedClock
from bot.updates import queues
from bot.updates.webhook import Receiver
from db.engine import Database
from db.inbox import StoredUpdate
from tests.updates.conftest import Replicas, left, noted, stored
from tests.updates.front import HEADERS, SECRET

Message = Callable[..., StoredUpdate]


async def test_what_finds_no_room_stays_with_telegram(
    replica: Replicas, database: Database, clock: SharedClock, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST", 2)
    monkeypatch.setattr(queues, "TAKE_IN", 1.0)
    one = await replica()
    lull = one.lull
    app = web.Application()
    app.router.add_post("/", Receiver(lull.database, lull.queues, clock=clock, secret=SECRET).receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    headers = HEADERS | {"Content-Type": "application/json"}
    waiting = [message(1), message(2)]
    await stored(database, waiting)
    statuses = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
        lull.queues.more_to_come()  # so that none of them is done yet
        lull.queues.add(waiting)
        for _ in range(2):
            async with session.post("/", data=message(3).body, headers=headers) as answer:
                statuses.append(answer.status)
            await one.settle()
    await one.settle()
    await runner.cleanup()

    assert statuses == [503, 200]
    assert await noted(database) == [1, 2, 3]
    assert await left(database) == []
