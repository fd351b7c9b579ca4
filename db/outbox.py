"""Messages owed: owe, claim, start, settle, reclaim, close.

A row is `due`, is `claimed` by a worker for a lease, is `sending` from just before the socket write, and ends as `sent`,
`unknown`, `gone`, `expired` or `cancelled`. Every write of a worker repeats that the row is still its own (fencing): nothing
written means that somebody else has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from bot.core import planning
from bot.core.model import Delivery, Kind, Night, Person, State, Status
from bot.core.owed import Owed
from db import experiments, nights, tables, users
from db.engine import Connection

_box, _users, _nights, _retired = tables.outbox, tables.users, tables.nights, tables.retired_tips
_trials = tables.experiments

LEASE = timedelta(seconds=120)
"""Longer than the worst send (pool + connect + write + read)."""

REPEAT_AFTER = {1: timedelta(minutes=2), 2: timedelta(minutes=5)}
"""When a reminder that may not have arrived goes again, by the copies so far. An outage of seconds must not use them up."""

PUSHED_ON = timedelta(hours=1)
"""What cannot be planned or rendered waits this long, so that it never stalls the sweep."""

# Not `in_`: its parameters expand, which a statement for many rows at once must not.
_EVENING = sa.or_(_box.c.kind == Kind.REMINDER, _box.c.kind == Kind.NUDGE)
_ANSWERED = sa.exists().where(
    _nights.c.user_id == _box.c.user_id, _nights.c.night == _box.c.night, _nights.c.intake.is_not(None)
)
# Whoever rests still gets the morning question of a night that had begun; whoever is erased gets nothing.
_WELCOME = sa.exists().where(
    _users.c.id == _box.c.user_id,
    _users.c.status != Status.GONE,
    # The one thing that is said to somebody who wanted to hear nothing: that their diary is about to go.
    sa.or_(_users.c.status != Status.STOPPED, _box.c.kind == Kind.DORMANT),
    sa.or_(_users.c.status != Status.PAUSED, ~_EVENING),
)

# A week's picture of ratings and what was taken would be a look into a sealed self-experiment.
_PEEK = sa.and_(
    _box.c.kind == Kind.DIGEST, sa.exists().where(_trials.c.user_id == _box.c.user_id, _trials.c.ended_at.is_(None))
)


def _proven(copies: ColumnElement[int]) -> ColumnElement[str]:
    """The end of a row whose night was answered: that proves a reminder's arrival, if a copy left, now or before a snooze."""
    left = sa.or_(copies > 0, _box.c.message_id.is_not(None))
    return sa.case((sa.and_(_box.c.kind == Kind.REMINDER, left), State.SENT), else_=State.CANCELLED)


_ORDER = sa.case({Kind.REMINDER: 0, Kind.NUDGE: 0, Kind.DIGEST: 2}, value=_box.c.kind, else_=1)


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


# -- owe ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """One page of people who were owed their evening: how many, and those who could not be planned."""

    size: int
    trouble: list[tuple[int, Exception]]


async def owe_due(db: Connection, *, now: datetime, until: datetime, limit: int) -> Page:
    """Owe every reminder whose moment comes by `until`, with its morning check-in, and move those people's schedules on.

    One transaction, at most `limit` people. Who could not be planned is pushed an hour on.
    """
    people = await _people_due(db, until=until, limit=limit)
    rows: list[dict[str, object]] = []
    moves: list[dict[str, object]] = []
    trouble: list[tuple[int, Exception]] = []
    for person, answered in people:
        try:
            evening = planning.owe(person, answered=answered, now=now)
        except Exception as error:  # one person's impossible schedule must not hold up everybody's evening
            trouble.append((person.id, error))
            moves.append(_move(person, remind_at=now + PUSHED_ON))
            continue
        rows += [_row(message) for message in evening.messages]
        moves.append(_move(evening.person))
    await _insert(db, rows)
    if moves:
        await db.execute(_MOVE, moves)
    return Page(len(people), trouble)


