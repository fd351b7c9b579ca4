"""Nights from a file that somebody sent: our own sheet, a plain one, Loop Habit Tracker's or Plees Tracker's; or why not.

A file that is none of these, or whose lines cannot be told apart, is refused whole. A night that cannot be is left out, and said.
Loop's Checkmarks.csv has a line a day: "Date,Value,Notes" for one habit, or "Date" and a column a habit; values are words
(YES_MANUAL) or their numbers, or of a habit that is measured a thousand times what was noted. Plees writes
"sid,start,stop,rating,comment,wakes" with milliseconds since 1970, or with dates and times for people to read.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from bot.core import diary, diary_csv
from bot.core import schedule as times
from bot.core.diary import Detail
from bot.core.diary_csv import BadCell, Line
from bot.core.model import Intake, Night, NightRecord

LARGEST = 2**20
"""The most bytes of a file that is read."""

MOST_LINES, MOST_COLUMNS = 20_000, 64
"""Of a table; blank lines count."""

MOST_NIGHTS = 4_000
"""Of a file: eleven years."""

HORIZON = timedelta(days=20 * 366)
"""How far back a night may be."""

_PRODUCT = re.compile(
    "magn|магн|μαγν|hořčí|horčí|镁|鎂|マグネ|마그네|مغني|منیز|מגנז|मैग्न|แมกนี|magiê|ম্যাগ|მაგნ", re.IGNORECASE
)
"""How the word magnesium begins in most languages."""

_LONGEST_CELL = 30
_MOST_HABITS = 8
_SOON = timedelta(days=2)
"""Loop's files hold the day on which they were made, whose night is not over."""


class ImportProblemKind(StrEnum):
    """Why a file was not taken."""

    TOO_LARGE = "too_large"
    NOT_FETCHED = "not_fetched"
    NOT_TEXT = "not_text"
    NOT_KNOWN = "not_known"
    EMPTY = "empty"
    TOO_MANY = "too_many"
    TOO_WIDE = "too_wide"
    TOO_MANY_NIGHTS = "too_many_nights"
    WHICH_HABIT = "which_habit"
    BAD_LINE = "bad_line"
    COLUMNS = "columns"
    FUTURE = "future"
    TOO_OLD = "too_old"
    TWICE = "twice"
    ORDER = "order"
    IMPOSSIBLE = "impossible"
    SIBLING = "sibling"
    DATES = "dates"


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """Why a file was not taken, and on which of its lines, counted from 1. `cell` is what could not be read in `column`."""

    kind: ImportProblemKind
    line: int = 0
    column: str = ""
    cell: str = ""
    naps: int = 0


class Odd(StrEnum):
    """Why a night, or one number of it, was left out."""

    NO_LENGTH = "no_length"
    TOO_LONG = "too_long"
    NOT_OVER = "not_over"
    TOO_OLD = "too_old"
    IMPOSSIBLE = "impossible"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Left:
    """What was left out: on which line, why, and the hours or the number that cannot be."""

    line: int
    why: Odd
    number: int = 0


@dataclass(frozen=True, slots=True)
class Arrived:
    """The nights of a file, in order; naps are short sleeps by day, and those beside a night's longest one.

    `habit` is the one of several that was taken for the magnesium.
    """

    lines: tuple[Line, ...]
    naps: int = 0
    left: tuple[Left, ...] = ()
    habit: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Several habits. The person has to say which one is the supplement."""

    habits: tuple[tuple[str, Arrived], ...]


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
    left: tuple[Left, ...] = ()
    habit: str = ""


class _Refused(Exception):  # noqa: N818 - carries the reason out of the depths of a file
    def __init__(
        self, kind: ImportProblemKind, line: int = 0, *, column: str = "", cell: str = "", naps: int = 0
    ) -> None:
        self.trouble = ImportProblem(kind, line, column, cell[:_LONGEST_CELL], naps)
        super().__init__(kind)


SheetRow = tuple[int, dict[str, str]]
"""A line's number and its cells by column."""

