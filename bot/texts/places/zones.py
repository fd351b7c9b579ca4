"""Time zones: their names of today, cities, countries, and what CLDR, Windows and people call them."""

from __future__ import annotations

import tomllib
import zoneinfo
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from bot.texts.places.folding import fold

MOST = 8
"""The most zones of a country, and places of a name, that are offered."""

_CITIES = Path(__file__).parents[1] / "cities.toml"
# For these some other place is likelier to be meant by the short form; the table of short names has them.
_MISLEADING = frozenset({"EST", "MST", "EET", "Factory"})


@lru_cache(maxsize=1)
def available() -> frozenset[str]:
    """The zones that can be kept."""
    return frozenset(zoneinfo.available_timezones())


@lru_cache(maxsize=1)
def tables() -> dict[str, dict[str, list[str]]]:
    """The table of cities.toml, by section."""
    with _CITIES.open("rb") as file:
        return tomllib.load(file)


def canonical(name: str) -> str | None:
    """The zone's name of today (Asia/Calcutta became Asia/Kolkata), or None for one that the zone database lacks."""
    zone: str = get_global("zone_aliases").get(name, name)
    return zone if zone in available() else None


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """Every IANA name, lower case, old ones too, and the zone it means today."""
    known = ((name.casefold(), canonical(name)) for name in available() - _MISLEADING)
    return {name: zone for name, zone in known if zone is not None}


def every() -> list[str]:
    """The zones that have a place, by their names of today."""
    return sorted({zone for zone in names().values() if not zone.startswith("Etc/")})


@lru_cache(maxsize=64)
def locale(language: str) -> Locale:
    """The locale of a language code in any of its spellings; English for one that CLDR does not know."""
    for code in (language.replace("-", "_"), language.replace("-", "_").partition("_")[0]):
        try:
            return Locale.parse(code)
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


def city(zone: str, where: Locale) -> str:
    """CLDR's name of the zone's city, or the IANA name where it is spelled the same."""
    zone = canonical(zone) or zone
    for name in (zone, *_old_names().get(zone, ())):  # CLDR goes on with the name that it had first
        found: str | None = where.time_zones.get(name, {}).get("city")
        if found:
            return found
    return zone.rpartition("/")[2].replace("_", " ")


@lru_cache(maxsize=1)
def _old_names() -> dict[str, list[str]]:
    """The earlier names of each zone that was renamed."""
    found: dict[str, list[str]] = {}
    for old, zone in get_global("zone_aliases").items():
        found.setdefault(zone, []).append(old)
    return found


@lru_cache(maxsize=1)
def territories() -> dict[str, str]:
    """The country of each zone, as its two letters."""
    known: Mapping[str, str] = get_global("zone_territories")
    return {zone: code for name, code in known.items() if (zone := canonical(name)) and code.isalpha() and code != "ZZ"}


@lru_cache(maxsize=1)
def countries() -> dict[str, list[str]]:
    """Each territory's zones, most people first."""
    everywhere: Mapping[str, list[str]] = get_global("territory_zones")
    return {code: zones for code in everywhere if len(code) == 2 and code.isalpha() and (zones := of_country(code))}


def of_speakers(language: str) -> list[str]:
    """A zone of each country of a language: first that of most speakers, then the others where it is official."""
    likely: str = get_global("likely_subtags").get(language, "")
    everywhere: Mapping[str, Mapping[str, Mapping[str, Any]]] = get_global("territory_languages")
    shares = {
        code: spoken[language]["population_percent"]
        for code, spoken in everywhere.items()
        if spoken.get(language, {}).get("official_status") == "official"
    }
    found = [likely[-2:], *sorted(shares, key=lambda code: -shares[code])]
    return list(dict.fromkeys(zone for code in found for zone in of_country(code)[:1]))


def of_country(territory: str) -> list[str]:
    """A territory's zones, most people first, at most eight."""
    listed = tables()["countries"].get(territory) or get_global("territory_zones").get(territory, [])
    zones = (canonical(zone) for zone in listed if territory != "ZZ")
    return [zone for zone in zones if zone is not None][:MOST]


# -- names of whole zones: "Pacific Time", "W. Europe Standard Time" -----------------------------------------------------


def called(text: str, where: Locale) -> tuple[str, ...]:
    """The zones that go by such a name in Windows, or in CLDR in this language or English; those that keep one clock are one."""
    key = fold(text)
    return _windows().get(key) or _cldr(where).get(key) or _cldr(Locale("en")).get(key) or ()


@lru_cache(maxsize=1)
def _windows() -> dict[str, tuple[str, ...]]:
    known: Mapping[str, str] = get_global("windows_zone_mapping")
    return {fold(name): (zone,) for name, iana in known.items() if "/" in iana and (zone := canonical(iana))}


@lru_cache(maxsize=12)
def _cldr(where: Locale) -> dict[str, tuple[str, ...]]:
    """ "Central European Summer Time" and the like."""
    found: dict[str, tuple[str, ...]] = {}
    for group, listed in _groups().items():
        lengths: Mapping[str, Mapping[str, str]] = where.meta_zones.get(group, {})
        for _, name in lengths.get("long", {}).items():  # noqa: PERF102 - babel's mapping has no values
            found.setdefault(fold(str(name)), listed)
    return found


@lru_cache(maxsize=1)
def _groups() -> dict[str, tuple[str, ...]]:
    """CLDR's groups of zones that have one name: of those that keep one clock the best known stands for all."""
    known: Mapping[str, str] = get_global("meta_zones")
    first = (zone for language in ("", "en", "ru") for zone in tables()["guesses"][language])
    best = [*first, *get_global("windows_zone_mapping").values()]
    order = {zone: place for place, zone in reversed(list(enumerate(best)))}
    found: dict[str, dict[object, str]] = {}
    for name in sorted(known, key=lambda name: (order.get(name, len(best)), name)):
        zone = canonical(name)
        if zone is not None and known[name] != "GMT":
            found.setdefault(known[name], {}).setdefault(_clock(zone), zone)
    return {group: tuple(clocks.values()) for group, clocks in found.items()}


def _clock(zone: str) -> object:
    """What the zone's clock does all year by the rules of today, looked at in a year that has no others yet."""
    noons = (datetime(2035, month, day, 12, tzinfo=UTC) for month in range(1, 13) for day in (1, 15, 28))
    return tuple(noon.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset() for noon in noons)
