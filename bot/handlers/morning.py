"""The morning's answers: how the sleep was, whether it was taken, and how often to ask."""

from __future__ import annotations

from datetime import timedelta

from telegram import Update

from bot.core import planning
from bot.core import schedule as times
from bot.core.model import Cadence, Intake, Kind, Night, Rating
from bot.handlers import evening, plans
from bot.telegram.turn import Handler, Needs, Route, Turn
from bot.views import evening as evening_views
from bot.views import morning as views
from db import nights
from db.outbox import changes

NIGHTS_BACK = timedelta(days=60)
"""How far back a night can be answered."""


async def rate(update: Update, turn: Turn) -> None:
    """One of the five steps."""
    night, number = _rateable_night(turn), turn.press.number(1)
    if night is None or number not in [rating.value for rating in Rating]:
        turn.out_of_date(update)
        return
    await record_rating(turn, night, Rating(number))
    turn.answer(update, turn.words("Noted."))
    await _show(update, turn, night)


async def record_rating(turn: Turn, night: Night, rating: Rating) -> None:
    """Write one answer, marked when it comes late; who answers is asked every morning again."""
    late = planning.is_late_rating(turn.person, night, now=turn.now)
    await nights.record_rating(turn.db, turn.person.id, night, rating, at=turn.now, late=late)
    turn.change(
        unanswered=None,
        cadence=None if (turn.person.unanswered or 0) >= planning.QUIET_MORNINGS else turn.person.cadence,
    )


async def unrate(update: Update, turn: Turn) -> None:
    """[Undo]: the question again."""
    night = _rateable_night(turn)
    if night is None:
        turn.out_of_date(update)
        return
    if (await nights.find(turn.db, turn.person.id, night)).rating is not None:
        late = planning.is_late_rating(turn.person, night, now=turn.now)
        await nights.record_rating(turn.db, turn.person.id, night, None, at=turn.now, late=late)
    turn.answer(update, turn.words("Undone."))
    await _show(update, turn, night)


async def took(update: Update, turn: Turn) -> None:
    """[Took it] or [Didn't], the morning after; over an answer from the evening it asks first. Nothing after the cut-off."""
    night, number = _rateable_night(turn), turn.press.number(1)
    if night is None or number not in (0, 1):
        turn.out_of_date(update)
        return
    record, intake = await nights.find(turn.db, turn.person.id, night), Intake.TAKEN if number else Intake.SKIPPED
    if turn.now >= times.cut_off(turn.schedule, night):
        turn.answer(update, turn.words("That night is closed already."))
    elif record.contradicts(intake):
        turn.answer(update)
        verbs = ("tookchange", "tookleave")
        ask = evening_views.contradicted(turn.words, turn.person, record, change_to=str(number), verbs=verbs)
        turn.edit(update, ask)
        return
    elif record.intake is intake:
        turn.answer(update, evening_views.known_already(turn.words, turn.person, record))
    else:
        await _note_intake(update, turn, night, intake)
    await _show(update, turn, night)


async def change_took(update: Update, turn: Turn) -> None:
    """[Change to …] under the morning's question: the other answer takes the place of the one that is noted."""
    night, number = _rateable_night(turn), turn.press.number(1)
    if night is None or number not in (0, 1):
        turn.out_of_date(update)
        return
    if turn.now >= times.cut_off(turn.schedule, night):
        turn.answer(update, turn.words("That night is closed already."))
    else:
        await _note_intake(update, turn, night, Intake.TAKEN if number else Intake.SKIPPED)
    await _show(update, turn, night)


async def leave_took(update: Update, turn: Turn) -> None:
    """[Keep] under the morning's question."""
    night = _rateable_night(turn)
    if night is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    await _show(update, turn, night)


async def _note_intake(update: Update, turn: Turn, night: Night, intake: Intake) -> None:
    record = await evening.record_intake(turn, night, intake)
    turn.answer(update, turn.words("Noted."))
    view = evening_views.recorded(turn.words, turn.person, record, undo=False)
    await evening.settle_reminder(update, turn, night, view)


async def _show(update: Update, turn: Turn, night: Night) -> None:
    record = await nights.find(turn.db, turn.person.id, night)
    can_ask = turn.now < times.cut_off(turn.schedule, night)
    turn.edit(update, views.answered(turn.words, turn.person, record, can_ask=can_ask))


def _rateable_night(turn: Turn) -> Night | None:
    """The pressed night, if it is one of the last sixty, its bedtime has passed, and the person was there."""
    night = turn.press.night
    if night is None or turn.person.schedule is None:
        return None
    came = times.night_of(turn.person.created_at, times.zone_on(turn.schedule, night))
    over = times.plan(turn.schedule, night).bed_at <= turn.now
    recent = night >= times.tonight(turn.schedule, turn.now) - NIGHTS_BACK
    return night if night >= came and over and recent else None


async def keep(update: Update, turn: Turn) -> None:
    """How to go on after a week without answers."""
    choice = turn.press.arg(0)
    if choice not in ("nightly", "weekly", "pause"):
        turn.out_of_date(update)
        return
    turn.change(cadence=Cadence.WEEKLY if choice == "weekly" else None, unanswered=None)
    if choice == "pause":
        await plans.pause(turn, None)
    else:
        await changes.cancel(turn.db, turn.person.id, kinds=[Kind.KEEP_GOING], reason="answered")
    turn.answer(update)
    turn.edit(update, views.kept(turn.words, choice))


COMMANDS: dict[str, Handler] = {}
PRESSES: dict[str, Handler | Route] = {"rate": rate, "unrate": unrate, "took": took, "keep": Route(keep, Needs.SET_UP)}
PRESSES |= {"tookchange": change_took, "tookleave": leave_took}
