"""Which nights a person's diary has: from its first night on, and which of them can be corrected."""

from __future__ import annotations

from bot.core import diary as core
from bot.core import schedule as times
from bot.core.diary import Open
from bot.core.model import Night
from bot.telegram.turn import Turn
from db import diary


async def begins(turn: Turn) -> Night:
    """The diary's first night: the one on which the person came, or an earlier one that they brought in."""
    came = times.night_of(turn.person.created_at, times.zone_at(turn.schedule, turn.now))
    stored = await diary.first_night(turn.db, turn.person.id)
    return came if stored is None else min(came, stored)


async def open_nights(turn: Turn) -> Open:
    """The nights that the diary has, and those that the person can correct now."""
    return core.open_nights(turn.schedule, begins=await begins(turn), now=turn.now)
