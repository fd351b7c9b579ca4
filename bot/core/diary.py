"""The diary's arithmetic: which nights are open, what a night's details add up to, weeks, and what the counts may say. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntFlag, StrEnum
from itertools import pairwise

from bot.core import schedule as times
from bot.core.experiment.run import Tested
from bot.core.model import Intake, Minute, Night, NightRecord, Rating, Schedule

NIGHTS_BACK = 60
"""How many nights back one can be corrected."""

LONGEST_IN_BED = timedelta(hours=16)
"""Two times of one night that are further apart than this are taken for a typing error."""

LONGEST_NOTE = 500

TAP_ONLY, TWO_QUESTIONS, SLEEP_DIARY = 0, 1, 2
"""How much the morning asks: only the tap; two more questions; the core of the Consensus Sleep Diary."""

_DAY = timedelta(days=1)


class EveningFactors(IntFlag):
    """What happened in the evening, as bits. No bit set is an answer too: nothing of it happened."""

    ALCOHOL = 1
    CAFFEINE = 2  # after 14:00
    NAP = 4
    MEAL = 8  # a heavy one
    STRESS = 16
    ILL = 32


@dataclass(frozen=True, slots=True)
class Detail:
    """What more was said of a night. None is no answer. Times of day are civil minutes, durations minutes.

    `onset` is the time to fall asleep as one of the steps 0 to 4: up to 10, 20, 30, 60 minutes, and longer. `rested` and
    `quality` go from 1 to 5. `late`: some of it was said after the next evening's reminder.
    Questions of the Consensus Sleep Diary (Carney and others, 2012): the core without the earlier-than-planned question.
    """

    night: Night
    note: str | None = None
    evening: EveningFactors | None = None
    onset: int | None = None
    rested: int | None = None
    in_bed: Minute | None = None
    tried: Minute | None = None
    latency: int | None = None
    awakenings: int | None = None
    awake: int | None = None
    woke: Minute | None = None
    rose: Minute | None = None
    quality: int | None = None
    late: bool = False


ONSET_STEPS = (10, 20, 30, 60)
"""The upper ends, in minutes, of the steps to fall asleep; above the last one is the fifth."""


# -- which nights ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Open:
    """The nights of a diary: it begins with `begins`, and those from `first` to `last` can be corrected, both included.

    `rateable` is the last one whose bedtime has passed.
    """

    begins: Night
    first: Night
    last: Night
    rateable: Night

    def __contains__(self, night: Night) -> bool:
        return self.first <= night <= self.last

    def has(self, night: Night) -> bool:
        """Whether the diary has this night, to look at if not to correct."""
        return self.begins <= night <= self.last


def open_nights(schedule: Schedule, *, begins: Night, now: datetime) -> Open:
    """From sixty nights ago, or the diary's first, to the one whose evening has begun. `last` may be before `first`."""
    tonight = times.tonight(schedule, now)
    last = max(
        (night for night in _around(tonight) if times.can_take_from(schedule, night) <= now), default=begins - _DAY
    )
    rateable = max(
        (night for night in _around(tonight) if times.plan(schedule, night).bed_at <= now), default=begins - _DAY
    )
    return Open(begins, max(begins, tonight - timedelta(days=NIGHTS_BACK)), last, rateable)


def _around(night: Night) -> list[Night]:
    return [night + timedelta(days=shift) for shift in (-2, -1, 0, 1)]


def month(first: date, *, first_weekday: int) -> list[list[date | None]]:
    """The weeks of a month from its first day on; None where a week reaches over it. Monday is 0."""
    start = first - timedelta(days=(first.weekday() - first_weekday) % 7)
    weeks: list[list[date | None]] = []
    while (start.year, start.month) <= (first.year, first.month):
        days = [start + timedelta(days=shift) for shift in range(7)]
        weeks.append([day if day.month == first.month else None for day in days])
        start += timedelta(days=7)
    return weeks


def month_of(text: str) -> date | None:
    """The first day of a month written "2026-11"."""
    try:
        return date.fromisoformat(f"{text}-01") if len(text) == 7 else None
    except ValueError:
        return None


def shifted(first: date, months: int) -> date:
    """The first day of the month that is this many months away; negative for the past."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


# -- what a night's details add up to ----------------------------------------------------------------------------------


class Inconsistency(StrEnum):
    """Why a night's answers cannot all be true."""

    TOO_LONG = "too_long"
    ORDER = "order"
    NO_ROOM = "no_room"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class Sleep:
    """Minutes, each only from answers that were given; `efficiency` is the time asleep in percent of the time in bed."""

    in_bed: int | None = None
    asleep: int | None = None
    efficiency: int | None = None


