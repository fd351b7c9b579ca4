"""Tips that a person does not want to see again, and those that they were shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from bot.core.model import Night
from db import tables, upserts
from db.engine import Connection

_retired = tables.retired_tips


async def retired(db: Connection, user_id: int) -> frozenset[str]:
    """The ids of the tips this person retired."""
    return frozenset(await db.scalars(sa.select(_retired.c.tip).where(_retired.c.user_id == user_id)))


async def retire(db: Connection, user_id: int, tip_id: str) -> None:
    """Show this tip to this person no more; a second time changes nothing."""
    insert = upserts.into(_retired, on=db)
    await db.execute(insert.values(user_id=user_id, tip=tip_id).on_conflict_do_nothing())


async def restore(db: Connection, user_id: int, tip_id: str) -> None:
    """Let this tip come up again for this person."""
    await db.execute(_retired.delete().where(_retired.c.user_id == user_id, _retired.c.tip == tip_id))


async def restore_all(db: Connection, user_id: int) -> None:
    """Let every tip come up again for this person."""
    await db.execute(_retired.delete().where(_retired.c.user_id == user_id))


# -- what was shown ----------------------------------------------------------------------------------------------------

_nights, _box, _users = tables.nights, tables.outbox, tables.users


async def shown(db: Connection, user_id: int, night: Night) -> int | None:
    """The number of the tip that the night's reminder carried, as far as it is known."""
    mine = [
        sa.select(table.c.tip).where(table.c.user_id == user_id, table.c.night == night, table.c.tip.is_not(None))
        for table in (_box, _nights)
    ]
    number: int | None = await db.scalar(sa.union_all(*mine).limit(1))
    return number


async def every(db: Connection, user_id: int) -> dict[Night, int]:
    """Every night's tip that is known, by its number, in order."""
    mine = [
        sa.select(table.c.night, table.c.tip).where(table.c.user_id == user_id, table.c.tip.is_not(None))
        for table in (_nights, _box)
    ]
    rows = (await db.execute(sa.union_all(*mine))).all()
    return {row.night: row.tip for row in sorted(rows, key=lambda row: row.night)}


@dataclass(frozen=True, slots=True)
class Seen:
    """Person and tip number, for each pair; `last` is the highest id that was looked at, None when nobody is left."""

    people: list[tuple[int, int]]
    last: int | None


async def saw(db: Connection, numbers: Collection[int], *, since: Night, after: int, limit: int) -> Seen:
    """Who was shown these tips on the night `since` or later, each of them once: among the next `limit` people above `after`."""
    page = sa.select(_users.c.id).where(_users.c.id > after).order_by(_users.c.id).limit(limit)
    ids = (await db.scalars(page)).all()
    seen = [
        sa.select(table.c.user_id, table.c.tip).where(
            table.c.user_id.in_(ids), table.c.night >= since, table.c.tip.in_(numbers)
        )
        for table in (_nights, _box)
    ]
    rows = (await db.execute(sa.union(*seen))).all() if ids else []
    return Seen(sorted((row.user_id, row.tip) for row in rows), ids[-1] if len(ids) == limit else None)
