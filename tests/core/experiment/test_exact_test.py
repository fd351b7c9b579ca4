"""The exact test, against every schedule one by one, and what must be true of any test of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.experiment import exact
from bot.core.experiment.design import FORTNIGHTS, WEEK_PAIRS, Design, patterns
from bot.core.experiment.exact import Chances, Nights

answers = st.one_of(st.none(), st.integers(-2, 2))


@st.composite
def lived(draw: st.DrawFn, fortnights: int, question: Design = Design.NIGHTLY) -> Nights:
    picks = draw(st.lists(st.sampled_from(patterns(question)), min_size=fortnights, max_size=fortnights))
    told = draw(st.lists(answers, min_size=14 * fortnights, max_size=14 * fortnights))
    return Nights(question, sum(picks, ()), tuple(told))


def difference(on: Sequence[bool], told: Sequence[int | None]) -> Fraction | None:
    arms = [[a for o, a in zip(on, told, strict=True) if o is side and a is not None] for side in (True, False)]
    return None if not all(arms) else Fraction(sum(arms[0]), len(arms[0])) - Fraction(sum(arms[1]), len(arms[1]))


def one_by_one(nights: Nights) -> Chances:
    """Every schedule written out, in fractions."""
    seen = difference(nights.on, nights.answers)
    every = product(patterns(nights.design), repeat=len(nights.on) // 14)
    others = [difference(sum(parts, ()), nights.answers) for parts in every]
    better = sum(seen is None or other is None or other >= seen for other in others)
    worse = sum(seen is None or other is None or other <= seen for other in others)
    return Chances(better / len(others), worse / len(others))


@settings(max_examples=40, deadline=None)
@given(lived(1))
def test_one_fortnight_is_set_against_its_hundred_schedules(nights: Nights) -> None:
    assert exact.chances(nights) == one_by_one(nights)


@settings(max_examples=3, deadline=None)
@given(lived(2))
def test_two_fortnights_are_set_against_ten_thousand_schedules(nights: Nights) -> None:
    assert exact.chances(nights) == one_by_one(nights)


@settings(max_examples=25, deadline=None)
@given(lived(6, Design.WEEKLY))
def test_twelve_weeks_are_set_against_sixty_four_schedules(nights: Nights) -> None:
    assert exact.chances(nights) == one_by_one(nights)


@settings(max_examples=3, deadline=None)
@given(lived(3))
def test_three_fortnights_are_set_against_a_million_schedules(nights: Nights) -> None:
    told = np.array([0.0 if a is None else a for a in nights.answers]).reshape(3, 14)
    rated = np.array([a is not None for a in nights.answers]).reshape(3, 14)
    sums, counts = np.zeros(1), np.zeros(1)
    for one, known in zip(told, rated, strict=True):
        sums = np.add.outer(sums, np.array(FORTNIGHTS) @ one).ravel()
        counts = np.add.outer(counts, np.array(FORTNIGHTS, dtype=float) @ known).ravel()
    with np.errstate(invalid="ignore", divide="ignore"):
        others = sums / counts - (told.sum() - sums) / (rated.sum() - counts)
        on = np.array(nights.on).reshape(3, 14)
        seen = told[on].sum() / rated[on].sum() - told[~on].sum() / rated[~on].sum()
    expected = [float(np.mean(~(others < seen - 1e-9))), float(np.mean(~(others > seen + 1e-9)))]

    assert [exact.chances(nights).better, exact.chances(nights).worse] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(lived(6))
def test_mirrored_answers_swap_the_two_chances(nights: Nights) -> None:
    mirrored = Nights(nights.design, nights.on, tuple(None if a is None else -a for a in nights.answers))
    one, other = exact.chances(nights), exact.chances(mirrored)

    assert (one.better, one.worse) == (other.worse, other.better)
    assert one.smaller == other.smaller
    assert one.better + one.worse >= 1


@settings(max_examples=5, deadline=None)
@given(st.lists(answers, min_size=14, max_size=14))
def test_a_useless_pill_reaches_a_p_in_no_more_schedules_than_p_says(told: list[int | None]) -> None:
    """The test's own promise, whatever the nights: over all schedules that can be drawn, p <= x in at most x."""
    found = [exact.chances(Nights(Design.NIGHTLY, on, tuple(told))) for on in FORTNIGHTS]

    for limit in (0.01, 0.05, 0.10, 0.20, 0.50):
        assert sum(chances.better <= limit + 1e-12 for chances in found) <= 100 * limit + 1e-9
        assert sum(chances.worse <= limit + 1e-12 for chances in found) <= 100 * limit + 1e-9


def test_a_schedule_that_leaves_an_arm_without_an_answer_is_extreme_both_ways() -> None:
    one = Nights(Design.NIGHTLY, FORTNIGHTS[3] + FORTNIGHTS[4], (1, *[None] * 27))
    two = Nights(
        Design.WEEKLY, WEEK_PAIRS[1] + WEEK_PAIRS[1], (None, None, 2, *[None] * 13, 2, *[None] * 4, -2, *[None] * 6)
    )

    assert exact.chances(one) == Chances(1.0, 1.0)
    # Of four orders one gives the same nights ON, one the opposite, and two leave nothing to compare.
    assert exact.chances(two) == one_by_one(two)


def test_the_largest_difference_has_the_smallest_chance_that_84_nights_allow() -> None:
    on = FORTNIGHTS[10] * 6
    nights = Nights(Design.NIGHTLY, on, tuple(2 if o else -2 for o in on))

    assert exact.chances(nights) == Chances(1e-12, 1.0)


def test_a_p_worked_out_once_stays_as_it_is() -> None:
    on = sum((FORTNIGHTS[n] for n in (7, 81, 33, 60)), ())
    told = tuple(None if n % 9 == 4 else (n * 7 + 3 * o) % 5 - 2 for n, o in enumerate(on))

    found = exact.chances(Nights(Design.NIGHTLY, on, told))

    assert (found.better, found.worse) == (0.42334525, 0.5921555)
