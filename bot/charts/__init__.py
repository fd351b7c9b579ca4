"""Pictures: plain values in, PNG or PDF bytes out. What is here is cheap; only drawing imports matplotlib.

`calendars` draws nights, `intervals` a range, `pdf` the page for a clinician, `bag_labels` a sheet to print; `drawing` picks
one by name. They run in a process of their own (`bot/worker`), so that drawing never holds up an answer.

Start reading at `drawing`. May import: itself.

A `Drawing` is all that a picture shows, as JSON: so that a process of its own can draw it, and so that an unchanged one is known
by its mark and not drawn, nor uploaded, again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

VERSION = 2
"""Another number makes every picture a new one: raise it when the looks change."""

ChartCell = tuple[int | None, bool]
"""One night: its rating from -2 to 2 or None, and whether it was taken."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture to draw. `name` says which, `values` is JSON."""

    name: str
    values: str

    @property
    def mark(self) -> str:
        """A text that is the same for equal pictures and differs for different ones."""
        return hashlib.sha256(f"{VERSION}\n{self.name}\n{self.values}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Calendar:
    """How the person's calendar is written: weekdays from Monday, months from January, the week's first day (Monday 0).

    Names that the font has no letters for are left out of the picture, or become numbers.
    """

    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    first_weekday: int


def nights(cells: Sequence[ChartCell], *, first: date, calendar: Calendar, light: bool = False) -> Drawing:
    """The nights from `first` on: a heat map, a year a band, and the trend of the ratings below it."""
    return _drawing(
        "nights",
        cells=[[rating, int(taken)] for rating, taken in cells],
        first=first.isoformat(),
        weekdays=calendar.weekdays,
        months=calendar.months,
        first_weekday=calendar.first_weekday,
        light=light,
    )


def week(cells: Sequence[ChartCell], *, first: date, calendar: Calendar, light: bool = False) -> Drawing:
    """Seven nights in a row."""
    return _drawing(
        "week",
        cells=[[rating, int(taken)] for rating, taken in cells],
        first=first.isoformat(),
        weekdays=calendar.weekdays,
        light=light,
    )


def interval(*, low: float, middle: float, high: float, light: bool = False) -> Drawing:
    """A difference in better nights per 100: where it most likely is, and the range it may have."""
    return _drawing("interval", low=low, middle=middle, high=high, light=light)


def pairs(*, low: float, middle: float, high: float, light: bool = False) -> Drawing:
    """How many of 100 pairs of nights went one way, with its range; 50 is no difference."""
    return _drawing("pairs", low=low, middle=middle, high=high, light=light)


def labels(title: str, shown: Sequence[tuple[str, str, str]]) -> Drawing:
    """A sheet of labels as PDF: for each its number, its code, and what its QR code holds."""
    return _drawing("labels", title=title, labels=shown)


@dataclass(frozen=True, slots=True)
class ClinicianPage:
    """One page for a clinician: lines of a name and a value, the nights under their heads, and the small print."""

    title: str
    lead: str
    facts: tuple[tuple[str, str], ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: tuple[str, ...]


def page(own: ClinicianPage, english: ClinicianPage, *, form: str) -> Drawing:
    """The page as "png" or "pdf", in the person's language, or in English where the font has no letters for it."""
    return _drawing("page", own=_page(own), english=_page(english), form=form)


def _page(page: ClinicianPage) -> dict[str, object]:
    return {name: getattr(page, name) for name in ClinicianPage.__slots__}


def _drawing(name: str, **values: object) -> Drawing:
    return Drawing(name, json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
