"""Nights from a file that somebody sent: our own sheet, Loop Habit Tracker's or Plees Tracker's. All of it, or one reason why not.

Loop's Checkmarks.csv has a line a day: "Date,Value,Notes" for one habit, or "Date" and a column a habit; values are words
(YES_MANUAL) or their numbers. Plees writes "sid,start,stop,rating,comment,wakes" with milliseconds since 1970.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.core import diary, diary_csv
from bot.core import schedule as times
from bot.core.diary import Detail
from bot.core.diary_csv import Line
from bot.core.model import Intake, Night, NightRecord

LARGEST = 2**20
"""Bytes of a file that is read at all."""

MOST_LINES = 20_000
HORIZON = timedelta(days=20 * 366)
"""How far back a night may be."""

_PRODUCT = "magnes"  # how the word begins in most languages


class ImportProblemKind(StrEnum):
    """Why a file was not taken."""

    TOO_LARGE = "too_large"
    NOT_FETCHED = "not_fetched"
    NOT_TEXT = "not_text"
    NOT_KNOWN = "not_known"
    EMPTY = "empty"
    TOO_MANY = "too_many"
    WHICH_HABIT = "which_habit"
    BAD_LINE = "bad_line"
    COLUMNS = "columns"
    FUTURE = "future"
    TOO_OLD = "too_old"
    TWICE = "twice"
    ORDER = "order"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """Why a file was not taken, and on which of its lines, counted from 1."""

    kind: ImportProblemKind
    line: int = 0


@dataclass(frozen=True, slots=True)
class Arrived:
    """The nights of a file, in order; naps are sleeps beside a night's longest one."""

    lines: tuple[Line, ...]
    naps: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would change. `same` are nights that have all of it, or something else, already."""

    nights: int
    first: Night
    last: Night
    new: int
    filled: int
    same: int
    naps: int = 0


class _Refused(Exception):  # noqa: N818 - carries the reason out of the depths of a file
    def __init__(self, kind: ImportProblemKind, line: int = 0) -> None:
        self.trouble = ImportProblem(kind, line)
        super().__init__(kind)


SheetRow = tuple[int, dict[str, str]]
"""A line's number and its cells by column."""

Numbered = tuple[int, Line]
"""A night with the number of the line that it is on."""


def read(data: bytes, *, zone: str, last: Night) -> Arrived | ImportProblem:
    """The nights in a file. `zone` is where the person sleeps; `last` is the last night that is over."""
    try:
        return _read(data, zone=zone, last=last)
    except _Refused as refused:
        return refused.trouble


def _read(data: bytes, *, zone: str, last: Night) -> Arrived:
    if len(data) > LARGEST:
        raise _Refused(ImportProblemKind.TOO_LARGE)
    header, rows = _table(data)
    naps = 0
    if header[:1] == ["night"]:
        found = _each(rows, diary_csv.line)
    elif header[:3] == ["sid", "start", "stop"]:
        found, naps = _longest(rows, zone)
    elif header[:1] == ["Date"] and len(header) > 1:
        found = _each(rows, _loop_line(_habit(header)))
    else:
        raise _Refused(ImportProblemKind.NOT_KNOWN)
    if not found:
        raise _Refused(ImportProblemKind.EMPTY)
    _check(found, zone=zone, last=last)
    return Arrived(tuple(sorted((line for _, line in found), key=lambda line: line.night)), naps)


