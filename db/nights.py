"""The diary: answers in, nights out."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.core.model import Delivery, Intake, Night, NightRecord, Rating, Reason
from db import tables
from db.engine import Connection

_nights = tables.nights


async def find(db: Connection, user_id: int, night: Night) -> NightRecord:
    """That night of that person; an empty record where nothing was said."""
    row = (await db.execute(sa.select(_nights).where(_nights.c.user_id == user_id, _nights.c.night == night))).first()
    return NightRecord(night) if row is None else record_of(row)


async def between(db: Connection, user_id: int, first: Night, last: Night) -> list[NightRecord]:
    """The stored nights from `first` to `last`, both included, in order."""
    query = sa.select(_nights).where(_nights.c.user_id == user_id, _nights.c.night.between(first, last)).order_by(_nights.c.night)
    return [record_of(row) for row in await db.execute(query)]


async def record_intake(db: Connection, user_id: int, night: Night, intake: Intake | None, *, at: datetime, reason: Reason | None = None) -> None:
    """What became of the supplement that night; a second answer replaces the first, None takes it back."""
    given = intake is not None
    await _put(db, user_id, night, intake=intake, intake_at=at if given else None, reason=reason if given else None)


async def record_rating(db: Connection, user_id: int, night: Night, rating: Rating | None, *, at: datetime, late: bool = False) -> None:
    """How the sleep was; a second answer replaces the first, None takes it back. `late`: after the next evening's reminder."""
    given = rating is not None
    await _put(db, user_id, night, rating=rating, rated_at=at if given else None, late=late or None if given else None)


async def erase(db: Connection, user_id: int) -> None:
    """Forget every night of this person."""
    await db.execute(_nights.delete().where(_nights.c.user_id == user_id))


async def _put(db: Connection, user_id: int, night: Night, **values: object) -> None:
    insert = _insert(db)(_nights).values(user_id=user_id, night=night, **values)
    await db.execute(insert.on_conflict_do_update(index_elements=["user_id", "night"], set_=values))


def _insert(db: Connection) -> type[sqlite.Insert] | type[postgresql.Insert]:
    return sqlite.Insert if db.dialect.name == "sqlite" else postgresql.Insert


def record_of(row: sa.Row[tuple[object, ...]]) -> NightRecord:
    """A night from a row of `nights`."""
    get = row._mapping
    return NightRecord(
        night=get["night"],
        delivery=None if get["reminder"] is None else Delivery(get["reminder"]),
        intake=None if get["intake"] is None else Intake(get["intake"]),
        intake_at=get["intake_at"],
        reason=None if get["reason"] is None else Reason(get["reason"]),
        rating=None if get["rating"] is None else Rating(get["rating"]),
        rated_at=get["rated_at"],
        late=bool(get["late"]),
    )
