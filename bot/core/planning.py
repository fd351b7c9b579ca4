"""What a person's evening owes them, and what a change of their mind does to what is planned. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core import schedule as times
from bot.core.model import Cadence, Due, Kind, Night, Person, Schedule, State, Status

QUIET_MORNINGS = 7
"""After so many check-ins in a row without an answer the bot asks once how to go on, and then asks weekly."""

QUIET_WEEKS = 4
"""After so many weekly check-ins more without an answer it stops asking."""

_SATURDAY = 5
_DAY = timedelta(days=1)
# After an outage nights wholly in the past are not made up for one by one.
_LOOK_BACK = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class Message:
    """One message to be owed. From `until_at` it is not sent any more; from `close_at` it is history. Aware UTC."""

    user_id: int
    kind: Kind
    night: Night
    due_at: datetime
    until_at: datetime
    bed_at: datetime
    close_at: datetime
    state: State = State.DUE
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OwedEvening:
    """What one evening owes, and what it changes about the person, whose next one is planned with it."""

    before: Person
    changes: Mapping[str, object]
    messages: tuple[Message, ...]

    @property
    def person(self) -> Person:
        """The person afterwards."""
        return replace(self.before, **self.changes)  # type: ignore[arg-type]


def owe(person: Person, *, answered: bool, now: datetime) -> OwedEvening:
    """The messages of the person's planned night. `answered`: the night has its answer already, so no reminder goes out.

    Raises ValueError for a person without a plan and ZoneInfoNotFoundError for a zone that no longer exists.
    """
    schedule, night = person.schedule, person.remind_night
    if schedule is None or night is None:
        raise ValueError("there is no night planned")
    due = times.plan(schedule, night)
    cadence = _cadence(person)
    messages = (_reminder(person, schedule, due, answered=answered), *_morning(person, schedule, due, cadence))
    home: dict[str, object] = {}
    if person.away_until is not None and night >= person.away_until:  # home again
        home = {"away_zone": None, "away_until": None}
        schedule = replace(schedule, away_zone=None, away_until=None)
    following = times.next_due(
        schedule,
        after=max(due.remind_at, now - _LOOK_BACK),
        not_before_night=night + _DAY,
        last_remind_at=due.remind_at,
    )
    changes = home | {
        "status": Status.ACTIVE,
        "paused_until": None,
        "cadence": cadence,
        "reminded_at": due.remind_at,
        "reminded_night": night,
        "remind_at": following.remind_at,
        "remind_night": following.night,
    }
    return OwedEvening(person, changes, messages)


def _reminder(person: Person, schedule: Schedule, due: Due, *, answered: bool) -> Message:
    return Message(
        person.id,
        Kind.REMINDER,
        due.night,
        due_at=due.remind_at,
        until_at=due.bed_at - times.NEVER_BEFORE_BED,
        bed_at=due.bed_at,
        close_at=times.cut_off(schedule, due.night),
        state=State.CANCELLED if answered else State.DUE,
        reason="answered before it was due" if answered else None,
    )


def _morning(person: Person, schedule: Schedule, due: Due, cadence: Cadence | None) -> tuple[Message, ...]:
    asked = cadence is None or (cadence is Cadence.WEEKLY and due.night.weekday() == _SATURDAY)
    keep_going = cadence is Cadence.WEEKLY and person.cadence is None
    at, until = times.check_in_at(schedule, due.night), times.check_in_until(schedule, due.night)
    kinds = []
    if (asked or keep_going) and not person.no_check_in:
        kinds.append(Kind.KEEP_GOING if keep_going else Kind.CHECK_IN)
    if due.night.weekday() == _SATURDAY and not person.no_digest and cadence in (None, Cadence.NIGHTLY):
        kinds.append(Kind.DIGEST)
    return tuple(
        Message(person.id, kind, due.night, due_at=at, until_at=until, bed_at=due.bed_at, close_at=until)
        for kind in (kinds if at < until else ())
    )


def _cadence(person: Person) -> Cadence | None:
    """How often to ask from now on, after so many mornings without an answer."""
    quiet = person.unanswered or 0
    if person.cadence in (None, Cadence.NIGHTLY) and quiet >= QUIET_MORNINGS:
        return Cadence.WEEKLY
    if person.cadence is Cadence.WEEKLY and quiet >= QUIET_MORNINGS + QUIET_WEEKS:
        return Cadence.SILENT
    return person.cadence


def _with_next(person: Person, *, after: datetime) -> Person:
    schedule = person.schedule
    assert schedule is not None  # noqa: S101 - every caller has looked
    floor = [night for night in (person.paused_until, _after_last(person)) if night is not None]
    due = times.next_due(
        schedule, after=after, not_before_night=max(floor, default=None), last_remind_at=person.reminded_at
    )
    return replace(person, remind_at=due.remind_at, remind_night=due.night)


def _after_last(person: Person) -> Night | None:
    return None if person.reminded_night is None else person.reminded_night + _DAY


def replan(person: Person, *, now: datetime, tonight_open: bool = False) -> Person:
    """The person with the next reminder planned anew after a change of bedtime, zone, lead, form or status.

    `tonight_open`: the last owed reminder never left and its row was withdrawn, so that its night may be planned again.
    Otherwise the change starts with the night after it. Who is not set up, or rests, has nothing planned.
    """
    if not person.set_up or person.status not in (Status.SETTING_UP, Status.ACTIVE, Status.PAUSED):
        return replace(person, remind_at=None, remind_night=None)
    if person.status is Status.PAUSED and person.paused_until is None:
        return replace(person, remind_at=None, remind_night=None)
    if person.status is Status.SETTING_UP:
        person = replace(person, status=Status.ACTIVE)
    if tonight_open:
        person = replace(person, reminded_at=None, reminded_night=None)
    return _with_next(person, after=now)


def pause(person: Person, *, nights: int | None, now: datetime, tonight_open: bool) -> Person:
    """Rest for so many nights from the next one on, or with None until the person returns."""
    active = replan(replace(person, status=Status.ACTIVE, paused_until=None), now=now, tonight_open=tonight_open)
    first = active.remind_night
    until = None if nights is None or first is None else first + timedelta(days=nights)
    return replan(replace(active, status=Status.PAUSED, paused_until=until), now=now)


def stop(person: Person) -> Person:
    """Nothing more is sent until the person says otherwise."""
    return replace(person, status=Status.STOPPED, paused_until=None, remind_at=None, remind_night=None)


def resume(person: Person, *, now: datetime) -> Person:
    """Back from a pause, a stop or a block."""
    status = Status.ACTIVE if person.set_up else Status.SETTING_UP if person.consent is not None else Status.NEW
    return replan(replace(person, status=status, paused_until=None, cadence=None, unanswered=None), now=now)


def heard(person: Person) -> Person:
    """Somebody who had fallen silent said something: the mornings are asked every day again."""
    if (person.unanswered or 0) < QUIET_MORNINGS:
        return person
    return replace(person, cadence=None, unanswered=None)


def nudges(person: Person, *, sent_at: datetime, night: Night, bed_at: datetime, done: int) -> Message | None:
    """The next nudge for an unanswered reminder, or None: at most as many as the person chose, the last one just before bed."""
    schedule, wanted = person.schedule, person.nudges or 0
    left = wanted - done
    last = bed_at - times.LAST_PLAN_BEFORE_BED
    if schedule is None or left <= 0 or sent_at >= last:
        return None
    at = last if left == 1 else sent_at + (last - sent_at) / 2
    return Message(
        person.id,
        Kind.NUDGE,
        night,
        due_at=at,
        until_at=bed_at - times.NEVER_BEFORE_BED,
        bed_at=bed_at,
        close_at=times.cut_off(schedule, night),
    )


def is_late_rating(person: Person, night: Night, *, now: datetime) -> bool:
    """Whether a rating comes after the next evening's reminder: it is kept and marked."""
    schedule = person.schedule
    return schedule is not None and now > times.plan(schedule, night + _DAY).remind_at
