"""What is fixed before the first night: who may start, which nights chance picks, how a plan moves, when a test may end.

1. A plan is `RUN_IN` nights without magnesium, then whole fortnights. A seed of `SEED_BYTES` bytes decides everything that
   chance decides, so anybody who has the seed can compute the plan again.
2. In the nightly design every weekday comes twice in a fortnight, once ON (with magnesium) and once OFF, and no fortnight has
   more than `LONGEST_RUN` equal nights in a row. In the weekly design a week ON and a week OFF make a pair.
3. A pause moves the rest of the plan by whole weeks, so each night keeps its weekday and its arm.
4. A night's arm never changes, and a night cannot be voided once its arm was shown.
5. The bot looks at the result only after the fortnights that `bounds` names, each with its own bound of p.
6. The seed is not shown, logged or exported before the end. Its fingerprint is shown before the first night.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count, groupby, product

from bot.core.model import Night, Rating

RUN_IN = 7
"""Nights without magnesium before the first fortnight; also the baseline."""

FORTNIGHT = 14
LONGEST_RUN = 4
LENGTHS = (28, 56, 84)
DEFAULT_LENGTH = 56
Pattern = tuple[bool, ...]
"""The fourteen nights of a fortnight, True for ON."""

WEEK = 7
WEEKLY_LENGTH = 84
"""Nights of the weekly design: six pairs of weeks."""

SETTLING = 2
"""How many nights at the start of each week the weekly design leaves out, because the week before may still have an effect."""

WEEK_PAIRS: tuple[Pattern, ...] = (
    (False,) * WEEK + (True,) * WEEK,
    (True,) * WEEK + (False,) * WEEK,
)
"""The two orders of a pair of weeks: OFF first, and ON first."""

CLEAR = 0.05
"""The bound of p in a test without looks: up to it a verdict is clear."""

LEANS = 0.20
FEWEST_RATED = 10
"""Rated nights that each arm needs before anything is decided."""

FIRST_LOOK = 2
"""There is no verdict before this many whole fortnights."""

FIRST_HOPELESS = 3
HOPELESS_BETTER, HOPELESS_WORSE = 0.60, 0.20

_LOOKS: Mapping[int, Mapping[int, float]] = {
    28: {2: CLEAR},
    56: {2: 0.0071, 3: 0.0227, 4: 0.0416},
    84: {2: 0.0011, 3: 0.0063, 4: 0.0153, 5: 0.0266, 6: 0.0388},
}
"""For each length the fortnights after which the bot looks, with the bound of p there (O'Brien and Fleming's shape)."""

SEED_BYTES = 32
"""Bytes of a plan's seed; the caller draws them with `secrets.token_bytes`."""


class Gate(StrEnum):
    """The questions before the start. A yes to any of them means "ask your clinician": no test."""

    KIDNEY = "kidney"
    HEART = "heart"  # heart block, a slow heart
    MUSCLES = "muscles"  # myasthenia gravis
    BOWEL = "bowel"
    PREGNANCY = "pregnancy"  # or breastfeeding
    YOUNG = "young"  # under 18
    PRESCRIBED = "prescribed"  # magnesium prescribed by a doctor
    MEDICINES = "medicines"  # any medicine on the interaction list
    OTHER_REASON = "other_reason"  # taken for something else, so that leaving it out has a price


class Void(StrEnum):
    """Why a person takes a night out of the test, before its arm is shown."""

    TRAVEL = "travel"  # over more than two zones
    FEVER = "fever"
    NIGHT_SHIFT = "night_shift"


class Arm(StrEnum):
    """What chance assigned to a night."""

    ON = "on"
    OFF = "off"


class Design(StrEnum):
    """The question that a test asks."""

    NIGHTLY = "nightly"  # does tonight's magnesium change tonight's sleep?
    WEEKLY = "weekly"  # weeks with and without


@dataclass(frozen=True, slots=True)
class RunIn:
    """A run-in night; `day` counts from 1 to `RUN_IN`."""

    day: int


@dataclass(frozen=True, slots=True)
class Shift:
    """A pause: what was planned for `night` and after happens `weeks` weeks later."""

    night: Night
    weeks: int

    @property
    def back(self) -> Night:
        """The first night of the plan after the pause."""
        return self.night + timedelta(weeks=self.weeks)


