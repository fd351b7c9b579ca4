"""Tips that a person does not want to see again, and those that they were shown."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bot.core.model import Kind, Night, Person
from db import tables, upserts, users
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

# A night has its tip when its reminder is history; until then the reminder's row has it.
_shown = sa.union_all(
    sa.select(_nights.c.user_id, _nights.c.night, _nights.c.tip).where(_nights.c.tip.is_not(None)),
    sa.select(_box.c.user_id, _box.c.night, _box.c.tip).where(_box.c.kind == Kind.REMINDER, _box.c.tip.is_not(None)),
).subquery("shown")


async def shown(db: Connection, user_id: int, night: Night) -> int | None:
    """The number of the tip that the night's reminder carried, as far as it is known."""
    asked = (_shown.c.user_id == user_id, _shown.c.night == night)
    number: int | None = await db.scalar(sa.select(_shown.c.tip).where(*asked).limit(1))
    return number


async def every(db: Connection, user_id: int) -> dict[Night, int]:
    """Every night's tip that is known, by its number, in order."""
    mine = sa.select(_shown.c.night, _shown.c.tip).where(_shown.c.user_id == user_id).order_by(_shown.c.night)
    return {row.night: row.tip for row in await db.execute(mine)}


@dataclass(frozen=True, slots=True)
class Seen:
    """People who were shown a tip, each with the last night for which a message about another tip is owed.

    `last` is the highest id of a person looked at; None once nobody is left.
    """

    people: list[tuple[Person, Night | None]]
    last: int | None


async def saw(db: Connection, number: int, *, since: Night, after: int, limit: int) -> Seen:
    """Who was shown this tip on the night `since` or later: among the next `limit` people above `after`."""
    page = sa.select(_users.c.id).where(_users.c.id > after).order_by(_users.c.id).limit(limit)
    ids = (await db.scalars(page)).all()
    if not ids:
        return Seen([], None)
    theirs = sa.select(_shown.c.user_id).where(
        _shown.c.user_id.in_(ids), _shown.c.night >= since, _shown.c.tip == number
    )
    told = (
        sa.select(sa.func.max(_box.c.night))
        .where(_box.c.user_id == _users.c.id, _box.c.kind == Kind.TAKEN_BACK)
        .scalar_subquery()
    )
    query = sa.select(_users, told.label("told")).where(_users.c.id.in_(theirs)).order_by(_users.c.id)
    rows = (await db.execute(query)).mappings().all()
    return Seen([(users.person_of(row), row["told"]) for row in rows], ids[-1] if len(ids) == limit else None)
