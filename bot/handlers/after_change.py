"""What follows every change of a preference: the set-up goes on, or the plan is made anew and one line says what holds now."""

from __future__ import annotations

from collections.abc import Callable

from telegram import Update

from bot.handlers import onboarding, plans
from bot.telegram.turn import Turn
from bot.views import settings as views
from bot.views.message import View


async def changed(
    update: Update, turn: Turn, confirmation: Callable[[], View], *, replan: bool = True, place: str | None = None
) -> None:
    """Go on after a change. `confirmation` is asked once the plan it may speak of is made; `place` is what to call a new zone.

    A typed answer gets its line as a new message; a tap changes the message it was on.
    """
    turn.change(awaiting=None, awaiting_for=None, awaiting_until=None)
    if turn.before is None or not turn.before.set_up:
        await onboarding.go_on(update, turn, place=place)
        return
    if replan:
        await plans.replan(turn)
    if update.callback_query is None:
        turn.say(confirmation())
    else:
        turn.edit(update, views.with_way_back(turn.words, confirmation()))
