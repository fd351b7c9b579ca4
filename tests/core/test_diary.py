"""The diary's reckoning: what a night's answers add up to, which are impossible, and what the counts may say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core import diary
from bot.core.diary import Detail, Inconsistency, Insight, Side, Sleep, Stock, Tally
from bot.core.model import Intake, NightRecord, Rating, Schedule

BERLIN = "Europe/Berlin"
FRIDAY = date(2026, 11, 13)
NOON_AFTER = datetime(2026, 11, 14, 11, 0, tzinfo=UTC)
WHOLE = Detail(
    FRIDAY,
    in_bed=23 * 60,
    tried=23 * 60 + 15,
    latency=20,
    awakenings=2,
    awake=15,
    woke=7 * 60,
    rose=7 * 60 + 30,
    quality=4,
)
SCHEDULE = Schedule(BERLIN, (23 * 60,) * 7)
CAME = date(2026, 1, 10)


# -- sleep -------------------------------------------------------------------------------------------------------------


def test_a_whole_night_adds_up() -> None:
    # 23:00 to 07:30 in bed; 23:15 to 07:00 less 20 and 15 minutes asleep.
    assert diary.sleep(WHOLE, BERLIN) == Sleep(in_bed=510, asleep=430, efficiency=84)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("rose", Sleep(None, 430, None)),
        ("in_bed", Sleep(None, 430, None)),
        ("tried", Sleep(510, None, None)),
        ("latency", Sleep(510, None, None)),
        ("awake", Sleep(510, None, None)),
    ],
)
def test_what_was_not_said_is_not_reckoned_with(missing: str, expected: Sleep) -> None:
    assert diary.sleep(replace(WHOLE, **{missing: None}), BERLIN) == expected  # type: ignore[arg-type]


def test_who_never_woke_was_awake_for_no_minute() -> None:
    assert diary.sleep(replace(WHOLE, awakenings=0, awake=None), BERLIN).asleep == 445


def test_the_night_on_which_the_clocks_go_back_is_an_hour_longer() -> None:
    autumn = replace(WHOLE, night=date(2026, 10, 24))

    assert diary.sleep(autumn, BERLIN) == Sleep(in_bed=570, asleep=490, efficiency=86)


def test_a_night_by_day_adds_up_too() -> None:
    by_day = replace(WHOLE, in_bed=8 * 60, tried=8 * 60, woke=15 * 60, rose=15 * 60)

    assert diary.sleep(by_day, BERLIN).in_bed == 420


# -- impossible nights -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"in_bed": 21 * 60, "tried": 21 * 60, "woke": 7 * 60, "rose": 14 * 60}, Inconsistency.TOO_LONG),
        ({"rose": 22 * 60}, Inconsistency.ORDER),
        ({"tried": 22 * 60}, Inconsistency.ORDER),
        ({"rose": 6 * 60 + 59}, Inconsistency.ORDER),
        ({"latency": 400, "awake": 200}, Inconsistency.NO_ROOM),
        ({"tried": None, "woke": None, "latency": 400, "awake": 200}, Inconsistency.NO_ROOM),
    ],
)
def test_an_impossible_night_is_known(changes: dict[str, int | None], expected: Inconsistency | None) -> None:
    told = replace(WHOLE, **changes)  # type: ignore[arg-type]

    assert diary.trouble(told, BERLIN, now=NOON_AFTER + timedelta(days=2)) == expected


def test_durations_alone_can_be_too_long_for_a_night() -> None:
    assert diary.trouble(Detail(FRIDAY, latency=600, awake=700), BERLIN, now=NOON_AFTER) == Inconsistency.NO_ROOM
    assert diary.trouble(Detail(FRIDAY, latency=30), BERLIN, now=NOON_AFTER) is None


def test_a_time_still_to_come_is_known() -> None:
    at_seven = datetime(2026, 11, 14, 6, 0, tzinfo=UTC)

    assert diary.trouble(WHOLE, BERLIN, now=at_seven) == Inconsistency.FUTURE


# -- which nights ------------------------------------------------------------------------------------------------------


def test_the_last_sixty_nights_are_open_and_tonight_once_its_evening_has_begun() -> None:
    before = diary.open_nights(SCHEDULE, begins=CAME, now=datetime(2026, 11, 14, 15, 0, tzinfo=UTC))
    after = diary.open_nights(SCHEDULE, begins=CAME, now=datetime(2026, 11, 14, 18, 0, tzinfo=UTC))

    assert (before.first, before.last, before.rateable) == (date(2026, 9, 15), FRIDAY, FRIDAY)
    assert (after.first, after.last, after.rateable) == (date(2026, 9, 15), date(2026, 11, 14), FRIDAY)
    assert date(2026, 9, 15) in after
    assert date(2026, 9, 14) not in after
    assert date(2026, 11, 15) not in after


def test_no_night_is_open_before_the_diary_begins() -> None:
    assert diary.open_nights(SCHEDULE, begins=date(2026, 11, 12), now=NOON_AFTER).first == date(2026, 11, 12)


def test_on_the_first_day_nothing_is_open_before_the_evening() -> None:
    noon = datetime(2026, 11, 14, 12, 0, tzinfo=UTC)
    found = diary.open_nights(SCHEDULE, begins=date(2026, 11, 14), now=noon)

    assert found.last < found.first
    assert not found.has(date(2026, 11, 14))


def test_a_diary_has_more_nights_than_can_be_corrected() -> None:
    found = diary.open_nights(SCHEDULE, begins=date(2024, 2, 1), now=NOON_AFTER)

    assert (found.begins, found.first) == (date(2024, 2, 1), date(2026, 9, 15))
    assert found.has(date(2024, 2, 1))
    assert date(2024, 2, 1) not in found
    assert not found.has(date(2024, 1, 31))


# -- months ------------------------------------------------------------------------------------------------------------


def test_a_month_is_whole_weeks_from_the_first_weekday() -> None:
    from_monday = diary.month(date(2026, 11, 1), first_weekday=0)
    from_sunday = diary.month(date(2026, 11, 1), first_weekday=6)

    assert [len(from_monday), len(from_sunday)] == [6, 5]
    assert from_monday[0] == [None] * 6 + [date(2026, 11, 1)]
    assert from_sunday[0][0] == date(2026, 11, 1)
    assert from_monday[-1][:2] == [date(2026, 11, 30), None]
    for weeks in (from_monday, from_sunday):
        assert [day.day for week in weeks for day in week if day] == list(range(1, 31))


def test_december_ends_with_its_year() -> None:
    weeks = diary.month(date(2026, 12, 1), first_weekday=0)

    assert [day for day in weeks[-1] if day][-1] == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("months", "expected"), [(1, date(2027, 1, 1)), (-12, date(2025, 12, 1)), (0, date(2026, 12, 1))]
)
def test_months_are_counted_over_the_year(months: int, expected: date) -> None:
    assert diary.shifted(date(2026, 12, 1), months) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("2026-11", date(2026, 11, 1)), ("2026-13", None), ("2026", None), ("202x-11", None)]
)
def test_a_month_is_read_strictly(text: str, expected: date | None) -> None:
    assert diary.month_of(text) == expected


# -- questions ---------------------------------------------------------------------------------------------------------


def test_every_question_has_its_range_and_its_place_in_the_detail() -> None:
    asked = {name for names in diary.QUESTIONS.values() for name in names}

    assert asked == set(diary.RANGES)
    assert all(getattr(Detail(FRIDAY), name) is None for name in asked)


def test_questions_come_one_by_one_and_none_twice() -> None:
    empty = Detail(FRIDAY)

    assert diary.next_question(empty, diary.TAP_ONLY) is None
    assert diary.next_question(empty, diary.TWO_QUESTIONS) == "onset"
    assert diary.next_question(empty, diary.TWO_QUESTIONS, after="onset") == "rested"
    assert diary.next_question(empty, diary.TWO_QUESTIONS, after="rested") is None
    assert diary.next_question(replace(empty, onset=1), diary.TWO_QUESTIONS) == "rested"
    assert diary.next_question(WHOLE, diary.SLEEP_DIARY) is None


def test_nobody_who_slept_through_is_asked_how_long_they_were_awake() -> None:
    through = Detail(FRIDAY, in_bed=0, tried=0, latency=5, awakenings=0)

    assert diary.next_question(through, diary.SLEEP_DIARY) == "woke"


# -- counts ------------------------------------------------------------------------------------------------------------


def record(shift: int, intake: Intake | None = None, rating: Rating | None = None) -> NightRecord:
    return NightRecord(FRIDAY + timedelta(days=shift), intake=intake, rating=rating)


def test_a_tally_counts_only_what_was_said() -> None:
    records = [
        record(0, Intake.TAKEN, Rating.BETTER),
        record(1, Intake.TAKEN, Rating.MUCH_WORSE),
        record(2, Intake.MISSED),
        record(3, None, Rating.SAME),
    ]

    assert diary.tally(records, nights=7) == Tally(nights=7, taken=2, rated=3, better=1, worse=1)


def test_blank_nights_stay_blank_in_a_series() -> None:
    records = [record(0, Intake.TAKEN, Rating.BETTER), record(2, Intake.TAKEN), record(3, Intake.SKIPPED, Rating.WORSE)]

    found = diary.cells(records, FRIDAY, FRIDAY + timedelta(days=4))

    assert found == [(1, True), (None, False), (None, True), (-1, False), (None, False)]


# -- insight -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        # Table II of the paper, method 10.
        (Side(70, 56), Side(80, 48), 0.0524, 0.3339),
        (Side(10, 9), Side(10, 3), 0.1705, 0.8090),
        (Side(10, 10), Side(10, 0), 0.6075, 1.0000),
        (Side(56, 5), Side(29, 0), -0.0381, 0.1926),
    ],
)
def test_the_interval_is_newcombes(one: Side, other: Side, low: float, high: float) -> None:
    found = diary.newcombe(one, other)

    assert found == pytest.approx((low, high), abs=5e-5)


def test_an_insight_leaves_out_nights_without_an_answer() -> None:
    records = [record(shift, Intake.TAKEN, Rating.BETTER) for shift in range(10)]
    records += [record(shift, Intake.SKIPPED, Rating.WORSE) for shift in range(10, 20)]
    records += [record(20, Intake.MISSED, Rating.BETTER), record(21, None, Rating.SAME), record(22, Intake.TAKEN)]

    found = diary.insight(records)

    assert (found.taken, found.without, found.unknown) == (Side(10, 10), Side(10, 0), 2)
    assert (found.low, found.high) == (pytest.approx(60.75, abs=0.01), pytest.approx(100))


def test_with_too_few_nights_there_is_no_interval() -> None:
    records = [record(shift, Intake.TAKEN, Rating.BETTER) for shift in range(10)]
    records += [record(shift, Intake.SKIPPED, Rating.WORSE) for shift in range(10, 19)]

    assert diary.insight(records) == Insight(Side(10, 10), Side(9, 0), 0)


# -- the stock ---------------------------------------------------------------------------------------------------------


def test_a_stock_lasts_as_long_as_the_last_weeks_say() -> None:
    # Three nights in four: 30 last forty nights, tonight's included.
    found = diary.stock(had=40, used=10, taken_lately=21, nights_lately=28, tonight=FRIDAY)

    assert found == Stock(30, FRIDAY + timedelta(days=39))


def test_in_the_first_week_every_night_counts() -> None:
    found = diary.stock(had=30, used=0, taken_lately=0, nights_lately=3, tonight=FRIDAY)

    assert found == Stock(30, FRIDAY + timedelta(days=29))


def test_an_empty_or_unused_stock_has_no_end() -> None:
    assert diary.stock(had=5, used=9, taken_lately=28, nights_lately=28, tonight=FRIDAY) == Stock(0, None)
    assert diary.stock(had=5, used=0, taken_lately=0, nights_lately=28, tonight=FRIDAY) == Stock(5, None)


@pytest.mark.parametrize(("days", "expected"), [(10, [3]), (120, [3, 12]), (4000, [3, 12, 120])])
def test_only_spans_that_show_more_are_offered(days: int, expected: list[int]) -> None:
    assert diary.spans(FRIDAY, FRIDAY + timedelta(days=days), months=(3, 12, 120)) == expected


def test_from_the_first_night_of_a_sealed_test_on_nobody_sees_what_was_taken() -> None:
    first, last = date(2026, 11, 1), date(2026, 11, 4)
    records = [
        NightRecord(first + timedelta(days=shift), intake=Intake.TAKEN, rating=Rating.BETTER) for shift in range(4)
    ]

    assert diary.cells(records, first, last) == [(1, True)] * 4
    sealed = diary.cells(records, first, last, sealed_from=date(2026, 11, 3))
    assert sealed == [(1, True), (1, True), (1, False), (1, False)]
    assert not diary.is_sealed(first, None)
