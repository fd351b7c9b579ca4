"""Broadcasts, their recipients' progress, the admins who claimed, and the audit of what admins did.

A recipient's row is `pending`, is `sending` from just before the socket write, and then has its fate. What is `sending` when
a process begins may have arrived: it becomes `unknown` and is never sent again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.core import announcing
from bot.core.announcing import Broadcast, Fate, Phase
from bot.core.model import Status
from db import tables, users
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
    if await active(db) is not None:
        return False
    start = _casts.update().where(_casts.c.id == broadcast_id, _casts.c.phase == Phase.DRAFT)
    # The unique index on active ones decides between two replicas.
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
            "due_at": announcing.may_reach_at(person.schedule, now) if broadcast.awake_only else now,
        }
        for person in people
    ]
    if rows:
        insert = sqlite.insert(_to) if db.dialect.name == "sqlite" else postgresql.insert(_to)
        await db.execute(insert.on_conflict_do_nothing(), rows)
    last = people[-1].id if people else broadcast.fed_to
    values = {"fed_to": last, "fed": len(people) < limit}
    await db.execute(_casts.update().where(_casts.c.id == broadcast.id).values(values))
    return len(people)


async def due(db: Connection, broadcast_id: int, *, now: datetime, limit: int) -> list[int]:
    """The next recipients whose copy may go now."""
    query = sa.select(_to.c.user_id).where(
        _to.c.broadcast_id == broadcast_id, _to.c.fate == sa.literal_column("'pending'"), _to.c.due_at <= now
    )
    return list((await db.execute(query.order_by(_to.c.due_at, _to.c.user_id).limit(limit))).scalars())


async def start(db: Connection, broadcast_id: int, user_ids: Sequence[int]) -> set[int]:
    """Note, just before the socket write, that these copies are on their way. Gives those that were still wanted.

    Not wanted any more: another process had it, the broadcast was paused or stopped, the person stopped the bot.
    """
    running = sa.exists().where(_casts.c.id == broadcast_id, _casts.c.phase == Phase.RUNNING)
    there = sa.exists().where(_users.c.id == _to.c.user_id, *_wanted(None))
    mine = (_to.c.broadcast_id == broadcast_id, _to.c.user_id.in_(list(user_ids)), _to.c.fate == Fate.PENDING)
    begun = _to.update().where(*mine, running, there).values(fate=Fate.SENDING).returning(_to.c.user_id)
    return set((await db.execute(begun)).scalars())


async def settle(db: Connection, broadcast_id: int, user_id: int, fate: Fate, *, reason: str | None = None) -> None:
    """Write what became of a copy that was on its way; back to pending when it certainly never left."""
    mine = (_to.c.broadcast_id == broadcast_id, _to.c.user_id == user_id, _to.c.fate == Fate.SENDING)
    await db.execute(_to.update().where(*mine).values(fate=fate, reason=reason and reason[:80]))


async def drop_unwanted(db: Connection, broadcast_id: int) -> int:
    """Strike out recipients who meanwhile stopped the bot or its announcements. Returns how many."""
    there = sa.exists().where(_users.c.id == _to.c.user_id, *_wanted(None))
    gone = _to.delete().where(_to.c.broadcast_id == broadcast_id, _to.c.fate == Fate.PENDING, ~there)
    return (await db.execute(gone)).rowcount


async def recover(db: Connection) -> int:
    """At the start of the one who sends: what a dead process was sending may have arrived. Returns how many."""
    lost = _to.update().where(_to.c.fate == Fate.SENDING).values(fate=Fate.UNKNOWN, reason="the process ended")
    return (await db.execute(lost)).rowcount


async def fates(db: Connection, broadcast_id: int) -> dict[Fate, int]:
    """How many recipients have which fate."""
    query = sa.select(_to.c.fate, sa.func.count()).where(_to.c.broadcast_id == broadcast_id).group_by(_to.c.fate)
    return {Fate(fate): number for fate, number in await db.execute(query)}


async def reasons(db: Connection, broadcast_id: int, *, limit: int) -> list[tuple[str, int]]:
    """Why copies failed, the most common reasons first."""
    query = (
        sa.select(_to.c.reason, sa.func.count())
        .where(_to.c.broadcast_id == broadcast_id, _to.c.fate == Fate.FAILED, _to.c.reason.is_not(None))
        .group_by(_to.c.reason)
        .order_by(sa.func.count().desc())
        .limit(limit)
    )
    return [(reason, number) for reason, number in await db.execute(query)]


# -- admins ------------------------------------------------------------------------------------------------------------


async def admins(db: Connection) -> set[int]:
    """Those who claimed with the one-time link."""
    return set((await db.execute(sa.select(_admins.c.user_id))).scalars())


async def make_admin(db: Connection, user_id: int, *, now: datetime) -> None:
    """This person is an admin from now on."""
    insert = sqlite.insert(_admins) if db.dialect.name == "sqlite" else postgresql.insert(_admins)
    await db.execute(insert.values(user_id=user_id, since=now).on_conflict_do_nothing())


async def note(db: Connection, *, admin_id: int, action: str, now: datetime) -> None:
    """An audit line."""
    await db.execute(_audit.insert().values(at=now, admin_id=admin_id, action=action[:200]))


async def trail(db: Connection, *, limit: int) -> list[tuple[datetime, int, str]]:
    """The newest audit lines, newest first."""
    query = sa.select(_audit.c.at, _audit.c.admin_id, _audit.c.action).order_by(_audit.c.id.desc()).limit(limit)
    return [(at, admin_id, action) for at, admin_id, action in await db.execute(query)]
