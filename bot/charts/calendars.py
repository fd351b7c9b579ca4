"""The pictures of nights: heat map with trend, and the week."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import cast

from bot.charts.canvas import DARK, LIGHT, WIDTH, Canvas, Palette, Point, can_write, dot, sign, square

_LEFT, _RIGHT, _TOP = 34.0, 16.0, 34.0
_FEWEST_WEEKS = 13
_WEEKS_OF_A_BAND = 53
_WEEKS_OF_A_YEAR = 54  # that a calendar year can touch
_ROOM = 16.0  # from so large a night on it has room for a sign
_DOTS = 200  # up to so many nights the trend shows each of them
_TREND = 100.0
_POINTS = 900  # of the trend's line, at most twice as many: a picture is 1,080 pixels wide
_LEGEND = 34.0
_MEAN_OF, _MEAN_NEEDS = 7, 3

PlacedNight = tuple[int | None, int]
_RATINGS = (-2, -1, 0, 1, 2)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where each night lies: weeks across, weekdays down. Up to a year is one band; more is a band a calendar year."""

    first: date
    first_weekday: int
    yearly: bool
    bands: int
    pitch: float
    band_height: float

    def at(self, night: date) -> Point:
        """The middle of a night's place."""
        band, week, day = self.place(night)
        return _LEFT + (week + 0.5) * self.pitch, self.top(band) + (day + 0.5) * self.pitch

    def place(self, night: date) -> tuple[int, int, int]:
        """Band, week and weekday of a night."""
        band = night.year - self.first.year if self.yearly else 0
        week, day = divmod((night - self.start(band)).days, 7)
        return band, week, day

    def start(self, band: int) -> date:
        """The first day of a band's first week."""
        return _week_of(date(self.first.year + band, 1, 1) if self.yearly else self.first, self.first_weekday)

    def top(self, band: int) -> float:
        return _TOP + band * self.band_height

    @property
    def bottom(self) -> float:
        return self.top(self.bands) - (self.band_height - 7 * self.pitch)


@lru_cache(maxsize=64)
def _week_of(day: date, first_weekday: int) -> date:
    return day - timedelta(days=(day.weekday() - first_weekday) % 7)


def nights(values: Mapping[str, object]) -> bytes:
    """Heat map, trend and legend."""
    palette = LIGHT if values["light"] else DARK
    cells = cast("list[PlacedNight]", values["cells"]) or [(None, 0)]
    first = date.fromisoformat(str(values["first"]))
    grid = _grid(first, len(cells), cast("int", values["first_weekday"]))
    canvas = Canvas(round(grid.bottom + _TREND + _LEGEND), palette)
    every = [(first + timedelta(days=shift), rating, bool(taken)) for shift, (rating, taken) in enumerate(cells)]
    _label_weekdays(canvas, grid, cast("list[str]", values["weekdays"]))
    _label_months(canvas, grid, cast("list[str]", values["months"]), every[-1][0])
    _draw_cells(canvas, [(grid.at(night), rating, taken) for night, rating, taken in every], grid.pitch)
    _draw_trend(canvas, grid, every)
    _draw_legend(canvas)
    return canvas.png()


