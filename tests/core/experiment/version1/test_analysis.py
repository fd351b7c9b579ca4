"""The self-experiment's verdict, against brute force, scipy and simple cases worked out by hand."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.experiment import design
from bot.core.experiment.counts import ArmTally, Label, Lack, Pairs
from bot.core.experiment.design import FORTNIGHTS, RUN_IN, Arm, AssignedNight, Plan, Shift
from bot.core.experiment.version1 import analysis
from bot.core.model import Rating

SEED = bytes(range(32))
START = date(2026, 11, 23)

maybe_rating = st.one_of(st.none(), st.sampled_from(Rating))
diaries = st.lists(maybe_rating, min_size=28, max_size=28)


def records(plan: Plan, ratings: list[Rating | None]) -> list[AssignedNight]:
    """Nights as assigned and taken, rated in order."""
    arms = design.schedule(plan)
    nights = [design.night_at(plan, RUN_IN + index) for index in range(plan.length)]
    triples = zip(nights, arms, ratings, strict=True)
    return [AssignedNight(night, arm, taken=arm is Arm.ON, rating=rating) for night, arm, rating in triples]


def rated_by_arm(plan: Plan, *, on: Rating, off: Rating) -> list[AssignedNight]:
    return records(plan, [on if arm is Arm.ON else off for arm in design.schedule(plan)])


def chance_diary(plan: Plan, number: int) -> list[AssignedNight]:
    """Ratings drawn evenly, one in eleven missing; the same ones on every machine."""
    drawn = hashlib.shake_256(str(number).encode()).digest(plan.length)
    return records(plan, [None if byte % 11 == 10 else Rating(byte % 11 % 5 - 2) for byte in drawn])


def sides(plan: Plan, diary: list[AssignedNight]) -> tuple[list[bool], list[Rating | None]]:
    return [arm is Arm.ON for arm in design.schedule(plan)], [record.rating for record in diary]


def swapped(verdict_rating: Rating | None) -> Rating | None:
    return None if verdict_rating is None else Rating(-verdict_rating)


# The re-randomisation test


@settings(max_examples=4, deadline=None)
@given(diary=st.lists(maybe_rating, min_size=28, max_size=28), number=st.integers(0, 2**32))
def test_28_nights_are_set_against_every_schedule_one_by_one(diary: list[Rating | None], number: int) -> None:
    plan = Plan(START, 28, number.to_bytes(32, "big"))
    on, rating = sides(plan, records(plan, diary))

    def difference(nights: tuple[bool, ...]) -> float | None:
        arms = [
            [r for o, r in zip(nights, diary, strict=True) if o is side and r is not None] for side in (True, False)
        ]
        return None if not all(arms) else sum(arms[0]) / len(arms[0]) - sum(arms[1]) / len(arms[1])

    seen = difference(tuple(map(bool, on)))
    others = [difference(first + second) for first, second in product(FORTNIGHTS, FORTNIGHTS)]
    helpful = sum(o is None or seen is None or o >= seen - 1e-9 for o in others)
    harmful = sum(o is None or seen is None or o <= seen + 1e-9 for o in others)

    assert analysis.chances(on, rating, seed=plan.seed) == (helpful / 10_000, harmful / 10_000)


def test_scipy_finds_the_same_p_when_every_schedule_is_a_sample() -> None:
    """One fortnight without its cap on runs is scipy's paired test; ours differs only by the 28 schedules left out."""
    on = FORTNIGHTS[70]
    rating = [Rating(r) for r in (1, 0, 2, -1, 1, 1, 0, -1, 0, 1, -2, 0, 1, -1)]
    pairs = np.array(rating, dtype=float).reshape(2, 7)
    first = np.array(on[:7])

    oracle = scipy.stats.permutation_test(
        (np.where(first, pairs[0], pairs[1]), np.where(first, pairs[1], pairs[0])),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        alternative="greater",
        n_resamples=np.inf,
    )
    kept = {nights[:7] for nights in FORTNIGHTS}
    weeks = list(product((False, True), repeat=7))
    exact = [np.mean(np.where(week, pairs[0] - pairs[1], pairs[1] - pairs[0])) for week in weeks]
    seen = np.mean(np.where(first, pairs[0] - pairs[1], pairs[1] - pairs[0]))
    hits = [value >= seen - 1e-9 for value in exact]
    dropped = [hit for hit, week in zip(hits, weeks, strict=True) if week not in kept]

    ours = analysis.chances(on, rating, seed=SEED)[0]
    assert oracle.pvalue == pytest.approx(sum(hits) / 128)
    assert ours == pytest.approx((128 * oracle.pvalue - sum(dropped)) / 100)