Numbered = tuple[int, Line]
"""A night with the number of the line that it is on."""


def read(data: bytes, *, zone: str, last: Night) -> Arrived | Choice | ImportProblem:
    """The nights in a file. `zone` is where the person sleeps; `last` is the last night that is over."""
    try:
        return _read(data, zone=zone, last=last)
    except _Refused as refused:
        return refused.trouble


def _read(data: bytes, *, zone: str, last: Night) -> Arrived | Choice:
    if len(data) > LARGEST:
        raise _Refused(ImportProblemKind.TOO_LARGE)
    if data.startswith(b"PK\x03\x04"):
        return _unpacked(data, zone=zone, last=last)
    return _of_table(*_table(data), zone=zone, last=last)


def _of_table(header: Sequence[str], rows: Sequence[SheetRow], *, zone: str, last: Night) -> Arrived | Choice:
    names = [name.casefold() for name in header]
    if names[:1] == ["night"]:
        _no_column_twice(names)
        order = _date_order([(number, cells[header[0]]) for number, cells in rows])
        found = _each(
            rows, lambda cells: diary_csv.line({name.casefold(): cell for name, cell in cells.items()}, order)
        )
        return _arrived(found, zone=zone, last=last)
    if names[:3] == ["sid", "start", "stop"]:
        _no_column_twice(names)
        return _plees(rows, zone=zone, last=last)
    if names[:1] == ["date"] and len(names) > 1:
        return _loop(header, rows, zone=zone, last=last)
    raise _Refused(ImportProblemKind.SIBLING if names[:2] == ["position", "name"] else ImportProblemKind.NOT_KNOWN)


def _no_column_twice(names: Sequence[str]) -> None:
    known = [name for name in names if name]
    if len({*known}) < len(known):
        raise _Refused(ImportProblemKind.COLUMNS, 1)


def _table(data: bytes) -> tuple[list[str], list[SheetRow]]:
    """The header, and every line that is not blank. Semicolons and tabs are what some spreadsheets write instead of commas."""
    text = _decoded(data)
    # Before anything is made of a line: nothing else bounds what a megabyte of line ends or of commas costs.
    if text.count("\n") + text.count("\r") - text.count("\r\n") > MOST_LINES:
        raise _Refused(ImportProblemKind.TOO_MANY)
    first = text.split("\n", 1)[0]
    if max(map(first.count, ",;\t")) >= MOST_COLUMNS:
        raise _Refused(ImportProblemKind.TOO_WIDE)
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
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


def _decoded(data: bytes) -> str:
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise _Refused(ImportProblemKind.NOT_TEXT) from None
    if "\0" in text:
        raise _Refused(ImportProblemKind.NOT_TEXT)
    return text


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
        except BadCell as bad:
            raise _Refused(ImportProblemKind.BAD_LINE, number, column=bad.column, cell=bad.text) from None
        except (ValueError, KeyError, OverflowError):
            raise _Refused(ImportProblemKind.BAD_LINE, number) from None
        if line is not None:
            found.append((number, line))
    return found


def _date_order(dates: Sequence[tuple[int, str]]) -> str:
    """Whether dates with slashes, as a spreadsheet leaves them, have the day or the month first; refused where none tells."""
    found = [(number, parts) for number, text in dates if (parts := diary_csv.slashed(text)) is not None]
    if any(first > 12 for _, (first, _) in found):
        return diary_csv.DAY_FIRST
    if not found or any(second > 12 for _, (_, second) in found):
        return diary_csv.MONTH_FIRST
    raise _Refused(ImportProblemKind.DATES, found[0][0], column="night", cell=dict(dates)[found[0][0]])


