"""What every test may use: zone rules from the wheel, a simulated clock, the stand-in Telegram, and the bot as a process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import sys
import zoneinfo
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.clock import SharedClock
from bot.fake_telegram import server
from bot.fake_telegram.telegram import Telegram
from db.engine import Database
from tests import bots, postgres

TOKEN = "123456:TEST"
START = datetime(2026, 3, 26, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def wheel_zones() -> Iterator[None]:
    """Zone rules as the bot reads them: from the tzdata wheel, not from the machine."""
    zoneinfo.reset_tzpath(to=())
    yield
    zoneinfo.reset_tzpath()


@pytest.fixture(scope="session", autouse=True)
def nursery() -> Iterator[None]:
    """Bots can be forked."""
    with bots.nursery():
        yield


@pytest.fixture
def clock(tmp_path: Path) -> SharedClock:
    """A simulated clock at noon UTC on 26 March 2026, three days before Europe's clocks change, at the speed of life."""
    return SharedClock.create(tmp_path / "clock", origin=START)


@pytest.fixture
async def telegram(clock: SharedClock) -> AsyncIterator[Telegram]:
    """The stand-in Telegram on loopback, in the same simulated time."""
    async with server.running(clock=clock, token=TOKEN) as running:
        yield running


ENGINES = ("sqlite", "postgresql")

both_engines = pytest.mark.parametrize("engine", ENGINES, indirect=True)
"""Runs a test that uses `lull` (or `engine_url`) on SQLite and on PostgreSQL."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A running PostgreSQL, one for each process of the test run; skips where none can be started."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(postgres.running())
        except postgres.NoServer as error:
            pytest.skip(f"no PostgreSQL here: {error}")
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at head, closed, to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    postgres.apart(lambda: postgres.migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on: SQLite, or what `both_engines` says."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
async def engine_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A DATABASE_URL, as an operator writes it, of a new and empty database."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'lull.db'}"
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    async with server.database(migrated=False) as url:
        yield url


@pytest.fixture(params=ENGINES)
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a new database at head: the test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "lull.db")
        yield f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}"
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    async with server.database() as url:
        yield postgres.async_url(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A new database at head: the test runs on SQLite and on PostgreSQL."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@dataclass(slots=True)
class Process:
    """The bot as a process of its own: `python -m bot run`. Without `database_url` on a SQLite file in its folder.

    It is forked from a process that has read the code. `anew` is an interpreter of its own, for the tests of a start, and
    `code` the folder of the code that it runs then.
    """

    folder: Path
    url: str
    database_url: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    anew: bool = False
    code: Path = ROOT
    running: asyncio.subprocess.Process | bots.Forked | None = None

    @property
    def log(self) -> str:
        return (self.folder / "bot.log").read_text(encoding="utf-8")

    async def start(self, **more: str) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.url,
            "DATABASE_URL": self.database_url or f"sqlite:///{self.folder / 'lull.db'}",
            "CLOCK_FILE": str(self.folder / "clock"),
            "PYTHONWARNINGS": "error::ResourceWarning",
        }
        environment |= self.environment | more
        with (self.folder / "bot.log").open("ab") as log:
            if self.anew:
                command = (sys.executable, "-m", "bot", "run")
                self.running = await asyncio.create_subprocess_exec(
                    *command, env=environment, cwd=self.code, stderr=log, stdout=log
                )
            else:
                self.running = await bots.fork(environment, log)

    async def claim(self) -> str:
        """The code of a one-time link, as an operator gets it."""
        environment = {
            "PATH": os.environ["PATH"],
            "BOT_TOKEN": TOKEN,
            "DATABASE_URL": self.database_url or f"sqlite:///{self.folder / 'lull.db'}",
            "CLOCK_FILE": str(self.folder / "clock"),
        }
        asked = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "claim", env=environment, cwd=self.code, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await asked.communicate()
        return said.decode().split("start=claim_")[1].split()[0]

    async def kill(self) -> None:
        """As the power would."""
        assert self.running is not None
        self.running.kill()
        await self.running.wait()

    async def stop(self) -> int:
        """As an operator would; gives the exit code."""
        assert self.running is not None
        if self.running.returncode is None:
            self.running.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.running.wait(), 20)

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """What the database holds; `?` stands for a value. Instants and nights are numbers on SQLite alone."""
        if self.database_url.startswith("postgresql"):
            return postgres.apart(lambda: postgres.rows(self.database_url, query, *values))
        connection = sqlite3.connect(f"file:{self.folder / 'lull.db'}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()


@pytest.fixture
def anew() -> bool:
    """Whether `lull` is an interpreter of its own; a module that is to test the start itself says so."""
    return False


@pytest.fixture
async def lull(tmp_path: Path, telegram: Telegram, engine_url: str, anew: bool) -> AsyncIterator[Process]:
    """The bot, running against the stand-in on a new database; it must end in order and without a traceback.

    On SQLite, or with `@both_engines` on both.
    """
    process = Process(tmp_path, telegram.url, engine_url, anew=anew)
    await process.start()
    try:
        yield process
        assert await process.stop() == 0, process.log
        assert "Traceback" not in process.log, process.log
    finally:
        if process.running is not None and process.running.returncode is None:
            await process.kill()
