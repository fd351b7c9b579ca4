"""Countries and states as people write them behind a town's name: by name or by letters."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from babel import Locale
from babel.core import get_global

from bot.texts.places import index, zones
from bot.texts.places.folding import fold

_FILE = Path(__file__).parents[1] / "regions.toml"

Region = tuple[str, str]
"""A country's two letters and a state's; no state is all of the country."""


def meant(text: str, *languages: Locale) -> frozenset[Region]:
    """The countries and states of this name or with these letters: "GA" is Georgia in the United States, and Gabon."""
    key, code = fold(text), text.strip().upper()
    if not key:
        return frozenset()
    found = set(_states().get(key, ()))
    for language in (*languages, Locale("en")):
        found |= _countries(language).get(key, set())
    if not found:
        others = (_countries(Locale.parse(each)).get(key, set()) for each in index.languages(text))
        found |= next(filter(None, others), set())
    found |= {(country, code) for country, states in _table().items() if code in states}
    return frozenset(found | {(country, "") for country in _of_letters(code)})


def states(text: str) -> list[Region]:
    """The states of this name."""
    return sorted(_states().get(fold(text), ()))


def name(region: Region) -> str:
    """What a state is called first, or its country's letters where there is no state."""
    country, state = region
    return _table().get(country, {}).get(state, [country])[0]


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, list[str]]]:
    with _FILE.open("rb") as file:
        return tomllib.load(file)


@lru_cache(maxsize=1)
def _states() -> dict[str, set[Region]]:
    found: dict[str, set[Region]] = {}
    for country, listed in _table().items():
        for code, names in listed.items():
            for one in names:
                found.setdefault(fold(one), set()).add((country, code))
    return found


@lru_cache(maxsize=40)
def _countries(language: Locale) -> dict[str, set[Region]]:
    """The countries' names in one language, and what people call them for short."""
    found: dict[str, set[Region]] = {}
    for code in zones.countries():
        for one in (language.territories.get(code), *zones.tables()["short"].get(code, ())):
            if one:
                found.setdefault(fold(one), set()).add((code, ""))
    return found


def _of_letters(code: str) -> list[str]:
    """A country by its two or three letters."""
    aliases: Mapping[str, list[str]] = get_global("territory_aliases")
    listed = aliases.get(code, []) if len(code) in (2, 3) and code.isalpha() else []
    return [each for each in (code, *listed) if each in zones.countries()]