def _arrived(
    found: Sequence[Numbered], *, zone: str, last: Night, naps: int = 0, left: Sequence[Left] = (), habit: str = ""
) -> Arrived:
    """The nights that can be, in order. Refused where there is none, or where one is told twice or still far ahead."""
    any_time = datetime.combine(last, time.max, UTC) + timedelta(days=2)
    seen: set[Night] = set()
    kept, odd = [], list(left)
    for number, line in found:
        if line.night > last + _SOON:
            raise _Refused(ImportProblemKind.FUTURE, number, cell=line.night.isoformat())
        if line.night in seen:
            raise _Refused(ImportProblemKind.TWICE, number)
        seen.add(line.night)
        why = _odd(line, zone, last=last, any_time=any_time)
        if why is None:
            kept.append(line)
        else:
            odd.append(Left(number, why))
    if not kept:
        raise _nothing(odd, naps)
    if len(kept) > MOST_NIGHTS:
        raise _Refused(ImportProblemKind.TOO_MANY_NIGHTS)
    odd.sort(key=lambda one: one.line)
    return Arrived(tuple(sorted(kept, key=lambda line: line.night)), naps, tuple(odd), habit)


def _odd(line: Line, zone: str, *, last: Night, any_time: datetime) -> Odd | None:
    if line.night > last:
        return Odd.NOT_OVER
    if line.night < last - HORIZON:
        return Odd.TOO_OLD
    return None if diary.trouble(line.detail, zone, now=any_time) is None else Odd.IMPOSSIBLE


def _nothing(odd: Sequence[Left], naps: int) -> _Refused:
    """Why a file has no night that can be used."""
    kinds = {
        Odd.NOT_OVER: ImportProblemKind.FUTURE,
        Odd.TOO_OLD: ImportProblemKind.TOO_OLD,
        Odd.IMPOSSIBLE: ImportProblemKind.IMPOSSIBLE,
    }
    if not odd:
        return _Refused(ImportProblemKind.EMPTY, naps=naps)
    return _Refused(kinds.get(odd[0].why, ImportProblemKind.ORDER), odd[0].line)


# -- what is packed ----------------------------------------------------------------------------------------------------

_MOST_FILES = 4_000
_UNPACKED = 8 * LARGEST


