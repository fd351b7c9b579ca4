"""SIGKILL at random points of many days: one bot on SQLite, and three replicas on PostgreSQL that crashes as well."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.fake_telegram.faults import Fault
from tests import postgres
from tests.crash import promise
from tests.crash import town as towns
from tests.crash.soak import days as calendar
from tests.crash.soak.days import BEDS, EVENING, FIRST, Days, Death, Pace
from tests.crash.soak.row import Found, Play
from tests.model import trace

STARTING = 20.0
"""Simulated seconds in a real one while a bot starts: that takes real time, of which a high speed would make minutes."""

FAULTS = (
    Fault("silent", "sendMessage", probability=0.0075),
    Fault("drop_before", "sendMessage", probability=0.0075),
    Fault("status", "sendMessage", code=500, probability=0.0075),
    Fault("too_many", "sendMessage", retry_after=5, probability=0.0075),
)
"""Three in a hundred messages in all."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it; `crowded` deaths come while messages are in the air, the others `anywhere`."""

    days: int
    people: int
    anywhere: int
    crowded: int
    stops: int = 0  # immediate stops of the database

    @property
    def kills(self) -> int:
        return self.anywhere + self.crowded


async def alone(play: Play) -> Found:
    """One bot on a SQLite file."""
    size = Size(2, 30, anywhere=4, crowded=10) if play.quick else Size(7, 200, anywhere=500, crowded=200)
    pace = Pace(busy=240, calm=400) if play.quick else Pace(busy=60, calm=100)
    chance, busy, air, done = play.chance, 0, 0, list[Death]()
    plan = calendar.deaths(chance, days=size.days, anywhere=size.anywhere, crowded=size.crowded)
    async with (
        towns.founded(play.folder, begin=EVENING - timedelta(hours=9), speed=pace.busy) as town,
        calendar.begun(town, pace) as days,
    ):
        await town.settle(size.people, beds=BEDS)
        await town.start()
        for number, death in enumerate(plan):
            await days.live(death.at)
            await calendar.nearly(town, chance)
            await town.kill()
            done.append(Death(town.clock.now(), death.crowded))
            busy += await days.in_hand() > 0
            air += await days.in_the_air()
            town.clock.set(town.clock.now(), speed=min(STARTING, pace.busy))
            await town.start()
            town.clock.set(town.clock.now(), speed=pace.busy)
            play.show((number + 1) / size.kills, f"death {number + 1} of {size.kills}")
        verdict = await _judged(town, days, size)
        code = await town.stop()
    found = _found(size, verdict, busy=busy)
    _blame(found, verdict, done, air=air, others=7, alone=True)
    found.must(busy, "no death met a message in hand")
    found.must(code == 0, f"exit code {code}")
    found.must("Traceback" not in town.bot.log, "a traceback in the log")
    return found


def _blame(
    found: Found, verdict: promise.Verdict, done: list[Death], *, air: int, others: int, alone: bool = False
) -> None:
    """Crowded deaths may cost a repeat of each message in the air; all else, deaths at any time and faults, at most so many.

    And every night must be one that the protocol allows: of one bot `alone`, or of replicas.
    """
    crowded = sum(_crowded(fate, done) for fate in verdict.fates if fate.doubled)
    rest = verdict.doubled - crowded
    found.seen += (
        f"; {air} messages were in the air at a death; "
        f"{crowded} of the repeats are owed to the crowded deaths, {rest} to all else"
    )
    found.must(rest <= others, f"{rest} doubled by all but the crowded deaths")
    found.broken += trace.impossible(verdict.fates, alone=alone, slack=verdict.slack)
    found.must(crowded <= air, f"{crowded} doubled, but only {air} were in the air at a death")


def _crowded(fate: promise.Fate, done: list[Death]) -> bool:
    """Whether a crowded death followed the first copy before it could have been repeated for another reason."""
    first = fate.copies[0]
    soon = first.at + timedelta(seconds=20)
    return first.heard and any(death.crowded and first.at <= death.at <= soon for death in done)


async def _judged(town: towns.Town, days: Days, size: Size) -> promise.Verdict:
    await days.live(EVENING + timedelta(days=size.days))
    town.clock.set(town.clock.now(), speed=days.pace.calm)  # which blurs more
    return await town.judge(FIRST, FIRST + timedelta(days=size.days - 1))


