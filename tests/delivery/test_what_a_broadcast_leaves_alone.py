"""Reminders and answers in the middle of a broadcast: told by whom the limiter lets go while they wait, not by a watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.clock import Clock
from bot.core.model import State
from bot.core.pacing import Lane
from bot.delivery.reminders import Reminders
from bot.delivery.renderer import Renderer
from bot.metrics import Metrics
from bot.telegram import replies
from bot.telegram.rate_limiter import RateLimiter
from bot.telegram.turn import Say
from bot.texts import content
from bot.views.message import View
from db import broadcasts
from db.engine import Database
from tests.db import evenings
from tests.delivery.test_copies_of_a_broadcast import ADMIN, RATE, Hall, copies, opened

PEOPLE, REMINDED, ANSWERED = 200, 50, 15


@dataclass(frozen=True, slots=True)
class Slot:
    """Who was let go, and the most urgent lane of those who went on waiting for a slot."""

    lane: Lane
    waiting: Lane | None


class Watched(RateLimiter):
    """The limiter, telling whom it lets go."""

    def __init__(self, rate: int, *, clock: Clock) -> None:
        super().__init__(rate, clock=clock)
        self.slots: list[Slot] = []

    def _admit(self, waiter, now):  # type: ignore[no-untyped-def]
        lanes = [other.lane for other in self._ready if not other.turn.done()]
        self.slots.append(Slot(waiter.lane, min(lanes, default=None)))
        super()._admit(waiter, now)

    @property
    def overtaken(self) -> list[Slot]:
        """Slots that went to somebody while somebody more urgent waited."""
        return [slot for slot in self.slots if slot.waiting is not None and slot.waiting < slot.lane]


@pytest.fixture
async def hall(database: Database, tmp_path: Path) -> AsyncIterator[Hall]:
    """An evening in which everybody is written to, also at night, and reminders fall due in the middle of it."""
    async with opened(database, tmp_path, kind=Watched) as hall:
        hall.clock.set(evenings.DUE, speed=5.0)
        ids = range(1, PEOPLE + 1)
        people = (evenings.person(user_id, remind_at=None, remind_night=None) for user_id in ids)
        await evenings.settle_in(database, *people)
        for user_id in ids:
            await hall.arrives(user_id)
        hall.message_id = await hall.admin.send("News")
        panel = await hall.bot.send_message(ADMIN, "…")
        async with database.write() as db:
            hall.number = await broadcasts.draft(db, admin_id=ADMIN, message_id=hall.message_id, now=evenings.DUE)
            await broadcasts.choose(db, hall.number, language=None, awake_only=False)
            await broadcasts.begin(db, hall.number, total=PEOPLE, panel_id=panel.message_id)
        yield hall


def limiter_of(hall: Hall) -> Watched:
    limiter = hall.bot.rate_limiter
    assert isinstance(limiter, Watched)
    return limiter


async def under_way(hall: Hall, copied: int) -> None:
    async with asyncio.timeout(60):
        while len(hall.telegram.called_with("copyMessage")) < copied:
            await hall.sending.beat()
            await hall.clock.sleep(0.1)


async def test_no_copy_goes_while_a_reminder_waits(hall: Hall) -> None:
    heart = Reminders(hall.bot, hall.database, Renderer(content.load()), clock=hall.clock, rate=RATE, metrics=Metrics())
    await heart.lead(clean=True)
    await under_way(hall, 40)
    now = hall.clock.now()
    due = [replace(evenings.message(user_id), due_at=now) for user_id in range(PEOPLE - REMINDED + 1, PEOPLE + 1)]
    await evenings.owe(hall.database, *due)

    await heart.beat()
    await hall.until(": done")
    async with asyncio.timeout(60):
        while {await evenings.state(hall.database, message.user_id) for message in due} != {State.SENT}:
            await hall.clock.sleep(0.1)

    slots = limiter_of(hall).slots
    assert [slot.lane for slot in slots].count(Lane.REMINDER) == REMINDED
    assert Slot(Lane.REMINDER, Lane.BROADCAST) in slots  # they passed copies that were there before them
    assert limiter_of(hall).overtaken == []
    assert copies([hall.telegram.person(user_id) for user_id in range(1, PEOPLE + 1)]) == {1: PEOPLE}
    await heart.stop(seconds=5)


async def test_no_copy_and_no_reminder_goes_while_an_answer_waits(hall: Hall) -> None:
    await under_way(hall, 40)
    for user_id in range(1, ANSWERED + 1):
        await replies.perform(hall.bot, Say(View("Taken")), chat_id=user_id, clock=hall.clock)
        await hall.sending.beat()

    slots = limiter_of(hall).slots
    assert Slot(Lane.ANSWER, Lane.BROADCAST) in slots
    assert limiter_of(hall).overtaken == []
    assert len(hall.telegram.called_with("copyMessage")) < PEOPLE  # it was in the middle of it indeed
