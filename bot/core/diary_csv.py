"""The diary as a CSV sheet: one night a line, blank where nothing was said; written for spreadsheets, and read back strictly."""

from __future__ import annotations

import csv
import functools
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import IntEnum
from typing import TypeVar

from bot.core import diary
from bot.core.diary import Detail, EveningFactors
from bot.core.model import Delivery, Intake, Minute, Night, NightRecord, Rating, Reason

# A cell that begins so would be run as a formula by a spreadsheet; an apostrophe before it makes it text again.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r\n]")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::00)?")
_NONE = "none"
_Name = TypeVar("_Name", bound=IntEnum)

DIARY_COLUMNS = ("reminder", "intake", "intake_at", "reason", "rating", "rated_at", "late")
_CLOCKS = ("in_bed", "tried", "woke", "rose")
_NUMBERS = ("onset", "rested", "latency", "awakenings", "awake", "quality")
DETAIL_COLUMNS = ("note", "evening", *_CLOCKS, *_NUMBERS, "detail_late")
COLUMNS = ("night", *DIARY_COLUMNS, *DETAIL_COLUMNS)


class BadCell(ValueError):  # noqa: N818 - named for what is bad
    """A cell that could not be read."""

    def __init__(self, column: str, text: str) -> None:
        self.column, self.text = column, text
        super().__init__(f"{column}: {text!r}")


@dataclass(frozen=True, slots=True)
class Line:
    """All that was said of one night."""

    record: NightRecord
    detail: Detail

    @property
    def night(self) -> Night:
        """The night it is about."""
        return self.record.night


def apart(line: Line) -> tuple[Line, Line]:
    """The night without what was taken, and with nothing but that: so that a sealed one is not read by looking across."""
    record = line.record
    rest = replace(record, intake=None, intake_at=None, reason=None)
    taken = NightRecord(line.night, intake=record.intake, intake_at=record.intake_at, reason=record.reason)
    return replace(line, record=rest), Line(taken, Detail(line.night))


def defused(text: str) -> str:
    """A text cell made safe, so that no spreadsheet runs it as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def fused(text: str) -> str:
    """A text cell as it was before it was defused."""
    return text[1:] if _DEFUSED.match(text) else text


# -- out ---------------------------------------------------------------------------------------------------------------


def written(lines: Iterable[Line]) -> str:
    """The sheet, header first, in the order given."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([defused(cell) for cell in _cells(line)])
    return out.getvalue()


def _cells(line: Line) -> list[str]:
    record, detail = line.record, line.detail
    said = [
        _name(record.delivery),
        _name(record.intake),
        _moment(record.intake_at),
        record.reason or "",
        _name(record.rating),
        _moment(record.rated_at),
        "yes" if record.late else "",
    ]
    more = [
        detail.note or "",
        _evening(detail.evening),
        *(_clock(getattr(detail, name)) for name in _CLOCKS),
        *("" if getattr(detail, name) is None else str(getattr(detail, name)) for name in _NUMBERS),
        "yes" if detail.late else "",
    ]
    return [record.night.isoformat(), *said, *more]


def _name(value: IntEnum | None) -> str:
    return "" if value is None else value.name.lower()


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")


def _clock(minute: Minute | None) -> str:
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def _evening(evening: EveningFactors | None) -> str:
    if evening is None:
        return ""
    return " ".join(str(bit.name).lower() for bit in EveningFactors if bit in evening) or _NONE


# -- in ----------------------------------------------------------------------------------------------------------------


DAY_FIRST, MONTH_FIRST = "day", "month"
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_TAKEN = {
    "yes": Intake.TAKEN,
    "y": Intake.TAKEN,
    "1": Intake.TAKEN,
    "no": Intake.SKIPPED,
    "n": Intake.SKIPPED,
    "0": Intake.SKIPPED,
}
_STEPS = {str(step): rating for step, rating in enumerate(sorted(Rating), start=1)}
_Value = TypeVar("_Value")


