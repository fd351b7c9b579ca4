"""`python -m bot stats`: counts for the operator, none of a group so small that a person could be recognised."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from config import settings
from db import counts as db_counts
from db import engine
from db.counts import Totals
from db.engine import Database, DatabaseError


def main() -> int:
    """Print the counts."""
    found = settings.load()
    print("\n".join(lines(asyncio.run(_totals(found.database_url.get_secret_value())))))
    return 0


async def _totals(url: str) -> Totals:
    database = Database(url)
    try:
        await expect_head(database)
        async with database.read() as db:
            return await db_counts.totals(db, now=datetime.now(UTC))
    finally:
        await database.close()


async def expect_head(database: Database) -> None:
    """Raises DatabaseError where there is no database, or one of another schema."""
    if database.path is not None and not database.path.exists():
        raise DatabaseError(f"There is no database at {database.path} yet.")
    if (revision := await database.revision()) != engine.head():
        raise DatabaseError(f"The database has schema {revision or 'none'}, not {engine.head()}; run migrate first.")


def lines(totals: Totals) -> Iterator[str]:
    """The page, line by line."""
    yield from _group("People", totals.people)
    yield from _group("Messages of the last 24 hours", totals.messages)
    yield from _group("Intake, nights of the last week", totals.intakes)
    yield from _group("Sleep, nights of the last week", totals.ratings)
    yield f"Nights in all diaries: {_shown(totals.nights)}"
    # Not about people but about the machine: exact.
    yield f"Updates waiting: {totals.unhandled}; put aside: {totals.dead_letters}"


def _group(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    # From the total and all parts but one, the last part could be computed. So the total is left out if a part is small.
    small = any(db_counts.rounded(count) is None for count in counts.values())
    yield f"{title}: {'' if small else _shown(sum(counts.values()))}".rstrip()
    for name, count in counts.items():
        yield f"  {name.replace('_', ' '):<12} {_shown(count)}"


def _shown(count: int) -> str:
    shown = db_counts.rounded(count)
    return f"fewer than {db_counts.FEW}" if shown is None else f"{shown:,}"
