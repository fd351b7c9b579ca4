"""What the monitor finds by itself: a database that only lets itself be read, and pages that cannot be read at all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot import health
from bot.clock import RealClock
from bot.health import Health
from bot.metrics import Metrics
from bot.runtime import monitor
from bot.runtime.monitor import Monitor
from db import engine, tables
from db.engine import Damaged, Database
from tests.operators.test_bad_days import until
from tests.operators.test_damage import spoil


@pytest.fixture
def path(migrated_file: Path, tmp_path: Path) -> Path:
    shutil.copy(migrated_file, tmp_path / "lull.db")
    return tmp_path / "lull.db"


@pytest.fixture
async def database(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT", 0.05)
    opened = Database(f"sqlite+aiosqlite:///{path}")
    yield opened
    await opened.close()


def monitor_of(database: Database) -> Monitor:
    return Monitor(database, Metrics(), clock=RealClock(), ages=dict, faults=[dict])


async def test_a_database_that_another_process_keeps_locked_is_red_until_it_is_let_go(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("LOOK_EVERY", 0.02), ("PROBE_EVERY", 0.02)):
        monkeypatch.setattr(monitor, name, seconds)
    monkeypatch.setitem(health.LIMITS, "writing", 0.5)
    watched = monitor_of(database)
    running = asyncio.create_task(watched.run(asyncio.Event()))
    try:
        await until(lambda: not watched.health.red, lambda: str(watched.health.red))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            await until(lambda: list(watched.health.red) == ["writing"], lambda: str(watched.health.red))
        await until(lambda: not watched.health.red, lambda: str(watched.health.red))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_a_minute_is_more_than_the_database_may_be_locked() -> None:
    found = Health()
    slowest = monitor.PROBE_EVERY + monitor.LOOK_EVERY + engine.BUSY_TIMEOUT
    assert health.LIMITS["writing"] + slowest < 60.0
    found.judge({"writing": 31.0}, {}, now=0.0)
    assert found.red == {"writing": "not good for 31 seconds"}


async def test_damage_that_is_met_is_called_so_and_no_update_is_thrown_away_for_it(
    database: Database, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = monitor_of(database)
    await watched.look()
    assert watched.health.red == {}
    spoil(path)

    with pytest.raises(Damaged, match="the database is damaged: database disk image is malformed"):
        async with database.read() as db:
            await db.execute(sa.select(tables.dead_letters))
    for _ in range(2):
        await watched.look()

    assert watched.health.red == {
        "file": "damaged (database disk image is malformed); put a backup in its place",
    }
    assert caplog.text.count("the database is damaged; put a backup in its place") == 1
    os.remove(path.with_name(path.name + ".health"))