def _table(data: bytes) -> tuple[list[str], list[SheetRow]]:
    """The header, and every line that is not blank. Semicolons are what some spreadsheets write instead of commas."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Refused(ImportProblemKind.NOT_TEXT) from None
    if "\0" in text or text.startswith("PK\x03\x04"):
        raise _Refused(ImportProblemKind.NOT_TEXT)
    first = text.split("\n", 1)[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True
    )
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, cells))
            if len(rows) > MOST_LINES:
                raise _Refused(ImportProblemKind.TOO_MANY)
    except csv.Error:
        raise _Refused(ImportProblemKind.BAD_LINE, reader.line_num) from None
    if not rows:
        raise _Refused(ImportProblemKind.EMPTY)
    header = [name.strip() for name in rows[0][1]]
    return header, [(number, _by_column(number, header, cells)) for number, cells in rows[1:]]


def _by_column(number: int, header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """The cells by their column's name. Cells that do not fit the header may be another column's: Loop writes a habit's
    name as it is, with the commas in it. Only a blank cell after the last one, which some exporters write, says nothing.
    """
    if len(cells) == len(header) + 1 and header[-1] and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != len(header):
        raise _Refused(ImportProblemKind.COLUMNS, number)
    return dict(zip(header, cells, strict=True))


def _each(rows: Iterable[SheetRow], parse: Callable[[Mapping[str, str]], Line | None]) -> list[Numbered]:
    """The lines that are about a night, with their numbers."""
    found = []
    for number, cells in rows:
        try:
            line = parse(cells)
        except (ValueError, KeyError, OverflowError):
            raise _Refused(ImportProblemKind.BAD_LINE, number) from None
        if line is not None:
            found.append((number, line))
    return found


def _check(lines: Sequence[Numbered], *, zone: str, last: Night) -> None:
    """Every night is over, not ages ago, there once, and such as a night can be."""
    any_time = datetime.combine(last, time.max, UTC) + timedelta(days=2)
    seen: set[Night] = set()
    for number, line in lines:
        if line.night > last:
            raise _Refused(ImportProblemKind.FUTURE, number)
        if line.night < last - HORIZON:
            raise _Refused(ImportProblemKind.TOO_OLD, number)
        if line.night in seen:
            raise _Refused(ImportProblemKind.TWICE, number)
        if diary.trouble(line.detail, zone, now=any_time) is not None:
            raise _Refused(ImportProblemKind.IMPOSSIBLE, number)
        seen.add(line.night)


# -- Loop Habit Tracker ------------------------------------------------------------------------------------------------

_LOOP: Mapping[str, Intake | None] = {
    "YES_MANUAL": Intake.TAKEN,
    "2": Intake.TAKEN,
    "NO": Intake.MISSED,
    "0": Intake.MISSED,
    "SKIP": Intake.SKIPPED,
    "3": Intake.SKIPPED,
    # Counted by the app as done because of the habit's rhythm; nobody said so of that day.
    "YES_AUTO": None,
    "1": None,
    "UNKNOWN": None,
    "-1": None,
    "": None,
}


def _habit(header: Sequence[str]) -> str:
    """The column that is about the magnesium."""
    habits = [name for name in header[1:] if name and name != "Notes"]
    if "Value" in habits or len(habits) == 1:
        return "Value" if "Value" in habits else habits[0]
    named = [name for name in habits if _PRODUCT in name.casefold()]
    if len(named) != 1:
        raise _Refused(ImportProblemKind.WHICH_HABIT)
    return named[0]


def _loop_line(column: str) -> Callable[[Mapping[str, str]], Line | None]:
    def parse(cells: Mapping[str, str]) -> Line | None:
        night = date.fromisoformat(cells["Date"].strip())
        intake = _LOOP[cells.get(column, "").strip()]
        note = (cells.get("Notes") or "").strip()[: diary.LONGEST_NOTE] or None
        if intake is None and note is None:
            return None
        return Line(NightRecord(night, intake=intake), Detail(night, note=note))

    return parse


# -- Plees Tracker -----------------------------------------------------------------------------------------------------


def _longest(rows: Iterable[SheetRow], zone: str) -> tuple[list[Numbered], int]:
    """Each night's longest sleep, and how many shorter ones there were beside them."""
    sleeps: dict[Night, tuple[timedelta, Numbered]] = {}
    count = 0
    for number, cells in rows:
        try:
            start, stop = (_from_milliseconds(cells[name]) for name in ("start", "stop"))
            line = _plees_line(cells, start, stop, zone)
        except (ValueError, KeyError, OverflowError):
            raise _Refused(ImportProblemKind.BAD_LINE, number) from None
        if not timedelta(0) < stop - start <= diary.LONGEST_IN_BED:
            raise _Refused(ImportProblemKind.ORDER, number)
        count += 1
        known = sleeps.get(line.night)
        if known is None or known[0] < stop - start:
            sleeps[line.night] = (stop - start, (number, line))
    return [numbered for _, numbered in sleeps.values()], count - len(sleeps)


def _from_milliseconds(text: str) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))


def _plees_line(cells: Mapping[str, str], start: datetime, stop: datetime, zone: str) -> Line:
    """The tracker's start is when the person tried to sleep, its stars (0: none given) are the quality."""
    night = times.night_of(start, zone)
    stars, wakes = int(cells.get("rating") or 0), int(cells.get("wakes") or 0)
    if stars not in (0, *diary.RANGES["quality"]) or wakes not in diary.RANGES["awakenings"]:
        raise ValueError("out of range")
    detail = Detail(
        night,
        note=(cells.get("comment") or "").strip()[: diary.LONGEST_NOTE] or None,
        tried=_civil(start, zone),
        woke=_civil(stop, zone),
        # No waking is also what the tracker writes when nobody counted.
        awakenings=wakes or None,
        quality=stars or None,
    )
    return Line(NightRecord(night), detail)


def _civil(at: datetime, zone: str) -> int:
    civil = at.astimezone(ZoneInfo(zone))
    return civil.hour * 60 + civil.minute


# -- what is there already ---------------------------------------------------------------------------------------------

_SINGLE = ("note", "evening", "onset", "rested", "quality")
_TOGETHER = ("in_bed", "tried", "latency", "awakenings", "awake", "woke", "rose")


def merged(known: Line | None, given: Line, *, sealed_from: Night | None, at: datetime) -> Line | None:
    """The night with its blanks filled from the file; None where that changes nothing. What was said here stays.

    A rating that comes from a file is late for a self-experiment under way, which began on the night `sealed_from`.
    """
    blank = Line(NightRecord(given.night), Detail(given.night))
    here = known or blank
    record, detail = here.record, here.detail
    if record.intake is None and given.record.intake is not None:
        record = replace(
            record, intake=given.record.intake, intake_at=given.record.intake_at, reason=given.record.reason
        )
    if record.rating is None and given.record.rating is not None:
        late = given.record.late or (sealed_from is not None and given.night >= sealed_from)
        record = replace(record, rating=given.record.rating, rated_at=given.record.rated_at or at, late=late)
    detail = _filled(detail, given.detail, at=at)
    return None if (record, detail) == (here.record, here.detail) else Line(record, detail)


def _filled(here: Detail, given: Detail, *, at: datetime) -> Detail:
    """The blanks filled, but for times that beside those said here would make a night that cannot be."""
    every = _blanks_of(here, given, (*_SINGLE, *_TOGETHER))
    # Summer time moves nothing here by more than an hour, so any zone will do.
    if diary.trouble(every, "UTC", now=at + timedelta(days=2)) is None:
        return every
    return _blanks_of(here, given, _SINGLE)


def _blanks_of(here: Detail, given: Detail, names: Sequence[str]) -> Detail:
    missing = {name: getattr(given, name) for name in names if getattr(here, name) is None}
    return replace(here, **missing)
