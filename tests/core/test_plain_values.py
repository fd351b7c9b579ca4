"""Dataclasses go through JSON and come back as they were; what is none of them is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum, StrEnum

import pytest

from bot.core.plain_values import plain, restored


class Colour(StrEnum):
    RED = "red"


class Step(IntEnum):
    ONE = 1


@dataclass(frozen=True, slots=True)
class Leaf:
    night: date
    at: datetime | None = None
    clock: time | None = None
    took: timedelta = timedelta()
    colour: Colour | None = None
    step: Step = Step.ONE
    share: float = 0.5
    late: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    leaves: tuple[Leaf, ...]
    named: tuple[tuple[str, int], ...] = ()


FULL = Leaf(
    date(2026, 3, 1),
    datetime(2026, 3, 1, 12, tzinfo=UTC),
    time(23, 5),
    timedelta(minutes=3),
    Colour.RED,
    Step.ONE,
    0.25,
    late=True,
)


@pytest.mark.parametrize("value", [FULL, Leaf(date(2026, 3, 1)), Tree((FULL,), (("a", 1), ("b", 2))), Tree(())])
def test_a_value_comes_back_as_it_was(value: object) -> None:
    assert restored(Leaf | Tree, json.loads(json.dumps(plain(value)))) == value


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"=": "Twig"},
        {"=": "Leaf", "night": 7},
        {"=": "Leaf", "night": "2026-03-01", "late": 1},
        {"=": "Leaf", "night": "2026-03-01", "colour": "blue"},
        {"=": "Leaf", "night": "2026-03-01", "stem": 1},
        {"=": "Tree", "leaves": [{"=": "Tree", "leaves": []}]},
        {"=": "Tree", "leaves": [], "named": [["a"]]},
    ],
)
def test_what_is_no_such_value_is_refused(data: object) -> None:
    with pytest.raises(ValueError):
        restored(Leaf | Tree, data)


def test_what_has_no_plain_form_is_said() -> None:
    with pytest.raises(TypeError):
        plain(object())
