"""All tests of one person together: evidence that may be looked at after any test, however many there are.

Each fortnight is a bet against luck: E = exp(rate x T) over its mean for all schedules of that fortnight, T being the sum
of ON minus OFF answers, centred. If nothing but luck is at work, E is 1 on average, so products stay 1 on average too,
and reach n in at most 1 of n people.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.experiment import design, exact
from bot.core.experiment.design import FORTNIGHT, RUN_IN
from bot.core.experiment.exact import Nights
from bot.core.experiment.lived import placed
from bot.core.model import Night

RATES = (0.1, 0.2, 0.35, 0.5, 0.7)
"""Stakes, from a bet on a small difference to one on a large one. The mean is taken over them at the very end."""

LEAST_SAID = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """Natural logarithms of E for each of `RATES`: that magnesium helps, and that it harms."""

    helps: tuple[float, ...] = (0.0,) * len(RATES)
    harms: tuple[float, ...] = (0.0,) * len(RATES)

    def __add__(self, other: Evidence) -> Evidence:
        """Both together: their products."""
        return Evidence(_sums(self.helps, other.helps), _sums(self.harms, other.harms))


@dataclass(frozen=True, slots=True)
class Together:
    """What all tests say. `e` is half of the larger E of the two directions; `tests` is how many were counted."""

    tests: int
    helps: bool
    e: float

    @property
    def one_in(self) -> int | None:
        """Luck alone would do this in at most 1 of this many tests; None if luck would do it easily."""
        return None if self.e < LEAST_SAID else math.floor(self.e)


def evidence(plan: design.Plan, records: Sequence[design.AssignedNight], *, through: Night | None = None) -> Evidence:
    """What one test adds, of either version and design, finished or not: every fortnight begun by the night `through`.

    ValueError where a night comes twice or a record's arm is not the plan's.
    """
    lived = [record for record in records if through is None or record.night <= through]
    nights = placed(plan, lived).nights(_begun(plan, lived))
    each = (_fortnight(nights, first) for first in range(0, len(nights.on), FORTNIGHT))
    return sum(each, start=Evidence())


def together(tests: Sequence[Evidence]) -> Together:
    """Put the evidence of all of a person's tests together."""
    total = sum(tests, start=Evidence())
    helps, harms = _mixed(total.helps), _mixed(total.harms)
    return Together(len(tests), helps >= harms, max(helps, harms) / 2)


def _begun(plan: design.Plan, records: Iterable[design.AssignedNight]) -> int:
    places = [place for one in records if (place := design.place_of(plan, one.night)) is not None]
    return -(-(max(places, default=0) + 1 - RUN_IN) // FORTNIGHT)


def _fortnight(nights: Nights, first: int) -> Evidence:
    """The logarithms of E of the fortnight that begins with night `first`."""
    one = Nights(nights.design, nights.on[first : first + FORTNIGHT], nights.answers[first : first + FORTNIGHT])
    if not one.rated:
        return Evidence()
    mean = one.total / one.rated
    # The centred answers add up to 0, so ON minus OFF is twice the sum over the ON nights.
    seen = 2 * (one.total_on - mean * one.rated_on)
    counts = exact.joint(one, true=False)
    drawn = [
        (2 * (total - mean * rated), count)
        for rated in counts.rated
        for total, count in zip(counts.sums, counts.row(0, rated), strict=True)
        if count
    ]
    every = exact.every(one)

    def log_e(rate: float) -> float:
        return rate * seen - math.log(math.fsum(count * math.exp(rate * other) for other, count in drawn) / every)

    return Evidence(tuple(log_e(rate) for rate in RATES), tuple(log_e(-rate) for rate in RATES))


def _sums(one: Sequence[float], other: Sequence[float]) -> tuple[float, ...]:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _mixed(logs: Sequence[float]) -> float:
    return math.fsum(math.exp(min(log, 700.0)) for log in logs) / len(logs)
