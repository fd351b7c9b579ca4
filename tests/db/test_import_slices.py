"""Nights from a file are filled in slice by slice: others write in between, and it may be begun again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.core.diary import Detail
from bot.core.diary_csv import Line
from bot.core.diary_import import Arrived
from bot.core.model import Intake, NightRecord
from db import erase, imports, tables
from db.engine import Connection, Database
from tests.db import evenings

NOW = datetime(2026, 3, 26, 12, 0, tzinfo=UTC)
COUNT = 2 * imports.SLICE + 30
NIGHTS = tuple(date(2025, 1, 1) + timedelta(days=day) for day in range(COUNT))
ARRIVED = Arrived(tuple(Line(NightRecord(night, intake=Intake.TAKEN), Detail(night, rested=3)) for night in NIGHTS))

Between = Callable[[], Awaitable[None]]


class Watched(Database):
    """Counts the rows of each transaction that writes, and does something before the second slice."""

    def __init__(self, url: str, *, between: Between | None = None) -> None:
        super().__init__(url)
        self.sizes: list[int] = []
        self.between = between

    @asynccontextmanager
    async def write(self, name: str = "write", *, quick: bool = False) -> AsyncIterator[Connection]:
        if name == "import_slice" and len(self.sizes) == 1 and self.between is not None:
            await self.between()
        async with super().write(name, quick=quick) as db:
            before = await stored(db)
            yield db
            if name == "import_slice":
                self.sizes.append(await stored(db) - before)


async def stored(db: Connection) -> int:
    return int(await db.scalar(sa.select(sa.func.count()).select_from(tables.nights)) or 0)


async def waiting(database: Database, arrived: Arrived = ARRIVED, *, at: datetime = NOW) -> None:
    async with database.read() as db:
        known = await db.scalar(sa.select(tables.users.c.id).where(tables.users.c.id == 1))
    if known is None:
        await evenings.settle_in(database, evenings.person(1))
    assert await imports.keep(database, 1, arrived, now=at) is not None


async def test_no_transaction_writes_more_than_a_slice(database: Database, database_url: str) -> None:
    await waiting(database)
    watched = Watched(database_url)
    assert await imports.take(watched, 1, now=NOW) == COUNT
    await watched.close()

    assert watched.sizes == [imports.SLICE, imports.SLICE, 30]
    async with database.read() as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(tables.imports)) == 0


async def test_a_preview_counts_over_all_slices(database: Database) -> None:
    await waiting(database, Arrived(ARRIVED.lines[::2]))
    await imports.take(database, 1, now=NOW)
    preview = await imports.keep(database, 1, ARRIVED, now=NOW)

    assert preview is not None
    assert (preview.nights, preview.new, preview.filled, preview.same) == (COUNT, COUNT // 2, 0, COUNT // 2)


async def test_of_somebody_who_is_erased_between_two_slices_nothing_is_written(
    database: Database, database_url: str
) -> None:
    async def erased() -> None:
        async with database.write() as db:
            await erase.person(db, 1, now=NOW)

    await waiting(database)
    watched = Watched(database_url, between=erased)
    assert await imports.take(watched, 1, now=NOW) is None
    await watched.close()

    async with database.read() as db:
        assert await stored(db) == 0


async def test_another_file_between_two_slices_ends_the_first(database: Database, database_url: str) -> None:
    async def another() -> None:
        await waiting(database, Arrived(ARRIVED.lines[-1:]), at=NOW + timedelta(seconds=1))

    await waiting(database)
    watched = Watched(database_url, between=another)
    assert await imports.take(watched, 1, now=NOW) is None
    await watched.close()

    assert await imports.take(database, 1, now=NOW + timedelta(seconds=2)) == 1


async def test_what_was_broken_off_is_done_when_it_is_asked_for_again(database: Database, database_url: str) -> None:
    async def dies() -> None:
        raise ConnectionError

    await waiting(database)
    watched = Watched(database_url, between=dies)
    with pytest.raises(ConnectionError):
        await imports.take(watched, 1, now=NOW)
    await watched.close()

    assert await imports.take(database, 1, now=NOW) == COUNT - imports.SLICE
    async with database.read() as db:
        assert await stored(db) == COUNT


async def test_nights_of_somebody_who_was_erased_while_they_were_read_do_not_wait(database: Database) -> None:
    assert await imports.keep(database, 1, ARRIVED, now=NOW) is None
