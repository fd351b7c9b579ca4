"""What a self-experiment under way keeps to itself: which night is which until the evening, and the two halves of the result."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core.experiment import design
from bot.core.experiment.design import Arm
from bot.core.model import Intake, Kind, Rating, State
from bot.core.planning import Message
from bot.telegram.turn import Show
from db import experiments, nights
from db.engine import Database
from db.outbox import changes
from db.outbox import rows as outbox
from tests.handlers.one_person import Ann, buttons

# A Monday, in the afternoon; bedtime is 23:00 in Berlin, the reminder at 22:15.
NOON = datetime(2026, 1, 12, 14, 0, tzinfo=UTC)


@pytest.fixture
async def ann(database: Database) -> Ann:
    person = Ann(database, NOON)
    await person.moves_in()
    await person.types("/resume")
    return person


@pytest.fixture
async def sealed(ann: Ann) -> Ann:
    """Ten nights of a self-experiment, and one before it, all told."""
    await ann.taps("exp_start:28:open")
    await ann.taps("exp_word")
    start = NOON.date()
    ann.now = NOON + timedelta(days=10)
    async with ann.database.write() as db:
        for night in (start + timedelta(days=shift) for shift in range(-1, 10)):
            await nights.record_intake(db, 7, night, Intake.TAKEN, at=NOON)
            await nights.record_rating(db, 7, night, Rating.BETTER, at=NOON)
    return ann


async def test_the_month_of_a_sealed_test_says_only_that_a_night_was_rated(sealed: Ann) -> None:
    await sealed.types("/diary")

    labels = set(buttons(sealed.page))
    assert "11↑✓" in labels
    assert {f"{day}•" for day in range(12, 22)} <= labels
    assert "• answered, in your test: sealed until it is over" in sealed.page.text


async def test_a_sealed_night_can_still_be_read_and_corrected_by_itself(sealed: Ann) -> None:
    await sealed.taps("fix_rate:2026-01-20:-1")
    assert "Sleep: Worse" in sealed.page.text
    assert "✓ Taken" in buttons(sealed.page)


async def test_the_picture_of_a_sealed_test_has_ratings_and_no_outlines(sealed: Ann) -> None:
    await sealed.taps("pic:3")

    picture = next(reply for reply in sealed.replies if isinstance(reply, Show))
    assert json.loads(picture.drawing.values)["cells"][-11:] == [[1, 1], *[[1, 0]] * 10]
    assert "Your test is sealed" in picture.view.text


async def test_the_page_for_a_doctor_leaves_out_what_was_taken_on_sealed_nights(sealed: Ann) -> None:
    await sealed.taps("page:2:pdf")

    picture = next(reply for reply in sealed.replies if isinstance(reply, Show))
    page = json.loads(picture.drawing.values)["own"]
    assert [row[1:3] for row in page["rows"][-11:]] == [["yes", "Better"], *[["sealed", "Better"]] * 10]
    assert page["foot"][-1].startswith("Sealed: a night of a self-experiment")
    assert "Your test is sealed" in picture.view.text


async def test_the_counts_are_sealed_and_the_progress_is_shown_instead(sealed: Ann) -> None:
    await sealed.types("/insight")
    assert "Sealed until" in sealed.page.text
    assert "Taken" not in sealed.page.text


async def test_without_a_test_nothing_is_sealed(ann: Ann) -> None:
    async with ann.database.write() as db:
        await nights.record_intake(db, 7, date(2026, 1, 11), Intake.TAKEN, at=NOON)
        await nights.record_rating(db, 7, date(2026, 1, 11), Rating.BETTER, at=NOON)
    await ann.types("/diary")
    assert "11↑✓" in buttons(ann.page)
    assert "sealed" not in ann.page.text
    await ann.taps("pic:3")
    assert "sealed" not in next(reply for reply in ann.replies if isinstance(reply, Show)).view.text


async def test_nothing_tells_by_day_what_the_evening_will_be(ann: Ann) -> None:
    await ann.taps("exp_start:28:open")
    await ann.taps("exp_word")
    async with ann.database.read() as db:
        one = await experiments.open_of(db, 7)
    assert one is not None
    seen: dict[object, set[str]] = {Arm.ON: set(), Arm.OFF: set()}
    for place in range(7, 35):
        night = design.night_at(one.plan, place)
        ann.now = NOON + timedelta(days=place)
        await ann.types("/bedtime 23:00")
        for step in ("/tonight", f"skip:{night}", f"undo:{night}"):
            await (ann.types(step) if step.startswith("/") else ann.taps(step))
            for page in ann.pages:
                assert "Tonight with" not in page.text
                assert "Time for your magnesium" not in page.text
                seen[design.arm_on(one.plan, night)].add(" / ".join(buttons(page)))
    # Whatever buttons there are on nights of one kind, there are on those of the other.
    assert seen[Arm.ON] == seen[Arm.OFF]


@pytest.mark.parametrize("sealed", [True, False])
async def test_sundays_picture_stays_away_while_a_test_is_sealed(ann: Ann, sealed: bool) -> None:
    if sealed:
        await ann.taps("exp_start:28:open")
    await ann.taps("exp_word")
    night, at = date(2026, 1, 17), datetime(2026, 1, 18, 7, 0, tzinfo=UTC)
    later = at + timedelta(hours=5)
    async with ann.database.write() as db:
        await outbox.owe(db, [Message(7, Kind.DIGEST, night, due_at=at, until_at=later, bed_at=at, close_at=later)])
        (row,) = await outbox.claim(db, worker="w", now=at, limit=5)
        may_go = await outbox.start(db, [row.id], worker="w", now=at)
        state = await changes.state_of(db, 7, Kind.DIGEST, night)

    assert may_go == (set() if sealed else {row.id})
    assert state is (State.CANCELLED if sealed else State.SENDING)
