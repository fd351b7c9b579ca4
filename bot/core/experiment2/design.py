"""What is fixed before the first night: which nights chance picks, whose seed it is, and when a test may end."""

from __future__ import annotations

import base64
import hmac
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from bot.core.experiment import design as experiment_design
from bot.core.experiment.design import FORTNIGHT, FORTNIGHTS, RUN_IN, Arm, RunIn
from bot.core.model import Night

Pattern = tuple[bool, ...]
"""The fourteen nights of a fortnight, True for ON."""

WEEK = 7
WEEKLY_LENGTH = 84
"""Nights of the weekly design: six pairs of weeks."""

SETTLING = 2
"""First nights of each week that the weekly design leaves out: what the week before left behind may still be there."""

WEEK_PAIRS: tuple[Pattern, ...] = (
    (False,) * WEEK + (True,) * WEEK,
    (True,) * WEEK + (False,) * WEEK,
)
"""The two orders of a pair of weeks; the second one begins with magnesium."""

CLEAR = 0.05
"""The bound of a test without looks: chances up to it are clear."""

LEANS = 0.20
FEWEST_RATED = 10
"""Rated nights that each arm needs before anything is decided."""

FIRST_LOOK = 2
"""No verdict before so many whole fortnights."""

FIRST_HOPELESS = 3
HOPELESS_BETTER, HOPELESS_WORSE = 0.60, 0.20

_LOOKS: Mapping[int, Mapping[int, float]] = {
    28: {2: CLEAR},
    56: {2: 0.0071, 3: 0.0227, 4: 0.0416},
    84: {2: 0.0011, 3: 0.0063, 4: 0.0153, 5: 0.0266, 6: 0.0388},
}
"""For each length the fortnights after which the bot looks, with the bound of p there (O'Brien and Fleming's shape)."""

LONGEST_WORD = 60
_DRAWN_BYTES = 10


class Design(StrEnum):
    """The question that a test asks."""

    NIGHTLY = "nightly"  # does tonight's magnesium change tonight's sleep?
    WEEKLY = "weekly"  # weeks with and without


class WordFault(Enum):
    """Why a typed word cannot be a test's word."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"  # half of a character: it has no UTF-8


@dataclass(frozen=True, slots=True)
class Plan(experiment_design.Plan):
    """One self-experiment of version 2. `length` is the longest it can be: most end earlier."""

    design: Design = Design.NIGHTLY

    def __post_init__(self) -> None:
        """Refuse a plan that nobody can have been offered."""
        experiment_design.Plan.__post_init__(self)  # a bare super() does not find its class where slots are made
        if self.design is Design.WEEKLY and self.length != WEEKLY_LENGTH:
            raise ValueError(f"weeks with and without take {WEEKLY_LENGTH} nights, not {self.length}")


@dataclass(frozen=True, slots=True)
class NightRecord(experiment_design.AssignedNight):
    """What is known of one night; `stomach`: not well with it, `guess`: what the person thought the bag held."""

    stomach: bool = False
    guess: Arm | None = None


def read_word(text: str) -> str | WordFault:
    """Return the word that a person typed as it enters the seed: composed (NFC), trimmed, 1 to 60 characters."""
    word = unicodedata.normalize("NFC", text).strip()
    if not word:
        return WordFault.EMPTY
    if len(word) > LONGEST_WORD:
        return WordFault.TOO_LONG
    return WordFault.NOT_TEXT if any("\ud800" <= letter <= "\udfff" for letter in word) else word


def drawn_word(noise: bytes) -> str:
    """Return a word for somebody who gave none: sixteen letters and digits from 10 random bytes of the caller's."""
    if len(noise) != _DRAWN_BYTES:
        raise ValueError(f"a drawn word is made from {_DRAWN_BYTES} bytes, not {len(noise)}")
    return base64.b32encode(noise).decode().lower()


def seed_of(bots_seed: bytes, word: str) -> bytes:
    """Return the seed of two parties: HMAC-SHA256 with the bot's random seed as key and the word (UTF-8) as message.

    The fingerprint of `bots_seed` is shown before the word is asked for, so that neither side can choose the nights.
    """
    return hmac.digest(bots_seed, word.encode(), "sha256")


def design_of(plan: experiment_design.Plan) -> Design:
    """Return the design of a plan of either version; version 1 knew only one."""
    return plan.design if isinstance(plan, Plan) else Design.NIGHTLY


def patterns(design: Design) -> tuple[Pattern, ...]:
    """Return everything that chance can make of one fortnight, each as likely as any other."""
    return FORTNIGHTS if design is Design.NIGHTLY else WEEK_PAIRS


def week_pair(seed: bytes, number: int) -> Pattern:
    """Draw pair of weeks `number` (from 1): the lowest bit of the first byte of HMAC-SHA256(seed, "pair/<number>").

    1 begins with magnesium.
    """
    return WEEK_PAIRS[hmac.digest(seed, f"pair/{number}".encode(), "sha256")[0] & 1]


def schedule(plan: experiment_design.Plan) -> tuple[Arm, ...]:
    """Return the arm of every night after the run-in, in order; of plans of version 1 too."""
    if design_of(plan) is Design.NIGHTLY:
        return experiment_design.schedule(plan)
    numbers = range(1, plan.length // FORTNIGHT + 1)
    return tuple(Arm.ON if on else Arm.OFF for number in numbers for on in week_pair(plan.seed, number))


def arm_on(plan: experiment_design.Plan, night: Night) -> Arm | RunIn | None:
    """Return a night's arm or run-in day; None outside the plan and while it is paused."""
    place = experiment_design.place_of(plan, night)
    if place is None:
        return None
    return RunIn(place + 1) if place < RUN_IN else schedule(plan)[place - RUN_IN]


def bags(plan: Plan) -> tuple[Arm, ...]:
    """Return what the helper puts into bag 1, 2, ...: for the helper's eyes only.

    Which bag belongs to which night is `experiment.bag_on`, for either design.
    """
    arms = schedule(plan)
    by_bag = {
        experiment_design.bag_on(plan, experiment_design.night_at(plan, RUN_IN + index)): arm
        for index, arm in enumerate(arms)
    }
    return tuple(by_bag[number] for number in range(1, plan.length + 1))


def settling(design: Design, index: int) -> bool:
    """Return whether night `index` (from 0, after the run-in) is left out because a week has just begun."""
    return design is Design.WEEKLY and index % WEEK < SETTLING


def bounds(plan: Plan) -> Mapping[int, float]:
    """Return after how many whole fortnights the bot looks, and the bound of p there, in order. The last is the end."""
    return _LOOKS[plan.length] if plan.design is Design.NIGHTLY else {plan.length // FORTNIGHT: CLEAR}


def look_night(plan: Plan, fortnights: int) -> Night:
    """Return the last night that a look after so many whole fortnights rests on."""
    return experiment_design.night_at(plan, RUN_IN + FORTNIGHT * fortnights - 1)
