"""The diary: answers in, nights out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from bot.core.model import Delivery, Intake, Night, NightRecord, Rating, Reason
from db import tables, upserts
from db.engine import Connection
from db.sqlite.prepared import Prepared, Statement

_nights, _users = tables.nights, tables.users
_FIND = Prepared(
    lambda _: sa.select(_nights).where(_nights.c.user_id == sa.bindparam("user"), _nights.c.night == sa.bindparam("on"))
)
_trials, _extra = tables.experiments, tables.experiment_nights


async def find(db: Connection, user_id: int, night: Night) -> NightRecord:
    """That night of that person; an empty record where nothing was said."""
    row = await _FIND.first(db, {"user": user_id, "on": night})
    return NightRecord(night) if row is None else record_from(night=night, values=row)


async def between(db: Connection, user_id: int, first: Night, last: Night) -> list[NightRecord]:
    """The stored nights from `first` to `last`, both included, in order."""
    return [record_from(night=row["night"], values=row) async for row in in_turns(db, _nights, user_id, first, last)]


AT_ONCE = 183
"""Nights that are read in one go: others have their turn between one half-year of a long diary and the next."""


async def in_turns(
    db: Connection, table: sa.Table, user_id: int, first: Night, last: Night
) -> AsyncIterator[sa.RowMapping]:
    """The person's rows of a table of nights, in order."""
    start: Night | None = first
    while start is not None:
        query = (
            sa.select(table)
            .where(table.c.user_id == user_id, table.c.night.between(start, last))
            .order_by(table.c.night)
            .limit(AT_ONCE)
        )
        rows = (await db.execute(query)).mappings().all()
        for row in rows:
            yield row
        start = rows[-1]["night"] + timedelta(days=1) if len(rows) == AT_ONCE else None


async def record_intake(
    db: Connection, user_id: int, night: Night, intake: Intake | None, *, at: datetime, reason: Reason | None = None
) -> NightRecord:
    """What became of the supplement that night; a second answer replaces the first, None takes it back. Gives the night."""
    given = intake is not None
    return await _put(
        db, user_id, night, intake=intake, intake_at=at if given else None, reason=reason if given else None
    )


async def retell(db: Connection, user_id: int, record: NightRecord) -> None:
    """Replace what became of the supplement that night; the time of the answer stays."""
    mine = (_nights.c.user_id == user_id, _nights.c.night == record.night)
    await db.execute(_nights.update().where(*mine).values(intake=record.intake, reason=record.reason))


async def record_rating(
    db: Connection, user_id: int, night: Night, rating: Rating | None, *, at: datetime, late: bool = False
) -> NightRecord:
    """How the sleep was; a second answer replaces the first, None takes it back. `late`: after the next evening's reminder."""
    given = rating is not None
    if late:
        await keep_in_time(db, user_id, night)
    return await _put(
        db, user_id, night, rating=rating, rated_at=at if given else None, late=late or None if given else None
    )


async def keep_in_time(db: Connection, user_id: int, night: Night) -> None:
    """A self-experiment under way keeps the rating that was given in time: before a late one takes its place, or once a look
    has rested on it.
    """
    in_trial = sa.exists().where(_trials.c.user_id == user_id, _trials.c.ended_at.is_(None))
    in_time = sa.select(_nights.c.user_id, _nights.c.night, _nights.c.rating).where(
        _nights.c.user_id == user_id,
        _nights.c.night == night,
        _nights.c.rating.is_not(None),
        _nights.c.late.is_(None),
        in_trial,
    )
    insert = upserts.into(_extra, on=db).from_select(["user_id", "night", "rating"], in_time)
    first = {"rating": sa.func.coalesce(_extra.c.rating, insert.excluded.rating)}
    await db.execute(insert.on_conflict_do_update(index_elements=["user_id", "night"], set_=first))


async def _put(db: Connection, user_id: int, night: Night, **values: object) -> NightRecord:
    """Write these of the night's columns; gives all of it as it then stands."""
    given = {"user_id": user_id, "night": night, **values}
    (row,) = await _upsert(*values).rows(db, given)
    return record_from(night=night, values=row)


# Built once for each set of columns: to build it costs several times what SQLite needs to run it.
@lru_cache(maxsize=32)
def _upsert(*names: str) -> Prepared:
    def build(dialect: str) -> Statement:
        insert = upserts.into(_nights, on=dialect)
        insert = insert.values({name: sa.bindparam(name) for name in ("user_id", "night", *names)})
        new = {name: insert.excluded[name] for name in names}
        return insert.on_conflict_do_update(index_elements=["user_id", "night"], set_=new).returning(*_nights.c)

    return Prepared(build)


COLUMNS = ("reminder", "intake", "intake_at", "reason", "rating", "rated_at", "late")


def record_from(*, night: Night, values: Mapping[str, Any] | sa.RowMapping) -> NightRecord:
    """A night from the values of COLUMNS."""
    return NightRecord(
        night=night,
        delivery=None if values["reminder"] is None else Delivery(values["reminder"]),
        intake=None if values["intake"] is None else Intake(values["intake"]),
        intake_at=values["intake_at"],
        reason=None if values["reason"] is None else Reason(values["reason"]),
        rating=None if values["rating"] is None else Rating(values["rating"]),
        rated_at=values["rated_at"],
        late=bool(values["late"]),
    )


# -- at the cut-off ----------------------------------------------------------------------------------------------------

_REMINDED = (Delivery.SENT, Delivery.UNKNOWN)


async def close(db: Connection, fates: Sequence[Mapping[str, object]]) -> None:
    """Note each night's delivery (`user_id`, `night`, `reminder`, perhaps the `tip`); a reminded night without an answer becomes
    missed.
    """
    if not fates:
        return
    rows = [{"tip": None, **fate, "intake": Intake.MISSED if fate["reminder"] in _REMINDED else None} for fate in fates]
    insert = upserts.into(_nights, on=db)
    new = insert.excluded
    await db.execute(
        insert.on_conflict_do_update(
            index_elements=["user_id", "night"],
            set_={
                "reminder": new.reminder,
                "intake": sa.func.coalesce(_nights.c.intake, new.intake),
                "tip": sa.func.coalesce(new.tip, _nights.c.tip),
            },
        ),
        rows,
    )


async def count_quiet(db: Connection, user_ids: Sequence[tuple[int, Night]]) -> None:
    """One more quiet morning for each of these people whose night has no rating."""
    for user_id, night in user_ids:
        rated = sa.exists().where(_nights.c.user_id == user_id, _nights.c.night == night, _nights.c.rating.is_not(None))
        more = sa.func.coalesce(_users.c.unanswered, 0) + 1
        await db.execute(_users.update().where(_users.c.id == user_id, ~rated).values(unanswered=more))
