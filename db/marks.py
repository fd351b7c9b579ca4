"""Small facts about the installation, by name."""

from __future__ import annotations

import sqlalchemy as sa

from db import tables, upserts
from db.engine import Connection

_marks = tables.marks


async def find(db: Connection, name: str) -> str | None:
    """What was noted under this name."""
    return await db.scalar(sa.select(_marks.c.value).where(_marks.c.name == name))


async def put(db: Connection, name: str, value: str) -> None:
    """Note a value under a name, in place of an older one."""
    insert = upserts.into(_marks, on=db)
    await db.execute(
        insert.values(name=name, value=value).on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )
