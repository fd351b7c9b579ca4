"""A broadcast on the wires: real database, real HTTP, every way in which a copy can end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from telegram.ext import ExtBot

from bot.clock import SharedClock
from bot.core.broadcast import Fate, Phase
from bot.core.model import Status
from bot.delivery.broadcast import Broadcasts
from bot.fake_telegram import server
from bot.fake_telegram.faults import Fault
from bot.fake_telegram.people import Person
from bot.fake_telegram.telegram import Telegram
from bot.metrics import Metrics
from bot.telegram.rate_limiter import Passage, RateLimiter
from bot.telegram.transport import Timeouts, Transport
from db import broadcasts, users
from db.engine import Database
from tests.conftest import TOKEN
from tests.db import evenings

NOON = datetime(2026, 3, 26, 11, 0, tzinfo=UTC)
ADMIN = 500
RATE = 25


@dataclass(slots=True)
class Hall:
    """An admin, people, a broadcast that has begun, and one who sends it."""

    database: Database
    telegram: Telegram
    clock: SharedClock
    bot: ExtBot[Passage]
    sending: Broadcasts
    admin: Person
    number: int = 0
    message_id: int = 0

    async def fill(self, people: int) -> list[Person]:
        """Let so many people be set up, and in a chat with the bot."""
        ids = range(1, people + 1)
        await evenings.settle_in(self.database, *(evenings.person(user_id) for user_id in ids))
        return [await self.arrives(user_id) for user_id in ids]

    async def arrives(self, user_id: int) -> Person:
        person = self.telegram.person(user_id)
        await person.send("hello")
        return person

    async def begin(self, text: str = "News") -> None:
        self.message_id = await self.admin.send(text)
        panel = await self.bot.send_message(ADMIN, "…")
        async with self.database.write() as db:
            self.number = await broadcasts.draft(db, admin_id=ADMIN, message_id=self.message_id, now=NOON)
            await broadcasts.begin(
                db, self.number, total=await broadcasts.audience(db, None), panel_id=panel.message_id
            )

    async def move(self, to: Phase) -> None:
        async with self.database.write() as db:
            await broadcasts.move(db, self.number, to=to, now=self.clock.now())

    async def until(self, phrase: str) -> str:
        """Let it tick until the admin's message says so."""
        async with asyncio.timeout(60):
            while phrase not in self.admin.last.text:
                await self.sending.beat()
                await self.clock.sleep(1.0)
        return self.admin.last.text

    async def fates(self) -> dict[Fate, int]:
        async with self.database.read() as db:
            return await broadcasts.fates(db, self.number)

    async def status(self, user_id: int) -> Status:
        async with self.database.read() as db:
            found = await users.find(db, user_id)
        assert found is not None
        return found.status

    def another(self) -> Broadcasts:
        return Broadcasts(self.bot, self.database, clock=self.clock, rate=RATE, metrics=Metrics())


def copies(people: list[Person], text: str = "News") -> Counter[int]:
    """How many people have how many copies."""
    return Counter(sum(seen.from_bot and seen.text == text for seen in person.chat) for person in people)


@asynccontextmanager
async def opened(database: Database, folder: Path, *, kind: type[RateLimiter] = RateLimiter) -> AsyncIterator[Hall]:
    clock = SharedClock.create(folder / "clock", origin=NOON, speed=20.0)
    async with server.running(clock=clock, token=TOKEN) as telegram, contextlib.AsyncExitStack() as stack:
        # Ten real seconds: a machine that stalls must not look like a silent server.
        patience = Timeouts(connect=200, read=200, write=200, pool=200)
        transport = Transport(telegram.url, TOKEN, clock=clock, timeouts=patience)
        await transport.initialize()
        stack.push_async_callback(transport.shutdown)
        limiter = kind(RATE, clock=clock)
        stack.push_async_callback(limiter.shutdown)
        bot: ExtBot[Passage] = ExtBot(
            TOKEN,
            base_url=f"{telegram.url}/bot",
            request=transport,
            get_updates_request=transport,
            rate_limiter=limiter,
        )
        sending = Broadcasts(bot, database, clock=clock, rate=RATE, metrics=Metrics())
        hall = Hall(database, telegram, clock, bot, sending, telegram.person(ADMIN))
        await sending.lead()
        yield hall
        await sending.stop(seconds=5)


@pytest.fixture
async def hall(database: Database, tmp_path: Path) -> AsyncIterator[Hall]:
    async with opened(database, tmp_path) as hall:
        yield hall


async def test_everybody_gets_one_and_the_report_says_so(hall: Hall) -> None:
    people = await hall.fill(60)
    await people[0].deactivate()
    await hall.begin()

    report = await hall.until(": done")

    assert copies(people) == {1: 59, 0: 1}
    assert "60 of 60" in report
    assert "Delivered 59" in report
    assert "Blocked 1 · unknown 0 · failed 0" in report
    assert await hall.status(1) is Status.GONE


