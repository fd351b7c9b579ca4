"""Updates, stored before they are confirmed to Telegram, and dead letters: updates that could not be handled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.core import shapes
from db import tables, upserts
from db.dialect import is_sqlite
from db.engine import Connection
from db.sqlite.prepared import Prepared, Statement

_inbox, _dead = tables.inbox, tables.dead_letters

REMEMBER = timedelta(days=2)
"""How long the number of a handled update is kept: Telegram repeats an update for a day at most."""

KEEP_DEAD = timedelta(days=30)
"""How long a dead letter is kept."""

KEEP_TEXT = timedelta(days=7)
"""How long its text is kept: long enough to find the mistake and to answer. After that only its shape is kept."""

_PAGE = 500

_UNHANDLED = _inbox.c.body.is_not(None)
_DONE = Prepared(
    lambda _: (
        _inbox.update().where(_inbox.c.update_id == sa.bindparam("number"), _UNHANDLED).values(body=None, user_id=None)
    )
)


def _store(dialect: str) -> Statement:
    values: dict[str, object] = {name: sa.bindparam(name) for name in ("update_id", "user_id", "body", "received_at")}
    insert = upserts.into(_inbox, on=dialect).values(values | {"attempts": 0})
    return insert.on_conflict_do_nothing().returning(_inbox.c.update_id)


_STORE = Prepared(_store)


def _keep(dialect: str) -> Statement:
    values: dict[str, object] = {name: sa.bindparam(name) for name in ("update_id", "user_id", "at", "error", "body")}
    return upserts.into(_dead, on=dialect).values(values).on_conflict_do_nothing()


_KEEP = Prepared(_keep)


@dataclass(frozen=True, slots=True)
class StoredUpdate:
    """One update as it came: its number, who sent it (None: no sender), its JSON text."""

    update_id: int
    user_id: int | None
    body: str
    received_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Dead:
    """An update that could not be handled, and why."""

    stored_update: StoredUpdate
    error: str


async def store(db: Connection, stored_updates: Sequence[StoredUpdate]) -> set[int]:
    """Keep a batch. Returns the numbers that are new; those that came before are dropped."""
    values = [
        {"update_id": x.update_id, "user_id": x.user_id, "body": x.body, "received_at": x.received_at}
        for x in stored_updates
    ]
    return {row["update_id"] for row in await _STORE.each(db, values)}


async def waiting(db: Connection, *, before: datetime | None = None, limit: int | None = None) -> list[StoredUpdate]:
    """Those not handled yet, oldest first: all, or at most `limit` that came before an instant."""
    query = sa.select(_inbox).where(_UNHANDLED).order_by(_inbox.c.update_id).limit(limit)
    if before is not None:
        query = query.where(_inbox.c.received_at < before)
    return [_letter(row) for row in await db.execute(query)]


def _letter(row: sa.Row[tuple[object, ...]]) -> StoredUpdate:
    return StoredUpdate(row.update_id, row.user_id, row.body, row.received_at, row.attempts)


async def first(db: Connection, stored_update: StoredUpdate) -> StoredUpdate | None:
    """Whose turn it is: this update's, or that of an earlier one of the same person. None: it has been handled.

    Several processes on PostgreSQL may each hold updates of one person. From here to the end of the transaction the
    person is locked for this one, and so is the update. On SQLite the only process keeps the order in its queues.
    """
    if is_sqlite(db):
        return stored_update
    mine = _inbox.c.update_id == stored_update.update_id
    if stored_update.user_id is not None:
        # An advisory lock also works for a person who has no row yet.
        await db.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.literal(stored_update.user_id, sa.BigInteger))))
        mine = sa.and_(_inbox.c.user_id == stored_update.user_id, _inbox.c.update_id <= stored_update.update_id)
    query = sa.select(_inbox).where(mine, _UNHANDLED).order_by(_inbox.c.update_id).limit(1).with_for_update()
    row = (await db.execute(query)).first()
    return None if row is None else _letter(row)


async def done(db: Connection, update_id: int) -> bool:
    """Note that it was handled, and forget its content and sender, in the transaction of its handler's writes.

    Returns False if another process has handled it; then the transaction must not be committed.
    """
    return await _DONE.run(db, {"number": update_id}) > 0


async def failed(db: Connection, update_id: int) -> None:
    """One more try went wrong."""
    await db.execute(_inbox.update().where(_inbox.c.update_id == update_id).values(attempts=_inbox.c.attempts + 1))


async def bury(db: Connection, dead: Sequence[Dead], *, now: datetime) -> None:
    """Put them with the dead letters, for the operator to look at."""
    await _KEEP.many(
        db,
        [
            _kept(one.stored_update.update_id, one.stored_update.body, one.error, now, one.stored_update.user_id)
            for one in dead
        ],
    )
    await _DONE.many(db, [{"number": one.stored_update.update_id} for one in dead])


async def keep(
    db: Connection, number: int, *, body: str, error: str, now: datetime, user_id: int | None = None
) -> None:
    """Keep as a dead letter what could not even become a stored update. An existing one stays."""
    await _KEEP.run(db, _kept(number, body, error, now, user_id))


def _kept(number: int, body: str, error: str, now: datetime, user_id: int | None) -> dict[str, object]:
    # An update without a sender would not be found by any erasure.
    kept = shapes.of(body) if user_id is None else body
    return {"update_id": number, "user_id": user_id, "at": now, "error": storable(error), "body": storable(kept)}


def storable(text: str) -> str:
    """A text that every database takes: no half characters, and no NUL, which PostgreSQL refuses."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


async def dead(db: Connection) -> int:
    """How many dead letters there are."""
    return int(await db.scalar(sa.select(sa.func.count()).select_from(_dead)) or 0)


async def prune(db: Connection, *, now: datetime) -> None:
    """Forget the numbers and the dead letters that are old enough, and of younger ones what they said."""
    await db.execute(_inbox.delete().where(_inbox.c.body.is_(None), _inbox.c.received_at < now - REMEMBER))
    await db.execute(_dead.delete().where(_dead.c.at < now - KEEP_DEAD))
    old = (_dead.c.at < now - KEEP_TEXT, _dead.c.body.not_like(f"{shapes.MARK}%"))
    for row in (await db.execute(sa.select(_dead).where(*old).limit(_PAGE))).all():
        # An error may quote what it could not read.
        values = {"body": shapes.of(row.body), "error": row.error.partition(":")[0]}
        await db.execute(_dead.update().where(_dead.c.update_id == row.update_id).values(values))
