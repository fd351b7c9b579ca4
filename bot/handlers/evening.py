"""The evening's answers: taken, snoozed, skipped, undone; and tonight at a glance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from telegram import Update

from bot.core import callback_data, parsing
from bot.core import schedule as times
from bot.core.model import Awaiting, Intake, Kind, Night, NightRecord, Reason, State, Status
from bot.handlers import plans, stock
from bot.telegram.turn import AnswerHandler, Handler, Needs, Route, Turn
from bot.views import evening as views
from bot.views import setup as setup_views
from bot.views import stock as stock_views
from bot.views.message import View, lines
from db import experiments, nights
from db.outbox import changes

STILL_TONIGHT = timedelta(hours=3)
"""So long after bedtime "tonight" is the night that has begun: who looks then wants to say that they took it."""

UNDO_FOR = timedelta(minutes=10)
"""How long an answer can be taken back with one tap."""


async def tonight(_update: Update, turn: Turn) -> None:
    """/tonight"""
    turn.say(await glance(turn))


async def glance(turn: Turn) -> View:
    """Tonight as it stands: the coming night, or the one that is under way."""
    person, words = turn.person, turn.words
    if person.schedule is None:
        return View(words("Your set-up is not finished: /start goes on with it."))
    if person.status in (Status.PAUSED, Status.STOPPED):
        return views.resting(words, person)
    night = coming_night(turn)
    record = await nights.find(turn.db, person.id, night)
    promise = await changes.find(turn.db, person.id, Kind.REMINDER, night)
    sent = None if promise is None else (promise.state, promise.due_at)
    undo = _undoable(turn, record)
    view = views.tonight(words, person, record, product=turn.product, sent=sent, now=turn.now, undo=undo)
    left = await stock.current(turn)
    return view if left is None else replace(view, text=lines(view.text, stock_views.line(words, left)))


async def show_glance(update: Update, turn: Turn) -> None:
    """[Back] to tonight, in the same message."""
    turn.answer(update)
    turn.change(awaiting=None, awaiting_for=None)
    turn.edit(update, await glance(turn))


def coming_night(turn: Turn) -> Night:
    """The night whose evening is under way, and still for a while after bedtime; else the next planned one."""
    person, schedule = turn.person, turn.schedule
    last = person.reminded_night
    if last is not None and turn.now < times.plan(schedule, last).bed_at + STILL_TONIGHT:
        return last
    return person.remind_night or times.next_due(schedule, after=turn.now).night


async def took(update: Update, turn: Turn) -> None:
    """/took: any time from the evening on, also before the reminder."""
    if turn.person.schedule is None:
        turn.say(await glance(turn))
        return
    night = times.night_to_take(turn.schedule, turn.said_at)
    if night is None:
        turn.say(views.too_early(turn.words, turn.person, coming_night(turn)))
        return
    record = await nights.find(turn.db, turn.person.id, night)
    known = record.took
    if not known:
        record = await record_intake(turn, night, Intake.TAKEN)
        await settle_reminder(update, turn, night, _view_of(turn, record))
    turn.say(_view_of(turn, record))
    if not known:
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
    return views.recorded(turn.words, turn.person, record, undo=_undoable(turn, record))


async def record_intake(turn: Turn, night: Night, intake: Intake | None, reason: Reason | None = None) -> NightRecord:
    """Write one answer; what is still to come tonight becomes superfluous. Of a bag that was taken nobody may know what it held."""
    if intake is Intake.TAKEN and await experiments.has_bag(turn.db, turn.person.id, night):
        intake = Intake.BAG
    record = await nights.record_intake(turn.db, turn.person.id, night, intake, at=turn.said_at, reason=reason)
    if intake is not None:
        await changes.answered(turn.db, turn.person.id, night)
    return record


async def taken(update: Update, turn: Turn) -> None:
    """[Taken]"""
    await _tapped(update, turn, "taken")


async def skip(update: Update, turn: Turn) -> None:
    """[Skip tonight]: recorded at once, the reason is a second, optional tap."""
    await _tapped(update, turn, "skip")


async def without(update: Update, turn: Turn) -> None:
    """[OK], to the self-experiment's night without."""
    await _tapped(update, turn, "without")


_ANSWERS = {
    "taken": (Intake.TAKEN, None),
    "skip": (Intake.SKIPPED, None),
    "without": (Intake.SKIPPED, Reason.TEST),
}
"""What each of the three buttons says."""


async def _tapped(update: Update, turn: Turn, answer: str) -> None:
    """One of the three buttons. It answers an open night; where the night has another answer it changes nothing, but asks."""
    record = await _open_record(update, turn)
    if record is None:
        return
    if record.contradicts(_ANSWERS[answer][0]):
        turn.answer(update)
        turn.edit(update, views.contradicted(turn.words, turn.person, record, change_to=answer))
        return
    await _note(update, turn, record, answer)


async def change(update: Update, turn: Turn) -> None:
    """[Change to …]: the other answer takes the place of the one that is noted."""
    record = await _open_record(update, turn)
    if record is None:
        return
    if turn.press.arg(1) not in _ANSWERS:
        turn.out_of_date(update)
        return
    await _note(update, turn, record, turn.press.arg(1))


