"""The self-experiment's design: who may start, which nights chance picks, how pauses move them."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.experiment import design
from bot.core.experiment.design import FORTNIGHTS, LENGTHS, RUN_IN, Arm, Gate, Plan, RunIn, Shift
from bot.core.experiment.seed import fingerprint

SEED = bytes(range(32))
START = date(2026, 11, 23)

seeds = st.binary(min_size=32, max_size=32)
starts = st.dates(date(2024, 1, 1), date(2030, 12, 31))
lengths = st.sampled_from(LENGTHS)
plans = st.builds(Plan, starts, lengths, seeds)


@st.composite
def paused_plans(draw: st.DrawFn) -> Plan:
    """Plans with up to three pauses, each some nights after the one before ended."""
    plan = draw(plans)
    night = plan.start + timedelta(days=draw(st.integers(-10, 30)))
    for _ in range(draw(st.integers(0, 3))):
        plan = design.postpone(plan, night, back=night + timedelta(days=draw(st.integers(1, 40))))
        night = plan.shifts[-1].back + timedelta(days=draw(st.integers(0, 40)))
    return plan


def letters(arms: tuple[Arm, ...]) -> str:
    return "".join("x" if arm is Arm.ON else "." for arm in arms)


# Who may start


def test_nobody_starts_with_a_gate_answered_yes_or_not_at_all() -> None:
    open_gates = dict.fromkeys(Gate, False)

    assert design.refusal(open_gates) is None
    for gate in Gate:
        assert design.refusal(open_gates | {gate: True}) is gate
        assert design.refusal({other: False for other in Gate if other is not gate}) is gate


# The fortnights


def test_exactly_100_of_the_128_fortnights_are_used_and_none_twice() -> None:
    assert len(FORTNIGHTS) == 100
    assert len(set(FORTNIGHTS)) == 100


def test_every_fortnight_has_each_weekday_once_on_and_once_off_and_no_run_over_four() -> None:
    for nights in FORTNIGHTS:
        assert len(nights) == 14
        assert all(first is not second for first, second in zip(nights[:7], nights[7:], strict=True))
        assert design.longest_run(nights) <= 4


def test_over_all_fortnights_every_night_is_on_in_half() -> None:
    assert [sum(column) for column in zip(*FORTNIGHTS, strict=True)] == [50] * 14


def test_the_order_of_the_fortnights_never_changes() -> None:
    """Running experiments hold an index into this list: whoever changes it changes what people were assigned."""
    text = "\n".join("".join("01"[on] for on in nights) for nights in FORTNIGHTS)

    assert text.startswith("00001001111011\n")
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "1a21965f0810bb0762ad561efa66490f4c4595b7838479c51d6b52648d2db3fe"
    )


def test_a_plan_has_this_very_schedule_for_ever() -> None:
    """Golden values: a change here would silently alter experiments that are under way."""
    plan = Plan(START, 84, SEED)

    assert (
        letters(design.schedule(plan))
        == "x...x...xxx.xxxx..x....xx.xxx..xxxx.xx....x..xxx..xx...x....xx.xxxx..xxx....x..xxxx."
    )
    assert fingerprint(SEED) == "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
    assert [design.bag_on(plan, design.night_at(plan, RUN_IN + i)) for i in range(10)] == [
        40,
        26,
        24,
        54,
        17,
        42,
        33,
        51,
        2,
        74,
    ]


def test_a_byte_that_would_favour_some_fortnights_is_drawn_again() -> None:
    def byte(number: int, attempt: int) -> int:
        return hmac.new(SEED, f"fortnight/{number}/{attempt}".encode(), "sha256").digest()[0]

    again = next(n for n in range(1, 100) if byte(n, 0) >= 200 and byte(n, 1) < 200)

    assert design.fortnight(SEED, again) == FORTNIGHTS[byte(again, 1) % 100]


def test_all_fortnights_are_drawn_equally_often() -> None:
    drawn = Counter(design.fortnight(SEED, number) for number in range(1, 20_001))

    chi_square = sum((drawn[nights] - 200) ** 2 / 200 for nights in FORTNIGHTS)
    assert chi_square < 149  # the 99.9 % point with 99 degrees of freedom


@settings(deadline=None)
@given(seeds, lengths)
def test_a_longer_plan_begins_like_a_shorter_one_of_the_same_seed(seed: bytes, length: int) -> None:
    whole = design.schedule(Plan(START, max(LENGTHS), seed))

    assert design.schedule(Plan(START, length, seed)) == whole[:length]


def test_runs_over_four_can_only_happen_where_two_fortnights_meet() -> None:
    joints = [design.longest_run(first + second) for first in FORTNIGHTS for second in FORTNIGHTS]

    assert max(joints) == 8
    assert sum(run > 4 for run in joints) == 800  # docs/experiment.md: 8 % of the joints


# Plans


@pytest.mark.parametrize(
    ("length", "seed", "shifts"),
    [
        (30, SEED, ()),
        (28, SEED[:-1], ()),
        (28, SEED, (Shift(START, 0),)),
        (28, SEED, (Shift(START, 2), Shift(START + timedelta(days=13), 1))),
    ],
    ids=["odd length", "short seed", "pause of no weeks", "overlapping pauses"],
)
def test_an_impossible_plan_is_refused(length: int, seed: bytes, shifts: tuple[Shift, ...]) -> None:
    with pytest.raises(ValueError):
        Plan(START, length, seed, shifts)


def test_a_plan_does_not_show_its_seed_in_logs() -> None:
    assert "x1f" not in repr(Plan(START, 28, SEED))


@settings(deadline=None)
@given(plans)
def test_a_plan_is_seven_run_in_nights_then_its_arms_then_nothing(plan: Plan) -> None:
    nights = [plan.start + timedelta(days=day) for day in range(-1, RUN_IN + plan.length + 1)]
    held = [design.arm_on(plan, night) for night in nights]

    assert held[0] is held[-1] is None
    assert held[1:8] == [RunIn(day) for day in range(1, 8)]
    assert tuple(held[8:-1]) == design.schedule(plan)
    assert design.last_night(plan) == nights[-2]


@settings(deadline=None)
@given(paused_plans())
def test_every_place_of_a_paused_plan_has_one_night_and_keeps_its_weekday(plan: Plan) -> None:
    places = range(RUN_IN + plan.length)
    nights = [design.night_at(plan, place) for place in places]

    assert [design.place_of(plan, night) for night in nights] == list(places)
    assert all(earlier < later for earlier, later in pairwise(nights))
    assert all((night - plan.start).days % 7 == place % 7 for place, night in zip(places, nights, strict=True))
    everything = [plan.start + timedelta(days=day) for day in range(-20, (nights[-1] - plan.start).days + 20)]
    assert [night for night in everything if design.place_of(plan, night) is not None] == nights


@settings(deadline=None)
@given(paused_plans())
def test_no_night_of_a_pause_has_an_arm(plan: Plan) -> None:
    for shift in plan.shifts:
        assert design.arm_on(plan, shift.night) is None
        assert design.arm_on(plan, shift.back - timedelta(days=1)) is None


@settings(deadline=None)
@given(plans, st.integers(0, 90), st.integers(1, 60))
def test_a_pause_moves_the_plan_by_the_fewest_whole_weeks_that_cover_it(plan: Plan, day: int, nights: int) -> None:
    since = plan.start + timedelta(days=day)

    moved = design.postpone(plan, since, back=since + timedelta(days=nights))

    (shift,) = moved.shifts
    assert shift.night == since
    assert 7 * (shift.weeks - 1) < nights <= 7 * shift.weeks
    resumed = design.arm_on(moved, since + timedelta(weeks=shift.weeks))
    assert resumed == design.arm_on(plan, since)


def test_a_pause_within_a_pause_lets_it_grow_and_never_shrinks_it() -> None:
    since = START + timedelta(days=20)
    plan = design.postpone(Plan(START, 28, SEED), since, back=since + timedelta(days=10))
    midway = since + timedelta(days=5)

    longer = design.postpone(plan, midway, back=since + timedelta(days=16))
    shorter = design.postpone(plan, midway, back=midway + timedelta(days=1))

    assert plan.shifts == shorter.shifts == (Shift(since, 2),)
    assert longer.shifts == (Shift(since, 3),)


def test_a_pause_cannot_be_empty_or_rewrite_an_earlier_one() -> None:
    since = START + timedelta(days=20)
    plan = design.postpone(Plan(START, 28, SEED), since, back=since + timedelta(days=7))

    with pytest.raises(ValueError):
        design.postpone(plan, since + timedelta(days=9), back=since + timedelta(days=9))
    with pytest.raises(ValueError):
        design.postpone(plan, since - timedelta(days=1), back=since + timedelta(days=1))


@pytest.mark.parametrize(
    ("day", "whole"), [(-1, 0), (6, 0), (19, 0), (20, 1), (21, 1), (33, 1), (34, 2), (61, 3), (62, 4), (500, 4)]
)
def test_only_whole_fortnights_count_after_a_stop(day: int, whole: int) -> None:
    plan = Plan(START, 56, SEED)

    assert design.whole_fortnights(plan, START + timedelta(days=day)) == whole


def test_paused_nights_do_not_complete_a_fortnight() -> None:
    plan = Plan(START, 56, SEED, (Shift(START + timedelta(days=20), 1),))

    assert design.whole_fortnights(plan, START + timedelta(days=26)) == 0
    assert design.whole_fortnights(plan, START + timedelta(days=27)) == 1


def test_a_night_can_be_voided_only_until_its_arm_is_shown() -> None:
    shown = datetime(2026, 12, 1, 21, 15, tzinfo=UTC)

    assert design.may_void(shown, revealed_at=None)
    assert design.may_void(shown - timedelta(seconds=1), revealed_at=shown)
    assert not design.may_void(shown, revealed_at=shown)


# Bags


@settings(deadline=None, max_examples=25)
@given(paused_plans())
def test_each_night_has_a_bag_of_its_own_that_holds_its_arm(plan: Plan) -> None:
    contents = design.bags(plan)
    nights = [design.night_at(plan, RUN_IN + index) for index in range(plan.length)]
    numbers = [design.bag_on(plan, night) for night in nights]

    assert sorted(number or 0 for number in numbers) == list(range(1, plan.length + 1))
    assert [contents[(number or 0) - 1] for number in numbers] == [design.arm_on(plan, night) for night in nights]


def test_no_bag_is_opened_in_the_run_in_or_outside_the_plan() -> None:
    plan = Plan(START, 28, SEED)

    assert design.bag_on(plan, START) is None
    assert design.bag_on(plan, START - timedelta(days=1)) is None


def test_the_number_of_a_bag_does_not_tell_its_arm_or_its_night() -> None:
    """Over many seeds, bag 1 holds magnesium in half, and belongs to every night about equally often."""
    many = [Plan(START, 28, hashlib.sha256(str(number).encode()).digest()) for number in range(2000)]
    on = sum(design.bags(plan)[0] is Arm.ON for plan in many)
    nights = Counter(
        next(i for i in range(28) if design.bag_on(plan, design.night_at(plan, RUN_IN + i)) == 1) for plan in many[:500]
    )

    assert abs(on - 1000) < 75  # 3.3 standard deviations
    assert len(nights) == 28
    assert max(nights.values()) < 40
