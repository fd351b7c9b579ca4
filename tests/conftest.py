"""What every test may use: zone rules from the wheel, a simulated clock, the stand-in Telegram, and the bot as a process."""

from __future__ import annotations

import asyncio
import os
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
from bot.sandbox import server
from bot.sandbox.telegram import Telegram

TOKEN = "123456:TEST"
START = datetime(2026, 3, 26, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def wheel_zones() -> Iterator[None]:
    """Zone rules as the bot reads them: from the tzdata wheel, not from the machine."""
    zoneinfo.reset_tzpath(to=())
    yield
    zoneinfo.reset_tzpath()


@pytest.fixture
def clock(tmp_path: Path) -> SharedClock:
    """A simulated clock at noon UTC on 26 March 2026, three days before Europe's clocks change, at the speed of life."""
    return SharedClock.create(tmp_path / "clock", origin=START)


@pytest.fixture
async def telegram(clock: SharedClock) -> AsyncIterator[Telegram]:
    """The stand-in Telegram on loopback, in the same simulated time."""
    async with server.running(clock=clock, token=TOKEN) as running:
        yield running


@dataclass(slots=True)
class Process:
    """The bot as a process of its own: `python -m bot run`."""

    folder: Path
    url: str
    environment: dict[str, str] = field(default_factory=dict)
    running: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        return (self.folder / "bot.log").read_text(encoding="utf-8")

    async def start(self, **more: str) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": self.url,
            "DATABASE_URL": f"sqlite:///{self.folder / 'lull.db'}",
            "CLOCK_FILE": str(self.folder / "clock"),
            "PYTHONWARNINGS": "error::ResourceWarning",
        }
        with (self.folder / "bot.log").open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "run",
                env=environment | self.environment | more,
                cwd=ROOT,
                stderr=log,
                stdout=log,
            )

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
        """What the database holds."""
        connection = sqlite3.connect(f"file:{self.folder / 'lull.db'}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()


@pytest.fixture
async def lull(tmp_path: Path, telegram: Telegram) -> AsyncIterator[Process]:
    """The bot, running against the stand-in on a new SQLite file; it must end in order and without a traceback."""
    process = Process(tmp_path, telegram.url)
    await process.start()
    try:
        yield process
        assert await process.stop() == 0, process.log
        assert "Traceback" not in process.log, process.log
    finally:
        if process.running is not None and process.running.returncode is None:
            await process.kill()
