"""One person's owed messages: their state, and what an answer, a pause or another bedtime changes about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from bot.core import message_kinds
from bot.core.model import Kind, Night, State
from db import tables
from db.engine import Connection
from db.outbox import rows as outbox
from db.sqlite.prepared import Prepared

_box = tables.outbox

# Built once: to build a statement costs several times what SQLite needs to run it.
_ENDED_BY_ANSWER = message_kinds.having(lambda policy: policy.ended_by_answer)
_EARLY = message_kinds.having(lambda policy: bool(policy.ahead))
_ITS_KEY = sa.and_(
    _box.c.user_id == sa.bindparam("user"), _box.c.kind == sa.bindparam("what"), _box.c.night == sa.bindparam("on")
)
_STANDING = (_box.c.state, _box.c.due_at, _box.c.bed_at, _box.c.copies, _box.c.tries, _box.c.message_id)
_FIND = Prepared(lambda _: sa.select(*_STANDING).where(_ITS_KEY))
# One that is being sent right now stays its worker's: `outbox.settle` looks at the answer.
_NOTE_ANSWER = Prepared(
    lambda _: (
        _box.update()
        .where(
            _ITS_KEY,
            sa.or_(*(_box.c.state == state for state in (State.DUE, State.CLAIMED, State.UNKNOWN))),
        )
        .values(state=outbox.proven(_box.c.copies), worker=None, lease_until=None)
    )
)


@dataclass(frozen=True, slots=True)
class Promise:
    """One promised message as it stands: its state, when it is next tried, how often it left, and which message it is."""

    state: State
    due_at: datetime
    bed_at: datetime
    copies: int
    tries: int
    message_id: int | None


def _key(user_id: int, kind: Kind, night: Night) -> dict[str, object]:
    return {"user": user_id, "what": kind, "on": night}


async def find(db: Connection, user_id: int, kind: Kind, night: Night) -> Promise | None:
    """That owed message; None if it is not owed."""
    row = await _FIND.first(db, _key(user_id, kind, night))
    return None if row is None else Promise(**row | {"state": State(row["state"])})


async def state_of(db: Connection, user_id: int, kind: Kind, night: Night) -> State | None:
    """The state of that message; None if it is not owed."""
    promise = await find(db, user_id, kind, night)
    return None if promise is None else promise.state


async def night_of(db: Connection, user_id: int, message_id: int) -> Night | None:
    """The night that a message of ours is about, while its row is kept."""
    mine = (_box.c.user_id == user_id, _box.c.message_id == message_id)
    night: Night | None = await db.scalar(sa.select(_box.c.night).where(*mine).limit(1))
    return night


async def answered(db: Connection, user_id: int, night: Night) -> None:
    """Note that the night was answered: its reminder has arrived, and what is still to come tonight is withdrawn."""
    # One by one: in one statement SQLite makes a table of the kinds first, which costs three times as much.
    await _NOTE_ANSWER.many(db, [_key(user_id, kind, night) for kind in _ENDED_BY_ANSWER])


async def cancel(
    db: Connection, user_id: int, *, kinds: Iterable[Kind], reason: str, first_night: Night | None = None
) -> None:
    """Withdraw unsent messages of this person. A copy on its way is not stopped; `rows.start` lets no further one go."""
    mine = [_box.c.user_id == user_id, _box.c.kind.in_(list(kinds)), _box.c.state.in_((State.DUE, State.CLAIMED))]
    if first_night is not None:
        mine.append(_box.c.night >= first_night)
    await db.execute(
        _box.update().where(*mine).values(state=State.CANCELLED, reason=reason, worker=None, lease_until=None)
    )


async def withdraw(db: Connection, user_id: int, night: Night) -> bool:
    """Forget that this night's reminder was owed, if no copy of it ever left. Returns whether the night can be planned again."""
    # A snoozed one is due again without a copy, but has been a message before.
    never = sa.and_(_box.c.copies == 0, _box.c.message_id.is_(None))
    unsent = sa.and_(never, _box.c.state.in_((State.DUE, State.CLAIMED, State.EXPIRED)))
    if await state_of(db, user_id, Kind.REMINDER, night) is None:
        return True
    gone = await db.execute(_box.delete().where(_one(user_id, Kind.REMINDER, night), unsent))
    if gone.rowcount == 0:
        return False
    # Its morning goes with it, also one called off: planned again, the night owes its own.
    unasked = (never, _box.c.state.in_((State.DUE, State.CLAIMED, State.CANCELLED)))
    await db.execute(_box.delete().where(_box.c.user_id == user_id, _box.c.night == night, *unasked))
    return True


async def forget_early(db: Connection, user_id: int) -> None:
    """Forget unsent messages that precede reminders: the new plan owes its own."""
    if _EARLY:
        unsent = (_box.c.copies == 0, _box.c.state.in_((State.DUE, State.CLAIMED, State.CANCELLED)))
        await db.execute(_box.delete().where(_box.c.user_id == user_id, _box.c.kind.in_(_EARLY), *unsent))


async def again(
    db: Connection,
    user_id: int,
    night: Night,
    *,
    at: datetime,
    until: datetime,
    bed_at: datetime,
    kind: Kind = Kind.REMINDER,
    tries: int = 0,
    message_id: int | None = None,
) -> None:
    """The same row, due later: a snooze, a later bedtime tonight, a second nudge. Still one a night.

    `message_id`: the message it has been, where a press shows one that no settlement told of. A copy that is being sent meanwhile
    goes its way, and its worker has nothing more to say about the row.
    """
    when = {"due_at": at, "planned_at": at, "until_at": until, "bed_at": bed_at}
    fresh = {"state": State.DUE, "copies": 0, "tries": tries, "reason": None, "worker": None, "lease_until": None}
    known = {"message_id": sa.func.coalesce(_box.c.message_id, message_id)}
    await db.execute(_box.update().where(_one(user_id, kind, night)).values(**when, **fresh, **known))


async def move_check_in(db: Connection, user_id: int, night: Night, *, at: datetime, until: datetime) -> None:
    """The morning question of this night comes at another time, if it has not been sent."""
    await db.execute(
        _box.update()
        .where(_one(user_id, Kind.CHECK_IN, night), _box.c.state == State.DUE)
        .values(due_at=at, planned_at=at, until_at=until, close_at=until)
    )


def _one(user_id: int, kind: Kind, night: Night) -> ColumnElement[bool]:
    return sa.and_(_box.c.user_id == user_id, _box.c.kind == kind, _box.c.night == night)
