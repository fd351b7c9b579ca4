"""Which time zone a typed place, a location or a language code means."""

from __future__ import annotations

import math
import tomllib
import unicodedata
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from bot.core import parsing

_LONGEST = 80
_MOST = 8
_CITIES = Path(__file__).with_name("cities.toml")
# Whose city names are tried when the person's own language and English have none, by the script that was typed.
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
# Letters that Unicode does not take apart into a letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
# For these some other place is likelier to be meant by the short form; the table of short names has them.
_MISLEADING = frozenset({"EST", "MST", "EET", "Factory"})


@dataclass(frozen=True, slots=True)
class Place:
    """An IANA zone and what to call it on a button."""

    zone: str
    label: str


@dataclass(frozen=True, slots=True)
class Found:
    """The places that a person may mean, likeliest first, at most eight, none for what is not understood.

    `sure`: every word of it was understood as it stands, so that the only place may be taken without a question.
    """

    places: tuple[Place, ...] = ()
    sure: bool = True


Index = dict[str, tuple[Place, ...]]


def find(text: str, language: str) -> Found:
    """Read as an offset, an IANA name, a city or a country, in the person's language, English and then any other, perhaps
    with the state or country after a comma; else, and then not for sure, as the beginning of such a name, or as one with a
    single slip of the finger.
    """
    typed = parsing.clean(text, _LONGEST)
    zone = parsing.offset(typed) or _names().get(typed.casefold().replace(" ", "_"))
    if zone is not None:
        return Found((Place(zone, label(zone, language)),))
    key = _fold(typed)
    if not key:
        return Found()
    locale = _locale(language)
    index = _index(locale)
    if whole := _named(typed, locale):
        return Found(whole)
    return _qualified(typed, locale) or Found((_beginning(index, key) or _one_slip(index, key)), sure=False)


def exists(zone: str) -> bool:
    """Whether this is the name of a zone that can be kept."""
    return zone in _available()


def at(latitude: float, longitude: float) -> str | None:
    """The zone of a location, in degrees; None where there is none."""
    if not (math.isfinite(latitude) and math.isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    import tzfpy  # several megabytes that most people never need

    return _canonical(tzfpy.get_tz(longitude, latitude))


def guesses(language_code: str | None) -> list[str]:
    """Three to six zones to offer for a Telegram language code ("de", "pt-br"), the region's first."""
    table: Mapping[str, list[str]] = _tables()["guesses"]
    code = (language_code or "").casefold().replace("_", "-")
    language, _, region = code.partition("-")
    zones = table.get(code) or table.get(language) or table[""]
    return list(dict.fromkeys([*_zones_of(region.upper())[:3], *zones]))[:6]


def label(zone: str, language: str) -> str:
    """What a zone's city is called in a language: "Wien", or "UTC+2" for a zone that is only an offset."""
    if zone.startswith("Etc/"):
        hours = zone.removeprefix("Etc/GMT")
        return "UTC" + hours.translate(str.maketrans("+-", "-+")) if hours[:1] in {"+", "-"} else "UTC"
    return _city(zone, _locale(language))


def named(zone: str, language: str, city: str | None = None) -> str:
    """A zone's city, or the `city` that it was found by, with its country: "Paris, France"; an offset alone has none."""
    zone, city = _canonical(zone) or zone, city or label(zone, language)
    country = str(_locale(language).territories.get(_territories().get(zone, ""), ""))
    if not country or _fold(country).startswith(_fold(city)):
        return country or city
    return city if _fold(city).endswith(_fold(country)) else f"{city}, {country}"


# Zones and their names


@lru_cache(maxsize=1)
def _territories() -> dict[str, str]:
    """The country of each zone, as its two letters."""
    known: Mapping[str, str] = get_global("zone_territories")
    return {
        zone: code for name, code in known.items() if (zone := _canonical(name)) and code.isalpha() and code != "ZZ"
    }


@lru_cache(maxsize=1)
def _available() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, list[str]]]:
    with _CITIES.open("rb") as file:
        return tomllib.load(file)


