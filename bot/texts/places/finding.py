"""Finds the places that a typed text may mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from babel import Locale

from bot.core import parsing
from bot.texts.places import index, regions, towns, zones
from bot.texts.places.folding import fold
from bot.texts.places.index import Place
from bot.texts.places.regions import Region
from bot.texts.places.towns import Town
from bot.texts.places.zones import MOST

LONGEST = 100
"""The most characters of a typed place that are read."""

_OUTWEIGHS = 10
"""A town is taken without a question if its namesakes in other zones have this many times fewer people."""

# Countries in which two clocks are in use: people keep one or the other, and no map knows which.
_BESIDE = {"Asia/Urumqi": "Asia/Shanghai"}


@dataclass(frozen=True, slots=True)
class Found:
    """The places that a person may mean, likeliest first, at most eight; empty if it was not understood.

    `sure`: every word of it was understood as it stands, so that the only place may be taken without a question.
    """

    places: tuple[Place, ...] = ()
    sure: bool = True


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads in the language that is answered in, and in that of the person's app."""

    answer: Locale
    own: Locale

    def read(self, typed: str) -> Found:
        """Each way to read it, the strictest first; the first that finds something has it."""
        ways: tuple[Callable[[str], Found | None], ...] = (
            self.whole,
            self._zone_called,
            self._continent_and_city,
            self._qualified,
            self._stripped,
            self._unseparated,
            self._nearly,
        )
        return next((found for way in ways if (found := way(typed)) is not None and found.places), Found())

    # -- a name alone --------------------------------------------------------------------------------------------------

    def whole(self, typed: str) -> Found | None:
        """The name of a city, country or state."""
        known, found, states = self._indexed(typed), towns.find(typed), regions.states(typed)
        beside = [place for state in states for place in self._of_region(state)]
        largest = max((town.thousands for state in states for town in towns.of_state(*state)), default=0)
        places = _distinct([*self._weighed(known, found, beside=largest), *beside])
        named = bool(known) or (bool(found) and len(fold(typed)) > _SHORT)
        sure = named or len(places) > 1 or any(country in _KNOWN_STATES for country, _ in states)
        return Found(places, sure=sure) if places else None

    def _indexed(self, typed: str) -> tuple[Place, ...]:
        """The places of the index in both languages, called as in the one that is answered in."""
        known = index.named(typed, self.answer)
        if self.own == self.answer:
            return known
        more = (
            replace(place, label=zones.city(place.zone, self.answer))
            for place in index.of(self.own).get(fold(typed), ())
        )
        return _distinct([*known, *more])

    def _weighed(self, known: Sequence[Place], found: Sequence[Town], *, beside: int = 0) -> Iterator[Place]:
        """The index's places, and the towns in other zones that are not much smaller; `beside`: thousands who live in a state of
        the name.
        """
        sizes = {
            zone: max(town.thousands for town in found if town.zone == zone) for zone in {town.zone for town in found}
        }
        # A country, or what people call a city for short, is no namesake's to outweigh.
        own = [sizes.get(place.zone, _WHOLE_COUNTRY) for place in known] + [
            town.thousands for town in found if town.own
        ]
        own += [beside] if beside else []
        yield from known
        for town in found:
            weight = town.thousands * _OUTWEIGHS
            if (weight >= max(own)) if town.own else (not own and weight >= found[0].thousands):
                yield _place(town)
            elif own and not town.own and town.thousands >= max(own) * _OUTWEIGHS:
                # What is only another name of a town counts beside a town's own where it is that much larger.
                yield _place(town)

    def _of_region(self, region: Region) -> list[Place]:
        """A country's zones, or a state's with the largest town of each; a state's only one is called after it."""
        country, state = region
        if not state:
            return [Place(zone, zones.city(zone, self.answer), country) for zone in zones.of_country(country)]
        found = towns.of_state(country, state)
        listed = [town for town in found if town.thousands * 100 >= sum(each.thousands for each in found)]
        name = regions.name(region)
        labels = [f"{name} ({state})"] if len(listed) == 1 else [f"{town.name}, {name}" for town in listed]
        return [Place(town.zone, label, country) for town, label in zip(listed, labels, strict=True)]

    # -- zones by other names ------------------------------------------------------------------------------------------

    def _zone_called(self, typed: str) -> Found | None:
        """ "Pacific Time (US & Canada)", "W. Europe Standard Time"."""
        for text in (typed, re.sub(r"\(.*?\)", "", typed)):
            for language in (self.answer, self.own):
                if called := zones.called(text, language):
                    places = tuple(Place(zone, zones.city(zone, self.answer)) for zone in called)
                    return Found(places[:MOST])
        return None

    def _continent_and_city(self, typed: str) -> Found | None:
        """ "Asia/Beijing", which is no zone's name: the city, which has to be there."""
        if (found := re.fullmatch(r"([A-Za-z]+)/(?:[\w ]+/)?([\w .'’-]+)", typed)) is None:
            return None
        inside = self.whole(found[2].replace("_", " "))
        if inside is None:
            return None
        there = tuple(place for place in inside.places if place.zone.casefold().startswith(f"{found[1]}/".casefold()))
        return Found(there) if there else replace(inside, sure=False)

    # -- a town and where it is ----------------------------------------------------------------------------------------

    def _qualified(self, typed: str) -> Found | None:
        """ "City, state, country", "City (state)", and the country first. Where a word is not understood, or no town of the name is
        there, the person is asked about all that it may be: a famous namesake is never taken for it.
        """
        offset, rest = _without_offset(typed)
        parts = [part for part in re.split(r"[,;/()\[\]]|\s[-–—]\s", rest) if fold(part)]
        if len(parts) == 1:
            alone = self.whole(parts[0]) if offset or parts[0].strip() != typed else None
            return None if alone is None else replace(alone, sure=alone.sure and not offset)
        for town, *others in (parts, [parts[-1], *parts[:-1]]):
            if fitting := self._there(town, others):
                return Found(fitting, sure=not offset)
        return self._all_of(parts)

    def _there(self, town: str, others: Sequence[str]) -> tuple[Place, ...]:
        """The towns of that name in all of these countries and states."""
        there = [regions.meant(other, self.answer, self.own) for other in others]
        fits: Callable[[str, str], bool] = lambda country, state: all(  # noqa: E731
            (country, "") in region or (country, state) in region for region in there
        )
        known = [place for place in self._indexed(town) if fits(zones.territories().get(place.zone, ""), "")]
        return _distinct(
            self._weighed(known, [found for found in towns.find(town) if fits(found.country, found.state)])
        )

    def _all_of(self, parts: Sequence[str]) -> Found | None:
        """Whatever each part may be, the smallest region first."""
        areas = (regions.meant(part, self.answer, self.own) for part in parts[1:])
        inside = [place for area in areas for region in sorted(area) for place in self._of_region(region)]
        cities = chain.from_iterable(found.places for part in parts if (found := self.whole(part)) is not None)
        places = _distinct([*inside[: MOST // 2], *cities, *inside])
        return Found(places, sure=False) if places else None

    def _stripped(self, typed: str) -> Found | None:
        """Without the words round a name: "city of", "市", "time"."""
        for text in _without_words(typed):
            found = self.whole(text) or self._qualified(text)
            if found is not None and found.places:
                return found
        return None

    def _unseparated(self, typed: str) -> Found | None:
        """ "Paris Texas": as with a comma, but only where both are understood."""
        words = typed.split()
        for split in range(len(words) - 1, 0, -1):
            fitting = self._there(" ".join(words[:split]), [" ".join(words[split:])])
            if fitting:
                return Found(fitting)
        return None

    # -- guesses -------------------------------------------------------------------------------------------------------

    def _nearly(self, typed: str) -> Found | None:
        """The beginning of a name, or one with a single slip of the finger."""
        key = fold(typed)
        known = index.of(self.answer)
        places = index.beginning(known, key) or index.one_slip(known, key)
        if not places and len(key) > 3:
            places = _distinct(map(_place, towns.beginning(typed, most=MOST)))
        return Found(places, sure=False) if places else None


_WHOLE_COUNTRY = 10**9
_SHORT = 3
"""A town's name of at most this many letters may also be the beginning of another one."""


def find(text: str, language: str, *, own: str | None = None) -> Found:
    """Read as an offset, an IANA name, a zone's name in Windows or CLDR, a city, country or state, perhaps with more about
    where it is; else, and then not for sure, as the beginning of such a name, or with a single slip of the finger.

    `language` is the one that the answer is in, `own` that of the person's app, whose names are known as well.
    """
    typed = parsing.clean(text, LONGEST)
    answer = zones.locale(language)
    iana = zones.names().get(typed.casefold().replace(" ", "_"))
    zone = parsing.offset(typed) or (iana if "/" in typed else None)
    if zone is None and fold(typed):
        found = _Reader(answer, zones.locale(own or language)).read(typed)
        if found.places or iana is None:
            return _both_clocks(found, answer)
        zone = iana  # "EST5EDT"; one like "Cuba" is a country's name first, and in another language a city's
    return Found() if zone is None else _both_clocks(Found((Place(zone, label(zone, language)),)), answer)


def label(zone: str, language: str) -> str:
    """What a zone's city is called in a language: "Wien", or "UTC+2" for a zone that is only an offset."""
    if zone.startswith("Etc/"):
        hours = zone.removeprefix("Etc/GMT")
        return "UTC" + hours.translate(str.maketrans("+-", "-+")) if hours[:1] in {"+", "-"} else "UTC"
    return zones.city(zone, zones.locale(language))


def _both_clocks(found: Found, answer: Locale) -> Found:
    """If two clocks are in use in a place, offer both."""
    beside = [_BESIDE[place.zone] for place in found.places if place.zone in _BESIDE]
    more = [Place(zone, zones.city(zone, answer)) for zone in beside]
    return replace(found, places=_distinct([*found.places, *more]))


def _place(town: Town) -> Place:
    state = regions.name((town.country, town.state)) if town.state and town.country in _SAY_STATES else ""
    return Place(town.zone, f"{town.name}, {state}" if state and state != town.name else town.name, town.country)


# Where a town's state is said with it, as there are many of a name; and whose states no other country has one of the name of.
_SAY_STATES = frozenset({"US", "CA", "AU"})
_KNOWN_STATES = _SAY_STATES | {"DE", "GB"}


def _distinct(places: Iterable[Place]) -> tuple[Place, ...]:
    """One place a zone, in order: two of one zone need no choice."""
    by_zone: dict[str, Place] = {}
    for place in places:
        by_zone.setdefault(place.zone, place)
    return tuple(by_zone.values())[:MOST]


_OFFSET = re.compile(r"\(?\s*(?:utc|gmt)\s*(?:[+\-−–±]\s*\d{1,2}(?::?\d{2})?)?\s*\)?[\s,:·-]*(?=\w)", re.IGNORECASE)


def _without_offset(typed: str) -> tuple[bool, str]:
    """ "UTC+3 Moscow": whether an offset stands before the place, and the place."""
    found = _OFFSET.match(typed)
    return (False, typed) if found is None or not found[0].strip() else (True, typed[found.end() :])


def _without_words(typed: str) -> Iterator[str]:
    """The name without one or two of the words that people put before or after it."""
    once = list(_without_word(typed))
    yield from once
    yield from chain.from_iterable(map(_without_word, once))


def _without_word(typed: str) -> Iterator[str]:
    for word in zones.tables()["round"]["before"]:
        if typed[: len(word)].casefold() == word and (rest := typed[len(word) :].strip()):
            yield rest
    for word in zones.tables()["round"]["after"]:
        if typed[-len(word) :].casefold() == word and (rest := typed[: -len(word)].strip()):
            yield rest
