"""Times, days and lengths of time in people's own words: "half past ten at night", "晚上10点半", "until monday".

`parsing` goes first and reads what it can read strictly. Here the words of all languages are first replaced by signs; then only a
text of nothing but signs and digits is read. One unknown word, and the text is not a time.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from bot.core import parsing
from bot.core.model import Minute
from bot.core.parsing import Ambiguous, Time, Usual

# -- the words ---------------------------------------------------------------------------------------------------------

SIGNS = {
    "round": "",
    "am": "A",
    "pm": "P",
    "evening": "E",
    "night": "N",
    "midnight": "M",
    "noon": "O",
    "hour": "H",
    "minute": "I",
    "between": "F",
    "to": "T",
}
"""What each list of a language's `[time]` stands for; upper case, as what was typed is in lower case by then.

`round` says nothing, `evening` is from four in the afternoon to eleven, `night` from six to five in the morning; `hour` and
`minute` stand behind their numbers, and `between` and `to` round two times, of which one has to be chosen.
"""

SHIFTS = {30: "X", -30: "Y", 15: "Q", -15: "R", -45: "Z"}
"""Minutes that words like "half past" add to the hour."""

DAYS: Mapping[str, frozenset[int]] = {
    **{name: frozenset({number}) for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
    "weekend": frozenset({4, 5}),
    "week": frozenset({6, 0, 1, 2, 3}),
    "daily": frozenset(range(7)),
}
"""The nights that each list of a language's `[days]` stands for."""

UNITS = ("minute", "hour", "day", "week", "month")


@dataclass(frozen=True, slots=True)
class Several:
    """Two times where one is needed."""

    first: Minute
    second: Minute


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A date like 12/5: half the world puts the month first."""

    first: date
    second: date


@dataclass(frozen=True)
class Spoken:
    """The words of every language, in lower case, as `plain` leaves them."""

    signs: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    days: Mapping[str, frozenset[int]] = field(default_factory=dict)
    round_days: frozenset[str] = frozenset()
    lengths: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    ones: frozenset[str] = frozenset()
    tomorrow: frozenset[str] = frozenset()
    round_dates: frozenset[str] = frozenset()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Any sign's or number's words, the longest first."""
        return _any_of({*self.signs, *self.numbers})

    def in_signs(self, text: str) -> str:
        """The text with every known word in its sign, and numbers in digits."""

        def sign(found: re.Match[str]) -> str:
            word = found[0]
            return f" {self.signs[word] if word in self.signs else self.numbers[word]} "

        return " ".join(self.pattern.sub(sign, text).split())


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    listed = sorted((word for word in words if word), key=len, reverse=True)
    return re.compile("|".join(map(_whole, listed)) or r"(?!)")


def _whole(word: str) -> str:
    """The word as a pattern: not within another word, where the script parts its words."""
    if not word[0].isalpha() or _unparted(word):
        return re.escape(word)
    return rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_'’])"


def _unparted(word: str) -> bool:
    return unicodedata.name(word[0], "").startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI"))


def plain(text: str) -> str:
    """As words are compared: composed, lower case, digits of any script as 0-9, blanks as one; nothing of far too long a text."""
    return " ".join(parsing.plain(unicodedata.normalize("NFC", text[: 4 * parsing.LONGEST])).split())


# -- times of day ------------------------------------------------------------------------------------------------------

_CLOCK = re.compile(
    r"(?P<before>[APEN])? ?(?P<shift>[XYQRZ])? ?"
    r"(?:(?P<hour>\d{1,2})(?: ?(?:[:.h-]|H| ) ?(?P<minute>\d{2}) ?I?)?|(?P<compact>\d{4})) ?[Hh]? ?(?P<shifted>[XYQRZ])? ?"
    r"(?P<after>[APEN])?"
)
_ON_THE_HOUR = re.compile(r"(?:(?:0|00|12|24)(?:[:.]00)? ?)?(?P<which>[MO])(?: ?12)?[N]?")
_MINUTES = {sign: minutes for minutes, sign in SHIFTS.items()}
_CLOSEST = 3 * 60
"""Minutes that "10-12" may span to be two times and not one."""