def _unpacked(data: bytes, *, zone: str, last: Night) -> Arrived | Choice:
    """Our own export, or Loop's: a folder a habit, so that names with commas do no harm. Little enough of it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            files = {info.filename: info for info in packed.infolist()[:_MOST_FILES]}
            wanted = {name: info for name, info in files.items() if PurePosixPath(name).name in _WANTED}
            if sum(info.file_size for info in wanted.values()) > _UNPACKED:
                raise _Refused(ImportProblemKind.TOO_LARGE)
            texts = {name: _content(packed, info) for name, info in wanted.items()}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError):
        raise _Refused(ImportProblemKind.NOT_TEXT) from None
    if ours := [text for name, text in texts.items() if PurePosixPath(name).name in _OURS]:
        return _together([_of_table(*_table(text), zone=zone, last=last) for text in ours])
    habits = {PurePosixPath(name).parent.name: text for name, text in texts.items() if PurePosixPath(name).parent.name}
    if not habits and texts:
        return _of_table(*_table(next(iter(texts.values()))), zone=zone, last=last)
    named = {re.sub(r"^\d+ ", "", folder): text for folder, text in habits.items()}
    return _chosen({name: _folder(text, name, zone, last) for name, text in named.items()})


_OURS = frozenset({"nights.csv", "sealed.csv"})
_WANTED = _OURS | {"Checkmarks.csv"}


def _content(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with packed.open(info) as file:
        content = file.read(LARGEST + 1)  # what a file says of its size need not be true
    if len(content) > LARGEST:
        raise _Refused(ImportProblemKind.TOO_LARGE)
    return content


def _together(sheets: Sequence[Arrived | Choice]) -> Arrived:
    """The nights of both of our sheets: what was taken on the nights of a sealed test is in one of its own."""
    lines: dict[Night, Line] = {}
    for line in (line for one in sheets if isinstance(one, Arrived) for line in one.lines):
        known = lines.get(line.night)
        at = datetime.combine(line.night, time.max, UTC)
        lines[line.night] = line if known is None else merged(known, line, sealed_from=None, at=at) or known
    left = tuple(left for one in sheets if isinstance(one, Arrived) for left in one.left)
    return Arrived(tuple(lines[night] for night in sorted(lines)), left=left)


def _folder(text: bytes, name: str, zone: str, last: Night) -> Arrived | None:
    try:
        found = _of_table(*_table(text), zone=zone, last=last)
    except _Refused as refused:
        if refused.trouble.kind is ImportProblemKind.EMPTY:
            return None
        raise
    return replace(found, habit=name) if isinstance(found, Arrived) else None


def _chosen(habits: Mapping[str, Arrived | None]) -> Arrived | Choice:
    """The only habit, or the only one called magnesium; otherwise the person has to choose."""
    known = {name: found for name, found in habits.items() if found is not None}
    if not known:
        raise _Refused(ImportProblemKind.EMPTY)
    named = [name for name in known if _PRODUCT.search(name)] or list(known)
    if len(named) == 1:
        return known[named[0]]
    return Choice(tuple((name, known[name]) for name in named[:_MOST_HABITS]))


# -- Loop Habit Tracker ------------------------------------------------------------------------------------------------

_LOOP: Mapping[str, Intake | None] = {
    "YES_MANUAL": Intake.TAKEN,
    "2": Intake.TAKEN,
    "NO": Intake.MISSED,
    "0": Intake.MISSED,
    "SKIP": Intake.SKIPPED,
    "3": Intake.SKIPPED,
    # The app counts the day as done because of the habit's rhythm. The person said nothing about it.
    "YES_AUTO": None,
    "1": None,
    "UNKNOWN": None,
    "-1": None,
    "": None,
}


def _loop(header: Sequence[str], rows: Sequence[SheetRow], *, zone: str, last: Night) -> Arrived | Choice:
    habits = [name for name in header[1:] if name and name != "Notes"]
    if habits in (["Score"], ["Streak"], []):
        raise _Refused(ImportProblemKind.SIBLING)
    wanted = ["Value"] if "Value" in habits else [name for name in habits if _PRODUCT.search(name)] or habits
    values = (cells[name].strip().upper() for _, cells in rows for name in wanted)
    if "Value" not in habits and not any((value and value in _LOOP) or _measured(value) for value in values):
        # Other apps' tables begin with "Date" too.
        raise _Refused(ImportProblemKind.NOT_KNOWN if rows else ImportProblemKind.EMPTY)
    if len({*wanted}) < len(wanted):
        raise _Refused(ImportProblemKind.WHICH_HABIT)
    found: dict[str, Arrived | None] = {}
    for name in wanted[:_MOST_HABITS]:
        lines = _each(rows, _loop_line(name, header[0]))
        habit = name if len(habits) > 1 else ""
        found[name] = _arrived(lines, zone=zone, last=last, habit=habit) if lines else None
    return _chosen(found)


def _measured(text: str) -> bool:
    return re.fullmatch(r"\d+(?:\.\d+)?", text.strip()) is not None


def _loop_line(column: str, dated: str) -> Callable[[Mapping[str, str]], Line | None]:
    def parse(cells: Mapping[str, str]) -> Line | None:
        night = _night(cells[dated], dated)
        value = cells.get(column, "").strip().upper()
        if value not in _LOOP and not _measured(value):
            raise BadCell(column, cells.get(column, ""))
        # For a measured habit, any recorded amount counts as taken.
        intake = _LOOP[value] if value in _LOOP else Intake.TAKEN if float(value) else Intake.MISSED
        note = (cells.get("Notes") or "").strip()[: diary.LONGEST_NOTE] or None
        if intake is None and note is None:
            return None
        return Line(NightRecord(night, intake=intake), Detail(night, note=note))

    return parse


def _night(text: str, column: str) -> Night:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadCell(column, text) from None


# -- Plees Tracker -----------------------------------------------------------------------------------------------------

_NAP = timedelta(hours=3)
_BY_DAY = range(9 * 60, 19 * 60)
"""Minutes of the day in which a sleep that is shorter than `_NAP` begins as a nap."""


def _plees(rows: Iterable[SheetRow], *, zone: str, last: Night) -> Arrived:
    """Each night's longest sleep, and how many others there were: naps and impossible ones."""
    sleeps: dict[Night, tuple[timedelta, Numbered]] = {}
    left: list[Left] = []
    count = naps = 0
    for number, cells in rows:
        start, stop = (_moment(number, name, cells[name], zone) for name in ("start", "stop"))
        length = stop - start
        if not timedelta(0) < length <= diary.LONGEST_IN_BED:
            hours = round(abs(length).total_seconds() / 3600)
            left.append(Left(number, Odd.TOO_LONG if length > timedelta(0) else Odd.NO_LENGTH, hours))
        elif length < _NAP and _civil(start, zone) in _BY_DAY:
            naps += 1
        else:
            count += 1
            line = _plees_line(number, cells, (start, stop), zone, left)
            known = sleeps.get(line.night)
            if known is None or known[0] < length:
                sleeps[line.night] = (length, (number, line))
    found = [numbered for _, numbered in sleeps.values()]
    return _arrived(found, zone=zone, last=last, naps=naps + count - len(sleeps), left=left)


