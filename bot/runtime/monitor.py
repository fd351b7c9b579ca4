"""Watches the running bot: its health, how much work waits, and how late the event loop wakes.

1. Health is judged every LOOK_EVERY seconds from the ages and faults that the parts report, and written to a file, from which
   `python -m bot healthcheck` reads it.
2. A part is red if it has a fault, or did not work for longer than `health` allows.
3. A process that is red for minutes asks to end, unless a fresh process would find the same (see `health`).
4. Figures that cost a query are read every FIGURES_EVERY seconds, the number of people more rarely.
5. SQLite's write-ahead log is emptied at the start, every hour and after each erasure, because it still holds what was erased.
6. Nothing here raises because the database or the disk is away: that is reported as red.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bot import health
from bot.clock import Clock
from bot.core.pacing import Lane
from bot.health import Health
from bot.metrics import Live, Metrics, QueriedGauges
from bot.runtime.election import Leader
from bot.telegram.rate_limiter import RateLimiter
from bot.updates.queues import Queues
from config import logs
from db import counts, engine
from db.engine import Damaged, Database, DatabaseError, Unavailable
from db.sqlite.checkpoints import Checkpoints

_log = logs.logger(__name__)

LOOK_EVERY = 2.0
FIGURES_EVERY = 30.0
LAG_EVERY = 0.5
"""Real seconds between two health checks, two readings of figures, and two measurements of the event loop's lag."""

PEOPLE_EVERY = 10
"""People are counted in one of this many readings of figures: a million of them take a tenth of a second of CPU."""

LITTLE_ROOM = 200_000_000
"""Bytes of free disk space below which an error is logged."""

FLOOD = 60.0
"""Real seconds for which the bulk lanes may be halted before health turns red."""

_PATIENCE = 5.0

EMPTY_EVERY = 3600.0
"""Real seconds after which SQLite's write-ahead log is emptied again, if no erasure comes before."""

PROBE_EVERY = 5.0
"""Real seconds between two checks whether the database accepts writes."""

BUSY_AGAIN = (0.5, 2.0, 10.0, 60.0)
"""Real seconds before each new try to empty the log while others read or write. The last is used for all further tries."""

Ages = Callable[[], Mapping[str, float]]
"""Returns, for each part that is expected to work, the real seconds since it last did."""

Faults = Callable[[], Mapping[str, str]]
"""Returns what is known to be wrong, by part."""


def live(limiter: RateLimiter, queues: Queues, leader: Leader) -> Live:
    """The metrics that these three provide at every scrape."""
    return Live(
        lanes=lambda: {lane.name.lower(): limiter.waiting(lane) for lane in Lane},
        floods=lambda: limiter.floods,
        halts=lambda: limiter.halts,
        halted_seconds=lambda: limiter.halted_seconds,
        halted_for=lambda: limiter.halted_for,
        queued=lambda: len(queues),
        tasks=lambda: len(asyncio.all_tasks()),
        leads=leader.leads.is_set,
    )


def flooded(limiter: RateLimiter, clock: Clock) -> dict[str, str]:
    """A fault if Telegram has refused everybody's messages for longer than FLOOD; otherwise nothing."""
    seconds = limiter.halted_for / clock.speed
    return {"flood": f"Telegram has refused messages for {seconds:.0f} seconds"} if seconds > FLOOD else {}


