"""What a self-experiment found: when it ended and why, the label, the range, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import zip_longest

from bot.core.experiment import design, exact, ranges
from bot.core.experiment.counts import ArmTally, Count, Label, Lack, Pairs
from bot.core.experiment.design import FORTNIGHT, WEEK, Arm, AssignedNight, Plan
from bot.core.experiment.exact import Chances, Nights
from bot.core.experiment.lived import LivedPlan, placed
from bot.core.experiment.ranges import Pool, Range
from bot.core.model import Night, Rating

SMALLEST_GAP = 1 / 3
"""Adherence gap under which the as-taken line would stretch the difference more than threefold, and is left out."""

MOST_OF_A_HINT = 19
"""A hint is never called rarer than 1 of this many tests: 1 of 20 would sound like a clear verdict."""

_LUCK = (1000, 100, 50)
_LEAST_LUCK = 20  # what all looks of a test together keep to


class Call(StrEnum):
    """What the bot decides at a look."""

    GO_ON = "go_on"
    BETTER = "better"  # clear: it helps
    WORSE = "worse"  # clear: it harms
    HOPELESS = "hopeless"  # a clear answer has become unlikely


class End(StrEnum):
    """Why a test was over."""

    PLANNED = "planned"
    CLEAR = "clear"  # the bot ended it early, because it was clear
    HOPELESS = "hopeless"  # the bot ended it early, because it would hardly become clear
    STOPPED = "stopped"  # by the person


@dataclass(frozen=True, slots=True)
class Look:
    """One look of the bot after `fortnights` whole fortnights. `chances` is None with too few rated nights in an arm."""

    fortnights: int
    bound: float
    chances: Chances | None
    call: Call


@dataclass(frozen=True, slots=True)
class Size:
    """A difference in steps with its range, and the same three as shares (0 to 1) of pairs of nights won by ON."""

    steps: float
    low: float
    high: float
    won: float
    won_low: float
    won_high: float


@dataclass(frozen=True, slots=True)
class Missing:
    """Unanswered mornings of the nights that could count. If `undo` of them went against a clear verdict, they would undo it.

    `undo` is None where the verdict is not clear, and where even all of them would not undo it.
    """

    mornings: Count
    nights: Count
    undo: int | None = None

    @property
    def unequal(self) -> bool:
        """Whether the answered shares of the arms lie at least 10 in 100 apart."""
        on, off = (
            part / whole if whole else 0.0
            for part, whole in ((self.mornings.on, self.nights.on), (self.mornings.off, self.nights.off))
        )
        return abs(on - off) >= 0.1


@dataclass(frozen=True, slots=True)
class Blinding:
    """Guesses at what the bags held. `p`: the share of all schedules for which these guesses hit at least as often."""

    right: int
    guessed: int
    p: float

    @property
    def kept(self) -> bool:
        """Whether the bags kept their secret: by luck alone as many guesses are right in more than 1 of 20 schedules."""
        return self.p > design.CLEAR


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the test found.

    `fortnights` of the `planned` ones are counted. `bound` is that of the last look. `chances` is None where too few nights
    were rated or fortnights lived; then `lack` says so and the sizes are None. `size` has the 80 % range. `clear_size`
    and `as_taken` stand beside a clear verdict alone, with the range that the last look's bound gives; `luck_under` too:
    luck alone does this in fewer than 1 of so many such tests, their earlier looks included.
    """

    label: Label
    lack: Lack | None
    end: End
    fortnights: int
    planned: int
    bound: float
    on: ArmTally
    off: ArmTally
    baseline: ArmTally
    pairs: Pairs
    missing: Missing
    stomach: Count
    chances: Chances | None = None
    size: Size | None = None
    clear_size: Size | None = None
    as_taken: Size | None = None
    blinding: Blinding | None = None
    luck_under: int | None = None

    @property
    def clear(self) -> bool:
        """Whether it is past the bound, in either direction."""
        return self.label in (Label.CLEAR_HELP, Label.CLEAR_WORSE)

    @property
    def p(self) -> float | None:
        """The chance in the direction seen."""
        return None if self.chances is None else self.chances.smaller

    @property
    def hint_in(self) -> int | None:
        """For a hint: luck alone gives one this strong in about 1 of this many tests. None if it is close to clear."""
        if self.p is None or self.label not in (Label.LEANS_HELP, Label.LEANS_WORSE):
            return None
        about = round(1 / self.p)
        return about if about <= MOST_OF_A_HINT else None

    @property
    def early(self) -> bool:
        """Whether early ends must be mentioned: they look larger than they are."""
        return self.end is End.CLEAR


def look(plan: Plan, records: Sequence[AssignedNight], fortnights: int) -> Look:
    """Look after this many whole fortnights, one of `design.bounds(plan)`. Raises ValueError as `analyse` does."""
    return _look(plan, placed(plan, records).nights(fortnights), design.bounds(plan)[fortnights])


