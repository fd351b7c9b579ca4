"""The self-experiment's verdict: the re-randomisation test and its company. Imports numpy, so import it lazily."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bot.core.experiment import design
from bot.core.experiment.design import (
    FORTNIGHT,
    RUN_IN,
    Arm,
    ArmTally,
    AssignedNight,
    Effect,
    Label,
    Lack,
    Pairs,
    Plan,
    Verdict,
)
from bot.core.model import Night, Rating

DRAWS = 4000
CLEAR = 0.05
LEANS = 0.20
FEWEST_RATED = 10
"""Rated nights that each arm needs for a verdict."""

PSEUDO_NIGHTS = 8
COVERAGE = 0.80
SMALLEST_GAP = 1 / 3
"""Adherence gap under which the as-taken line would stretch the effect more than threefold, and is left out."""

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_FORTNIGHTS = np.array(design.FORTNIGHTS, dtype=np.float64)  # 100 x 14, 1 for ON
_ENUMERATED = 2  # up to so many fortnights every schedule is tried instead of drawn
_TIE = 1e-9  # differences of means closer than this are equal up to rounding
_STEPS = 400  # equally likely values that stand for a posterior


@dataclass(frozen=True, slots=True)
class _Nights:
    """The counted nights in order. `rating` is NaN without a usable rating, `taken` NaN where unknown."""

    on: Flags
    rating: Floats
    taken: Floats
    void: Flags

    @property
    def rated(self) -> Flags:
        return ~np.isnan(self.rating)


def analyse(plan: Plan, records: Sequence[AssignedNight], *, through: Night | None = None) -> Verdict:
    """Judge a finished test, or one stopped after the night `through`, of which only whole fortnights count.

    Nights without a record count as missing; records outside the plan (before, after, paused) are passed over.
    ValueError where a night comes twice or a record's arm is not the plan's.
    """
    counted = plan.length
    if through is not None:
        counted = FORTNIGHT * design.whole_fortnights(plan, through)
    by_place = _placed(plan, records)
    nights = _counted_nights(plan, by_place, counted)
    plain = _counts(plan, nights, _baseline(by_place))
    if plain.lack is not None:
        return plain
    return _judged(plain, nights, plan.seed)


def chances(on: Flags, rating: Floats, *, seed: bytes) -> tuple[float, float]:
    """Return the chance under luck alone of a difference at least as helpful, and of one at least as harmful.

    `on` and `rating` (NaN for unrated) hold whole fortnights. The reference is every schedule for up to two fortnights
    and `DRAWS` schedules of the same generator above. A schedule that leaves an arm unrated is extreme both ways.
    """
    rated = (~np.isnan(rating)).astype(np.float64)
    worth = np.where(rated > 0, rating, 0.0)
    picks = _every_schedule(rating.size // FORTNIGHT)
    drawn = picks is None
    if picks is None:
        picks = _drawn_schedules(seed, rating.size // FORTNIGHT)
    seen = _difference(worth @ on, rated @ on, worth.sum(), rated.sum())
    redrawn = _difference(_sums(worth, picks), _sums(rated, picks), worth.sum(), rated.sum())
    helpful = int(np.count_nonzero(~(redrawn < seen - _TIE)))  # negated, so that NaN counts
    harmful = int(np.count_nonzero(~(redrawn > seen + _TIE)))
    extra = int(drawn)  # the observed schedule is one of the enumerated, and is added to the drawn
    total = len(picks) + extra
    return (helpful + extra) / total, (harmful + extra) / total


def size(on: ArmTally, off: ArmTally) -> Effect:
    """Return the difference in better nights per 100 with its 80 % interval, both shrunk towards no difference.

    Each arm is a beta posterior whose prior is worth `PSEUDO_NIGHTS` nights at the pooled rate (kept half a night away
    from none and all). Each posterior is cut into 400 equally likely values; the interval is the middle 80 % of all
    160,000 differences.
    """
    rated = on.nights + off.nights
    pooled = min(max(on.better + off.better, 0.5), rated - 0.5) / rated
    shapes = [
        (PSEUDO_NIGHTS * pooled + arm.better, PSEUDO_NIGHTS * (1 - pooled) + arm.nights - arm.better)
        for arm in (on, off)
    ]
    with_it, without = (_beta_values(a, b) for a, b in shapes)
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(np.subtract.outer(with_it, without), (tail, 1 - tail))
    middle = shapes[0][0] / sum(shapes[0]) - shapes[1][0] / sum(shapes[1])
    return Effect(per_100=100 * middle, low=100 * float(low), high=100 * float(high))


def _placed(plan: Plan, records: Sequence[AssignedNight]) -> dict[int, AssignedNight]:
    """Return the records by their place in the plan, checked against it."""
    arms = design.schedule(plan)
    by_place: dict[int, AssignedNight] = {}
    for record in records:
        place = design.place_of(plan, record.night)
        expected = arms[place - RUN_IN] if place is not None and place >= RUN_IN else None
        if record.arm is not expected:
            raise ValueError(f"{record.night}: the record says {record.arm}, the plan {expected}")
        if place in by_place:
            raise ValueError(f"{record.night} comes twice")
        if place is not None:
            by_place[place] = record
    return by_place


def _counted_nights(plan: Plan, by_place: dict[int, AssignedNight], counted: int) -> _Nights:
    arms = design.schedule(plan)[:counted]
    blank = AssignedNight(plan.start, None)
    records = [by_place.get(place, blank) for place in range(RUN_IN, RUN_IN + counted)]
    return _Nights(
        on=np.array([arm is Arm.ON for arm in arms], dtype=np.bool_),
        rating=np.array([_usable(record) for record in records], dtype=np.float64),
        taken=np.array([record.taken for record in records], dtype=np.float64),  # None becomes NaN
        void=np.array([record.void for record in records], dtype=np.bool_),
    )


def _usable(record: AssignedNight) -> Rating | None:
    return None if record.late or record.void else record.rating


def _baseline(by_place: dict[int, AssignedNight]) -> ArmTally:
    usable = [_usable(by_place[place]) for place in range(RUN_IN) if place in by_place]
    ratings = [rating for rating in usable if rating is not None]
    return ArmTally(sum(rating.better_night for rating in ratings), len(ratings))


def _counts(plan: Plan, nights: _Nights, baseline: ArmTally) -> Verdict:
    """Return everything that is only counted, with the reason where there can be no verdict."""
    on, off = _tally(nights.rating[nights.on]), _tally(nights.rating[~nights.on])
    lack = Lack.FEW_RATED_NIGHTS if min(on.nights, off.nights) < FEWEST_RATED else None
    return Verdict(
        label=Label.NO_VERDICT,
        lack=lack if nights.on.size else Lack.NO_WHOLE_FORTNIGHT,
        nights=nights.on.size,
        planned=plan.length,
        on=on,
        off=off,
        baseline=baseline,
        pairs=_pairs(nights),
        missing=int(np.count_nonzero(~nights.rated & ~nights.void)),
        missing_flips=False,
    )


def _tally(rating: Floats) -> ArmTally:
    better = np.count_nonzero(rating >= Rating.BETTER)  # NaN is not
    return ArmTally(int(better), int(np.count_nonzero(~np.isnan(rating))))


def _pairs(nights: _Nights) -> Pairs:
    """Compare each weekday's two nights within a fortnight."""
    weeks = nights.rating.reshape(-1, 2, FORTNIGHT // 2)
    gain = (weeks[:, 0] - weeks[:, 1]) * np.where(nights.on.reshape(weeks.shape)[:, 0], 1, -1)
    return Pairs(*(int(np.count_nonzero(hit)) for hit in (gain > 0, gain < 0, gain == 0)))


def _judged(plain: Verdict, nights: _Nights, seed: bytes) -> Verdict:
    """Add the verdict to the counts."""
    helpful, harmful = chances(nights.on, nights.rating, seed=seed)
    p = min(helpful, harmful)
    effect = size(plain.on, plain.off)
    difference = _mean_difference(nights.on, nights.rating)
    return replace(
        plain,
        label=_label(helpful, harmful),
        missing_flips=_flips(nights, difference),
        p=p,
        one_in=round(1 / p),
        difference=difference,
        effect=effect,
        as_taken=_as_taken(nights, effect),
    )


def _label(helpful: float, harmful: float) -> Label:
    if min(helpful, harmful) > LEANS:
        return Label.CANT_TELL
    if helpful <= harmful:
        return Label.CLEAR_HELP if helpful <= CLEAR else Label.LEANS_HELP
    return Label.CLEAR_WORSE if harmful <= CLEAR else Label.LEANS_WORSE


def _flips(nights: _Nights, difference: float) -> bool:
    """Say whether the missing mornings, each as bad for the direction seen as can be, would undo that direction."""
    against = -2.0 if difference > 0 else 2.0
    missing = ~nights.rated & ~nights.void
    filled = np.where(missing, np.where(nights.on, against, -against), nights.rating)
    return bool(difference) and difference * _mean_difference(nights.on, filled) <= 0


def _as_taken(nights: _Nights, effect: Effect) -> float | None:
    """Return the assigned effect divided by the adherence gap, per 100 nights, never beyond 100."""
    known = nights.rated & ~np.isnan(nights.taken)
    with_it, without = nights.taken[known & nights.on], nights.taken[known & ~nights.on]
    if not with_it.size or not without.size:
        return None
    gap = float(with_it.mean() - without.mean())
    return None if gap < SMALLEST_GAP else max(-100.0, min(100.0, effect.per_100 / gap))


def _mean_difference(on: Flags, rating: Floats) -> float:
    return float(np.nanmean(rating[on]) - np.nanmean(rating[~on]))


def _every_schedule(fortnights: int) -> npt.NDArray[np.intp] | None:
    """Return every choice of valid fortnights, one a row, where there are few enough of them."""
    if fortnights > _ENUMERATED:
        return None
    return np.indices((len(_FORTNIGHTS),) * fortnights).reshape(fortnights, -1).T


def _drawn_schedules(seed: bytes, fortnights: int) -> npt.NDArray[np.intp]:
    """Draw `DRAWS` rows of fortnights: the bytes of SHAKE-256("redraws/" + seed) under 200, modulo 100, row by row.

    From the seed, so that anyone gets the same p; from a hash, because a library's generator may change.
    """
    wanted = DRAWS * fortnights
    stream = np.frombuffer(hashlib.shake_256(b"redraws/" + seed).digest(2 * wanted), dtype=np.uint8)
    fair = stream[stream < 2 * len(_FORTNIGHTS)][:wanted]  # 78 % of the bytes pass, so twice as many are plenty
    return (fair % len(_FORTNIGHTS)).reshape(DRAWS, fortnights).astype(np.intp)


def _sums(values: Floats, picks: npt.NDArray[np.intp]) -> Floats:
    """Return the sum of `values` over the ON nights of each schedule: looked up fortnight by fortnight."""
    by_fortnight = _FORTNIGHTS @ values.reshape(-1, FORTNIGHT).T
    sums: Floats = by_fortnight[picks, np.arange(picks.shape[1])].sum(axis=1)
    return sums


def _difference(on_sum: Floats, on_rated: Floats, total: np.float64, rated: np.float64) -> Floats:
    """Return mean ON minus mean OFF; NaN where an arm has no rating."""
    with np.errstate(invalid="ignore"):
        difference: Floats = on_sum / on_rated - (total - on_sum) / (rated - on_rated)
    return difference


def _beta_values(a: float, b: float) -> Floats:
    """Cut a beta distribution into `_STEPS` equally likely values (its quantiles at the middle of each step).

    On the scale of log-odds its density is smooth and bounded for any a and b, so plain summing is exact enough; the
    grid widens outwards because an a near 0 has a long tail there.
    """
    grid = np.linspace(-7.5, 7.5, 4001)
    odds = np.sinh(grid)
    log_density = -a * np.logaddexp(0, -odds) - b * np.logaddexp(0, odds)
    weight = np.exp(log_density - log_density.max()) * np.cosh(grid)
    below = (np.cumsum(weight) - weight / 2) / weight.sum()  # half of a point's weight lies below it
    steps = (np.arange(_STEPS) + 0.5) / _STEPS
    return np.exp(-np.logaddexp(0, -np.interp(steps, below, odds)))
