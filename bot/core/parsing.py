"""What people type: times of day, weekdays, minutes, nights, dates and offsets, each read strictly or not at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from bot.core.model import Minute, Night

LEADS = range(15, 121)
"""Minutes that a reminder may come before bed."""

PAUSES = range(1, 366)
"""Nights that a pause may last."""

AHEAD = timedelta(days=366)
"""How far ahead "until a date" may lie."""

Usual = Literal["evening", "morning"]

LONGEST = 60
"""Characters of the longest answer that is read."""
_HALF_DAY: Minute = 720


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day that can be meant in one way only."""

    minute: Minute


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A time that may be before or after noon: ask which."""

    minute_am: Minute
    minute_pm: Minute


# Text, before anything is read from it


def clean(text: str, limit: int) -> str:
    """One line of at most `limit` characters: no control, bidi or broken characters, whitespace runs made one space."""
    kept = (" " if char.isspace() else char for char in text if char.isspace() or not _harmful(char))
    return " ".join("".join(kept).split())[:limit].rstrip()


def answer(text: str, limit: int) -> str:
    """An answer or a command's argument: cleaned, and without invisible marks and unusual blanks."""
    return clean(
        "".join(" " if char in _BLANKS else char for char in text if unicodedata.category(char) != "Cf"), limit
    )


_BLANKS = frozenset("\u2800\u3164\u115f\u1160\uffa0")