def test_drawn_schedules_approach_every_schedule() -> None:
    """Two fortnights are enumerated and three drawn: with the third unrated both agree up to the luck of drawing."""
    plan = Plan(START, 28, SEED)
    on, rating = sides(plan, chance_diary(plan, 3))
    exact = analysis.chances(on, rating, seed=SEED)

    drawn = analysis.chances([*on, *FORTNIGHTS[0]], [*rating, *[None] * 14], seed=SEED)

    for one, other in zip(exact, drawn, strict=True):
        assert other == pytest.approx(one, abs=4 * (one * (1 - one) / 4000) ** 0.5 + 1 / 4001)


def test_drawn_schedules_use_all_fortnights_equally_in_every_place() -> None:
    drawn = np.array(list(analysis._drawn_schedules(SEED, 6)))

    assert drawn.shape == (4000, 6)
    for place in range(6):
        assert scipy.stats.chisquare(np.bincount(drawn[:, place], minlength=100)).pvalue > 1e-4


def test_an_effect_on_every_night_has_the_smallest_p_that_draws_allow() -> None:
    plan = Plan(START, 56, SEED)
    verdict = analysis.analyse(plan, rated_by_arm(plan, on=Rating.MUCH_BETTER, off=Rating.MUCH_WORSE))

    assert verdict.p == 1 / 4001
    assert verdict.one_in == 4001


def test_p_of_28_nights_counts_the_observed_schedule_once() -> None:
    plan = Plan(START, 28, SEED)

    verdict = analysis.analyse(plan, rated_by_arm(plan, on=Rating.MUCH_BETTER, off=Rating.MUCH_WORSE))

    assert verdict.p == 1 / 10_000


@settings(max_examples=5, deadline=None)
@given(st.lists(st.sampled_from(Rating), min_size=14, max_size=14))
def test_a_useless_pill_reaches_a_p_in_no_more_schedules_than_p_says(ratings: list[Rating]) -> None:
    """The test's own promise, whatever the nights: over all schedules that can be drawn, p <= x in at most x."""
    found = np.array([analysis.chances(nights, ratings, seed=SEED) for nights in FORTNIGHTS])

    for limit in (0.01, 0.05, 0.10, 0.20, 0.50):
        assert (found <= limit + 1e-12).mean(axis=0).max() <= limit


def test_a_schedule_that_leaves_an_arm_unrated_counts_as_extreme_both_ways() -> None:
    rating = [Rating.BETTER, *[None] * 27]  # one rated night: some arm is always empty

    assert analysis.chances(FORTNIGHTS[3] + FORTNIGHTS[4], rating, seed=SEED) == (1.0, 1.0)


def test_the_same_diary_gets_the_same_verdict_every_time() -> None:
    plan = Plan(START, 56, SEED)
    diary = chance_diary(plan, 11)

    assert analysis.analyse(plan, diary) == analysis.analyse(plan, diary[::-1])


def test_golden_verdicts_stay_as_they_are() -> None:
    """A change here would alter what people under way will be told, and what the page's program must give."""
    found = {
        length: analysis.analyse(plan := Plan(START, length, SEED), chance_diary(plan, 1)) for length in (28, 56, 84)
    }

    assert {length: (str(v.label), round(v.p or 0, 6)) for length, v in found.items()} == {
        28: ("clear_help", 0.0303),
        56: ("cant_tell", 0.275181),
        84: ("cant_tell", 0.218945),
    }


@settings(max_examples=25, deadline=None)
@given(number=st.integers(0, 10_000), length=st.sampled_from(design.LENGTHS))
def test_mirrored_ratings_mirror_the_verdict(number: int, length: int) -> None:
    plan = Plan(START, length, SEED)
    diary = chance_diary(plan, number)
    mirrored = [replace(record, rating=swapped(record.rating)) for record in diary]

    one, other = analysis.analyse(plan, diary), analysis.analyse(plan, mirrored)

    opposite = {
        Label.CLEAR_HELP: Label.CLEAR_WORSE,
        Label.LEANS_HELP: Label.LEANS_WORSE,
        Label.CANT_TELL: Label.CANT_TELL,
        Label.NO_VERDICT: Label.NO_VERDICT,
    }
    both_ways = opposite | {there: back for back, there in opposite.items()}
    assert other.label is both_ways[one.label]
    assert other.p == one.p
    assert (other.pairs.better, other.pairs.worse) == (one.pairs.worse, one.pairs.better)


