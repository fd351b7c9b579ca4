"""One module a subject: what a command, a button or a typed answer does. Read, decide in core, write, show a view.

A module has COMMANDS and PRESSES; the two tables here are made of them, in the order in which modules are asked. `routes`
tells Telegram's library about them, `free_text` reads what was typed without a command, `plans` plans an evening anew after
a change.

Start reading at `evening`. May import: telegram, views, texts, charts, db, core. A handler holds no rule and no SQL; it
answers through its `turn`, and what it said goes out after its transaction is committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.core.model import Awaiting
from bot.handlers import (
    admins,
    bedtime,
    broadcast,
    details,
    diary,
    evening,
    experiment,
    morning,
    onboarding,
    own_label,
    pages,
    pictures,
    preferences,
    privacy,
    rest,
    stock,
    zones,
)
from bot.telegram.turn import AnswerHandler, Handler, Route

MODULES = (
    onboarding,
    evening,
    morning,
    bedtime,
    zones,
    preferences,
    own_label,
    rest,
    pages,
    diary,
    details,
    stock,
    pictures,
    admins,
    broadcast,
    experiment,
    privacy,
)


def _routes(tables: Iterable[Mapping[str, Handler | Route]]) -> dict[str, Route]:
    """One table of many. Two handlers under one name are a mistake of ours, and end the start."""
    made: dict[str, Route] = {}
    for table in tables:
        for name, found in table.items():
            if name in made:
                raise ValueError(f"two handlers are called {name}")
            made[name] = found if isinstance(found, Route) else Route(found)
    return made


COMMANDS = _routes(module.COMMANDS for module in MODULES)
PRESSES = _routes(module.PRESSES for module in MODULES)
ADMIN_VERBS = frozenset({*admins.PRESSES, *broadcast.PRESSES})
"""Buttons that ask for themselves who presses them."""

_ANSWERING = (bedtime, details, evening, experiment, preferences, stock, zones)
ANSWERS: dict[Awaiting, AnswerHandler] = {
    awaited: take for module in _ANSWERING for awaited, take in module.ANSWERS.items()
}
"""The handler of the typed answer to each open question. `free_text` itself takes notes, labels and the word for erasure."""
