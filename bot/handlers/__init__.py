"""One module a subject: what a command, a button or a typed answer does. Read, decide in core, write, show a view.

A module has COMMANDS and PRESSES; the two tables here are made of them, in the order in which modules are asked. `routes`
tells Telegram's library about them, `free_text` reads what was typed without a command, `plans` plans an evening anew after
a change.

Start reading at `evening`. May import: telegram, views, texts, charts, db, core. A handler holds no rule and no SQL; it
answers through its `turn`, and what it said goes out after its transaction is committed.
"""

from __future__ import annotations

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
from bot.telegram.turn import Handler

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

COMMANDS: dict[str, Handler] = {name: handler for module in MODULES for name, handler in module.COMMANDS.items()}
PRESSES: dict[str, Handler] = {verb: handler for module in MODULES for verb, handler in module.PRESSES.items()}
ADMIN_VERBS = frozenset({*admins.PRESSES, *broadcast.PRESSES})
