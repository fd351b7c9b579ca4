"""Nights from elsewhere: kept until the person says yes, then filled in where nothing was said."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.core import diary_csv, diary_import
from bot.core.diary import Detail, EveningFactors
from bot.core.diary_csv import Line
from bot.core.diary_import import Arrived, Choice, Left, Odd, Preview
from bot.core.experiment import run
from db import experiments, personal_data, tables, upserts
from db.engine import Connection

_imports, _nights, _details = tables.imports, tables.nights, tables.night_details

KEEP = timedelta(hours=12)
"""How long nights wait for a yes."""

_CHOICE = "choice\n"
"""Marks waiting nights that are one sheet for each habit, as JSON."""

_SAID = ("intake", "intake_at", "reason", "rating", "rated_at", "late")
_MORE = tuple(field.name for field in fields(Detail) if field.name != "night")


async def keep(db: Connection, user_id: int, arrived: Arrived, *, now: datetime) -> Preview:
    """Let these nights wait, in place of earlier ones. Returns what they would change."""
    changes = await _changes(db, user_id, arrived.lines, now=now)
    known = {
        line.night for line in await personal_data.lines(db, user_id, arrived.lines[0].night, arrived.lines[-1].night)
    }
    new = sum(line.night not in known for line in changes)
    values = {"at": now, "nights": diary_csv.written(arrived.lines)}
    insert = upserts.into(_imports, on=db)
    await db.execute(
        insert.values(user_id=user_id, **values).on_conflict_do_update(index_elements=["user_id"], set_=values)
    )
    return Preview(
        nights=len(arrived.lines),
        first=arrived.lines[0].night,
        last=arrived.lines[-1].night,
        new=new,
        filled=len(changes) - new,
        same=len(arrived.lines) - len(changes),
        naps=arrived.naps,
        left=arrived.left,
        habit=arrived.habit,
    )


async def keep_choice(db: Connection, user_id: int, choice: Choice, *, now: datetime) -> None:
    """Let the nights of each habit wait until the person says which it is."""
    listed = [
        (name, diary_csv.written(one.lines), one.naps, [(left.line, left.why, left.number) for left in one.left])
        for name, one in choice.habits
    ]
    values = {"at": now, "nights": _CHOICE + json.dumps(listed, ensure_ascii=False)}
    insert = upserts.into(_imports, on=db)
    await db.execute(
        insert.values(user_id=user_id, **values).on_conflict_do_update(index_elements=["user_id"], set_=values)
    )


async def choose(db: Connection, user_id: int, number: int, *, now: datetime) -> Preview | None:
    """The chosen one of the habits that wait; None if they no longer wait or there are not that many."""
    mine = (_imports.c.user_id == user_id, _imports.c.at > now - KEEP)
    text: str = await db.scalar(sa.select(_imports.c.nights).where(*mine)) or ""
    habits = json.loads(text.removeprefix(_CHOICE)) if text.startswith(_CHOICE) else []
    if not 0 <= number < len(habits):
        return None
    name, nights, naps, odd = habits[number]
    left = tuple(Left(line, Odd(why), count) for line, why, count in odd)
    return await keep(db, user_id, Arrived(tuple(_read(nights)), naps, left, name), now=now)


def _read(text: str) -> list[Line]:
    return [diary_csv.line(cells) for cells in csv.DictReader(io.StringIO(text, newline=""))]


async def take(db: Connection, user_id: int, *, now: datetime) -> int | None:
    """Fill in the nights that wait. Returns how many changed; None where none wait any more."""
    text = await db.scalar(
        _imports.delete().where(_imports.c.user_id == user_id, _imports.c.at > now - KEEP).returning(_imports.c.nights)
    )
    if text is None or text.startswith(_CHOICE):
        return None
    lines = _read(text)
    changes = await _changes(db, user_id, lines, now=now)
    await _write(db, user_id, changes)
    return len(changes)


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