def sleep(detail: Detail, zone: str) -> Sleep:
    """Time in bed from getting in to getting out; time asleep from trying to the last awakening, less what was awake.

    Elapsed minutes: a night on which the clocks change is an hour longer or shorter than its civil times say.
    """
    at = _instants(detail, zone)
    in_bed = _minutes(at.get("in_bed"), at.get("rose"))
    trying = _minutes(at.get("tried"), at.get("woke"))
    asleep = None
    if trying is not None and detail.latency is not None and _awake(detail) is not None:
        asleep = trying - detail.latency - (_awake(detail) or 0)
    efficiency = None if asleep is None or not in_bed else round(100 * asleep / in_bed)
    return Sleep(in_bed, asleep, efficiency)


def trouble(detail: Detail, zone: str, *, now: datetime) -> Inconsistency | None:
    """What is impossible about the night's answers; None if they can all be true. Blanks are ignored."""
    at = _instants(detail, zone)
    instants = list(at.values())
    if instants and instants[-1] - instants[0] > LONGEST_IN_BED:
        # Each time is read as the first such time after the one before it, so a time that is too early ends up a day later.
        return Inconsistency.ORDER if _went_round(at) else Inconsistency.TOO_LONG
    if instants and instants[-1] > now:
        return Inconsistency.FUTURE
    spent = (detail.latency or 0) + (_awake(detail) or 0)
    trying = _minutes(at.get("tried", at.get("in_bed")), at.get("woke", at.get("rose")))
    if trying is not None and spent > trying:
        return Inconsistency.NO_ROOM
    return Inconsistency.NO_ROOM if spent > LONGEST_IN_BED.total_seconds() / 60 else None


_TIMES = ("in_bed", "tried", "woke", "rose")


def _instants(detail: Detail, zone: str) -> dict[str, datetime]:
    """The answered times of the night in their order, as instants (UTC)."""
    found: dict[str, datetime] = {}
    last = None
    for name in _TIMES:
        minute = getattr(detail, name)
        if minute is None:
            continue
        last = times.bedtime_at(detail.night, minute, zone) if last is None else times.at_or_after(last, minute, zone)
        found[name] = last
    return found


def _went_round(at: dict[str, datetime]) -> bool:
    """Whether one of the steps alone is longer than half a day: the time was earlier than the one before it."""
    instants = list(at.values())
    return any(later - earlier > timedelta(hours=14) for earlier, later in pairwise(instants))


def _awake(detail: Detail) -> int | None:
    """Minutes awake in the night; somebody who never woke is not asked how long."""
    return 0 if detail.awakenings == 0 else detail.awake


