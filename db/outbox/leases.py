"""Rows that a worker has in hand: it gives them back at an orderly end, and others take them back after its death.

1. A lease says until when a claim holds. Only rows whose lease has run out are taken back, unless the caller knows that no
   other worker is alive.
2. A process never takes back rows that it has in hand itself, however far the wall clock jumped.
3. A row that was only claimed is due again: nothing of it has left.
4. A row that was being sent may have arrived. Its kind decides whether it is repeated (`rows.after_unknown`).
5. The dead worker may still be alive. Its later writes change nothing, because each requires that the row is its own.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from bot.core.message_kinds import KINDS
from bot.core.model import Kind, State
from db import tables
from db.engine import Connection
from db.outbox import rows as outbox
from db.outbox.rows import Settled

_box = tables.outbox
_reminder = _box.alias("reminder")
_NEWS = (
    sa.exists()
    .where(
        _reminder.c.user_id == _box.c.user_id,
        _reminder.c.kind == Kind.REMINDER,
        _reminder.c.night == _box.c.night,
        _reminder.c.state.in_(outbox.NEWS),
    )
    .label("news")
)


async def give_back(db: Connection, *, worker: str) -> None:
    """At an orderly end, make the rows due again that this worker claimed and did not start."""
    mine = (_box.c.worker == worker, _box.c.state == State.CLAIMED)
    await db.execute(_box.update().where(*mine).values(state=State.DUE, worker=None, lease_until=None))


async def workers(db: Connection) -> set[str]:
    """The names of all workers that have rows in hand."""
    query = sa.select(_box.c.worker).where(_box.c.lease_until.is_not(None), _box.c.worker.is_not(None)).distinct()
    return {str(name) for name in (await db.execute(query)).scalars()}


async def reclaim(
    db: Connection, *, now: datetime, everything: bool = False, keep: Collection[int] = ()
) -> list[tuple[Kind, State]]:
    """Take back the rows of dead workers: those whose lease ran out by `now`, or with `everything` all.

    `everything` is for the start of a process that is certainly the only one. `keep` are the ids of rows that this process
    has in hand; they are left alone.

    Rows that were not started are due again. Rows that were being sent may have arrived: a reminder is repeated after a
    while, up to three copies; a morning question is repeated once if it reports a reminder that did not arrive; everything
    else ends as UNKNOWN. Returns the kind and new state of each row that was being sent.
    """
    over: ColumnElement[bool] = _box.c.lease_until.is_not(None) if everything else _box.c.lease_until <= now
    held = sa.select(_box.c.id, _box.c.kind, _box.c.state, _box.c.copies, _box.c.sent_at, _box.c.worker, _NEWS)
    held = held.where(over, _box.c.state.in_((State.CLAIMED, State.SENDING))).with_for_update(skip_locked=True)
    lost = [row for row in await db.execute(held) if row.id not in keep]
    if claimed := [row.id for row in lost if row.state == State.CLAIMED]:
        mine = (over, _box.c.id.in_(claimed), _box.c.state == State.CLAIMED)
        await db.execute(_box.update().where(*mine).values(state=State.DUE, worker=None, lease_until=None))
    begun = [row for row in lost if row.state == State.SENDING]
    ends = [_end(row) for row in begun]
    if ends:
        await outbox.settle_each(db, [(end, row.worker) for end, row in zip(ends, begun, strict=True)])
    return [(Kind(row.kind), end.state) for end, row in zip(ends, begun, strict=True) if row.kind in KINDS]


def _end(row: sa.Row[Any]) -> Settled:
    """The result of a row that a dead worker was sending."""
    reason = "the process ended"
    if row.kind not in KINDS:  # a kind that only a newer version knows
        return Settled(row.id, State.UNKNOWN, reason=reason)
    return outbox.after_unknown(
        row.id, kind=Kind(row.kind), copies=row.copies, sent_at=row.sent_at, reason=reason, news=bool(row.news)
    )