async def test_the_bar_is_edited_at_most_every_three_seconds(hall: Hall) -> None:
    await hall.fill(150)
    await hall.begin()

    await hall.until(": done")

    at = [call.at for call in hall.telegram.called_with("editMessageText")]
    assert len(at) >= 2
    assert all(later - earlier >= 2.5 for earlier, later in itertools.pairwise(at))


async def test_a_copy_that_may_have_arrived_is_counted_and_never_repeated(hall: Hall) -> None:
    people = await hall.fill(5)
    hall.telegram.fault(Fault("drop_after", method="copyMessage", chat_id=3, count=1))
    await hall.begin()

    report = await hall.until(": done")

    assert copies(people) == {1: 5}
    assert "Delivered 4" in report
    assert "unknown 1" in report


async def test_in_an_outage_no_copy_is_spent_on_everybody(hall: Hall) -> None:
    people = await hall.fill(120)
    await hall.begin()
    hall.telegram.fault(Fault("drop_before", lasting=60.0))

    report = await hall.until(": done")

    assert copies(people)[1] >= 120 - 2 * RATE
    assert max(copies(people)) == 1
    assert "120 of 120" in report


@pytest.mark.long
async def test_a_flood_is_waited_out_and_costs_nobody_their_copy(hall: Hall) -> None:
    people = await hall.fill(40)
    hall.telegram.fault(Fault("too_many", method="copyMessage", count=3, retry_after=10))
    await hall.begin()

    await hall.until(": done")

    assert copies(people) == {1: 40}


async def test_a_message_that_was_deleted_stops_it_with_a_sentence(hall: Hall) -> None:
    people = await hall.fill(100)
    await hall.begin()
    hall.telegram.world.remove(hall.admin.room.messages[hall.message_id])

    report = await hall.until(": stopped")
    report = await hall.until("cannot be copied any more")

    assert copies(people) == {0: 100}
    assert "cannot be copied any more" in report
    assert (await hall.fates())[Fate.FAILED] <= 2 * RATE


async def test_who_says_no_while_it_runs_holds_up_nobody(hall: Hall) -> None:
    people = await hall.fill(30)
    await hall.begin()
    async with hall.database.write() as db:
        cast = await broadcasts.find(db, hall.number)
        assert cast is not None
        await broadcasts.feed(db, cast, now=hall.clock.now(), limit=100)
        before = await users.find(db, 1)
        assert before is not None
        await users.save(db, before, replace(before, status=Status.STOPPED))

    report = await hall.until(": done")

    assert copies(people) == {1: 29, 0: 1}
    assert "1 person left or said no to news meanwhile" in report


async def test_a_pause_is_felt_at_once_and_nothing_is_lost_by_it(hall: Hall) -> None:
    people = await hall.fill(100)
    await hall.begin()
    while not copies(people)[1]:
        await hall.sending.beat()
        await hall.clock.sleep(0.2)
    await hall.move(Phase.PAUSED)

    paused = await hall.until(": paused")
    after_pause = copies(people)[1]
    await hall.clock.sleep(20)
    assert copies(people)[1] == after_pause
    assert f"Delivered {after_pause}" in paused
    assert after_pause < 100
    await hall.move(Phase.RUNNING)
    await hall.until(": done")

    assert copies(people) == {1: 100}


async def test_after_a_stop_the_report_counts_what_was_in_the_air(hall: Hall) -> None:
    people = await hall.fill(100)
    await hall.begin()
    while not copies(people)[1]:
        await hall.sending.beat()
        await hall.clock.sleep(0.2)
    await hall.move(Phase.STOPPED)

    report = await hall.until(": stopped")

    assert f"Delivered {copies(people)[1]}" in report
    assert copies(people)[0] > 0


async def test_another_leader_goes_on_and_nobody_gets_two(hall: Hall) -> None:
    people = await hall.fill(80)
    await hall.begin()
    while not copies(people)[1]:
        await hall.sending.beat()
        await hall.clock.sleep(0.2)
    hall.sending.rest()
    former, hall.sending = hall.sending, hall.another()
    await hall.sending.lead()

    report = await hall.until(": done")

    await former.stop(seconds=5)
    assert copies(people) == {1: 80}
    assert "80 of 80" in report


async def test_the_report_of_one_that_ended_as_its_process_died_is_made_good(hall: Hall) -> None:
    await hall.fill(1)
    await hall.begin()
    async with hall.database.write() as db:
        cast = await broadcasts.find(db, hall.number)
        assert cast is not None
        await broadcasts.feed(db, cast, now=NOON, limit=100)
        await broadcasts.start(db, hall.number, [1], now=NOON)
        await broadcasts.settle(db, [broadcasts.CopySettled(hall.number, 1, Fate.DELIVERED)])
        assert await broadcasts.end(db, hall.number, now=hall.clock.now())

    assert "Delivered 1" in await hall.until(": done")
