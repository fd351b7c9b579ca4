"""The names of zone cities, of the table's cities and of countries, folded, in one language and English; and in any other."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from babel import Locale

from bot.texts.places import zones
from bot.texts.places.folding import fold, spelled_out
from bot.texts.places.zones import MOST

# By the script that was typed: the languages whose city names are tried if the person's own and English have no match.
_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "LATIN": ("de", "fr", "es", "it", "pt", "nl", "pl", "tr", "cs", "sv", "ro", "hu", "vi", "id"),
    "CYRILLIC": ("ru", "uk", "bg", "sr"),
    "ARABIC": ("ar", "fa", "ur"),
    "CJK": ("zh", "zh_Hant", "ja"),
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "HANGUL": ("ko",),
    "HEBREW": ("he",),
    "GREEK": ("el",),
    "DEVANAGARI": ("hi", "mr", "ne"),
    "BENGALI": ("bn",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "THAI": ("th",),
    "GEORGIAN": ("ka",),
    "ARMENIAN": ("hy",),
}


@dataclass(frozen=True, slots=True)
class Place:
    """An IANA zone and what to call it on a button. `country`: where its town is, if that is not the zone's own country."""

    zone: str
    label: str
    country: str = ""


Index = dict[str, tuple[Place, ...]]


def named(text: str, where: Locale) -> tuple[Place, ...]:
    """The places of exactly this name, in this language, English or else any other."""
    return of(where).get(fold(text)) or _elsewhere(text, where)


@lru_cache(maxsize=12)
def of(where: Locale) -> Index:
    """The places of each name, the likeliest first."""
    found: dict[str, dict[str, Place]] = {}
    for names in (_zone_names, _city_names, _country_names, _short_names, _old_names):
        for name, place in names(where):
            found.setdefault(fold(name), {}).setdefault(place.zone, place)
    return {key: tuple(places.values())[:MOST] for key, places in found.items() if key}


def _zone_names(locale: Locale) -> Iterator[tuple[str, Place]]:
    for zone in zones.every():
        place = Place(zone, zones.city(zone, locale))
        yield from ((name, place) for name in (place.label, zones.city(zone, Locale("en")), zone.rpartition("/")[2]))


def _city_names(_: Locale) -> Iterator[tuple[str, Place]]:
    """The table's spellings, first as they stand, so that a bare name goes before one that carries its country."""
    spellings = [
        (name, Place(zone, first if "," in first else name))
        for zone, entries in zones.tables()["cities"].items()
        for first, names in ((entry.partition("|")[0], entry.split("|")) for entry in entries)
        for name in names
    ]
    yield from spellings
    yield from ((spelled_out(name), place) for name, place in spellings)


def _country_names(locale: Locale) -> Iterator[tuple[str, Place]]:
    for territory, listed in zones.countries().items():
        for name in (locale.territories.get(territory, ""), Locale("en").territories.get(territory, "")):
            yield from ((name, Place(zone, zones.city(zone, locale))) for zone in listed)


def _short_names(locale: Locale) -> Iterator[tuple[str, Place]]:
    for key, names in zones.tables()["short"].items():
        for zone in [key] if "/" in key else zones.of_country(key):
            yield from ((name, Place(zone, zones.city(zone, locale))) for name in names)


def _old_names(locale: Locale) -> Iterator[tuple[str, Place]]:
    """Cities that the zone database once named itself, and table names without the country they carry."""
    for zone, entries in zones.tables()["cities"].items():
        firsts = (entry.partition("|")[0] for entry in entries)
        yield from ((first.partition(",")[0], Place(zone, first)) for first in firsts)
    for old, zone in zones.names().items():
        if "/" in old:
            yield old.rpartition("/")[2], Place(zone, zones.city(zone, locale))


def languages(text: str) -> tuple[str, ...]:
    """Some languages that are written in the script of a text."""
    script = next((unicodedata.name(char, "").partition(" ")[0] for char in text if char.isalpha()), "")
    return _LANGUAGES.get(script.partition("-")[0], ())


def _elsewhere(typed: str, locale: Locale) -> tuple[Place, ...]:
    """In the languages that are written in the script that was typed."""
    for language in languages(typed):
        if found := _foreign_names(language).get(fold(typed)):
            return tuple(Place(zone, zones.city(zone, locale)) for zone in found)
    return ()


@lru_cache(maxsize=40)
def _foreign_names(language: str) -> dict[str, tuple[str, ...]]:
    """The names of countries and zone cities in one more language, with their zones."""
    locale = Locale.parse(language)
    names = {fold(locale.territories.get(code, "")): tuple(listed) for code, listed in zones.countries().items()}
    names.update((fold(zones.city(zone, locale)), (zone,)) for zone in zones.every())
    return names


def beginning(index: Index, key: str) -> tuple[Place, ...]:
    """The places whose names begin like this, if they are few enough to choose from."""
    if len(key) < 3 and key.isascii():
        return ()
    places = _distinct(index, (name for name in index if name.startswith(key)))
    return places if len(places) <= MOST else ()


def one_slip(index: Index, key: str) -> tuple[Place, ...]:
    """The places whose names are one letter, or two letters exchanged, away."""
    if len(key) < 5:
        return ()
    near: Callable[[str], bool] = lambda name: abs(len(name) - len(key)) <= 1 and _one_apart(name, key)  # noqa: E731
    return _distinct(index, filter(near, index))[:MOST]


def _distinct(index: Index, names: Iterable[str]) -> tuple[Place, ...]:
    """One place a label, the shortest names first: they are what was typed and little more."""
    ordered = sorted(names, key=lambda name: (len(name), name))
    by_zone: dict[tuple[str, str], Place] = {}
    for place in (place for name in ordered for place in index[name]):
        by_zone.setdefault((place.zone, place.label), place)
    return tuple(by_zone.values())


def _one_apart(one: str, other: str) -> bool:
    """Whether one letter was left out, added or mistaken, or two neighbours were exchanged."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
