"""The verdict of a self-experiment of version 1: the re-randomisation test and its company. Plain Python.

New tests are judged by the second version. This one stays, so that what was told once can be read and checked.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, islice, product

from bot.core.experiment import design
from bot.core.experiment.counts import ArmTally, Label, Lack, Pairs
from bot.core.experiment.design import (
    CLEAR,
    FEWEST_RATED,
    FORTNIGHT,
    FORTNIGHTS,
    LEANS,
    RUN_IN,
    Arm,
    AssignedNight,
    Plan,
)
from bot.core.model import Night, Rating

DRAWS = 4000

PSEUDO_NIGHTS = 8
COVERAGE = 0.80
SMALLEST_GAP = 1 / 3
"""Adherence gap under which the as-taken line would stretch the effect more than threefold, and is left out."""

_ENUMERATED = 2  # up to this many fortnights every schedule is tried, beyond that some are drawn
_TIE = 1e-9  # differences of means closer than this are equal up to rounding
_STEPS = 400  # equally likely values that stand for a posterior
_GRID = 4001
_WIDEST = 7.5
_FEW = 400  # up to this many differences of two posteriors are listed and sorted

Answers = Sequence[Rating | None]


@dataclass(frozen=True, slots=True)
class Effect:
    """Better nights more per 100 nights with magnesium, negative for fewer, with its 80 % interval."""

    per_100: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EarlierVerdict:
    """What the test found.

    `nights` of the `planned` nights are counted. `p` and `one_in` (luck alone does this in about 1 of so many tests)
    are in the direction seen. `difference` is mean rating ON minus OFF. `p`, `one_in`, `difference` and `effect` are
    None without a verdict; `as_taken` (better nights per 100) also where intake hardly differed between the arms.
    `missing` counts nights without a rating in time; `missing_flips` says that the worst they could have been undoes
    the direction.
    """

    label: Label
    lack: Lack | None
    nights: int
    planned: int
    on: ArmTally
    off: ArmTally
    baseline: ArmTally
    pairs: Pairs
    missing: int
    missing_flips: bool
    p: float | None = None
    one_in: int | None = None
    difference: float | None = None
    effect: Effect | None = None
    as_taken: float | None = None


@dataclass(frozen=True, slots=True)
class _Nights:
    """The counted nights in order. `rating` is None without a usable rating, `taken` None where unknown."""

    on: tuple[bool, ...]
    rating: tuple[Rating | None, ...]
    taken: tuple[bool | None, ...]
    void: tuple[bool, ...]

    def side(self, *, on: bool) -> list[Rating]:
        """The usable ratings of one arm."""
        return [r for o, r in zip(self.on, self.rating, strict=True) if o is on and r is not None]


def analyse(plan: Plan, records: Sequence[AssignedNight], *, through: Night | None = None) -> EarlierVerdict:
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


def chances(on: Sequence[bool], rating: Answers, *, seed: bytes) -> tuple[float, float]:
    """Return the chance under luck alone of a difference at least as helpful, and of one at least as harmful.

    `on` and `rating` (None for unrated) hold whole fortnights. The reference is every schedule for up to two fortnights
    and `DRAWS` schedules of the same generator above. A schedule that leaves an arm unrated is extreme both ways.
    """
    fortnights = len(rating) // FORTNIGHT
    extra = int(fortnights > _ENUMERATED)  # the observed schedule is one of the enumerated, and is added to the drawn
    sums = [_sums(rating[first : first + FORTNIGHT]) for first in range(0, len(rating), FORTNIGHT)]
    total, rated = sum(r for r in rating if r is not None), sum(r is not None for r in rating)
    side = [r for o, r in zip(on, rating, strict=True) if o and r is not None]
    seen = _difference(sum(side), len(side), total, rated)
    helpful, harmful, tried = extra, extra, extra
    for picks in _drawn_schedules(seed, fortnights) if extra else product(range(len(FORTNIGHTS)), repeat=fortnights):
        picked = [by_pattern[pick] for by_pattern, pick in zip(sums, picks, strict=True)]
        redrawn = _difference(sum(one for one, _ in picked), sum(many for _, many in picked), total, rated)
        helpful += not redrawn < seen - _TIE  # negated, so that NaN counts
        harmful += not redrawn > seen + _TIE
        tried += 1
    return helpful / tried, harmful / tried


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
    low, high = (_quantile(with_it, without, share) for share in (tail, 1 - tail))
    middle = shapes[0][0] / sum(shapes[0]) - shapes[1][0] / sum(shapes[1])
    return Effect(per_100=100 * middle, low=100 * low, high=100 * high)


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
        on=tuple(arm is Arm.ON for arm in arms),
        rating=tuple(_usable(record) for record in records),
        taken=tuple(record.taken for record in records),
        void=tuple(record.void for record in records),
    )


def _usable(record: AssignedNight) -> Rating | None:
    return None if record.late or record.void else record.rating


def _baseline(by_place: dict[int, AssignedNight]) -> ArmTally:
    usable = [_usable(by_place[place]) for place in range(RUN_IN) if place in by_place]
    ratings = [rating for rating in usable if rating is not None]
    return ArmTally(sum(rating.better_night for rating in ratings), len(ratings))


def _counts(plan: Plan, nights: _Nights, baseline: ArmTally) -> EarlierVerdict:
    """Return everything that is only counted, with the reason where there can be no verdict."""
    on, off = _tally(nights.side(on=True)), _tally(nights.side(on=False))
    lack = Lack.FEW_RATED_NIGHTS if min(on.nights, off.nights) < FEWEST_RATED else None
    return EarlierVerdict(
        label=Label.NO_VERDICT,
        lack=lack if nights.on else Lack.NO_WHOLE_FORTNIGHT,
        nights=len(nights.on),
        planned=plan.length,
        on=on,
        off=off,
        baseline=baseline,
        pairs=_pairs(nights),
        missing=sum(r is None and not v for r, v in zip(nights.rating, nights.void, strict=True)),
        missing_flips=False,
    )


def _tally(ratings: Sequence[Rating]) -> ArmTally:
    return ArmTally(sum(rating.better_night for rating in ratings), len(ratings))


def _pairs(nights: _Nights) -> Pairs:
    """Compare each weekday's two nights within a fortnight."""
    gains: list[int] = []
    for first, on in enumerate(nights.on):
        if first % FORTNIGHT < FORTNIGHT // 2:
            one, other = nights.rating[first], nights.rating[first + FORTNIGHT // 2]
            if one is not None and other is not None:
                gains.append(one - other if on else other - one)
    return Pairs(sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains), sum(gain == 0 for gain in gains))


