"""How large the difference may be: every shift that the exact test does not refuse, in steps and in pairs of nights."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, product

from bot.core.experiment.exact import Nights, every, joint

USUAL_TAIL = 0.10
"""Chance left out on each side of the range for the text: an 80 % range."""

LARGEST_SHIFT = 4.0
"""Steps from Much worse to Much better."""

_EVEN = 50


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both within."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Shifts:
    """At which shift each schedule changes sides, with its count; `always` are extreme at any shift.

    A shift d says: magnesium adds d steps to a night. Taken off the ON nights, it leaves nights on which the drawn
    schedule is one of `every`. With a larger d more schedules are at least as helpful, so the ends of the range are two
    quantiles of these shifts.
    """

    turning: tuple[tuple[float, int], ...]
    always: int
    every: int

    def range(self, tail: float) -> Range:
        """The shifts that both one-sided tests leave with a chance over `tail`, closed, within the scale's ends."""
        if self.always / self.every > tail:
            return Range(-LARGEST_SHIFT, LARGEST_SHIFT)
        low, high = self._end(self.turning, tail), self._end(self.turning[::-1], tail)
        return Range(max(-LARGEST_SHIFT, low), min(LARGEST_SHIFT, high))

    def _end(self, turning: Sequence[tuple[float, int]], tail: float) -> float:
        """The first shift with which more than `tail` of all schedules are reached."""
        reached = accumulate((count for _, count in turning), initial=self.always)
        next(reached)
        return next(shift for (shift, _), n in zip(turning, reached, strict=True) if n / self.every > tail)


def shifts(nights: Nights) -> Shifts:
    """Find where every schedule changes sides. Both arms must have an answer."""
    counts = joint(nights, true=True)
    rated, on, total = nights.rated, nights.rated_on, nights.total
    scale = on * (rated - on)
    seen = nights.total_on * rated - total * on  # the difference, times `scale`
    turning: list[tuple[float, int]] = []
    always = 0
    for redrawn, true in product(counts.rated, counts.true):
        row = counts.row(true, redrawn)
        spread = redrawn * (rated - redrawn)
        # For each step of shift a redrawn schedule's difference falls by so many `spread`ths less than the drawn one's.
        slower = spread - true * rated + redrawn * on
        if not spread or not slower:  # an arm without an answer, or on all rated nights the schedule that was drawn
            always += sum(row)
            continue
        # Whole numbers up to the last division, so that a shift of 0 is 0.
        start, step, below = seen * spread + redrawn * total * scale, rated * scale, scale * slower
        turning += [((start - step * a) / below, count) for a, count in zip(counts.sums, row, strict=True) if count]
    turning.sort()
    return Shifts(tuple(turning), always, every(nights))


@dataclass(frozen=True, slots=True)
class Pool:
    """All rated nights with the estimated difference taken off the ON nights: how the nights vary without it."""

    counts: Mapping[float, int]

    def won(self, shift: float) -> float:
        """The share of all ordered pairs of nights in which the first, moved by `shift` steps, is the better one.

        Exactly one half at 0, and over one half for any shift over 0.
        """
        many = sum(self.counts.values()) ** 2
        items = list(self.counts.items())
        leads = (n * m * _lead(one + shift - other) for one, n in items for other, m in items)
        return (1 + math.fsum(leads) / many) / 2


def pool(nights: Nights) -> Pool:
    """Pool the rated nights. Both arms must have an answer."""
    difference = nights.difference
    return Pool(
        Counter(
            answer - difference if on else float(answer)
            for on, answer in zip(nights.on, nights.answers, strict=True)
            if answer is not None
        )
    )


def won(apart: float) -> float:
    """The chance that a night `apart` steps better is the better one, each answer spread evenly over its step."""
    return (1 + _lead(apart)) / 2


def _lead(apart: float) -> float:
    """Chance of better minus chance of worse: odd to the last bit, so that pairs cancel."""
    return math.copysign(1 - (1 - min(1.0, abs(apart))) ** 2, apart)


def of_100(share: float) -> int:
    """Pairs of 100, rounded, and on the same side of 50 as the share: the words may not say less than the verdict."""
    rounded = round(100 * share)
    if rounded == _EVEN and share != 1 / 2:
        return _EVEN + 1 if share > 1 / 2 else _EVEN - 1
    return rounded