async def _people_due(db: Connection, *, until: datetime, limit: int) -> list[tuple[Person, bool]]:
    on_night = sa.and_(_nights.c.user_id == _users.c.id, _nights.c.night == _users.c.remind_night)
    query = (
        sa.select(_users, _nights.c.intake.is_not(None).label("answered"))
        .select_from(_users.outerjoin(_nights, on_night))
        .where(_users.c.remind_at <= until)
        .order_by(_users.c.remind_at)
        .limit(limit)
        .with_for_update(of=_users, skip_locked=True)
    )
    return [(users.person_of(row), bool(row["answered"])) for row in (await db.execute(query)).mappings()]


_MOVED = (
    "remind_at",
    "remind_night",
    "reminded_at",
    "reminded_night",
    "status",
    "paused_until",
    "away_zone",
    "away_until",
    "cadence",
)
_MOVE = (
    _users.update()
    .where(_users.c.id == sa.bindparam("user_id"))
    .values({name: sa.bindparam(f"new_{name}") for name in _MOVED})
)


def _move(person: Person, **changes: object) -> dict[str, object]:
    values = {name: getattr(person, name) for name in _MOVED} | changes
    return {"user_id": person.id} | {f"new_{name}": value for name, value in values.items()}


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
    }


async def _insert(db: Connection, rows: list[dict[str, object]]) -> None:
    if rows:
        insert = sqlite.insert(_box) if db.dialect.name == "sqlite" else postgresql.insert(_box)
        await db.execute(insert.on_conflict_do_nothing(index_elements=["user_id", "kind", "night"]), rows)


async def owe(db: Connection, messages: Sequence[planning.Message]) -> None:
    """Owe these; one that is owed already stays as it is."""
    await _insert(db, [_row(message) for message in messages])


# -- claim, start, settle ----------------------------------------------------------------------------------------------


# Only a reminder that never left goes before its moment: a snooze or a repeat was promised for its minute.
_MAY_GO_EARLY = sa.and_(_box.c.kind == Kind.REMINDER, _box.c.sent_at.is_(None), _box.c.tries == 0)


