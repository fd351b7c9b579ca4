"""A damaged SQLite file is noticed: a small one before the start, a big one soon after it, any within a day."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.fake_telegram.telegram import Telegram
from bot.health import Health
from bot.jobs.integrity_check import IntegrityCheck
from bot.metrics import Metrics
from db import engine
from db.engine import Database, DatabaseError
from db.sqlite import integrity
from db.sqlite.integrity import Reading
from tests.conftest import ROOT, TOKEN, Process
from tests.operators.test_bad_days import until


@pytest.fixture
def path(migrated_file: Path, tmp_path: Path) -> Path:
    shutil.copy(migrated_file, tmp_path / "lull.db")
    return tmp_path / "lull.db"


def grow(path: Path) -> None:
    """Make it a big file."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE weight (number INTEGER PRIMARY KEY, lump BLOB)")
    connection.executemany("INSERT INTO weight (lump) VALUES (zeroblob(?))", [(2**20,)] * 20)
    connection.commit()
    connection.close()
    assert path.stat().st_size > engine.READ_AT_ONCE


def spoil(path: Path) -> None:
    """Damage a page that no ordinary start reads: the root of a table that nobody asks for."""
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'dead_letters'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))


def opened(path: Path) -> Database:
    return Database(f"sqlite+aiosqlite:///{path}")


async def test_a_small_file_is_read_through_before_the_start(path: Path) -> None:
    spoil(path)
    database = opened(path)
    with pytest.raises(DatabaseError, match="is damaged"):
        await database.examine()
    await database.close()


async def test_of_a_big_file_the_start_reads_the_beginning_and_check_reads_all(path: Path) -> None:
    grow(path)
    spoil(path)
    database = opened(path)
    await database.examine()
    with pytest.raises(DatabaseError, match="is damaged"):
        await database.examine(whole=True)
    path.write_bytes(b"no database" + path.read_bytes()[11:])
    await database.close()
    database = opened(path)
    with pytest.raises(DatabaseError, match="is damaged"):
        await database.examine()
    await database.close()


async def test_an_inspection_finds_damage_says_so_and_takes_it_back_once_it_is_mended(
    path: Path, migrated_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del capsys
    metrics, database = Metrics(), opened(path)
    inspection = IntegrityCheck(database, metrics)
    await inspection.look()
    assert inspection.faults() == {}
    assert "lull_file_damaged 0.0" in metrics.page().decode()

    spoil(path)
    await inspection.look()
    assert inspection.faults()["file"].startswith("damaged (")
    assert inspection.faults()["file"].endswith("); put a backup in its place")
    assert "lull_file_damaged 1.0" in metrics.page().decode()

    shutil.copy(migrated_file, path)
    await inspection.look()
    assert inspection.faults() == {}
    await database.close()


async def test_a_reading_is_cut_short_so_that_no_end_waits_for_it(path: Path) -> None:
    reading = Reading(path)
    reading.stop()
    assert await reading.result() == ""
    assert await Reading(path).result() == integrity.SOUND


async def test_an_end_does_not_wait_for_the_thread_of_a_reading(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def starved(_: sqlite3.Connection) -> str:
        begun.set()
        goes_on.wait()
        return integrity.SOUND

    monkeypatch.setattr(integrity, "_checked", starved)
    reading = Reading(path)
    result = asyncio.create_task(reading.result())
    await asyncio.to_thread(begun.wait)

    reading.stop()

    assert await result == ""
    goes_on.set()


async def test_what_cannot_be_read_just_now_is_no_damage(path: Path) -> None:
    database = opened(path)
    inspection = IntegrityCheck(database, Metrics())
    path.unlink()
    await inspection.look()
    assert inspection.faults() == {}
    await database.close()


def test_damage_is_red_and_no_reason_to_end_for_a_fresh_process_would_find_the_same() -> None:
    health = Health()
    health.judge({}, {"file": "damaged"}, now=0.0)
    assert health.report() == {"healthy": False, "red": {"file": "damaged"}}
    assert not health.sick(now=10_000.0)
    health.judge({}, {"file": "damaged", "database": "no answer"}, now=10_000.0)
    assert health.sick(now=10_301.0)


@pytest.mark.long
async def test_a_bot_on_a_big_damaged_file_serves_and_says_what_is_wrong(
    path: Path, tmp_path: Path, telegram: Telegram
) -> None:
    grow(path)
    spoil(path)
    process = Process(tmp_path, telegram.url)
    await process.start()
    try:
        sentence = "the database's file is damaged; put a backup in its place"
        await until(lambda: sentence in process.log, lambda: process.log)
        ann = telegram.person(7)
        await ann.send("/help")
        await ann.next()

        def said() -> str:
            return subprocess.run(
                [sys.executable, "-m", "bot", "healthcheck"],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "BOT_TOKEN": TOKEN, "DATABASE_URL": f"sqlite:///{path}"},
                capture_output=True,
                text=True,
                check=False,
            ).stdout

        while "file: damaged (" not in (line := await asyncio.to_thread(said)):
            assert process.running is not None
            assert process.running.returncode is None, process.log
        assert "put a backup in its place" in line
        assert await process.stop() == 0
    finally:
        if process.running is not None and process.running.returncode is None:
            await process.kill()
