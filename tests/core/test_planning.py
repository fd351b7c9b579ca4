"""What an evening owes, and what a change of mind does to what is planned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core import planning
from bot.core.model import Cadence, Kind, Person, Sleeper, State, Status

FRIDAY, SATURDAY, SUNDAY = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22)
REMINDER, BED = datetime(2026, 11, 20, 20, 45, tzinfo=UTC), datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
AFTERNOON = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
DAY = timedelta(days=1)

BARE = Person(1, Status.SETTING_UP, created_at=AFTERNOON, seen_at=AFTERNOON, consent=1)
ADA = planning.replan(replace(BARE, zone="Europe/Berlin", bedtimes=(1350,) * 7, form="citrate"), now=AFTERNOON)
LATE_ADA = planning.owe(ADA, answered=False, now=REMINDER).person


def sleeper(**changes: object) -> Sleeper:
    found = replace(ADA, **changes).sleeper  # type: ignore[arg-type]
    assert found is not None
    return found


def kinds(person: Person) -> list[Kind]:
    return [message.kind for message in planning.owe(person, answered=False, now=REMINDER).messages]


def test_the_end_of_the_set_up_plans_tonight() -> None:
    assert (ADA.status, ADA.remind_at, ADA.remind_night) == (Status.ACTIVE, REMINDER, FRIDAY)


@pytest.mark.parametrize("missing", [{"zone": None}, {"bedtimes": ()}, {"form": None}, {"consent": None}])
def test_nothing_is_planned_while_something_is_missing(missing: dict[str, object]) -> None:
    person = planning.replan(replace(ADA, **missing), now=AFTERNOON)  # type: ignore[arg-type]
    assert (person.remind_at, person.remind_night) == (None, None)


def test_an_evening_owes_the_reminder_and_the_morning_question() -> None:
    reminder, check_in = planning.owe(ADA, answered=False, now=REMINDER).messages
    assert (reminder.kind, reminder.due_at, reminder.bed_at, reminder.state) == (
        Kind.REMINDER,
        REMINDER,
        BED,
        State.DUE,
    )
    assert reminder.until_at == BED - timedelta(minutes=5)
    assert (check_in.kind, check_in.due_at) == (Kind.CHECK_IN, BED + timedelta(hours=9))
    assert check_in.until_at == check_in.close_at == BED + timedelta(hours=15)


def test_owing_moves_the_plan_on_to_the_next_evening() -> None:
    assert (LATE_ADA.remind_at, LATE_ADA.remind_night) == (REMINDER + DAY, SATURDAY)
    assert (LATE_ADA.reminded_at, LATE_ADA.reminded_night) == (REMINDER, FRIDAY)


def test_a_night_that_is_answered_already_gets_no_reminder_but_its_morning_question() -> None:
    reminder, check_in = planning.owe(ADA, answered=True, now=REMINDER).messages
    assert (reminder.state, check_in.state) == (State.CANCELLED, State.DUE)


def test_after_days_of_outage_old_nights_are_not_made_up_for_one_by_one() -> None:
    back = planning.owe(ADA, answered=False, now=REMINDER + 10 * DAY).person
    assert back.remind_night == FRIDAY + 9 * DAY


def test_who_has_no_plan_cannot_be_owed_anything() -> None:
    with pytest.raises(ValueError, match="no night planned"):
        planning.owe(BARE, answered=False, now=REMINDER)


def test_who_wants_no_morning_question_gets_none() -> None:
    assert kinds(replace(ADA, no_check_in=True)) == [Kind.REMINDER]


def test_two_bedtimes_nine_hours_apart_leave_no_room_for_a_question() -> None:
    # Friday's bedtime is a minute before Saturday's noon, Saturday's is that noon.
    restless = replace(ADA, bedtimes=(1350, 1350, 1350, 1350, 719, 720, 1350))
    assert kinds(restless) == [Kind.REMINDER]


def test_a_week_without_answers_is_met_with_one_question_and_then_a_weekly_one() -> None:
    quiet = replace(ADA, unanswered=7)
    evening = planning.owe(quiet, answered=False, now=REMINDER)
    assert [message.kind for message in evening.messages] == [Kind.REMINDER, Kind.KEEP_GOING]
    assert evening.person.cadence is Cadence.WEEKLY
    saturday = planning.owe(evening.person, answered=False, now=REMINDER + DAY)
    assert [message.kind for message in saturday.messages] == [Kind.REMINDER, Kind.CHECK_IN]
    sunday = planning.owe(saturday.person, answered=False, now=REMINDER + 2 * DAY)
    assert [message.kind for message in sunday.messages] == [Kind.REMINDER]


def test_four_quiet_weeks_more_end_the_questions_and_not_the_reminders() -> None:
    silent = planning.owe(replace(ADA, unanswered=11, cadence=Cadence.WEEKLY), answered=False, now=REMINDER)
    assert silent.person.cadence is Cadence.SILENT
    assert [message.kind for message in silent.messages] == [Kind.REMINDER]


def test_whoever_writes_after_a_silence_is_asked_every_morning_again() -> None:
    assert planning.heard(replace(ADA, unanswered=12, cadence=Cadence.SILENT)) == ADA
    chosen = replace(ADA, unanswered=2, cadence=Cadence.WEEKLY)
    assert planning.heard(chosen) == chosen


def test_a_change_before_the_reminder_counts_tonight_and_after_it_tomorrow() -> None:
    later = planning.replan(replace(ADA, bedtimes=(1380,) * 7), now=AFTERNOON)
    assert later.remind_at == REMINDER + timedelta(minutes=30)
    too_late = planning.replan(replace(LATE_ADA, bedtimes=(1410,) * 7), now=REMINDER)
    assert too_late.remind_night == SATURDAY


def test_a_reminder_that_never_left_may_be_planned_again_for_the_same_night() -> None:
    again = planning.replan(replace(LATE_ADA, bedtimes=(1410,) * 7), now=REMINDER, tonight_open=True)
    assert (again.remind_night, again.remind_at) == (FRIDAY, REMINDER + timedelta(hours=1))


def test_a_pause_of_three_nights_begins_with_the_next_and_ends_by_itself() -> None:
    resting = planning.pause(ADA, nights=3, now=AFTERNOON, tonight_open=False)
    assert (resting.status, resting.paused_until, resting.remind_night) == (
        Status.PAUSED,
        FRIDAY + 3 * DAY,
        FRIDAY + 3 * DAY,
    )
    back = planning.owe(resting, answered=False, now=REMINDER + 3 * DAY).person
    assert (back.status, back.paused_until) == (Status.ACTIVE, None)


def test_a_pause_without_an_end_plans_nothing_until_the_return() -> None:
    resting = planning.pause(ADA, nights=None, now=AFTERNOON, tonight_open=False)
    assert (resting.status, resting.remind_at) == (Status.PAUSED, None)
    assert planning.resume(resting, now=AFTERNOON) == ADA


def test_a_stop_plans_nothing_and_a_return_plans_tonight() -> None:
    stopped = planning.stop(ADA)
    assert (stopped.status, stopped.remind_at) == (Status.STOPPED, None)
    assert planning.replan(stopped, now=AFTERNOON).remind_at is None
    assert planning.resume(stopped, now=AFTERNOON) == ADA


def test_who_returns_before_the_set_up_is_done_goes_on_with_it() -> None:
    assert planning.resume(planning.stop(BARE), now=AFTERNOON).status is Status.SETTING_UP
    assert planning.resume(replace(BARE, consent=None), now=AFTERNOON).status is Status.NEW


def test_at_home_again_the_journey_is_forgotten() -> None:
    away = replace(ADA, away_zone="Asia/Tokyo", away_until=SATURDAY)
    first = planning.owe(away, answered=False, now=REMINDER).person
    assert first.away_zone == "Asia/Tokyo"
    second = planning.owe(first, answered=False, now=REMINDER + DAY).person
    assert (second.away_zone, second.away_until) == (None, None)


@pytest.mark.parametrize(
    ("wanted", "done", "minutes"), [(1, 0, 39), (2, 0, 20), (2, 1, 39), (0, 0, None), (1, 1, None)]
)
def test_nudges_come_between_the_reminder_and_the_last_minutes(wanted: int, done: int, minutes: int | None) -> None:
    nudge = planning.nudges(sleeper(nudges=wanted), sent_at=REMINDER, night=FRIDAY, bed_at=BED, done=done)
    assert (nudge and round((nudge.due_at - REMINDER).total_seconds() / 60)) == minutes
    assert nudge is None or nudge.until_at == BED - timedelta(minutes=5)


def test_just_before_bed_there_is_no_nudge_any_more() -> None:
    late = BED - timedelta(minutes=6)
    assert planning.nudges(sleeper(nudges=2), sent_at=late, night=FRIDAY, bed_at=BED, done=0) is None


def test_a_rating_after_the_next_evenings_reminder_is_late() -> None:
    assert not planning.is_late_rating(sleeper().schedule, FRIDAY, now=REMINDER + DAY)
    assert planning.is_late_rating(sleeper().schedule, FRIDAY, now=REMINDER + DAY + timedelta(seconds=1))
