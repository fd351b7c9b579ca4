"""What more was said of a night, and the pictures that Telegram has of the diary."""

from __future__ import annotations

from dataclasses import fields

import sqlalchemy as sa

from bot.core.diary import Detail, EveningFactors
from bot.core.model import Intake, Night
from db import nights, tables, upserts
from db.engine import Connection

_details, _pictures, _nights = tables.night_details, tables.pictures, tables.nights
_FIELDS = tuple(field.name for field in fields(Detail) if field.name != "night")


async def find(db: Connection, user_id: int, night: Night) -> Detail:
    """The details of that night; empty where nothing was said."""
    query = sa.select(_details).where(_details.c.user_id == user_id, _details.c.night == night)
    row = (await db.execute(query)).mappings().first()
    return Detail(night) if row is None else _detail(row)


async def between(db: Connection, user_id: int, first: Night, last: Night) -> list[Detail]:
    """The nights with details from `first` to `last`, both included, in order."""
    return [_detail(row) async for row in nights.in_turns(db, _details, user_id, first, last)]


async def save(db: Connection, user_id: int, before: Detail, after: Detail) -> None:
    """Write what differs between the two."""
    values = {name: getattr(after, name) for name in _FIELDS if getattr(before, name) != getattr(after, name)}
    if not values:
        return
    # The columns know small numbers and booleans, not our names for them.
    stored = {name: int(value) if isinstance(value, EveningFactors) else value for name, value in values.items()}
    insert = upserts.into(_details, on=db).values(user_id=user_id, night=after.night, **stored)
    await db.execute(insert.on_conflict_do_update(index_elements=["user_id", "night"], set_=stored))


def _detail(row: sa.RowMapping) -> Detail:
    values = {name: row[name] for name in _FIELDS}
    values["evening"] = None if values["evening"] is None else EveningFactors(values["evening"])
    values["late"] = bool(values["late"])
    return Detail(night=row["night"], **values)


async def first_night(db: Connection, user_id: int) -> Night | None:
    """The first night of which anything is stored."""
    firsts = (sa.select(sa.func.min(table.c.night)).where(table.c.user_id == user_id) for table in (_nights, _details))
    found = await db.execute(sa.select(*(first.scalar_subquery() for first in firsts)))
    return min((night for night in found.one() if night is not None), default=None)


async def count(db: Connection, user_id: int, intake: Intake, first: Night, last: Night | None = None) -> int:
    """How many nights from `first` on, up to and with `last`, have that answer."""
    mine = [_nights.c.user_id == user_id, _nights.c.night >= first, _nights.c.intake == intake]
    if last is not None:
        mine.append(_nights.c.night <= last)
    return int(await db.scalar(sa.select(sa.func.count()).select_from(_nights).where(*mine)) or 0)


# -- pictures ----------------------------------------------------------------------------------------------------------


async def file_id(db: Connection, user_id: int, name: str, *, mark: str) -> str | None:
    """The file id of the person's picture of that name, if it was last drawn from the same values."""
    query = sa.select(_pictures.c.file_id).where(
        _pictures.c.user_id == user_id, _pictures.c.name == name, _pictures.c.mark == mark
    )
    found: str | None = await db.scalar(query)
    return found


async def keep_file_id(db: Connection, user_id: int, name: str, *, mark: str, file_id: str) -> None:
    """Note what Telegram calls the picture now."""
    values = {"mark": mark, "file_id": file_id}
    insert = upserts.into(_pictures, on=db).values(user_id=user_id, name=name, **values)
    await db.execute(insert.on_conflict_do_update(index_elements=["user_id", "name"], set_=values))


async def erase(db: Connection, user_id: int) -> None:
    """Forget every detail and picture of this person."""
    for table in (_details, _pictures):
        await db.execute(table.delete().where(table.c.user_id == user_id))