def time_of_day(text: str, spoken: Spoken, *, usual: Usual) -> Time | Ambiguous | Several | None:
    """A time of day in words; None if there is any other word in the text."""
    strict = parsing.time_of_day(text, usual=usual)
    if strict is not None:
        return strict
    typed = plain(text)
    for whole in dict.fromkeys((typed, typed.rstrip(" .!?。"))):
        signs = spoken.in_signs(whole)
        if (found := _several(signs, usual) or _one(signs, usual)) is not None:
            return found
    return None


def _one(signs: str, usual: Usual) -> Time | Ambiguous | None:
    if found := _ON_THE_HOUR.fullmatch(signs):
        return Time(0 if found["which"] == "M" else 720)
    strict = parsing.time_of_day(signs, usual=usual) if signs.islower() or signs.replace(":", "").isdigit() else None
    if strict is not None:
        return strict
    found = _CLOCK.fullmatch(signs)
    if found is None or (found["before"] and found["after"] and found["before"] != found["after"]):
        return None
    return _read(found, usual)


def _read(found: re.Match[str], usual: Usual) -> Time | Ambiguous | None:
    hour, minute = found["hour"] or found["compact"][:2], found["minute"] or (found["compact"] or "")[2:] or None
    shift = found["shift"] or found["shifted"]
    if int(hour) > 24 or int(minute or 0) > 59 or (shift and minute):
        return None
    part = found["before"] or found["after"]
    if part is None and shift is None:
        return parsing.time_of_day(f"{hour}:{minute}" if minute else hour, usual=usual)
    exact = _in_part(int(hour), part)
    if exact is None:
        return None
    added = _MINUTES[shift] if shift else int(minute or 0)
    minutes = [(start * 60 + added) % 1440 for start in exact]
    if len(minutes) == 1:
        return Time(minutes[0])
    usually = [one for one in minutes if usual == "evening" and 60 <= one < 300]
    return Time(usually[0]) if usually else Ambiguous(*sorted(minutes))


def _in_part(hour: int, part: str | None) -> tuple[int, ...] | None:
    """The hour, or the two hours, that are meant in a part of the day."""
    if hour > 12 or hour == 0:
        return None if part == "A" and hour > 12 else (hour % 24,)
    am, pm = hour % 12, hour % 12 + 12
    settled = {
        None: None,
        "A": (am,) if hour < 12 else (0,),
        "P": (pm,),
        "E": (pm,) if 4 <= hour < 12 else None,
        "N": (pm,) if 6 <= hour < 12 else (am,),
    }
    return settled[part] or (am, pm)


def _several(signs: str, usual: Usual) -> Several | None:
    """ "Between ten and eleven", "22:30 to 23:00", "10-11 pm": the part of the day of the second goes for the first as well."""
    for first, second in _halves(signs):
        part = second[-1:] if second[-1:] in {"A", "P", "E", "N"} else ""
        one, two = _one(f"{first} {part}".strip() if not first[-1:].isalpha() else first, usual), _one(second, usual)
        if one is not None and two is not None and one != two:
            return Several(_likely(one, usual), _likely(two, usual))
    return None


def _halves(signs: str) -> Iterator[tuple[str, str]]:
    text = signs.removeprefix("F ")
    yield from ((text[: found.start()].strip(), text[found.end() :].strip()) for found in re.finditer("T", text))
    if found := re.fullmatch(r"(\d{1,2}(?:[:.]\d\d)?) ?[-–—] ?(\d{1,2}(?:[:.]\d\d)?)( ?[APEN])?", text):
        near = 0 < (_minutes(found[2]) - _minutes(found[1])) % 720 <= _CLOSEST
        if near and found[2] != "00":
            yield found[1], found[2] + (found[3] or "")


