"""What there is to do now, read in one statement. In most seconds of a day the answer is nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.core.model import State
from db import tables, types
from db.engine import Connection
from db.outbox import rows as outbox
from db.sqlite.prepared import Prepared, Statement

_box, _users = tables.outbox, tables.users


@dataclass(frozen=True, slots=True)
class Agenda:
    """`due` is how many rows may go now, `ahead` how many reminders, owed or not, come within the look-ahead.

    The other fields say whether there is anything of their kind to do.
    """

    due: int
    ahead: int
    to_owe: bool
    to_reclaim: bool
    to_close: bool


async def at(db: Connection, *, now: datetime, ahead: timedelta) -> Agenda:
    """What is due at `now`, and how crowded the time up to `ahead` from then is."""
    found = await _LOOK.first(db, {"now": now, "until": now + ahead})
    assert found is not None  # noqa: S101 - it is a row of figures
    return Agenda(
        due=found["due"],
        ahead=found["later"] + found["soon"],
        to_owe=bool(found["to_owe"]),
        to_reclaim=bool(found["to_reclaim"]),
        to_close=bool(found["to_close"]),
    )


_now, _until = (sa.bindparam(name, type_=types.Utc()) for name in ("now", "until"))
_IN_HAND = [_box.c.state == state for state in (State.CLAIMED, State.SENDING)]


def _count(table: sa.Table, *where: sa.ColumnElement[bool], name: str) -> sa.Label[int]:
    return sa.select(sa.func.count()).select_from(table).where(*where).scalar_subquery().label(name)


def _any(table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.Exists:
    return sa.exists(sa.select(sa.literal(1)).select_from(table).where(*where))


def _look(_dialect: str) -> Statement:
    waits = _box.c.state == sa.literal_column("'due'")
    later = (_box.c.due_at > _now, _box.c.due_at <= _until)
    return sa.select(
        _count(_box, waits, _box.c.due_at <= _now, name="due"),
        _count(_box, waits, *later, outbox.MAY_GO_EARLY, name="later"),
        _count(_users, _users.c.remind_at > _now, _users.c.remind_at <= _until, name="soon"),
        sa.or_(_any(_users, _users.c.remind_at <= _now), _any(_users, _users.c.owe_at <= _now)).label("to_owe"),
        _any(_box, _box.c.lease_until <= _now).label("to_reclaim"),
        _any(_box, _box.c.close_at <= _now, ~sa.or_(*_IN_HAND)).label("to_close"),
    )


_LOOK = Prepared(_look)
