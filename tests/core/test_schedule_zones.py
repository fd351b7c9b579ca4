"""The difficult zones and their change days always; any zone, night and bedtime by chance."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import schedule
from bot.core.model import Minute, Schedule
from tests.full import every_night

NAMES = """
    Africa/Cairo Africa/Casablanca Africa/El_Aaiun Africa/Johannesburg America/Adak America/Anchorage
    America/Asuncion America/Edmonton America/Godthab America/Havana America/Los_Angeles America/Miquelon
    America/Montevideo America/New_York America/Nuuk America/Phoenix America/Santiago America/Sao_Paulo
    America/Scoresbysund America/St_Johns America/Vancouver America/Winnipeg Antarctica/Troll Asia/Almaty
    Asia/Amman Asia/Beirut Asia/Gaza Asia/Jerusalem Asia/Kathmandu Asia/Tehran Atlantic/Azores Australia/Adelaide
    Australia/Eucla Australia/Lord_Howe Europe/Berlin Europe/Chisinau Europe/Dublin Europe/London Etc/GMT+12
    Etc/GMT-14 Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Easter Pacific/Kiritimati Pacific/Norfolk
"""
TRICKY = NAMES.split()

zoneinfo.reset_tzpath(to=())
ZONES = sorted(zoneinfo.available_timezones())
unhurried = settings(deadline=None)
minutes = st.integers(0, 1439)
nights = st.dates(every_night.FIRST, every_night.LAST)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))


@pytest.fixture(autouse=True, scope="module")
def zones_of_the_wheel() -> None:
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    schedule._zone.cache_clear()


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    bedtimes: tuple[Minute, ...] = tuple(draw(st.lists(minutes, min_size=7, max_size=7)))
    return Schedule(draw(st.sampled_from(ZONES)), bedtimes, draw(st.integers(15, 120)))


@st.composite
def travellers(draw: st.DrawFn) -> Schedule:
    at_home = draw(schedules())
    away, until = draw(st.sampled_from(ZONES)), draw(nights)
    return Schedule(at_home.zone, at_home.bedtimes, at_home.lead, away_zone=away, away_until=until)


@pytest.mark.parametrize("zone", TRICKY)
def test_around_every_change_each_bedtime_is_the_instant_asked_for(zone: str) -> None:
    every_night.check_changes(zone, range(0, 1440, 75))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Beirut", "America/Nuuk", "Africa/Casablanca"])
def test_three_years_of_nights_come_once_each_and_in_order(zone: str) -> None:
    plan = Schedule(zone, every_night.week_of(3))
    assert every_night.check_chain(plan, date(2026, 1, 1), date(2028, 12, 31)) == 1096


def test_the_changes_looked_at_include_gaps_and_folds_at_midnight_of_half_an_hour_and_of_two() -> None:
    sizes = set()
    for name in TRICKY:
        zone = zoneinfo.ZoneInfo(name)
        for day in every_night.changes(zone):
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            before, after = (moment.astimezone(zone).utcoffset() for moment in (midnight, midnight + timedelta(days=1)))
            assert before is not None
            assert after is not None
            sizes.add((after - before) / timedelta(hours=1))
    assert {-2, -1, -0.5, 0.5, 1, 2} <= sizes


@unhurried
@given(schedules(), nights)
def test_any_bedtime_anywhere_is_the_first_instant_that_shows_it(plan: Schedule, night: date) -> None:
    due = schedule.plan(plan, night)
    asked = every_night.civil(night, plan.bedtimes[night.weekday()])
    assert due.bed_at == every_night.expected(asked, zoneinfo.ZoneInfo(plan.zone))
    assert due.bed_at - due.remind_at == timedelta(minutes=plan.lead)


@unhurried
@given(schedules(), nights)
def test_from_any_night_the_next_reminder_is_the_next_nights(plan: Schedule, night: date) -> None:
    this = schedule.plan(plan, night)
    following = schedule.next_due(plan, after=this.remind_at)
    assert following == schedule.plan(plan, night + timedelta(days=1))
    assert schedule.next_due(plan, after=this.remind_at - timedelta(microseconds=1)) == this


@unhurried
@given(st.one_of(schedules(), travellers()), moments)
def test_no_night_within_reach_lies_between_an_instant_and_the_next_reminder(plan: Schedule, after: datetime) -> None:
    due = schedule.next_due(plan, after=after)
    around = (schedule.plan(plan, after.date() + timedelta(days=ahead)).remind_at for ahead in range(-6, 7))
    assert due.remind_at == min(moment for moment in around if moment > after)


@unhurried
@given(travellers(), moments)
def test_a_traveller_is_reminded_of_growing_nights_fourteen_hours_apart(plan: Schedule, after: datetime) -> None:
    due = schedule.next_due(plan, after=after)
    for _ in range(5):
        following = schedule.next_due(
            plan, after=due.remind_at, not_before_night=due.night + timedelta(days=1), last_remind_at=due.remind_at
        )
        assert following.night > due.night
        assert timedelta(hours=14) <= following.remind_at - due.remind_at <= timedelta(hours=100)
        due = following


@unhurried
@given(schedules(), nights)
def test_the_night_of_a_bedtime_is_its_own_unless_a_gap_pushed_it_over_noon(plan: Schedule, night: date) -> None:
    assert schedule.night_of(schedule.plan(plan, night).bed_at, plan.zone) == night


@unhurried
@given(schedules(), st.lists(minutes, min_size=7, max_size=7), nights)
def test_a_check_in_comes_after_its_bedtime_and_stops_at_the_next(plan: Schedule, own: list[int], night: date) -> None:
    plan = Schedule(plan.zone, plan.bedtimes, plan.lead, tuple(own))
    asked, until = schedule.check_in_at(plan, night), schedule.check_in_until(plan, night)
    assert schedule.plan(plan, night).bed_at < asked
    assert until <= schedule.plan(plan, night + timedelta(days=1)).bed_at
    assert until <= asked + timedelta(hours=6)
