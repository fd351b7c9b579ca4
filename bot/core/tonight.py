"""What a press or typed answer this evening means: for which night, whether that is still open, and its effect. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core import schedule as times
from bot.core.model import Intake, Minute, Night, NightRecord, Reason, Schedule, Sleeper, State

STILL_TONIGHT = timedelta(hours=3)
"""For this long after bedtime, "tonight" is the night that has begun: somebody who looks then wants to say that they took it."""

UNDO_FOR = timedelta(minutes=10)
"""How long an answer can be taken back with one tap."""

NIGHTS_BACK = timedelta(days=60)
"""How far back a night's sleep can be rated."""


# -- which night -------------------------------------------------------------------------------------------------------


def coming_night(who: Sleeper, now: datetime) -> Night:
    """The night whose evening is under way, and still for a while after bedtime; else the next planned one."""
    last = who.person.reminded_night
    if last is not None and now < times.plan(who.schedule, last).bed_at + STILL_TONIGHT:
        return last
    return who.person.remind_night or times.next_due(who.schedule, after=now).night


def was_there(who: Sleeper, night: Night) -> bool:
    """Whether the person had come by that night."""
    return night >= times.night_of(who.person.created_at, times.zone_on(who.schedule, night))


def can_answer(who: Sleeper, night: Night, *, owed: bool, leaves_out: bool, now: datetime) -> bool:
    """Whether a press about that night's magnesium means anything: nobody is asked about a night before they came, or one whose
    evening has not begun.

    `owed`: its reminder is, so its buttons are or were on the screen. `leaves_out`: the press is one of those that leave the
    planned night out beforehand, or take that back.
    """
    if owed or (leaves_out and night == who.person.remind_night):
        return True
    return times.can_take_from(who.schedule, night) <= now and was_there(who, night)


def can_rate(who: Sleeper, night: Night, now: datetime) -> bool:
    """Whether that night's sleep can be rated: it is one of the last sixty, its bedtime has passed, and the person was there."""
    over = times.plan(who.schedule, night).bed_at <= now
    recent = night >= times.tonight(who.schedule, now) - NIGHTS_BACK
    return over and recent and was_there(who, night)


# -- an answer ---------------------------------------------------------------------------------------------------------


class Tap(StrEnum):
    """What can be said of a night's magnesium with one press; the values are the buttons' verbs."""

    TAKEN = "taken"
    SKIP = "skip"
    WITHOUT = "without"  # as the self-experiment says

    @property
    def intake(self) -> Intake:
        return Intake.TAKEN if self is Tap.TAKEN else Intake.SKIPPED

    @property
    def reason(self) -> Reason | None:
        return Reason.TEST if self is Tap.WITHOUT else None


class TapEffect(StrEnum):
    """What a press of an answer does."""

    NOTE = "note"
    KNOWN = "known"  # it says what is noted already
    ASK = "ask"  # it says the opposite of what is noted: nothing changes before that is confirmed


def effect(record: NightRecord, answer: Tap, *, confirmed: bool = False) -> TapEffect:
    """What becomes of an answer to an open night. `confirmed`: the person has said that it is to take the other's place.

    MISSED is not the person's answer, so no answer contradicts it.
    """
    if record.answered and record.took is not (answer is Tap.TAKEN):
        return TapEffect.NOTE if confirmed else TapEffect.ASK
    same = record.answered and answer.reason in (None, record.reason)
    return TapEffect.KNOWN if same else TapEffect.NOTE


def can_undo(record: NightRecord, now: datetime) -> bool:
    """Whether the night's answer can still be taken back with one tap."""
    return record.intake_at is not None and now < record.intake_at + UNDO_FOR


# -- another bedtime for tonight ---------------------------------------------------------------------------------------


class LaterEffect(StrEnum):
    """What a later bedtime does to tonight's reminder."""

    REFUSED = "refused"  # it is not late enough
    PLANNED = "planned"  # nothing was owed yet: it is planned anew
    AGAIN = "again"  # it comes at its new moment, as a snooze would, also if it was sent before
    UNTOUCHED = "untouched"  # answered, or its new moment has passed


@dataclass(frozen=True, slots=True)
class LaterTonight:
    """A later bedtime for tonight: what becomes of the reminder, its new instant and the new bedtime (aware UTC)."""

    effect: LaterEffect
    remind_at: datetime
    bed_at: datetime


def later(schedule: Schedule, night: Night, minute: Minute, *, reminder: State | None, now: datetime) -> LaterTonight:
    """What bedtime `minute` does to that night. `reminder`: where its reminder stands, None before it is owed."""
    due = times.plan(replace(schedule, later_night=night, later_bedtime=minute), night)
    ahead = due.remind_at > now
    if due.bed_at <= now or (reminder is None and not ahead):
        what = LaterEffect.REFUSED
    elif reminder is None:
        what = LaterEffect.PLANNED
    else:
        what = LaterEffect.AGAIN if ahead and reminder is not State.CANCELLED else LaterEffect.UNTOUCHED
    return LaterTonight(what, due.remind_at, due.bed_at)
