"""Rest: a pause, a stop, and the way back."""

from __future__ import annotations

from telegram import Update

from bot.core import parsing
from bot.core import spoken as words
from bot.core.model import Night
from bot.handlers import onboarding, plans
from bot.telegram.turn import Handler, Needs, Route, Turn
from bot.texts import spoken
from bot.views import settings as views
from bot.views.message import View


async def pause(update: Update, turn: Turn) -> None:
    """/pause, with a number of nights or without"""
    today = turn.words.date_in(turn.now, turn.person.zone or "UTC")
    months, weekdays = turn.words.months, turn.words.weekdays
    found = words.nights(turn.typed, today, spoken.known(), months=months, weekdays=weekdays)
    if not turn.typed:
        turn.say(views.pause(turn.words))
    elif isinstance(found, words.Doubtful):
        turn.say(views.doubtful_date(turn.words, found))
    elif found is None:
        turn.say(View(turn.words("Type how many nights, up to 365, or a day: /pause 7, /pause until monday.")))
    else:
        count, back = (found, None) if isinstance(found, int) else (None, found)
        await _pause(update, turn, count, back=back)


async def pressed_pause(update: Update, turn: Turn) -> None:
    """The number of nights, tapped; 0 is until they return."""
    count = turn.press.number(0)
    if count is None or not 0 <= count <= max(parsing.PAUSES):
        turn.out_of_date(update)
        return
    turn.answer(update)
    await _pause(update, turn, count or None)


async def _pause(update: Update, turn: Turn, count: int | None, *, back: Night | None = None) -> None:
    await plans.pause(turn, count, back=back)
    if turn.person.paused_until is None:
        line = turn.words("Paused until you return. /resume starts again.")
    else:
        line = turn.words(
            "Paused. I am back on {night}. /resume starts earlier.", night=turn.words.night(turn.person.paused_until)
        )
    if update.callback_query is None:
        turn.say(View(line))
    else:
        turn.edit(update, View(line))


async def stop(_update: Update, turn: Turn) -> None:
    """/stop"""
    await plans.stop(turn)
    back = "/resume" if turn.person.set_up else "/start"
    turn.say(
        View(turn.words("Stopped: I send nothing more. What you told me stays; {command} starts again.", command=back))
    )


async def resume(update: Update, turn: Turn) -> None:
    """/resume"""
    await plans.come_back(turn)
    if not turn.person.set_up:
        await onboarding.go_on(update, turn)
        return
    view = views.saved(turn.words, turn.words("Good to have you back."), turn.person)
    if update.callback_query is None:
        turn.say(view)
    else:
        turn.answer(update)
        turn.edit(update, view)


COMMANDS: dict[str, Handler | Route] = {
    "pause": Route(pause, Needs.SET_UP),
    "stop": Route(stop, Needs.NOTHING),
    "resume": Route(resume, Needs.SET_UP),
}
PRESSES: dict[str, Handler | Route] = {"pause": Route(pressed_pause, Needs.SET_UP), "resume": resume}
