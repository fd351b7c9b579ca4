"""What every benchmark uses: the stand-in, the bot and the baselines as processes, CPU time, people in bulk, a table."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import psutil

from bot.fake_telegram import client
from bot.fake_telegram.client import Remote
from db.engine import Database

ROOT = Path(__file__).parent.parent
TOKEN = "123456:TEST"
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result: what, how much, what it had to be, and what the baseline of the same run gave."""

    what: str
    value: float
    unit: str
    goal: str = ""
    baseline: float | None = None
    baseline_name: str = ""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        beside = ""
        if self.baseline:
            beside = f"{self.baseline_name} {self.baseline:.4g} ({self.value / self.baseline:.2f} x)"
        return self.what, f"{self.value:.4g} {self.unit}".strip(), self.goal, beside


HEAD = ("What", "Measured", "To reach", "Baseline in the same run")


def table(figures: Iterable[Figure]) -> str:
    """Markdown that is readable in a terminal too."""
    rows = [HEAD, *(figure.cells for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def progress(name: str, done: float, total: float) -> None:
    """A bar on a terminal; nothing into a file or a pipe."""
    if sys.stderr.isatty():
        full = int(30 * min(1.0, done / total)) if total else 30
        print(f"\r{name:28.28} [{'#' * full}{'.' * (30 - full)}]", end="\n" if done >= total else "", file=sys.stderr)


# -- processes ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Running:
    """A process of ours, and the CPU seconds it has used since `mark`."""

    process: asyncio.subprocess.Process
    began: float
    marked: float = 0.0
    line: str = ""
    polled: float = 0.0
    """When the bot's first getUpdates was seen, on the monotonic clock."""

    @property
    def cpu(self) -> float:
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def mark(self) -> None:
        self.marked = self.cpu

    @property
    def used(self) -> float:
        return self.cpu - self.marked

    @property
    def rss(self) -> float:
        """Resident megabytes."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6


@asynccontextmanager
async def running(
    *arguments: str, log: Path | None = None, wait: bool = False, python: str = sys.executable, **environment: str
) -> AsyncIterator[Running]:
    """`python arguments…` from the source tree; `wait` for its first line. Ended by SIGTERM."""
    output = asyncio.subprocess.PIPE if wait else (log or Path(os.devnull)).open("ab")
    began = time.time()
    process = await asyncio.create_subprocess_exec(
        python, *arguments, cwd=ROOT, stdout=output, stderr=None if log is None else log.open("ab"),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    one = Running(process, began)
    try:
        if wait and process.stdout is not None:
            one.line = (await process.stdout.readline()).decode().strip()
        yield one
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def stand_in(*, fast: bool = True) -> AsyncIterator[tuple[Remote, Running]]:
    """The stand-in Telegram in a process of its own."""
    arguments = ["-m", "bot.fake_telegram", "--token", TOKEN, *(["--fast"] if fast else [])]
    async with running(*arguments, wait=True) as process, client.connected(process.line.split()[-1]) as remote:
        yield remote, process


@asynccontextmanager
async def lull(remote: Remote, folder: Path, *, rate: int = 1000, **environment: str) -> AsyncIterator[Running]:
    """The bot against the stand-in, once it polls. SQLite in `folder` unless DATABASE_URL is given."""
    values = {
        "BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": remote.url,
        "DATABASE_URL": f"sqlite:///{folder / 'lull.db'}",
        "SEND_RATE": str(rate),
        "PAID_BROADCASTS": "true" if rate > 30 else "false",
        "LOG_LEVEL": "WARNING",
    }
    async with running(
        *os.environ.get("BENCH_BOT", "-m bot").split(), "run", log=folder / "bot.log", **values | environment
    ) as process:
        await until(remote, lambda counts: cast("dict[str, int]", counts["methods"]).get("getUpdates", 0) > 0)
        process.polled = time.monotonic()
        await asyncio.sleep(0.5)
        process.mark()
        yield process


async def until(
    remote: Remote, done: Callable[[dict[str, object]], bool], *, seconds: float = 60.0, bar: str = "", goal: int = 0
) -> tuple[bool, dict[str, object]]:
    """Look at the stand-in's counts until `done`; whether it came to that in time, and the last counts."""
    deadline = time.monotonic() + seconds
    while True:
        counts = await remote.counts()
        if bar:
            progress(bar, min(goal, sum(cast("dict[str, int]", counts["methods"]).values())), goal)
        if done(counts) or time.monotonic() > deadline:
            return done(counts), counts
        await asyncio.sleep(0.05)


def called(counts: dict[str, object], method: str) -> int:
    """How often a method was called."""
    return cast("dict[str, int]", counts["methods"]).get(method, 0)


# -- people in bulk ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Crowd:
    """`size` people in UTC with everything set, to be reminded at `remind_at`; their ids begin at `first`."""

    size: int
    remind_at: datetime
    first: int = 1_000_000
    spread: timedelta = field(default=timedelta())
    """Over how much time after `remind_at` their reminders lie, evenly."""

    def users(self) -> Iterable[Sequence[object]]:
        created = int((self.remind_at - timedelta(days=30)).timestamp())
        step = self.spread / max(1, self.size)
        for number in range(self.size):
            at = (self.remind_at + number * step).replace(second=0, microsecond=0)
            bed = at + timedelta(minutes=45)
            minute = bed.hour * 60 + bed.minute
            night = bed.date() if bed.hour >= 12 else bed.date() - timedelta(days=1)
            yield (self.first + number, "active", created, created, 1, "en", "Etc/UTC", str(minute), "citrate",
                   int(at.timestamp()), (night - EPOCH).days)  # fmt: skip


COLUMNS = "id, status, created_at, seen_at, consent, language, zone, bedtimes, form, remind_at, remind_night"


async def fresh(folder: Path) -> sqlite3.Connection:
    """A new database at head; as a plain connection, for filling it."""
    database = Database(f"sqlite+aiosqlite:///{folder / 'lull.db'}")
    await database.migrate()
    await database.close()
    return open_file(folder)


def open_file(folder: Path) -> sqlite3.Connection:
    """The database of a bot that may be running."""
    return sqlite3.connect(folder / "lull.db", isolation_level=None, timeout=30)


def fill(connection: sqlite3.Connection, crowd: Crowd) -> None:
    """Write the crowd, and tell SQLite how big it is."""
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO users ({COLUMNS}) VALUES ({','.join('?' * 11)})", crowd.users())  # noqa: S608
    connection.execute("COMMIT")


def remind_everybody(connection: sqlite3.Connection, *, night: date, now: datetime) -> None:
    """As if tonight's reminder had gone to everybody an hour ago: a row in the outbox, sent, with a message id."""
    at = int((now - timedelta(hours=1)).timestamp())
    connection.execute("BEGIN")
    connection.execute(
        "INSERT INTO outbox (user_id, kind, night, state, planned_at, due_at, until_at, bed_at, close_at, copies, tries,"
        " message_id, sent_at) SELECT id, 'reminder', ?, 'sent', ?, ?, ?, ?, ?, 1, 1, id, ? FROM users",
        ((night - EPOCH).days, at, at, at + 2400, at + 2700, at + 90_000, at),
    )
    connection.execute(
        "UPDATE users SET reminded_at = ?, reminded_night = ?, remind_at = remind_at + 86400, remind_night = ?",
        (at, (night - EPOCH).days, (night - EPOCH).days + 1),
    )
    connection.execute("COMMIT")


def machine() -> str:
    """What it was measured on."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "?",
    )
    load = os.getloadavg()[0]
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores of {model}, CPython {python}, load {load:.1f} at the end"
    )