def analyse(plan: Plan, records: Sequence[AssignedNight], *, stopped_after: Night | None = None) -> Verdict:
    """Judge a finished test: by the first look that ended it, at its planned end, or as the person stopped it.

    Nights without a record count as unanswered. Of a test stopped after a night only whole fortnights count.
    ValueError where a night comes twice or a record's arm is not the plan's.
    """
    lived = placed(plan, records)
    planned = plan.length // FORTNIGHT
    whole = planned if stopped_after is None else design.whole_fortnights(plan, stopped_after)
    last, end = _last(plan, lived, whole)
    plain = _counted(plan, lived, last, end)
    if last.chances is None:
        return plain
    judged = replace(plain, label=_label(last.chances, last.call, end), chances=last.chances)
    if judged.clear:
        judged = replace(judged, luck_under=_luck_under(plan, last.fortnights, last.chances.smaller))
    return _sized(judged, lived)


def decided(plan: Plan, records: Sequence[AssignedNight]) -> tuple[Label, End, int]:
    """Return the label of a test that nobody stopped, why it ended and after how many fortnights: all but the sizes.

    ValueError as in `analyse`.
    """
    last, end = _last(plan, placed(plan, records), plan.length // FORTNIGHT)
    label = Label.NO_VERDICT if last.chances is None else _label(last.chances, last.call, end)
    return label, end, last.fortnights


def _look(plan: Plan, nights: Nights, bound: float) -> Look:
    fortnights = len(nights.on) // FORTNIGHT
    few = min(nights.rated_on, nights.rated - nights.rated_on) < design.FEWEST_RATED
    if few or fortnights < design.FIRST_LOOK:
        return Look(fortnights, bound, None, Call.GO_ON)
    chances = exact.chances(nights)
    last = fortnights == plan.length // FORTNIGHT
    may_be_hopeless = fortnights >= design.FIRST_HOPELESS and not last
    return Look(fortnights, bound, chances, _call(chances, bound, may_be_hopeless=may_be_hopeless))


def _call(chances: Chances, bound: float, *, may_be_hopeless: bool) -> Call:
    """Clear goes before hopeless. Hopeless looks both ways, so that harm is not thrown away."""
    if chances.smaller <= bound:
        return Call.BETTER if chances.better <= chances.worse else Call.WORSE
    hopeless = chances.better > design.HOPELESS_BETTER and chances.worse > design.HOPELESS_WORSE
    return Call.HOPELESS if may_be_hopeless and hopeless else Call.GO_ON


def _last(plan: Plan, lived: LivedPlan, whole: int) -> tuple[Look, End]:
    """The look that ended the test, of those that `whole` fortnights allow."""
    bounds = design.bounds(plan)
    for fortnights, bound in ((n, bound) for n, bound in bounds.items() if n <= whole):
        found = _look(plan, lived.nights(fortnights), bound)
        if fortnights == plan.length // FORTNIGHT:
            return found, End.PLANNED
        if found.call is not Call.GO_ON:
            return found, End.HOPELESS if found.call is Call.HOPELESS else End.CLEAR
    bound = bounds.get(whole, min(bounds.values()))
    return _look(plan, lived.nights(whole), bound), End.STOPPED


def _label(chances: Chances, call: Call, end: End) -> Label:
    """Past the bound it is clear, unless the person chose the moment; a hint needs an end that nobody's look chose."""
    better = chances.better <= chances.worse
    if end is not End.STOPPED and call in (Call.BETTER, Call.WORSE):
        return Label.CLEAR_HELP if better else Label.CLEAR_WORSE
    if end is End.HOPELESS or chances.smaller > design.LEANS:
        return Label.CANT_TELL
    return Label.LEANS_HELP if better else Label.LEANS_WORSE


def _luck_under(plan: Plan, fortnights: int, p: float) -> int:
    """The number of tests of which luck alone does this in fewer than one, at this look or past a bound at an earlier one."""
    before = sum(bound for look_, bound in design.bounds(plan).items() if look_ < fortnights)
    return next((many for many in _LUCK if before + p < 1 / many), _LEAST_LUCK)


def _counted(plan: Plan, lived: LivedPlan, last: Look, end: End) -> Verdict:
    """Everything that is only counted, with the reason where there can be no verdict."""
    nights = lived.nights(last.fortnights)
    lack = Lack.FEW_RATED_NIGHTS if last.fortnights >= design.FIRST_LOOK else Lack.TOO_EARLY
    indices = [index for index in range(len(nights.on)) if lived.counts(index)]
    return Verdict(
        label=Label.NO_VERDICT,
        lack=lack if last.chances is None else None,
        end=end,
        fortnights=last.fortnights,
        planned=plan.length // FORTNIGHT,
        bound=last.bound,
        on=_tally(nights, on=True),
        off=_tally(nights, on=False),
        baseline=lived.baseline(),
        pairs=_pairs(nights),
        missing=Missing(_count(nights, lived.missing(last.fortnights)), _count(nights, indices)),
        stomach=_count(nights, [index for index in range(len(nights.on)) if _stomach(lived.after_run_in(index))]),
        blinding=_blinding(lived, nights),
    )


def _count(nights: Nights, indices: Sequence[int]) -> Count:
    on = sum(nights.on[index] for index in indices)
    return Count(on, len(indices) - on)


def _tally(nights: Nights, *, on: bool) -> ArmTally:
    answers = [a for o, a in zip(nights.on, nights.answers, strict=True) if o is on and a is not None]
    return ArmTally(sum(Rating(answer).better_night for answer in answers), len(answers))


def _stomach(record: AssignedNight | None) -> bool:
    return record is not None and record.stomach and not record.void


def _pairs(nights: Nights) -> Pairs:
    """Compare each weekday's two nights within a fortnight."""
    gains: list[int] = []
    for first in range(len(nights.on)):
        if first % FORTNIGHT < WEEK:
            one, other = nights.answers[first], nights.answers[first + WEEK]
            if one is not None and other is not None:
                gains.append(one - other if nights.on[first] else other - one)
    return Pairs(sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains), sum(gain == 0 for gain in gains))


