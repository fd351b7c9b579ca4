"""Numbers for the operator: how much there is, never whose it is."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.core.model import State, Status
from db import inbox, tables
from db.engine import Connection

_box, _users, _inbox = tables.outbox, tables.users, tables.inbox


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
