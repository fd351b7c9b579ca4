"""Broadcasts, their recipients' progress, the admins who claimed, and the audit of what admins did.

A recipient's row is `pending`, is `sending` from just before the socket write, and then has its fate. What is `sending` when
a process begins may have arrived: it becomes `unknown` and is never sent again. Its `due_at` says from when a pending copy
may go, and since when another one has been on its way.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.core import broadcast as core_broadcast
from bot.core.broadcast import Broadcast, BroadcastReport, Fate, Phase
from bot.core.model import Person, Status
from db import tables, types, upserts, users
from db.dialect import is_sqlite
from db.engine import Connection

_casts, _to, _users, _admins, _audit = (
    tables.broadcasts,
    tables.recipients,
    tables.users,
    tables.admins,
    tables.audit,
)
_ACTIVE = (Phase.RUNNING, Phase.PAUSED)
_REACHABLE = (Status.ACTIVE, Status.PAUSED)

_PENDING: sa.ColumnClause[str] = sa.literal_column("'pending'")  # spelled out, so that the index of pending ones serves

REASONS = 4
"""How many reasons a report lists: it is a message, not a log."""

_BEGINNING = 0x4C756C04
"""The advisory lock that a process holds while it starts a broadcast."""


async def draft(db: Connection, *, admin_id: int, message_id: int, now: datetime) -> int:
    """A new draft of this admin; older drafts of theirs are dropped. Returns its id."""
    old = (_casts.c.admin_id == admin_id, _casts.c.phase == Phase.DRAFT)
    await db.execute(_casts.update().where(*old).values(phase=Phase.CANCELLED, ended_at=now))
    new = _casts.insert().values(admin_id=admin_id, message_id=message_id, phase=Phase.DRAFT, created_at=now)
    return int((await db.execute(new.returning(_casts.c.id))).scalar_one())


async def find(db: Connection, broadcast_id: int) -> Broadcast | None:
    """One broadcast."""
    row = (await db.execute(sa.select(_casts).where(_casts.c.id == broadcast_id))).mappings().first()
    return None if row is None else _broadcast(row)


async def active(db: Connection) -> Broadcast | None:
    """The one that runs or is paused; there is never a second."""
    row = (await db.execute(sa.select(_casts).where(_casts.c.phase.in_(_ACTIVE)))).mappings().first()
    return None if row is None else _broadcast(row)


async def latest(db: Connection, *, limit: int) -> list[Broadcast]:
    """The newest ones that were sent, newest first."""
    sent = _casts.c.phase.not_in((Phase.DRAFT, Phase.CANCELLED))
    query = sa.select(_casts).where(sent).order_by(_casts.c.id.desc()).limit(limit)
    return [_broadcast(row) for row in (await db.execute(query)).mappings()]


async def choose(db: Connection, broadcast_id: int, *, language: str | None, awake_only: bool) -> None:
    """The audience of a draft."""
    draft_only = (_casts.c.id == broadcast_id, _casts.c.phase == Phase.DRAFT)
    await db.execute(_casts.update().where(*draft_only).values(language=language, awake_only=awake_only))


async def begin(db: Connection, broadcast_id: int, *, total: int, panel_id: int) -> bool:
    """Start a draft. False when it is no draft any more, or another one is active."""
    if not is_sqlite(db):
        # If two replicas begin at once, the second sees what the first did. (The unique index alone would make its handler fail.)
        await db.execute(sa.select(sa.func.pg_advisory_xact_lock(_BEGINNING, 0)))
    if await active(db) is not None:
        return False
    start = _casts.update().where(_casts.c.id == broadcast_id, _casts.c.phase == Phase.DRAFT)
    values = {"phase": Phase.RUNNING, "total": total, "panel_id": panel_id, "active": True}
    return (await db.execute(start.values(values))).rowcount > 0


async def move(
    db: Connection, broadcast_id: int, *, to: Phase, now: datetime, among: Iterable[Phase] = _ACTIVE
) -> bool:
    """Pause, resume, stop or end one that is in a phase `among`. False when it is not."""
    ends = to not in _ACTIVE
    values = {"phase": to, "ended_at": now if ends else None, "active": None if ends else True}
    moved = _casts.update().where(_casts.c.id == broadcast_id, _casts.c.phase.in_(list(among))).values(values)
    return (await db.execute(moved)).rowcount > 0


def _broadcast(row: sa.RowMapping) -> Broadcast:
    return Broadcast(
        id=row["id"],
        admin_id=row["admin_id"],
        message_id=row["message_id"],
        phase=Phase(row["phase"]),
        created_at=row["created_at"],
        language=row["language"],
        awake_only=bool(row["awake_only"]),
        total=row["total"],
        fed_to=row["fed_to"],
        fed=bool(row["fed"]),
        panel_id=row["panel_id"],
        ended_at=row["ended_at"],
    )


# -- recipients --------------------------------------------------------------------------------------------------------


async def audience(db: Connection, language: str | None) -> int:
    """How many people a broadcast would go to: reachable, set up, and not against announcements."""
    return int(await db.scalar(sa.select(sa.func.count()).select_from(_users).where(*_wanted(language))) or 0)


def _wanted(language: str | None) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = [_users.c.status.in_(_REACHABLE), _users.c.no_news.is_not(True)]
    if language is not None:
        # "de" is also "de-AT".
        wanted.append(sa.or_(_users.c.language == language, _users.c.language.like(f"{language}-%")))
    return wanted


async def languages(db: Connection) -> list[str]:
    """The two-letter languages of people who can be reached, the most common first."""
    query = sa.select(_users.c.language, sa.func.count()).where(*_wanted(None)).group_by(_users.c.language)
    found: Counter[str] = Counter()
    for code, number in await db.execute(query):
        if code:
            found[code[:2].lower()] += number
    return [code for code, _ in found.most_common()]


async def feed(db: Connection, broadcast: Broadcast, *, now: datetime, limit: int) -> int:
    """Take up the next people as recipients, each with the instant from which the copy may go. Returns how many."""
    query = sa.select(_users).where(_users.c.id > broadcast.fed_to, *_wanted(broadcast.language))
    people = [users.person_of(row) for row in (await db.execute(query.order_by(_users.c.id).limit(limit))).mappings()]
    rows = [
        {
            "broadcast_id": broadcast.id,
            "user_id": person.id,
            "fate": Fate.PENDING,
            "due_at": _reach_at(broadcast, person, now),
        }
        for person in people
    ]
    if rows:
        insert = upserts.into(_to, on=db)
        await db.execute(insert.on_conflict_do_nothing(), rows)
    last = people[-1].id if people else broadcast.fed_to
    values = {"fed_to": last, "fed": len(people) < limit}
    await db.execute(_casts.update().where(_casts.c.id == broadcast.id).values(values))
    return len(people)


@dataclass(frozen=True, slots=True)
class Turns:
    """The recipients whose turn it is. `seen` also counts those who were struck out or put off to their morning meanwhile."""

    ready: list[int]
    seen: int


async def turns(db: Connection, broadcast: Broadcast, *, now: datetime, limit: int, but: Collection[int]) -> Turns:
    """The next recipients whose copy may go now, `but` those whose copy is in hand.

    They were taken up minutes ago or, over a pause, days ago. People who have said no since then are struck out; people who
    sleep by now get it in the morning.
    """
    query = (
        sa.select(_to.c.user_id, _users)
        .select_from(_to.outerjoin(_users, _users.c.id == _to.c.user_id))
        .where(_due(broadcast.id, now), _to.c.user_id.not_in(list(but)))
        .order_by(_to.c.due_at)  # by no more: the index gives this order
        .limit(limit)
    )
    rows = (await db.execute(query)).mappings().all()
    people = {row["user_id"]: users.person_of(row) if row["id"] is not None else None for row in rows}
    wanted = [person for person in people.values() if person is not None and _wants(person)]
    reach_at = {person.id: _reach_at(broadcast, person, now) for person in wanted}
    await _strike_out(db, broadcast.id, people.keys() - reach_at.keys())
    await _put_off(db, broadcast.id, {user_id: at for user_id, at in reach_at.items() if at > now})
    return Turns([user_id for user_id, at in reach_at.items() if at <= now], seen=len(rows))


def _due(broadcast_id: int, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_to.c.broadcast_id == broadcast_id, _to.c.fate == _PENDING, _to.c.due_at <= now)


def _wants(person: Person) -> bool:
    """What `_wanted` asks of a row."""
    return person.status in _REACHABLE and person.no_news is not True


def _reach_at(broadcast: Broadcast, person: Person, now: datetime) -> datetime:
    return core_broadcast.may_reach_at(person.schedule, now) if broadcast.awake_only else now


async def _strike_out(db: Connection, broadcast_id: int, user_ids: Collection[int]) -> None:
    if user_ids:
        gone = (_to.c.broadcast_id == broadcast_id, _to.c.user_id.in_(sorted(user_ids)), _to.c.fate == Fate.PENDING)
        await db.execute(_to.delete().where(*gone))


async def _put_off(db: Connection, broadcast_id: int, until: dict[int, datetime]) -> None:
    if until:
        rows = [{"cast": broadcast_id, "user": user_id, "new_due_at": at} for user_id, at in until.items()]
        await db.execute(_PUT_OFF, rows)


_ROW = sa.and_(_to.c.broadcast_id == sa.bindparam("cast"), _to.c.user_id == sa.bindparam("user"))
_PUT_OFF = _to.update().where(_ROW, _to.c.fate == Fate.PENDING).values(due_at=sa.bindparam("new_due_at"))


async def start(db: Connection, broadcast_id: int, user_ids: Collection[int], *, now: datetime) -> set[int]:
    """Note, just before the socket write, that these copies are on their way. Returns those that may be sent.

    The others may not: another process had the copy, the broadcast was paused or stopped, or the person stopped the bot.
    """
    running = sa.exists().where(_casts.c.id == broadcast_id, _casts.c.phase == Phase.RUNNING)
    there = sa.exists().where(_users.c.id == _to.c.user_id, *_wanted(None))
    mine = (_to.c.broadcast_id == broadcast_id, _to.c.user_id.in_(list(user_ids)), _to.c.fate == Fate.PENDING)
    begun = _to.update().where(*mine, running, there).values(fate=Fate.SENDING, due_at=now).returning(_to.c.user_id)
    return set((await db.execute(begun)).scalars())


@dataclass(frozen=True, slots=True)
class CopySettled:
    """What became of one copy."""

    broadcast_id: int
    user_id: int
    fate: Fate
    reason: str | None = None
    due_at: datetime | None = None  # from when on it may go, where it goes again


async def settle(db: Connection, ends: Sequence[CopySettled]) -> None:
    """Write what became of copies that were on their way; back to pending when they certainly never left.

    A copy that became unknown because another process took over meanwhile gets its known result.
    """
    rows = [
        {
            "cast": end.broadcast_id,
            "user": end.user_id,
            "new_fate": end.fate,
            "new_reason": end.reason and end.reason[:80],
            "new_due_at": end.due_at,
        }
        for end in ends
    ]
    await db.execute(_SETTLE, rows)


_new_fate = sa.bindparam("new_fate", type_=sa.String())
_SETTLE = (
    _to.update()
    .where(
        _ROW,
        sa.or_(
            _to.c.fate == Fate.SENDING,
            sa.and_(_to.c.fate == Fate.UNKNOWN, _new_fate != Fate.PENDING),
        ),
    )
    .values(
        fate=_new_fate,
        reason=sa.bindparam("new_reason", type_=sa.String()),
        due_at=sa.func.coalesce(sa.bindparam("new_due_at", type_=types.Utc()), _to.c.due_at),
    )
)


async def recover(db: Connection, *, before: datetime | None = None) -> int:
    """What a dead process was sending may have arrived. Returns how many. `before`: only what was begun before then."""
    lost = _to.update().where(_to.c.fate == Fate.SENDING, *([] if before is None else [_to.c.due_at < before]))
    return (await db.execute(lost.values(fate=Fate.UNKNOWN, reason="the process ended"))).rowcount


async def anything_due(db: Connection, broadcast_id: int, *, now: datetime) -> bool:
    """Whether a copy may go now."""
    return bool(await db.scalar(sa.select(sa.exists().where(_due(broadcast_id, now)))))


async def anything_pending(db: Connection, broadcast_id: int) -> bool:
    """Whether a copy may go now or later."""
    pending = sa.exists().where(_to.c.broadcast_id == broadcast_id, _to.c.fate == _PENDING)
    return bool(await db.scalar(sa.select(pending)))


async def end(db: Connection, broadcast_id: int, *, now: datetime) -> bool:
    """Note that it is done, if it is: everybody was taken up and has their fate."""
    open_ = sa.exists().where(_to.c.broadcast_id == broadcast_id, _to.c.fate.in_((Fate.PENDING, Fate.SENDING)))
    values = {"phase": Phase.DONE, "ended_at": now, "active": None}
    done = (_casts.c.id == broadcast_id, _casts.c.phase == Phase.RUNNING, _casts.c.fed.is_(True), ~open_)
    return (await db.execute(_casts.update().where(*done).values(values))).rowcount > 0


async def prune(db: Connection, *, before: datetime) -> int:
    """Forget who the recipients were of broadcasts that ended before then, and keep their reports. Returns how many."""
    held = sa.exists().where(_to.c.broadcast_id == _casts.c.id)
    forgotten = 0
    for number in (await db.execute(sa.select(_casts.c.id).where(_casts.c.ended_at < before, held))).scalars().all():
        kept = await _count(db, number)
        text = json.dumps({"counts": kept.counts, "reasons": kept.reasons})
        await db.execute(_casts.update().where(_casts.c.id == number).values(report=text))
        forgotten += (await db.execute(_to.delete().where(_to.c.broadcast_id == number))).rowcount
    return forgotten


async def report(db: Connection, broadcast_id: int) -> BroadcastReport:
    """What became of the copies so far."""
    kept = await db.scalar(sa.select(_casts.c.report).where(_casts.c.id == broadcast_id))
    if kept is None:
        return await _count(db, broadcast_id)
    found = json.loads(kept)
    counts = {Fate(fate): number for fate, number in found["counts"].items()}
    return BroadcastReport(counts, tuple((Fate(fate), reason, number) for fate, reason, number in found["reasons"]))


async def _count(db: Connection, broadcast_id: int) -> BroadcastReport:
    return BroadcastReport(await fates(db, broadcast_id), tuple(await reasons(db, broadcast_id, limit=REASONS)))


async def fates(db: Connection, broadcast_id: int) -> dict[Fate, int]:
    """How many recipients have which fate."""
    query = sa.select(_to.c.fate, sa.func.count()).where(_to.c.broadcast_id == broadcast_id).group_by(_to.c.fate)
    return {Fate(fate): number for fate, number in await db.execute(query)}


async def reasons(db: Connection, broadcast_id: int, *, limit: int) -> list[tuple[Fate, str, int]]:
    """Why copies failed, or why it is not known whether they arrived; the most common reasons first."""
    query = (
        sa.select(_to.c.fate, _to.c.reason, sa.func.count())
        .where(
            _to.c.broadcast_id == broadcast_id,
            _to.c.fate.in_((Fate.FAILED, Fate.UNKNOWN)),
            _to.c.reason.is_not(None),
        )
        .group_by(_to.c.fate, _to.c.reason)
        .order_by(sa.func.count().desc(), _to.c.reason)
        .limit(limit)
    )
    return [(Fate(fate), reason, number) for fate, reason, number in await db.execute(query)]


# -- admins ------------------------------------------------------------------------------------------------------------


async def admins(db: Connection) -> set[int]:
    """Those who claimed with the one-time link."""
    return set((await db.execute(sa.select(_admins.c.user_id))).scalars())


async def make_admin(db: Connection, user_id: int, *, now: datetime) -> None:
    """This person is an admin from now on."""
    insert = upserts.into(_admins, on=db)
    await db.execute(insert.values(user_id=user_id, since=now).on_conflict_do_nothing())


async def note(db: Connection, *, admin_id: int, action: str, now: datetime) -> None:
    """An audit line."""
    await db.execute(_audit.insert().values(at=now, admin_id=admin_id, action=action[:200]))


async def trail(db: Connection, *, limit: int) -> list[tuple[datetime, int, str]]:
    """The newest audit lines, newest first."""
    query = sa.select(_audit.c.at, _audit.c.admin_id, _audit.c.action).order_by(_audit.c.id.desc()).limit(limit)
    return [(at, admin_id, action) for at, admin_id, action in await db.execute(query)]
