"""The exact re-randomisation test: every schedule that chance could have drawn, counted without listing them.

A test of k fortnights has 100^k possible schedules. What the statistic needs of one is three whole numbers: the sum of
the ratings on its ON nights, how many of these were rated, and (for the range) how many of them were ON in truth. All
three add up over fortnights, so the counts of the whole are the product of the fortnights' counts, written as a
polynomial. One large integer holds such a polynomial, as many bytes a coefficient as the largest can need, so that
multiplying is shifting and adding.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter

from bot.core.experiment.design import FORTNIGHT, Design, Pattern, patterns
from bot.core.model import Rating

Answer = int | None
"""A rating from -2 to 2; None if there is no rating that counts."""

_WORD = 8  # bytes of a machine word
_RATED, _TRUE = 12, 6  # where the number of rated and of truly ON nights stand in a fortnight's packed sum
_FIELD = 63


@dataclass(frozen=True, slots=True)
class Nights:
    """Whole fortnights as they were lived: `on` as assigned, `answers` in the same order."""

    design: Design
    on: Pattern
    answers: tuple[Answer, ...]

    @property
    def rated_on(self) -> int:
        """How many ON nights have an answer."""
        return sum(on and answer is not None for on, answer in zip(self.on, self.answers, strict=True))

    @property
    def rated(self) -> int:
        """How many nights have an answer."""
        return sum(answer is not None for answer in self.answers)

    @property
    def total(self) -> int:
        """Sum of all answers."""
        return sum(answer or 0 for answer in self.answers)

    @property
    def total_on(self) -> int:
        """Sum of the answers of ON nights."""
        return sum(answer or 0 for on, answer in zip(self.on, self.answers, strict=True) if on)

    @property
    def difference(self) -> float:
        """Mean answer ON minus mean answer OFF. Both arms must have one."""
        on = self.rated_on
        return self.total_on / on - (self.total - self.total_on) / (self.rated - on)


@dataclass(frozen=True, slots=True)
class Chances:
    """The share of all schedules at least as helpful as the one that was drawn, and of those at least as harmful."""

    better: float
    worse: float

    @property
    def smaller(self) -> float:
        """The one in the direction seen."""
        return min(self.better, self.worse)


@dataclass(frozen=True, slots=True)
class Joint:
    """How many schedules have which three numbers: row by row, a row for each (`true`, `rated`), a cell for each sum.

    `cells` holds the rows one after another, `true` running faster than `rated`.
    """

    cells: memoryview
    sums: range
    true: range
    rated: range

    def row(self, true: int, rated: int) -> memoryview:
        """The counts of the sums, where so many redrawn ON nights are ON in truth and so many of them rated."""
        number = (rated - self.rated.start) * len(self.true) + true - self.true.start
        return self.cells[number * len(self.sums) : (number + 1) * len(self.sums)]


_State = tuple[int, int, int]


def joint(nights: Nights, *, true: bool) -> Joint:
    """Count the schedules by their three numbers; without `true` its number is left at 0, which is faster."""
    parts = (slice(first, first + FORTNIGHT) for first in range(0, len(nights.on), FORTNIGHT))
    steps = [_states(nights.design, nights.on[part], nights.answers[part], true=true) for part in parts]
    sums, trues, rated = (
        range(sum(min(column) for column in columns), sum(max(column) for column in columns) + 1)
        for columns in zip(*(tuple(zip(*states, strict=True)) for states in steps), strict=True)
    )
    width = (every(nights).bit_length() + 7) // 8
    product = 1
    for states in steps:
        least = tuple(min(column) for column in zip(*states, strict=True))
        places = ((_place(state, least, sums, trues), count) for state, count in states.items())
        product = sum(count * (product << 8 * width * place) for place, count in places)
    return Joint(_cells(product, width, len(sums) * len(trues) * len(rated)), sums, trues, rated)


def every(nights: Nights) -> int:
    """How many different schedules chance could have drawn."""
    many: int = len(patterns(nights.design)) ** (len(nights.on) // FORTNIGHT)
    return many


def _place(state: _State, least: tuple[int, ...], sums: range, true: range) -> int:
    a, b, c = (number - lowest for number, lowest in zip(state, least, strict=True))
    return a + len(sums) * (b + len(true) * c)


def _cells(product: int, width: int, many: int) -> memoryview:
    """Take the coefficients, `width` bytes each, out of the integer: spread to machine words, byte by byte in C."""
    packed, words = product.to_bytes(many * width, "little"), bytearray(many * _WORD)
    for byte in range(width):
        place = byte if sys.byteorder == "little" else _WORD - 1 - byte
        words[place::_WORD] = packed[byte::width]
    return memoryview(words).cast("Q")


def _states(design: Design, on: Pattern, answers: Sequence[Answer], *, true: bool) -> dict[_State, int]:
    """Count one fortnight's schedules by their sum of answers, truly ON and rated nights.

    The three are added up in one number: answers counted from the worst, so that none is negative.
    """
    worth = [
        0 if answer is None else answer - Rating.MUCH_WORSE + ((assigned and true) << _TRUE) + (1 << _RATED)
        for assigned, answer in zip(on, answers, strict=True)
    ]
    packed = Counter(sum(pick(worth)) for pick in _picks(design))
    return {
        ((value & _FIELD) + (value >> _RATED) * Rating.MUCH_WORSE, value >> _TRUE & _FIELD, value >> _RATED): count
        for value, count in packed.items()
    }


@cache
def _picks(design: Design) -> tuple[Callable[[Sequence[int]], tuple[int, ...]], ...]:
    """For each pattern, what takes the values of its ON nights out of fourteen."""
    return tuple(itemgetter(*(index for index, on in enumerate(nights) if on)) for nights in patterns(design))


def chances(nights: Nights) -> Chances:
    """Compare the schedule that was drawn with all that could have been, by mean answer ON minus mean answer OFF.

    A schedule that leaves an arm without an answer counts as extreme both ways.
    """
    rated, on = nights.rated, nights.rated_on
    scale = on * (rated - on)
    if not scale:
        return Chances(1.0, 1.0)
    counts = joint(nights, true=False)
    total = nights.total
    seen = nights.total_on * rated - total * on  # the difference, times `scale`
    better = worse = 0
    for redrawn in counts.rated:
        row = counts.row(0, redrawn)
        # As good as what was seen are sums from this fraction on; in whole numbers, so that a tie is a tie. Where an arm
        # has no answer the one possible sum is the fraction itself, and so counts both ways.
        above, below = seen * redrawn * (rated - redrawn) + redrawn * total * scale, rated * scale
        better += sum(row[max(0, -(-above // below) - counts.sums.start) :])
        worse += sum(row[: max(0, above // below + 1 - counts.sums.start)])
    return Chances(better / every(nights), worse / every(nights))
