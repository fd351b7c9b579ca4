"""Ends rows that no worker has: at the end of their window, and as history at the end of their night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.core.message_kinds import KINDS
from bot.core.model import Delivery, Kind, Night, State
from db import nights, tables
from db.engine import Connection

_box = tables.outbox


async def expire(db: Connection, *, now: datetime) -> list[tuple[Kind, State]]:
    """End rows whose window has closed: as UNKNOWN if a copy may have arrived, as EXPIRED if no copy left."""
    ended = (
        _box.update()
        .where(_box.c.state == sa.literal_column("'due'"), _box.c.due_at <= now, _box.c.until_at <= now)
        .values(
            state=sa.case((_box.c.copies > 0, State.UNKNOWN), else_=State.EXPIRED),
            reason=sa.func.coalesce(_box.c.reason, "not sent in time"),
        )
        .returning(_box.c.kind, _box.c.state)
    )
    return [(Kind(kind), State(state)) for kind, state in await db.execute(ended) if kind in KINDS]


_DELIVERY = {
    State.SENT: Delivery.SENT,
    State.UNKNOWN: Delivery.UNKNOWN,
    State.EXPIRED: Delivery.EXPIRED,
    State.GONE: Delivery.UNREACHABLE,
    State.CANCELLED: Delivery.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """One row that became history."""

    user_id: int
    kind: Kind
    night: Night
    state: State


async def close(db: Connection, *, now: datetime, limit: int) -> list[ClosedRow]:
    """Turn rows past their cut-off into history.

    A reminder's fate goes to the diary, where a night that was reminded and not answered becomes missed; a check-in that was
    sent and not answered counts as a quiet morning. At most `limit` rows; returns what was closed.
    """
    old = (
        sa.select(_box.c.id)
        .where(_box.c.close_at <= now, _box.c.state.not_in((State.CLAIMED, State.SENDING)))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    gone = (
        _box.delete()
        .where(_box.c.id.in_(sa.select(old.c.id)))
        .returning(_box.c.user_id, _box.c.kind, _box.c.night, _box.c.state, _box.c.reason, _box.c.copies, _box.c.tip)
    )
    rows = (await db.execute(gone)).all()
    closed = [ClosedRow(row.user_id, Kind(row.kind), row.night, State(row.state)) for row in rows if row.kind in KINDS]
    fates = [
        {
            "user_id": row.user_id,
            "night": row.night,
            "reminder": _fate(State(row.state), row.reason, row.copies),
            "tip": row.tip,
        }
        for row in rows
        if row.kind == Kind.REMINDER
    ]
    await nights.close(db, fates)
    await nights.count_quiet(
        db, [(c.user_id, c.night) for c in closed if KINDS[c.kind].counts_as_quiet and c.state is State.SENT]
    )
    return closed


def _fate(state: State, reason: str | None, copies: int) -> Delivery:
    if state is State.DUE:  # put off beyond its night's end
        return Delivery.UNKNOWN if copies else Delivery.EXPIRED
    if state is State.GONE and reason == "not found":
        return Delivery.NOT_FOUND
    return _DELIVERY[state]