@pytest.mark.parametrize(
    ("helpful", "harmful", "label"),
    [
        (0.05, 0.96, Label.CLEAR_HELP),
        (0.0501, 0.95, Label.LEANS_HELP),
        (0.20, 0.81, Label.LEANS_HELP),
        (0.2001, 0.81, Label.CANT_TELL),
        (1.0, 1.0, Label.CANT_TELL),
        (0.81, 0.2001, Label.CANT_TELL),
        (0.81, 0.20, Label.LEANS_WORSE),
        (0.96, 0.0501, Label.LEANS_WORSE),
        (0.96, 0.05, Label.CLEAR_WORSE),
    ],
)
def test_the_label_follows_the_two_thresholds(helpful: float, harmful: float, label: Label) -> None:
    assert analysis._label(helpful, harmful) is label


# The size


@given(st.integers(10, 42), st.integers(10, 42), st.data())
@settings(max_examples=30, deadline=None)
@pytest.mark.long
def test_the_interval_is_the_one_scipy_integrates(rated_on: int, rated_off: int, data: st.DataObject) -> None:
    on = ArmTally(data.draw(st.integers(1, rated_on - 1)), rated_on)
    off = ArmTally(data.draw(st.integers(1, rated_off - 1)), rated_off)
    pooled = (on.better + off.better) / (rated_on + rated_off)
    with_it, without = (
        scipy.stats.beta(8 * pooled + arm.better, 8 * (1 - pooled) + arm.nights - arm.better) for arm in (on, off)
    )

    effect = analysis.size(on, off)

    def below(limit: float) -> float:
        return float(scipy.integrate.quad(lambda x: with_it.pdf(x) * without.sf(x - limit), 0, 1, limit=200)[0])

    assert below(effect.low / 100) == pytest.approx(0.1, abs=0.004)
    assert below(effect.high / 100) == pytest.approx(0.9, abs=0.004)
    assert effect.per_100 == pytest.approx(100 * (with_it.mean() - without.mean()))


@pytest.mark.parametrize(("a", "b"), [(0.02, 60.0), (0.5, 0.5), (1, 1), (8.4, 30), (50, 0.02)])
def test_posterior_values_are_scipys_quantiles(a: float, b: float) -> None:
    expected = scipy.stats.beta(a, b).ppf((np.arange(400) + 0.5) / 400)

    np.testing.assert_allclose(analysis._beta_values(a, b), expected, atol=2e-4)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=30, max_size=60),
    st.lists(st.floats(0, 1), min_size=30, max_size=60),
    st.sampled_from([0.1, 0.5, 0.9]),
)
def test_quantiles_of_all_differences_are_numpys(one: list[float], other: list[float], share: float) -> None:
    expected = np.quantile(np.subtract.outer(one, other), share)

    assert analysis._quantile(sorted(one), sorted(other), share) == pytest.approx(float(expected), abs=1e-9)


def test_a_quantile_between_two_far_values_is_half_way() -> None:
    """450 differences are 0 and 450 are 10, so that the middle one lies between two ranks."""
    assert analysis._quantile([0.0] * 15 + [10.0] * 15, [0.0] * 30, 0.5) == 5.0


@pytest.mark.parametrize(("x", "y"), [(-1, 10), (0, 10), (0.5, 11), (1, 12), (1.5, 22), (2, 32), (3, 32)])
def test_a_line_through_points_ends_at_the_last_ones(x: float, y: float) -> None:
    assert analysis._between([0, 1, 2], [10, 12, 32], x) == y == float(np.interp(x, [0, 1, 2], [10, 12, 32]))


@pytest.mark.parametrize(
    ("on", "off", "expected"),
    [
        (ArmTally(13, 24), ArmTally(7, 25), (19.7220934, 4.45635473, 34.7666024)),
        (ArmTally(0, 10), ArmTally(0, 42), (0.273504274, -0.261870159, 0.911465705)),
        (ArmTally(40, 42), ArmTally(3, 12), (45.8888889, 30.9098398, 60.6924142)),
    ],
)
def test_sizes_told_by_earlier_releases_come_out_the_same(
    on: ArmTally, off: ArmTally, expected: tuple[float, float, float]
) -> None:
    effect = analysis.size(on, off)

    assert [float(f"{value:.9g}") for value in (effect.per_100, effect.low, effect.high)] == list(expected)


