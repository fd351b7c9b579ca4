"""A night's instants: the table of hard cases, changes and travel, check-ins, and what may still be sent when."""

from __future__ import annotations

import zoneinfo
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core import schedule
from bot.core.model import Due, Schedule
from bot.core.schedule import Lateness


@pytest.fixture(autouse=True, scope="module")
def zones_of_the_wheel() -> None:
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    schedule._zone.cache_clear()


def at(text: str) -> datetime:
    """An instant; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def every_night(bedtime: str, zone: str = "Europe/Berlin", lead: int = 45) -> Schedule:
    return Schedule(zone, (minute(bedtime),) * 7, lead)


BERLIN = every_night("22:30")
FRIDAY = date(2026, 11, 20)
SATURDAY, SUNDAY = date(2026, 11, 21), date(2026, 11, 22)


# Instants of one night

TABLE = [
    ("Europe/Berlin", "22:30", "2026-11-20", "2026-11-20T21:30", "2026-11-20T21:45+01:00"),
    ("Europe/Berlin", "02:30", "2026-03-28", "2026-03-29T01:30", "2026-03-29T01:45+01:00"),
    ("Europe/Berlin", "03:15", "2026-03-28", "2026-03-29T01:15", "2026-03-29T01:30+01:00"),
    ("Europe/Berlin", "02:30", "2026-10-24", "2026-10-25T00:30", "2026-10-25T01:45+02:00"),
    ("America/New_York", "03:15", "2026-03-07", "2026-03-08T07:15", "2026-03-08T01:30-05:00"),
    ("Australia/Lord_Howe", "02:15", "2026-10-03", "2026-10-03T15:45", "2026-10-04T01:30+10:30"),
    ("Asia/Beirut", "00:30", "2026-03-28", "2026-03-28T22:30", "2026-03-28T23:45+02:00"),
    ("Asia/Beirut", "23:30", "2026-10-24", "2026-10-24T20:30", "2026-10-24T22:45+03:00"),
    ("Asia/Beirut", "00:15", "2026-10-24", "2026-10-24T22:15", "2026-10-24T23:30+02:00"),
    ("America/Nuuk", "23:30", "2026-03-28", "2026-03-29T01:30", "2026-03-28T22:45-02:00"),
    ("Europe/London", "00:30", "2026-11-22", "2026-11-23T00:30", "2026-11-22T23:45+00:00"),
    ("Asia/Tokyo", "00:30", "2026-11-22", "2026-11-22T15:30", "2026-11-22T23:45+09:00"),
]


@pytest.mark.parametrize(("zone", "bedtime", "night", "bed", "reminder"), TABLE)
def test_a_night_has_the_instants_of_the_table(zone: str, bedtime: str, night: str, bed: str, reminder: str) -> None:
    plan = every_night(bedtime, zone)
    due = Due(date.fromisoformat(night), at(reminder), at(bed))
    assert schedule.plan(plan, due.night) == due
    assert schedule.next_due(plan, after=due.remind_at - timedelta(seconds=1)) == due


@pytest.mark.parametrize(("zone", "bedtime", "night", "bed", "reminder"), TABLE)
def test_after_a_reminder_of_the_table_comes_the_next_nights(
    zone: str, bedtime: str, night: str, bed: str, reminder: str
) -> None:
    following = schedule.next_due(every_night(bedtime, zone), after=at(reminder))
    assert following.night == date.fromisoformat(night) + timedelta(days=1)


def test_a_gap_pushes_the_bedtime_forward_by_its_length() -> None:
    bed = schedule.bedtime_at(date(2026, 3, 28), minute("02:30"), "Europe/Berlin")
    assert bed.astimezone(zoneinfo.ZoneInfo("Europe/Berlin")).strftime("%H:%M %z") == "03:30 +0200"


def test_in_a_fold_the_second_of_the_two_hours_reminds_of_nothing() -> None:
    due = schedule.next_due(every_night("02:30"), after=at("2026-10-24T23:45"))
    assert due.remind_at == at("2026-10-26T01:45+01:00")


@pytest.mark.parametrize(
    ("civil", "night"),
    [
        ("2026-11-23T00:00+01:00", SUNDAY),
        ("2026-11-23T00:30+01:00", SUNDAY),
        ("2026-11-23T11:59:59+01:00", SUNDAY),
        ("2026-11-23T12:00+01:00", date(2026, 11, 23)),
        ("2026-11-22T23:59+01:00", SUNDAY),
    ],
)
def test_a_moment_before_noon_belongs_to_the_night_before(civil: str, night: date) -> None:
    assert schedule.night_of(at(civil), "Europe/Berlin") == night


def test_each_weekday_of_the_night_has_its_bedtime() -> None:
    uneven = replace(BERLIN, bedtimes=(*(minute("22:30"),) * 4, minute("00:30"), minute("01:00"), minute("22:00")))
    assert schedule.plan(uneven, FRIDAY).bed_at == at("2026-11-21T00:30+01:00")
    assert schedule.plan(uneven, SATURDAY).bed_at == at("2026-11-22T01:00+01:00")
    assert schedule.plan(uneven, SUNDAY).bed_at == at("2026-11-22T22:00+01:00")


def test_later_tonight_holds_for_that_night_alone() -> None:
    later = replace(BERLIN, later_night=FRIDAY, later_bedtime=minute("01:15"))
    assert schedule.plan(later, FRIDAY).bed_at == at("2026-11-21T01:15+01:00")
    assert schedule.bedtime_on(later, SATURDAY) == minute("22:30")
    assert schedule.bedtime_on(replace(later, later_bedtime=None), FRIDAY) == minute("22:30")


# The next reminder


def test_the_next_reminder_is_strictly_after_the_instant() -> None:
    first = schedule.next_due(BERLIN, after=at("2026-11-20T12:00"))
    assert first.night == FRIDAY
    assert schedule.next_due(BERLIN, after=first.remind_at).night == SATURDAY


def test_bedtimes_a_minute_apart_at_noon_are_two_nights() -> None:
    noon = replace(BERLIN, bedtimes=(minute("11:59"), *(minute("12:00"),) * 6))
    monday = schedule.plan(noon, date(2026, 11, 23))
    assert schedule.next_due(noon, after=monday.remind_at) == schedule.plan(noon, date(2026, 11, 24))


def test_bedtimes_a_minute_apart_at_noon_give_one_reminder_when_the_last_one_counts() -> None:
    noon = replace(BERLIN, bedtimes=(minute("11:59"), *(minute("12:00"),) * 6))
    monday = schedule.plan(noon, date(2026, 11, 23)).remind_at
    assert schedule.next_due(noon, after=monday, last_remind_at=monday).night == date(2026, 11, 25)


def test_fourteen_hours_after_the_last_reminder_the_next_is_allowed() -> None:
    due = schedule.plan(BERLIN, FRIDAY)
    exactly, nearly = (due.remind_at - timedelta(hours=14, minutes=minutes) for minutes in (0, -1))
    assert schedule.next_due(BERLIN, after=exactly, last_remind_at=exactly) == due
    assert schedule.next_due(BERLIN, after=nearly, last_remind_at=nearly).night == SATURDAY


def test_a_bedtime_changed_before_tonights_reminder_counts_tonight() -> None:
    now = at("2026-11-20T20:00+01:00")
    due = schedule.next_due(every_night("23:30"), after=now, not_before_night=FRIDAY)
    assert due.remind_at == at("2026-11-20T22:45+01:00")


def test_a_bedtime_changed_after_tonights_reminder_starts_tomorrow() -> None:
    now, sent = at("2026-11-20T22:00+01:00"), at("2026-11-20T21:45+01:00")
    due = schedule.next_due(every_night("23:30"), after=now, not_before_night=SATURDAY, last_remind_at=sent)
    assert due.remind_at == at("2026-11-21T22:45+01:00")


def test_a_bedtime_changed_to_one_whose_reminder_is_past_starts_tomorrow() -> None:
    due = schedule.next_due(every_night("22:00"), after=at("2026-11-20T21:30+01:00"), not_before_night=FRIDAY)
    assert due.night == SATURDAY


def test_an_evening_bedtime_soon_after_a_morning_one_skips_a_night() -> None:
    sent = at("2026-11-21T10:15+01:00")
    due = schedule.next_due(BERLIN, after=sent, not_before_night=SATURDAY, last_remind_at=sent)
    assert due.night == SUNDAY


def test_a_pause_ends_on_the_night_it_names_however_far() -> None:
    now = at("2026-11-20T12:00")
    assert schedule.next_due(BERLIN, after=now, not_before_night=date(2027, 6, 1)) == schedule.plan(
        BERLIN, date(2027, 6, 1)
    )


def test_a_night_long_dealt_with_changes_nothing() -> None:
    now = at("2026-11-20T12:00")
    assert schedule.next_due(BERLIN, after=now, not_before_night=date(2020, 1, 1)).night == FRIDAY


def test_a_date_that_a_country_left_out_is_one_reminder() -> None:
    samoa = every_night("22:30", "Pacific/Apia")
    nights = [date(2011, 12, 28)]
    for _ in range(4):
        nights.append(schedule.next_due(samoa, after=schedule.plan(samoa, nights[-1]).remind_at).night)
    assert [night.isoformat() for night in nights] == [
        "2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01", "2012-01-02"
    ]  # fmt: skip


# Travel


def test_while_away_the_other_zone_holds_and_the_old_one_comes_back_by_itself() -> None:
    away = replace(BERLIN, away_zone="Asia/Tokyo", away_until=SUNDAY)
    assert schedule.plan(away, SATURDAY).bed_at == at("2026-11-21T22:30+09:00")
    assert schedule.plan(away, SUNDAY).bed_at == at("2026-11-22T22:30+01:00")


def test_a_zone_without_a_last_night_does_not_hold() -> None:
    assert schedule.zone_on(replace(BERLIN, away_zone="Asia/Tokyo"), FRIDAY) == "Europe/Berlin"


def test_over_the_date_line_one_evening_lived_is_one_reminder() -> None:
    line = replace(every_night("22:30", "Pacific/Kiritimati"), away_zone="Pacific/Honolulu", away_until=SATURDAY)
    thursday = schedule.plan(line, date(2026, 11, 19))
    following = schedule.next_due(line, after=thursday.remind_at, last_remind_at=thursday.remind_at)
    assert following.night == SATURDAY
    assert following.remind_at == thursday.remind_at + timedelta(hours=24)


def test_a_flight_west_that_leaves_seven_hours_between_bedtimes_skips_one() -> None:
    east = replace(every_night("22:30", "Pacific/Auckland"), away_zone="Pacific/Honolulu", away_until=SATURDAY)
    due = schedule.plan(east, FRIDAY)
    following = schedule.next_due(east, after=due.remind_at, not_before_night=SATURDAY, last_remind_at=due.remind_at)
    assert following.night == SUNDAY


def test_tonight_is_counted_where_the_person_is() -> None:
    away = replace(BERLIN, away_zone="Asia/Tokyo", away_until=SUNDAY)
    assert schedule.tonight(BERLIN, at("2026-11-20T05:00")) == date(2026, 11, 19)
    assert schedule.tonight(away, at("2026-11-20T05:00")) == FRIDAY
    assert schedule.zone_at(away, at("2026-11-22T02:59")) == "Asia/Tokyo"
    assert schedule.zone_at(away, at("2026-11-22T03:00")) == "Europe/Berlin"


# The morning


def test_the_check_in_is_nine_hours_after_bedtime_by_default() -> None:
    assert schedule.check_in_at(BERLIN, FRIDAY) == at("2026-11-21T07:30+01:00")
    assert schedule.check_in_at(BERLIN, date(2026, 3, 28)) == at("2026-03-29T08:30+02:00")


def test_an_own_check_in_time_goes_by_the_weekday_of_the_night() -> None:
    own = replace(BERLIN, check_ins=(*(minute("07:00"),) * 4, minute("09:30"), minute("10:00"), minute("06:30")))
    assert schedule.check_in_at(own, FRIDAY) == at("2026-11-21T09:30+01:00")
    assert schedule.check_in_at(own, SUNDAY) == at("2026-11-23T06:30+01:00")


def test_after_a_bedtime_past_midnight_the_check_in_is_on_the_same_date() -> None:
    own = replace(every_night("00:30"), check_ins=(minute("07:00"),) * 7)
    assert schedule.check_in_at(own, SUNDAY) == at("2026-11-23T07:00+01:00")


def test_someone_on_night_shifts_is_asked_in_the_afternoon() -> None:
    shifts = replace(every_night("08:00"), check_ins=(minute("16:00"),) * 7)
    assert schedule.check_in_at(shifts, SUNDAY) == at("2026-11-23T16:00+01:00")
    assert schedule.check_in_until(shifts, SUNDAY) == at("2026-11-23T22:00+01:00")


def test_a_bedtime_after_the_own_check_in_time_is_asked_about_nine_hours_later() -> None:
    party = replace(BERLIN, check_ins=(minute("07:30"),) * 7, later_night=FRIDAY, later_bedtime=minute("08:00"))
    assert schedule.check_in_at(party, FRIDAY) == at("2026-11-21T17:00+01:00")


def test_the_check_in_waits_six_hours_and_never_past_the_next_bedtime() -> None:
    assert schedule.check_in_until(BERLIN, FRIDAY) == at("2026-11-21T13:30+01:00")
    late = replace(BERLIN, check_ins=(minute("20:00"),) * 7)
    assert schedule.check_in_until(late, FRIDAY) == at("2026-11-21T22:30+01:00")


def test_two_bedtimes_within_nine_hours_leave_no_check_in_between() -> None:
    short = replace(BERLIN, bedtimes=(*(minute("11:00"),) * 5, minute("13:00"), minute("13:00")))
    assert schedule.check_in_until(short, FRIDAY) == at("2026-11-21T13:00+01:00")
    assert schedule.check_in_at(short, FRIDAY) > schedule.check_in_until(short, FRIDAY)


# What may still be sent

DUE = Due(FRIDAY, at("2026-11-20T21:00"), at("2026-11-20T21:45"))


@pytest.mark.parametrize(
    ("now", "what"),
    [
        ("2026-11-20T20:50", Lateness.ON_TIME),
        ("2026-11-20T21:00", Lateness.ON_TIME),
        ("2026-11-20T21:10", Lateness.ON_TIME),
        ("2026-11-20T21:10:01", Lateness.LATE),
        ("2026-11-20T21:29:59", Lateness.LATE),
        ("2026-11-20T21:30", Lateness.LATE_SILENT),
        ("2026-11-20T21:39:59", Lateness.LATE_SILENT),
        ("2026-11-20T21:40", Lateness.EXPIRED),
        ("2026-11-20T23:00", Lateness.EXPIRED),
    ],
)
def test_a_reminder_grows_late_then_silent_then_expires(now: str, what: Lateness) -> None:
    assert schedule.lateness(DUE, at(now)) is what


def test_the_shortest_lead_is_on_time_and_heard() -> None:
    short = replace(DUE, remind_at=at("2026-11-20T21:30"))
    assert schedule.lateness(short, at("2026-11-20T21:30:05")) is Lateness.ON_TIME


@pytest.mark.parametrize(
    ("now", "minutes"), [("21:00", 45), ("21:00:29", 45), ("21:00:31", 44), ("21:44", 1), ("21:45", 0), ("22:45", 0)]
)
def test_the_minutes_left_are_the_nearest_whole_ones(now: str, minutes: int) -> None:
    assert schedule.minutes_left(DUE.bed_at, at(f"2026-11-20T{now}")) == minutes


def test_a_snooze_is_as_long_as_asked_but_ends_before_bed() -> None:
    now, just_before_bed = at("2026-11-20T21:15"), at("2026-11-20T21:39")
    assert schedule.snooze_until(now, DUE.bed_at, 20) == at("2026-11-20T21:35")
    assert schedule.snooze_until(now, DUE.bed_at, 30) == just_before_bed
    assert schedule.snooze_until(now, DUE.bed_at, None) == just_before_bed


def test_a_snooze_just_before_bed_can_still_be_sent_for_a_minute() -> None:
    until = schedule.snooze_until(DUE.remind_at, DUE.bed_at, None)
    assert until is not None
    assert schedule.lateness(replace(DUE, remind_at=until), until + timedelta(seconds=59)) is Lateness.ON_TIME


@pytest.mark.parametrize("now", ["21:39", "21:44", "22:00"])
def test_in_the_last_minutes_there_is_no_snooze(now: str) -> None:
    assert schedule.snooze_until(at(f"2026-11-20T{now}"), DUE.bed_at, 10) is None


# Which night "taken" means


def test_taken_counts_from_six_in_the_evening_until_noon() -> None:
    assert schedule.can_take_from(BERLIN, FRIDAY) == at("2026-11-20T18:00+01:00")
    assert schedule.can_take_from(every_night("00:30"), FRIDAY) == at("2026-11-20T18:00+01:00")
    assert schedule.taken_until(FRIDAY, "Europe/Berlin") == at("2026-11-21T12:00+01:00")
    assert schedule.cut_off(BERLIN, FRIDAY) == at("2026-11-21T12:00+01:00")


def test_someone_who_is_asked_in_the_afternoon_can_still_answer_then() -> None:
    assert schedule.cut_off(every_night("08:00"), SUNDAY) == at("2026-11-23T20:00+01:00")
    assert schedule.cut_off(replace(BERLIN, check_ins=(minute("21:00"),) * 7), FRIDAY) == at("2026-11-21T21:45+01:00")


@pytest.mark.parametrize(
    ("bedtime", "lead", "opens"),
    [("18:59", 45, "12:00"), ("19:00", 45, "18:00"), ("19:00", 120, "17:00"), ("12:30", 45, "11:45")],
)
def test_early_bedtimes_count_from_noon_and_never_after_the_reminder(bedtime: str, lead: int, opens: str) -> None:
    assert schedule.can_take_from(every_night(bedtime, lead=lead), FRIDAY) == at(f"2026-11-20T{opens}+01:00")


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2026-11-21T08:00+01:00", FRIDAY),
        ("2026-11-21T11:59+01:00", FRIDAY),
        ("2026-11-21T12:00+01:00", None),
        ("2026-11-21T17:59+01:00", None),
        ("2026-11-21T18:00+01:00", SATURDAY),
        ("2026-11-22T00:10+01:00", SATURDAY),
    ],
)
def test_i_took_it_means_the_night_that_is_open(now: str, night: date | None) -> None:
    assert schedule.night_to_take(BERLIN, at(now)) == night


def test_i_took_it_after_a_reminder_in_the_morning_means_the_night_reminded_of() -> None:
    assert schedule.night_to_take(every_night("12:30"), at("2026-11-21T11:50+01:00")) == SATURDAY


@pytest.mark.parametrize(
    ("now", "next_time"),
    [
        ("2026-11-20T06:59+01:00", "2026-11-20T07:00+01:00"),
        ("2026-11-20T07:00+01:00", "2026-11-20T07:00+01:00"),
        ("2026-11-20T07:01+01:00", "2026-11-21T07:00+01:00"),
    ],
)
def test_a_civil_time_comes_next_today_or_tomorrow_and_may_be_now(now: str, next_time: str) -> None:
    assert schedule.at_or_after(at(now), minute("07:00"), "Europe/Berlin") == at(next_time)