async def claim(
    db: Connection, *, worker: str, now: datetime, limit: int, early: timedelta = timedelta()
) -> list[Owed]:
    """Take up to `limit` rows that are due, reminders before check-ins and the earliest bedtime first.

    With `early`, reminders go so long before their moment, because the minutes ahead are too crowded (`pacing`).
    """
    may_go = _box.c.due_at <= now
    if early:
        may_go = sa.or_(may_go, sa.and_(_box.c.due_at <= now + early, _MAY_GO_EARLY))
    best = (
        sa.select(_box.c.id)
        .where(_box.c.state == sa.literal_column("'due'"), may_go, _box.c.until_at > now)
        .order_by(_ORDER, _box.c.until_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # PostgreSQL may run a plain subquery more than once, and would then lock and take more than the limit.
        .cte("best")
    )
    taken = (
        _box.update()
        .where(_box.c.id.in_(sa.select(best.c.id)), _box.c.state == State.DUE)
        .values(state=State.CLAIMED, worker=worker, lease_until=now + LEASE)
        .returning(_box.c.id)
    )
    ids = list((await db.execute(taken)).scalars())
    return await _load(db, ids) if ids else []


async def _load(db: Connection, ids: Sequence[int]) -> list[Owed]:
    reminder = _box.alias("reminder")
    same_night = sa.and_(_nights.c.user_id == _box.c.user_id, _nights.c.night == _box.c.night)
    its_reminder = sa.and_(
        reminder.c.user_id == _box.c.user_id, reminder.c.night == _box.c.night, reminder.c.kind == Kind.REMINDER
    )
    columns = [
        column.label(f"box_{column.name}")
        for column in _box.c
        if column.name not in ("user_id", "state", "worker", "lease_until")
    ]
    columns += [column.label(f"night_{column.name}") for column in _nights.c if column.name not in ("user_id", "night")]
    in_trial = sa.exists().where(_trials.c.user_id == _box.c.user_id, _trials.c.ended_at.is_(None))
    query = (
        sa.select(
            _users,
            *columns,
            reminder.c.state.label("reminder_state"),
            reminder.c.reason.label("reminder_reason"),
            in_trial.label("in_trial"),
        )
        .select_from(
            _box.join(_users, _users.c.id == _box.c.user_id)
            .outerjoin(_nights, same_night)
            .outerjoin(reminder, its_reminder)
        )
        .where(_box.c.id.in_(ids))
        .order_by(_ORDER, _box.c.until_at)
    )
    retired = await _retired_by(db, ids)
    rows = (await db.execute(query)).mappings().all()
    if len(rows) < len(ids):
        # Nobody is there any more to send the others to.
        nobodys = set(ids) - {row["box_id"] for row in rows}
        await db.execute(_box.delete().where(_box.c.id.in_(nobodys)))
    return await _with_trials(db, [_owed(row, retired) for row in rows], {row["id"] for row in rows if row["in_trial"]})


async def _with_trials(db: Connection, rows: list[Owed], in_trial: set[int]) -> list[Owed]:
    """Add what the self-experiments say to the rows of those few who have one."""
    told = {row.person.id for row in rows if row.kind is Kind.RESULT}
    if not in_trial and not told:
        return rows
    tonight = await experiments.assignments(
        db, [(row.person.id, row.night) for row in rows if row.person.id in in_trial]
    )
    reports = await experiments.reports(db, told)
    return [
        replace(
            row,
            trial=reports.get(row.person.id) if row.kind is Kind.RESULT else tonight.get((row.person.id, row.night)),
        )
        for row in rows
    ]


async def _retired_by(db: Connection, ids: Sequence[int]) -> dict[int, frozenset[str]]:
    query = sa.select(_retired).where(_retired.c.user_id.in_(sa.select(_box.c.user_id).where(_box.c.id.in_(ids))))
    found: dict[int, set[str]] = {}
    for user_id, tip in await db.execute(query):
        found.setdefault(user_id, set()).add(tip)
    return {user_id: frozenset(tips) for user_id, tips in found.items()}


def _owed(get: sa.RowMapping, retired: dict[int, frozenset[str]]) -> Owed:
    record = nights.record_from(night=get["box_night"], values={name: get[f"night_{name}"] for name in nights.COLUMNS})
    return Owed(
        id=get["box_id"],
        kind=Kind(get["box_kind"]),
        night=get["box_night"],
        planned_at=get["box_planned_at"],
        until_at=get["box_until_at"],
        bed_at=get["box_bed_at"],
        copies=get["box_copies"],
        tries=get["box_tries"],
        person=users.person_of(get),
        record=record,
        retired_tips=retired.get(get["id"], frozenset()),
        reminder=None if get["reminder_state"] is None else State(get["reminder_state"]),
        reminder_reason=get["reminder_reason"],
    )


async def start(db: Connection, ids: Iterable[int], *, worker: str, now: datetime) -> set[int]:
    """Note, just before the socket write, that a copy is on its way. Returns those that may go.

    They are still this worker's and still in time. What is no longer wanted, because the night was answered or the person
    rests, stopped or left since the claim, ends here.
    """
    mine = (_box.c.id.in_(list(ids)), _box.c.state == State.CLAIMED, _box.c.worker == worker)
    unwanted = sa.or_(~_WELCOME, sa.and_(_EVENING, _ANSWERED), _PEEK)
    await db.execute(
        _box.update()
        .where(*mine, unwanted)
        .values(
            state=sa.case((_ANSWERED, _proven(_box.c.copies)), else_=State.CANCELLED), worker=None, lease_until=None
        )
    )
    query = (
        _box.update()
        .where(*mine, _box.c.until_at > now)
        .values(state=State.SENDING, copies=_box.c.copies + 1, sent_at=now, lease_until=now + LEASE)
        .returning(_box.c.id)
    )
    return set((await db.execute(query)).scalars())


async def settle(db: Connection, ends: Sequence[Settled], *, worker: str) -> None:
    """Write what became of rows that this worker has.

    One that would go again although its night was answered meanwhile does not. None waits beyond the end of its window.
    """
    await db.execute(_SETTLE, [_settled(end, worker) for end in ends])


_new_state, _new_reason = (sa.bindparam(name, type_=sa.String()) for name in ("new_state", "new_reason"))
_new_due_at = sa.func.coalesce(sa.bindparam("new_due_at", type_=tables.Utc()), _box.c.due_at)
_uncounted = sa.and_(sa.bindparam("uncount", type_=sa.Boolean()), _box.c.state == State.SENDING)
_new_copies = _box.c.copies - sa.case((_uncounted, 1), else_=0)
_SETTLE = (
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
        state=sa.case((sa.and_(_new_state == State.DUE, _EVENING, _ANSWERED), _proven(_new_copies)), else_=_new_state),
        due_at=sa.case((_new_due_at > _box.c.until_at, _box.c.until_at), else_=_new_due_at),
        message_id=sa.func.coalesce(sa.bindparam("new_message_id", type_=sa.BigInteger()), _box.c.message_id),
        sent_at=sa.func.coalesce(sa.bindparam("new_sent_at", type_=tables.Utc()), _box.c.sent_at),
        reason=sa.case((_new_state == State.DUE, sa.func.coalesce(_new_reason, _box.c.reason)), else_=_new_reason),
        copies=_new_copies,
        tries=_box.c.tries + 1,
        worker=None,
        lease_until=None,
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
    }


# -- after a death, at the end of a window, at the end of a night -------------------------------------------------------


async def give_back(db: Connection, *, worker: str) -> None:
    """At an orderly end: what was claimed and not begun is due again."""
    mine = (_box.c.worker == worker, _box.c.state == State.CLAIMED)
    await db.execute(_box.update().where(*mine).values(state=State.DUE, worker=None, lease_until=None))


async def workers(db: Connection) -> set[str]:
    """Those who have rows in hand."""
    query = sa.select(_box.c.worker).where(_box.c.lease_until.is_not(None), _box.c.worker.is_not(None)).distinct()
    return {str(name) for name in (await db.execute(query)).scalars()}


async def reclaim(
    db: Connection, *, now: datetime, everything: bool = False, keep: Collection[int] = ()
) -> list[tuple[Kind, State]]:
    """Take back the rows of dead workers: those whose lease ran out or, at the start of an only process, all.

    `keep` are the rows that this process has in hand: alive, whatever a clock that jumped says of their leases.

    What had not begun is due again. What was being sent may have arrived: a reminder goes again after a while, up to three
    copies; anything else stays unknown. Returns kind and new state of each row that was being sent.
    """
    over: ColumnElement[bool] = _box.c.lease_until.is_not(None) if everything else _box.c.lease_until <= now
    held = sa.select(_box.c.id, _box.c.kind, _box.c.state, _box.c.copies, _box.c.sent_at, _box.c.worker)
    held = held.where(over, _box.c.state.in_((State.CLAIMED, State.SENDING))).with_for_update(skip_locked=True)
    lost = [row for row in await db.execute(held) if row.id not in keep]
    if claimed := [row.id for row in lost if row.state == State.CLAIMED]:
        mine = (over, _box.c.id.in_(claimed), _box.c.state == State.CLAIMED)
        await db.execute(_box.update().where(*mine).values(state=State.DUE, worker=None, lease_until=None))
    begun = [row for row in lost if row.state == State.SENDING]
    ends = [
        after_unknown(x.id, kind=Kind(x.kind), copies=x.copies, sent_at=x.sent_at, reason="the process ended")
        for x in begun
    ]
    if ends:
        await db.execute(_SETTLE, [_settled(end, row.worker) for end, row in zip(ends, begun, strict=True)])
    return [(Kind(row.kind), end.state) for end, row in zip(ends, begun, strict=True)]


def after_unknown(row_id: int, *, kind: Kind, copies: int, sent_at: datetime, reason: str) -> Settled:
    """How a row goes on whose copy number `copies` may or may not have arrived."""
    wait = REPEAT_AFTER.get(copies) if kind is Kind.REMINDER else None
    if wait is None:
        return Settled(row_id, State.UNKNOWN, reason=reason)
    return Settled(row_id, State.DUE, due_at=sent_at + wait, reason=reason)


async def expire(db: Connection, *, now: datetime) -> list[tuple[Kind, State]]:
    """End the rows whose window has closed: a copy that may have arrived is unknown, no copy is expired."""
    ended = (
        _box.update()
        .where(_box.c.state == sa.literal_column("'due'"), _box.c.due_at <= now, _box.c.until_at <= now)
        .values(
            state=sa.case((_box.c.copies > 0, State.UNKNOWN), else_=State.EXPIRED),
            reason=sa.func.coalesce(_box.c.reason, "the bot was not running"),
        )
        .returning(_box.c.kind, _box.c.state)
    )
    return [(Kind(kind), State(state)) for kind, state in await db.execute(ended)]


_DELIVERY = {
    State.SENT: Delivery.SENT,
    State.UNKNOWN: Delivery.UNKNOWN,
    State.EXPIRED: Delivery.EXPIRED,
    State.GONE: Delivery.UNREACHABLE,
    State.CANCELLED: Delivery.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Closed:
    """One row that became history."""

    user_id: int
    kind: Kind
    night: Night
    state: State


async def close(db: Connection, *, now: datetime, limit: int) -> list[Closed]:
    """Turn rows past their cut-off into history.

    A reminder's fate goes to the diary, where a night that was reminded and not answered becomes missed; a check-in that was
    sent and not answered counts as a quiet morning. At most `limit` rows; returns what was closed.
    """
    old = (
        sa.select(_box.c.id)
        .where(_box.c.close_at <= now, _box.c.state.not_in((State.CLAIMED, State.SENDING)))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    gone = (
        _box.delete()
        .where(_box.c.id.in_(sa.select(old.c.id)))
        .returning(_box.c.user_id, _box.c.kind, _box.c.night, _box.c.state, _box.c.reason, _box.c.copies)
    )
    rows = (await db.execute(gone)).all()
    closed = [Closed(row.user_id, Kind(row.kind), row.night, State(row.state)) for row in rows]
    fates = [
        {"user_id": row.user_id, "night": row.night, "reminder": _fate(State(row.state), row.reason, row.copies)}
        for row in rows
        if row.kind == Kind.REMINDER
    ]
    await nights.close(db, fates)
    await nights.count_quiet(
        db, [(c.user_id, c.night) for c in closed if c.kind is Kind.CHECK_IN and c.state is State.SENT]
    )
    return closed


def _fate(state: State, reason: str | None, copies: int) -> Delivery:
    if state is State.DUE:  # put off beyond its night's end
        return Delivery.UNKNOWN if copies else Delivery.EXPIRED
    if state is State.GONE and reason == "not found":
        return Delivery.NOT_FOUND
    return _DELIVERY[state]


# -- what people do ----------------------------------------------------------------------------------------------------


# Built once: to build a statement costs several times what SQLite needs to run it.
_ITS_KEY = sa.and_(
    _box.c.user_id == sa.bindparam("user"), _box.c.kind == sa.bindparam("what"), _box.c.night == sa.bindparam("on")
)
_FIND = sa.select(_box).where(_ITS_KEY)
_STATE = sa.select(_box.c.state).where(_ITS_KEY)
# One that is being sent right now stays its worker's: `settle` looks at the answer.
_NOTE_ANSWER = (
    _box.update()
    .where(
        _box.c.user_id == sa.bindparam("user"),
        _box.c.night == sa.bindparam("on"),
        _EVENING,
        sa.or_(*(_box.c.state == state for state in (State.DUE, State.CLAIMED, State.UNKNOWN))),
    )
    .values(state=_proven(_box.c.copies), worker=None, lease_until=None)
)


def _key(user_id: int, kind: Kind, night: Night) -> dict[str, object]:
    return {"user": user_id, "what": kind, "on": night}


async def find(db: Connection, user_id: int, kind: Kind, night: Night) -> sa.Row[tuple[object, ...]] | None:
    """The row of that promise, as it stands."""
    return (await db.execute(_FIND, _key(user_id, kind, night))).first()


async def state_of(db: Connection, user_id: int, kind: Kind, night: Night) -> State | None:
    """Where that promise stands; None when nothing is owed."""
    state = await db.scalar(_STATE, _key(user_id, kind, night))
    return None if state is None else State(state)


async def night_of(db: Connection, user_id: int, message_id: int) -> Night | None:
    """The night that a message of ours is about, while its row is kept."""
    mine = (_box.c.user_id == user_id, _box.c.message_id == message_id)
    night: Night | None = await db.scalar(sa.select(_box.c.night).where(*mine).limit(1))
    return night


async def standing(db: Connection, user_id: int, kind: Kind, night: Night) -> tuple[State, datetime] | None:
    """Where that promise stands and when it is next tried; None when nothing is owed."""
    query = sa.select(_box.c.state, _box.c.due_at).where(_one(user_id, kind, night))
    row = (await db.execute(query)).first()
    return None if row is None else (State(row.state), row.due_at)


async def answered(db: Connection, user_id: int, night: Night) -> None:
    """A tap proves that the reminder arrived, and makes what is still to come tonight superfluous."""
    await db.execute(_NOTE_ANSWER, {"user": user_id, "on": night})


async def cancel(
    db: Connection, user_id: int, *, kinds: Iterable[Kind], reason: str, first_night: Night | None = None
) -> None:
    """Withdraw what is still to be sent to this person. What is being sent right now is; `start` lets no more of it go."""
    mine = [_box.c.user_id == user_id, _box.c.kind.in_(list(kinds)), _box.c.state.in_((State.DUE, State.CLAIMED))]
    if first_night is not None:
        mine.append(_box.c.night >= first_night)
    await db.execute(
        _box.update().where(*mine).values(state=State.CANCELLED, reason=reason, worker=None, lease_until=None)
    )


async def withdraw(db: Connection, user_id: int, night: Night) -> bool:
    """Forget that this night's reminder was owed, if no copy of it ever left. Returns whether the night can be planned again."""
    unsent = sa.and_(_box.c.copies == 0, _box.c.state.in_((State.DUE, State.CLAIMED, State.EXPIRED)))
    if await state_of(db, user_id, Kind.REMINDER, night) is None:
        return True
    gone = await db.execute(_box.delete().where(_one(user_id, Kind.REMINDER, night), unsent))
    if gone.rowcount == 0:
        return False
    # Its morning goes with it, also one called off: planned again, the night owes its own.
    unasked = (_box.c.copies == 0, _box.c.state.in_((State.DUE, State.CLAIMED, State.CANCELLED)))
    await db.execute(_box.delete().where(_box.c.user_id == user_id, _box.c.night == night, *unasked))
    return True


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
) -> None:
    """The same row, due later: a snooze, a later bedtime tonight, a second nudge. Still one a night.

    A copy that is being sent meanwhile goes its way, and its worker has nothing more to say about the row.
    """
    when = {"due_at": at, "planned_at": at, "until_at": until, "bed_at": bed_at}
    fresh = {"state": State.DUE, "copies": 0, "tries": tries, "reason": None, "worker": None, "lease_until": None}
    await db.execute(_box.update().where(_one(user_id, kind, night)).values(**when, **fresh))


async def move_check_in(db: Connection, user_id: int, night: Night, *, at: datetime, until: datetime) -> None:
    """The morning question of this night comes at another time, if it has not been sent."""
    await db.execute(
        _box.update()
        .where(_one(user_id, Kind.CHECK_IN, night), _box.c.state == State.DUE)
        .values(due_at=at, planned_at=at, until_at=until, close_at=until)
    )


def _one(user_id: int, kind: Kind, night: Night) -> ColumnElement[bool]:
    return sa.and_(_box.c.user_id == user_id, _box.c.kind == kind, _box.c.night == night)


# -- figures -----------------------------------------------------------------------------------------------------------


async def backlog(db: Connection, *, now: datetime, until: datetime) -> tuple[int, int]:
    """How many rows are due now, and how many reminders, owed already or not, come between now and `until`."""
    waiting = sa.select(sa.func.count()).select_from(_box).where(_box.c.state == sa.literal_column("'due'"))
    due = await db.scalar(waiting.where(_box.c.due_at <= now))
    owed = await db.scalar(waiting.where(_box.c.due_at > now, _box.c.due_at <= until, _MAY_GO_EARLY))
    soon = await db.scalar(
        sa.select(sa.func.count()).select_from(_users).where(_users.c.remind_at > now, _users.c.remind_at <= until)
    )
    return int(due or 0), int(owed or 0) + int(soon or 0)