def test_the_size_is_pulled_towards_no_difference() -> None:
    effect = analysis.size(ArmTally(13, 24), ArmTally(7, 25))

    assert effect.low < effect.per_100 < effect.high
    assert 0 < effect.per_100 < 100 * (13 / 24 - 7 / 25)


@given(st.integers(10, 42), st.integers(10, 42))
@settings(max_examples=20, deadline=None)
def test_no_better_night_at_all_or_only_better_nights_still_give_an_interval(on: int, off: int) -> None:
    none, every = analysis.size(ArmTally(0, on), ArmTally(0, off)), analysis.size(ArmTally(on, on), ArmTally(off, off))

    for effect in (none, every):
        assert -100 < effect.low < 0 < effect.high < 100
        assert abs(effect.per_100) < 5


# What is counted


def test_a_clear_help_in_full() -> None:
    plan = Plan(START, 56, SEED)
    diary = rated_by_arm(plan, on=Rating.BETTER, off=Rating.SAME)

    verdict = analysis.analyse(plan, diary)

    assert (verdict.label, verdict.lack) == (Label.CLEAR_HELP, None)
    assert (verdict.nights, verdict.planned, verdict.missing) == (56, 56, 0)
    assert (verdict.on, verdict.off) == (ArmTally(28, 28), ArmTally(0, 28))
    assert (verdict.pairs, verdict.pairs.total) == (Pairs(28, 0, 0), 28)
    assert verdict.difference == 1.0
    assert verdict.effect is not None
    assert verdict.as_taken == pytest.approx(verdict.effect.per_100)
    assert not verdict.missing_flips


def test_all_nights_alike_cannot_tell() -> None:
    plan = Plan(START, 28, SEED)

    verdict = analysis.analyse(plan, rated_by_arm(plan, on=Rating.BETTER, off=Rating.BETTER))

    assert (verdict.label, verdict.p, verdict.difference) == (Label.CANT_TELL, 1.0, 0.0)
    assert verdict.pairs == Pairs(0, 0, 14)
    assert not verdict.missing_flips


def test_ten_rated_nights_in_each_arm_are_enough_and_nine_in_one_are_not() -> None:
    plan = Plan(START, 28, SEED)
    diary = rated_by_arm(plan, on=Rating.BETTER, off=Rating.SAME)
    on_nights = [index for index, record in enumerate(diary) if record.arm is Arm.ON]
    for index in on_nights[:4]:
        diary[index] = replace(diary[index], rating=None)
    enough = analysis.analyse(plan, diary)
    diary[on_nights[4]] = replace(diary[on_nights[4]], rating=None)

    few = analysis.analyse(plan, diary)

    assert enough.label is not Label.NO_VERDICT
    assert (few.label, few.lack) == (Label.NO_VERDICT, Lack.FEW_RATED_NIGHTS)
    assert (few.p, few.one_in, few.difference, few.effect, few.as_taken) == (None,) * 5
    assert (few.on, few.off, few.missing) == (ArmTally(9, 9), ArmTally(0, 14), 5)


def test_late_and_void_ratings_are_left_out_and_only_late_ones_count_as_missing() -> None:
    plan = Plan(START, 56, SEED)
    diary = chance_diary(plan, 2)
    rated = [index for index, record in enumerate(diary) if record.rating is not None]
    late, void = rated[3], rated[20]
    blanked = [replace(r, rating=None) if i in (late, void) else r for i, r in enumerate(diary)]
    marked = [replace(r, late=i == late, void=i == void) for i, r in enumerate(diary)]

    plain, verdict = analysis.analyse(plan, blanked), analysis.analyse(plan, marked)

    assert verdict.missing == plain.missing - 1
    assert replace(verdict, missing=0, missing_flips=False) == replace(plain, missing=0, missing_flips=False)


def test_nights_without_a_record_are_missing_mornings() -> None:
    plan = Plan(START, 56, SEED)
    diary = chance_diary(plan, 4)
    answered = [record for record in diary if record.rating is not None]

    assert len(answered) < len(diary)
    assert analysis.analyse(plan, answered) == analysis.analyse(plan, diary)


