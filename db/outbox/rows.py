"""Owe, claim, start and settle rows of the outbox: one row for each message that is owed to a person.

A row is `due`, then `claimed` by a worker for the length of a lease, then `sending` from just before the socket write, and
ends as `sent`, `unknown`, `gone`, `expired` or `cancelled`. What always holds:

1. There is at most one row for a person, kind and night: a unique key says so, and owing it again changes nothing.
2. A row is owed in the transaction that moves the person's schedule on. So a night is neither owed twice nor forgotten.
3. One worker has a row at a time. It takes the row by a conditional UPDATE.
4. Each later write of that worker requires that the row is still its own (fencing). If it is not, nothing is written.
5. A copy is counted and committed before its first byte is written. So while a row is `claimed`, nothing of it has left.
6. What is no longer wanted (the night was answered; the person rests, stopped or left) is not started, and not repeated.
7. No row is started after its window has closed.
8. A kind that this version does not know is never claimed here: it belongs to a newer replica.

`leases` takes back rows of dead workers, `history` ends rows that no worker has, `changes` is what people do to their rows.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from bot.core import message_kinds, planning
from bot.core.message_kinds import KINDS, Policy, Repeats
from bot.core.model import Kind, Person, State, Status
from bot.core.owed import Owed
from db import tables, types, upserts, users
from db.engine import Connection
from db.outbox import load
from db.sqlite.prepared import Prepared, Statement

_box, _users, _nights = tables.outbox, tables.users, tables.nights
_trials = tables.experiments

LEASE = timedelta(seconds=120)
"""How long a claim holds: longer than the slowest send (waiting for a connection, connecting, writing and reading)."""

REPEAT_AFTER = {1: timedelta(minutes=2), 2: timedelta(minutes=5)}
"""How long after its last copy a message that may not have arrived is repeated, by the number of copies so far.

Long enough that an outage of seconds does not use up all copies.
"""

PUSHED_ON = timedelta(hours=1)
"""How long to wait before trying again to plan or render what failed, so that it does not hold up the others."""


def having(wanted: Callable[[Policy], bool]) -> ColumnElement[bool]:
    """An SQL condition: the row's kind has a policy for which `wanted` is true."""
    # Not `in_`: it expands into several parameters, which a statement that runs for many rows at once must not have.
    return sa.or_(sa.false(), *(_box.c.kind == kind for kind in message_kinds.having(wanted)))


# During an upgrade a newer replica may owe kinds that this version does not know. Those are not ours to send.
_KNOWN = having(lambda _: True)
_ENDED_BY_ANSWER = having(lambda policy: policy.ended_by_answer)

ANSWERED = sa.exists().where(
    _nights.c.user_id == _box.c.user_id, _nights.c.night == _box.c.night, _nights.c.intake.is_not(None)
)
"""An SQL condition: the row's night was answered."""

# Erased people and those who left get nothing. Stopped and paused people get only the kinds whose policy says so: for
# stopped people that is the warning that their data will be erased.
_WELCOME = sa.exists().where(
    _users.c.id == _box.c.user_id,
    _users.c.status != Status.GONE,
    sa.or_(_users.c.status != Status.STOPPED, having(lambda policy: policy.while_stopped)),
    sa.or_(_users.c.status != Status.PAUSED, having(lambda policy: policy.while_paused)),
)
_PEEK = sa.and_(
    having(lambda policy: policy.hidden_by_seal),
    sa.exists().where(_trials.c.user_id == _box.c.user_id, _trials.c.ended_at.is_(None)),
)