@dataclass(frozen=True, slots=True)
class Plan:
    """One self-experiment. `start` is the first run-in night, `length` the number of nights after the run-in.

    In version 2 `length` is the most it can be, and most tests end earlier. Raises ValueError for a plan that this module
    would never make.
    """

    start: Night
    length: int
    seed: bytes = field(repr=False)  # sealed until the end, so it must not reach a log by way of repr
    shifts: tuple[Shift, ...] = ()
    design: Design = Design.NIGHTLY

    def __post_init__(self) -> None:
        """Raise ValueError for a plan that this module would never make."""
        if self.length not in LENGTHS:
            raise ValueError(f"a plan has {LENGTHS} nights, not {self.length}")
        if len(self.seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(self.seed)}")
        if any(shift.weeks < 1 for shift in self.shifts):
            raise ValueError("a pause moves the plan by whole weeks, at least one")
        if any(later.night < earlier.back for earlier, later in zip(self.shifts, self.shifts[1:], strict=False)):
            raise ValueError("pauses are in order and do not overlap")
        if self.design is Design.WEEKLY and self.length != WEEKLY_LENGTH:
            raise ValueError(f"weeks with and without take {WEEKLY_LENGTH} nights, not {self.length}")


@dataclass(frozen=True, slots=True)
class AssignedNight:
    """One night as the analysis sees it.

    `arm` is the assigned one, or None in the run-in. `taken` is None if the person never answered. `late` marks a rating
    given after the next evening's reminder: it is kept, but left out of the analysis. `stomach`: the stomach was upset by it.
    `guess`: what the person thought the bag held. Version 1 knows neither `stomach` nor `guess`.
    """

    night: Night
    arm: Arm | None
    taken: bool | None = None
    rating: Rating | None = None
    late: bool = False
    void: bool = False
    stomach: bool = False
    guess: Arm | None = None


NO_SUPPLEMENT = "food_only"
"""The form of people who take no supplement. They cannot do a test: they have nothing to leave out."""


def refusal(answers: Mapping[Gate, bool]) -> Gate | None:
    """Return the first gate that was answered with yes or not at all; None if the person may start."""
    return next((gate for gate in Gate if answers.get(gate, True)), None)


