"""Counts for the operator; none is about one person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

import sqlalchemy as sa

from bot.core.model import Intake, Kind, Rating, State, Status
from db import inbox, tables
from db.dialect import is_sqlite
from db.engine import Connection

_box, _users, _inbox, _nights = tables.outbox, tables.users, tables.inbox, tables.nights


FEW = 10
"""Groups smaller than this are shown without their exact number."""

_EVENING = timedelta(hours=18)
_LATE = timedelta(minutes=10)


async def active(db: Connection) -> int:
    """People who are reminded."""
    return await _count(db, sa.select(sa.func.count()).where(_users.c.status == Status.ACTIVE))


async def oldest_due(db: Connection, *, now: datetime) -> float:
    """Seconds for which the longest-due message has waited; 0 when none is due."""
    due = sa.select(sa.func.min(_box.c.due_at)).where(
        _box.c.state == sa.literal_column(f"'{State.DUE.value}'"), _box.c.due_at <= now
    )
    since: datetime | None = await db.scalar(due)
    return 0.0 if since is None else (now - since).total_seconds()


async def unhandled(db: Connection) -> int:
    """Updates that wait in the inbox."""
    return await _count(db, sa.select(sa.func.count()).where(_inbox.c.body.is_not(None)))


async def dead_letters(db: Connection) -> int:
    """Updates that were put aside."""
    return await inbox.dead(db)


async def _count(db: Connection, query: sa.Select[int]) -> int:
    return int(await db.scalar(query) or 0)


@dataclass(frozen=True, slots=True)
class TonightCounts:
    """People by status, the reminders of the last eighteen hours by state, and updates that could not be read."""

    people: dict[str, int]
    reminders: dict[str, int] = field(default_factory=dict)
    late: int = 0
    dead_letters: int = 0


async def tonight(db: Connection, *, now: datetime) -> TonightCounts:
    """How things stand."""
    recent = (_box.c.kind == Kind.REMINDER, _box.c.planned_at > now - _EVENING, _box.c.planned_at <= now)
    return TonightCounts(
        people=await _by(db, _users.c.status),
        reminders=await _by(db, _box.c.state, *recent),
        late=await _late(db, recent),
        dead_letters=await inbox.dead(db),
    )


async def _late(db: Connection, recent: tuple[sa.ColumnElement[bool], ...]) -> int:
    """Reminders that left more than ten minutes after their moment, counted where they are: there may be a million."""
    if is_sqlite(db):
        planned, sent_at = (sa.type_coerce(column, sa.BigInteger) for column in (_box.c.planned_at, _box.c.sent_at))
        late = sent_at - planned > int(_LATE.total_seconds())
    else:
        late = _box.c.sent_at > sa.type_coerce(_box.c.planned_at, sa.DateTime(timezone=True)) + _LATE
    return await _count(db, sa.select(sa.func.count()).where(*recent, _box.c.state == State.SENT, late))


def rounded(number: int) -> int | None:
    """A count that may be shown; None if it is too small."""
    return number if number == 0 or number >= FEW else None


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of the whole installation; each key is a state's or answer's name."""

    people: dict[str, int]
    messages: dict[str, int]  # planned within the last day, by state
    intakes: dict[str, int]  # nights of the last week, by answer
    ratings: dict[str, int]
    nights: int
    unhandled: int
    dead_letters: int


async def totals(db: Connection, *, now: datetime) -> Totals:
    """Counts for the operator, which the caller must not show where they are small."""
    since = now.date() - timedelta(days=7)
    recent = _nights.c.night >= since
    return Totals(
        people=await _by(db, _users.c.status),
        messages=await _by(db, _box.c.state, _box.c.planned_at.between(now - timedelta(days=1), now)),
        intakes=_named(Intake, await _by(db, _nights.c.intake, recent)),
        ratings=_named(Rating, await _by(db, _nights.c.rating, recent)),
        nights=await _count(db, sa.select(sa.func.count()).select_from(_nights)),
        unhandled=await unhandled(db),
        dead_letters=await dead_letters(db),
    )


async def _by(db: Connection, column: sa.ColumnElement[Any], *where: sa.ColumnElement[bool]) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).where(column.is_not(None), *where).group_by(column).order_by(column)
    return {str(value): int(count) for value, count in (await db.execute(query)).all()}


def _named(names: type[IntEnum], counts: dict[str, int]) -> dict[str, int]:
    return {names(int(value)).name.lower(): count for value, count in counts.items()}
