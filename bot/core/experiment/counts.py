"""What is counted of a test and what its verdict is called, in either version."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """The verdict in one word."""

    CLEAR_HELP = "clear_help"
    LEANS_HELP = "leans_help"
    CANT_TELL = "cant_tell"
    LEANS_WORSE = "leans_worse"
    CLEAR_WORSE = "clear_worse"
    NO_VERDICT = "no_verdict"


class Lack(StrEnum):
    """Why there is no verdict."""

    TOO_EARLY = "too_early"  # stopped before the second fortnight was over
    NO_WHOLE_FORTNIGHT = "no_whole_fortnight"  # the same, in a test of version 1
    FEW_RATED_NIGHTS = "few_rated_nights"


@dataclass(frozen=True, slots=True)
class ArmTally:
    """How many of the rated `nights` were `better`."""

    better: int
    nights: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of an ON and an OFF night of the same weekday and fortnight, by how the ON night compared."""

    better: int
    worse: int
    equal: int

    @property
    def total(self) -> int:
        """Pairs with both nights rated."""
        return self.better + self.worse + self.equal


@dataclass(frozen=True, slots=True)
class Count:
    """A count for each arm."""

    on: int
    off: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.on + self.off