def _grid(first: date, count: int, first_weekday: int) -> _Grid:
    last = first + timedelta(days=count - 1)
    weeks = -(-((first.weekday() - first_weekday) % 7 + count) // 7)
    yearly = weeks > _WEEKS_OF_A_BAND
    across = _WEEKS_OF_A_YEAR if yearly else max(_FEWEST_WEEKS, weeks)
    pitch = (WIDTH - _LEFT - _RIGHT) / across
    bands = last.year - first.year + 1 if yearly else 1
    return _Grid(first, first_weekday, yearly, bands, pitch, 7 * pitch + 26.0)


def _label_weekdays(canvas: Canvas, grid: _Grid, weekdays: Sequence[str]) -> None:
    """The week's days beside the first band."""
    if not can_write(*weekdays):
        return
    size = max(7.0, min(11.0, grid.pitch * 0.75))
    for row in range(0, 7, 1 if grid.pitch > 14 else 2):
        at = (_LEFT - 9, grid.top(0) + (row + 0.5) * grid.pitch)
        day = weekdays[(grid.first_weekday + row) % 7]
        canvas.text(at, day, size=size, color=canvas.palette.faint, align="right")


def _label_months(canvas: Canvas, grid: _Grid, given: Sequence[str], last: date) -> None:
    """Months along the top of the first band; the year where it begins, or at the head of each yearly band."""
    names = given if can_write(*given) else [str(number) for number in range(1, 13)]
    first = date(grid.first.year, 1, 1) if grid.yearly else grid.first
    end = date(grid.first.year, 12, 31) if grid.yearly else last
    free_from, year = 0.0, None
    for month in _months(first, end):
        _, week, day = grid.place(month)
        left = _LEFT + (week + (day > 0)) * grid.pitch
        new_year = not grid.yearly and month.year != year
        name = f"{names[month.month - 1]} {month.year}" if new_year else names[month.month - 1]
        if free_from <= left <= canvas.width - 34:
            color = canvas.palette.ink if new_year else canvas.palette.faint
            canvas.text((left + 1, 14.0 if grid.yearly else _TOP - 11), name, size=10.0, color=color, align="left")
            free_from, year = left + 6.6 * len(name) + 4, month.year
    for band in range(grid.bands if grid.yearly else 0):
        at = (_LEFT + 1, grid.top(band) - 9)
        canvas.text(at, str(grid.first.year + band), size=10.0, color=canvas.palette.ink, align="left")


def _months(first: date, last: date) -> Iterator[date]:
    """The first days of the months from `first` to `last`."""
    month = first if first.day == 1 else _next_month(first)
    while month <= last:
        yield month
        month = _next_month(month)


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _draw_cells(canvas: Canvas, cells: Sequence[tuple[Point, int | None, bool]], pitch: float) -> None:
    """Colour and sign are the rating, the outline is taken, a speck is no answer. Small nights say taken by size as well."""
    palette, small = canvas.palette, pitch < _ROOM
    ring = 0.9 if small else min(2.2, pitch * 0.055)
    full = pitch * 0.86 if small else pitch * 0.9
    inner = full - 4.8 * ring
    specks = [at for at, rating, taken in cells if rating is None and not taken]
    canvas.marks(dot(max(1.6, pitch * 0.09)), specks, fill=palette.faint if small else palette.line)
    for value in _RATINGS:
        here = [(at, taken) for at, rating, taken in cells if rating == value]
        for was_taken in (True, False):
            size = full if small and was_taken else inner
            places = [at for at, taken in here if taken is was_taken]
            canvas.marks(square(size, 0.0 if small else size * 0.2), places, fill=palette.rating(value))
        if not small:
            size = min(inner * 0.36, 13.0)
            canvas.marks(
                sign(value, size), [at for at, _ in here], edge=palette.mark(value), width=max(1.2, size * 0.15)
            )
    outlined = [at for at, _, taken in cells if taken]
    canvas.marks(
        square(full - ring, 0.0 if small else full * 0.24),
        outlined,
        edge=palette.soft if small else palette.taken,
        width=ring,
    )


def _draw_trend(canvas: Canvas, grid: _Grid, every: Sequence[tuple[date, int | None, bool]]) -> None:
    """Each rating a dot, their mean around each night a line; where little was answered there is a gap."""
    scale = _Scale.of(canvas, grid, len(every))
    _draw_levels(canvas, grid, scale)
    if grid.yearly:
        for year in range(grid.first.year + 1, every[-1][0].year + 1):
            x = scale.across(date(year, 1, 1))
            canvas.line([(x, scale.top), (x, scale.bottom)], color=canvas.palette.line, width=0.8)
            if x < canvas.width - 40:
                canvas.text((x + 3, scale.bottom + 8), str(year), size=8.0, color=canvas.palette.faint, align="left")
    if len(every) <= _DOTS:
        for value in _RATINGS:
            here = [(scale.across(night), scale.level(value)) for night, rating, _ in every if rating == value]
            canvas.marks(dot(4.4), here, fill=canvas.palette.rating(value))
    wide = 4 * _MEAN_OF if grid.yearly else _MEAN_OF
    runs = _runs([(scale.across(night), rating) for night, rating, _ in every], wide)
    step = max(1, len(every) // _POINTS)
    drawn = [[(x, scale.level(mean)) for x, mean in _thinned(run, step)] for run in runs if len(run) > 1]
    canvas.lines(drawn, color=canvas.palette.trend, width=1.4 if grid.yearly else 2.0)


def _draw_levels(canvas: Canvas, grid: _Grid, scale: _Scale) -> None:
    """The usual as a dashed line, the two ends as thin ones, each with its sign."""
    palette, ends = canvas.palette, (_LEFT, canvas.width - _RIGHT)
    for value in (-2, 0, 2):
        down = scale.level(value)
        usual = value == 0
        canvas.lines(
            [[(x, down) for x in ends]], color=palette.faint if usual else palette.line, width=0.8, dashed=usual
        )
        canvas.marks(sign(value, 7.0), [(_LEFT - 14, down)], edge=palette.faint, width=1.2)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a night and a rating lie in the trend; under a single band each night stays under its week."""

    start: date
    days: int
    right: float
    top: float
    bottom: float

    @classmethod
    def of(cls, canvas: Canvas, grid: _Grid, count: int) -> _Scale:
        start = grid.first if grid.yearly else grid.start(0)
        days = count if grid.yearly else round((WIDTH - _LEFT - _RIGHT) / grid.pitch) * 7
        return cls(start, days, canvas.width - _RIGHT, grid.bottom + 20, grid.bottom + _TREND - 12)

    def across(self, night: date) -> float:
        return _LEFT + ((night - self.start).days + 0.5) / self.days * (self.right - _LEFT)

    def level(self, value: float) -> float:
        return self.bottom - (value + 2) / 4 * (self.bottom - self.top)


def _runs(points: Sequence[tuple[float, int | None]], wide: int) -> list[list[Point]]:
    """The mean of `wide` nights around each, in runs without a gap; a mean of too few answers is a gap."""
    sums = list(accumulate((rating or 0 for _, rating in points), initial=0))
    counts = list(accumulate((rating is not None for _, rating in points), initial=0))
    needed, half = max(_MEAN_NEEDS, wide // 4), wide // 2
    runs: list[list[Point]] = [[]]
    for place, (x, _) in enumerate(points):
        begin, end = max(0, place - half), min(len(points), place + half + 1)
        known = counts[end] - counts[begin]
        if known >= needed:
            runs[-1].append((x, (sums[end] - sums[begin]) / known))
        elif runs[-1]:
            runs.append([])
    return runs


def _thinned(run: list[Point], step: int) -> list[Point]:
    """Every n-th point and the last one: where several fall on one pixel, the line shows only one of them."""
    return [*run[:-1:step], run[-1]]


def _draw_legend(canvas: Canvas) -> None:
    """What the colours and the outline mean, without a word."""
    palette, middle, size = canvas.palette, canvas.height - 20, 17.0
    start = canvas.width / 2 - 3.5 * (size + 10)
    for place, value in enumerate(_RATINGS):
        at = [(start + place * (size + 10), middle)]
        canvas.marks(square(size, size * 0.2), at, fill=palette.rating(value))
        canvas.marks(sign(value, size * 0.42), at, edge=palette.mark(value), width=1.3)
    ring = start + 6 * (size + 10)
    canvas.marks(square(size, size * 0.24), [(ring, middle)], edge=palette.taken, width=1.6)
    canvas.text((ring + size, middle), "✓", size=13.0, color=palette.ink, align="left")


# -- the week ----------------------------------------------------------------------------------------------------------


def week(values: Mapping[str, object]) -> bytes:
    """Seven nights in a row, with their weekdays and dates."""
    palette: Palette = LIGHT if values["light"] else DARK
    cells = cast("list[PlacedNight]", values["cells"])
    first = date.fromisoformat(str(values["first"]))
    weekdays = cast("list[str]", values["weekdays"])
    canvas = Canvas(142.0, palette)
    pitch = (canvas.width - 2 * _RIGHT) / max(1, len(cells))
    places = [_RIGHT + (place + 0.5) * pitch for place in range(len(cells))]
    _draw_cells(
        canvas, [((x, 74.0), rating, bool(taken)) for x, (rating, taken) in zip(places, cells, strict=True)], pitch
    )
    for shift, x in enumerate(places):
        night = first + timedelta(days=shift)
        if can_write(*weekdays):
            canvas.text((x, 21.0), weekdays[night.weekday()], size=13.0, color=palette.ink, bold=True)
        canvas.text((x, 126.0), str(night.day), size=12.0, color=palette.faint)
    return canvas.png()
