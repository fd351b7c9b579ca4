"""The parts of a test's JSON that both versions share; read strictly, because anybody may have edited it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import TypeVar

from bot.core.experiment.counts import ArmTally
from bot.core.experiment.design import Shift
from bot.core.model import Night

LONGEST_TEST = 2000  # nights, pauses and all
_MOST_WEEKS = 600
_Choice = TypeVar("_Choice", bound=Enum)


class Unreadable(ValueError):  # noqa: N818 - named for what it says
    """This is not a self-experiment that we wrote; the message is one sentence."""


def rounded(value: object) -> object:
    """A JSON value with its fractions cut to nine digits."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    return float(f"{value:.9g}") if isinstance(value, float) else value


def read_pauses(got: Values) -> tuple[Shift, ...]:
    """The pauses of a test. Raises Unreadable."""
    pauses = (Values(item, "a pause") for item in got.items("pauses", 100))
    return tuple(Shift(pause.night("night"), pause.number("weeks", 1, _MOST_WEEKS)) for pause in pauses)


def read_tally(values: object) -> ArmTally:
    """Better nights among rated ones. Raises Unreadable."""
    got = Values(values, "a count")
    return ArmTally(got.number("better", 0, LONGEST_TEST), got.number("nights", 0, LONGEST_TEST))


class Values:
    """A JSON object from outside: every value is checked before it is used."""

    def __init__(self, values: object, what: str) -> None:
        if not isinstance(values, Mapping):
            raise Unreadable(f"In the test's file, {what} is not what it should be.")
        self.values, self._what = values, what

    def refusal(self, key: str) -> Unreadable:
        """What to raise where a value is missing or wrong."""
        return Unreadable(f"In the test's file, {key} of {self._what} is missing or wrong.")

    def get(self, key: str) -> object:
        return self.values.get(key)

    def number(self, key: str, least: int, most: int) -> int:
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.refusal(key)
        return value

    def real(self, key: str) -> float | None:
        value = self.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e6:
            raise self.refusal(key)
        return float(value)

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if not isinstance(value, bool):
            raise self.refusal(key)
        return value

    def text(self, key: str) -> str:
        value = self.get(key)
        if not isinstance(value, str) or len(value) > 200:
            raise self.refusal(key)
        return value

    def night(self, key: str) -> Night:
        try:
            return date.fromisoformat(self.text(key))
        except ValueError:
            raise self.refusal(key) from None

    def choice(self, key: str, kind: type[_Choice]) -> _Choice:
        try:
            return kind(self.get(key))
        except ValueError:
            raise self.refusal(key) from None

    def items(self, key: str, most: int) -> list[object]:
        value = self.get(key)
        if not isinstance(value, list) or len(value) > most:
            raise self.refusal(key)
        return value
