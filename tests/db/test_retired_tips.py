"""Retired tips: kept per person, forgotten on request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db import tables, tips
from db.engine import Connection, Database


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Connection]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}")
    async with database.write() as connection:
        await connection.run_sync(tables.metadata.create_all)
        yield connection
    await database.close()


async def test_a_retired_tip_is_retired_for_that_person_alone(db: Connection) -> None:
    await tips.retire(db, 1, "light_dim")

    assert await tips.retired(db, 1) == {"light_dim"}
    assert await tips.retired(db, 2) == frozenset()


async def test_retiring_a_tip_twice_is_retiring_it_once(db: Connection) -> None:
    await tips.retire(db, 1, "light_dim")
    await tips.retire(db, 1, "light_dim")

    await tips.restore(db, 1, "light_dim")

    assert await tips.retired(db, 1) == frozenset()


async def test_one_tip_comes_back_and_the_others_stay_away(db: Connection) -> None:
    await tips.retire(db, 1, "light_dim")
    await tips.retire(db, 1, "tea_early")

    await tips.restore(db, 1, "light_dim")

    assert await tips.retired(db, 1) == {"tea_early"}


async def test_all_tips_come_back_for_that_person_alone(db: Connection) -> None:
    for user_id in (1, 2):
        await tips.retire(db, user_id, "light_dim")
        await tips.retire(db, user_id, "tea_early")

    await tips.restore_all(db, 1)

    assert await tips.retired(db, 1) == frozenset()
    assert await tips.retired(db, 2) == {"light_dim", "tea_early"}
