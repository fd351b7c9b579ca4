"""Times, days and lengths of time in people's own words, in all languages at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import parsing
from bot.core import spoken as words
from bot.core.parsing import Ambiguous, Time
from bot.core.spoken import Doubtful, Several
from bot.texts import spoken

KNOWN = spoken.known()
FRIDAY = date(2026, 11, 20)
TABLE = Path(__file__).parents[1] / "tables" / "bedtimes.tsv"
TYPED = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def shown(found: Time | Ambiguous | Several | None) -> str:
    match found:
        case Time(minute):
            return clock(minute)
        case Ambiguous(morning, evening):
            return f"{clock(morning)},{clock(evening)}"
        case Several():
            return "?"
        case _:
            return "-"


@pytest.mark.parametrize(("typed", "meant"), TYPED)
def test_a_bedtime_is_read_as_it_is_meant_or_asked_about(typed: str, meant: str) -> None:
    found = shown(words.time_of_day(parsing.answer(typed, 200), KNOWN, usual="evening"))
    assert found == meant or found in meant.split(",")


def test_the_table_is_long_enough_to_say_something() -> None:
    assert len(TYPED) >= 200


@settings(deadline=None)
@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_time_of_day_or_none(typed: str) -> None:
    match words.time_of_day(typed, KNOWN, usual="evening"):
        case Time(minute):
            assert 0 <= minute < 1440
        case Ambiguous(morning, evening):
            assert 0 <= morning < 720 <= evening < 1440
        case Several(first, second):
            assert {first, second} <= {*range(1440)}


def test_a_wall_of_text_is_no_time() -> None:
    assert words.time_of_day("10 " * 100_000, KNOWN, usual="evening") is None


SCHOOL, FREE = frozenset({6, 0, 1, 2, 3}), frozenset({4, 5})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("weekends at 00:30", [(FREE, "00:30")]),
        ("on fridays 00:30", [(frozenset({4}), "00:30")]),
        ("00:30 fri,sat", [(FREE, "00:30")]),
        ("00:30 on fridays and saturdays", [(FREE, "00:30")]),
        ("weeknights 10:30pm", [(SCHOOL, "22:30")]),
        ("sun-thu 22:30 fri-sat 00:30", [(SCHOOL, "22:30"), (FREE, "00:30")]),
        ("sun-thu 22:30, fri-sat 00:30", [(SCHOOL, "22:30"), (FREE, "00:30")]),
        ("22:30 sun-thu, 00:30 fri-sat", [(SCHOOL, "22:30"), (FREE, "00:30")]),
        ("am Wochenende 0 Uhr 30", [(FREE, "00:30")]),
        ("freitags um halb eins nachts", [(frozenset({4}), "00:30")]),
        ("в пятницу в 23:30", [(frozenset({4}), "23:30")]),
        ("por semana", []),
        ("fri", []),
        ("fri blue 22:30", []),
        ("friday friday", []),
    ],
)
def test_weekdays_stand_before_or_after_their_time(typed: str, meant: list[tuple[frozenset[int], str]]) -> None:
    assert [(days, shown(time)) for days, time in words.weekly(typed, KNOWN)] == meant


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("half an hour", 30), ("1h30", 90), ("1.5h", 90), ("1,5 h", 90), ("0.75 h", 45), ("an hour", 60), ("1 hour 30 minutes", 90),
        ("halbe Stunde", 30), ("eine Dreiviertelstunde", 45), ("media hora", 30), ("полчаса", 30), ("полтора часа", 90),
        ("30 минут", 30), ("1 heure 15 minutes", 75), ("半小时", 30), ("half an hour.", 30), ("45", 45),
        ("half", None), ("an apple", None), ("5 hours", None), ("1 week", None), ("0.1 h", None), ("half an hour blue", None),
    ],
)  # fmt: skip
def test_a_lead_is_read_in_words(typed: str, minutes: int | None) -> None:
    assert words.lead(typed, KNOWN) == minutes


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("24/12", date(2026, 12, 24)), ("12/24", date(2026, 12, 24)), ("24/12/2026", date(2026, 12, 24)),
        ("12/5", Doubtful(date(2027, 5, 12), date(2026, 12, 5))), ("1/1", date(2027, 1, 1)),
        ("next friday", date(2026, 11, 27)), ("friday", date(2026, 11, 27)), ("until monday", date(2026, 11, 23)),
        ("on sunday", date(2026, 11, 22)), ("in a week", date(2026, 11, 27)), ("in 2 weeks", date(2026, 12, 4)),
        ("a month", date(2026, 12, 20)), ("in 3 months", date(2027, 2, 20)), ("tomorrow", date(2026, 11, 21)),
        ("bis Montag", date(2026, 11, 23)), ("nächsten Freitag", date(2026, 11, 27)), ("завтра", date(2026, 11, 21)),
        ("через 2 недели", date(2026, 12, 4)), ("hasta el lunes", date(2026, 11, 23)), ("until 24 Dec", date(2026, 12, 24)),
        ("24.12.", date(2026, 12, 24)),
        ("31/31", None), ("0/5", None), ("30/2", None), ("weekend", None), ("in 2 years", None), ("until", None),
        ("13 months", None),
    ],
)  # fmt: skip
def test_a_date_is_read_in_words_or_asked_about(typed: str, meant: date | Doubtful | None) -> None:
    assert words.day(typed, FRIDAY, KNOWN) == meant


def test_the_last_of_a_month_is_a_month_before_the_last_of_the_next() -> None:
    assert words.day("1 month", date(2027, 1, 31), KNOWN) == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("7", 7), ("2 weeks", 14), ("until monday", date(2026, 11, 23)),
     ("1 month", date(2026, 12, 20)), ("until 1/1", date(2027, 1, 1)),
     ("for a week", date(2026, 11, 27)), ("400", None), ("blue", None), ("0", None)],
)  # fmt: skip
def test_a_pause_is_read_in_words(typed: str, meant: int | date | None) -> None:
    assert words.nights(typed, FRIDAY, KNOWN) == meant


@pytest.mark.parametrize(
    "table",
    [
        {"colours": {}},
        {"time": {"colour": ["red"]}},
        {"time": {"am": "early"}},
        {"time": {"am": [""]}},
        {"time": {"shift": {"a bit past": 7}}},
        {"numbers": {"ten": "10"}},
        {"time": {"am": ["early"], "pm": ["early"]}},
    ],
)
def test_words_that_say_nothing_known_or_two_things_are_refused(table: dict[str, dict[str, object]]) -> None:
    with pytest.raises(spoken.BadWords):
        spoken.read({"xx": table})


def test_each_language_has_the_words_round_a_time() -> None:
    stems = {file.stem for file in spoken.FOLDER.glob("*.toml")}
    assert {"en", "de", "es", "fr", "it", "pt", "ru", "uk", "pl", "tr", "ar", "hi", "id"} <= stems