def _harmful(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs"} or char in _BIDI


_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def plain(text: str) -> str:
    """Lower case, digits of any script as 0-9, full-width forms as ASCII; empty when far too long for any answer."""
    if len(text) > LONGEST:
        return ""
    return "".join(map(_plain_char, text.strip(" \n\t"))).casefold()


def _plain_char(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    if "！" <= char <= "～":
        return chr(ord(char) - 0xFEE0)
    return " " if unicodedata.category(char) == "Zs" else char


# Times of day

_AT = r"(?:(?:at|um|à|a las|às|alle|om|в) )?"
_HALF = r"(?: ?(?P<half>[ap])(?:\.? ?m)?\.?)?"
_HOUR, _MINUTE = r"(?P<hour>[0-9]{1,2})", r"(?P<minute>[0-9]{2})"
_MARK = "[时時点點]"
_CLOCK = re.compile(rf"{_AT}{_HOUR}(?:(?: ?[:.h] ?|{_MARK}){_MINUTE}分?)?(?: ?h| ?uhr|{_MARK})?{_HALF}")
_COMPACT = re.compile(_AT + _HOUR + _MINUTE + _HALF)


def bedtime(text: str) -> Time | Ambiguous | None:
    """A typed bedtime. "10" and "9:30" are asked about, "1:30" is at night, "10:30", "07:30" and "22" say it all."""
    return time_of_day(text, usual="evening")


def check_in(text: str) -> Time | Ambiguous | None:
    """A typed check-in time. "7:30" is in the morning, "12:30" at noon, "2:30" is asked about."""
    return time_of_day(text, usual="morning")


def time_of_day(text: str, *, usual: Usual) -> Time | Ambiguous | None:
    """A time of day in 12 or 24 hours; None for anything else.

    A leading zero, an hour above 12, both parts in two digits, and am or pm settle it. Else the hours that are `usual` for
    such a time settle it,
    and the others are ambiguous. "24:00" is midnight. Three digits in a row ("400") need am or pm.
    """
    typed = plain(text)
    if typed == "midnight":
        return Time(0)
    if found := _CLOCK.fullmatch(typed):
        full = len(found["hour"]) == 2 and found["minute"] is not None
        return _time(found["hour"], int(found["minute"] or 0), found["half"], usual=usual, full=full)
    found = _COMPACT.fullmatch(typed)
    if found is None or (len(found["hour"]) == 1 and not found["half"]):
        return None
    return _time(found["hour"], int(found["minute"]), found["half"], usual=usual, full=False)


def _time(hour: str, minute: int, half: str | None, *, usual: Usual, full: bool) -> Time | Ambiguous | None:
    if minute > 59:
        return None
    if half is not None:
        return _twelve_hours(int(hour), minute, half)
    if hour == "24" and minute == 0:
        return Time(0)
    if int(hour) > 23:
        return None
    whole = Time(int(hour) * 60 + minute)
    if hour.startswith("0") or int(hour) > 12 or int(hour) in _SETTLED[usual] or full:
        return whole
    return Ambiguous(whole.minute % _HALF_DAY, whole.minute % _HALF_DAY + _HALF_DAY)


# Hours that need no question although they could be before or after noon: nobody goes to bed at half past one in the
# afternoon and types "1:30", nobody is asked about last night at half past seven in the evening.
_SETTLED: Mapping[Usual, range] = {"evening": range(1, 5), "morning": range(4, 13)}


def _twelve_hours(hour: int, minute: int, half: str) -> Time | None:
    if not 1 <= hour <= 12:
        return None
    return Time(hour % 12 * 60 + minute + (_HALF_DAY if half == "p" else 0))


# Weekdays

_ENGLISH_DAYS: Mapping[str, frozenset[int]] = {
    **{
        word: frozenset({number})
        for number, words in enumerate(
            (
                ("mon", "monday", "mo"),
                ("tue", "tuesday", "tues", "tu"),
                ("wed", "wednesday", "we"),
                ("thu", "thursday", "thur", "thurs", "th"),
                ("fri", "friday", "fr"),
                ("sat", "saturday", "sa"),
                ("sun", "sunday", "su"),
            )
        )
        for word in words
    },
    **dict.fromkeys(("weekend", "weekends"), frozenset({4, 5})),
    **dict.fromkeys(("weekday", "weekdays", "weeknights"), frozenset({6, 0, 1, 2, 3})),
    **dict.fromkeys(("daily", "every day", "every night"), frozenset(range(7))),
}


def weekly(
    text: str, names: Mapping[str, frozenset[int]] | None = None, *, usual: Usual = "evening"
) -> tuple[frozenset[int], Time | Ambiguous] | None:
    """Weekdays and a time, "fri,sat 00:30" or "mon-thu 10 pm"; weekdays are those of the night, Monday 0.

    "weekends" are the nights before free days, Friday's and Saturday's; "weekdays" the other five. `names` maps further
    words (any case) to weekdays. None without a weekday or without a time.
    """
    typed, known = plain(text), days(names)
    pattern = one_of(known)
    for space in (place for place, char in enumerate(typed) if char == " "):
        chosen = weekdays(typed[:space].rstrip(" :,"), known, pattern)
        time = time_of_day(typed[space:], usual=usual)
        if chosen and time:
            return chosen, time
    return None


def days(names: Mapping[str, frozenset[int]] | None = None) -> dict[str, frozenset[int]]:
    """The weekdays that words stand for: English ones, and further `names` (any case)."""
    return {**_ENGLISH_DAYS, **{word.casefold(): value for word, value in (names or {}).items() if word}}


def weekdays(
    text: str, days: Mapping[str, frozenset[int]], pattern: re.Pattern[str] | None = None
) -> frozenset[int] | None:
    """The weekdays of a list like "fri, sat" or "sun-thu"; None if part is not in `days`. `pattern`: that of `days`, if built."""
    one = pattern or one_of(days)
    chosen: frozenset[int] = frozenset()
    while found := one.match(text):
        chosen |= _span(days[found[1]], days[found[2]]) if found[2] else days[found[1]]
        text = re.sub(r"^(?: ?[,;&+/] ?| and | )", "", text[found.end() :], count=1)
    return None if text else chosen


def one_of(days: Mapping[str, frozenset[int]]) -> re.Pattern[str]:
    """The pattern of one of these weekdays, or of a span of them."""
    words = "|".join(map(re.escape, sorted(days, key=len, reverse=True)))
    return re.compile(rf"({words})\.?(?!\w)(?: ?(?:-|–|to|bis) ?({words})\.?(?!\w))?")


def _span(first: frozenset[int], last: frozenset[int]) -> frozenset[int]:
    """From one weekday to another, over the week's end if need be; nothing between groups of days."""
    if len(first) != 1 or len(last) != 1:
        return frozenset()
    (start,), (end,) = first, last
    return frozenset((start + step) % 7 for step in range((end - start) % 7 + 1))


# Minutes and nights

_MINUTES = re.compile(r"([0-9]{1,3})(?: ?m(?:in[^\W\d_]{0,4})?\.?)?")
_HOURS = re.compile(r"([0-9]) ?(?:h[^\W\d_]{0,5}|std)\.?(?: ?([0-9]{1,2})(?: ?m(?:in[^\W\d_]{0,4})?\.?)?)?")
_NIGHTS = re.compile(r"([0-9]{1,3})(?: ?(n|nights?|d|days?|w|weeks?))?")


def lead(text: str) -> int | None:
    """Minutes before bed, 15 to 120: "45", "45 min", "1h", "1 h 15"."""
    found = minutes(text)
    return found if found in LEADS else None


def minutes(text: str) -> int | None:
    """A length of time in minutes: "20", "20 min", "1h", "1 h 15"."""
    typed = plain(text)
    if found := _MINUTES.fullmatch(typed):
        return int(found[1])
    if found := _HOURS.fullmatch(typed):
        return int(found[1]) * 60 + int(found[2] or 0)
    return None


def count(text: str) -> int | None:
    """A whole number of up to four digits."""
    typed = plain(text)
    return int(typed) if re.fullmatch("[0-9]{1,4}", typed) else None


def nights(text: str) -> int | None:
    """A number of nights, 1 to 365: "7", "7 nights", "2 weeks"."""
    found = _NIGHTS.fullmatch(plain(text))
    if found is None:
        return None
    count = int(found[1]) * (7 if (found[2] or "").startswith("w") else 1)
    return count if count in PAUSES else None


# Dates

_MONTHS: Mapping[str, int] = {
    word: number
    for number, name in enumerate(
        (
            *("january", "february", "march", "april", "may", "june"),
            *("july", "august", "september", "october", "november", "december"),
        ),
        start=1,
    )
    for word in (name, name[:3])
}
_ISO = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})")
_DOTTED = re.compile(r"(?P<day>[0-9]{1,2})\. ?(?P<month>[0-9]{1,2})(?:\. ?(?P<year>[0-9]{4})?)?")
_DAY_FIRST = re.compile(r"(?P<day>[0-9]{1,2})\.? (?P<month>[^\W\d_]+)\.?(?:,? (?P<year>[0-9]{4}))?")
_MONTH_FIRST = re.compile(r"(?P<month>[^\W\d_]+)\.? (?P<day>[0-9]{1,2})(?:,? (?P<year>[0-9]{4}))?")