def _canonical(name: str) -> str | None:
    """The zone's name of today (Asia/Calcutta became Asia/Kolkata), or None for one that the zone database lacks."""
    zone: str = get_global("zone_aliases").get(name, name)
    return zone if zone in _available() else None


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Every IANA name, lower case, old ones too, and the zone it means today."""
    known = ((name.casefold(), _canonical(name)) for name in _available() - _MISLEADING)
    return {name: zone for name, zone in known if zone is not None}


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    """The locale of a language code in any of its spellings; English for one that CLDR does not know."""
    for code in (language.replace("-", "_"), language.replace("-", "_").partition("_")[0]):
        try:
            return Locale.parse(code)
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")


def _city(zone: str, locale: Locale) -> str:
    """CLDR's name of the city, or the IANA name where it is spelled the same."""
    zone = _canonical(zone) or zone
    for name in (zone, *_old_zone_names().get(zone, ())):  # CLDR goes on with the name that it had first
        city: str | None = locale.time_zones.get(name, {}).get("city")
        if city:
            return city
    return zone.rpartition("/")[2].replace("_", " ")


@lru_cache(maxsize=1)
def _old_zone_names() -> dict[str, list[str]]:
    """The earlier names of each zone that was renamed."""
    found: dict[str, list[str]] = {}
    for old, zone in get_global("zone_aliases").items():
        found.setdefault(zone, []).append(old)
    return found


# The index: every name of every place, folded, in one language and English


@lru_cache(maxsize=12)
def _index(locale: Locale) -> Index:
    """The places of each name, the likeliest first."""
    found: dict[str, dict[str, Place]] = {}
    for names in (_zone_names, _city_names, _country_names, _short_names, _old_names):
        for name, place in names(locale):
            found.setdefault(_fold(name), {}).setdefault(place.zone, place)
    return {key: tuple(places.values())[:_MOST] for key, places in found.items() if key}


def _zones() -> list[str]:
    return sorted({zone for zone in _names().values() if not zone.startswith("Etc/")})


def _zone_names(locale: Locale) -> Iterator[tuple[str, Place]]:
    for zone in _zones():
        place = Place(zone, _city(zone, locale))
        yield from ((name, place) for name in (place.label, _city(zone, Locale("en")), zone.rpartition("/")[2]))


def _city_names(_: Locale) -> Iterator[tuple[str, Place]]:
    """The table's spellings, first as they stand, so that a bare name goes before one that carries its country."""
    spellings = [
        (name, Place(zone, first if "," in first else name))
        for zone, entries in _tables()["cities"].items()
        for first, names in ((entry.partition("|")[0], entry.split("|")) for entry in entries)
        for name in names
    ]
    yield from spellings
    yield from ((_spelled_out(name), place) for name, place in spellings)


def _country_names(locale: Locale) -> Iterator[tuple[str, Place]]:
    for territory, zones in _countries().items():
        for name in (locale.territories.get(territory, ""), Locale("en").territories.get(territory, "")):
            yield from ((name, Place(zone, _city(zone, locale))) for zone in zones)


def _short_names(locale: Locale) -> Iterator[tuple[str, Place]]:
    for key, names in _tables()["short"].items():
        for zone in [key] if "/" in key else _zones_of(key):
            yield from ((name, Place(zone, _city(zone, locale))) for name in names)


def _old_names(locale: Locale) -> Iterator[tuple[str, Place]]:
    """Cities that the zone database once named itself, and table names without the country they carry."""
    for zone, entries in _tables()["cities"].items():
        firsts = (entry.partition("|")[0] for entry in entries)
        yield from ((first.partition(",")[0], Place(zone, first)) for first in firsts)
    for old, zone in _names().items():
        if "/" in old:
            yield old.rpartition("/")[2], Place(zone, _city(zone, locale))


def _spelled_out(name: str) -> str:
    return name.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")