def _moment(number: int, column: str, text: str, zone: str) -> datetime:
    """An instant, given in milliseconds or in the tracker's readable form, which is the local time where the person was."""
    try:
        if re.fullmatch(r"\d{1,15}", text.strip()):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Refused(ImportProblemKind.BAD_LINE, number, column=column, cell=text) from None


def _plees_line(
    number: int, cells: Mapping[str, str], span: tuple[datetime, datetime], zone: str, left: list[Left]
) -> Line:
    """The tracker's start is when the person tried to sleep, its stars (0: none given) are the quality."""
    start, stop = span
    night = times.night_of(start, zone)
    stars = _number(number, "rating", cells, (0, *diary.RANGES["quality"]), left)
    wakes = _number(number, "wakes", cells, diary.RANGES["awakenings"], left)
    detail = Detail(
        night,
        note=(cells.get("comment") or "").strip()[: diary.LONGEST_NOTE] or None,
        tried=_civil(start, zone),
        woke=_civil(stop, zone),
        # The tracker also writes 0 awakenings when nobody counted them.
        awakenings=wakes or None,
        quality=stars or None,
    )
    return Line(NightRecord(night), detail)


def _number(line: int, column: str, cells: Mapping[str, str], allowed: Container[int], left: list[Left]) -> int:
    """A number; an impossible one is replaced by 0 and reported."""
    text = (cells.get(column) or "").strip() or "0"
    if re.fullmatch(r"-?\d{1,9}", text) is None:
        raise _Refused(ImportProblemKind.BAD_LINE, line, column=column, cell=text)
    if int(text) in allowed:
        return int(text)
    left.append(Left(line, Odd.NUMBER, int(text)))
    return 0


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
    """The night with its blanks filled, except times that would contradict the times said here."""
    every = _blanks_of(here, given, (*_SINGLE, *_TOGETHER))
    # Summer time moves nothing here by more than an hour, so any zone will do.
    if diary.trouble(every, "UTC", now=at + timedelta(days=2)) is None:
        return every
    return _blanks_of(here, given, _SINGLE)


def _blanks_of(here: Detail, given: Detail, names: Sequence[str]) -> Detail:
    missing = {name: getattr(given, name) for name in names if getattr(here, name) is None}
    return replace(here, **missing)
