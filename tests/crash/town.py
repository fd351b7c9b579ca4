"""A town of people with bedtimes, a Telegram, and a bot that dies and is started again; all in one simulated time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.clock import SharedClock
from bot.core import planning
from bot.core.model import Night, Person, Status
from bot.fake_telegram import server
from bot.fake_telegram.telegram import Telegram
from db import users
from db.engine import Database
from tests import bots
from tests.conftest import TOKEN
from tests.crash import promise

PATIENCE = 30.0
"""Real seconds for anything that must come; a busy machine is slow."""


@dataclass(slots=True)
class Bot:
    """One place where a bot runs, again and again, with its own environment."""

    log_file: Path
    environment: dict[str, str]
    running: bots.Forked | None = None

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8")

    @property
    def alive(self) -> bool:
        return self.running is not None and self.running.returncode is None

    @property
    def pid(self) -> int:
        assert self.running is not None
        return self.running.pid

    async def start(self, **more: str) -> None:
        with self.log_file.open("ab") as log:
            self.running = await bots.fork(self.environment | more, log)

    async def end(self, how: signal.Signals = signal.SIGKILL) -> int:
        """Send it a signal and wait for its end."""
        if self.running is not None and self.alive:
            self.running.send_signal(how)
        return await self.ended()

    async def ended(self) -> int:
        """Its exit code, once it has one; negative for a signal."""
        assert self.running is not None
        return await asyncio.wait_for(self.running.wait(), PATIENCE)


@dataclass(slots=True)
class Town:
    """Everything in one hand. `up` says when the service ran, in simulated time without its jumps; `deaths`, `away` and `taps` are
    what the promise's checker is told of: deaths of a process or its database, times without a store, presses of [Taken].
    """

    folder: Path
    clock: SharedClock
    telegram: Telegram
    bot: Bot
    database_url: str
    people: list[Person] = field(default_factory=list)
    up: list[promise.Span] = field(default_factory=list)
    since: datetime | None = None
    deaths: list[datetime] = field(default_factory=list)
    away: list[promise.Span] = field(default_factory=list)
    leaps: list[datetime] = field(default_factory=list)
    taps: list[promise.Tap] = field(default_factory=list)

    # -- the bot -------------------------------------------------------------------------------------------------------

    async def start(self, **more: str) -> None:
        """Start the bot and wait until it polls."""
        polls = self.polls
        await self.bot.start(**more)
        await self.wait(lambda: self.polls > polls or not self.bot.alive)
        self.since = self.clock.now()

    async def kill(self) -> None:
        self._down()
        await self.bot.end()
        self.deaths.append(self.clock.now())

    async def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        code = await self.bot.end(signal.SIGTERM)
        self._down()
        return code

    async def died(self) -> int:
        """Wait until the bot has ended by itself."""
        code = await self.bot.ended()
        self._down()
        self.deaths.append(self.clock.now())
        return code

    def _down(self) -> None:
        if self.since is not None:
            self.up.append((self.since, self.clock.now()))
        self.since = None

    @property
    def polls(self) -> int:
        """Polls that have arrived, answered or not."""
        return self.telegram.world.updates.polls

    async def wait(self, condition: object, *, timeout: float = PATIENCE) -> None:
        """Until it is true; looked at after every call and every few milliseconds. Raises TimeoutError."""
        assert callable(condition)
        async with asyncio.timeout(timeout):
            while not condition():
                await self.telegram.called.wait_for(lambda: bool(condition()), timeout=0.01)

    # -- time ----------------------------------------------------------------------------------------------------------

    def jump(self, moment: datetime) -> None:
        """The wall clock is set; the time between does not count as service."""
        running = self.since is not None
        self._down()
        self.clock.set(moment)
        if running:
            self.since = moment
            self.leaps.append(moment)

    async def until(self, moment: datetime) -> None:
        """Live until then."""
        while (left := (moment - self.clock.now()).total_seconds()) > 0:
            await self.clock.sleep(left)

    # -- people --------------------------------------------------------------------------------------------------------

    async def settle(self, count: int, *, beds: list[int], lead: int = 45, first: int = 1000) -> None:
        """So many people in UTC move in, their bedtimes (minutes after midnight) dealt in turn; ids from `first` on."""
        now = self.clock.now()
        database = Database(async_url(self.database_url))
        await database.migrate()
        async with database.write() as db:
            for number in range(count):
                user_id = first + number
                self.telegram.person(user_id).room.refusal = None
                bed = beds[number % len(beds)]
                fresh = await users.create(db, user_id, now=now, language="en")
                person = planning.replan(
                    replace(
                        fresh,
                        status=Status.SETTING_UP,
                        consent=1,
                        zone="UTC",
                        bedtimes=(bed,) * 7,
                        lead=lead,
                        form="citrate",
                    ),
                    now=now,
                )
                await users.save(db, fresh, person)
                self.people.append(person)
        await database.close()

    async def take(self, user_id: int, night: Night, *, message: int) -> None:
        """Somebody presses [Taken] under one of their messages, whatever it shows by now; returns once that is handled."""
        self.taps.append(promise.Tap(user_id, night, self.clock.now()))
        query = await self.telegram.person(user_id).press(data=f"v1:taken:{night}", message=message)
        await self.telegram.person(user_id).answered(query)

    # -- afterwards ----------------------------------------------------------------------------------------------------

    async def judge(self, first: Night, last: Night) -> promise.Verdict:
        """The verdict on these nights; also, on SQLite, that the file is whole."""
        if self.since is not None:
            self._down()
            self.since = self.clock.now()
        database = Database(async_url(self.database_url))
        try:
            found = await promise.records(database)
            if database.is_sqlite:
                async with database.read() as db:
                    assert await db.scalar(sa.text("PRAGMA integrity_check")) == "ok"
        finally:
            await database.close()
        # At a speed, a tenth of a real second of work is this much of the town's time; its stamps are whole seconds.
        slack = timedelta(seconds=2 + 0.1 * self.clock.speed)
        history = promise.History(
            self.people,
            list(self.telegram.calls),
            found,
            self.up,
            slack,
            deaths=self.deaths,
            away=self.away,
            leaps=self.leaps,
            blocked={one.id for one in self.telegram.people.values() if one.room.refusal is not None},
            taps=self.taps,
        )
        return history.judge(first, last)


def async_url(url: str) -> str:
    """A DATABASE_URL as the engine takes it."""
    return url.replace("sqlite://", "sqlite+aiosqlite://").replace("postgresql://", "postgresql+asyncpg://")


def taps(url: str) -> int:
    """How many nights of the SQLite file have an answer."""
    return count(url, "nights WHERE intake = 1")


def open_reminders(url: str) -> int:
    """How many reminders of the SQLite file are owed and have not ended."""
    return count(url, "outbox WHERE kind = 'reminder' AND state IN ('due', 'claimed', 'sending')")


def count(url: str, what: str) -> int:
    """How many rows of the SQLite file fit."""
    path = url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        return int(db.execute(f"SELECT count(*) FROM {what}").fetchone()[0])  # noqa: S608 - a test's own words


@contextlib.asynccontextmanager
async def founded(folder: Path, *, begin: datetime, speed: float, database_url: str = "") -> AsyncIterator[Town]:
    """A town on an empty database; the bot is not running yet."""
    clock = SharedClock.create(folder / "clock", origin=begin, speed=speed)
    url = database_url or f"sqlite:///{folder / 'lull.db'}"
    async with server.running(clock=clock, token=TOKEN) as telegram, bots.none_left():
        environment = {
            "PATH": os.environ["PATH"],
            "BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": telegram.url,
            "DATABASE_URL": url,
            "CLOCK_FILE": str(folder / "clock"),
            "PYTHONWARNINGS": "error::ResourceWarning",
        }
        town = Town(folder, clock, telegram, Bot(folder / "bot.log", environment), url)
        yield town


async def after_a_message(town: Town, chance: random.Random, *, patience: float) -> None:
    """Until some milliseconds after one of the next messages to Telegram; at most for so many real seconds."""
    begun = town.telegram.world.events
    target = len(begun) + chance.randint(1, 4)
    with contextlib.suppress(TimeoutError):
        await town.wait(lambda: len(begun) >= target, timeout=patience)
    await asyncio.sleep(chance.choice((0.0, 0.001, 0.003, 0.01)))


@dataclass(frozen=True, slots=True)
class Disk:
    """A small file system with the town's database on it."""

    folder: Path

    def fill(self) -> None:
        """Not one page is left."""
        with contextlib.suppress(OSError), (self.folder / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def free(self) -> None:
        (self.folder / "ballast").unlink()


@contextlib.contextmanager
def small_disk(folder: Path, town: Town) -> Iterator[Disk]:
    """Moves the town's database to a tmpfs of eight megabytes; skips where none may be mounted."""
    mounted = folder / "disk"
    mounted.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "lull-test", str(mounted)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a file system of its own can only be mounted by root")
    try:
        shutil.copy(town.database_url.removeprefix("sqlite:///"), mounted / "lull.db")
        town.database_url = f"sqlite:///{mounted / 'lull.db'}"
        town.bot.environment["DATABASE_URL"] = town.database_url
        yield Disk(mounted)
    finally:
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)
