"""The evening's answers: taken, snoozed, skipped, undone; and tonight at a glance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from telegram import Update

from bot.core import callback_data, parsing
from bot.core import schedule as times
from bot.core import spoken as spoken_rules
from bot.core import tonight as rules
from bot.core.model import Awaiting, Intake, Kind, Night, NightRecord, Reason, Status
from bot.core.tonight import LaterEffect, Tap, TapEffect
from bot.handlers import plans, stock
from bot.telegram.turn import AnswerHandler, Handler, Needs, Route, Turn, all_need
from bot.texts import spoken
from bot.views import evening as views
from bot.views import setup as setup_views
from bot.views import stock as stock_views
from bot.views.message import View, lines
from db import experiments, nights
from db.outbox import changes


async def tonight(_update: Update, turn: Turn) -> None:
    """/tonight"""
    turn.say(await glance(turn))


async def glance(turn: Turn) -> View:
    """Tonight as it stands: the coming night, or the one that is under way."""
    person, words = turn.person, turn.words
    if person.status in (Status.PAUSED, Status.STOPPED):
        return views.resting(words, person)
    night = coming_night(turn)
    record = await nights.find(turn.db, person.id, night)
    promise = await changes.find(turn.db, person.id, Kind.REMINDER, night)
    sent = None if promise is None else (promise.state, promise.due_at)
    undo = rules.can_undo(record, turn.now)
    view = views.tonight(words, turn.sleeper, record, product=turn.product, sent=sent, now=turn.now, undo=undo)
    left = await stock.current(turn)
    return view if left is None else replace(view, text=lines(view.text, stock_views.line(words, left)))


async def show_glance(update: Update, turn: Turn) -> None:
    """[Back] to tonight, in the same message."""
    turn.answer(update)
    turn.change(awaiting=None, awaiting_for=None)
    turn.edit(update, await glance(turn))


def coming_night(turn: Turn) -> Night:
    """The night that "tonight" is for this person now."""
    return rules.coming_night(turn.sleeper, turn.now)


async def took(update: Update, turn: Turn) -> None:
    """/took: any time from the evening on, also before the reminder."""
    night = times.night_to_take(turn.schedule, turn.said_at)
    if night is None:
        turn.say(views.too_early(turn.words, turn.schedule, coming_night(turn)))
        return
    record = await nights.find(turn.db, turn.person.id, night)
    if record.took:
        turn.say(_view_of(turn, record))
    else:
        await take(update, turn, night)


async def take(update: Update, turn: Turn, night: Night) -> None:
    """It was said in words or with a label, not with the reminder's button: noted, shown, and counted."""
    record = await record_intake(turn, night, Intake.TAKEN)
    await settle_reminder(update, turn, night, _view_of(turn, record))
    turn.say(_view_of(turn, record))
    await stock.after_taking(turn)


async def settle_reminder(update: Update, turn: Turn, night: Night, view: View) -> None:
    """The reminder that is still on the screen says the same as the answer that was given elsewhere."""
    row = await changes.find(turn.db, turn.person.id, Kind.REMINDER, night)
    if row is not None and row.message_id and _pressed(update) != row.message_id:
        turn.edit_message(row.message_id, view)


def _pressed(update: Update) -> int | None:
    """The message whose button was pressed; None for what was typed."""
    message = None if update.callback_query is None else update.callback_query.message
    return None if message is None else message.message_id


def _view_of(turn: Turn, record: NightRecord) -> View:
    return views.recorded(turn.words, turn.sleeper, record, undo=rules.can_undo(record, turn.now))


async def record_intake(turn: Turn, night: Night, intake: Intake | None, reason: Reason | None = None) -> NightRecord:
    """Write one answer and withdraw what is still to come tonight. Returns the night as it then stands.

    If the night has a numbered bag, "taken" is stored as a bag, because its content is sealed.
    """
    if intake is Intake.TAKEN and await experiments.has_bag(turn.db, turn.person.id, night):
        intake = Intake.BAG
    record = await nights.record_intake(turn.db, turn.person.id, night, intake, at=turn.said_at, reason=reason)
    if intake is not None:
        await changes.answered(turn.db, turn.person.id, night)
    return record


async def taken(update: Update, turn: Turn) -> None:
    """[Taken]"""
    await _tapped(update, turn, Tap.TAKEN)


async def skip(update: Update, turn: Turn) -> None:
    """[Skip tonight]: recorded at once, the reason is a second, optional tap."""
    await _tapped(update, turn, Tap.SKIP)


async def without(update: Update, turn: Turn) -> None:
    """[OK], to the self-experiment's night without."""
    await _tapped(update, turn, Tap.WITHOUT)


