"""Finds the time zone that a typed place, a location or a language code means.

`finding` goes from a typed text to places, `index` has the names of zone cities and countries, `towns` those of GeoNames,
`regions` the countries and states behind a comma. `zones` knows time zones, `folding` makes names comparable.

Start reading at `finding`. May import: `bot.texts` and `bot.core`. A missing name goes into cities.toml or regions.toml, with
a row in tests/tables/places.tsv.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bot.texts.places import zones
from bot.texts.places.finding import LONGEST, Found, find, label
from bot.texts.places.folding import fold
from bot.texts.places.index import Place

__all__ = ["LONGEST", "Found", "Place", "at", "exists", "find", "guesses", "label", "named"]


def exists(zone: str) -> bool:
    """Whether this is the name of a zone that can be kept."""
    return zone in zones.available()


def at(latitude: float, longitude: float) -> tuple[str, ...]:
    """The zone of a location, in degrees; more than one where two clocks are in use, none where there is none."""
    if not (math.isfinite(latitude) and math.isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
        return ()
    import tzfpy  # several megabytes that most people never need

    found = (zones.canonical(name) for name in tzfpy.get_tzs(longitude, latitude))
    return tuple(dict.fromkeys(zone for zone in found if zone is not None))


def guesses(language_code: str | None) -> list[str]:
    """Three to six zones to offer for a Telegram language code ("de", "pt-br"): the region's first, then the language's, or
    those of the country where most of its speakers live.
    """
    table: Mapping[str, list[str]] = zones.tables()["guesses"]
    code = (language_code or "").casefold().replace("_", "-")
    language, _, region = code.partition("-")
    listed = table.get(code) or table.get(language)
    first = [*zones.of_country(region.upper())[:3], *(listed or zones.of_speakers(language)[:3])]
    return list(dict.fromkeys([*first, *([] if listed else table[""])]))[:6]


def named(zone: str, language: str, place: Place | None = None) -> str:
    """A zone's city, or the `place` that it was found by, with its country: "Paris, France"; an offset alone has none."""
    zone = zones.canonical(zone) or zone
    city = label(zone, language) if place is None else place.label
    code = (place.country if place is not None else "") or zones.territories().get(zone, "")
    country = str(zones.locale(language).territories.get(code, ""))
    if not country or fold(country).startswith(fold(city)):
        return country or city
    return city if fold(city).endswith(fold(country)) else f"{city}, {country}"
