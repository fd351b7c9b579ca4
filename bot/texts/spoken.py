"""Reads the words that people write round times and days, one file a language in content/spoken, and checks them strictly."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from bot.core import spoken
from bot.core.spoken import DAYS, SHIFTS, SIGNS, UNITS, Spoken

FOLDER = Path(__file__).with_name("spoken")

_SECTIONS: Mapping[str, frozenset[str] | None] = {
    "time": frozenset({*SIGNS, "shift"}),
    "numbers": None,
    "days": frozenset({*DAYS, "round"}),
    "lengths": None,
    "units": frozenset({*UNITS, "one"}),
    "dates": frozenset({"tomorrow", "next", "until", "in"}),
}

_Meaning = TypeVar("_Meaning")
Table = Mapping[str, Mapping[str, object]]


class BadWords(ValueError):  # noqa: N818 - named for what is bad
    """A file of words names something unknown, or gives one word two meanings."""


@lru_cache(maxsize=1)
def known() -> Spoken:
    """The words of every language. Raises BadWords."""
    return read({file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.toml"))})


def read(tables: Mapping[str, Table]) -> Spoken:
    """All languages' words in one. Raises BadWords where one word means two things."""
    for language, table in tables.items():
        _check(language, table)
    every: Callable[[str], list[Mapping[str, object]]] = lambda name: [table.get(name, {}) for table in tables.values()]  # noqa: E731
    times = every("time")
    signs = [(word, sign) for table in times for name, sign in SIGNS.items() for word in _words(table.get(name))]
    shifts = [pair for table in times for pair in _numbered(table.get("shift"))]
    signs += [(word, SHIFTS[minutes]) for word, minutes in shifts]
    days = [(word, DAYS[name]) for table in every("days") for name in DAYS for word in _words(table.get(name))]
    units = [(word, name) for table in every("units") for name in UNITS for word in _words(table.get(name))]
    return Spoken(
        signs=_one_each("time", signs),
        numbers=_one_each("numbers", (pair for table in every("numbers") for pair in _numbered(table))),
        days=_one_each("days", days),
        round_days=frozenset(word for table in every("days") for word in _words(table.get("round"))),
        lengths=_one_each("lengths", (pair for table in every("lengths") for pair in _numbered(table))),
        units=_one_each("units", units),
        ones=frozenset(word for table in every("units") for word in _words(table.get("one"))),
        tomorrow=frozenset(word for table in every("dates") for word in _words(table.get("tomorrow"))),
        round_dates=frozenset(
            word for table in every("dates") for name in ("next", "until", "in") for word in _words(table.get(name))
        ),
    )


def _check(language: str, table: Table) -> None:
    for section, keys in table.items():
        if section not in _SECTIONS:
            raise BadWords(f"{language}: there is no section {section}")
        allowed = _SECTIONS[section]
        for key, value in keys.items():
            if allowed is not None and key not in allowed:
                raise BadWords(f"{language}: {section} has no list {key}")
            if key == "shift" and isinstance(value, dict):
                if not {*value.values()} <= {*SHIFTS}:
                    raise BadWords(f"{language}: a shift is one of {sorted(SHIFTS)} minutes")
            elif not (isinstance(value, int) if allowed is None else _is_words(value)):
                raise BadWords(f"{language}: {section}, {key}: not what belongs there")


def _is_words(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) and word.strip() for word in value)


def _words(value: object) -> list[str]:
    return [spoken.plain(word) for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _numbered(value: object) -> Iterator[tuple[str, int]]:
    if isinstance(value, Mapping):
        yield from ((spoken.plain(str(word)), number) for word, number in value.items() if isinstance(number, int))


def _one_each(what: str, pairs: Iterable[tuple[str, _Meaning]]) -> dict[str, _Meaning]:
    found: dict[str, _Meaning] = {}
    for word, meaning in pairs:
        if found.setdefault(word, meaning) != meaning:
            raise BadWords(f"{what}: “{word}” means {found[word]!r} and {meaning!r}")
    return found
