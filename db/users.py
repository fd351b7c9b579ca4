"""People: profile, schedule, language, pause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from bot.core.model import Awaiting, Cadence, Minute, Person, Status
from db import tables
from db.engine import Connection
from db.sqlite.prepared import Prepared

_users = tables.users
_FIELDS = tuple(field.name for field in fields(Person))
_in_order = itemgetter(*_FIELDS)
_PLACES = {name: place for place, name in enumerate(_FIELDS)}
_MINE = sa.select(_users).where(_users.c.id == sa.bindparam("user_id"))
_FIND = Prepared(lambda _: _MINE)
_CREATE = Prepared(lambda _: _users.insert().values({name: sa.bindparam(name) for name in _FIELDS}))
_FIND_LOCKED = Prepared(lambda _: _MINE.with_for_update())


async def find(db: Connection, user_id: int, *, lock: bool = False) -> Person | None:
    """The person of this Telegram id. With `lock`, until the transaction's end nobody else changes them."""
    query = _FIND_LOCKED if lock else _FIND
    row = await query.first(db, {"user_id": user_id})
    return None if row is None else person_of(row)


async def create(db: Connection, user_id: int, *, now: datetime, language: str | None) -> Person:
    """A new person, who has accepted nothing yet."""
    person = Person(user_id, Status.NEW, created_at=now, seen_at=now, language=language)
    await _CREATE.run(db, _values(person, _FIELDS))
    return person


async def save(db: Connection, before: Person, after: Person) -> None:
    """Write what differs between the two."""
    changed = [name for name in _FIELDS if getattr(before, name) != getattr(after, name)]
    if changed:
        values = _values(after, changed)
        await change(*changed).run(db, {"user_id": after.id} | {f"new_{name}": values[name] for name in changed})


# Built once for each set of columns: to build it costs several times what SQLite needs to run it.
@lru_cache(maxsize=128)
def change(*names: str) -> Prepared:
    """The statement that gives one person, `user_id`, other values of these columns, each under `new_` and its name."""
    new: dict[str, object] = {name: sa.bindparam(f"new_{name}") for name in names}
    return Prepared(lambda _: _users.update().where(_users.c.id == sa.bindparam("user_id")).values(new))


async def rest(db: Connection, user_id: int, *, status: Status) -> None:
    """Plan nothing more for this person."""
    await db.execute(
        _users.update()
        .where(_users.c.id == user_id)
        .values(status=status, remind_at=None, remind_night=None, owe_at=None)
    )


async def planned_page(db: Connection, *, after: int, limit: int) -> list[Person]:
    """People with a planned reminder and an id above `after`, in order of id."""
    query = (
        sa.select(_users).where(_users.c.id > after, _users.c.remind_at.is_not(None)).order_by(_users.c.id).limit(limit)
    )
    return [person_of(row) for row in (await db.execute(query)).mappings()]


async def count(db: Connection, status: Status | None = None) -> int:
    """How many people there are, of one status or in all."""
    query = sa.select(sa.func.count()).select_from(_users)
    if status is not None:
        query = query.where(_users.c.status == status)
    return int(await db.scalar(query) or 0)


def person_of(row: Mapping[str, Any] | sa.RowMapping) -> Person:
    """A person from a row that has the columns of `users` under their own names."""
    # By place, not by name: every reminder's person passes here twice.
    values = list(_in_order(row))
    for place, read in _READ:
        values[place] = read(values[place])
    return Person(*values)


def _values(person: Person, names: tuple[str, ...] | list[str]) -> dict[str, object]:
    return {name: _stored(getattr(person, name)) for name in names}


def _stored(value: object) -> object:
    match value:
        case ():
            return None
        case tuple():
            # Most people have one bedtime for the whole week: one number instead of seven.
            return ",".join(str(minute) for minute in (value[:1] if len(set(value)) == 1 else value))
        case frozenset():
            return ",".join(sorted(value)) or None
        case _:
            return value


@lru_cache(maxsize=2048)
def _minutes(text: str | None) -> tuple[Minute, ...] | None:
    if not text:
        return None
    minutes = tuple(int(part) for part in text.split(","))
    return minutes * 7 if len(minutes) == 1 else minutes


_READ: tuple[tuple[int, Callable[[Any], object]], ...] = (
    (_PLACES["status"], Status),
    (_PLACES["bedtimes"], lambda text: _minutes(text) or ()),
    (_PLACES["check_ins"], _minutes),
    (_PLACES["muted"], lambda text: frozenset(text.split(",")) if text else frozenset()),
    (_PLACES["awaiting"], lambda text: Awaiting(text) if text else None),
    (_PLACES["cadence"], lambda text: Cadence(text) if text else None),
)