def _blinding(lived: LivedPlan, nights: Nights) -> Blinding | None:
    """Count the guesses, against every schedule that could have been drawn."""
    guesses = [_guess(lived.after_run_in(index)) for index in range(len(nights.on))]
    if not any(guesses):
        return None
    # A guess counts for a night if it is ON as guessed, and against it otherwise, so the number of hits is this sum
    # over the ON nights plus a constant.
    marks = tuple(None if guess is None else 1 if guess is Arm.ON else -1 for guess in guesses)
    hits = sum((guess is Arm.ON) is on for guess, on in zip(guesses, nights.on, strict=True) if guess is not None)
    asked = Nights(nights.design, nights.on, marks)
    counts = exact.joint(asked, true=False)
    reached = sum(sum(counts.row(0, n)[max(0, asked.total_on - counts.sums.start) :]) for n in counts.rated)
    return Blinding(hits, asked.rated, reached / exact.every(nights))


def _guess(record: AssignedNight | None) -> Arm | None:
    return None if record is None else record.guess


def _sized(plain: Verdict, lived: LivedPlan) -> Verdict:
    """Add the sizes and, beside a clear verdict, what would undo it."""
    nights = lived.nights(plain.fortnights)
    shifts, pool, steps = ranges.shifts(nights), ranges.pool(nights), nights.difference
    usual = _size(pool, steps, shifts.range(ranges.USUAL_TAIL))
    if not plain.clear:
        return replace(plain, size=usual)
    strict = shifts.range(plain.bound)
    gap = _gap(lived, nights)
    return replace(
        plain,
        size=usual,
        clear_size=_size(pool, steps, strict),
        as_taken=None if gap is None else _size(pool, _over(steps, gap), _range_over(strict, gap)),
        missing=replace(plain.missing, undo=_undo(nights, lived.missing(plain.fortnights), plain)),
    )


def _size(pool: Pool, steps: float, within: Range) -> Size:
    won, low, high = (pool.won(shift) for shift in (steps, within.low, within.high))
    return Size(steps, within.low, within.high, won, low, high)


def _over(steps: float, gap: float) -> float:
    return max(-ranges.LARGEST_SHIFT, min(ranges.LARGEST_SHIFT, steps / gap))


def _range_over(within: Range, gap: float) -> Range:
    return Range(_over(within.low, gap), _over(within.high, gap))


def _gap(lived: LivedPlan, nights: Nights) -> float | None:
    """How much more often magnesium was taken on ON nights than on OFF nights; None where too little to divide by."""
    taken: dict[bool, list[bool]] = {True: [], False: []}
    for index, (on, answer) in enumerate(zip(nights.on, nights.answers, strict=True)):
        record = lived.after_run_in(index)
        if answer is not None and record is not None and record.taken is not None:
            taken[on].append(record.taken)
    if not taken[True] or not taken[False]:
        return None
    gap = sum(taken[True]) / len(taken[True]) - sum(taken[False]) / len(taken[False])
    return None if gap < SMALLEST_GAP else gap


def _undo(nights: Nights, missing: Sequence[int], verdict: Verdict) -> int | None:
    """How many unanswered mornings, as bad for the verdict as can be, take it back over its bound."""
    helps = verdict.label is Label.CLEAR_HELP
    worst, best = (Rating.MUCH_WORSE, Rating.MUCH_BETTER) if helps else (Rating.MUCH_BETTER, Rating.MUCH_WORSE)
    answers = list(nights.answers)
    for number, index in enumerate(_in_turn(nights, missing), start=1):
        answers[index] = int(worst if nights.on[index] else best)
        chances = exact.chances(replace(nights, answers=tuple(answers)))
        if (chances.better if helps else chances.worse) > verdict.bound:
            return number
    return None


def _in_turn(nights: Nights, missing: Sequence[int]) -> Iterator[int]:
    """An ON night, an OFF night, and so on, each in order; then what is left."""
    arms = ([index for index in missing if nights.on[index] is on] for on in (True, False))
    return (index for pair in zip_longest(*arms) for index in pair if index is not None)