async def leave(update: Update, turn: Turn) -> None:
    """[Keep]: what is noted stays, and stands on the message again."""
    record = await _open_record(update, turn)
    if record is None:
        return
    turn.answer(update)
    await _show(update, turn, record)


async def _note(update: Update, turn: Turn, record: NightRecord, answer: str) -> None:
    """Write this answer, or say that it is written already, and show the night."""
    intake, reason = _ANSWERS[answer]
    same = record.took if intake is Intake.TAKEN else record.intake is intake
    known = same and (reason is None or record.reason is reason)
    if known:
        turn.answer(update, views.known_already(turn.words, turn.person, record))
    else:
        record = await record_intake(turn, record.night, intake, reason)
        turn.answer(update, turn.words("Noted."))
    await _show(update, turn, record)
    if intake is Intake.TAKEN and not known:
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
    if record.intake is not None and not _undoable(turn, record):
        turn.answer(update, turn.words("Undo works for ten minutes. What is recorded stays."), alert=True)
        turn.edit(update, views.recorded(turn.words, turn.person, record, undo=False))
        return
    if record.intake is not None:
        await record_intake(turn, record.night, None)
    turn.answer(update, turn.words("Undone."))
    view = await _asked_again(turn, record.night)
    turn.edit(update, view)
    await settle_reminder(update, turn, record.night, view)


async def _asked_again(turn: Turn, night: Night) -> View:
    bed_at = times.plan(turn.schedule, night).bed_at
    trial = await experiments.assignment(turn.db, turn.person.id, night)
    if trial is not None and not await experiments.is_revealed(turn.db, turn.person.id, night):
        return await glance(turn)  # skipped and taken back by day: the arm is the evening's reminder's to show
    return views.asked_again(turn.words, turn.person, night, bed_at=bed_at, product=turn.product, trial=trial)


def _undoable(turn: Turn, record: NightRecord) -> bool:
    return record.intake_at is not None and turn.now < record.intake_at + UNDO_FOR


async def _open_record(update: Update, turn: Turn) -> NightRecord | None:
    """The pressed night, if it can still be answered; else say why not, and show what is recorded."""
    night = turn.press.night
    known = night is not None and await _is_known(turn, night)
    if night is None or not known:
        turn.out_of_date(update)
        return None
    record = await nights.find(turn.db, turn.person.id, night)
    if turn.now < times.cut_off(turn.schedule, night):
        return record
    turn.answer(
        update,
        turn.words("That night is over. Recorded: {status}", status=views.status(turn.words, turn.person, record)),
        alert=True,
    )
    turn.edit(update, views.recorded(turn.words, turn.person, record, undo=False))
    return None


async def _is_known(turn: Turn, night: Night) -> bool:
    """Nobody is asked about a night before they came, or one whose evening has not begun."""
    if turn.person.schedule is None:
        return False
    if await changes.state_of(turn.db, turn.person.id, Kind.REMINDER, night) is not None:
        return True
    if night == turn.person.remind_night and turn.press.verb in ("skip", "why", "undo"):
        return True
    if times.can_take_from(turn.schedule, night) > turn.now:
        return False
    return night >= times.night_of(turn.person.created_at, times.zone_on(turn.schedule, night))


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
    """So many minutes, or 0 for just before bed: the same row, due later."""
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
    turn.edit(update, views.snoozed(turn.words, turn.person, record.night, planned=due.remind_at, until=until))


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
    before = turn.person
    turn.change(later_night=night, later_bedtime=minute, awaiting=None, awaiting_for=None)
    due = times.plan(turn.schedule, night)
    state = await changes.state_of(turn.db, turn.person.id, Kind.REMINDER, night)
    if due.bed_at <= turn.now or (state is None and due.remind_at <= turn.now):
        turn.person = before
        return views.too_soon(turn.words)
    if state is None:
        await plans.replan(turn)
    elif state is not State.CANCELLED and due.remind_at > turn.now:
        await plans.put_off(turn, night, until=due.remind_at, bed_at=due.bed_at)
    await plans.move_check_in(turn)
    return await glance(turn)


async def typed_later(update: Update, turn: Turn, text: str) -> None:
    """A later bedtime for tonight, typed."""
    night = callback_data.Press("", (turn.person.awaiting_for or "",)).night
    match parsing.bedtime(text):
        case parsing.Time(minute) if isinstance(night, date):
            turn.say(await set_later(turn, night, minute))
        case parsing.Ambiguous(morning, late) if night is not None:
            turn.say(setup_views.ambiguous(turn.words, morning=morning, evening=late, verb="late", night=night))
        case _:
            turn.say(View(turn.words("I did not understand that time. Type it like 23:45.")))


COMMANDS: dict[str, Handler | Route] = {"tonight": Route(tonight, Needs.SET_UP), "took": Route(took, Needs.SET_UP)}
PRESSES: dict[str, Handler | Route] = {
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
    "later": Route(later, Needs.SET_UP),
    "late": Route(late, Needs.SET_UP),
    "glance": Route(show_glance, Needs.SET_UP),
}
ANSWERS: dict[Awaiting, AnswerHandler] = {Awaiting.LATER: typed_later}
