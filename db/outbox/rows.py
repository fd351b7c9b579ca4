"""Messages owed: owe, claim, start, settle.

A row is `due`, is `claimed` by a worker for a lease, is `sending` from just before the socket write, and ends as `sent`,
`unknown`, `gone`, `expired` or `cancelled`. Every write of a worker repeats that the row is still its own (fencing): nothing
written means that somebody else has it. What dead workers had is in `leases`, how rows end that nobody has in `closing`, what
people do to what they are promised in `promises`.
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
"""Longer than the worst send (pool + connect + write + read)."""

REPEAT_AFTER = {1: timedelta(minutes=2), 2: timedelta(minutes=5)}
"""When a reminder that may not have arrived goes again, by the copies so far. An outage of seconds must not use them up."""

PUSHED_ON = timedelta(hours=1)
"""What cannot be planned or rendered waits this long, so that it never stalls the sweep."""


def having(wanted: Callable[[Policy], bool]) -> ColumnElement[bool]:
    """Whether the row's kind has such a policy."""
    # Not `in_`: its parameters expand, which a statement for many rows at once must not.
    return sa.or_(sa.false(), *(_box.c.kind == kind for kind in message_kinds.having(wanted)))


# While versions change, a newer replica may owe kinds that this one does not know: those are not ours to send.
_KNOWN = having(lambda _: True)
_ENDED_BY_ANSWER = having(lambda policy: policy.ended_by_answer)

ANSWERED = sa.exists().where(
    _nights.c.user_id == _box.c.user_id, _nights.c.night == _box.c.night, _nights.c.intake.is_not(None)
)
"""The row's night was answered."""

# Whoever is erased or left gets nothing.
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
    """The end of a row whose night was answered: that proves a reminder's arrival, if a copy left, now or before a snooze."""
    left = sa.or_(copies > 0, _box.c.message_id.is_not(None))
    return sa.case((sa.and_(_box.c.kind == Kind.REMINDER, left), State.SENT), else_=State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Settled:
    """How one row ends, or goes on when `state` is due."""

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
    """One page of people who were owed their evening: how many, and those who could not be planned."""

    size: int
    trouble: list[tuple[int, Exception]]


async def owe_due(db: Connection, *, now: datetime, until: datetime, limit: int) -> OwedPage:
    """Owe every night whose reminder is due by `until`, and what comes before reminders and is due by `now`.

    One transaction, at most `limit` people of each. Their schedules move on. Who could not be planned is pushed an hour on.
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
    """Owe what `plan` says of each person and their answer; `otherwise` are the changes of those who could not be planned."""
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


# Each on an index of its own; that of `owe_at` is empty while no kind is due before reminders.
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
    # A whole evening's rush passes here: what does not change is read off the person, who has many fields, and not copied.
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
    """Owe these; one that is owed already stays as it is."""
    await _OWE.many(db, [_row(message) for message in messages])


# -- claim, start, settle ----------------------------------------------------------------------------------------------


MAY_GO_EARLY = sa.and_(having(lambda policy: policy.may_go_early), _box.c.sent_at.is_(None), _box.c.tries == 0)
"""Only a message that never left goes before its moment: a snooze or a repeat was promised for its minute."""


async def claim(
    db: Connection, *, worker: str, now: datetime, limit: int, early: timedelta = timedelta()
) -> list[Owed]:
    """Take up to `limit` rows that are due, reminders before check-ins and the earliest bedtime first.

    With `early`, reminders go so long before their moment, because the minutes ahead are too crowded (`pacing`).
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
    """Note, just before the socket write, that a copy is on its way. Returns those that may go.

    They are still this worker's and still in time. What is no longer wanted, because the night was answered or the person
    rests, stopped or left since the claim, ends here.
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
    """Write what became of rows that this worker has.

    One that would go again although its night was answered meanwhile does not. None waits beyond the end of its window.
    """
    await settle_each(db, [(end, worker) for end in ends])


async def settle_each(db: Connection, ends: Sequence[tuple[Settled, str]]) -> None:
    """The same for rows of several workers: each with the one that had it."""
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
"""Ends of a reminder that the morning's question tells of."""


def after_unknown(
    row_id: int, *, kind: Kind, copies: int, sent_at: datetime, reason: str, news: bool = False
) -> Settled:
    """How a row goes on whose copy number `copies` may or may not have arrived.

    `news`: it tells of a reminder that ended as one of NEWS.
    """
    repeats = KINDS[kind].repeats
    again = repeats is Repeats.LABELLED or (repeats is Repeats.WITH_NEWS and news and copies == 1)
    wait = REPEAT_AFTER.get(copies) if again else None
    if wait is None:
        return Settled(row_id, State.UNKNOWN, reason=reason)
    return Settled(row_id, State.DUE, due_at=sent_at + wait, reason=reason)