class Monitor:
    """One instance per process. `health` is the latest judgement; `sick` becomes true once the process should be replaced."""

    def __init__(
        self, database: Database, metrics: Metrics, *, clock: Clock, ages: Ages, faults: Sequence[Faults]
    ) -> None:
        self._database, self._metrics, self._clock, self._ages, self._faults = database, metrics, clock, ages, faults
        self._counted, self._active = itertools.count(), 0
        self.health = Health()
        self.sick = False
        self._checkpoints = None if database.path is None else Checkpoints(database.path)
        self._file: Path = health.state_file(database.url)
        self._was_red: dict[str, str] = {}
        self._writable_at: float | None = None
        self._damage_told = False

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until cancelled. Sets `stop` once the process is sick."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look_often(stop))
                group.create_task(self._count_often())
                group.create_task(self._feel_lag())
                group.create_task(self._try_to_write())
                if self._checkpoints is not None:
                    group.create_task(self._keep_the_log_short(self._checkpoints))
        finally:
            health.forget(self._file)
            if self._checkpoints is not None:
                self._checkpoints.close()

    async def _look_often(self, stop: asyncio.Event) -> None:
        while True:
            # Pause first: just after the start the first poll matters more than a health check.
            await asyncio.sleep(LOOK_EVERY)
            await self.look()
            if self.sick and not stop.is_set():
                _log.error("unwell for minutes; ending, so that a fresh process can try", red=sorted(self.health.red))
                stop.set()

    async def look(self) -> None:
        """Judge health once; update the metrics, the state file and `sick`, and log a change."""
        now = time.monotonic()
        known = {part: why for found in self._faults for part, why in found().items()}
        faults = known | await self._database_fault() | await self._file_faults()
        ages = dict(self._ages())
        if self._writable_at is not None:
            ages["writing"] = now - self._writable_at
        self.health.judge(ages, faults, now=now)
        self._tell()
        with contextlib.suppress(OSError):  # a full disk is reported elsewhere, and an outdated file counts as red
            await asyncio.to_thread(health.write, self._file, self.health)
        self._metrics.healthy(not self.health.red)
        self.sick = self.health.sick(now=now)

    async def _database_fault(self) -> dict[str, str]:
        """A fault if the database does not answer, or its schema is older than this code expects."""
        try:
            async with asyncio.timeout(_PATIENCE):
                revision = await self._database.revision()
        except Damaged:
            return {}  # reported by `_file_faults`
        except (Unavailable, DatabaseError, TimeoutError):
            return {"database": "no answer"}
        # A newer schema is fine: during an upgrade a newer replica runs beside this one.
        good = revision is not None and revision >= engine.head()
        return {} if good else {"schema": f"at {revision}, expected {engine.head()}"}

    async def _try_to_write(self) -> None:
        """Check again and again whether the database accepts writes.

        Reading alone does not show it: it still works while another process locks the SQLite file, or after a PostgreSQL
        server became a standby.
        """
        self._writable_at = time.monotonic()
        while True:
            with contextlib.suppress(Unavailable):
                await self._database.probe()
                self._writable_at = time.monotonic()
            await asyncio.sleep(PROBE_EVERY)

    async def _file_faults(self) -> dict[str, str]:
        """Faults if stored data is damaged, or if a SQLite file or its log is no longer the one that was opened."""
        if self._database.damage:
            if not self._damage_told:
                _log.error("the database is damaged; put a backup in its place", what=self._database.damage)
            self._damage_told = True
            return {"file": f"damaged ({self._database.damage}); put a backup in its place"}
        if self._checkpoints is None:
            return {}
        found = await asyncio.to_thread(self._checkpoints.faults)
        if "log" in found:
            # The log was renamed or removed. Its content would be lost with this process, so bring it into the file now.
            self._database.erased.set()
        return found

    async def _keep_the_log_short(self, checkpoints: Checkpoints) -> None:
        """Empty SQLite's write-ahead log now, after each erasure and every hour, until cancelled."""
        tries = itertools.count()
        while True:
            self._database.erased.clear()
            if await self._emptied(checkpoints):
                tries, wait = itertools.count(), EMPTY_EVERY
            else:
                wait = BUSY_AGAIN[min(next(tries), len(BUSY_AGAIN) - 1)]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._database.erased.wait()

    async def _emptied(self, checkpoints: Checkpoints) -> bool:
        try:
            return await asyncio.to_thread(checkpoints.empty_the_log)
        except sqlite3.Error as error:
            _log.warning("the database's log could not be emptied", why=str(error))
            return False

    def _tell(self) -> None:
        if self.health.red.keys() != self._was_red.keys():
            _log.warning("health changed", red=sorted(self.health.red))
        self._was_red = self.health.red

    async def _count_often(self) -> None:
        await asyncio.sleep(LOOK_EVERY)
        while True:
            with contextlib.suppress(Unavailable):
                self._metrics.figures(await self.count())
            self._look_at_the_disk()
            await asyncio.sleep(FIGURES_EVERY)

    def _look_at_the_disk(self) -> None:
        with contextlib.suppress(OSError):
            if self._database.path is not None:
                free = shutil.disk_usage(self._database.path.parent).free
                self._metrics.disk_free(free)
                if free < LITTLE_ROOM:
                    _log.error("the disk is nearly full", free_mb=free // 1_000_000)

    async def count(self) -> QueriedGauges:
        """The figures that cost a query. Raises Unavailable."""
        async with self._database.read() as db:
            if next(self._counted) % PEOPLE_EVERY == 0:
                self._active = await counts.active(db)
            return QueriedGauges(
                active=self._active,
                oldest_due_seconds=await counts.oldest_due(db, now=self._clock.now()),
                inbox=await counts.unhandled(db),
                dead_letters=await counts.dead_letters(db),
            )

    async def _feel_lag(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(LAG_EVERY)
            self._metrics.lag.observe(max(0.0, time.monotonic() - before - LAG_EVERY))
