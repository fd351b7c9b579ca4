"""SQLite's log is emptied into the file in nobody's way, and a file or log that is taken away is noticed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from db import erase, marks
from db.engine import Database
from db.sqlite.checkpoints import Checkpoints
from tests.db import evenings


@pytest.fixture
def path(migrated_file: Path, tmp_path: Path) -> Path:
    shutil.copy(migrated_file, tmp_path / "lull.db")
    return tmp_path / "lull.db"


@pytest.fixture
def database_url(path: Path) -> str:
    """Here the database is SQLite alone."""
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def checkpoints(path: Path) -> Iterator[Checkpoints]:
    made = Checkpoints(path)
    yield made
    made.close()


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


async def put(database: Database, value: str) -> None:
    async with database.write() as db:
        await marks.put(db, "name", value)


async def test_what_was_written_is_in_the_file_and_the_log_is_empty(
    database: Database, path: Path, checkpoints: Checkpoints
) -> None:
    await put(database, "something written")
    assert b"something written" not in path.read_bytes()

    assert await asyncio.to_thread(checkpoints.empty_the_log)

    assert b"something written" in path.read_bytes()
    assert log_of(path).stat().st_size == 0


async def test_a_backup_that_reads_keeps_the_log_and_the_writer_goes_on(
    database: Database, path: Path, checkpoints: Checkpoints
) -> None:
    await put(database, "before")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM marks").fetchall()

    assert not checkpoints.empty_the_log()
    await put(database, "while it reads")
    assert not checkpoints.empty_the_log()
    await put(database, "after it was tried")

    reader.close()
    assert checkpoints.empty_the_log()
    assert b"after it was tried" in path.read_bytes()


async def test_in_a_writers_turn_it_gives_up_at_once(database: Database, checkpoints: Checkpoints) -> None:
    # On the event loop: had it to wait for the writer, neither would ever go on.
    async with database.write() as db:
        await marks.put(db, "name", "value")
        assert not checkpoints.empty_the_log()
        assert checkpoints._connection is not None
        assert checkpoints._connection.execute("PRAGMA busy_timeout").fetchone() == (0,)
    assert checkpoints.empty_the_log()


async def test_an_erasure_asks_for_it_once_it_is_committed(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    assert not database.erased.is_set()
    with contextlib.suppress(ZeroDivisionError):
        async with database.write() as db:
            await erase.person(db, evenings.person().id, now=evenings.DUE)
            raise ZeroDivisionError
    assert not database.erased.is_set()

    async with database.write() as db:
        await erase.person(db, evenings.person().id, now=evenings.DUE)
        assert not database.erased.is_set()
    assert database.erased.is_set()


async def test_files_that_stay_where_they_are_are_no_fault(
    database: Database, path: Path, checkpoints: Checkpoints
) -> None:
    assert checkpoints.faults() == {}
    checkpoints.empty_the_log()
    await put(database, "value")
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("SELECT * FROM marks").fetchall()
    checkpoints.empty_the_log()
    assert checkpoints.faults() == {}


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
async def test_a_log_that_is_taken_away_is_a_fault_and_what_was_in_it_is_rescued(
    database: Database, path: Path, checkpoints: Checkpoints, suffix: str
) -> None:
    checkpoints.empty_the_log()
    await put(database, "in the log alone")
    path.with_name(path.name + suffix).unlink()

    assert list(checkpoints.faults()) == ["log"]
    checkpoints.empty_the_log()

    assert b"in the log alone" in path.read_bytes()


async def test_a_database_that_is_gone_or_replaced_is_a_fault(
    database: Database, path: Path, migrated_file: Path, checkpoints: Checkpoints
) -> None:
    await put(database, "value")
    checkpoints.empty_the_log()
    kept = path.with_name("kept.db")
    path.rename(kept)
    assert checkpoints.faults() == {"file": "it is gone from its folder; stop the bot and put a backup there"}
    shutil.copy(migrated_file, path)
    assert checkpoints.faults() == {"file": "another file is in its place; stop the bot and put a backup there"}
    os.replace(kept, path)
    assert checkpoints.faults() == {}