def _minutes(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else round((end - start).total_seconds() / 60)


# -- the questions -----------------------------------------------------------------------------------------------------

QUESTIONS = {
    TAP_ONLY: (),
    TWO_QUESTIONS: ("onset", "rested"),
    SLEEP_DIARY: ("in_bed", "tried", "latency", "awakenings", "awake", "woke", "rose", "quality"),
}

RANGES = {
    "onset": range(len(ONSET_STEPS) + 1),
    "rested": range(1, 6),
    "in_bed": range(1440),
    "tried": range(1440),
    "latency": range(601),
    "awakenings": range(51),
    "awake": range(721),
    "woke": range(1440),
    "rose": range(1440),
    "quality": range(1, 6),
}
"""The values that each answer may have."""


def next_question(detail: Detail, level: int, *, after: str | None = None) -> str | None:
    """The next question without an answer, after the question `after`; None at the end."""
    asked = QUESTIONS.get(level, ())
    start = asked.index(after) + 1 if after in asked else 0
    for name in asked[start:]:
        if getattr(detail, name) is None and not (name == "awake" and detail.awakenings == 0):
            return name
    return None


# -- weeks, series -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """Nights of a span: how many there were, how many taken, how many rated, and how many of those were better or worse.

    `bags` are evenings with a bag whose content is not known yet; they do not count as taken.
    """

    nights: int
    taken: int
    rated: int
    better: int
    worse: int
    bags: int = 0


def tally(records: Iterable[NightRecord], *, nights: int) -> Tally:
    """Count what was said; a night without an answer is in none of the counts but the first."""
    known = list(records)
    ratings = [record.rating for record in known if record.rating is not None]
    return Tally(
        nights=nights,
        taken=sum(record.intake is Intake.TAKEN for record in known),
        rated=len(ratings),
        better=sum(rating.better_night for rating in ratings),
        worse=sum(rating <= Rating.WORSE for rating in ratings),
        bags=sum(record.intake is Intake.BAG for record in known),
    )


Cell = tuple[int | None, bool]
"""One night in a picture: its rating from -2 to 2 or None, and whether it was taken."""


def cells(records: Iterable[NightRecord], first: Night, last: Night, *, sealed_from: Night | None = None) -> list[Cell]:
    """Every night from `first` to `last`, both included; what was not said stays blank.

    From the night `sealed_from` on, the first of a self-experiment under way, what was taken is left out.
    """
    known = {record.night: record for record in records}
    every = [first + timedelta(days=shift) for shift in range((last - first).days + 1)]
    told = [_cell(known.get(night)) for night in every]
    return [
        (rating, taken and not is_sealed(night, sealed_from))
        for night, (rating, taken) in zip(every, told, strict=True)
    ]


def is_sealed(night: Night, sealed_from: Night | None) -> bool:
    """Whether the night belongs to a self-experiment under way."""
    return sealed_from is not None and night >= sealed_from


def _cell(record: NightRecord | None) -> Cell:
    if record is None:
        return None, False
    return None if record.rating is None else record.rating.value, record.intake is Intake.TAKEN


# -- what the counts may say -------------------------------------------------------------------------------------------

FEWEST_RATED = 10
"""Rated nights that each side needs before a difference is spoken of."""

_Z = 1.959963984540054  # 95 %
_NONE_TESTED = Tested()


@dataclass(frozen=True, slots=True)
class Side:
    """Rated nights, and how many of them were better nights."""

    rated: int
    better: int


@dataclass(frozen=True, slots=True)
class Insight:
    """Better nights with and without; `low` to `high` is the difference in better nights per 100, None with too few.

    `chance` are the same two counts of the nights of finished self-experiments, for which nobody chose, and `run_in` the rated
    nights before those: neither is compared with nights for which the person chose.
    """

    taken: Side
    without: Side
    unknown: int
    low: float | None = None
    high: float | None = None
    chance: tuple[Side, Side] | None = None
    run_in: int = 0


def insight(records: Iterable[NightRecord], tested: Tested = _NONE_TESTED) -> Insight:
    """Compare rated nights that were taken with rated nights that were skipped. Missed nights count on neither side."""
    rated = [record for record in records if record.rating is not None]
    by_chance = [record for record in rated if record.night in tested.by_chance]
    chosen = [record for record in rated if record.night not in tested.by_chance | tested.run_in]
    taken, without = _sides(chosen)
    found = Insight(
        taken,
        without,
        unknown=len(chosen) + len(by_chance) - sum(side.rated for side in (taken, without, *_sides(by_chance))),
        chance=_sides(by_chance) if by_chance else None,
        run_in=len(rated) - len(chosen) - len(by_chance),
    )
    if min(taken.rated, without.rated) < FEWEST_RATED:
        return found
    low, high = newcombe(taken, without)
    return replace(found, low=100 * low, high=100 * high)


def _sides(records: Sequence[NightRecord]) -> tuple[Side, Side]:
    """Those that were taken and those that were skipped."""
    taken = _side(record for record in records if record.intake is Intake.TAKEN)
    return taken, _side(record for record in records if record.intake is Intake.SKIPPED)


def _side(records: Iterable[NightRecord]) -> Side:
    better = [record.rating is not None and record.rating.better_night for record in records]
    return Side(len(better), sum(better))


def newcombe(one: Side, other: Side) -> tuple[float, float]:
    """The 95 % interval of the difference of two shares, one less the other, from Wilson's for each.

    Newcombe 1998, Statistics in Medicine 17:873, method 10. Both sides need a rated night.
    """
    (low_1, high_1), (low_2, high_2) = _wilson(one), _wilson(other)
    p_1, p_2 = one.better / one.rated, other.better / other.rated
    gap = p_1 - p_2
    return (
        gap - math.hypot(p_1 - low_1, high_2 - p_2),
        gap + math.hypot(high_1 - p_1, p_2 - low_2),
    )


def _wilson(side: Side) -> tuple[float, float]:
    n, share = side.rated, side.better / side.rated
    middle = share + _Z * _Z / (2 * n)
    spread = _Z * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    scale = 1 + _Z * _Z / n
    return (middle - spread) / scale, (middle + spread) / scale


# -- the stock ---------------------------------------------------------------------------------------------------------

LOW_STOCK = 7
"""With fewer evenings' worth left than this, the person is told, once."""

PACE_SPAN = 28
"""Nights from which the pace of use is taken."""


@dataclass(frozen=True, slots=True)
class Stock:
    """Evenings' worth that are left, and the night they end at the present pace; None where nothing was taken of late.

    `bags` are evenings with a bag in a self-experiment under way. It is not known yet whether they used up any stock.
    """

    left: int
    ends: Night | None
    bags: int = 0


def stock(*, had: int, used: int, taken_lately: int, nights_lately: int, tonight: Night, bags: int = 0) -> Stock:
    """What is left of `had` after `used` taken nights.

    The pace is `taken_lately` of the last `nights_lately` nights; with less than a week of them every night counts as taken.
    While there are `bags` that are not counted yet, no end is given.
    """
    left = max(0, had - used)
    if bags:
        return Stock(left, None, bags)
    if nights_lately < LOW_STOCK:
        taken_lately = nights_lately = 1
    if left == 0 or taken_lately == 0:
        return Stock(left, None)
    return Stock(left, tonight + timedelta(days=math.ceil(left * nights_lately / taken_lately) - 1))


def spans(first: Night, last: Night, *, months: Sequence[int]) -> list[int]:
    """Which of the spans, in months, are worth offering: each that shows more than the one before it."""
    length = (last - first).days
    return [span for place, span in enumerate(months) if place == 0 or length > 31 * months[place - 1]]