@lru_cache(maxsize=1)
def _countries() -> dict[str, list[str]]:
    """Each territory's zones, most people first."""
    everywhere: Mapping[str, list[str]] = get_global("territory_zones")
    return {code: zones for code in everywhere if len(code) == 2 and code.isalpha() and (zones := _zones_of(code))}


def _zones_of(territory: str) -> list[str]:
    listed = _tables()["countries"].get(territory) or get_global("territory_zones").get(territory, [])
    zones = (_canonical(zone) for zone in listed if territory != "ZZ")
    return [zone for zone in zones if zone is not None][:_MOST]


def _fold(text: str) -> str:
    """A name without case, accents and punctuation; "Saint" and "St." are the same."""
    lowered = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    kept = (char if unicodedata.category(char)[0] in "LNM" else " " for char in lowered if not _accent(char))
    words = "".join(kept).replace("'", "").split()
    return " ".join("st" if word == "saint" else word for word in words)


def _accent(char: str) -> bool:
    return unicodedata.combining(char) != 0 or char in "'’ʼ`"


# Looking a name up


def _named(text: str, locale: Locale) -> tuple[Place, ...]:
    """The places of exactly this name."""
    return _index(locale).get(_fold(text)) or _elsewhere(text, locale)


def _qualified(typed: str, locale: Locale) -> Found | None:
    """ "City, state, country". Where a word after the commas is not understood, or none of the city's places is there, the
    person is asked about all that it may be: a famous namesake is never taken for it.
    """
    city, *rest = (part for part in typed.split(",") if _fold(part))
    there = [_regions(part, locale) for part in rest]
    if not there:
        return None
    places = _named(city, locale)
    zones = frozenset.intersection(*(frozenset(place.zone for place in region) for region in there))
    if fitting := tuple(place for place in places if place.zone in zones):
        return Found(fitting)
    found = dict.fromkeys([*there[0][: _MOST // 2], *places, *(place for region in there for place in region)])
    return Found(tuple(found)[:_MOST], sure=False) if found else None


def _regions(text: str, locale: Locale) -> tuple[Place, ...]:
    """The zones of a country, state or bigger city: by its name or, as people write behind a comma, by two letters."""
    code = text.strip().upper()
    known = tuple(Place(zone, _city(zone, locale)) for zone in _countries().get(code, ()))
    return tuple(dict.fromkeys([*_named(text, locale), *known]))


def _elsewhere(typed: str, locale: Locale) -> tuple[Place, ...]:
    """In the languages that are written in the script that was typed."""
    script = next((unicodedata.name(char, "").partition(" ")[0] for char in typed if char.isalpha()), "")
    for language in _LANGUAGES.get(script.partition("-")[0], ()):
        if zones := _foreign_names(language).get(_fold(typed)):
            return tuple(Place(zone, _city(zone, locale)) for zone in zones)
    return ()


@lru_cache(maxsize=40)
def _foreign_names(language: str) -> dict[str, tuple[str, ...]]:
    """The names of countries and zone cities in one more language, with their zones."""
    locale = Locale.parse(language)
    names = {_fold(locale.territories.get(code, "")): tuple(zones) for code, zones in _countries().items()}
    names.update((_fold(_city(zone, locale)), (zone,)) for zone in _zones())
    return names


def _beginning(index: Index, key: str) -> tuple[Place, ...]:
    """The places whose names begin like this, if they are few enough to choose from."""
    if len(key) < 3 and key.isascii():
        return ()
    places = _distinct(index, (name for name in index if name.startswith(key)))
    return places if len(places) <= _MOST else ()


def _one_slip(index: Index, key: str) -> tuple[Place, ...]:
    """The places whose names are one letter, or two letters exchanged, away."""
    if len(key) < 5:
        return ()
    near: Callable[[str], bool] = lambda name: abs(len(name) - len(key)) <= 1 and _one_apart(name, key)  # noqa: E731
    return _distinct(index, filter(near, index))[:_MOST]


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