def test_run_in_nights_are_the_baseline_and_change_nothing_else() -> None:
    plan = Plan(START, 28, SEED)
    diary = chance_diary(plan, 6)
    ratings = [Rating.BETTER, Rating.MUCH_BETTER, Rating.SAME, None, Rating.WORSE]
    run_in = [AssignedNight(START + timedelta(days=day), None, rating=rating) for day, rating in enumerate(ratings)]

    verdict = analysis.analyse(plan, run_in + diary)

    assert verdict.baseline == ArmTally(2, 4)
    assert replace(verdict, baseline=ArmTally(0, 0)) == analysis.analyse(plan, diary)


def test_nights_before_after_and_while_paused_are_passed_over() -> None:
    pause = START + timedelta(days=20)
    plan = Plan(START, 28, SEED, (Shift(pause, 1),))
    diary = chance_diary(plan, 7)
    outside = [START - timedelta(days=1), pause, design.last_night(plan) + timedelta(days=1)]

    verdict = analysis.analyse(
        plan, diary + [AssignedNight(night, None, rating=Rating.MUCH_WORSE) for night in outside]
    )

    assert verdict == analysis.analyse(plan, diary)


def test_a_pause_changes_the_dates_and_not_the_verdict() -> None:
    plan = Plan(START, 56, SEED)
    moved = replace(plan, shifts=(Shift(START + timedelta(days=25), 3),))

    assert analysis.analyse(moved, chance_diary(moved, 8)) == analysis.analyse(plan, chance_diary(plan, 8))


def test_a_record_at_odds_with_the_plan_is_refused() -> None:
    plan = Plan(START, 28, SEED)
    diary = chance_diary(plan, 9)
    other = Arm.OFF if diary[0].arm is Arm.ON else Arm.ON

    with pytest.raises(ValueError, match="the record says"):
        analysis.analyse(plan, [replace(diary[0], arm=other), *diary[1:]])
    with pytest.raises(ValueError, match="the record says"):
        analysis.analyse(plan, [AssignedNight(START, Arm.ON)])
    with pytest.raises(ValueError, match="comes twice"):
        analysis.analyse(plan, [*diary, diary[5]])


# Stopping early


def test_after_a_stop_only_whole_fortnights_count() -> None:
    plan = Plan(START, 56, SEED)
    diary = chance_diary(plan, 10)
    stopped = design.night_at(plan, RUN_IN + 40)

    verdict = analysis.analyse(plan, diary[:41], through=stopped)

    assert (verdict.nights, verdict.planned) == (28, 56)
    assert replace(verdict, planned=28) == analysis.analyse(Plan(START, 28, SEED), diary[:28])


def test_a_stop_before_the_first_fortnight_ends_gives_no_verdict() -> None:
    plan = Plan(START, 56, SEED)

    verdict = analysis.analyse(plan, chance_diary(plan, 1)[:13], through=design.night_at(plan, RUN_IN + 12))

    assert (verdict.label, verdict.lack, verdict.nights) == (Label.NO_VERDICT, Lack.NO_WHOLE_FORTNIGHT, 0)
    assert (verdict.on, verdict.off, verdict.pairs.total, verdict.missing) == (ArmTally(0, 0), ArmTally(0, 0), 0, 0)


def test_one_fortnight_is_too_few_nights_for_a_verdict() -> None:
    plan = Plan(START, 28, SEED)
    diary = rated_by_arm(plan, on=Rating.BETTER, off=Rating.WORSE)

    verdict = analysis.analyse(plan, diary[:14], through=design.night_at(plan, RUN_IN + 13))

    assert verdict.lack is Lack.FEW_RATED_NIGHTS
    assert (verdict.on, verdict.off, verdict.pairs) == (ArmTally(7, 7), ArmTally(0, 7), Pairs(7, 0, 0))


def test_a_stop_after_the_last_night_is_no_stop() -> None:
    plan = Plan(START, 28, SEED)
    diary = chance_diary(plan, 12)

    assert analysis.analyse(plan, diary, through=design.last_night(plan)) == analysis.analyse(plan, diary)


# Pairs, as taken, missing mornings


@settings(max_examples=25, deadline=None)
@given(diaries)
def test_pairs_are_a_weekdays_two_nights_in_a_fortnight(ratings: list[Rating | None]) -> None:
    plan = Plan(START, 28, SEED)
    diary = records(plan, ratings)
    gains = []
    for first, second in ((diary[i], diary[i + 7]) for i in (*range(7), *range(14, 21))):
        with_it, without = (first, second) if first.arm is Arm.ON else (second, first)
        assert with_it.night.weekday() == without.night.weekday()
        if with_it.rating is not None and without.rating is not None:
            gains.append(with_it.rating - without.rating)

    pairs = analysis.analyse(plan, diary).pairs

    assert pairs == Pairs(sum(g > 0 for g in gains), sum(g < 0 for g in gains), sum(g == 0 for g in gains))


