"""What a person is told to expect before a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.core.experiment import forecast
from bot.core.experiment.counts import Label
from bot.core.experiment.design import Design
from bot.core.experiment.forecast import LARGE, POWER, SMALL, Forecast
from bot.core.model import Rating

DOCUMENT = Path(__file__).parents[3] / "docs" / "experiment.md"
VARIED = [Rating(number % 5 - 2) for number in range(20)] + [Rating.SAME] * 5


def told(length: int = 28, pairs: int = LARGE, answered: float = 0.85, question: Design = Design.NIGHTLY) -> Forecast:
    found = forecast.forecast(VARIED, answered, length=length, pairs=pairs, question=question)
    assert found is not None
    return found


@pytest.mark.parametrize("question", Design)
def test_a_forecast_is_of_100_people(question: Design) -> None:
    found = told(84 if question is Design.WEEKLY else 28, question=question)

    assert found.clear + found.leans + found.cant_tell + found.no_verdict == 100
    assert min(found.clear, found.leans, found.cant_tell) > 5


def test_the_same_diary_gets_the_same_forecast_and_another_one_its_own() -> None:
    assert told() == told()
    assert told() != forecast.forecast([*VARIED, Rating.MUCH_BETTER], 0.85, length=28)


def test_a_large_gain_is_found_more_often_than_a_small_one_and_in_more_nights() -> None:
    assert told(28).clear > told(28, SMALL).clear
    assert told(84).clear > told(28).clear + 15


def test_who_answers_few_mornings_is_told_that_there_may_be_no_verdict() -> None:
    assert told(answered=0.5).no_verdict > 60
    assert told(answered=1.0).no_verdict == 0


def test_too_few_answers_give_no_forecast_and_answers_all_alike_give_one() -> None:
    assert forecast.forecast([Rating.SAME] * 6, 0.9, length=28) is None
    alike = forecast.forecast([Rating.SAME] * 7, 0.9, length=28)

    assert alike is not None
    assert alike.clear < told().clear + 10


def test_a_forecast_is_near_what_the_simulation_measured() -> None:
    """An ordinary diary is the simulation's own person; 200 people are uncertain by 7 of 100."""
    ordinary = [rating for rating, share in forecast._ORDINARY.items() for _ in range(round(100 * share))]

    found = forecast.forecast(ordinary, 0.85, length=56)

    assert found is not None
    assert abs(found.clear - POWER[Design.NIGHTLY, 56][LARGE].clear) <= 9


def test_shares_are_rounded_to_whole_people_that_add_up() -> None:
    thirds = [Label.CLEAR_HELP, Label.LEANS_WORSE, Label.CANT_TELL]

    assert forecast._of_100(thirds, LARGE) == Forecast(LARGE, 34, 33, 33, 0)
    assert forecast._of_100([*thirds[:2], Label.CLEAR_WORSE], LARGE) == Forecast(LARGE, 67, 33, 0, 0)


@pytest.mark.parametrize(("question", "length"), POWER)
def test_the_power_told_before_the_start_is_what_the_simulation_measured(question: Design, length: int) -> None:
    page = DOCUMENT.read_text(encoding="utf-8")
    plan = "weeks" if question is Design.WEEKLY else "28" if length == 28 else f"up to {length}"
    for pairs, power in POWER[question, length].items():
        row = re.search(rf"^\| {plan} \| {pairs} of 100 pairs \(\+\d+\) \| ([\d.]+) %.* \| (\d+) \|$", page, re.M)

        assert row is not None
        assert abs(float(row[1]) - power.clear) <= 0.5
        assert int(row[2]) == power.nights