def _judged(plain: EarlierVerdict, nights: _Nights, seed: bytes) -> EarlierVerdict:
    """Add the verdict to the counts."""
    helpful, harmful = chances(nights.on, nights.rating, seed=seed)
    p = min(helpful, harmful)
    effect = size(plain.on, plain.off)
    difference = _mean(nights.side(on=True)) - _mean(nights.side(on=False))
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
    against = Rating.MUCH_WORSE if difference > 0 else Rating.MUCH_BETTER
    sides: dict[bool, list[int]] = {True: [], False: []}
    for on, rating, void in zip(nights.on, nights.rating, nights.void, strict=True):
        if rating is not None:
            sides[on].append(rating)
        elif not void:
            sides[on].append(against if on else -against)
    return bool(difference) and difference * (_mean(sides[True]) - _mean(sides[False])) <= 0


def _as_taken(nights: _Nights, effect: Effect) -> float | None:
    """Return the assigned effect divided by the adherence gap, per 100 nights, never beyond 100."""
    taken: dict[bool, list[bool]] = {True: [], False: []}
    for on, rating, took in zip(nights.on, nights.rating, nights.taken, strict=True):
        if rating is not None and took is not None:
            taken[on].append(took)
    if not taken[True] or not taken[False]:
        return None
    gap = _mean(taken[True]) - _mean(taken[False])
    return None if gap < SMALLEST_GAP else max(-100.0, min(100.0, effect.per_100 / gap))


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)


