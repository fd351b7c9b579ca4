"""Rows that a worker has in hand: given back at an orderly end, taken back from the dead."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from bot.core.model import Kind, State
from db import tables
from db.engine import Connection
from db.outbox import rows as outbox

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
    """At an orderly end: what was claimed and not begun is due again."""
    mine = (_box.c.worker == worker, _box.c.state == State.CLAIMED)
    await db.execute(_box.update().where(*mine).values(state=State.DUE, worker=None, lease_until=None))


async def workers(db: Connection) -> set[str]:
    """Those who have rows in hand."""
    query = sa.select(_box.c.worker).where(_box.c.lease_until.is_not(None), _box.c.worker.is_not(None)).distinct()
    return {str(name) for name in (await db.execute(query)).scalars()}


async def reclaim(
    db: Connection, *, now: datetime, everything: bool = False, keep: Collection[int] = ()
) -> list[tuple[Kind, State]]:
    """Take back the rows of dead workers: those whose lease ran out or, at the start of an only process, all.

    `keep` are the rows that this process has in hand: alive, whatever a clock that jumped says of their leases.

    What had not begun is due again. What was being sent may have arrived: a reminder goes again after a while, up to three
    copies, and a morning question once if it tells of a reminder that did not arrive; anything else stays unknown. Returns
    kind and new state of each row that was being sent.
    """
    over: ColumnElement[bool] = _box.c.lease_until.is_not(None) if everything else _box.c.lease_until <= now
    held = sa.select(_box.c.id, _box.c.kind, _box.c.state, _box.c.copies, _box.c.sent_at, _box.c.worker, _NEWS)
    held = held.where(over, _box.c.state.in_((State.CLAIMED, State.SENDING))).with_for_update(skip_locked=True)
    lost = [row for row in await db.execute(held) if row.id not in keep]
    if claimed := [row.id for row in lost if row.state == State.CLAIMED]:
        mine = (over, _box.c.id.in_(claimed), _box.c.state == State.CLAIMED)
        await db.execute(_box.update().where(*mine).values(state=State.DUE, worker=None, lease_until=None))
    begun = [row for row in lost if row.state == State.SENDING]
    ends = [
        outbox.after_unknown(
            x.id, kind=Kind(x.kind), copies=x.copies, sent_at=x.sent_at, reason="the process ended", news=bool(x.news)
        )
        for x in begun
    ]
    if ends:
        await outbox.settle_each(db, [(end, row.worker) for end, row in zip(ends, begun, strict=True)])
    return [(Kind(row.kind), end.state) for end, row in zip(ends, begun, strict=True)]
