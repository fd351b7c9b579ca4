"""What to expect of a test, told before it starts: for people in general, and for somebody who answers as this person does."""

from __future__ import annotations

import hashlib
import math
import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from statistics import NormalDist

from bot.core.experiment import design, verdict
from bot.core.experiment.counts import Label
from bot.core.experiment.design import RUN_IN, Arm, AssignedNight, Design, Plan
from bot.core.model import Rating

PEOPLE = 200
"""Simulated people of a forecast: half a second of a processor at 84 nights, and shares within 7 of 100."""

FEWEST_ANSWERS = 7
"""Answered mornings that a forecast needs."""

LARGE, SMALL = 62, 55
"""A large gain, and one as small as the best trial's: of 100 pairs of nights so many are won by the one with magnesium.

Pairs as the result counts them, so that what is told before the start and at the end is in one unit.
"""

GAINS: Mapping[int, float] = {LARGE: 0.5411, SMALL: 0.2064}
"""The same in SD of the night-to-night noise."""

# How an imagined person's nights vary; the unit is the SD of the night-to-night noise.
LAG_1 = 0.2  # how much of one night's noise carries into the next
WEEKDAY_SD = 0.35
DRIFT_SD = 0.3
SPREAD = NormalDist(0, math.sqrt(1 + WEEKDAY_SD**2 + DRIFT_SD**2))
"""Of a person's nights, all three together."""

_LENT = 5
"""Answers of an ordinary diary that are added to a person's own: a week of nothing but Same is no spread of 0."""

_ORDINARY: Mapping[Rating, float] = {
    Rating.MUCH_WORSE: 0.09,
    Rating.WORSE: 0.24,
    Rating.SAME: 0.34,
    Rating.BETTER: 0.24,
    Rating.MUCH_BETTER: 0.09,
}
_START = date(2026, 1, 5)  # any date: only its weekday repeats


@dataclass(frozen=True, slots=True)
class Power:
    """Of 100 people with the same true gain: how many get a clear verdict, and after how many nights on average."""

    clear: int
    nights: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of 100 people who answer like this person, what they would be told if magnesium helped in that many pairs of 100."""

    pairs: int
    clear: int
    leans: int
    cant_tell: int
    no_verdict: int


POWER: Mapping[tuple[Design, int], Mapping[int, Power]] = {
    (Design.NIGHTLY, 28): {SMALL: Power(9, 28), LARGE: Power(26, 28)},
    (Design.NIGHTLY, 56): {SMALL: Power(15, 53), LARGE: Power(49, 51)},
    (Design.NIGHTLY, 84): {SMALL: Power(19, 73), LARGE: Power(65, 69)},
    (Design.WEEKLY, 84): {SMALL: Power(11, 84), LARGE: Power(34, 84)},
}
"""By design and longest length, then by gain. Measured by benchmarks/experiment_simulation.py; a test holds it to the page."""


def forecast(
    answers: Sequence[Rating], answered: float, *, length: int, pairs: int = LARGE, question: Design = Design.NIGHTLY
) -> Forecast | None:
    """Simulate tests of somebody with these answers so far and this share (0 to 1) of mornings answered.

    `pairs` is one of `GAINS`. None with too few answers to know how theirs vary.
    The same diary gets the same forecast: chance is drawn from it.
    Takes some tenths of a second; not for the event loop.
    """
    if len(answers) < FEWEST_ANSWERS:
        return None
    told = bytes(answer - Rating.MUCH_WORSE for answer in answers)
    seed = hashlib.sha256(told + f"/{answered:.4f}/{length}/{pairs}/{question}".encode()).digest()
    rng = random.Random(seed)  # noqa: S311 - people are imagined here, nothing is kept secret
    limits = _limits(answers)
    plans = (Plan(_START, length, rng.randbytes(design.SEED_BYTES), design=question) for _ in range(PEOPLE))
    return _of_100([_label(rng, limits, answered, plan, pairs) for plan in plans], pairs)


def latent_nights(rng: random.Random, nights: int) -> list[float]:
    """Draw how an imagined person sleeps without a pill: noise that carries over, weekdays, and a slow drift."""
    weekday = [rng.gauss(0, WEEKDAY_SD) for _ in range(7)]
    # A slow wave with a chance phase, twice the length of the shortest plan or once the length of a longer one.
    phase, pace = rng.uniform(0, 2 * math.pi), 2 * math.pi / max(nights, 56)
    latent = []
    noise = rng.gauss(0, 1)
    for night in range(nights):
        latent.append(noise + weekday[night % 7] + DRIFT_SD * math.sqrt(2) * math.sin(phase + pace * night))
        noise = LAG_1 * noise + math.sqrt(1 - LAG_1**2) * rng.gauss(0, 1)
    return latent


def _limits(answers: Sequence[Rating]) -> tuple[float, ...]:
    """Where the five answers part among imagined nights, given how often each was given."""
    many = [answers.count(rating) + _LENT * _ORDINARY[rating] for rating in Rating]
    reached = list(accumulate(many))
    return tuple(SPREAD.inv_cdf(below / reached[-1]) for below in reached[:-1])


def _label(rng: random.Random, limits: Sequence[float], answered: float, plan: Plan, pairs: int) -> Label:
    """Simulate the test of one imagined person."""
    records = []
    nights = zip(design.schedule(plan), latent_nights(rng, plan.length), strict=True)
    for index, (arm, night) in enumerate(nights):
        if rng.random() < answered:
            rating = Rating(bisect_right(limits, night + GAINS[pairs] * (arm is Arm.ON)) + Rating.MUCH_WORSE)
            records.append(AssignedNight(design.night_at(plan, RUN_IN + index), arm, rating=rating))
    return verdict.decided(plan, records)[0]


def _of_100(found: Sequence[Label], pairs: int) -> Forecast:
    """Round to whole people so that they add up to 100: the largest remainders are rounded up."""
    groups = (
        (Label.CLEAR_HELP, Label.CLEAR_WORSE),
        (Label.LEANS_HELP, Label.LEANS_WORSE),
        (Label.CANT_TELL,),
        (Label.NO_VERDICT,),
    )
    exact = [100 * sum(label in group for label in found) / len(found) for group in groups]
    whole = [math.floor(share) for share in exact]
    for index in sorted(range(len(exact)), key=lambda i: whole[i] - exact[i])[: 100 - sum(whole)]:
        whole[index] += 1
    return Forecast(pairs, *whole)