def _minutes(text: str) -> int:
    hour, _, minute = text.replace(".", ":").partition(":")
    return int(hour) * 60 + int(minute or 0)


def _likely(time: Time | Ambiguous, usual: Usual) -> Minute:
    match time:
        case Time(minute):
            return minute
        case Ambiguous(morning, evening):
            return evening if usual == "evening" else morning


# -- times of weekdays -------------------------------------------------------------------------------------------------

OfDays = tuple[frozenset[int], Time | Ambiguous]
_MOST_WORDS = 16


def weekly(
    text: str, spoken: Spoken, names: Mapping[str, frozenset[int]] | None = None, *, usual: Usual = "evening"
) -> list[OfDays]:
    """Weekdays and times in either order, once or more: "sun-thu 22:30, fri-sat 00:30", "00:30 on fridays". None without both."""
    strict = parsing.weekly(text, names, usual=usual)
    if strict is not None:
        return [strict]
    words = [word for word in re.split(r"[ ;]+", plain(text)) if word]
    if not 2 <= len(words) <= _MOST_WORDS:
        return []
    known = {plain(name): days for name, days in {**parsing.days(names), **spoken.days}.items()}
    reader = _Week(words, known, parsing.one_of(known), spoken, usual)
    return reader.pairs(0, days_first=True) or reader.pairs(0, days_first=False) or []


@dataclass(frozen=True, slots=True)
class _Week:
    words: list[str]
    days: Mapping[str, frozenset[int]]
    pattern: re.Pattern[str]
    spoken: Spoken
    usual: Usual

    def pairs(self, start: int, *, days_first: bool) -> list[OfDays] | None:
        """The pairs that the words from `start` on are; None where some word belongs to none."""
        if start == len(self.words):
            return []
        for middle in range(start + 1, len(self.words)):
            for end in range(len(self.words), middle, -1):
                pair = self._pair(start, middle, end, days_first=days_first)
                rest = None if pair is None else self.pairs(end, days_first=days_first)
                if pair is not None and rest is not None:
                    return [pair, *rest]
        return None

    def _pair(self, start: int, middle: int, end: int, *, days_first: bool) -> OfDays | None:
        first, second = self.words[start:middle], self.words[middle:end]
        days = self._days(first if days_first else second)
        if not days:
            return None
        time = time_of_day(" ".join(second if days_first else first).strip(" ,:"), self.spoken, usual=self.usual)
        return (days, time) if isinstance(time, Time | Ambiguous) else None

    def _days(self, words: list[str]) -> frozenset[int] | None:
        while words and words[0] in self.spoken.round_days:
            words = words[1:]
        while words and words[-1] in self.spoken.round_days and " ".join(words) not in self.days:
            words = words[:-1]
        return parsing.weekdays(" ".join(words).strip(" ,:"), self.days, self.pattern) if words else None


# -- lengths of time ---------------------------------------------------------------------------------------------------

_AMOUNT = re.compile(r"(?P<number>\d{1,3}(?:[.,]\d{1,2})?) ?(?P<unit>[^\d\W_]+\.?)")


def minutes(text: str, spoken: Spoken) -> int | None:
    """A length of time in minutes: "half an hour", "0.75 h", "1 hour 30 minutes"."""
    strict = parsing.minutes(text)
    if strict is not None:
        return strict
    typed = plain(text).rstrip(" .!?")
    if typed in spoken.lengths:
        return spoken.lengths[typed]
    rest, total = typed, 0.0
    while found := _AMOUNT.match(rest):
        unit = spoken.units.get(found["unit"].rstrip("."))
        if unit not in ("minute", "hour"):
            return None
        total += float(found["number"].replace(",", ".")) * (60 if unit == "hour" else 1)
        rest = rest[found.end() :].lstrip(" ,")
    return round(total) if total and not rest else None


def lead(text: str, spoken: Spoken) -> int | None:
    """Minutes before bed, 15 to 120."""
    found = minutes(text, spoken)
    return found if found in parsing.LEADS else None


