"""A press that says the opposite of what is noted: it asks, and nothing changes until the change is pressed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core.model import Intake, NightRecord, Reason
from db import nights
from db.engine import Database
from tests.handlers.one_person import Ann, buttons

NIGHT = date(2026, 1, 12)
EVENING = datetime(2026, 1, 12, 21, 30, tzinfo=UTC)
"""Half past ten in Berlin, half an hour before bed."""


@pytest.fixture
async def ann(database: Database) -> Ann:
    person = Ann(database, EVENING)
    await person.moves_in(reminded_night=NIGHT, reminded_at=EVENING)
    return person


async def night(ann: Ann) -> NightRecord:
    async with ann.database.read() as db:
        return await nights.find(db, 7, NIGHT)


async def test_skip_after_taken_asks_and_keep_leaves_it(ann: Ann) -> None:
    await ann.taps("taken:2026-01-12")
    noted = await night(ann)

    await ann.taps("skip:2026-01-12")

    assert ann.page.text == "<b>Taken 22:30 is noted. Change it?</b>"
    assert buttons(ann.page) == {"Change to not taken": "change:2026-01-12:skip", "Keep": "leave:2026-01-12"}
    assert await night(ann) == noted
    await ann.taps("leave:2026-01-12")
    assert ann.page.text == "✓ Taken 22:30 · bedtime 23:00"
    assert await night(ann) == noted


async def test_the_change_is_made_by_its_own_button_alone(ann: Ann) -> None:
    await ann.taps("skip:2026-01-12")
    await ann.taps("taken:2026-01-12")
    assert ann.page.text == "<b>“Not taken” is noted. Change it?</b>"
    assert (await night(ann)).intake is Intake.SKIPPED

    await ann.taps("change:2026-01-12:taken")

    assert ann.answer == "Noted."
    assert (await night(ann)).intake is Intake.TAKEN


@pytest.mark.parametrize(
    ("press", "says"), [("taken", "Noted already: taken 22:30."), ("skip", "Noted already: not taken.")]
)
async def test_the_same_press_again_says_what_is_noted(ann: Ann, press: str, says: str) -> None:
    await ann.taps(f"{press}:2026-01-12")
    noted = await night(ann)
    ann.now += timedelta(minutes=5)

    await ann.taps(f"{press}:2026-01-12")

    assert ann.answer == says
    assert await night(ann) == noted


async def test_ok_to_a_night_without_asks_where_it_was_taken_and_keeps_the_tests_reason(ann: Ann) -> None:
    await ann.taps("taken:2026-01-12")
    await ann.taps("without:2026-01-12")
    assert (await night(ann)).intake is Intake.TAKEN

    await ann.taps("change:2026-01-12:without")

    assert ((await night(ann)).intake, (await night(ann)).reason) == (Intake.SKIPPED, Reason.TEST)


@pytest.mark.parametrize("forged", ["change:2026-01-12:missed", "change:2026-01-12", "change:2026-01-12:1"])
async def test_a_forged_change_changes_nothing(ann: Ann, forged: str) -> None:
    await ann.taps("taken:2026-01-12")
    noted = await night(ann)

    await ann.taps(forged)

    assert "out of date" in ann.answer
    assert await night(ann) == noted


async def test_the_morning_asks_too(ann: Ann) -> None:
    await ann.taps("taken:2026-01-12")
    noted = await night(ann)
    ann.now = datetime(2026, 1, 13, 7, 0, tzinfo=UTC)

    await ann.taps("took:2026-01-12:0")

    assert buttons(ann.page) == {"Change to not taken": "tookchange:2026-01-12:0", "Keep": "tookleave:2026-01-12"}
    assert await night(ann) == noted
    await ann.taps("tookleave:2026-01-12")
    assert await night(ann) == noted
    await ann.taps("took:2026-01-12:1")
    assert ann.answer == "Noted already: taken 22:30."
    await ann.taps("tookchange:2026-01-12:0")
    assert (await night(ann)).intake is Intake.SKIPPED


async def test_after_the_nights_end_a_change_from_the_morning_is_refused(ann: Ann) -> None:
    await ann.taps("taken:2026-01-12")
    ann.now = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)

    await ann.taps("tookchange:2026-01-12:0")

    assert ann.answer == "That night is closed already."
    assert (await night(ann)).intake is Intake.TAKEN
