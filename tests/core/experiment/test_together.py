"""All tests of a person together: evidence that luck cannot pile up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.experiment import design, together
from bot.core.experiment.design import FORTNIGHTS, RUN_IN, Arm, AssignedNight, Design, Plan
from bot.core.experiment.exact import Nights
from bot.core.experiment.together import RATES, Evidence, Together
from bot.core.model import Rating

START = date(2026, 11, 23)
SEED = bytes(range(32))

maybe_rating = st.one_of(st.none(), st.sampled_from(Rating), st.sampled_from(Rating))


def diary(plan: design.Plan, ratings: Sequence[Rating | None]) -> list[AssignedNight]:
    return [
        AssignedNight(design.night_at(plan, RUN_IN + index), arm, rating=rating)
        for index, (arm, rating) in enumerate(zip(design.schedule(plan), ratings, strict=False))
    ]


def by_arm(plan: design.Plan, on: Rating, off: Rating) -> list[AssignedNight]:
    return diary(plan, [on if arm is Arm.ON else off for arm in design.schedule(plan)])


def e_of_a_fortnight(on: Sequence[bool], ratings: Sequence[Rating | None], rate: float) -> float:
    """As it is defined: exp of rate times T over the mean of that for every schedule."""
    rated = [rating for rating in ratings if rating is not None]
    mean = sum(rated) / len(rated) if rated else 0.0
    centred = [0.0 if rating is None else rating - mean for rating in ratings]

    def t(nights: Sequence[bool]) -> float:
        return sum(one if o else -one for one, o in zip(centred, nights, strict=True))

    return math.exp(rate * t(on)) / (math.fsum(math.exp(rate * t(nights)) for nights in FORTNIGHTS) / 100)


@settings(max_examples=20, deadline=None)
@given(st.lists(maybe_rating, min_size=28, max_size=28), st.binary(min_size=32, max_size=32))
def test_e_of_a_test_is_the_product_over_its_fortnights(ratings: list[Rating | None], seed: bytes) -> None:
    plan = Plan(START, 28, seed)
    on = [arm is Arm.ON for arm in design.schedule(plan)]

    found = together.evidence(plan, diary(plan, ratings))

    for sign, logs in ((1, found.helps), (-1, found.harms)):
        for rate, log in zip(RATES, logs, strict=True):
            parts = [e_of_a_fortnight(on[n : n + 14], ratings[n : n + 14], sign * rate) for n in (0, 14)]
            assert math.exp(log) == pytest.approx(parts[0] * parts[1])


@settings(max_examples=10, deadline=None)
@given(st.lists(maybe_rating, min_size=14, max_size=14))
def test_e_is_1_on_average_over_the_schedules_whatever_the_nights(ratings: list[Rating | None]) -> None:
    told = tuple(None if rating is None else int(rating) for rating in ratings)
    found = [together._fortnight(Nights(Design.NIGHTLY, on, told), 0) for on in FORTNIGHTS]

    for index in range(len(RATES)):
        assert math.fsum(math.exp(one.helps[index]) for one in found) == pytest.approx(100)
        assert math.fsum(math.exp(one.harms[index]) for one in found) == pytest.approx(100)


@settings(max_examples=15, deadline=None)
@given(st.lists(maybe_rating, min_size=84, max_size=84))
def test_a_pair_of_weeks_is_one_step_with_two_orders(ratings: list[Rating | None]) -> None:
    plan = Plan(START, 84, SEED, design=Design.WEEKLY)
    arms = design.schedule(plan)
    expected = [0.0] * len(RATES)
    for first in range(0, 84, 14):
        kept = {n: ratings[n] for n in range(first, first + 14) if n % 7 >= 2 and ratings[n] is not None}
        mean = sum(float(r) for r in kept.values() if r is not None) / max(1, len(kept))
        t = sum((r - mean) * (1 if arms[n] is Arm.ON else -1) for n, r in kept.items() if r is not None)
        expected = [sum_ + rate * t - math.log(math.cosh(rate * t)) for sum_, rate in zip(expected, RATES, strict=True)]

    assert together.evidence(plan, diary(plan, ratings)).helps == pytest.approx(tuple(expected))


def test_a_test_of_version_1_counts_like_one_of_version_2() -> None:
    plan, old = Plan(START, 56, SEED), design.Plan(START, 56, SEED)
    records = by_arm(plan, Rating.BETTER, Rating.SAME)
    as_then = [design.AssignedNight(one.night, one.arm, rating=one.rating) for one in records]

    assert together.evidence(old, as_then) == together.evidence(plan, records)


def test_an_abandoned_test_counts_with_the_nights_it_has_and_a_begun_fortnight_too() -> None:
    plan = Plan(START, 56, SEED)
    records = by_arm(plan, Rating.BETTER, Rating.SAME)

    ten = together.evidence(plan, records[:24])
    stopped = together.evidence(plan, records, through=records[23].night)
    whole = together.evidence(plan, records[:14])

    assert ten == stopped
    assert ten.helps > whole.helps
    assert together.evidence(plan, [replace(one, rating=None) for one in records]) == Evidence()
    assert together.evidence(plan, []) == Evidence()
    assert together.evidence(plan, [AssignedNight(START, None, rating=Rating.BETTER)]) == Evidence()


def test_late_and_void_answers_and_those_outside_the_plan_add_nothing() -> None:
    plan = Plan(START, 28, SEED)
    records = by_arm(plan, Rating.BETTER, Rating.SAME)
    late = [replace(one, late=index == 3, void=index == 8) for index, one in enumerate(records)]
    left = [replace(one, rating=None) if index in (3, 8) else one for index, one in enumerate(records)]
    outside = AssignedNight(design.last_night(plan).replace(year=2030), None, rating=Rating.WORSE)

    assert together.evidence(plan, [*late, outside]) == together.evidence(plan, left)


def test_tests_multiply_and_their_order_does_not_matter() -> None:
    plans = [Plan(START, 28, bytes([n] * 32)) for n in range(3)]
    tests = [
        together.evidence(plan, by_arm(plan, on, Rating.SAME))
        for plan, on in zip(plans, (Rating.BETTER, Rating.SAME, Rating.MUCH_BETTER), strict=True)
    ]
    found = together.together(tests)

    helps = [sum(one.helps[index] for one in tests) for index in range(len(RATES))]
    assert found.e == pytest.approx(sum(math.exp(log) for log in helps) / len(RATES) / 2)
    assert (found.tests, found.helps) == (3, True)
    assert together.together(tests[::-1]).e == pytest.approx(found.e)


def test_of_the_two_directions_the_larger_is_told_with_half_of_it() -> None:
    plan = Plan(START, 28, SEED)
    helps = together.together([together.evidence(plan, by_arm(plan, Rating.BETTER, Rating.SAME))])
    harms = together.together([together.evidence(plan, by_arm(plan, Rating.WORSE, Rating.SAME))])

    assert (helps.helps, harms.helps) == (True, False)
    assert harms.e == pytest.approx(helps.e)


@pytest.mark.parametrize(("e", "one_in"), [(0.5, None), (4.999, None), (5.0, 5), (7.99, 7), (40.2, 40)])
def test_it_is_said_from_5_on_and_rounded_down(e: float, one_in: int | None) -> None:
    assert Together(1, True, e).one_in == one_in


def test_nothing_at_all_is_no_evidence_and_very_much_is_still_a_number() -> None:
    assert together.together([]) == Together(0, True, 0.5)
    assert together.together([Evidence((900.0,) * len(RATES))]).e > 1e100
