"""The person's own words for what they take ("1 tablet"): shown in the reminder, never interpreted."""

from __future__ import annotations

from telegram import Update

from bot.core import parsing
from bot.core.model import Awaiting
from bot.telegram.turn import Handler, Turn
from bot.views import setup as views

LONGEST = 40
_LONGEST_CLEANED = 400  # more than anybody types here, so that cleaning is never a long piece of work


async def ask(update: Update, turn: Turn) -> None:
    """[In your own words]: the next text is it."""
    if not turn.person.set_up:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.await_typed(Awaiting.LABEL)
    turn.edit(update, views.ask_label(turn.words, turn.person, longest=LONGEST))


def take(turn: Turn, said: str) -> None:
    """Keep what was typed. It is not interpreted."""
    cleaned = parsing.clean(said[:_LONGEST_CLEANED], _LONGEST_CLEANED)
    if not cleaned:
        turn.say(views.ask_label(turn.words, turn.person, longest=LONGEST))
        return
    turn.change(label=cleaned[:LONGEST].rstrip(), awaiting=None, awaiting_for=None, awaiting_until=None)
    turn.say(views.label_kept(turn.words, turn.person, longest=LONGEST if len(cleaned) > LONGEST else None))


async def drop(update: Update, turn: Turn) -> None:
    """[Remove it]"""
    turn.answer(update)
    turn.change(label=None, awaiting=None, awaiting_for=None, awaiting_until=None)
    turn.edit(update, views.label_kept(turn.words, turn.person, longest=None))


COMMANDS: dict[str, Handler] = {}
PRESSES: dict[str, Handler] = {"label": ask, "label_off": drop}