def _found(size: Size, verdict: promise.Verdict, *, busy: int) -> Found:
    copies = Counter(len(fate.copies) for fate in verdict.fates)
    seen = (
        f"{busy} deaths with messages in hand; {verdict.sent} of {len(verdict.fates)} nights reminded, "
        f"{len(verdict.untold)} unknown or expired; "
        f"{copies[2]} with a second copy, {copies[3]} with a third; {len(verdict.broken)} broken"
    )
    kills = f"{size.anywhere} kills at random points and {size.crowded} more in crowded minutes"
    what = f"{kills}, {size.people} people, {size.days} days"
    found = Found(what, seen, list(verdict.broken))
    # Nobody is away for longer than a start takes, so there is a way to remind everybody.
    found.must(verdict.sent == len(verdict.fates), f"only {verdict.sent} of {len(verdict.fates)} nights were reminded")
    found.must(len(verdict.fates) == size.people * size.days, f"{len(verdict.fates)} nights were judged")
    return found


# -- replicas ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Fleet:
    """Three replicas of a town's bot on one PostgreSQL."""

    town: towns.Town
    server: postgres.Server
    bots: list[towns.Bot] = field(default_factory=list)

    async def start(self) -> None:
        for bot in self.bots:
            await bot.start()
        polls = self.town.polls
        await self.town.wait(lambda: self.town.polls > polls)
        self.town.since = self.town.clock.now()

    async def supervise(self) -> None:
        """Start again whoever has ended: killed, or because there was no database when it began."""
        for bot in self.bots:
            if not bot.alive:
                await bot.start()

    async def crash(self) -> None:
        """The database ends as in a power cut, and comes back."""
        gone = self.town.clock.now()
        await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self.server.start)
        self.town.deaths.append(gone)
        self.town.away.append((gone, self.town.clock.now()))


@contextlib.asynccontextmanager
async def fleet(play: Play, server: postgres.Server, *, begin: datetime, speed: float) -> AsyncIterator[Fleet]:
    """The replicas, not started, on a new database."""
    async with (
        server.database(migrated=False) as url,
        towns.founded(play.folder, begin=begin, speed=speed, database_url=url) as town,
    ):
        found = Fleet(town, server)
        for number in range(3):
            own = play.place(f"replica{number}")
            environment = town.bot.environment | {"TMPDIR": str(own)}
            found.bots.append(towns.Bot(own / "bot.log", environment))
        yield found


async def replicas(play: Play) -> Found:
    """Three replicas on PostgreSQL, a faulty network, and crashes of the database."""
    size = Size(1, 30, anywhere=2, crowded=4, stops=1) if play.quick else Size(7, 200, 500, 250, stops=10)
    pace = Pace(busy=60, calm=120) if play.quick else Pace(busy=15, calm=40)
    chance, busy, air, done = play.chance, 0, 0, list[Death]()
    plan = calendar.deaths(chance, days=size.days, anywhere=size.anywhere, crowded=size.crowded)
    crashes = set(chance.sample(range(size.kills), size.stops))
    async with (
        fleet(play, play.postgres(), begin=EVENING - timedelta(hours=9), speed=pace.busy) as ships,
        calendar.begun(ships.town, pace) as days,
    ):
        town = ships.town
        await town.settle(size.people, beds=BEDS)
        for fault in FAULTS:
            town.telegram.fault(fault)
        await ships.start()
        for number, death in enumerate(plan):
            await days.live(death.at)
            await calendar.nearly(town, chance)
            victim = chance.choice(ships.bots)
            busy += await days.in_hand() > 0
            air += await days.in_the_air()
            await victim.end()
            town.deaths.append(town.clock.now())
            done.append(Death(town.clock.now(), death.crowded))
            if number in crashes:
                await ships.crash()
            await ships.supervise()
            play.show((number + 1) / size.kills, f"death {number + 1} of {size.kills}")
        verdict = await _judged(town, days, size)
        town.telegram.faults.clear()
        for bot in ships.bots:
            await bot.end()
    found = _found(size, verdict, busy=busy)
    found.must("Traceback" not in "".join(bot.log for bot in ships.bots), "a traceback in a log")
    found.size += f", {size.stops} crashes of PostgreSQL, 3 % faults"
    _blame(found, verdict, done, air=air, others=40)
    return found