def _all_fortnights() -> tuple[tuple[bool, ...], ...]:
    """List every valid fortnight, True for ON.

    A coin decides the first night of each weekday; the second night is the opposite. That makes 128 fortnights, in ascending
    order of the first week read as a binary number. The 28 with a run longer than `LONGEST_RUN` are left out.
    """
    candidates = ((*week, *(not on for on in week)) for week in product((False, True), repeat=FORTNIGHT // 2))
    return tuple(nights for nights in candidates if longest_run(nights) <= LONGEST_RUN)


def longest_run(nights: tuple[bool, ...]) -> int:
    """Return the length of the longest run of equal nights."""
    return max(len(list(run)) for _, run in groupby(nights))


FORTNIGHTS = _all_fortnights()
"""The 100 valid fortnights in their fixed order. Tests under way depend on this order, so it must never change."""

_FAIR = 256 - 256 % len(FORTNIGHTS)  # a byte from here up would favour the first fortnights, so it is drawn again


def patterns(design: Design) -> tuple[Pattern, ...]:
    """Return everything that chance can make of one fortnight, each as likely as any other."""
    return FORTNIGHTS if design is Design.NIGHTLY else WEEK_PAIRS


def fortnight(seed: bytes, number: int) -> tuple[bool, ...]:
    """Draw fortnight `number` (from 1), True for ON.

    The first byte of HMAC-SHA256(seed, "fortnight/<number>/<attempt>"), attempt 0, 1, ... until it is under 200, modulo
    100, picks from `FORTNIGHTS`. Fortnights are independent: the limit on runs holds inside each, not across two of them.
    """
    bytes_drawn = (_keyed(seed, f"fortnight/{number}/{attempt}")[0] for attempt in count())
    byte = next(byte for byte in bytes_drawn if byte < _FAIR)
    return FORTNIGHTS[byte % len(FORTNIGHTS)]


def week_pair(seed: bytes, number: int) -> Pattern:
    """Draw pair of weeks `number` (from 1): the lowest bit of the first byte of HMAC-SHA256(seed, "pair/<number>").

    1 begins with magnesium.
    """
    return WEEK_PAIRS[hmac.digest(seed, f"pair/{number}".encode(), "sha256")[0] & 1]


def schedule(plan: Plan) -> tuple[Arm, ...]:
    """Return the arms of all nights after the run-in, in order."""
    draw = fortnight if plan.design is Design.NIGHTLY else week_pair
    numbers = range(1, plan.length // FORTNIGHT + 1)
    return tuple(Arm.ON if on else Arm.OFF for number in numbers for on in draw(plan.seed, number))


def arm_on(plan: Plan, night: Night) -> Arm | RunIn | None:
    """Return a night's arm or run-in day; None for a night outside the plan or in a pause."""
    place = place_of(plan, night)
    if place is None:
        return None
    return RunIn(place + 1) if place < RUN_IN else schedule(plan)[place - RUN_IN]


def place_of(plan: Plan, night: Night) -> int | None:
    """Return a night's place in the plan, 0 for the first run-in night; None for a night outside the plan or in a pause."""
    place = (night - plan.start).days
    for shift in plan.shifts:
        if night < shift.night:
            break
        if night < shift.back:
            return None
        place -= 7 * shift.weeks
    return place if 0 <= place < RUN_IN + plan.length else None


def night_at(plan: Plan, place: int) -> Night:
    """Return the night at a place in the plan, pauses included; place 0 is the first run-in night."""
    night = plan.start + timedelta(days=place)
    for shift in plan.shifts:
        if night >= shift.night:
            night += timedelta(weeks=shift.weeks)
    return night


def last_night(plan: Plan) -> Night:
    """Return the plan's last night; the seal breaks once its morning has passed."""
    return night_at(plan, RUN_IN + plan.length - 1)


def whole_fortnights(plan: Plan, through: Night) -> int:
    """Return how many fortnights are complete once the night `through` is over. Only these count after a stop."""
    lived = sum(night_at(plan, place) <= through for place in range(RUN_IN, RUN_IN + plan.length))
    return lived // FORTNIGHT


def postpone(plan: Plan, since: Night, *, back: Night) -> Plan:
    """Return the plan with a pause from the night `since` on, resumed on or after the night `back`.

    1. The rest moves by whole weeks, rounded up, so that every night keeps its weekday.
    2. The caller makes sure that the arm of `since` has not been shown yet.
    3. If `since` lies within the last pause, that pause becomes longer.

    Raises ValueError if the pause would be empty or begin before the last one.
    """
    if back <= since:
        raise ValueError(f"a pause from {since} cannot end on {back}")
    kept = plan.shifts
    if kept and kept[-1].night <= since < kept[-1].back:
        since, back, kept = kept[-1].night, max(back, kept[-1].back), kept[:-1]
    weeks = -((since - back).days // 7)  # rounded up
    return replace(plan, shifts=(*kept, Shift(since, weeks)))


def may_void(now: datetime, *, revealed_at: datetime | None) -> bool:
    """Return whether a night can still be voided: until its arm is shown, at `revealed_at` (None: not shown yet)."""
    return revealed_at is None or now < revealed_at


def bags(plan: Plan) -> tuple[Arm, ...]:
    """Return what the helper puts into bags 1, 2, ... in the blind mode. Only the helper may see this."""
    arms = schedule(plan)
    return tuple(arms[index] for index in _bag_order(plan))


def bag_on(plan: Plan, night: Night) -> int | None:
    """Return the number of a night's bag; None for a night in the run-in, outside the plan or in a pause."""
    place = place_of(plan, night)
    if place is None or place < RUN_IN:
        return None
    return _bag_order(plan).index(place - RUN_IN) + 1


def settling(design: Design, index: int) -> bool:
    """Return whether night `index` (from 0, after the run-in) is left out because a week of the weekly design has just begun."""
    return design is Design.WEEKLY and index % WEEK < SETTLING


def bounds(plan: Plan) -> Mapping[int, float]:
    """Return after how many whole fortnights the bot looks, in order, each with its bound of p. The last one is the end."""
    return _LOOKS[plan.length] if plan.design is Design.NIGHTLY else {plan.length // FORTNIGHT: CLEAR}


def look_night(plan: Plan, fortnights: int) -> Night:
    """Return the last night that counts for a look after this many whole fortnights."""
    return night_at(plan, RUN_IN + FORTNIGHT * fortnights - 1)


def _bag_order(plan: Plan) -> list[int]:
    """Return the night index of bags 1, 2, ...: a keyed shuffle, so that no number or neighbouring bag reveals an arm."""
    return sorted(range(plan.length), key=lambda index: _keyed(plan.seed, f"bag/{index + 1}"))


def _keyed(seed: bytes, message: str) -> bytes:
    return hmac.digest(seed, message.encode(), "sha256")