def night(text: str, today: date, months: Mapping[str, int] | None = None) -> Night | None:
    """A night up to today's: "2026-11-14", or "14.11.", "14 Nov" for the last such date. From the year 2000 on."""
    if plain(text) in {"today", "tonight"}:
        return today
    found = _date(text, months, (today.year, today.year - 1), lambda when: when <= today)
    return found if found is not None and found.year >= 2000 else None


def day(text: str, today: date, months: Mapping[str, int] | None = None) -> date | None:
    """A date after today, at most a year off: "2026-12-24", "24.12.", "24 Dec", "Dec 24", "in 5 days", "tomorrow".

    Without a year it is the next such date. `months` maps further month names (lower case) to 1-12. Dates with slashes
    are not read: half the world puts the month first.
    """
    typed = plain(text)
    if typed == "tomorrow":
        return today + timedelta(days=1)
    if (count := nights(typed.removeprefix("in "))) is not None:
        return today + timedelta(days=count)
    found = _date(text, months, (today.year, today.year + 1), lambda when: when > today)
    return found if found is not None and found - today <= AHEAD else None


def _date(
    text: str, months: Mapping[str, int] | None, years: tuple[int, ...], fits: Callable[[date], bool]
) -> date | None:
    """The first date that fits: in the year that was typed, or else in one of `years`."""
    typed = plain(text)
    for pattern in (_ISO, _DOTTED, _DAY_FIRST, _MONTH_FIRST):
        if found := pattern.fullmatch(typed):
            month = _month(found["month"], months or {})
            given = (int(found["year"]),) if found["year"] else years
            dates = (_real_date(year, month, int(found["day"])) for year in given)
            return next((when for when in dates if when is not None and fits(when)), None)
    return None


def _month(text: str, months: Mapping[str, int]) -> int:
    return int(text) if text.isdecimal() else months.get(text) or _MONTHS.get(text, 0)


def _real_date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


# Offsets

_OFFSET = re.compile(r"(?:(?:utc|gmt) ?)?(?P<sign>[+-]) ?(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2}))?")
# Only zones that keep one offset all year: an offset does not say which country's clock changes the person follows.
_BROKEN_HOURS: Mapping[int, str] = {
    -570: "Pacific/Marquesas",
    210: "Asia/Tehran",
    270: "Asia/Kabul",
    330: "Asia/Kolkata",
    345: "Asia/Kathmandu",
    390: "Asia/Yangon",
    525: "Australia/Eucla",
    570: "Australia/Darwin",
}


def offset(text: str) -> str | None:
    """The IANA zone of a typed offset from UTC: "+2", "UTC+5:30", "GMT-3". None where a city must be typed instead.

    Whole hours become Etc zones, whose sign is the other way round: Etc/GMT-2 is two hours ahead of UTC.
    """
    typed = plain(text).replace("\u2212", "-").replace("–", "-")
    if typed in {"utc", "gmt"}:
        return "Etc/UTC"
    found = _OFFSET.fullmatch(typed)
    if found is None or int(found["minutes"] or 0) > 59:
        return None
    minutes = int(found["hours"]) * 60 + int(found["minutes"] or 0)
    return _fixed_zone(-minutes if found["sign"] == "-" else minutes)


def _fixed_zone(minutes: int) -> str | None:
    if minutes == 0:
        return "Etc/UTC"
    if minutes % 60 == 0 and -12 * 60 <= minutes <= 14 * 60:
        return f"Etc/GMT{-minutes // 60:+d}"
    return _BROKEN_HOURS.get(minutes)