def slashed(text: str) -> tuple[int, int] | None:
    """The first two numbers of a date with slashes."""
    found = _SLASHED.fullmatch(text.strip())
    return None if found is None else (int(found[1]), int(found[2]))


def line(cells: Mapping[str, str], order: str = MONTH_FIRST) -> Line:
    """A line from its cells by column; columns that are not there are blank. `order`: of dates with slashes.

    Beside what we write, `taken` may say yes or no, ratings may be 1 (much worse) to 5, and dates and times may be as a
    spreadsheet leaves them. Raises BadCell for anything else.
    """
    given = {name: fused(cells.get(name) or "").strip() for name in (*COLUMNS, "taken")}
    read = functools.partial(_cell, given)
    night = read("night", lambda text: _date(text, order))
    intake = read("intake", lambda text: _named(Intake, text)) if given["intake"] else read("taken", _taken)
    rating = read("rating", _rating)
    record = NightRecord(
        night=night,
        delivery=read("reminder", lambda text: _named(Delivery, text)),
        intake=intake,
        intake_at=read("intake_at", _instant) if intake is not None else None,
        reason=read("reason", lambda text: Reason(text) if text else None),
        rating=rating,
        rated_at=read("rated_at", _instant) if rating is not None else None,
        late=read("late", _yes),
    )
    return Line(record, _detail(night, given))


def _cell(given: Mapping[str, str], name: str, read: Callable[[str], _Value]) -> _Value:
    try:
        return read(given[name])
    except (ValueError, KeyError):
        raise BadCell(name, given[name]) from None


def _date(text: str, order: str) -> Night:
    if found := _DOTTED.fullmatch(text):
        return date(int(found[3]), int(found[2]), int(found[1]))
    if found := _SLASHED.fullmatch(text):
        day, month = (1, 2) if order == DAY_FIRST else (2, 1)
        return date(int(found[3]), int(found[month]), int(found[day]))
    return date.fromisoformat(text.replace("/", "-"))


def _taken(text: str) -> Intake | None:
    lowered = text.casefold()
    return _TAKEN[lowered] if lowered in _TAKEN else _named(Intake, lowered)


def _rating(text: str) -> Rating | None:
    return _STEPS[text] if text in _STEPS else _named(Rating, text.replace(" ", "_"))


def _detail(night: Night, given: Mapping[str, str]) -> Detail:
    read = functools.partial(_cell, given)
    clocks = {name: read(name, _minute) for name in _CLOCKS}
    numbers = {name: read(name, functools.partial(_number, name)) for name in _NUMBERS}
    return Detail(
        night,
        note=read("note", _note),
        evening=read("evening", _bits),
        late=read("detail_late", _yes),
        **clocks,
        **numbers,
    )


def _note(text: str) -> str | None:
    if len(text) > diary.LONGEST_NOTE:
        raise ValueError("the note is too long")
    return text or None


def _named(kind: type[_Name], text: str) -> _Name | None:
    if not text:
        return None
    if text.upper() not in kind.__members__:
        raise ValueError(f"{text!r} is not a word of this column")
    return kind[text.upper()]


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant without its offset")
    return at


def _minute(text: str) -> Minute | None:
    if not text:
        return None
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time of day")
    return int(found[1]) * 60 + int(found[2])


def _number(name: str, text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) not in diary.RANGES[name]:
        raise ValueError(f"{text!r} is out of range")
    return int(text)


def _bits(text: str) -> EveningFactors | None:
    if not text:
        return None
    evening = EveningFactors(0)
    for word in text.split():
        if word != _NONE:
            evening |= EveningFactors[word.upper()] if word.upper() in EveningFactors.__members__ else _refuse(word)
    return evening


def _yes(text: str) -> bool:
    if text not in ("", "yes"):
        _refuse(text)
    return text == "yes"


def _refuse(text: str) -> EveningFactors:
    raise ValueError(f"{text!r} is not a word of this column")
