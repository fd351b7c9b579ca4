"""Statements on the event loop: they may find rows, and never wait for the disk to take what they change."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from db import marks, tables
from db.engine import Database
from db.inbox import StoredUpdate, store
from tests.db.evenings import DUE

IO = Path(f"/proc/{os.getpid()}/task")


@pytest.fixture
def database_url(migrated_file: Path, tmp_path: Path) -> str:
    """Here the database is SQLite alone."""
    shutil.copy(migrated_file, tmp_path / "lull.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}"


def written() -> int:
    """Bytes that this thread has handed to files, as Linux counts them."""
    lines = (IO / str(threading.get_native_id()) / "io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


needs_counts = pytest.mark.skipif(not IO.is_dir(), reason="only Linux counts what a thread writes")

HEAVY = [StoredUpdate(number, 77, "x" * 1_000_000, DUE) for number in range(20)]
"""More than SQLite's cache holds."""


@needs_counts
async def test_the_event_loops_thread_writes_nothing_to_the_disk_however_much_a_block_changes(
    database: Database, tmp_path: Path
) -> None:
    async with database.write(quick=True) as db:
        before = written()
        await store(db, HEAVY)
        after = written()
        assert not (log := tmp_path / "lull.db-wal").exists() or log.stat().st_size < 1_000_000
    assert after == before
    assert written() == before
    async with database.read() as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(tables.inbox)) == len(HEAVY)


@needs_counts
async def test_what_is_not_quick_is_written_by_the_thread_as_soon_as_the_cache_is_full(
    database: Database, tmp_path: Path
) -> None:
    before = written()
    for quick in (True, False):
        async with database.write(quick=quick) as db:
            await marks.put(db, "name", str(quick))
    async with database.write() as db:
        await store(db, HEAVY)
        assert (tmp_path / "lull.db-wal").stat().st_size > 1_000_000
    assert written() == before


@needs_counts
async def test_a_quick_block_that_shares_with_one_that_is_not_is_written_by_the_thread_as_well(
    database: Database, tmp_path: Path
) -> None:
    before = written()

    async def write(letters: list[StoredUpdate], *, quick: bool) -> None:
        async with database.write(quick=quick) as db:
            await store(db, letters)

    await asyncio.gather(write(HEAVY[:1], quick=False), write(HEAVY[1:], quick=True))

    assert written() == before
    async with database.read() as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(tables.inbox)) == len(HEAVY)