async def change(update: Update, turn: Turn) -> None:
    """[Change to …]: the other answer takes the place of the one that is noted."""
    if turn.press.arg(1) not in list(Tap):
        turn.out_of_date(update)
        return
    await _tapped(update, turn, Tap(turn.press.arg(1)), confirmed=True)


async def leave(update: Update, turn: Turn) -> None:
    """[Keep]: what is noted stays, and stands on the message again."""
    record = await _open_record(update, turn)
    if record is None:
        return
    turn.answer(update)
    await _show(update, turn, record)


async def _tapped(update: Update, turn: Turn, answer: Tap, *, confirmed: bool = False) -> None:
    """An answer to an open night: written and shown, or known already, or asked about."""
    record = await _open_record(update, turn)
    if record is None:
        return
    match rules.effect(record, answer, confirmed=confirmed):
        case TapEffect.ASK:
            turn.answer(update)
            turn.edit(update, views.contradicted(turn.words, turn.sleeper, record, change_to=answer))
        case TapEffect.KNOWN:
            turn.answer(update, views.known_already(turn.words, turn.sleeper, record))
            await _show(update, turn, record)
        case TapEffect.NOTE:
            record = await record_intake(turn, record.night, answer.intake, answer.reason)
            turn.answer(update, turn.words("Noted."))
            await _show(update, turn, record)
            if answer is Tap.TAKEN:
                await stock.after_taking(turn)


async def _show(update: Update, turn: Turn, record: NightRecord) -> None:
    """What is recorded, on the pressed message and on the reminder."""
    view = _view_of(turn, record)
    turn.edit(update, view)
    await settle_reminder(update, turn, record.night, view)


async def why(update: Update, turn: Turn) -> None:
    """A reason for the skip."""
    record = await _open_record(update, turn)
    if record is None:
        return
    if turn.press.arg(1) not in list(Reason):
        turn.out_of_date(update)
        return
    if record.intake is Intake.SKIPPED:
        record = await record_intake(turn, record.night, Intake.SKIPPED, Reason(turn.press.arg(1)))
    turn.answer(update)
    await _show(update, turn, record)


async def undo(update: Update, turn: Turn) -> None:
    """[Undo]: the night has no answer again, and the reminder its buttons. What was withdrawn stays withdrawn."""
    record = await _open_record(update, turn)
    if record is None:
        return
    if record.intake is not None and not rules.can_undo(record, turn.now):
        turn.answer(update, turn.words("Undo works for ten minutes. What is recorded stays."), alert=True)
        turn.edit(update, views.recorded(turn.words, turn.sleeper, record, undo=False))
        return
    if record.intake is not None:
        await record_intake(turn, record.night, None)
    turn.answer(update, turn.words("Undone."))
    view = await _asked_again(turn, record.night)
    turn.edit(update, view)
    await settle_reminder(update, turn, record.night, view)


async def _asked_again(turn: Turn, night: Night) -> View:
    trial = await experiments.assignment(turn.db, turn.person.id, night)
    if trial is not None and not await experiments.is_revealed(turn.db, turn.person.id, night):
        return await glance(turn)  # skipped and taken back by day: the arm is the evening's reminder's to show
    return views.asked_again(turn.words, turn.sleeper, night, product=turn.product, trial=trial)


async def _open_record(update: Update, turn: Turn) -> NightRecord | None:
    """The pressed night, if it can still be answered; else say why not, and show what is recorded."""
    night = turn.press.night
    if night is None or not await _can_answer(turn, night):
        turn.out_of_date(update)
        return None
    record = await nights.find(turn.db, turn.person.id, night)
    if turn.now < times.cut_off(turn.schedule, night):
        return record
    turn.answer(
        update,
        turn.words("That night is over. Recorded: {status}", status=views.status(turn.words, turn.sleeper, record)),
        alert=True,
    )
    turn.edit(update, views.recorded(turn.words, turn.sleeper, record, undo=False))
    return None


_LEAVE_OUT = ("skip", "why", "undo")
"""The buttons that mean something for the planned night before its evening has begun."""


async def _can_answer(turn: Turn, night: Night) -> bool:
    owed = await changes.state_of(turn.db, turn.person.id, Kind.REMINDER, night) is not None
    leaves_out = turn.press.verb in _LEAVE_OUT
    return rules.can_answer(turn.sleeper, night, owed=owed, leaves_out=leaves_out, now=turn.now)


# -- snooze ------------------------------------------------------------------------------------------------------------


async def snooze(update: Update, turn: Turn) -> None:
    """[Snooze]: how long? The reminder's text stays, its buttons change."""
    record = await _snoozable(update, turn)
    if record is None:
        return
    turn.answer(update)
    turn.edit_buttons(update, views.snooze_choices(turn.words, record.night))


