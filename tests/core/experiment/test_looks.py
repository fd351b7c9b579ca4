"""How a test of version 2 ends and what it is told to have found."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.experiment import design, exact, ranges, verdict
from bot.core.experiment.counts import ArmTally, Count, Label, Lack, Pairs
from bot.core.experiment.design import RUN_IN, Arm, AssignedNight, Design, Plan
from bot.core.experiment.exact import Chances
from bot.core.experiment.lived import placed
from bot.core.experiment.verdict import Blinding, Call, End, Missing, Verdict
from bot.core.model import Rating

START = date(2026, 11, 23)
SEED = bytes(range(32))

maybe_rating = st.one_of(st.none(), st.sampled_from(Rating), st.sampled_from(Rating))


def diary(plan: Plan, ratings: Sequence[Rating | None]) -> list[AssignedNight]:
    """Nights as assigned and taken, rated in order."""
    return [
        AssignedNight(design.night_at(plan, RUN_IN + index), arm, taken=arm is Arm.ON, rating=rating)
        for index, (arm, rating) in enumerate(zip(design.schedule(plan), ratings, strict=False))
    ]


def by_arm(plan: Plan, *, on: Rating, off: Rating) -> list[AssignedNight]:
    return diary(plan, [on if arm is Arm.ON else off for arm in design.schedule(plan)])


def by_chance(plan: Plan, number: int, gain: int = 0) -> list[AssignedNight]:
    """Ratings drawn evenly, one in eleven missing; the same ones on every machine."""
    drawn = hashlib.shake_256(str(number).encode()).digest(plan.length)
    return [
        replace(
            record,
            rating=None
            if byte % 11 == 10
            else Rating(max(-2, min(2, byte % 11 % 5 - 2 + gain * (record.arm is Arm.ON)))),
        )
        for record, byte in zip(diary(plan, [None] * plan.length), drawn, strict=True)
    ]


def indices(records: Sequence[AssignedNight], arm: Arm) -> list[int]:
    return [index for index, record in enumerate(records) if record.arm is arm]


def without(records: Sequence[AssignedNight], unanswered: Sequence[int]) -> list[AssignedNight]:
    return [replace(one, rating=None) if index in unanswered else one for index, one in enumerate(records)]


# Calls


@pytest.mark.parametrize(
    ("better", "worse", "call"),
    [
        (0.0153, 0.99, Call.BETTER),
        (0.01531, 0.99, Call.GO_ON),
        (0.99, 0.0153, Call.WORSE),
        (0.61, 0.21, Call.HOPELESS),
        (0.60, 0.45, Call.GO_ON),
        (0.85, 0.20, Call.GO_ON),  # it may yet prove to harm
        (0.85, 0.2001, Call.HOPELESS),
        (0.55, 0.55, Call.GO_ON),
    ],
)
def test_a_look_calls_what_is_past_the_bound_and_what_has_become_hopeless(
    better: float, worse: float, call: Call
) -> None:
    assert verdict._call(Chances(better, worse), 0.0153, may_be_hopeless=True) is call
    if call is Call.HOPELESS:
        assert verdict._call(Chances(better, worse), 0.0153, may_be_hopeless=False) is Call.GO_ON


@pytest.mark.parametrize(
    ("chances", "call", "end", "label"),
    [
        (Chances(0.01, 0.99), Call.BETTER, End.PLANNED, Label.CLEAR_HELP),
        (Chances(0.99, 0.01), Call.WORSE, End.CLEAR, Label.CLEAR_WORSE),
        (Chances(0.01, 0.99), Call.BETTER, End.STOPPED, Label.LEANS_HELP),
        (Chances(0.99, 0.01), Call.WORSE, End.STOPPED, Label.LEANS_WORSE),
        (Chances(0.20, 0.85), Call.GO_ON, End.PLANNED, Label.LEANS_HELP),
        (Chances(0.85, 0.20), Call.GO_ON, End.PLANNED, Label.LEANS_WORSE),
        (Chances(0.2001, 0.85), Call.GO_ON, End.PLANNED, Label.CANT_TELL),
        (Chances(0.85, 0.21), Call.HOPELESS, End.HOPELESS, Label.CANT_TELL),
        (Chances(1.0, 1.0), Call.GO_ON, End.PLANNED, Label.CANT_TELL),
    ],
)
def test_the_label_follows_the_call_and_the_end(chances: Chances, call: Call, end: End, label: Label) -> None:
    assert verdict._label(chances, call, end) is label


# Ends


def test_a_great_help_ends_a_long_test_at_the_first_look() -> None:
    plan = Plan(START, 84, SEED)

    found = verdict.analyse(plan, by_arm(plan, on=Rating.BETTER, off=Rating.SAME))

    assert (found.label, found.end, found.early, found.clear) == (Label.CLEAR_HELP, End.CLEAR, True, True)
    assert (found.fortnights, found.planned, found.bound) == (2, 6, 0.0011)
    assert found.chances == Chances(0.0001, 1.0)
    assert found.p == 0.0001
    assert (found.on, found.off, found.pairs) == (ArmTally(14, 14), ArmTally(0, 14), Pairs(14, 0, 0))
    assert found.size is not None
    assert (found.size.steps, found.size.low, found.size.high) == (1.0, 1.0, 1.0)
    assert (found.size.won, found.size.won_low) == (1.0, 1.0)


def test_great_harm_ends_it_too() -> None:
    plan = Plan(START, 56, SEED)

    found = verdict.analyse(plan, by_arm(plan, on=Rating.WORSE, off=Rating.SAME))

    assert (found.label, found.end, found.fortnights) == (Label.CLEAR_WORSE, End.CLEAR, 2)


def test_nights_all_alike_become_hopeless_at_the_third_fortnight_and_not_before() -> None:
    for length, last in ((28, 2), (56, 3), (84, 3)):
        plan = Plan(START, length, SEED)
        found = verdict.analyse(plan, by_arm(plan, on=Rating.SAME, off=Rating.SAME))

        assert (found.label, found.fortnights) == (Label.CANT_TELL, last)
        assert found.end is (End.PLANNED if length == 28 else End.HOPELESS)
        assert found.clear_size is None
        assert found.as_taken is None


def test_the_last_look_is_never_hopeless_and_has_its_own_bound() -> None:
    plan = Plan(START, 56, SEED)
    records = without(by_chance(plan, 3), range(42))

    assert verdict.look(plan, records, 4).call is Call.GO_ON  # too few rated: it decides nothing
    assert verdict.look(plan, by_chance(plan, 3), 4).bound == 0.0416


@settings(max_examples=40, deadline=None)
@given(
    number=st.integers(0, 10_000),
    length=st.sampled_from(design.LENGTHS),
    gain=st.integers(-1, 1),
    question=st.sampled_from(Design),
)
def test_a_test_ends_at_the_first_look_that_calls_for_it(number: int, length: int, gain: int, question: Design) -> None:
    plan = Plan(START, 84 if question is Design.WEEKLY else length, SEED, design=question)
    records = by_chance(plan, number, gain)
    bounds = design.bounds(plan)
    calls = {fortnights: verdict.look(plan, records, fortnights) for fortnights in bounds}
    last = next((n for n, one in calls.items() if one.call is not Call.GO_ON), max(bounds))

    found = verdict.analyse(plan, records)

    assert found.fortnights == last
    assert found.chances == calls[last].chances
    assert found.bound == calls[last].bound == bounds[last]
    # What comes after the end changes nothing, so a test made of what was lived until then is the same.
    assert verdict.analyse(plan, records[: 14 * last]) == found
    assert verdict.decided(plan, records) == (found.label, found.end, last)
    if found.clear:
        assert found.clear_size is not None
        assert (found.clear_size.low > 0) is (found.label is Label.CLEAR_HELP)
        assert (found.clear_size.high < 0) is (found.label is Label.CLEAR_WORSE)
        assert (found.clear_size.won_low > 0.5) is (found.label is Label.CLEAR_HELP)


MIRROR = {
    Label.CLEAR_HELP: Label.CLEAR_WORSE,
    Label.LEANS_HELP: Label.LEANS_WORSE,
    Label.CANT_TELL: Label.CANT_TELL,
    Label.NO_VERDICT: Label.NO_VERDICT,
    Label.LEANS_WORSE: Label.LEANS_HELP,
    Label.CLEAR_WORSE: Label.CLEAR_HELP,
}


@settings(max_examples=25, deadline=None)
@given(number=st.integers(0, 10_000), gain=st.integers(0, 1))
def test_mirrored_ratings_mirror_the_verdict_of_a_test_without_hopeless_looks(number: int, gain: int) -> None:
    """The hopeless rule alone has two sides: it asks more of a test that points to harm before it is given up."""
    plan = Plan(START, 28, SEED)
    records = by_chance(plan, number, gain)
    mirrored = [replace(one, rating=None if one.rating is None else Rating(-one.rating)) for one in records]

    found, other = verdict.analyse(plan, records), verdict.analyse(plan, mirrored)

    assert other.label is MIRROR[found.label]
    assert other.p == found.p
    assert (other.pairs.better, other.pairs.worse) == (found.pairs.worse, found.pairs.better)
    assert other.missing == found.missing
    if found.size is not None and other.size is not None:
        assert (other.size.low, other.size.high) == (-found.size.high, -found.size.low)
        assert other.size.won_low == pytest.approx(1 - found.size.won_high)


# Stopped by the person


def test_who_stops_gets_a_hint_where_the_bound_was_not_passed() -> None:
    plan = Plan(START, 84, SEED)
    hints = [
        found
        for number in range(40)
        if (found := stopped(plan, by_chance(plan, number, 1), nights=45)).end is End.STOPPED
        and found.label is not Label.CANT_TELL
    ]

    assert hints
    for found in hints:
        assert found.fortnights == 3
        assert found.label in (Label.LEANS_HELP, Label.LEANS_WORSE)
        assert found.chances is not None
        assert 0.0063 < found.chances.smaller <= 0.20
        assert found.clear_size is None


def stopped(plan: Plan, records: list[AssignedNight], *, nights: int) -> Verdict:
    """Stopped on the evening of night `nights`, from 1 after the run-in."""
    return verdict.analyse(plan, records[:nights], stopped_after=design.night_at(plan, RUN_IN + nights - 1))


def test_before_the_second_fortnight_is_over_there_is_no_verdict() -> None:
    plan = Plan(START, 56, SEED)
    records = by_arm(plan, on=Rating.BETTER, off=Rating.SAME)

    for nights, fortnights in ((13, 0), (14, 1), (27, 1)):
        found = stopped(plan, records, nights=nights)
        assert (found.label, found.lack, found.end) == (Label.NO_VERDICT, Lack.TOO_EARLY, End.STOPPED)
        assert (found.fortnights, found.chances, found.p, found.size) == (fortnights, None, None, None)
        assert found.on.nights == 7 * fortnights


def test_what_was_clear_at_a_look_stays_clear_when_the_person_stops_in_the_same_hour() -> None:
    plan = Plan(START, 84, SEED)

    found = stopped(plan, by_arm(plan, on=Rating.BETTER, off=Rating.SAME), nights=30)

    assert (found.label, found.end, found.fortnights) == (Label.CLEAR_HELP, End.CLEAR, 2)


def test_a_stop_after_the_last_night_is_no_stop() -> None:
    plan = Plan(START, 28, SEED)
    records = by_chance(plan, 12)

    assert verdict.analyse(plan, records, stopped_after=design.last_night(plan)) == verdict.analyse(plan, records)


def test_stopped_weeks_count_whole_pairs_and_are_no_more_than_a_hint() -> None:
    plan = Plan(START, 84, SEED, design=Design.WEEKLY)

    found = stopped(plan, by_arm(plan, on=Rating.BETTER, off=Rating.SAME), nights=70)

    assert (found.label, found.end, found.fortnights) == (Label.LEANS_HELP, End.STOPPED, 5)
    assert found.p == 1 / 32


# Weeks with and without


def test_weeks_leave_out_their_first_two_nights() -> None:
    plan = Plan(START, 84, SEED, design=Design.WEEKLY)
    records = by_arm(plan, on=Rating.BETTER, off=Rating.SAME)
    noisy = [replace(one, rating=Rating.MUCH_WORSE) if index % 7 < 2 else one for index, one in enumerate(records)]

    found = verdict.analyse(plan, noisy)

    assert found == verdict.analyse(plan, records)
    assert (found.label, found.p, found.bound) == (Label.CLEAR_HELP, 1 / 64, 0.05)
    assert (found.on, found.off, found.pairs.total) == (ArmTally(30, 30), ArmTally(0, 30), 30)
    assert found.missing == Missing(Count(0, 0), Count(30, 30))


# What counts


def test_ten_rated_nights_in_each_arm_are_enough_and_nine_in_one_are_not() -> None:
    plan = Plan(START, 28, SEED)
    records = by_arm(plan, on=Rating.BETTER, off=Rating.SAME)
    on = indices(records, Arm.ON)

    enough = verdict.analyse(plan, without(records, on[:4]))
    few = verdict.analyse(plan, without(records, on[:5]))

    assert enough.label is Label.CLEAR_HELP
    assert (few.label, few.lack, few.end) == (Label.NO_VERDICT, Lack.FEW_RATED_NIGHTS, End.PLANNED)
    assert (few.on, few.off, few.missing.mornings) == (ArmTally(9, 9), ArmTally(0, 14), Count(5, 0))
    assert few.missing.mornings.total == 5


def test_a_look_with_too_few_rated_nights_decides_nothing() -> None:
    plan = Plan(START, 56, SEED)
    records = by_arm(plan, on=Rating.BETTER, off=Rating.SAME)
    sparse = without(records, indices(records, Arm.ON)[:5])

    assert verdict.look(plan, sparse, 2) == verdict.Look(2, 0.0071, None, Call.GO_ON)
    assert verdict.analyse(plan, sparse).fortnights == 3


def test_late_and_void_ratings_are_left_out_and_only_late_ones_count_as_missing() -> None:
    plan = Plan(START, 28, SEED)
    records = by_chance(plan, 2)
    rated = [index for index, one in enumerate(records) if one.rating is not None]
    marked = [replace(one, late=i == rated[3], void=i == rated[20]) for i, one in enumerate(records)]

    plain, found = verdict.analyse(plan, without(records, [rated[3], rated[20]])), verdict.analyse(plan, marked)

    assert found.missing.mornings.total == plain.missing.mornings.total - 1
    assert found.missing.nights.total == plain.missing.nights.total - 1
    assert replace(found, missing=plain.missing) == plain


def test_nights_without_a_record_are_unanswered_mornings_and_the_run_in_is_the_baseline() -> None:
    plan = Plan(START, 56, SEED)
    records = by_chance(plan, 4)
    told = [Rating.BETTER, Rating.MUCH_BETTER, Rating.SAME, None, Rating.WORSE]
    run_in = [AssignedNight(START + timedelta(days=day), None, rating=rating) for day, rating in enumerate(told)]

    found = verdict.analyse(plan, run_in + [one for one in records if one.rating is not None])

    assert found.baseline == ArmTally(2, 4)
    assert replace(found, baseline=ArmTally(0, 0)) == verdict.analyse(plan, records)


def test_a_record_at_odds_with_the_plan_is_refused() -> None:
    plan = Plan(START, 28, SEED)
    records = by_chance(plan, 9)
    other = Arm.OFF if records[0].arm is Arm.ON else Arm.ON

    with pytest.raises(ValueError, match="the record says"):
        verdict.analyse(plan, [replace(records[0], arm=other), *records[1:]])
    with pytest.raises(ValueError, match="comes twice"):
        verdict.analyse(plan, [*records, records[5]])


def test_nights_outside_the_plan_are_passed_over() -> None:
    plan = Plan(START, 28, SEED)
    records = by_chance(plan, 7)
    outside = [AssignedNight(START - timedelta(days=1), None, rating=Rating.WORSE)]

    assert verdict.analyse(plan, records + outside) == verdict.analyse(plan, records)


# How often luck does it


@pytest.mark.parametrize(
    ("length", "fortnights", "p", "under"),
    [
        (28, 2, 0.05, 20),
        (28, 2, 0.02, 20),
        (28, 2, 0.0199, 50),
        (28, 2, 0.0099, 100),
        (28, 2, 0.0009, 1000),
        (84, 2, 0.0009, 1000),
        (84, 3, 0.0001, 100),  # an earlier look might have been past its bound in 11 of 10,000
        (84, 4, 0.0001, 100),
        (84, 4, 0.0127, 20),
        (84, 6, 0.0001, 20),
    ],
)
def test_luck_is_told_with_the_earlier_looks(length: int, fortnights: int, p: float, under: int) -> None:
    assert verdict._luck_under(Plan(START, length, SEED), fortnights, p) == under


def test_luck_is_told_beside_a_clear_verdict_and_a_hint_alone() -> None:
    for number, length in product(range(12), (28, 84)):
        found = verdict.analyse(Plan(START, length, SEED), by_chance(Plan(START, length, SEED), number, 1))
        hint = found.label in (Label.LEANS_HELP, Label.LEANS_WORSE)
        assert (found.luck_under is not None) is found.clear
        assert found.hint_in is None or hint
        if hint and found.p is not None:
            assert found.hint_in == (round(1 / found.p) if found.p > 1 / 19.5 else None)


# As taken


def with_intake(records: Sequence[AssignedNight], *, on_taken: int, off_taken: int) -> list[AssignedNight]:
    """The first so many nights of each arm taken, the others not."""
    left = {Arm.ON: on_taken, Arm.OFF: off_taken}
    told = []
    for record in records:
        assert record.arm is not None
        told.append(replace(record, taken=left[record.arm] > 0))
        left[record.arm] -= 1
    return told


def test_as_taken_is_the_difference_and_its_strict_range_over_the_adherence_gap() -> None:
    plan = Plan(START, 28, SEED)
    records = without(by_arm(plan, on=Rating.BETTER, off=Rating.SAME), ())
    swapped = indices(records, Arm.OFF)[0]
    records[swapped] = replace(records[swapped], rating=Rating.BETTER)

    found = verdict.analyse(plan, with_intake(records, on_taken=12, off_taken=2))

    assert found.clear_size is not None
    assert found.as_taken is not None
    assert found.as_taken.steps == pytest.approx(found.clear_size.steps * 14 / 10)
    assert found.as_taken.low == pytest.approx(found.clear_size.low * 14 / 10)
    assert found.as_taken.high == pytest.approx(found.clear_size.high * 14 / 10)
    assert found.as_taken.won_low > 0.5


def test_as_taken_is_left_out_when_intake_hardly_differed_or_is_unknown_in_an_arm() -> None:
    plan = Plan(START, 28, SEED)
    records = by_arm(plan, on=Rating.BETTER, off=Rating.SAME)
    half_known = [replace(one, taken=None if one.arm is Arm.OFF else True) for one in records]
    other_half = [replace(one, taken=None if one.arm is Arm.ON else False) for one in records]

    assert verdict.analyse(plan, with_intake(records, on_taken=8, off_taken=4)).as_taken is None
    assert verdict.analyse(plan, with_intake(records, on_taken=8, off_taken=3)).as_taken is not None
    assert verdict.analyse(plan, half_known).as_taken is None
    assert verdict.analyse(plan, other_half).as_taken is None


def test_as_taken_never_leaves_the_scale() -> None:
    plan = Plan(START, 28, SEED)
    records = by_arm(plan, on=Rating.MUCH_BETTER, off=Rating.MUCH_WORSE)

    found = verdict.analyse(plan, with_intake(records, on_taken=14, off_taken=9)).as_taken

    assert found is not None
    assert (found.steps, found.high) == (ranges.LARGEST_SHIFT, ranges.LARGEST_SHIFT)


# Missing mornings


@settings(max_examples=20, deadline=None)
@given(number=st.integers(0, 3000), mirrored=st.booleans())
def test_the_tipping_point_is_the_first_number_of_mornings_that_takes_the_verdict_back(
    number: int,
    mirrored: bool,
) -> None:
    plan = Plan(START, 28, SEED)
    sign = -1 if mirrored else 1
    records = [
        replace(one, rating=None if one.rating is None else Rating(sign * one.rating))
        for one in by_chance(plan, number, 2)
    ]
    found = verdict.analyse(plan, records)
    if not found.clear:
        assert found.missing.undo is None
        return
    unanswered = {arm: [i for i in indices(records, arm) if records[i].rating is None] for arm in Arm}
    turn = [i for pair in zip(*unanswered.values(), strict=False) for i in pair]
    turn += [i for arm in Arm for i in unanswered[arm] if i not in turn]
    undone = []
    for many in range(1, len(turn) + 1):
        against = list(records)
        for i in turn[:many]:
            against[i] = replace(against[i], rating=Rating(-2 * sign if against[i].arm is Arm.ON else 2 * sign))
        chances = verdict.look(plan, against, 2).chances
        assert chances is not None
        undone.append((chances.worse if mirrored else chances.better) > 0.05)

    assert found.missing.undo == (undone.index(True) + 1 if True in undone else None)


def test_void_nights_cannot_undo_anything() -> None:
    plan = Plan(START, 28, SEED)
    records = by_arm(plan, on=Rating.BETTER, off=Rating.SAME)
    gone = [indices(records, arm)[n] for arm in Arm for n in range(3)]
    missing = verdict.analyse(plan, without(records, gone)).missing
    void = [replace(one, void=True) if i in gone else one for i, one in enumerate(without(records, gone))]

    assert missing.mornings == Count(3, 3)
    assert verdict.analyse(plan, void).missing == Missing(Count(0, 0), Count(11, 11))


@pytest.mark.parametrize(
    ("mornings", "nights", "unequal"),
    [
        (Count(0, 0), Count(14, 14), False),
        (Count(1, 0), Count(10, 10), True),
        (Count(1, 0), Count(11, 11), False),
        (Count(0, 4), Count(28, 28), True),
        (Count(0, 0), Count(0, 0), False),
    ],
)
def test_answered_shares_are_unequal_from_10_in_100_on(mornings: Count, nights: Count, *, unequal: bool) -> None:
    assert Missing(mornings, nights).unequal is unequal


# Pairs, stomach, guesses


@settings(max_examples=25, deadline=None)
@given(st.lists(maybe_rating, min_size=28, max_size=28))
def test_pairs_are_a_weekdays_two_nights_in_a_fortnight(ratings: list[Rating | None]) -> None:
    plan = Plan(START, 28, SEED)
    records = diary(plan, ratings)
    gains = []
    for first, second in ((records[i], records[i + 7]) for i in (*range(7), *range(14, 21))):
        with_it, other = (first, second) if first.arm is Arm.ON else (second, first)
        assert with_it.night.weekday() == other.night.weekday()
        if with_it.rating is not None and other.rating is not None:
            gains.append(with_it.rating - other.rating)

    pairs = verdict.analyse(plan, records).pairs

    assert pairs == Pairs(sum(g > 0 for g in gains), sum(g < 0 for g in gains), sum(g == 0 for g in gains))


def test_the_stomach_counts_on_the_first_nights_of_weeks_too() -> None:
    plan = Plan(START, 84, SEED, design=Design.WEEKLY)
    unwell = [replace(one, stomach=index % 7 == 0) for index, one in enumerate(by_chance(plan, 1))]

    assert verdict.analyse(plan, unwell).stomach == Count(6, 6)


def test_stomach_reasons_are_counted_by_arm_on_nights_that_are_not_void() -> None:
    plan = Plan(START, 28, SEED)
    records = by_chance(plan, 1)
    on, off = indices(records, Arm.ON), indices(records, Arm.OFF)
    unwell = [replace(one, stomach=i in (*on[:3], off[0])) for i, one in enumerate(records)]
    void = [replace(one, void=i == on[0]) for i, one in enumerate(unwell)]

    assert verdict.analyse(plan, unwell).stomach == Count(3, 1)
    assert verdict.analyse(plan, void).stomach == Count(2, 1)


def test_without_guesses_nothing_is_said_of_the_bags() -> None:
    plan = Plan(START, 28, SEED)

    assert verdict.analyse(plan, by_chance(plan, 1)).blinding is None


@pytest.mark.parametrize("question", Design)
def test_guesses_are_held_against_every_schedule(question: Design) -> None:
    plan = Plan(START, 84, SEED, design=question)
    records = by_chance(plan, 5)
    every = list(product(design.patterns(question), repeat=2))
    guesses = [None, Arm.ON, Arm.OFF, Arm.ON, Arm.ON, Arm.OFF, None] * 4
    guessed = [replace(one, guess=guess) for one, guess in zip(records[:28], guesses, strict=True)]

    def hits(on: Sequence[bool]) -> int:
        return sum((guess is Arm.ON) is o for guess, o in zip(guesses, on, strict=True) if guess is not None)

    found = verdict._blinding(placed(plan, guessed), placed(plan, guessed).nights(2))

    seen = hits([one.arm is Arm.ON for one in records[:28]])
    assert found == Blinding(seen, 20, sum(hits(sum(parts, ())) >= seen for parts in every) / len(every))


def test_a_perfect_guesser_shows_that_the_bags_did_not_keep_their_secret() -> None:
    plan = Plan(START, 28, SEED)
    records = by_chance(plan, 5)
    knows = verdict.analyse(plan, [replace(one, guess=one.arm) for one in records]).blinding
    always_on = verdict.analyse(plan, [replace(one, guess=Arm.ON) for one in records]).blinding

    assert knows == Blinding(28, 28, 0.0001)
    assert not knows.kept
    assert always_on == Blinding(14, 28, 1.0)
    assert always_on.kept


def test_a_verdict_worked_out_once_stays_as_it_is() -> None:
    plan = Plan(START, 84, SEED)

    found = verdict.analyse(plan, by_chance(plan, 11, 1))

    assert found.size is not None
    assert (found.label, found.end, found.fortnights, found.p) == (Label.CLEAR_HELP, End.CLEAR, 5, 0.0056481777)
    assert [round(value, 9) for value in (found.size.steps, found.size.low, found.size.high)] == [
        0.893939394,
        0.461538462,
        1.339287524,
    ]
    assert [round(value, 9) for value in (found.size.won, found.size.won_low, found.size.won_high)] == [
        0.67996917,
        0.598157651,
        0.751579404,
    ]


def test_the_looks_chances_are_those_of_the_exact_test() -> None:
    plan = Plan(START, 84, SEED)
    records = by_chance(plan, 21)

    for fortnights in (2, 4, 6):
        nights = placed(plan, records).nights(fortnights)
        assert verdict.look(plan, records, fortnights).chances == exact.chances(nights)
