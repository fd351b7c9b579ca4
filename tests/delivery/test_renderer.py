"""Which tip a message carries: calm ones in the evening, grave ones with Sunday's picture, none that sways a self-experiment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core.experiment.run import Assignment, Tonight
from bot.core.model import Kind, NightRecord, Person, Status
from bot.core.owed import Owed
from bot.delivery import renderer
from bot.delivery.renderer import Renderer
from bot.texts import content, language
from bot.texts.content import Content
from bot.views.message import View

CONTENT: Content = content.load()
NOW = datetime(2026, 11, 28, 21, 15, tzinfo=UTC)
ANN = Person(
    7,
    Status.ACTIVE,
    created_at=NOW,
    seen_at=NOW,
    zone="Europe/Berlin",
    bedtimes=(23 * 60,) * 7,
    form="citrate",
)


def row(night: date, *, kind: Kind = Kind.REMINDER, person: Person = ANN, **more: object) -> Owed:
    at = datetime(night.year, night.month, night.day, 21, 15, tzinfo=UTC)
    bed = at + timedelta(minutes=45)
    return Owed(1, kind, night, at, bed, bed, 0, 0, person, NightRecord(night), **more)  # type: ignore[arg-type]


NIGHTS = [date(2026, 11, 28) + timedelta(days=shift) for shift in range(200)]


def test_no_evening_of_a_year_has_a_tip_about_illness_or_danger() -> None:
    shown = {tip.id for night in NIGHTS if (tip := renderer.tonights(CONTENT, row(night))) is not None}

    assert shown == {tip.id for tip in CONTENT.tips if not tip.by_day and "citrate" not in tip.unfit_forms}


@pytest.mark.parametrize("tonight", list(Tonight))
def test_on_no_evening_of_a_test_is_there_a_tip_that_sways_it(tonight: Tonight) -> None:
    rows = (row(night, trial=Assignment(tonight)) for night in NIGHTS)
    topics = {tip.topic for one in rows if (tip := renderer.tonights(CONTENT, one)) is not None}

    assert topics == set(CONTENT.topics) - CONTENT.held_back


def test_the_two_open_evenings_of_a_test_have_the_same_tip() -> None:
    for night in NIGHTS[:30]:
        with_, without = (row(night, trial=Assignment(tonight)) for tonight in (Tonight.WITH, Tonight.WITHOUT))
        assert renderer.tonights(CONTENT, with_) == renderer.tonights(CONTENT, without)


def test_sundays_picture_comes_with_a_tip_for_the_day() -> None:
    shown = Renderer(CONTENT).with_tip_by_day(row(NIGHTS[1], kind=Kind.DIGEST), View("Your week"))

    tip = next(tip for tip in CONTENT.tips if language.words("en")(tip.text) in shown.text.replace("&#x27;", "'"))
    assert tip.by_day
    assert shown.text.startswith("Your week\n\n")
    assert len(shown.text) < 1024


def test_a_discreet_sunday_has_none() -> None:
    discreet = row(NIGHTS[1], kind=Kind.DIGEST, person=replace(ANN, discreet=True))

    assert Renderer(CONTENT).with_tip_by_day(discreet, View("Your week")) == View("Your week")