# -- dates -------------------------------------------------------------------------------------------------------------

_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})(?:[/-](\d{4}))?")
_COUNTED = re.compile(r"(\d{1,3}) ?([^\d\W_]+(?: [^\d\W_]+)?)")


def day(
    text: str,
    today: date,
    spoken: Spoken,
    *,
    months: Mapping[str, int] | None = None,
    weekdays: Mapping[str, frozenset[int]] | None = None,
) -> date | Doubtful | None:
    """A date after today, at most a year off: "next friday", "24/12", "in a month"; one like 12/5 may be two."""
    strict = parsing.day(text, today, months)
    if strict is not None:
        return strict
    typed = _bare(plain(text).rstrip(" .!?"), spoken)
    if typed in spoken.tomorrow:
        return today + timedelta(days=1)
    if (there := _slashed(typed, today)) is not None:
        return there
    if (ahead := _ahead(typed, today, spoken)) is not None:
        return ahead
    named = {plain(name): days for name, days in {**parsing.days(weekdays), **spoken.days}.items()}
    days = named.get(typed)
    if days is not None and len(days) == 1:
        (weekday,) = days
        return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    return parsing.day(typed, today, months)


def _bare(typed: str, spoken: Spoken) -> str:
    """Without "until", "in", "next" and the like, before or after."""
    before = re.compile(
        rf"(?:{'|'.join(map(re.escape, sorted(spoken.round_dates, key=len, reverse=True))) or '(?!)'}) "
    )
    while found := before.match(typed):
        typed = typed[found.end() :]
    last = next(
        (word for word in sorted(spoken.round_dates, key=len, reverse=True) if typed.endswith(f" {word}")), None
    )
    return typed if last is None else typed[: -len(last) - 1].strip()


def _slashed(typed: str, today: date) -> date | Doubtful | None:
    found = _SLASHED.fullmatch(typed)
    if found is None:
        return None
    one, other, year = int(found[1]), int(found[2]), found[3]
    dates = [_next(day, month, year, today) for day, month in dict.fromkeys([(one, other), (other, one)])]
    real = [when for when in dates if when is not None]
    return Doubtful(*real) if len(real) == 2 else real[0] if real else None


def _next(number: int, month: int, year: str | None, today: date) -> date | None:
    """The next such date, at most a year off."""
    for each in [int(year)] if year else [today.year, today.year + 1]:
        if 1 <= month <= 12 and 1 <= number <= calendar.monthrange(each, month)[1]:
            when = date(each, month, number)
            if today < when <= today + parsing.AHEAD:
                return when
    return None


def _ahead(typed: str, today: date, spoken: Spoken) -> date | None:
    """A date given as a number of days, weeks or months from today."""
    first, _, rest = typed.partition(" ")
    counted = f"1 {rest}" if first in spoken.ones and rest else f"1 {typed}" if typed in spoken.units else typed
    found = _COUNTED.fullmatch(counted)
    unit = spoken.units.get(found[2]) if found is not None else None
    if found is None or unit not in ("day", "week", "month"):
        return None
    count = int(found[1])
    when = _months_on(today, count) if unit == "month" else today + timedelta(days=count * (7 if unit == "week" else 1))
    return when if today < when <= today + parsing.AHEAD else None


def _months_on(today: date, count: int) -> date:
    """The same day, this many months later; the month's last day if it has no such day."""
    years, month = divmod(today.month - 1 + count, 12)
    year = today.year + years
    return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def nights(
    text: str,
    today: date,
    spoken: Spoken,
    *,
    months: Mapping[str, int] | None = None,
    weekdays: Mapping[str, frozenset[int]] | None = None,
) -> int | date | Doubtful | None:
    """A number of nights, 1 to 365, or the night that is the first again: "7", "2 weeks", "until monday", "a month"."""
    strict = parsing.nights(text)
    return strict if strict is not None else day(text, today, spoken, months=months, weekdays=weekdays)
