"""The handler modules in the order in which they are asked, and the two tables made of them: commands and buttons."""

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