def with_intake(diary: list[AssignedNight], *, on_taken: int, off_taken: int) -> list[AssignedNight]:
    """The first so many nights of each arm taken, the others not."""
    left = {Arm.ON: on_taken, Arm.OFF: off_taken}
    told = []
    for record in diary:
        assert record.arm is not None
        told.append(replace(record, taken=left[record.arm] > 0))
        left[record.arm] -= 1
    return told


def test_as_taken_is_the_assigned_effect_over_the_adherence_gap() -> None:
    plan = Plan(START, 28, SEED)
    diary = [r if i % 3 else replace(r, rating=Rating.SAME) for i, r in enumerate(chance_diary(plan, 13))]
    diary = [replace(r, rating=r.rating or Rating.SAME) for r in diary]

    verdict = analysis.analyse(plan, with_intake(diary, on_taken=12, off_taken=2))

    assert verdict.effect is not None
    assert verdict.as_taken == pytest.approx(verdict.effect.per_100 * 14 / 10)


def test_as_taken_is_left_out_when_intake_hardly_differed_or_is_unknown() -> None:
    plan = Plan(START, 28, SEED)
    diary = rated_by_arm(plan, on=Rating.BETTER, off=Rating.SAME)
    half_known = [replace(record, taken=None if record.arm is Arm.OFF else True) for record in diary]

    assert analysis.analyse(plan, with_intake(diary, on_taken=8, off_taken=4)).as_taken is None
    assert analysis.analyse(plan, with_intake(diary, on_taken=8, off_taken=3)).as_taken is not None
    assert analysis.analyse(plan, half_known).as_taken is None


def test_as_taken_never_exceeds_all_nights() -> None:
    plan = Plan(START, 84, SEED)
    diary = rated_by_arm(plan, on=Rating.BETTER, off=Rating.SAME)

    assert analysis.analyse(plan, with_intake(diary, on_taken=28, off_taken=9)).as_taken == 100.0


def test_as_taken_looks_only_at_rated_nights_with_known_intake() -> None:
    plan = Plan(START, 28, SEED)
    diary = rated_by_arm(plan, on=Rating.BETTER, off=Rating.SAME)
    on_nights = [index for index, record in enumerate(diary) if record.arm is Arm.ON]
    diary[on_nights[0]] = replace(diary[on_nights[0]], rating=None, taken=False)
    diary[on_nights[1]] = replace(diary[on_nights[1]], taken=None)

    verdict = analysis.analyse(plan, diary)

    assert verdict.effect is not None
    assert verdict.as_taken == pytest.approx(verdict.effect.per_100)


@pytest.mark.parametrize(("on", "off"), [(Rating.BETTER, Rating.SAME), (Rating.SAME, Rating.BETTER)])
@pytest.mark.parametrize(("missing", "flips"), [(1, False), (2, False), (3, True)])
def test_missing_mornings_at_their_worst_can_undo_the_direction(
    on: Rating, off: Rating, missing: int, *, flips: bool
) -> None:
    """Of 14 nights an arm one step apart, each missing pair costs 5 of the 14 steps: two leave 4, three go below 0."""
    plan = Plan(START, 28, SEED)
    diary = rated_by_arm(plan, on=on, off=off)
    for arm in Arm:
        for index in [i for i, record in enumerate(diary) if record.arm is arm][:missing]:
            diary[index] = replace(diary[index], rating=None)

    verdict = analysis.analyse(plan, diary)

    assert verdict.missing == 2 * missing
    assert verdict.missing_flips is flips


def test_void_nights_are_not_among_the_missing_mornings() -> None:
    plan = Plan(START, 28, SEED)
    diary = rated_by_arm(plan, on=Rating.BETTER, off=Rating.SAME)
    for arm in Arm:
        for index in [i for i, record in enumerate(diary) if record.arm is arm][:3]:
            diary[index] = replace(diary[index], rating=None, void=True)

    verdict = analysis.analyse(plan, diary)

    assert (verdict.missing, verdict.missing_flips) == (0, False)
