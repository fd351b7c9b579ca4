"""Writers that share a SQLite transaction: together on the disk, alone in their faults."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from db import marks
from db.engine import Connection, Database, Unavailable


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}")
    await database.migrate()
    yield database
    await database.close()


def names(database: Database) -> list[str]:
    """The marks that another process sees."""
    connection = sqlite3.connect(f"file:{database.path}?mode=ro", uri=True)
    try:
        return [name for (name,) in connection.execute("SELECT name FROM marks ORDER BY name")]
    finally:
        connection.close()


async def put(database: Database, name: str, *, quick: bool = True) -> list[str]:
    """Note a mark, and what is seen from outside the moment this has ended."""
    async with database.write(quick=quick) as db:
        await marks.put(db, name, "x")
    return names(database)


@pytest.mark.parametrize("quick", [True, False])
async def test_what_was_written_is_seen_from_outside_when_its_block_has_ended(database: Database, quick: bool) -> None:
    seen = await asyncio.gather(*(put(database, f"{number:02}", quick=quick) for number in range(20)))

    assert all(f"{number:02}" in names for number, names in enumerate(seen))


async def test_writers_that_wait_together_are_committed_together(database: Database) -> None:
    seen = await asyncio.gather(*(put(database, f"{number:02}") for number in range(20)))

    assert seen[0] == seen[19] == [f"{number:02}" for number in range(20)]


async def test_one_that_raises_is_undone_alone(database: Database) -> None:
    async def fail() -> None:
        async with database.write(quick=True) as db:
            await marks.put(db, "bad", "x")
            raise LookupError("a mistake in one handler")

    results = await asyncio.gather(put(database, "a"), fail(), put(database, "b"), return_exceptions=True)

    assert isinstance(results[1], LookupError)
    assert names(database) == ["a", "b"]


async def test_a_refused_statement_undoes_its_block_alone(database: Database) -> None:
    async def fail() -> None:
        async with database.write(quick=True) as db:
            await marks.put(db, "bad", "x")
            await db.execute(sa.text("INSERT INTO marks (name, value) VALUES ('bad', 'twice')"))

    results = await asyncio.gather(put(database, "a"), fail(), put(database, "b"), return_exceptions=True)

    assert isinstance(results[1], sa.exc.IntegrityError)
    assert names(database) == ["a", "b"]


async def test_a_cancelled_one_is_undone_alone_and_the_next_goes_on(database: Database) -> None:
    inside = asyncio.Event()

    async def wait() -> None:
        async with database.write() as db:
            await marks.put(db, "bad", "x")
            inside.set()
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await inside.wait()
    others = [asyncio.create_task(put(database, name)) for name in "ab"]
    waiting.cancel()
    await asyncio.gather(*others)

    assert waiting.cancelled()
    assert names(database) == ["a", "b"]


async def test_when_the_disk_takes_nothing_everybody_of_the_group_is_told(database: Database) -> None:
    async def fill_up() -> None:
        async with database.write() as db:
            await db.execute(sa.text("PRAGMA max_page_count = 1"))
            await marks.put(db, "big", "x" * 1_000_000)

    results = await asyncio.gather(put(database, "a"), fill_up(), put(database, "b"), return_exceptions=True)
    async with database.write() as db:
        await db.execute(sa.text("PRAGMA max_page_count = 1000000"))

    assert isinstance(results[1], Unavailable)
    told = {
        name for name, result in zip("ab", (results[0], results[2]), strict=True) if isinstance(result, Unavailable)
    }
    assert sorted({"a", "b"} - told) == names(database)
    assert await put(database, "c")


async def test_a_quick_block_may_ask_a_long_question(database: Database) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i FROM n"
    count_up = f"SELECT max(i) FROM ({numbers})"  # noqa: S608 - built from no input
    async with database.write(quick=True) as db:
        await marks.put(db, "before", "x")
        longest = await db.scalar(sa.text(count_up))
        await marks.put(db, "after", "x")

    assert longest == 200_000
    assert names(database) == ["after", "before"]


async def test_order_is_the_order_of_coming(database: Database) -> None:
    async def add(db: Connection, letter: str) -> None:
        await marks.put(db, "word", (await marks.find(db, "word") or "") + letter)

    async def write(letter: str) -> None:
        async with database.write(quick=True) as db:
            await add(db, letter)

    await asyncio.gather(*(write(letter) for letter in "lullaby"))

    async with database.read() as db:
        assert await marks.find(db, "word") == "lullaby"
