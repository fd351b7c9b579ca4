"""The evening: the reminder and what it turns into, the nudge, and tonight at a glance."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from bot.core import schedule as times
from bot.core.experiment.run import Assignment, Tonight
from bot.core.model import Due, Intake, Night, NightRecord, Person, Reason, Schedule, Sleeper, State
from bot.core.owed import Owed
from bot.core.schedule import Lateness
from bot.texts.language import Words
from bot.views import experiment, setup
from bot.views.message import Keyboard, Row, View, button, grid, keyboard, lines

SNOOZES = (10, 20, 30)
"""Minutes on the snooze buttons."""

_NOTED_LATER = timedelta(hours=3)
"""From this long after bedtime on, a tap shows that it was taken, but not when."""


def reminder(words: Words, owed: Owed, *, now: datetime, product: str | None, tip: str | None) -> View:
    """The evening's reminder. `product` is the form as it reads in the sentence, `tip` the tip's finished lines."""
    person, schedule = owed.person, owed.sleeper.schedule
    late = times.lateness(Due(owed.night, owed.planned_at, owed.bed_at), now)
    trial = owed.trial if isinstance(owed.trial, Assignment) else None
    if owed.copies and trial is not None and trial.tonight is Tonight.WITHOUT:
        note = words("(again, in case the first did not arrive)")
    elif owed.copies:
        note = words("(again, in case the first did not arrive – one reminder, one dose)")
    elif late in (Lateness.LATE, Lateness.LATE_SILENT):
        note = words("(late: I could not send it earlier)")
    else:
        note = None
    left = times.minutes_left(owed.bed_at, now)
    bed = words.moment(owed.bed_at, times.zone_on(schedule, owed.night))
    head = words.plural(
        "<b>Bedtime {time} · {n} minute left.</b>", "<b>Bedtime {time} · {n} minutes left.</b>", left, time=bed
    )
    silent = bool(person.quiet) or bool(owed.copies) or late is Lateness.LATE_SILENT
    text = lines(head, prompt(words, person, product, trial), _first_call(words, owed), note, tip and "", tip)
    return View(text, open_keyboard(words, owed.night, trial), silent)


def _first_call(words: Words, owed: Owed) -> str | None:
    """When a reminder that comes again came first: its first message is deleted when this one is sent."""
    if owed.message_id is None:
        return None
    schedule = owed.sleeper.schedule
    first = times.plan(schedule, owed.night).remind_at
    if first >= owed.planned_at:
        return None
    return words("First reminder {time}.", time=words.moment(first, times.zone_on(schedule, owed.night)))


def prompt(words: Words, person: Person, product: str | None, trial: Assignment | None = None) -> str:
    """What it is time for. A discreet reminder names no product; in a self-experiment chance has its say."""
    if trial is None:
        return _usual_prompt(words, person, product)
    return experiment.tonight(words, trial, discreet=bool(person.discreet))


def _usual_prompt(words: Words, person: Person, product: str | None) -> str:
    if person.discreet:
        return words("Time for your evening routine.")
    named = person.label or product
    if named is None:
        return words("Time for your magnesium.")
    return words("Time for your magnesium ({form}).", form=named)


def open_keyboard(words: Words, night: Night, trial: Assignment | None = None) -> Keyboard | None:
    """Taken, Snooze, Skip tonight; in a self-experiment what fits the night."""
    return _usual_keyboard(words, night) if trial is None else experiment.buttons(words, night, trial)


# A whole evening's reminders have it in common.
@lru_cache(maxsize=64)
def _usual_keyboard(words: Words, night: Night) -> Keyboard | None:
    return keyboard(
        [
            button(words("Taken"), "taken", night, style="success"),
            button(words("Snooze"), "snooze", night),
            button(words("Skip tonight"), "skip", night),
        ]
    )


def nudge(words: Words, owed: Owed, *, now: datetime) -> View:
    """A short second word for a reminder without an answer."""
    left = times.minutes_left(owed.bed_at, now)
    text = words.plural("{n} minute to bedtime. Taken yet?", "{n} minutes to bedtime. Taken yet?", left)
    silent = bool(owed.person.quiet) or left <= 15
    trial = owed.trial if isinstance(owed.trial, Assignment) else None
    if trial is not None:
        text = lines(
            words.plural("{n} minute to bedtime.", "{n} minutes to bedtime.", left),
            prompt(words, owed.person, None, trial),
        )
    return View(text, open_keyboard(words, owed.night, trial), silent)


def recorded(words: Words, who: Sleeper, record: NightRecord, *, undo: bool) -> View:
    """What a reminder turns into once the night has its answer."""
    buttons: list[Row] = []
    if record.intake is Intake.SKIPPED and record.reason is None and undo:
        buttons += reasons(words, record.night)
    if undo:
        buttons.append([button(words("Undo"), "undo", record.night)])
    text = status(words, who, record)
    if record.intake is Intake.SKIPPED and record.reason is None and undo:
        text = lines(text, words("Why? (You need not say.)"))
    return View(text, keyboard(*buttons), silent=True)


def contradicted(
    words: Words, who: Sleeper, record: NightRecord, *, change_to: str, verbs: tuple[str, str] = ("change", "leave")
) -> View:
    """A press that says the opposite of what is noted changes nothing by itself: it asks. `verbs` are those of its buttons."""
    at = _taken_at(words, who, record)
    if record.intake is Intake.SKIPPED:
        text, to = words("<b>“Not taken” is noted. Change it?</b>"), words("Change to taken")
    else:
        text = (
            words("<b>Taken {time} is noted. Change it?</b>", time=at)
            if at
            else words("<b>“Taken” is noted. Change it?</b>")
        )
        to = words("Change to not taken")
    change, leave = verbs
    choice = [button(to, change, record.night, change_to), button(words("Keep"), leave, record.night)]
    return View(text, keyboard(choice), silent=True)


def known_already(words: Words, who: Sleeper, record: NightRecord) -> str:
    """The short line for a press that says what is noted."""
    at = _taken_at(words, who, record)
    if record.intake is Intake.SKIPPED:
        return words("Noted already: not taken.")
    return words("Noted already: taken {time}.", time=at) if at else words("Noted already: taken.")


def _taken_at(words: Words, who: Sleeper, record: NightRecord) -> str | None:
    """When it was taken, where the tap came in time to tell."""
    at = record.intake_at
    if at is None or at >= times.plan(who.schedule, record.night).bed_at + _NOTED_LATER:
        return None
    return words.moment(at, times.zone_on(who.schedule, record.night))


def status(words: Words, who: Sleeper, record: NightRecord) -> str:
    """One line: what is recorded for the night."""
    if record.took and record.intake_at is not None:
        return _taken(words, who.schedule, record, record.intake_at)
    if record.intake is Intake.BAG:
        return words("✓ Bag taken.")
    if record.intake is Intake.SKIPPED and record.reason is Reason.TEST:
        return words("✓ Without, as the test says.")
    if record.intake is Intake.SKIPPED:
        why = reason_name(words, record.reason)
        return words("Skipped: {reason}.", reason=why) if why else words("Skipped.")
    if record.intake is Intake.MISSED:
        return words("No answer that night, so it counts as missed.")
    return words("Nothing recorded for this night yet.")


def _taken(words: Words, schedule: Schedule, record: NightRecord, at: datetime) -> str:
    zone, bed_at = times.zone_on(schedule, record.night), times.plan(schedule, record.night).bed_at
    shown = {"time": words.moment(at, zone), "bed": words.moment(bed_at, zone)}
    if record.intake is Intake.BAG and at < bed_at + _NOTED_LATER:
        return words("✓ Bag taken {time} · bedtime {bed}", **shown)
    if record.intake is Intake.BAG:
        return words("✓ Bag taken, noted {time} · bedtime {bed}", **shown)
    if at < bed_at + _NOTED_LATER:
        return words("✓ Taken {time} · bedtime {bed}", **shown)
    return words("✓ Taken, noted {time} · bedtime {bed}", **shown)


def reasons(words: Words, night: Night) -> list[Row]:
    """Why a night was skipped, to tap."""
    known = [reason for reason in Reason if reason not in (Reason.NONE, Reason.TEST)]
    every = [button(reason_name(words, reason) or "", "why", night, reason.value) for reason in known]
    return [*grid(every, across=3), [button(words("No reason"), "why", night, Reason.NONE.value)]]


def reason_name(words: Words, reason: Reason | None) -> str | None:
    """A reason in words."""
    return (
        {
            Reason.RAN_OUT: words("ran out"),
            Reason.FORGOT: words("forgot it"),
            Reason.STOMACH: words("upset stomach"),
            Reason.ALCOHOL: words("alcohol"),
            Reason.OTHER: words("other"),
            Reason.NONE: words("no reason given"),
        }.get(reason)
        if reason is not None
        else None
    )


def asked_again(
    words: Words, who: Sleeper, night: Night, *, product: str | None, trial: Assignment | None = None
) -> View:
    """The reminder with its buttons, after an answer was taken back."""
    bed_at, zone = times.plan(who.schedule, night).bed_at, times.zone_on(who.schedule, night)
    head = words("<b>Bedtime {time}</b>", time=words.moment(bed_at, zone))
    text = lines(head, prompt(words, who.person, product, trial))
    return View(text, open_keyboard(words, night, trial), silent=True)


def too_soon(words: Words) -> View:
    """A later bedtime that is not late enough."""
    text = words("That is too soon for a reminder. Type a later time for tonight, such as 23:45.")
    return View(text, keyboard([button("‹ " + words("Back"), "glance")]))


def too_early(words: Words, schedule: Schedule, night: Night) -> View:
    """Nothing can be noted yet: from when, and for which night."""
    opens = words.moment(times.can_take_from(schedule, night), times.zone_on(schedule, night))
    return View(words("It is early: I can note it from {time} on. Your reminder stays as planned.", time=opens))


def snooze_choices(words: Words, night: Night) -> View:
    """How long to wait. On the reminder only the buttons change."""
    waits = [button(words("{n} min", n=minutes), "snz", night, minutes) for minutes in SNOOZES]
    other = [button(words("Just before bed"), "snz", night, 0), button("‹ " + words("Back"), "unsnooze", night)]
    return View(words("Remind you again in how long?"), keyboard(waits, other), silent=True)


def snoozed(words: Words, schedule: Schedule, night: Night, *, planned: datetime, until: datetime) -> View:
    """The reminder while it waits; it still says what was planned."""
    zone = times.zone_on(schedule, night)
    text = lines(
        words("Snoozed until {time}.", time=words.moment(until, zone)),
        words(
            "Planned {planned} · bedtime {bed}",
            planned=words.moment(planned, zone),
            bed=words.moment(times.plan(schedule, night).bed_at, zone),
        ),
    )
    row = [button(words("Taken"), "taken", night, style="success"), button(words("Skip tonight"), "skip", night)]
    return View(text, keyboard(row), silent=True)


Standing = tuple[State, datetime] | None
"""Where a night's reminder stands, and when it is next tried; None before it is owed."""


