"""A million users: start, first tick, memory, idle CPU and bytes, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg

from benchmarks import parts
from benchmarks.parts import Crowd, Figure
from tests import postgres

NIGHTS = 3
"""Nights stored for everybody, evening by evening, as they come in life."""


def fill_sqlite(connection: sqlite3.Connection, people: int) -> tuple[float, float]:
    """Everybody, then their nights; bytes a user and bytes a night."""
    connection.execute("PRAGMA synchronous=OFF")
    now = datetime.now(UTC)
    parts.fill(connection, Crowd(people, now + timedelta(minutes=10), spread=timedelta(hours=23)))
    parts.fill(connection, Crowd(1, now, first=1))
    users = _bytes(connection)
    for number in range(NIGHTS):
        parts.progress("nights", number, NIGHTS)
        day = (now.date() - parts.EPOCH).days - NIGHTS + number
        at = int(now.timestamp()) - 86_400 * (NIGHTS - number)
        connection.execute("BEGIN")
        connection.execute(
            "INSERT INTO nights (user_id, night, reminder, intake, intake_at, rating, rated_at)"
            " SELECT id, ?, 1, 1, ?, 1, ? FROM users WHERE id > 1 ORDER BY id",  # whose reminder is yet to come
            (day, at, at + 36_000),
        )
        connection.execute("COMMIT")
    both = _bytes(connection)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return users / people, (both - users) / people / NIGHTS


def _bytes(connection: sqlite3.Connection) -> float:
    (pages,), (free,) = (
        connection.execute("PRAGMA page_count").fetchone(),
        connection.execute("PRAGMA freelist_count").fetchone(),
    )
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return float((pages - free) * size)


async def fill_postgres(url: str, people: int) -> None:
    """The same people, copied in."""
    connection = await asyncpg.connect(url)
    now = datetime.now(UTC)
    crowds = (Crowd(1, now, first=1), Crowd(people, now + timedelta(minutes=10), spread=timedelta(hours=23)))
    for crowd in crowds:
        await connection.copy_records_to_table(
            "users", columns=parts.COLUMNS.split(", "), records=(_typed(row) for row in crowd.users())
        )
    await connection.execute("ANALYZE users")
    await connection.close()


def _typed(row: parts.Sequence[object]) -> tuple[object, ...]:
    values = list(row)
    for place in (2, 3, 9):
        values[place] = datetime.fromtimestamp(int(str(values[place])), UTC)
    values[10] = parts.EPOCH + timedelta(days=int(str(values[10])))
    assert isinstance(values[10], date)
    return tuple(values)


async def measured(folder: Path, name: str, people: int, **environment: str) -> list[Figure]:
    """Start on a filled database with one reminder due, then ten idle seconds."""
    async with parts.stand_in() as (remote, _):
        began = time.monotonic()
        async with parts.lull(remote, folder, **environment) as bot:
            polled = bot.polled - began
            good, _ = await parts.until(remote, lambda counts: parts.called(counts, "sendMessage") > 0)
            reminded = time.monotonic() - began
            assert good, f"no reminder was sent on {name}: {(folder / 'bot.log').read_text()[-2000:]}"
            # What goes through everybody once at a start (a count, the long silent) is not what idle means.
            await asyncio.sleep(12.0)
            bot.mark()
            await asyncio.sleep(10.0)
            idle, rss = bot.used / 10, bot.rss
    return [
        Figure(f"{name}: start to the first poll", polled, "s"),
        Figure(f"{name}: from there to the first reminder", max(0.0, reminded - polled), "s", "<= 2"),
        Figure(f"{name}: memory", rss, "MB", "<= 120"),
        Figure(f"{name}: CPU of an idle second, its tick included", 1000 * idle, "ms", "<= 10"),
    ]


async def run(*, people: int = 1_000_000) -> list[Figure]:
    """Both databases; PostgreSQL only where one can be started."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        connection = await parts.fresh(folder)
        user, night = fill_sqlite(connection, people)
        connection.close()
        figures = [
            Figure(f"SQLite: bytes a user, {people:,} of them", user, "", "<= 400"),
            Figure("SQLite: bytes a stored night", night, "", "<= 40"),
            *await measured(folder, "SQLite", people),
        ]
    try:
        with tempfile.TemporaryDirectory() as name, postgres.running() as server:
            async with server.database() as url:
                await fill_postgres(url, people)
                figures += await measured(Path(name), "PostgreSQL", people, DATABASE_URL=url)
    except postgres.NoServer as error:
        print(f"PostgreSQL is left out: {error}", file=sys.stderr)
    return figures


if __name__ == "__main__":
    print(parts.table(asyncio.run(run(people=int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))))
