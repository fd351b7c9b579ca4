"""Beats go on while a message hangs at Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from telegram.ext import ExtBot

from bot.clock import SharedClock
from bot.core.model import State
from bot.delivery.reminders import Reminders
from bot.delivery.renderer import Renderer
from bot.fake_telegram.faults import Fault
from bot.fake_telegram.telegram import Telegram
from bot.metrics import Metrics
from bot.telegram.rate_limiter import RateLimiter
from bot.telegram.transport import Transport
from bot.texts import content
from db.engine import Database
from tests.conftest import TOKEN
from tests.db import evenings

Open = Callable[..., Awaitable[Transport]]


async def test_a_send_that_hangs_holds_up_nobody_who_is_due_after_it(
    database: Database, telegram: Telegram, clock: SharedClock, transports: Open
) -> None:
    people = {number: telegram.person(number) for number in (1, 2)}
    for person in people.values():
        await person.send("/start")
    await evenings.settle_in(database, *(evenings.person(number, remind_at=None) for number in people))
    clock.set(evenings.DUE)
    heart = await _heart(database, telegram, clock, transports)
    telegram.fault(Fault("silent", "sendMessage", chat_id=1))
    await evenings.owe(database, evenings.message(1))
    await heart.beat()
    await people[1].next()  # Telegram has taken it, and says nothing

    await evenings.owe(database, replace(evenings.message(2), due_at=clock.now()))
    await heart.beat()

    seen = await asyncio.wait_for(people[2].next(), 10)
    assert seen.text.startswith("Bedtime 22:30")
    assert await evenings.state(database, 1) is State.SENDING
    await heart.stop(seconds=0.1)


async def _heart(database: Database, telegram: Telegram, clock: SharedClock, transports: Open) -> Reminders:
    transport = await transports(telegram.url, clock=clock)
    limiter = RateLimiter(25, clock=clock)
    bot = ExtBot(
        TOKEN,
        base_url=f"{telegram.url}/bot",
        request=transport,
        get_updates_request=transport,
        rate_limiter=limiter,
    )
    heart = Reminders(bot, database, Renderer(content.load()), clock=clock, rate=25, metrics=Metrics())
    await heart.lead(clean=True)
    return heart