def tonight(
    words: Words,
    who: Sleeper,
    record: NightRecord,
    *,
    product: str | None,
    sent: Standing,
    now: datetime,
    undo: bool = False,
) -> View:
    """Tonight at a glance."""
    person, schedule = who.person, who.schedule
    due = times.plan(schedule, record.night)
    zone = times.zone_on(schedule, record.night)
    text = lines(
        words("<b>{night}</b>", night=words.night(record.night)),
        words("Bedtime {time}", time=words.moment(due.bed_at, zone)),
        _next_line(words, person),
        None if product is None or person.discreet else words("Form: {form}", form=person.label or product),
        status(words, who, record) if record.answered else _sent_line(words, sent, zone),
    )
    open_night = times.can_take_from(schedule, record.night) <= now < times.cut_off(schedule, record.night)
    take = [button(words("Taken already"), "taken", record.night, style="success")] if open_night else []
    rest = [button(words("Later tonight"), "later", record.night), button(words("Skip tonight"), "skip", record.night)]
    back = [button(words("Undo"), "undo", record.night)] if undo else []
    told = sent is not None and sent[0] in (State.SENT, State.UNKNOWN)
    tip = [button(words("Tonight's tip"), "tip_now", record.night)] if told else []
    return View(text, keyboard(back, tip) if record.answered else keyboard(take, rest, tip))


