"""What people type, in the spellings they use, and everything else refused."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import parsing
from bot.core.parsing import Ambiguous, Time

TODAY = date(2026, 11, 20)
unhurried = settings(deadline=None)


def at(text: str) -> Time:
    return Time(minute(text))


def minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def either(morning: str, evening: str) -> Ambiguous:
    return Ambiguous(minute(morning), minute(evening))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("22:30", "22:30"),
        ("22.30", "22:30"),
        ("22h30", "22:30"),
        ("22 h 30", "22:30"),
        ("22h", "22:00"),
        ("22", "22:00"),
        ("2230", "22:30"),
        ("10pm", "22:00"),
        ("10.30 pm", "22:30"),
        ("10:30PM", "22:30"),
        ("10 p.m.", "22:00"),
        ("10p", "22:00"),
        ("930pm", "21:30"),
        ("1030 pm", "22:30"),
        ("at 11pm", "23:00"),
        ("  At 11 PM \n", "23:00"),
        ("22:30 Uhr", "22:30"),
        ("um 23 Uhr", "23:00"),
        ("à 22h30", "22:30"),
        ("a las 22:30 h", "22:30"),
        ("22点30分", "22:30"),
        ("２２：３０", "22:30"),
        ("١٠ pm", "22:00"),
        ("٢٢:٣٠", "22:30"),
        ("२२:३०", "22:30"),
        ("22\u00a0:\u00a030", "22:30"),
        ("24:00", "00:00"),
        ("2400", "00:00"),
        ("midnight", "00:00"),
        ("00:30", "00:30"),
        ("0:30", "00:30"),
        ("12am", "00:00"),
        ("12:30 pm", "12:30"),
        ("07:30", "07:30"),
        ("0730", "07:30"),
        ("7:30 am", "07:30"),
        ("1:30", "01:30"),
        ("4", "04:00"),
        ("13", "13:00"),
        # Both parts in two digits is how a 24-hour clock is written; the answer offers the evening with one tap.
        ("10:30", "10:30"),
        ("at 10.15", "10:15"),
        ("12:30", "12:30"),
    ],
)
def test_a_bedtime_is_read_in_the_spellings_people_use(typed: str, meant: str) -> None:
    assert parsing.bedtime(typed) == at(meant)


@pytest.mark.parametrize(
    ("typed", "morning", "evening"),
    [
        ("10", "10:00", "22:00"),
        ("1030", "10:30", "22:30"),
        ("9:30", "09:30", "21:30"),
        ("11 Uhr", "11:00", "23:00"),
        ("5", "05:00", "17:00"),
        ("12", "00:00", "12:00"),
    ],
)
def test_a_bedtime_that_may_be_morning_or_evening_is_asked_about(typed: str, morning: str, evening: str) -> None:
    assert parsing.bedtime(typed) == either(morning, evening)


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "2260", "22:60", "25:00", "24:30", "2430", "24 pm", "-1", "+10", "13 pm", "0 am", "22:5",
        "22:300", "400",
        "930", "10:30:00", "22-30", "22,30", "10 xm", "10 apm", "half past ten", "10 10", "²²", "Ⅹ",
        "22:30; drop", "²2:30",
        "22\x00:30", "22:30\x07", "\u202e22:30", "1" * 5000, " " * 5000, "at " * 1700, "at", "pm", "22:30 22:30",
    ],
)  # fmt: skip
def test_nothing_else_is_a_bedtime(typed: str) -> None:
    assert parsing.bedtime(typed) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("7:30", at("07:30")),
        ("7", at("07:00")),
        ("11", at("11:00")),
        ("12:30", at("12:30")),
        ("16:00", at("16:00")),
        ("7 pm", at("19:00")),
        ("2:30", either("02:30", "14:30")),
        ("25:00", None),
    ],
)
def test_a_check_in_time_is_usually_in_the_morning(typed: str, meant: Time | Ambiguous | None) -> None:
    assert parsing.check_in(typed) == meant


@pytest.mark.parametrize(
    ("typed", "days", "time"),
    [
        ("fri,sat 00:30", {4, 5}, at("00:30")),
        ("Fri, Sat: 00:30", {4, 5}, at("00:30")),
        ("fri and sat at 11 pm", {4, 5}, at("23:00")),
        ("fri & sat 23:00", {4, 5}, at("23:00")),
        ("friday saturday 23:00", {4, 5}, at("23:00")),
        ("weekends 00:30", {4, 5}, at("00:30")),
        ("weekdays 22:30", {6, 0, 1, 2, 3}, at("22:30")),
        ("mon-thu 22:30", {0, 1, 2, 3}, at("22:30")),
        ("mon – thu 22:30", {0, 1, 2, 3}, at("22:30")),
        ("sat to mon 22:30", {5, 6, 0}, at("22:30")),
        ("mon-wed, sat 22:30", {0, 1, 2, 5}, at("22:30")),
        ("sun 22:00", {6}, at("22:00")),
        ("every day 22:00", set(range(7)), at("22:00")),
        ("sun 10", {6}, either("10:00", "22:00")),
    ],
)
def test_weekdays_and_a_time_are_read_together(typed: str, days: set[int], time: Time | Ambiguous) -> None:
    assert parsing.weekly(typed) == (frozenset(days), time)


@pytest.mark.parametrize(
    "typed",
    [
        "22:30",
        "fri",
        "fri 25:00",
        "someday 22:00",
        "fri,someday 22:00",
        "friyay 22:00",
        "weekends-mon 22:00",
        "fri " * 500,
    ],
)
def test_weekdays_need_a_known_word_and_a_time(typed: str) -> None:
    assert parsing.weekly(typed) is None


def test_weekdays_are_read_in_the_words_of_another_language_too() -> None:
    names = {"Fr": frozenset({4}), "Samstag": frozenset({5}), "segunda-feira": frozenset({0}), "": frozenset({1})}
    assert parsing.weekly("Fr.-Samstag 23 Uhr", names) == (frozenset({4, 5}), at("23:00"))
    assert parsing.weekly("segunda-feira 22h", names) == (frozenset({0}), at("22:00"))
    assert parsing.weekly("mon 7:30", names, usual="morning") == (frozenset({0}), at("07:30"))


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("45", 45), ("45 min", 45), ("45min.", 45), ("45 minutes", 45), ("45 Minuten", 45), ("15", 15), ("120", 120),
        ("1h", 60), ("1 h 15", 75), ("1h15m", 75), ("1 hour 15 min", 75), ("2 hours", 120), ("٤٥", 45),
        ("14", None), ("121", None), ("0h 45", 45), ("2h 1", None), ("", None), ("-45", None), ("45 mg", None),
        ("4.5", None), ("9" * 5000, None), ("45 h", None), ("soon", None),
    ],
)  # fmt: skip
def test_a_lead_is_fifteen_minutes_to_two_hours(typed: str, minutes: int | None) -> None:
    assert parsing.lead(typed) == minutes


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ("7", 7), ("7 nights", 7), ("1 day", 1), ("365", 365), ("2 weeks", 14), ("７", 7),
        ("0", None), ("366", None), ("53 weeks", None), ("7 years", None), ("", None), ("-7", None),
        ("x" * 5000, None),
    ],
)  # fmt: skip
def test_a_pause_is_one_night_to_a_year(typed: str, count: int | None) -> None:
    assert parsing.nights(typed) == count


@pytest.mark.parametrize(
    ("typed", "when"),
    [
        ("2026-11-14", date(2026, 11, 14)), ("2026-11-20", TODAY), ("tonight", TODAY),
        ("2024-02-29", date(2024, 2, 29)),
        ("14.11.", date(2026, 11, 14)), ("14.11", date(2026, 11, 14)), ("24.12.", date(2025, 12, 24)),
        ("14 Nov", date(2026, 11, 14)), ("2026-11-21", None), ("2025-02-29", None), ("1999-12-31", None),
        ("0000-00-00", None), ("2026-13-01", None), ("11/14", None), ("", None), ("14", None),
    ],
)  # fmt: skip
def test_a_night_of_the_diary_is_a_date_that_was(typed: str, when: date | None) -> None:
    assert parsing.night(typed, TODAY) == when


@pytest.mark.parametrize(
    ("typed", "when"),
    [
        ("2026-12-24", date(2026, 12, 24)), ("24.12.", date(2026, 12, 24)), ("24. 12. 2026", date(2026, 12, 24)),
        ("24 Dec", date(2026, 12, 24)), ("24. December 2026", date(2026, 12, 24)),
        ("Dec 24, 2026", date(2026, 12, 24)),
        ("may 3", date(2027, 5, 3)), ("20.11.", date(2027, 11, 20)), ("in 5 days", date(2026, 11, 25)),
        ("5 days", date(2026, 11, 25)), ("in 2 weeks", date(2026, 12, 4)), ("tomorrow", date(2026, 11, 21)),
        ("2026-11-20", None), ("2026-11-01", None), ("2028-01-01", None), ("29 Feb", None), ("31.4.", None),
        ("24 Foo", None), ("24/12", None), ("9999-12-31", None), ("someday", None), ("1" * 5000, None),
    ],
)  # fmt: skip
def test_until_a_date_is_a_date_within_a_year(typed: str, when: date | None) -> None:
    assert parsing.day(typed, TODAY) == when


def test_months_are_read_in_the_words_of_another_language_too() -> None:
    assert parsing.day("24. Dezember", TODAY, {"dezember": 12}) == date(2026, 12, 24)


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("+2", "Etc/GMT-2"), ("UTC+2", "Etc/GMT-2"), ("GMT-3", "Etc/GMT+3"), ("utc +02:00", "Etc/GMT-2"),
        ("+0530", "Asia/Kolkata"), ("UTC+5:30", "Asia/Kolkata"), ("+5:45", "Asia/Kathmandu"),
        ("+9:30", "Australia/Darwin"),
        ("−9:30", "Pacific/Marquesas"), ("+0", "Etc/UTC"), ("UTC", "Etc/UTC"), ("+14", "Etc/GMT-14"),
        ("-12", "Etc/GMT+12"),
        ("+15", None), ("-13", None), ("+10:30", None), ("2", None), ("+2:60", None), ("", None), ("+" * 5000, None),
    ],
)  # fmt: skip
def test_an_offset_becomes_a_zone_that_keeps_it(typed: str, zone: str | None) -> None:
    assert parsing.offset(typed) == zone


def test_every_zone_of_an_offset_exists_and_keeps_that_offset_all_year() -> None:
    zoneinfo.reset_tzpath(to=())
    for minutes in range(-720, 841, 15):
        zone = parsing.offset(f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60}:{abs(minutes) % 60:02}")
        if zone is not None:
            offsets = {datetime(2026, month, 1, tzinfo=zoneinfo.ZoneInfo(zone)).utcoffset() for month in range(1, 13)}
            assert offsets == {timedelta(minutes=minutes)}, zone


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("1 tablet", "1 tablet"), ("  two \n\t words ", "two words"), ("a\x00b\x1b[31m\x9bc", "ab[31mc"),
        ("\u202eevil\u2066", "evil"), ("می\u200cخواهم", "می\u200cخواهم"), ("\ud800x", "x"),
        ("abcdefghijkl", "abcdefghij"),
        ("abcdefghi jkl", "abcdefghi"), ("👩‍⚕️", "👩‍⚕️"), ("\x00", ""),
    ],
)  # fmt: skip
def test_a_text_is_cleaned_to_one_short_harmless_line(typed: str, cleaned: str) -> None:
    assert parsing.clean(typed, 10) == cleaned


@unhurried
@given(st.text(max_size=30) | st.from_regex(r"[0-9:.hapm ]{1,8}", fullmatch=True))
def test_whatever_is_typed_is_a_time_of_day_or_refused(typed: str) -> None:
    for meant in (parsing.bedtime(typed), parsing.check_in(typed)):
        match meant:
            case Time(minute):
                assert 0 <= minute < 1440
            case Ambiguous(morning, evening):
                assert 0 <= morning < 720
                assert evening == morning + 720


@unhurried
@given(st.text(max_size=30) | st.from_regex(r"[0-9.\- a-z]{1,12}", fullmatch=True))
def test_whatever_else_is_typed_is_within_its_bounds_or_refused(typed: str) -> None:
    lead, nights, day, night = (
        parsing.lead(typed), parsing.nights(typed), parsing.day(typed, TODAY), parsing.night(typed, TODAY)
    )  # fmt: skip
    assert lead is None or 15 <= lead <= 120
    assert nights is None or 1 <= nights <= 365
    assert day is None or TODAY < day <= TODAY + parsing.AHEAD
    assert night is None or date(2000, 1, 1) <= night <= TODAY
    parsing.weekly(typed)


@unhurried
@given(st.integers(0, 1439))
def test_a_time_written_in_either_clock_is_read_back(minute: int) -> None:
    moment = datetime(2026, 1, 1, minute // 60, minute % 60, tzinfo=UTC)
    assert parsing.bedtime(moment.strftime("%I:%M %p")) == Time(minute)
    assert parsing.bedtime(moment.strftime("%H:%M")) == Time(minute)


@unhurried
@given(st.text(max_size=200), st.integers(1, 50))
def test_a_cleaned_text_stays_the_same_when_cleaned_again(typed: str, limit: int) -> None:
    cleaned = parsing.clean(typed, limit)
    assert len(cleaned) <= limit
    assert parsing.clean(cleaned, limit) == cleaned
    cleaned.encode()


@pytest.mark.parametrize(
    ("typed", "number"), [("0", 0), (" 28 ", 28), ("٣٠", 30), ("12345", None), ("-1", None), ("ten", None)]
)
def test_a_count_is_a_whole_number_of_up_to_four_digits(typed: str, number: int | None) -> None:
    assert parsing.count(typed) == number