def proven(copies: ColumnElement[int]) -> ColumnElement[str]:
    """The SQL value of the state in which a row ends whose night was answered; `copies` is its number of copies.

    An answer proves that the reminder arrived if a copy of it left, now or before a snooze: `sent`. Otherwise `cancelled`.
    """
    left = sa.or_(copies > 0, _box.c.message_id.is_not(None))
    return sa.case((sa.and_(_box.c.kind == Kind.REMINDER, left), State.SENT), else_=State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Settled:
    """The result of one row: how it ends, or with `state` DUE, when it is tried again (`due_at`)."""

    id: int
    state: State
    due_at: datetime | None = None
    message_id: int | None = None
    sent_at: datetime | None = None
    reason: str | None = None
    uncount: bool = False  # the copy has certainly not arrived: if it was counted, it no longer is
    begun: bool = True  # False: ends only a claimed row, never one that another task may have begun to send meanwhile
    tip: int | None = None  # the tip in it, by core.tips.number


# -- owe ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwedPage:
    """One page of people whose evening was owed: how many, and for those who could not be planned their id and the error."""

    size: int
    trouble: list[tuple[int, Exception]]


async def owe_due(db: Connection, *, now: datetime, until: datetime, limit: int) -> OwedPage:
    """Owe every night whose reminder is due by `until`, and everything that precedes a reminder and is due by `now`.

    At most `limit` people of each, in the caller's transaction, which also moves their schedules on. People who cannot be
    planned are tried again after PUSHED_ON; the result names them.
    """
    early = await _owe_each(
        db,
        await _people_due(db, _EARLY_BIRDS, until=now, limit=limit),
        lambda person, answered: planning.owe_early(person, answered=answered),
        otherwise={"owe_at": None},
    )
    due = await _owe_each(
        db,
        await _people_due(db, _PEOPLE_DUE, until=until, limit=limit),
        lambda person, answered: planning.owe(person, answered=answered, now=now),
        otherwise={"remind_at": now + PUSHED_ON, "owe_at": None},
    )
    return OwedPage(max(early.size, due.size), early.trouble + due.trouble)


async def _owe_each(
    db: Connection,
    people: Sequence[tuple[Person, bool]],
    plan: Callable[[Person, bool], planning.OwedEvening],
    *,
    otherwise: Mapping[str, object],
) -> OwedPage:
    """Owe what `plan` returns for each person, given whether their night was answered.

    Where `plan` raises, the person gets the changes `otherwise` instead.
    """
    rows: list[dict[str, object]] = []
    moves: list[dict[str, object]] = []
    trouble: list[tuple[int, Exception]] = []
    for person, answered in people:
        try:
            evening = plan(person, answered)
        except Exception as error:  # one person's impossible schedule must not hold up everybody's evening
            trouble.append((person.id, error))
            moves.append(_move(person, otherwise))
            continue
        rows += [_row(message) for message in evening.messages]
        moves.append(_move(person, evening.changes))
    if people:
        await _OWE.many(db, rows)
        await users.change(*_MOVED).many(db, moves)
    return OwedPage(len(people), trouble)


async def _people_due(db: Connection, query: Prepared, *, until: datetime, limit: int) -> list[tuple[Person, bool]]:
    found = await query.rows(db, {"until": until, "limit": limit})
    return [(users.person_of(row), bool(row["answered"])) for row in found]


_on_night = sa.and_(_nights.c.user_id == _users.c.id, _nights.c.night == _users.c.remind_night)


def _due_by(column: sa.Column[datetime]) -> Prepared:
    return Prepared(
        lambda _: (
            sa.select(_users, _nights.c.intake.is_not(None).label("answered"))
            .select_from(_users.outerjoin(_nights, _on_night))
            .where(column <= sa.bindparam("until", type_=types.Utc()))
            .order_by(column)
            .limit(sa.bindparam("limit", type_=sa.Integer()))
            .with_for_update(of=_users, skip_locked=True)
        )
    )


# Each has an index of its own. The one on `owe_at` is empty while no kind is due before reminders.
_PEOPLE_DUE, _EARLY_BIRDS = _due_by(_users.c.remind_at), _due_by(_users.c.owe_at)

_MOVED = (
    "remind_at",
    "remind_night",
    "owe_at",
    "reminded_at",
    "reminded_night",
    "status",
    "paused_until",
    "away_zone",
    "away_until",
    "cadence",
)


_NEW = tuple((name, f"new_{name}") for name in _MOVED)


def _move(person: Person, changes: Mapping[str, object]) -> dict[str, object]:
    # Runs for everybody in the evening's rush. Reading unchanged fields is cheaper than copying the person with its many fields.
    new = {label: changes[name] if name in changes else getattr(person, name) for name, label in _NEW}
    new["user_id"] = person.id
    return new


def _row(message: planning.Message) -> dict[str, object]:
    return {
        "user_id": message.user_id,
        "kind": message.kind,
        "night": message.night,
        "state": message.state,
        "planned_at": message.due_at,
        "due_at": message.due_at,
        "until_at": message.until_at,
        "bed_at": message.bed_at,
        "close_at": message.close_at,
        "reason": message.reason,
        "tip": message.tip,
    }


def _owe(dialect: str) -> Statement:
    names = (
        "user_id",
        "kind",
        "night",
        "state",
        "planned_at",
        "due_at",
        "until_at",
        "bed_at",
        "close_at",
        "reason",
        "tip",
    )
    insert = upserts.into(_box, on=dialect).values({name: sa.bindparam(name) for name in names})
    return insert.on_conflict_do_nothing(index_elements=["user_id", "kind", "night"])


_OWE = Prepared(_owe)


async def owe(db: Connection, messages: Sequence[planning.Message]) -> None:
    """Owe these messages. A message that is owed already stays as it is."""
    await _OWE.many(db, [_row(message) for message in messages])


# -- claim, start, settle ----------------------------------------------------------------------------------------------


MAY_GO_EARLY = sa.and_(having(lambda policy: policy.may_go_early), _box.c.sent_at.is_(None), _box.c.tries == 0)
"""An SQL condition: the row may be sent before its moment.

Only a message that never left may: a snooze or a repeat was promised for its minute.
"""


async def claim(
    db: Connection, *, worker: str, now: datetime, limit: int, early: timedelta = timedelta()
) -> list[Owed]:
    """Claim up to `limit` due rows for `worker`: reminders before check-ins, and the earliest end of a window first.

    `early` is how long before their moment reminders may go, because the minutes ahead are too crowded (see `pacing`).
    Returns the claimed rows with everything that their messages need.
    """
    statement = _CLAIM_EARLY if early else _CLAIM
    values = {"worker": worker, "now": now, "lease": now + LEASE, "limit": limit} | (
        {"early": now + early} if early else {}
    )
    ids = [row["id"] for row in await statement.rows(db, values)]
    return await load.load(db, ids) if ids else []


def _claim(dialect: str, *, early: bool) -> Statement:
    now = sa.bindparam("now", type_=types.Utc())
    may_go = _box.c.due_at <= now
    if early:
        may_go = sa.or_(may_go, sa.and_(_box.c.due_at <= sa.bindparam("early", type_=types.Utc()), MAY_GO_EARLY))
    best = (
        sa.select(_box.c.id)
        .where(_box.c.state == sa.literal_column("'due'"), may_go, _box.c.until_at > now, _KNOWN)
        .order_by(load.ORDER, _box.c.until_at)
        .limit(sa.bindparam("limit", type_=sa.Integer()))
        .with_for_update(skip_locked=True)
        # PostgreSQL may run a plain subquery more than once, and would then lock and take more than the limit.
        .cte("best")
    )
    mine = {"state": State.CLAIMED, "worker": sa.bindparam("worker"), "lease_until": sa.bindparam("lease")}
    return (
        _box.update()
        .where(_box.c.id.in_(sa.select(best.c.id)), _box.c.state == State.DUE)
        .values(mine)
        .returning(_box.c.id)
    )


_CLAIM = Prepared(functools.partial(_claim, early=False))
_CLAIM_EARLY = Prepared(functools.partial(_claim, early=True))


async def start(db: Connection, ids: Iterable[int], *, worker: str, now: datetime) -> set[int]:
    """Count a copy of each of these rows, just before the socket write. Returns the ids of those that may be sent.

    A row may be sent if it is still this worker's, its window is open and it is still wanted. A row that is no longer
    wanted, because the night was answered or the person rests, stopped or left since the claim, ends here. The caller
    must commit before it writes to the socket.
    """
    asked = list(ids)
    mine: dict[str, object] = {"ids": asked, "mine": worker}
    begun = {row["id"] for row in await _START.rows(db, mine | {"now": now, "lease": now + LEASE})}
    if len(begun) < len(asked):
        await _UNWANTED.run(db, mine)
    return begun


def _claimed(dialect: str) -> ColumnElement[bool]:
    return sa.and_(
        types.among(_box.c.id, "ids", dialect=dialect),
        _box.c.state == State.CLAIMED,
        _box.c.worker == sa.bindparam("mine"),
    )


_unwanted = sa.or_(~_WELCOME, sa.and_(_ENDED_BY_ANSWER, ANSWERED), _PEEK)
_UNWANTED = Prepared(
    lambda dialect: (
        _box.update()
        .where(_claimed(dialect), _unwanted)
        .values(state=sa.case((ANSWERED, proven(_box.c.copies)), else_=State.CANCELLED), worker=None, lease_until=None)
    )
)
_now = sa.bindparam("now", type_=types.Utc())
_START = Prepared(
    lambda dialect: (
        _box.update()
        .where(_claimed(dialect), _box.c.until_at > _now, ~_unwanted)
        .values(state=State.SENDING, copies=_box.c.copies + 1, sent_at=_now, lease_until=sa.bindparam("lease"))
        .returning(_box.c.id)
    )
)


async def settle(db: Connection, ends: Sequence[Settled], *, worker: str) -> None:
    """Write the results of rows that this worker has.

    1. A row that somebody else has by now is left alone.
    2. A row that would be repeated, but whose night was answered meanwhile, ends instead if an answer ends its kind.
    3. No row waits beyond the end of its window.
    """
    await settle_each(db, [(end, worker) for end in ends])


async def settle_each(db: Connection, ends: Sequence[tuple[Settled, str]]) -> None:
    """The same for rows of several workers: each result with the worker that had the row."""
    await _SETTLE.many(db, [_settled(end, worker) for end, worker in ends])


_new_state, _new_reason = (sa.bindparam(name, type_=sa.String()) for name in ("new_state", "new_reason"))
_new_due_at = sa.func.coalesce(sa.bindparam("new_due_at", type_=types.Utc()), _box.c.due_at)
_uncounted = sa.and_(sa.bindparam("uncount", type_=sa.Boolean()), _box.c.state == State.SENDING)
_new_copies = _box.c.copies - sa.case((_uncounted, 1), else_=0)
_SETTLE = Prepared(
    lambda _: (
        _box.update()
        .where(
            _box.c.id == sa.bindparam("row_id"),
            _box.c.worker == sa.bindparam("mine"),
            sa.or_(
                _box.c.state == State.CLAIMED,
                sa.and_(_box.c.state == State.SENDING, sa.bindparam("begun", type_=sa.Boolean())),
            ),
        )
        .values(
            state=sa.case(
                (sa.and_(_new_state == State.DUE, _ENDED_BY_ANSWER, ANSWERED), proven(_new_copies)), else_=_new_state
            ),
            due_at=sa.case((_new_due_at > _box.c.until_at, _box.c.until_at), else_=_new_due_at),
            message_id=sa.func.coalesce(sa.bindparam("new_message_id", type_=sa.BigInteger()), _box.c.message_id),
            sent_at=sa.func.coalesce(sa.bindparam("new_sent_at", type_=types.Utc()), _box.c.sent_at),
            reason=sa.case((_new_state == State.DUE, sa.func.coalesce(_new_reason, _box.c.reason)), else_=_new_reason),
            copies=_new_copies,
            tip=sa.func.coalesce(sa.bindparam("new_tip", type_=sa.Integer()), _box.c.tip),
            tries=_box.c.tries + 1,
            worker=None,
            lease_until=None,
        )
    )
)


def _settled(end: Settled, worker: str) -> dict[str, object]:
    return {
        "row_id": end.id,
        "mine": worker,
        "new_state": end.state,
        "new_due_at": end.due_at,
        "new_message_id": end.message_id,
        "new_sent_at": end.sent_at,
        "new_reason": None if end.reason is None else end.reason[:120],
        "uncount": end.uncount,
        "begun": end.begun,
        "new_tip": end.tip,
    }


NEWS = (State.EXPIRED, State.UNKNOWN)
"""Final states of a reminder that the morning's question reports."""


def after_unknown(
    row_id: int, *, kind: Kind, copies: int, sent_at: datetime, reason: str, news: bool = False
) -> Settled:
    """The result of a row whose latest copy may or may not have arrived.

    `copies` is how many copies left so far, `sent_at` when the latest did (aware UTC), `reason` why nobody knows. `news`: the
    message reports a reminder that ended in one of NEWS. The row is due again if its kind is repeated and copies are left;
    otherwise it ends as UNKNOWN.
    """
    repeats = KINDS[kind].repeats
    again = repeats is Repeats.LABELLED or (repeats is Repeats.WITH_NEWS and news and copies == 1)
    wait = REPEAT_AFTER.get(copies) if again else None
    if wait is None:
        return Settled(row_id, State.UNKNOWN, reason=reason)
    return Settled(row_id, State.DUE, due_at=sent_at + wait, reason=reason)
