"""What a person is owed for an evening, and how changes of settings, pauses and stops change the plan. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core import message_kinds
from bot.core import schedule as times
from bot.core.message_kinds import KINDS, Occasion, Window
from bot.core.model import Cadence, Due, Kind, Night, Person, Schedule, Sleeper, State, Status

QUIET_MORNINGS = 7
"""After this many check-ins in a row without an answer the bot asks once how to go on, and then asks weekly."""

QUIET_WEEKS = 4
"""After this many further weekly check-ins without an answer it stops asking."""

_DAY = timedelta(days=1)
# After an outage, nights that are entirely in the past are skipped, not worked through one by one.
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
    tip: int | None = None  # that it is about, by core.tips.number


@dataclass(frozen=True, slots=True)
class OwedEvening:
    """What one evening owes, and what that changes about the person."""

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
    messages = _messages(Occasion(person, schedule, due, cadence), answered=answered, early=False)
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
    }
    return OwedEvening(person, changes | _next(replace(person, **home), following), messages)  # type: ignore[arg-type]


def owe_early(person: Person, *, answered: bool) -> OwedEvening:
    """The messages of the planned night that fall due before its reminder, which stays planned.

    Raises what `owe` raises.
    """
    schedule, night = person.schedule, person.remind_night
    if schedule is None or night is None:
        raise ValueError("there is no night planned")
    occasion = Occasion(person, schedule, times.plan(schedule, night), person.cadence)
    return OwedEvening(person, {"owe_at": None}, _messages(occasion, answered=answered, early=True))


def _messages(night: Occasion, *, answered: bool, early: bool) -> tuple[Message, ...]:
    """What the table of kinds says that this night owes: before its reminder if `early`, else from the reminder on."""
    windows = {
        kind: policy.when(night) for kind, policy in KINDS.items() if policy.when and bool(policy.ahead) is early
    }
    return tuple(
        _message(night, kind, window, done=answered and KINDS[kind].ended_by_answer)
        for kind, window in windows.items()
        if window is not None
    )


def _message(night: Occasion, kind: Kind, window: Window, *, done: bool) -> Message:
    return Message(
        night.person.id,
        kind,
        night.due.night,
        due_at=window.at,
        until_at=window.until_at,
        bed_at=night.due.bed_at,
        close_at=window.close_at,
        state=State.CANCELLED if done else State.DUE,
        reason="answered before it was due" if done else None,
    )


def _next(person: Person, due: Due) -> dict[str, object]:
    """The plan of the next evening, as changes of the person."""
    owe_at = message_kinds.owe_at(person, due.remind_at)
    early = owe_at if owe_at < due.remind_at else None
    return {"remind_at": due.remind_at, "remind_night": due.night, "owe_at": early}


_NOTHING: dict[str, object] = {"remind_at": None, "remind_night": None, "owe_at": None}
"""The changes of a person who has nothing planned."""


def unplanned(person: Person) -> Person:
    """The same person with nothing planned."""
    return replace(person, **_NOTHING)  # type: ignore[arg-type]


def _cadence(person: Person) -> Cadence | None:
    """How often to ask from now on, given the number of mornings without an answer."""
    quiet = person.unanswered or 0
    if person.cadence in (None, Cadence.NIGHTLY) and quiet >= QUIET_MORNINGS:
        return Cadence.WEEKLY
    if person.cadence is Cadence.WEEKLY and quiet >= QUIET_MORNINGS + QUIET_WEEKS:
        return Cadence.SILENT
    return person.cadence


def _with_next(person: Person, schedule: Schedule, *, after: datetime) -> Person:
    floor = [night for night in (person.paused_until, _after_last(person)) if night is not None]
    due = times.next_due(
        schedule, after=after, not_before_night=max(floor, default=None), last_remind_at=person.reminded_at
    )
    return replace(person, **_next(person, due))  # type: ignore[arg-type]


def _after_last(person: Person) -> Night | None:
    return None if person.reminded_night is None else person.reminded_night + _DAY


def replan(person: Person, *, now: datetime, tonight_open: bool = False) -> Person:
    """The person with the next reminder planned anew after a change of bedtime, zone, lead, form or status.

    `tonight_open`: the last owed reminder never left and its row was withdrawn, so that its night may be planned again.
    Otherwise the change starts with the night after it. Who is not set up, or rests, has nothing planned.
    """
    schedule = person.schedule if person.set_up else None
    if schedule is None or person.status not in (Status.SETTING_UP, Status.ACTIVE, Status.PAUSED):
        return unplanned(person)
    if person.status is Status.PAUSED and person.paused_until is None:
        return unplanned(person)
    if person.status is Status.SETTING_UP:
        person = replace(person, status=Status.ACTIVE)
    if tonight_open:
        person = replace(person, reminded_at=None, reminded_night=None)
    return _with_next(person, schedule, after=now)


def pause(
    person: Person, *, nights: int | None, now: datetime, tonight_open: bool, back: Night | None = None
) -> Person:
    """Rest for so many nights from the next one on, or until the night `back`, or with neither until the person returns."""
    active = replan(replace(person, status=Status.ACTIVE, paused_until=None), now=now, tonight_open=tonight_open)
    first = active.remind_night
    if back is not None and first is not None:
        nights = max(1, (back - first).days)
    until = None if nights is None or first is None else first + timedelta(days=nights)
    return replan(replace(active, status=Status.PAUSED, paused_until=until), now=now)


def stop(person: Person) -> Person:
    """Nothing more is sent until the person says otherwise."""
    return unplanned(replace(person, status=Status.STOPPED, paused_until=None))


def resume(person: Person, *, now: datetime) -> Person:
    """Back from a pause, a stop or a block."""
    status = Status.ACTIVE if person.set_up else Status.SETTING_UP if person.consent is not None else Status.NEW
    return replan(replace(person, status=status, paused_until=None, cadence=None, unanswered=None), now=now)


def heard(person: Person) -> Person:
    """A person who had stopped answering said something: ask every morning again."""
    if (person.unanswered or 0) < QUIET_MORNINGS:
        return person
    return replace(person, cadence=None, unanswered=None)


def nudges(who: Sleeper, *, sent_at: datetime, night: Night, bed_at: datetime, done: int) -> Message | None:
    """The next nudge for an unanswered reminder, or None: at most as many as the person chose, the last one just before bed."""
    left = (who.person.nudges or 0) - done
    last = bed_at - times.LAST_PLAN_BEFORE_BED
    if left <= 0 or sent_at >= last:
        return None
    at = last if left == 1 else sent_at + (last - sent_at) / 2
    return Message(
        who.person.id,
        Kind.NUDGE,
        night,
        due_at=at,
        until_at=bed_at - times.NEVER_BEFORE_BED,
        bed_at=bed_at,
        close_at=times.cut_off(who.schedule, night),
    )


def check_in(schedule: Schedule, night: Night, *, now: datetime) -> Window | None:
    """When the morning after that night asks, if that is still ahead."""
    at, until = times.check_in_at(schedule, night), times.check_in_until(schedule, night)
    return Window(at, until, until) if at > now else None


def is_late_rating(schedule: Schedule, night: Night, *, now: datetime) -> bool:
    """Whether a rating comes after the next evening's reminder: it is kept and marked."""
    return now > times.plan(schedule, night + _DAY).remind_at
