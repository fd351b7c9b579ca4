"""The morning's answers: how the sleep was, whether it was taken, and how often to ask."""

from __future__ import annotations

from telegram import Update

from bot.core import planning, tonight
from bot.core import schedule as times
from bot.core.model import Cadence, Kind, Night, Rating
from bot.core.tonight import Tap, TapEffect
from bot.handlers import evening, plans
from bot.telegram.turn import Handler, Needs, Route, Turn, all_need
from bot.views import evening as evening_views
from bot.views import morning as views
from db import nights
from db.outbox import changes


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
    """Write one answer, marked when it comes late; a person who answers is asked every morning again."""
    late = planning.is_late_rating(turn.schedule, night, now=turn.now)
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
        late = planning.is_late_rating(turn.schedule, night, now=turn.now)
        await nights.record_rating(turn.db, turn.person.id, night, None, at=turn.now, late=late)
    turn.answer(update, turn.words("Undone."))
    await _show(update, turn, night)


async def took(update: Update, turn: Turn) -> None:
    """[Took it] or [Didn't], the morning after; over an answer from the evening it asks first. Nothing after the cut-off."""
    night, number = _rateable_night(turn), turn.press.number(1)
    if night is None or number not in (0, 1):
        turn.out_of_date(update)
        return
    await _tapped(update, turn, night, Tap.TAKEN if number else Tap.SKIP)


async def change_took(update: Update, turn: Turn) -> None:
    """[Change to …] under the morning's question: the other answer takes the place of the one that is noted."""
    night, number = _rateable_night(turn), turn.press.number(1)
    if night is None or number not in (0, 1):
        turn.out_of_date(update)
        return
    await _tapped(update, turn, night, Tap.TAKEN if number else Tap.SKIP, confirmed=True)


async def leave_took(update: Update, turn: Turn) -> None:
    """[Keep] under the morning's question."""
    night = _rateable_night(turn)
    if night is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    await _show(update, turn, night)


async def _tapped(update: Update, turn: Turn, night: Night, answer: Tap, *, confirmed: bool = False) -> None:
    words, who = turn.words, turn.sleeper
    record = await nights.find(turn.db, who.person.id, night)
    effect = tonight.effect(record, answer, confirmed=confirmed)
    if turn.now >= times.cut_off(turn.schedule, night):
        turn.answer(update, words("That night is closed already."))
    elif effect is TapEffect.ASK:
        number, verbs = int(answer is Tap.TAKEN), ("tookchange", "tookleave")
        turn.answer(update)
        turn.edit(update, evening_views.contradicted(words, who, record, change_to=str(number), verbs=verbs))
        return
    elif effect is TapEffect.KNOWN:
        turn.answer(update, evening_views.known_already(words, who, record))
    else:
        record = await evening.record_intake(turn, night, answer.intake)
        turn.answer(update, words("Noted."))
        await evening.settle_reminder(update, turn, night, evening_views.recorded(words, who, record, undo=False))
    await _show(update, turn, night)


async def _show(update: Update, turn: Turn, night: Night) -> None:
    record = await nights.find(turn.db, turn.person.id, night)
    can_ask = turn.now < times.cut_off(turn.schedule, night)
    turn.edit(update, views.answered(turn.words, turn.person, record, can_ask=can_ask))


def _rateable_night(turn: Turn) -> Night | None:
    """The pressed night, if it is one of the last sixty, its bedtime has passed, and the person was there."""
    night = turn.press.night
    return night if night is not None and tonight.can_rate(turn.sleeper, night, turn.now) else None


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
PRESSES: dict[str, Handler | Route] = all_need(
    Needs.SET_UP,
    {
        "rate": rate,
        "unrate": unrate,
        "took": took,
        "tookchange": change_took,
        "tookleave": leave_took,
        "keep": keep,
    },
)