def _drawn_schedules(seed: bytes, fortnights: int) -> Iterator[tuple[int, ...]]:
    """Draw `DRAWS` times `fortnights` patterns: the bytes of SHAKE-256("redraws/" + seed) under 200, modulo 100, in order.

    From the seed, so that anyone gets the same p; from a hash, because a library's generator may change.
    """
    wanted = DRAWS * fortnights
    stream = hashlib.shake_256(b"redraws/" + seed).digest(2 * wanted)
    # 78 % of the bytes pass, so twice as many are plenty.
    fair = islice((byte % len(FORTNIGHTS) for byte in stream if byte < 2 * len(FORTNIGHTS)), wanted)
    return zip(*[fair] * fortnights, strict=True)


def _sums(rating: Answers) -> list[tuple[int, int]]:
    """Return, for each pattern of a fortnight, the sum of the ratings of its ON nights and how many there are."""
    sides = ([r for on, r in zip(nights, rating, strict=True) if on and r is not None] for nights in FORTNIGHTS)
    return [(sum(side), len(side)) for side in sides]


def _difference(on_sum: int, on_rated: int, total: int, rated: int) -> float:
    """Return mean ON minus mean OFF; NaN where an arm has no rating."""
    if on_rated in (0, rated):
        return math.nan
    return on_sum / on_rated - (total - on_sum) / (rated - on_rated)


def _beta_values(a: float, b: float) -> list[float]:
    """Cut a beta distribution into `_STEPS` equally likely values (its quantiles at the middle of each step), ascending.

    On the scale of log-odds its density is smooth and bounded for any a and b, so plain summing is exact enough; the
    grid widens outwards because an a near 0 has a long tail there.
    """
    grid = [2 * _WIDEST * point / (_GRID - 1) - _WIDEST for point in range(_GRID)]
    odds = [math.sinh(place) for place in grid]
    log_density = [-a * _softplus(-place) - b * _softplus(place) for place in odds]
    highest = max(log_density)
    weight = [math.exp(log - highest) * math.cosh(place) for log, place in zip(log_density, grid, strict=True)]
    total = math.fsum(weight)
    # Half of a point's weight lies below it.
    below = [(sum_ - one / 2) / total for sum_, one in zip(accumulate(weight), weight, strict=True)]
    places = (_between(below, odds, (step + 0.5) / _STEPS) for step in range(_STEPS))
    return [math.exp(-_softplus(-place)) for place in places]


def _softplus(x: float) -> float:
    """Return log(1 + exp(x)) without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _between(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """Return y at x on the line through the points, the ends' y beyond them. `xs` ascend."""
    after = bisect_right(xs, x)
    if after in (0, len(xs)):
        return ys[min(after, len(xs) - 1)]
    start, slope = xs[after - 1], (ys[after] - ys[after - 1]) / (xs[after] - xs[after - 1])
    return ys[after - 1] + slope * (x - start)


def _quantile(with_it: Sequence[float], without: Sequence[float], share: float) -> float:
    """Return a quantile of all differences of two ascending lists, on the line between its two neighbours by rank.

    Nobody lists 160,000 differences for two of them: the interval that holds the wanted ranks is halved until few are in it.
    """
    rank = (len(with_it) * len(without) - 1) * share
    lower = math.floor(rank)
    low, high = with_it[0] - without[-1] - 1, with_it[-1] - without[0] + 1
    beneath, reached = 0, len(with_it) * len(without)
    while reached - beneath > _FEW and high - low > _TIE:
        middle = (low + high) / 2
        under = sum(bisect_left(with_it, middle + other) for other in without)
        if under <= lower:
            low, beneath = middle, under
        elif under > lower + 1:
            high, reached = middle, under
        else:
            break
    near = sorted(
        one - other
        for other in without
        for one in with_it[bisect_left(with_it, low + other) : bisect_left(with_it, high + other)]
    )
    first, second = near[lower - beneath : lower - beneath + 2]
    return first + (second - first) * (rank - lower)
