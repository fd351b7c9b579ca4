"""The range: the shifts that the very same test does not refuse, and their pairs of nights."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.core.experiment import exact, ranges
from bot.core.experiment.design import FORTNIGHTS, WEEK_PAIRS, Design, patterns
from bot.core.experiment.exact import Nights
from bot.core.experiment.ranges import Pool, Range

answers = st.one_of(st.none(), st.integers(-2, 2), st.integers(-2, 2))
tails = st.sampled_from([0.0011, 0.0063, 0.0153, 0.0266, 0.0388, 0.05, 0.1, 0.2])


@st.composite
def lived(draw: st.DrawFn, fortnights: int, question: Design = Design.NIGHTLY) -> Nights:
    picks = draw(st.lists(st.sampled_from(patterns(question)), min_size=fortnights, max_size=fortnights))
    gain = draw(st.integers(0, 2))
    on = sum(picks, ())
    told = draw(st.lists(answers, min_size=14 * fortnights, max_size=14 * fortnights))
    moved = (None if a is None else min(2, a + gain * o) for a, o in zip(told, on, strict=True))
    nights = Nights(question, on, tuple(moved))
    assume(0 < nights.rated_on < nights.rated)
    return nights


def refused(nights: Nights, shift: Fraction, tail: float) -> bool:
    """Take the shift off the ON nights and go through every schedule: is a one-sided chance not over the tail?"""
    left = [None if a is None else a - shift * o for a, o in zip(nights.answers, nights.on, strict=True)]

    def difference(on: tuple[bool, ...]) -> Fraction | None:
        arms = [[a for o, a in zip(on, left, strict=True) if o is side and a is not None] for side in (True, False)]
        return None if not all(arms) else sum(arms[0]) / Fraction(len(arms[0])) - sum(arms[1]) / Fraction(len(arms[1]))

    seen = difference(nights.on)
    assert seen is not None
    others = [difference(sum(parts, ())) for parts in product(patterns(nights.design), repeat=len(nights.on) // 14)]
    better = sum(other is None or other >= seen for other in others) / len(others)
    worse = sum(other is None or other <= seen for other in others) / len(others)
    return min(better, worse) <= tail


def just_within_and_beyond(end: float, outwards: int) -> tuple[Fraction, Fraction]:
    exactly = Fraction(end).limit_denominator(200_000)
    return exactly, exactly + Fraction(outwards, 10**7)


@settings(max_examples=25, deadline=None)
@given(lived(1), st.sampled_from([0.05, 0.1, 0.2]))
def test_the_ends_are_the_last_shifts_that_are_not_refused(nights: Nights, tail: float) -> None:
    found = ranges.shifts(nights).range(tail)

    for end, outwards in ((found.low, -1), (found.high, 1)):
        within, beyond = just_within_and_beyond(end, outwards)
        assert not refused(nights, within, tail)
        assert abs(end) == ranges.LARGEST_SHIFT or refused(nights, beyond, tail)


@settings(max_examples=15, deadline=None)
@given(lived(6, Design.WEEKLY), st.sampled_from([0.05, 0.1]))
def test_the_ends_of_weeks_are_the_last_shifts_that_are_not_refused(nights: Nights, tail: float) -> None:
    found = ranges.shifts(nights).range(tail)

    for end, outwards in ((found.low, -1), (found.high, 1)):
        within, beyond = just_within_and_beyond(end, outwards)
        assert not refused(nights, within, tail)
        assert abs(end) == ranges.LARGEST_SHIFT or refused(nights, beyond, tail)


@settings(max_examples=4, deadline=None)
@given(lived(3), tails)
def test_the_range_of_42_nights_is_numpys_over_a_million_schedules(nights: Nights, tail: float) -> None:
    told = np.array([0.0 if a is None else a for a in nights.answers]).reshape(3, 14)
    rated = np.array([a is not None for a in nights.answers]).reshape(3, 14)
    true = np.array(nights.on).reshape(3, 14) & rated
    sums, counts, shared = np.zeros(1), np.zeros(1), np.zeros(1)
    for one, known, on in zip(told, rated, true, strict=True):
        every = np.array(FORTNIGHTS, dtype=float)
        sums = np.add.outer(sums, every @ one).ravel()
        counts = np.add.outer(counts, every @ known).ravel()
        shared = np.add.outer(shared, every @ on).ravel()
    with np.errstate(invalid="ignore", divide="ignore"):
        a = sums / counts - (told.sum() - sums) / (rated.sum() - counts)
        b = shared / counts - (true.sum() - shared) / (rated.sum() - counts)
        turning = (nights.difference - a) / (1 - b)
    fixed = np.isnan(a) | np.isclose(b, 1)
    found = ranges.shifts(nights)

    assert (found.always, found.every) == (int(fixed.sum()), 10**6)
    needed = int(np.floor(tail * 1e6 + 1e-6)) + 1 - int(fixed.sum())  # so many make the chance more than the tail
    ordered = np.sort(turning[~fixed])
    expected = [-4.0, 4.0] if needed <= 0 else [ordered[needed - 1], ordered[-needed]]
    assert [found.range(tail).low, found.range(tail).high] == pytest.approx(np.clip(expected, -4, 4), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(lived(4), tails)
def test_the_range_leaves_out_0_exactly_when_the_test_is_past_the_bound(nights: Nights, tail: float) -> None:
    chances, found = exact.chances(nights), ranges.shifts(nights).range(tail)

    assert (found.low > 0) == (chances.better <= tail)
    assert (found.high < 0) == (chances.worse <= tail)


@settings(max_examples=30, deadline=None)
@given(lived(6, Design.WEEKLY), tails)
def test_the_range_of_weeks_leaves_out_0_exactly_when_the_test_is_past_the_bound(nights: Nights, tail: float) -> None:
    chances, found = exact.chances(nights), ranges.shifts(nights).range(tail)

    assert (found.low > 0) == (chances.better <= tail)
    assert (found.high < 0) == (chances.worse <= tail)


@settings(max_examples=40, deadline=None)
@given(lived(4), tails)
def test_the_range_holds_the_estimate_and_is_mirrored_with_the_answers(nights: Nights, tail: float) -> None:
    mirrored = Nights(nights.design, nights.on, tuple(None if a is None else -a for a in nights.answers))
    found, other = ranges.shifts(nights).range(tail), ranges.shifts(mirrored).range(tail)

    assert found.low <= nights.difference <= found.high
    assert (other.low, other.high) == (-found.high, -found.low)


def test_a_test_that_can_refuse_nothing_has_the_whole_scale_as_its_range() -> None:
    nights = Nights(Design.WEEKLY, WEEK_PAIRS[0], (*[0] * 7, *[1] * 7))

    assert ranges.shifts(nights).range(0.05) == Range(-4.0, 4.0)
    # One of two orders is the drawn one itself, so half is always reached.
    assert ranges.shifts(nights).range(0.6) == Range(1.0, 1.0)


# Pairs of 100


@pytest.mark.parametrize(
    ("apart", "chance"),
    [(-3, 0), (-1, 0), (-0.5, 0.125), (0, 0.5), (0.25, 1 - 0.75**2 / 2), (0.5, 0.875), (1, 1), (2.5, 1)],
)
def test_two_nights_are_compared_as_if_each_answer_were_spread_over_its_step(apart: float, chance: float) -> None:
    assert ranges.won(apart) == pytest.approx(chance)


@given(st.floats(-5, 5), st.floats(-5, 5))
def test_a_night_further_ahead_wins_no_less_often(one: float, other: float) -> None:
    assert (ranges.won(one) <= ranges.won(other)) or one > other
    assert ranges.won(one) + ranges.won(-one) == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(lived(2))
def test_the_share_of_pairs_is_one_half_at_no_shift_and_on_the_shifts_side_otherwise(nights: Nights) -> None:
    pool = ranges.pool(nights)

    assert pool.won(0.0) == 0.5
    for shift in (0.01, 0.3, 1.0, 4.0):
        assert pool.won(shift) > 0.5 > pool.won(-shift)
        assert pool.won(shift) + pool.won(-shift) == pytest.approx(1)


@settings(max_examples=20, deadline=None)
@given(lived(2), st.floats(-2, 2))
def test_the_share_of_pairs_is_the_mean_over_all_ordered_pairs(nights: Nights, shift: float) -> None:
    left = [a - nights.difference * on for on, a in zip(nights.on, nights.answers, strict=True) if a is not None]
    expected = np.mean([ranges.won(one + shift - other) for one in left for other in left])

    assert ranges.pool(nights).won(shift) == pytest.approx(float(expected))


def test_nights_all_alike_still_have_pairs() -> None:
    assert Pool({0.0: 20}).won(0.5) == 0.875


@pytest.mark.parametrize(
    ("share", "pairs"),
    [(0.5, 50), (0.501, 51), (0.4999, 49), (0.504, 51), (0.506, 51), (0.617, 62), (0.494, 49), (0.0, 0), (1.0, 100)],
)
def test_a_share_is_told_in_whole_pairs_on_its_own_side_of_50(share: float, pairs: int) -> None:
    assert ranges.of_100(share) == pairs
