"""Tips that a person does not want to see again."""

from __future__ import annotations

import sqlalchemy as sa

from db import tables, upserts
from db.engine import Connection

_retired = tables.retired_tips


async def retired(db: Connection, user_id: int) -> frozenset[str]:
    """The ids of the tips this person retired."""
    return frozenset(await db.scalars(sa.select(_retired.c.tip).where(_retired.c.user_id == user_id)))


async def retire(db: Connection, user_id: int, tip_id: str) -> None:
    """Show this tip to this person no more; a second time changes nothing."""
    insert = upserts.into(_retired, dialect=db.dialect.name)
    await db.execute(insert.values(user_id=user_id, tip=tip_id).on_conflict_do_nothing())


async def restore(db: Connection, user_id: int, tip_id: str) -> None:
    """Let this tip come up again for this person."""
    await db.execute(_retired.delete().where(_retired.c.user_id == user_id, _retired.c.tip == tip_id))


async def restore_all(db: Connection, user_id: int) -> None:
    """Let every tip come up again for this person."""
    await db.execute(_retired.delete().where(_retired.c.user_id == user_id))
