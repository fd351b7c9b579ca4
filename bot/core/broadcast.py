"""When a broadcast may reach a person, how long it takes, and how its bar looks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core import schedule as times
from bot.core.model import Schedule

_DAY = timedelta(days=1)
_WIND_DOWN = timedelta(hours=1)
"""How long before bedtime a person gets no more broadcasts."""

_CELLS = 10

# Telegram tells of a message that nobody can be given a copy of only by its text.
_LOST = ("message to copy not found", "message can't be copied", "message_id_invalid")


class Phase(StrEnum):
    """Where a broadcast stands."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    CANCELLED = "cancelled"


class Fate(StrEnum):
    """What became of one recipient's copy."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"  # it may have arrived; it is never sent again
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One message to many. `language` None is everybody; `total` the recipients counted when it was confirmed."""

    id: int
    admin_id: int
    message_id: int
    phase: Phase
    created_at: datetime
    language: str | None = None
    awake_only: bool = True
    total: int = 0
    fed_to: int = 0  # recipients are taken up in order of their id; this is the last one's
    fed: bool = False  # everybody has been taken up
    panel_id: int | None = None
    ended_at: datetime | None = None

    @property
    def active(self) -> bool:
        """It goes on, or may."""
        return self.phase in (Phase.RUNNING, Phase.PAUSED)


@dataclass(frozen=True, slots=True)
class BroadcastReport:
    """What became of the copies: how many had which fate, and the most common reasons of what was not delivered."""

    counts: Mapping[Fate, int] = field(default_factory=dict)
    reasons: tuple[tuple[Fate, str, int], ...] = ()

    def of(self, fate: Fate) -> int:
        """How many copies had this fate."""
        return self.counts.get(fate, 0)


def may_reach_at(schedule: Schedule | None, now: datetime) -> datetime:
    """The first instant from `now` on that does not lie between an hour before bedtime and the time of waking.

    Waking is the check-in's time. A person without a schedule may be reached at once.
    """
    if schedule is None:
        return now
    tonight = times.tonight(schedule, now)
    for night in (tonight - _DAY, tonight):
        wakes_at = times.check_in_at(schedule, night)
        if times.plan(schedule, night).bed_at - _WIND_DOWN <= now < wakes_at:
            return wakes_at
    return now


def is_lost(reason: str) -> bool:
    """Whether a refusal is about the message itself: no further copy of it can succeed, whoever it is for."""
    return any(sign in reason.lower() for sign in _LOST)


def takes(recipients: int, *, rate: int) -> timedelta:
    """About how long it takes when nothing more urgent is to be sent, rounded up to whole seconds."""
    return timedelta(seconds=-(-recipients // max(1, rate)))


def bar(done: int, total: int) -> str:
    """A progress bar of ten cells."""
    full = _CELLS if total <= 0 else min(_CELLS, done * _CELLS // total)
    return "▓" * full + "░" * (_CELLS - full)