def _next_line(words: Words, person: Person) -> str:
    if person.remind_at is None:
        return words("No reminder is planned. /resume starts again.")
    return words("Next reminder: {moment}", moment="\0").replace("\0", setup.moment(words, person))


def _sent_line(words: Words, sent: Standing, zone: str) -> str | None:
    if sent is None:
        return None
    state, due_at = sent
    return {
        State.DUE: words("Tonight's reminder comes at {time}.", time=words.moment(due_at, zone)),
        State.SENT: words("Tonight's reminder was sent and waits for your answer."),
        State.EXPIRED: words("Tonight's reminder was not sent: it was too late for it."),
        State.UNKNOWN: words("Tonight's reminder may not have arrived."),
    }.get(state)


def resting(words: Words, person: Person) -> View:
    """Tonight for a person who rests."""
    if person.paused_until is not None:
        text = words("Paused until {night}.", night=words.night(person.paused_until))
    else:
        text = words("Paused until you return.")
    return View(
        lines(text, words("/resume starts again at once.")),
        keyboard([button(words("Resume"), "resume", style="success")]),
    )


def later_choices(words: Words, night: Night, *, bedtime: int) -> View:
    """Another bedtime, for tonight alone."""
    steps = [(bedtime + more) % 1440 for more in (30, 60, 90, 120)]
    choices = [button(words.minute(minute), "late", night, minute) for minute in steps]
    text = words("<b>Later tonight: when will you go to bed?</b>\nTap a time, or type it. Tomorrow is as usual.")
    return View(text, keyboard(choices, [button("‹ " + words("Back"), "glance")]))
