"""Which night a press means, whether it is open, and what becomes of an answer or a later bedtime: table by table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core import tonight
from bot.core.model import Intake, Night, NightRecord, Person, Reason, Schedule, Sleeper, State, Status
from bot.core.tonight import LaterEffect, Tap, TapEffect

NIGHT = date(2026, 3, 26)
DUE = datetime(2026, 3, 26, 20, 45, tzinfo=UTC)
BED = DUE + timedelta(minutes=45)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BERLIN = Schedule("Europe/Berlin", (22 * 60 + 30,) * 7)
ANN = Person(
    1,
    Status.ACTIVE,
    created_at=DUE - 100 * DAY,
    seen_at=DUE,
    zone="Europe/Berlin",
    bedtimes=(22 * 60 + 30,) * 7,
    remind_at=DUE + DAY,
    remind_night=NIGHT + DAY,
    reminded_at=DUE,
    reminded_night=NIGHT,
)
TOMORROWS = replace(ANN, reminded_at=DUE - DAY, reminded_night=NIGHT - DAY, remind_at=DUE, remind_night=NIGHT)


@pytest.mark.parametrize(
    ("person", "now", "night"),
    [
        (ANN, DUE, NIGHT),
        (ANN, BED + timedelta(hours=2, minutes=59), NIGHT),
        (ANN, BED + 3 * HOUR, NIGHT + DAY),
        (TOMORROWS, DUE - 3 * HOUR, NIGHT),
        (replace(ANN, reminded_night=None, remind_night=None), DUE - HOUR, NIGHT),
        (replace(ANN, reminded_night=None, remind_night=None), DUE + HOUR, NIGHT + DAY),
    ],
)
def test_tonight_is_the_evening_under_way_until_three_hours_after_bedtime(
    person: Person, now: datetime, night: Night
) -> None:
    assert tonight.coming_night(Sleeper(person, BERLIN), now) == night


@pytest.mark.parametrize(
    ("night", "owed", "leaves_out", "now", "can"),
    [
        (NIGHT, True, False, DUE, True),
        (NIGHT, False, False, DUE - 4 * HOUR, False),  # a quarter to six: before the evening
        (NIGHT, False, False, DUE - 3 * HOUR, True),
        (NIGHT, False, True, DUE - 10 * HOUR, True),  # the planned night can be left out by day
        (NIGHT + DAY, False, True, DUE - 10 * HOUR, False),  # another one cannot
        (NIGHT - 101 * DAY, False, False, DUE, False),  # nobody is asked about a night before they came
        (NIGHT - 99 * DAY, False, False, DUE, True),
    ],
)
def test_a_night_can_be_answered_once_its_evening_has_begun_and_the_person_was_there(
    night: Night, *, owed: bool, leaves_out: bool, now: datetime, can: bool
) -> None:
    assert tonight.can_answer(Sleeper(TOMORROWS, BERLIN), night, owed=owed, leaves_out=leaves_out, now=now) is can


@pytest.mark.parametrize(
    ("night", "now", "can"),
    [
        (NIGHT, BED - timedelta(seconds=1), False),
        (NIGHT, BED, True),
        (NIGHT - 60 * DAY, DUE, True),
        (NIGHT - 61 * DAY, DUE, False),
    ],
)
def test_sleep_is_rated_after_bedtime_and_for_sixty_nights(night: Night, now: datetime, *, can: bool) -> None:
    assert tonight.can_rate(Sleeper(ANN, BERLIN), night, now) is can


NOTHING, MISSED = NightRecord(NIGHT), NightRecord(NIGHT, intake=Intake.MISSED)
TAKEN = NightRecord(NIGHT, intake=Intake.TAKEN, intake_at=DUE)
BAG = NightRecord(NIGHT, intake=Intake.BAG, intake_at=DUE)
SKIPPED = NightRecord(NIGHT, intake=Intake.SKIPPED, intake_at=DUE, reason=Reason.RAN_OUT)
BY_TEST = NightRecord(NIGHT, intake=Intake.SKIPPED, intake_at=DUE, reason=Reason.TEST)


@pytest.mark.parametrize(
    ("record", "taken", "skip", "without"),
    [
        (NOTHING, TapEffect.NOTE, TapEffect.NOTE, TapEffect.NOTE),
        (MISSED, TapEffect.NOTE, TapEffect.NOTE, TapEffect.NOTE),
        (TAKEN, TapEffect.KNOWN, TapEffect.ASK, TapEffect.ASK),
        (BAG, TapEffect.KNOWN, TapEffect.ASK, TapEffect.ASK),
        (SKIPPED, TapEffect.ASK, TapEffect.KNOWN, TapEffect.NOTE),
        (BY_TEST, TapEffect.ASK, TapEffect.KNOWN, TapEffect.KNOWN),
    ],
)
def test_an_answer_is_noted_known_or_asked_about(
    record: NightRecord, taken: TapEffect, skip: TapEffect, without: TapEffect
) -> None:
    assert [tonight.effect(record, answer) for answer in Tap] == [taken, skip, without]


@pytest.mark.parametrize("record", [NOTHING, MISSED, TAKEN, BAG, SKIPPED, BY_TEST])
@pytest.mark.parametrize("answer", Tap)
def test_once_confirmed_nothing_is_asked(record: NightRecord, answer: Tap) -> None:
    usual = tonight.effect(record, answer)
    assert tonight.effect(record, answer, confirmed=True) is (TapEffect.NOTE if usual is TapEffect.ASK else usual)


@pytest.mark.parametrize(
    ("record", "minutes", "can"), [(TAKEN, 9, True), (TAKEN, 10, False), (NOTHING, 0, False), (MISSED, 0, False)]
)
def test_an_answer_is_taken_back_within_ten_minutes(record: NightRecord, minutes: int, *, can: bool) -> None:
    assert tonight.can_undo(record, DUE + timedelta(minutes=minutes)) is can


@pytest.mark.parametrize(
    ("bedtime", "reminder", "now", "effect"),
    [
        ("23:30", None, DUE - HOUR, LaterEffect.PLANNED),
        ("23:30", State.SENT, DUE, LaterEffect.AGAIN),
        ("23:30", State.EXPIRED, DUE, LaterEffect.AGAIN),
        ("23:30", State.CANCELLED, DUE, LaterEffect.UNTOUCHED),  # answered: another bedtime, no other reminder
        ("23:00", State.SENT, DUE + timedelta(minutes=31), LaterEffect.UNTOUCHED),  # its new moment has passed
        ("22:00", None, DUE, LaterEffect.REFUSED),
        ("21:30", State.SENT, DUE, LaterEffect.REFUSED),  # that bedtime is over
        ("00:30", State.SENT, DUE, LaterEffect.AGAIN),
    ],
)
def test_a_later_bedtime_moves_what_can_still_be_moved(
    bedtime: str, reminder: State | None, now: datetime, effect: LaterEffect
) -> None:
    hour, minute = map(int, bedtime.split(":"))
    found = tonight.later(BERLIN, NIGHT, hour * 60 + minute, reminder=reminder, now=now)

    assert found.effect is effect
    assert found.bed_at - found.remind_at == timedelta(minutes=45)
