"""The SQLite file: what is in force on it, who else may touch it, and what happens when it is damaged or the disk is full."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from db import marks
from db.engine import Database, DatabaseError
from tests.conftest import ROOT, Process

FILLS_UP = """
import asyncio, resource, signal, sys
from db import marks
from db.engine import Database, Unavailable

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

async def put(database, value):
    async with database.write() as db:
        await marks.put(db, "name", value)

async def main():
    database = Database(sys.argv[1])
    await put(database, "before")
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16384, unlimited[1]))
    try:
        await put(database, "x" * 200_000)
    except Unavailable as error:
        print("unavailable")
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    async with database.read() as db:
        print(await marks.find(db, "name"))
    await put(database, "after")
    async with database.read() as db:
        print(await marks.find(db, "name"))
    await database.close()

asyncio.run(main())
"""


@pytest.fixture
def database_url(migrated_file: Path, tmp_path: Path) -> str:
    """Here the database is SQLite alone."""
    shutil.copy(migrated_file, tmp_path / "lull.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}"


@pytest.fixture
def path(database: Database) -> Path:
    assert database.path is not None
    return database.path


async def pragma(database: Database, name: str, *, write: bool) -> object:
    async with database.write() if write else database.read() as db:
        return await db.scalar(sa.text(f"PRAGMA {name}"))


@pytest.mark.parametrize("write", [True, False])
async def test_what_was_promised_of_every_connection_is_in_force(database: Database, write: bool) -> None:
    assert await pragma(database, "journal_mode", write=write) == "wal"
    assert await pragma(database, "synchronous", write=write) == 2  # FULL
    assert await pragma(database, "busy_timeout", write=write) == 10_000
    assert await pragma(database, "foreign_keys", write=write) == 1


async def test_a_writing_transaction_has_the_files_lock_from_its_beginning(database: Database, path: Path) -> None:
    async with database.write() as db:
        await marks.find(db, "name")  # only read so far
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


async def test_another_process_that_writes_meanwhile_is_waited_for(database: Database, path: Path) -> None:
    holds = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE'); "
    )
    holds += "print('has it', flush=True); sys.stdin.readline(); c.execute('COMMIT')"
    other = subprocess.Popen(
        [sys.executable, "-c", holds, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdin is not None
    assert other.stdout.readline() == "has it\n"

    async def write() -> None:
        async with database.write() as db:
            await marks.put(db, "name", "value")

    writing = asyncio.create_task(write())
    done, _ = await asyncio.wait({writing}, timeout=0.5)
    other.stdin.write("\n")
    other.communicate()
    await asyncio.wait_for(writing, 10)

    assert done == set()
    async with database.read() as db:
        assert await marks.find(db, "name") == "value"


async def sentence(path: Path) -> str:
    """The one line that the bot says on that file and ends, with exit code 2; there is no Telegram for it."""
    process = Process(path.parent, "http://127.0.0.1:9", f"sqlite:///{path}", {"CLOCK_FILE": ""})
    await process.start()
    assert process.running is not None
    code = await asyncio.wait_for(process.running.wait(), 60)
    lines = [line for line in process.log.splitlines() if line]
    assert (code, len(lines)) == (2, 1), process.log
    return lines[0]


async def test_a_second_process_on_one_file_says_so_in_one_sentence(database: Database, path: Path) -> None:
    database.lock()

    said = await sentence(path)

    assert said == f"Another Lull is already running on {path}; stop it first, or give this one its own DATABASE_URL."


async def test_a_lock_ends_with_its_process_and_its_folder_is_made(tmp_path: Path) -> None:
    first = Database(f"sqlite+aiosqlite:///{tmp_path / 'new' / 'folder' / 'lull.db'}")
    first.lock()
    second = Database(f"sqlite+aiosqlite:///{tmp_path / 'new' / 'folder' / 'lull.db'}")
    with pytest.raises(DatabaseError, match="already running"):
        second.lock()
    await first.close()

    second.lock()
    await second.close()


async def test_a_damaged_file_ends_the_start_with_one_sentence(database: Database, path: Path) -> None:
    await database.close()
    pages = bytearray(path.read_bytes())
    pages[4096:] = b"\xa5" * (len(pages) - 4096)
    path.write_bytes(pages)

    said = await sentence(path)

    assert said.startswith(f"{path} is damaged (")
    assert said.endswith("); put a backup in its place, or move it away to begin anew.")


async def test_a_file_that_is_no_database_ends_the_start_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ada, " * 1000, encoding="utf-8")

    assert (await sentence(path)).startswith(f"{path} is damaged (file is not a database); ")


async def test_a_full_disk_is_unavailable_and_writing_goes_on_once_there_is_room(
    database: Database, database_url: str
) -> None:
    await database.close()

    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", FILLS_UP, database_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.splitlines() == ["unavailable", "before", "after"], done.stderr
