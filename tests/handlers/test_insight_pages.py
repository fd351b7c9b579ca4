"""What the nights say: pictures to be drawn, counts with their doubt, and a page to show."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot import charts
from bot.clock import RealClock
from bot.core.diary import Detail
from bot.core.model import Intake, Kind, Night, Rating, State
from bot.core.planning import Message
from bot.telegram.file_reader import FileReader
from bot.telegram.turn import AfterCommit, Attach, Later, Show
from db import diary, nights
from db.engine import Database
from db.outbox import changes
from db.outbox import rows as outbox
from tests.handlers.one_person import Ann, buttons

FRIDAY = date(2026, 11, 13)


@pytest.fixture
async def ann(tmp_path: Path) -> AsyncIterator[Ann]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}")
    await database.migrate()
    person = Ann(database, datetime(2026, 11, 14, 11, 0, tzinfo=UTC))
    await person.moves_in()
    yield person
    await database.close()


async def told(ann: Ann, intake: Intake, rating: Rating, *, first: Night, count: int) -> None:
    async with ann.database.write() as db:
        for shift in range(count):
            night = first - timedelta(days=shift)
            await nights.record_intake(db, 7, night, intake, at=ann.now)
            await nights.record_rating(db, 7, night, rating, at=ann.now)


def shown(ann: Ann) -> Show:
    (picture,) = [reply for reply in ann.replies if isinstance(reply, Show)]
    return picture


async def test_nights_that_were_brought_in_are_in_every_picture_and_count(ann: Ann) -> None:
    ann.now = datetime(2026, 1, 12, 11, 0, tzinfo=UTC)
    await told(ann, Intake.TAKEN, Rating.BETTER, first=date(2026, 1, 8), count=20)
    await told(ann, Intake.SKIPPED, Rating.WORSE, first=date(2025, 12, 19), count=10)

    await ann.taps("pic:120")
    assert len(json.loads(shown(ann).drawing.values)["cells"]) == 33
    await ann.taps("insight")
    assert "Taken: 20 better of 20 rated" in shown(ann).view.text
    await ann.taps("page:4:png")
    assert "Taken on 20 of 28 nights" in shown(ann).view.text


async def test_the_picture_shows_what_was_said_and_its_caption_says_it_in_words(ann: Ann) -> None:
    await told(ann, Intake.TAKEN, Rating.WORSE, first=FRIDAY, count=3)

    await ann.taps("pic:3")

    picture = shown(ann)
    cells = json.loads(picture.drawing.values)["cells"]
    assert len(cells) == 91
    assert cells[-3:] == [[-1, 1]] * 3
    assert cells[:-3] == [[None, 0]] * 88
    assert "Taken on 3 of 91 nights.\n3 rated: 0 better, 0 same, 3 worse." in picture.view.text
    assert {"1 year", "A page to show", "Diary"} <= set(buttons(picture.view))
    assert len(picture.view.text) < 1024


async def test_all_nights_begin_with_the_first(ann: Ann) -> None:
    await ann.taps("pic:120")

    values = json.loads(shown(ann).drawing.values)
    assert values["first"] == "2026-01-10"
    assert len(values["cells"]) == 308


@pytest.mark.parametrize("forged", ["pic:5", "pic", "page:3:pdf", "page:4:exe", "page"])
async def test_a_forged_press_draws_nothing(ann: Ann, forged: str) -> None:
    await ann.taps(forged)

    assert "out of date" in ann.answer
    assert len(ann.replies) == 1


async def test_with_too_few_nights_the_insight_says_so(ann: Ann) -> None:
    await told(ann, Intake.TAKEN, Rating.BETTER, first=FRIDAY, count=9)

    await ann.types("/insight")

    assert "Taken: 9 better of 9 rated nights" in ann.page.text
    assert "Skipped: 0 better of 0 rated nights" in ann.page.text
    assert "Too few nights" in ann.page.text


async def test_with_enough_nights_the_insight_gives_a_range_and_no_cause(ann: Ann) -> None:
    await told(ann, Intake.TAKEN, Rating.BETTER, first=FRIDAY, count=12)
    await told(ann, Intake.SKIPPED, Rating.WORSE, first=FRIDAY - timedelta(days=12), count=9)
    await told(ann, Intake.SKIPPED, Rating.BETTER, first=FRIDAY - timedelta(days=21), count=3)
    await told(ann, Intake.MISSED, Rating.BETTER, first=FRIDAY - timedelta(days=30), count=1)

    await ann.types("/insight")

    picture = shown(ann)
    text = picture.view.text
    assert "Difference: +38 to +91 better nights per 100 (95 % interval after Newcombe)." in text
    assert "Left out: 1 rated night" in text
    assert "no cause" in text
    for word in ("help", "work", "effect"):
        assert word not in text.lower()
    assert picture.drawing.name == "interval"


async def test_the_page_holds_the_nights_and_not_the_notes(ann: Ann) -> None:
    await told(ann, Intake.TAKEN, Rating.BETTER, first=FRIDAY, count=2)
    said = Detail(FRIDAY, note="private", in_bed=1380, tried=1380, latency=10, awakenings=0, woke=420, rose=420)
    async with ann.database.write() as db:
        await diary.save(db, 7, Detail(FRIDAY), said)
    await ann.taps("pages")
    assert "4 weeks · PDF" in buttons(ann.page)

    await ann.taps("page:2:pdf")

    values = json.loads(shown(ann).drawing.values)
    assert values["form"] == "pdf"
    assert len(values["own"]["rows"]) == 14
    assert values["own"]["rows"][-1] == ["Fri 13 Nov", "yes", "Better", "8 h 0 min", "7 h 50 min", "98 %"]
    assert values["own"]["rows"][0][1:] == ["–"] * 5
    assert "self-report" in values["own"]["lead"]
    assert "private" not in shown(ann).drawing.values


async def test_no_more_digests_withdraws_the_one_that_is_owed(ann: Ann) -> None:
    at, later = ann.now + timedelta(hours=1), ann.now + timedelta(hours=6)
    async with ann.database.write() as db:
        await outbox.owe(db, [Message(7, Kind.DIGEST, FRIDAY, due_at=at, until_at=later, bed_at=at, close_at=later)])

    await ann.taps("digest_off")

    assert (await ann.person()).no_digest is True
    async with ann.database.read() as db:
        assert await changes.state_of(db, 7, Kind.DIGEST, FRIDAY) is State.CANCELLED


async def test_the_calendar_of_a_language_fits_a_picture(ann: Ann) -> None:
    await ann.taps("pic:3")

    values = json.loads(shown(ann).drawing.values)
    assert len(values["weekdays"]) == 7
    assert len(values["months"]) == 12
    assert charts.VERSION >= 1


@pytest.mark.parametrize("drawn", [b"\x89PNG", None])
async def test_an_export_goes_with_its_picture_or_without(ann: Ann, drawn: bytes | None) -> None:
    await told(ann, Intake.TAKEN, Rating.BETTER, first=FRIDAY, count=3)
    asked: list[str] = []

    async def draw(drawing: charts.Drawing) -> bytes | None:
        asked.append(drawing.name)
        return drawn

    async def fetch(_file_id: str, _most: int) -> bytes | None:
        return None

    await ann.types("/export")
    (later,) = [reply for reply in ann.replies if isinstance(reply, Later)]
    (file,) = await later.work(AfterCommit(ann.database, fetch, draw, FileReader(clock=RealClock())))

    assert isinstance(file, Attach)
    packed = zipfile.ZipFile(io.BytesIO(file.content))
    assert asked == ["nights"]
    assert ("nights.png" in packed.namelist()) is (drawn is not None)
    assert ("could not be drawn" in packed.read("README.txt").decode()) is (drawn is None)
