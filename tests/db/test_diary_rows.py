"""Details and file ids of pictures, kept and found again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.diary import Detail, EveningFactors
from bot.core.model import Intake
from db import diary, nights, tables
from db.engine import Connection, Database

NIGHT = date(2026, 11, 13)
NOW = datetime(2026, 11, 14, 8, 0, tzinfo=UTC)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Connection]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}")
    await database.migrate()
    async with database.write() as connection:
        yield connection
    await database.close()


async def test_a_night_nobody_spoke_of_is_blank(db: Connection) -> None:
    assert await diary.find(db, 7, NIGHT) == Detail(NIGHT)


async def test_what_was_said_of_a_night_is_found_again(db: Connection) -> None:
    said = Detail(
        NIGHT, note="a dog", evening=EveningFactors.NAP | EveningFactors.STRESS, in_bed=0, awakenings=0, late=True
    )

    await diary.save(db, 7, Detail(NIGHT), said)

    assert await diary.find(db, 7, NIGHT) == said
    assert await diary.between(db, 7, NIGHT, NIGHT) == [said]
    assert await diary.find(db, 8, NIGHT) == Detail(NIGHT)


async def test_only_what_changed_is_written(db: Connection) -> None:
    first = Detail(NIGHT, note="a dog", rested=3)
    await diary.save(db, 7, Detail(NIGHT), first)

    await diary.save(db, 7, first, replace(first, note=None, evening=EveningFactors(0)))
    await diary.save(db, 7, first, first)

    assert await diary.find(db, 7, NIGHT) == Detail(NIGHT, rested=3, evening=EveningFactors(0))


async def test_taken_nights_are_counted_between_two_nights(db: Connection) -> None:
    assert await diary.first_night(db, 7) is None
    for shift, intake in enumerate((Intake.TAKEN, Intake.SKIPPED, Intake.TAKEN, Intake.TAKEN)):
        await nights.record_intake(db, 7, NIGHT + timedelta(days=shift), intake, at=NOW)

    assert await diary.first_night(db, 7) == NIGHT
    assert await diary.count(db, 7, Intake.TAKEN, NIGHT) == 3
    assert await diary.count(db, 7, Intake.TAKEN, NIGHT + timedelta(days=1), NIGHT + timedelta(days=2)) == 1
    assert await diary.count(db, 8, Intake.TAKEN, NIGHT) == 0


async def test_a_file_id_is_good_for_the_values_it_was_drawn_from(db: Connection) -> None:
    await diary.keep_file_id(db, 7, "map", mark="a", file_id="one")
    await diary.keep_file_id(db, 7, "map", mark="b", file_id="two")

    assert await diary.file_id(db, 7, "map", mark="b") == "two"
    assert await diary.file_id(db, 7, "map", mark="a") is None
    assert await diary.file_id(db, 8, "map", mark="b") is None


async def test_erasing_forgets_details_and_pictures(db: Connection) -> None:
    await diary.save(db, 7, Detail(NIGHT), Detail(NIGHT, note="a dog"))
    await diary.save(db, 8, Detail(NIGHT), Detail(NIGHT, note="a cat"))
    await diary.keep_file_id(db, 7, "map", mark="a", file_id="one")

    await diary.erase(db, 7)

    assert await diary.find(db, 7, NIGHT) == Detail(NIGHT)
    assert await diary.file_id(db, 7, "map", mark="a") is None
    assert await diary.find(db, 8, NIGHT) == Detail(NIGHT, note="a cat")


async def test_a_diary_longer_than_is_read_at_once_is_read_whole(db: Connection) -> None:
    first = date(2020, 1, 1)
    every = [first + timedelta(days=shift) for shift in range(2 * nights.AT_ONCE)]
    await db.execute(tables.nights.insert(), [{"user_id": 7, "night": night, "rating": 1} for night in every])
    await db.execute(tables.night_details.insert(), [{"user_id": 7, "night": night, "rested": 3} for night in every])
    assert [record.night for record in await nights.between(db, 7, every[0], every[-1])] == every
    assert [record.night for record in await nights.between(db, 7, every[1], every[-2])] == every[1:-1]
    assert [detail.night for detail in await diary.between(db, 7, every[0], every[-1])] == every
    assert await nights.between(db, 7, every[-1] + timedelta(days=1), every[-1] + timedelta(days=9)) == []
