"""A self-experiment as it is lived: what tonight is, which nights count, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import schedule as times
from bot.core.experiment import design, run
from bot.core.experiment.counts import ArmTally, Label, Pairs
from bot.core.experiment.design import FORTNIGHT, RUN_IN, Arm, Plan, Shift, Void
from bot.core.experiment.run import Assignment, Experiment, Lived, Tonight
from bot.core.experiment.version1 import earlier_report
from bot.core.experiment.version1.analysis import EarlierVerdict
from bot.core.model import Delivery, Intake, NightRecord, Rating, Schedule

MONDAY = date(2026, 1, 12)
BEGAN = datetime(2026, 1, 12, 14, tzinfo=UTC)
PLAN = Plan(MONDAY, 28, bytes(range(32)))
PAUSED = replace(PLAN, shifts=(Shift(MONDAY + timedelta(days=14), 2),))
BERLIN = Schedule("Europe/Berlin", (23 * 60,) * 7)
VERDICT = EarlierVerdict(
    Label.NO_VERDICT,
    None,
    0,
    28,
    ArmTally(0, 0),
    ArmTally(0, 0),
    ArmTally(0, 0),
    Pairs(0, 0, 0),
    0,
    missing_flips=False,
)
places = st.integers(0, RUN_IN + 27)


def a_trial(plan: Plan = PLAN, *, blind: bool = False, **more: object) -> Experiment:
    return Experiment(1, 7, plan, blind=blind, begun_at=BEGAN, **more)  # type: ignore[arg-type]


def lived(place: int, *, plan: Plan = PLAN, revealed: bool = True, void: Void | None = None, **told: object) -> Lived:
    record = NightRecord(design.night_at(plan, place), **told)  # type: ignore[arg-type]
    return Lived(record, revealed=revealed, void=void)


# -- tonight -----------------------------------------------------------------------------------------------------------


@given(place=places)
def test_an_evening_says_what_the_plan_says(place: int) -> None:
    night = design.night_at(PLAN, place)
    arm = design.arm_on(PLAN, night)

    expected = Tonight.WITH if arm is Arm.ON else Tonight.WITHOUT
    assert run.assignment(a_trial(), night, void=False) == Assignment(expected)


@given(place=places)
def test_with_bags_an_evening_after_the_run_in_says_only_a_number(place: int) -> None:
    night = design.night_at(PLAN, place)
    shown = run.assignment(a_trial(blind=True), night, void=False)

    if place < RUN_IN:
        assert shown == Assignment(Tonight.WITHOUT)
    else:
        assert shown == Assignment(Tonight.BAG, design.bag_on(PLAN, night))


@given(place=places)
def test_a_night_that_was_left_out_is_free(place: int) -> None:
    assert run.assignment(a_trial(), design.night_at(PLAN, place), void=True) == Assignment(Tonight.FREE)


@pytest.mark.parametrize(
    ("one", "night"),
    [
        (a_trial(), MONDAY - timedelta(days=1)),
        (a_trial(), design.last_night(PLAN) + timedelta(days=1)),
        (a_trial(PAUSED), MONDAY + timedelta(days=20)),
        (a_trial(paused_since=MONDAY + timedelta(days=3)), MONDAY + timedelta(days=3)),
        (a_trial(stopped_after=MONDAY + timedelta(days=3)), MONDAY + timedelta(days=4)),
        (a_trial(ended_at=BEGAN), MONDAY),
    ],
    ids=["before", "after", "moved by a pause", "resting", "stopped", "over"],
)
def test_every_other_evening_is_an_ordinary_one(one: Experiment, night: date) -> None:
    assert run.assignment(one, night, void=False) is None


def test_the_last_evening_before_a_rest_or_a_stop_still_belongs_to_it() -> None:
    third = MONDAY + timedelta(days=3)
    for one in (a_trial(paused_since=third + timedelta(days=1)), a_trial(stopped_after=third)):
        assert run.assignment(one, third, void=False) == Assignment(Tonight.WITHOUT)


def test_it_is_sealed_until_it_has_ended() -> None:
    assert a_trial().sealed
    assert not a_trial(ended_at=BEGAN).sealed


# -- what counts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delivery", list(Delivery))
def test_only_a_reminder_that_was_sent_has_arrived(delivery: Delivery) -> None:
    assert run.arrived(delivery) is (delivery is Delivery.SENT)
    assert not run.arrived(None)


@pytest.mark.parametrize(("void", "revealed"), [(Void.FEVER, True), (None, False), (Void.TRAVEL, False)])
def test_a_night_left_out_or_without_a_reminder_is_void(void: Void | None, revealed: bool) -> None:
    (record,) = run.records(a_trial(), [lived(10, void=void, revealed=revealed, rating=Rating.BETTER)])
    assert record.void


def test_nights_outside_the_plan_are_no_records() -> None:
    before = Lived(NightRecord(MONDAY - timedelta(days=1)), revealed=True)
    between = Lived(NightRecord(MONDAY + timedelta(days=20)), revealed=True)
    assert run.records(a_trial(PAUSED), [before, between]) == []


@pytest.mark.parametrize(
    ("intake", "taken"), [(Intake.TAKEN, True), (Intake.SKIPPED, False), (Intake.MISSED, None), (None, None)]
)
def test_taken_is_what_the_person_said_and_missed_is_nobodys_answer(intake: Intake | None, taken: bool | None) -> None:
    (record,) = run.records(a_trial(), [lived(10, intake=intake)])
    assert record.taken is taken


@given(place=places.filter(lambda place: place >= RUN_IN))
def test_a_bag_is_magnesium_only_on_a_night_with(place: int) -> None:
    (record,) = run.records(a_trial(blind=True), [lived(place, intake=Intake.TAKEN)])
    assert record.taken is (record.arm is Arm.ON)


def test_a_rating_given_in_time_stands_whatever_was_said_later() -> None:
    late = replace(lived(10, rating=Rating.MUCH_WORSE, late=True), in_time=Rating.BETTER)
    (record,) = run.records(a_trial(), [late])
    assert (record.rating, record.late) == (Rating.BETTER, False)
    assert late.rated_in_time


@pytest.mark.parametrize(
    ("told", "in_time"), [({"rating": Rating.SAME}, True), ({"rating": Rating.SAME, "late": True}, False), ({}, False)]
)
def test_only_an_answer_before_the_next_reminder_is_in_time(told: dict[str, object], in_time: bool) -> None:
    assert lived(10, **told).rated_in_time is in_time  # type: ignore[arg-type]


def test_a_report_counts_the_voids_of_the_nights_that_count_by_their_cause() -> None:
    nights = [
        lived(3, void=Void.FEVER),  # in the run-in, which is not compared
        lived(RUN_IN, void=Void.FEVER),
        lived(RUN_IN + 1, revealed=False),
        lived(RUN_IN + 2, void=Void.TRAVEL, revealed=False),
        lived(RUN_IN + 20, revealed=False),
    ]
    whole = earlier_report.of(a_trial(), nights, VERDICT)
    assert (whole.left_out, whole.not_sent) == (2, 2)

    stopped = a_trial(stopped_after=design.night_at(PLAN, RUN_IN + 20))
    early = earlier_report.of(stopped, nights, VERDICT)
    assert (early.left_out, early.not_sent) == (2, 1)
    assert early.stopped_after == stopped.stopped_after
    assert len(early.nights) == len(nights)


def test_a_report_of_a_stop_before_the_first_fortnight_counts_nothing() -> None:
    stopped = a_trial(stopped_after=design.night_at(PLAN, RUN_IN + FORTNIGHT - 2))
    report = earlier_report.of(stopped, [lived(RUN_IN, void=Void.FEVER)], VERDICT)
    assert (report.left_out, report.not_sent) == (0, 0)


def test_a_night_beside_the_plan_counts_nowhere() -> None:
    beside = Lived(NightRecord(MONDAY - timedelta(days=3)), revealed=False)
    report = earlier_report.of(a_trial(), [beside], VERDICT)
    assert (report.left_out, report.not_sent, report.nights) == (0, 0, ())


def test_a_night_of_which_nothing_is_stored_had_no_reminder_and_is_void() -> None:
    stored = [lived(place, plan=PAUSED, rating=Rating.SAME) for place in (3, RUN_IN, RUN_IN + 2)]
    until = design.night_at(PAUSED, RUN_IN + 9)
    every = run.whole(a_trial(PAUSED), stored, until=until)

    assert [one.diary.night for one in every] == [design.night_at(PAUSED, place) for place in range(RUN_IN + 10)]
    assert [one for one in every if one.revealed] == stored
    report = earlier_report.of(a_trial(PAUSED), every, VERDICT)
    assert report.not_sent == 8
    assert sum(record.void for record in report.nights) == RUN_IN - 1 + 8


# -- how far -----------------------------------------------------------------------------------------------------------


@given(reached=places, answered=st.sets(places))
def test_progress_counts_mornings_and_not_arms(reached: int, answered: set[int]) -> None:
    nights = [lived(place, rating=Rating.SAME if place in answered else None) for place in range(reached + 1)]
    tonight = design.night_at(PLAN, reached)
    told = run.progress(a_trial(), nights, tonight=tonight, slept=tonight - timedelta(days=1))

    assert told.run_in == min(reached + 1, RUN_IN)
    assert told.night == max(0, reached + 1 - RUN_IN)
    assert told.mornings == reached
    assert told.answered == len([place for place in answered if place < reached])


def test_progress_in_a_pause_stands_where_it_was() -> None:
    nights = [lived(place, plan=PAUSED, revealed=place != 2) for place in range(10)]
    resting = MONDAY + timedelta(days=20)
    told = run.progress(a_trial(PAUSED), nights, tonight=resting, slept=resting)
    assert (told.night, told.mornings, told.left_out) == (3, 10, 1)


def test_progress_before_the_first_night_is_none() -> None:
    told = run.progress(a_trial(), [], tonight=MONDAY - timedelta(days=1), slept=MONDAY - timedelta(days=2))
    assert (told.run_in, told.night, told.mornings) == (0, 0, 0)


# -- its end -----------------------------------------------------------------------------------------------------------

zones = st.sampled_from(
    ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"]
)
schedules = st.builds(Schedule, zones, st.integers(0, 1439).map(lambda minute: (minute,) * 7))


@given(schedule=schedules)
def test_nowhere_on_earth_is_it_over_before_somebody_looks(schedule: Schedule) -> None:
    look_at = run.look_at(a_trial())
    assert not run.over(a_trial(), schedule, last_is_rated=True, now=look_at - timedelta(seconds=1))
    assert run.over(a_trial(), schedule, last_is_rated=False, now=look_at + timedelta(days=4))


def test_it_is_over_with_the_last_answer_or_when_its_time_has_passed() -> None:
    last = design.last_night(PLAN)
    bed = times.plan(BERLIN, last).bed_at
    next_reminder = times.plan(BERLIN, last + timedelta(days=1)).remind_at

    assert not run.over(a_trial(), BERLIN, last_is_rated=True, now=bed - timedelta(seconds=1))
    assert run.over(a_trial(), BERLIN, last_is_rated=True, now=bed)
    assert not run.over(a_trial(), BERLIN, last_is_rated=False, now=next_reminder - timedelta(seconds=1))
    assert run.over(a_trial(), BERLIN, last_is_rated=False, now=next_reminder)


def test_a_rest_without_an_end_keeps_it_open_and_a_stop_ends_it_at_once() -> None:
    years_on = BEGAN + timedelta(days=900)
    resting = a_trial(paused_since=design.last_night(PLAN))
    assert not run.over(resting, BERLIN, last_is_rated=True, now=years_on)
    after_all = a_trial(paused_since=design.last_night(PLAN) + timedelta(days=1))
    assert run.over(after_all, BERLIN, last_is_rated=False, now=years_on)
    assert run.over(replace(resting, stopped_after=MONDAY), BERLIN, last_is_rated=False, now=BEGAN)


@given(schedule=schedules, minutes=st.integers(0, 3 * 1440))
def test_nobody_reads_the_result_at_bedtime_and_nobody_waits_a_day(schedule: Schedule, minutes: int) -> None:
    now = BEGAN + timedelta(minutes=minutes)
    at = run.tell_at(schedule, now=now)

    assert now <= at <= now + timedelta(hours=24)
    for night in (at.date() + timedelta(days=shift) for shift in (-2, -1, 0, 1)):
        due = times.plan(schedule, night)
        assert not due.remind_at <= at < due.bed_at + timedelta(hours=9)


@given(schedule=schedules, minutes=st.integers(0, 3 * 1440))
def test_the_last_night_lived_is_the_last_whose_bedtime_has_passed(schedule: Schedule, minutes: int) -> None:
    now = BEGAN + timedelta(minutes=minutes)
    night = run.through(schedule, now=now)

    assert times.plan(schedule, night).bed_at <= now
    assert times.plan(schedule, night + timedelta(days=1)).bed_at > now


# -- a rest ------------------------------------------------------------------------------------------------------------

THURSDAY = MONDAY + timedelta(days=10)
WEEK = timedelta(weeks=1)


@pytest.mark.parametrize(
    ("utc", "night"),
    [("2026-01-12T15:00", MONDAY), ("2026-01-12T21:59", MONDAY), ("2026-01-12T22:00", MONDAY + timedelta(days=1))],
)
def test_the_next_night_is_the_first_whose_bedtime_is_ahead(utc: str, night: date) -> None:
    assert run.next_night(BERLIN, datetime.fromisoformat(utc).replace(tzinfo=UTC)) == night


@pytest.mark.parametrize(("revealed", "ahead"), [((), 0), ((0,), 1), ((0, 1), 2), ((1,), 0)])
def test_the_first_night_that_nobody_has_seen(revealed: tuple[int, ...], ahead: int) -> None:
    seen = {THURSDAY + timedelta(days=number) for number in revealed}
    assert run.first_unrevealed(THURSDAY, seen) == THURSDAY + timedelta(days=ahead)


def test_a_pause_with_an_end_moves_the_rest_by_whole_weeks_and_one_without_an_end_waits() -> None:
    one = a_trial()
    moved = run.rest(one, THURSDAY, back=THURSDAY + timedelta(days=3))

    assert moved == replace(PLAN, shifts=(Shift(THURSDAY, 1),))
    assert run.rest(one, THURSDAY, back=None) == run.OnHold(THURSDAY)
    assert run.rest(one, THURSDAY, back=THURSDAY) is None


def test_a_second_pause_does_not_begin_the_first_one_again() -> None:
    held = a_trial(paused_since=THURSDAY)

    assert run.rest(held, THURSDAY + WEEK, back=None) == run.OnHold(THURSDAY)
    assert run.rest(held, THURSDAY + WEEK, back=THURSDAY + 2 * WEEK) == replace(PLAN, shifts=(Shift(THURSDAY, 2),))


@pytest.mark.parametrize(("back", "weeks"), [(1, 1), (7, 1), (8, 2), (0, 0), (-1, 0), (None, 0)])
def test_back_from_a_rest_the_plan_goes_on_whole_weeks_later_or_as_it_was(back: int | None, weeks: int) -> None:
    night = None if back is None else THURSDAY + timedelta(days=back)
    expected = replace(PLAN, shifts=(Shift(THURSDAY, weeks),)) if weeks else PLAN
    assert run.carry_on(a_trial(paused_since=THURSDAY), THURSDAY, back=night) == expected
