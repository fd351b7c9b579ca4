"""What holds for everything that is sent, reminders and broadcasts alike: real database, real HTTP, the one engine."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from telegram.ext import ExtBot

from bot.clock import SharedClock
from bot.core.model import State
from bot.delivery.broadcast import Broadcasts
from bot.delivery.reminders import Reminders
from bot.delivery.renderer import Renderer
from bot.delivery.sending import FRESH, Parcel
from bot.fake_telegram import server
from bot.fake_telegram.faults import Fault
from bot.fake_telegram.telegram import Telegram
from bot.metrics import CHECKS, Metrics
from bot.telegram.rate_limiter import Passage, RateLimiter
from bot.telegram.transport import Timeouts, Transport
from bot.texts import content
from db import broadcasts, tables
from db.engine import Database, Unavailable
from db.outbox.rows import LEASE
from tests.conftest import TOKEN
from tests.db import evenings

ADMIN, RATE = 500, 25
WINDOW = RATE // 2


class Troubled:
    """A kind of work in which something goes wrong, as the test says."""

    away = 0  # so many times the database is away when an outcome is to be written
    broken = -1  # of this person nothing can be made, in a way that nobody foresaw
    unnoted = False  # messages leave without being noted before
    twice = False  # the database gives every item twice
    after_start: Callable[[], None] = staticmethod(lambda: None)

    async def take(self, limit: int) -> list[Any]:
        items: list[Any] = await super().take(limit)  # type: ignore[misc]
        return items * 2 if self.twice else items

    async def make(self, item: Any) -> Any:
        if self.broken in (getattr(item, "user_id", None), getattr(getattr(item, "person", None), "id", None)):
            raise ZeroDivisionError
        made = await super().make(item)  # type: ignore[misc]
        if self.unnoted:
            return Parcel(made.lane, made.deadline, lambda passage: made.send(replace(passage, before=None)))
        return made

    async def start(self, items: list[Any]) -> list[bool]:
        begun: list[bool] = await super().start(items)  # type: ignore[misc]
        self.after_start()
        return begun

    async def settle(self, ends: list[Any]) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("gone for a moment")
        await super().settle(ends)  # type: ignore[misc]


class TroubledReminders(Troubled, Reminders):
    """Reminders with troubles."""


class TroubledBroadcasts(Troubled, Broadcasts):
    """Broadcasts with troubles."""


@dataclass(slots=True)
class Bench:
    """One kind of work with a database, a Telegram, and people each of whom is due one item."""

    kind: str
    database: Database
    telegram: Telegram
    clock: SharedClock
    bot: ExtBot[Passage]
    metrics: Metrics
    work: Any
    people: int = 0

    def another(self) -> Any:
        """The same work in another process."""
        if self.kind == "broadcast":
            return TroubledBroadcasts(self.bot, self.database, clock=self.clock, rate=RATE, metrics=self.metrics)
        texts = Renderer(content.load())
        return TroubledReminders(self.bot, self.database, texts, clock=self.clock, rate=RATE, metrics=self.metrics)

    @property
    def method(self) -> str:
        return "copyMessage" if self.kind == "broadcast" else "sendMessage"

    async def lead(self) -> None:
        await (self.work.lead() if self.kind == "broadcast" else self.work.lead(clean=True))

    async def fill(self, people: int) -> None:
        """So many people, each due one item now."""
        self.people = people
        ids = range(1, people + 1)
        await evenings.settle_in(
            self.database, *(evenings.person(one, remind_at=None, remind_night=None) for one in ids)
        )
        for one in ids:
            await self.telegram.person(one).send("hello")
        if self.kind == "reminders":
            await evenings.owe(self.database, *(evenings.message(one) for one in ids))
            return
        message_id = await self.telegram.person(ADMIN).send("News")
        async with self.database.write() as db:
            number = await broadcasts.draft(db, admin_id=ADMIN, message_id=message_id, now=evenings.DUE)
            await broadcasts.choose(db, number, language=None, awake_only=False)
            await broadcasts.begin(db, number, total=people, panel_id=1)

    def arrived(self) -> Counter[int]:
        """How many messages of the bot each person has."""
        return Counter(
            one for one in range(1, self.people + 1) for seen in self.telegram.person(one).chat if seen.from_bot
        )

    async def states(self) -> Counter[str]:
        """Where the items stand, in the words of both tables."""
        box, to = tables.outbox.c.state, tables.recipients.c.fate
        async with self.database.read() as db:
            column = to if self.kind == "broadcast" else box
            found = [
                str(value) for value in (await db.execute(column.table.select().with_only_columns(column))).scalars()
            ]
        return Counter("sent" if value in ("delivered", State.SENT.value) else value for value in found)

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(30):
            while not await condition():
                await self.work.beat()
                await self.clock.sleep(0.5)

    async def sent(self, number: int) -> None:
        async def all_sent() -> bool:
            return (await self.states())["sent"] >= number

        await self.until(all_sent)

    async def beats(self, seconds: float) -> None:
        """Go on for so many seconds of the clock."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            await self.work.beat()
            await self.clock.sleep(0.5)

    def failures(self) -> dict[str, float]:
        name = "lull_invariant_failures_total"
        values = {check: self.metrics.registry.get_sample_value(name, {"check": check}) for check in CHECKS}
        return {check: value for check, value in values.items() if value}


