"""Nights from elsewhere: kept until the person says yes, then filled in where nothing was said."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from itertools import islice

import sqlalchemy as sa

from bot.core import diary_csv, diary_import
from bot.core.diary import Detail, EveningFactors
from bot.core.diary_csv import Line
from bot.core.diary_import import Arrived, Choice, Left, Odd, Preview
from bot.core.experiment import run
from db import experiments, personal_data, tables, upserts, users
from db.engine import Connection, Database

_imports, _nights, _details = tables.imports, tables.nights, tables.night_details

KEEP = timedelta(hours=12)
"""How long nights wait for a yes."""

_CHOICE = "choice\n"
"""Marks waiting nights that are one sheet for each habit, as JSON."""
SLICE = 100
"""Nights that are compared or written in one go: others have their turn with the event loop and the writer in between."""

_SAID = ("intake", "intake_at", "reason", "rating", "rated_at", "late")
_MORE = tuple(field.name for field in fields(Detail) if field.name != "night")


async def keep(database: Database, user_id: int, arrived: Arrived, *, now: datetime) -> Preview | None:
    """Let these nights wait, in place of earlier ones. Returns what they would change; None for a person who is gone."""
    changed = new = 0
    async with database.read() as db:
        for start in range(0, len(arrived.lines), SLICE):
            lines = arrived.lines[start : start + SLICE]
            changes = await _changes(db, user_id, lines, now=now)
            known = {line.night for line in await personal_data.lines(db, user_id, lines[0].night, lines[-1].night)}
            changed += len(changes)
            new += sum(line.night not in known for line in changes)
    # In a thread, which lets the event loop in between.
    values = {"at": now, "nights": await asyncio.to_thread(diary_csv.written, arrived.lines)}
    async with database.write("import") as db:
        if await users.find(db, user_id, lock=True) is None:
            return None
        insert = upserts.into(_imports, on=db)
        await db.execute(
            insert.values(user_id=user_id, **values).on_conflict_do_update(index_elements=["user_id"], set_=values)
        )
    return Preview(
        nights=len(arrived.lines),
        first=arrived.lines[0].night,
        last=arrived.lines[-1].night,
        new=new,
        filled=changed - new,
        same=len(arrived.lines) - changed,
        naps=arrived.naps,
        left=arrived.left,
        habit=arrived.habit,
    )


async def keep_choice(database: Database, user_id: int, choice: Choice, *, now: datetime) -> None:
    """Let the nights of each habit wait until the person says which it is."""
    # In a thread, as above.
    values = {"at": now, "nights": await asyncio.to_thread(_listed, choice)}
    async with database.write("import") as db:
        if await users.find(db, user_id, lock=True) is None:
            return
        insert = upserts.into(_imports, on=db)
        await db.execute(
            insert.values(user_id=user_id, **values).on_conflict_do_update(index_elements=["user_id"], set_=values)
        )


def _listed(choice: Choice) -> str:
    listed = [
        (name, diary_csv.written(one.lines), one.naps, [(left.line, left.why, left.number) for left in one.left])
        for name, one in choice.habits
    ]
    return _CHOICE + json.dumps(listed, ensure_ascii=False)


async def choose(database: Database, user_id: int, number: int, *, now: datetime) -> Preview | None:
    """The chosen one of the habits that wait; None if they no longer wait or there are not that many."""
    mine = (_imports.c.user_id == user_id, _imports.c.at > now - KEEP)
    async with database.read() as db:
        text: str = await db.scalar(sa.select(_imports.c.nights).where(*mine)) or ""
    habits = json.loads(text.removeprefix(_CHOICE)) if text.startswith(_CHOICE) else []
    if not 0 <= number < len(habits):
        return None
    name, nights, naps, odd = habits[number]
    left = tuple(Left(line, Odd(why), count) for line, why, count in odd)
    lines = await asyncio.to_thread(lambda: tuple(_lines(nights)))
    return await keep(database, user_id, Arrived(lines, naps, left, name), now=now)


def _lines(text: str) -> Iterator[Line]:
    return map(diary_csv.line, csv.DictReader(io.StringIO(text, newline="")))


async def take(database: Database, user_id: int, *, now: datetime) -> int | None:
    """Fill in the nights that wait. Returns how many changed; None where none wait any more.

    In slices, each in a transaction of its own. Ended in between it may be begun again: what is filled in stays as it is.
    """
    waiting = (_imports.c.user_id == user_id, _imports.c.at > now - KEEP)
    async with database.read() as db:
        row = (await db.execute(sa.select(_imports.c.at, _imports.c.nights).where(*waiting))).first()
    if row is None or row.nights.startswith(_CHOICE):
        return None
    same = (_imports.c.user_id == user_id, _imports.c.at == row.at)
    lines = _lines(row.nights)
    count = 0
    while some := list(islice(lines, SLICE)):
        async with database.write("import_slice") as db:
            # Whoever was erased meanwhile, or sent another file, gets none of the rest.
            gone = await users.find(db, user_id, lock=True) is None
            if gone or await db.scalar(sa.select(_imports.c.at).where(*same)) is None:
                return None
            changes = await _changes(db, user_id, some, now=now)
            await _write(db, user_id, changes)
        count += len(changes)
    async with database.write("imported") as db:
        await db.execute(_imports.delete().where(*same))
    return count


async def drop(db: Connection, user_id: int) -> None:
    """They are not wanted."""
    await db.execute(_imports.delete().where(_imports.c.user_id == user_id))


async def prune(db: Connection, *, now: datetime) -> None:
    """Forget what has waited too long."""
    await db.execute(_imports.delete().where(_imports.c.at <= now - KEEP))


async def _changes(db: Connection, user_id: int, lines: Sequence[Line], *, now: datetime) -> list[Line]:
    """The nights as they would be, where that differs from what they are."""
    if not lines:
        return []
    known = {line.night: line for line in await personal_data.lines(db, user_id, lines[0].night, lines[-1].night)}
    sealed_from = await experiments.sealed_from(db, user_id)
    lines = await _told_apart(db, user_id, lines)
    merged = (diary_import.merged(known.get(line.night), line, sealed_from=sealed_from, at=now) for line in lines)
    return [line for line in merged if line is not None]


async def _told_apart(db: Connection, user_id: int, lines: Sequence[Line]) -> Sequence[Line]:
    """The lines, with evenings of self-experiments with bags as the diary may hold them."""
    blind = [one for one in await experiments.every(db, user_id) if one.blind]
    if not blind:
        return lines
    out = await experiments.left_out_between(db, user_id, lines[0].night, lines[-1].night)
    return [replace(line, record=run.brought(blind, line.record, void=line.night in out)) for line in lines]


async def _write(db: Connection, user_id: int, lines: Sequence[Line]) -> None:
    said = [
        {"user_id": user_id, "night": line.night} | {name: getattr(line.record, name) for name in _SAID}
        for line in lines
        if line.record.intake is not None or line.record.rating is not None
    ]
    more = [
        {"user_id": user_id, "night": line.night} | {name: _stored(getattr(line.detail, name)) for name in _MORE}
        for line in lines
        if line.detail != Detail(line.night)
    ]
    for row in (*said, *more):
        row["late"] = row["late"] or None
    await _upsert(db, _nights, _SAID, said)
    await _upsert(db, _details, _MORE, more)


def _stored(value: object) -> object:
    return int(value) if isinstance(value, EveningFactors) else value


async def _upsert(db: Connection, table: sa.Table, names: Sequence[str], rows: list[dict[str, object]]) -> None:
    if not rows:
        return
    insert = upserts.into(table, on=db)
    new = {name: insert.excluded[name] for name in names}
    await db.execute(insert.on_conflict_do_update(index_elements=["user_id", "night"], set_=new), rows)