async def _snoozable(update: Update, turn: Turn) -> NightRecord | None:
    """The pressed night while its reminder waits for an answer; else what became of it is said and shown."""
    record = await _open_record(update, turn)
    if record is None:
        return None
    if record.answered:
        turn.answer(update, turn.words("That is answered already."))
        await _show(update, turn, record)
        return None
    if await changes.state_of(turn.db, turn.person.id, Kind.REMINDER, record.night) is None:
        turn.out_of_date(update)
        return None
    return record


async def unsnooze(update: Update, turn: Turn) -> None:
    """[Back] from the snooze choices."""
    record = await _snoozable(update, turn)
    if record is None:
        return
    turn.answer(update)
    turn.edit_buttons(update, await _asked_again(turn, record.night))


async def snooze_for(update: Update, turn: Turn) -> None:
    """Snooze for this many minutes, or 0 for just before bed: the same row becomes due later."""
    minutes = turn.press.number(1)
    if minutes not in (0, *views.SNOOZES):
        turn.out_of_date(update)
        return
    record = await _snoozable(update, turn)
    if record is None:
        return
    due = times.plan(turn.schedule, record.night)
    until = times.snooze_until(turn.now, due.bed_at, minutes or None)
    if until is None:
        turn.answer(update, turn.words("It is too close to bedtime for a snooze."), alert=True)
        turn.edit_buttons(update, await _asked_again(turn, record.night))
        return
    await plans.put_off(turn, record.night, until=until, bed_at=due.bed_at, message_id=_pressed(update))
    turn.answer(update)
    turn.edit(update, views.snoozed(turn.words, turn.schedule, record.night, planned=due.remind_at, until=until))


# -- another bedtime for tonight ---------------------------------------------------------------------------------------


async def later(update: Update, turn: Turn) -> None:
    """[Later tonight]: when?"""
    night = turn.press.night
    if night is None or night != coming_night(turn):
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.await_typed(Awaiting.LATER, night.isoformat())
    turn.edit(update, views.later_choices(turn.words, night, bedtime=times.bedtime_on(turn.schedule, night)))


async def late(update: Update, turn: Turn) -> None:
    """A later bedtime was tapped."""
    night, minute = turn.press.night, turn.press.number(1)
    if night is None or minute is None or not 0 <= minute < 1440 or night != coming_night(turn):
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.edit(update, await set_later(turn, night, minute))


async def set_later(turn: Turn, night: Night, minute: int) -> View:
    """Tonight's bedtime is another one; a reminder that was sent comes again at its new moment, as a snooze would."""
    state = await changes.state_of(turn.db, turn.person.id, Kind.REMINDER, night)
    found = rules.later(turn.schedule, night, minute, reminder=state, now=turn.now)
    if found.effect is LaterEffect.REFUSED:
        return views.too_soon(turn.words)
    turn.change(later_night=night, later_bedtime=minute, awaiting=None, awaiting_for=None)
    if found.effect is LaterEffect.PLANNED:
        await plans.replan(turn)
    elif found.effect is LaterEffect.AGAIN:
        await plans.put_off(turn, night, until=found.remind_at, bed_at=found.bed_at)
    await plans.move_check_in(turn)
    return await glance(turn)


async def typed_later(update: Update, turn: Turn, text: str) -> None:
    """A later bedtime for tonight, typed."""
    night = callback_data.Press("", (turn.person.awaiting_for or "",)).night
    match spoken_rules.time_of_day(text, spoken.known(), usual="evening"):
        case parsing.Time(minute) if isinstance(night, date):
            turn.say(await set_later(turn, night, minute))
        case parsing.Ambiguous(morning, late) if night is not None:
            turn.say(setup_views.ambiguous(turn.words, morning=morning, evening=late, verb="late", night=night))
        case spoken_rules.Several() as two:
            turn.say(setup_views.one_of(turn.words, two, verb="late", night=night))
        case _:
            turn.say(View(turn.words("I did not understand that time. Type it like 23:45.")))


COMMANDS: dict[str, Handler | Route] = {"tonight": Route(tonight, Needs.SET_UP), "took": Route(took, Needs.SET_UP)}
PRESSES: dict[str, Handler | Route] = all_need(
    Needs.SET_UP,
    {
        "taken": taken,
        "skip": skip,
        "without": without,
        "change": change,
        "leave": leave,
        "why": why,
        "undo": undo,
        "snooze": snooze,
        "unsnooze": unsnooze,
        "snz": snooze_for,
        "later": later,
        "late": late,
        "glance": show_glance,
    },
)
ANSWERS: dict[Awaiting, AnswerHandler] = {Awaiting.LATER: typed_later}