@contextlib.asynccontextmanager
async def opened(kind: str, database: Database, folder: Path) -> AsyncIterator[Bench]:
    clock = SharedClock.create(folder / "clock", origin=evenings.DUE, speed=20.0)
    async with server.running(clock=clock, token=TOKEN) as telegram, contextlib.AsyncExitStack() as stack:
        # Ten real seconds: a machine that stalls must not look like a silent server.
        transport = Transport(telegram.url, TOKEN, clock=clock, timeouts=Timeouts(200, 200, 200, 200))
        await transport.initialize()
        stack.push_async_callback(transport.shutdown)
        limiter = RateLimiter(RATE, clock=clock)
        stack.push_async_callback(limiter.shutdown)
        bot: ExtBot[Passage] = ExtBot(
            TOKEN,
            base_url=f"{telegram.url}/bot",
            request=transport,
            get_updates_request=transport,
            rate_limiter=limiter,
        )
        bench = Bench(kind, database, telegram, clock, bot, Metrics(), None)
        bench.work = bench.another()
        await bench.lead()
        yield bench
        await bench.work.stop(seconds=5)


@pytest.fixture(params=["reminders", "broadcast"])
async def bench(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(request.param, database, tmp_path) as bench:
        yield bench


async def test_everybody_gets_one(bench: Bench) -> None:
    await bench.fill(40)

    await bench.sent(40)

    assert set(bench.arrived().values()) == {1}
    assert bench.failures() == {}


async def test_who_does_not_lead_begins_nothing_and_who_leads_next_goes_on(bench: Bench) -> None:
    await bench.fill(30)
    bench.work.rest()
    await bench.beats(3)
    assert bench.arrived() == {}

    former, bench.work = bench.work, bench.another()
    await bench.lead()
    await bench.sent(30)

    await former.stop(seconds=5)
    assert set(bench.arrived().values()) == {1}


async def test_in_an_outage_no_more_is_spent_than_is_in_hand(bench: Bench) -> None:
    await bench.fill(60)
    bench.telegram.fault(Fault("drop_before", lasting=10_000.0))

    await bench.beats(30)

    assert len(bench.telegram.called_with(bench.method)) <= WINDOW
    assert bench.telegram.called_with("getMe")


async def test_after_an_outcome_that_nobody_knows_those_in_hand_are_not_begun_either(bench: Bench) -> None:
    bench.clock.set(
        bench.clock.now(), speed=1.0
    )  # 40 real milliseconds from one to the next: the first is heard of before
    await bench.fill(WINDOW)
    bench.telegram.fault(Fault("drop_before", lasting=10_000.0))

    await bench.beats(1.5)

    assert 1 <= len(bench.telegram.called_with(bench.method)) < WINDOW


async def test_while_the_token_is_refused_nothing_is_tried(bench: Bench) -> None:
    await bench.fill(40)
    bench.telegram.fault(Fault("status", method=bench.method, code=401, description="Unauthorized", count=WINDOW))

    await bench.beats(40)
    tried = len(bench.telegram.called_with(bench.method))
    await bench.sent(40)

    assert tried <= WINDOW
    assert set(bench.arrived().values()) == {1}


async def test_what_left_is_written_however_long_the_database_is_away(bench: Bench) -> None:
    await bench.fill(3)
    bench.work.away = 4

    await bench.sent(3)

    assert bench.work.away == 0
    assert set(bench.arrived().values()) == {1}


async def test_a_fault_in_one_item_is_logged_and_holds_up_nobody(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    forgotten: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: forgotten.append(context))
    await bench.fill(10)
    bench.work.broken = 4

    await bench.sent(9)
    gc.collect()

    assert 4 not in bench.arrived()
    assert forgotten == []
    if bench.kind == "broadcast":
        assert (
            caplog.text.count("ZeroDivisionError") == 2
        )  # the line and its traceback: once, and then it is left alone


async def test_the_429_of_one_person_for_a_day_delays_nobody_else(bench: Bench) -> None:
    await bench.fill(40)
    bench.telegram.fault(Fault("too_many", method=bench.method, chat_id=4, retry_after=86_400))

    await bench.sent(39)

    limiter = bench.bot.rate_limiter
    assert isinstance(limiter, RateLimiter)
    assert (limiter.floods, limiter.halts) == (1, 0)
    assert len([call for call in bench.telegram.called_with(bench.method) if call.status == 429]) == 1


@pytest.mark.long
async def test_when_telegram_refuses_everybody_one_message_probes_and_then_all_arrive(bench: Bench) -> None:
    await bench.fill(40)
    bench.telegram.fault(Fault("too_many", method=bench.method, retry_after=5, lasting=60.0))

    await bench.sent(40)

    refused = [call.at for call in bench.telegram.called_with(bench.method) if call.status == 429]
    probes = [at for at in refused if at > refused[1] + 20]
    assert len(refused) - len(probes) <= WINDOW
    assert len(probes) == 1
    assert set(bench.arrived().values()) == {1}


async def test_nothing_leaves_after_its_deadline_and_what_was_kept_back_was_certainly_not_sent(bench: Bench) -> None:
    await bench.fill(1)
    asleep = timedelta(hours=3)
    bench.work.after_start = lambda: bench.clock.set(bench.clock.now() + asleep)

    async def ended() -> bool:
        states = await bench.states()
        return bool(states["expired"] or bench.clock.now() > evenings.DUE + 2 * asleep)

    await bench.until(ended)

    assert bench.arrived() == {}
    assert set(await bench.states()) <= {"expired", "pending", "sending"}
    assert bench.failures() == {}


async def test_a_sleep_of_a_minute_over_the_deadline_is_enough(bench: Bench) -> None:
    """The words are fresh enough, and still it is too late."""
    if bench.kind == "broadcast":
        return  # a copy has no deadline of its own
    await bench.fill(1)
    bench.clock.set(evenings.UNTIL - timedelta(minutes=1))
    bench.work.after_start = lambda: bench.clock.set(evenings.UNTIL)

    async def ended() -> bool:
        return bool((await bench.states())["expired"] or bench.arrived())

    await bench.until(ended)

    assert bench.arrived() == {}


async def test_an_end_gives_up_what_waits_and_finishes_what_flies(bench: Bench) -> None:
    await bench.fill(60)
    bench.telegram.fault(Fault("delay", method=bench.method, seconds=4.0, count=3))
    await bench.work.beat()
    async with asyncio.timeout(30):
        while len(bench.telegram.called_with(bench.method)) < 3:
            await asyncio.sleep(0.01)

    await bench.work.stop(seconds=20)
    at_the_end = await bench.states()
    assert at_the_end["sending"] == at_the_end["claimed"] == 0
    assert at_the_end["sent"] == sum(bench.arrived().values()) < 60

    bench.work = bench.another()
    await bench.lead()
    await bench.sent(60)
    assert set(bench.arrived().values()) == {1}


async def test_an_item_that_comes_twice_goes_once_and_is_counted_as_a_fault(bench: Bench) -> None:
    await bench.fill(3)
    bench.work.twice = True

    await bench.sent(3)

    assert set(bench.arrived().values()) == {1}
    assert bench.failures() == {"taken_once": 3}


async def test_what_leaves_without_a_note_is_counted_as_a_fault(bench: Bench) -> None:
    await bench.fill(2)
    bench.work.unnoted = True

    async with asyncio.timeout(30):
        while sum(bench.failures().values()) < 2:
            await bench.work.beat()
            await bench.clock.sleep(0.5)

    assert bench.failures()["noted"] >= 2


async def test_what_was_made_long_ago_is_made_anew(bench: Bench) -> None:
    await bench.fill(1)
    naps: list[timedelta] = []

    def nap_once() -> None:
        naps.append(timedelta() if naps else timedelta(minutes=6))
        bench.clock.set(bench.clock.now() + naps[-1])

    bench.work.after_start = nap_once

    await bench.sent(1)

    assert len(naps) == 2  # it was noted, kept back, and noted again
    assert len(bench.telegram.called_with(bench.method)) == 1
    assert bench.arrived() == {1: 1}


@pytest.mark.parametrize("bench", ["reminders"], indirect=True)
async def test_an_evenings_row_that_could_go_after_bedtime_is_kept_back(bench: Bench) -> None:
    await bench.fill(0)
    await evenings.settle_in(bench.database, evenings.person(1, remind_at=None, remind_night=None))
    await evenings.owe(bench.database, evenings.message(1, until_at=evenings.BED + timedelta(minutes=1)))

    async def noticed() -> bool:
        return bool(bench.failures())

    await bench.until(noticed)

    assert bench.failures() == {"before_bed": 1}
    assert bench.telegram.called_with("sendMessage") == []


def test_what_was_made_goes_stale_before_another_process_may_repeat_it() -> None:
    assert FRESH < LEASE
