"""People and what they are owed, for the tests of the database: one evening in Berlin, reminder 21:45, bedtime 22:30."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from bot.core.model import Intake, Kind, Night, Person, State, Status
from bot.core.owed import Owed
from bot.core.planning import Message
from db import nights, tables, users
from db.engine import Database
from db.outbox import changes as outbox_changes
from db.outbox import rows as outbox

NIGHT = date(2026, 3, 26)
DUE = datetime(2026, 3, 26, 20, 45, tzinfo=UTC)
BED = DUE + timedelta(minutes=45)
UNTIL = BED - timedelta(minutes=5)
NOON = datetime(2026, 3, 27, 11, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 27, 6, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def person(user_id: int = 1, **changes: object) -> Person:
    """Somebody in Berlin who goes to bed at 22:30 and is reminded tonight."""
    someone = Person(
        user_id,
        Status.ACTIVE,
        created_at=DUE - timedelta(days=30),
        seen_at=DUE - timedelta(days=1),
        consent=1,
        language="en",
        zone="Europe/Berlin",
        bedtimes=(22 * 60 + 30,) * 7,
        form="citrate",
        remind_at=DUE,
        remind_night=NIGHT,
    )
    return replace(someone, **changes)  # type: ignore[arg-type]


async def settle_in(database: Database, *people: Person) -> None:
    """Let these people be there."""
    async with database.write() as db:
        for one in people:
            new = await users.create(db, one.id, now=one.created_at, language=one.language)
            await users.save(db, new, one)


def message(user_id: int = 1, kind: Kind = Kind.REMINDER, **changes: object) -> Message:
    """What somebody is owed tonight: the reminder, or another kind."""
    if kind in (Kind.REMINDER, Kind.NUDGE):
        owed = Message(user_id, kind, NIGHT, due_at=DUE, until_at=UNTIL, bed_at=BED, close_at=NOON)
    else:
        until = MORNING + timedelta(hours=6)
        owed = Message(user_id, kind, NIGHT, due_at=MORNING, until_at=until, bed_at=BED, close_at=until)
    return replace(owed, **changes)  # type: ignore[arg-type]


async def owe(database: Database, *messages: Message) -> None:
    async with database.write() as db:
        await outbox.owe(db, messages)


async def claim(database: Database, worker: str = "a", *, now: datetime = DUE, limit: int = 100) -> list[Owed]:
    async with database.write() as db:
        return await outbox.claim(db, worker=worker, now=now, limit=limit)


async def start(database: Database, rows: Sequence[Owed], worker: str = "a", *, now: datetime = DUE) -> set[int]:
    async with database.write() as db:
        return await outbox.start(db, [row.id for row in rows], worker=worker, now=now)


async def settle(database: Database, *ends: outbox.Settled, worker: str = "a") -> None:
    async with database.write() as db:
        await outbox.settle(db, ends, worker=worker)


async def sending(database: Database, worker: str = "a", *, now: datetime = DUE) -> Owed:
    """Claim and start the one row that is due."""
    (row,) = await claim(database, worker, now=now)
    assert await start(database, [row], worker, now=now) == {row.id}
    return row


async def sent(database: Database, *, message_id: int = 5, now: datetime = DUE) -> Owed:
    """Claim, start and settle the one row that is due: it arrived."""
    row = await sending(database, now=now)
    await settle(database, outbox.Settled(row.id, State.SENT, message_id=message_id, sent_at=now))
    return row


async def answer(database: Database, user_id: int = 1, *, at: datetime = DUE) -> None:
    """The person says that they took it, as the handler writes it."""
    async with database.write() as db:
        await nights.record_intake(db, user_id, NIGHT, Intake.TAKEN, at=at)
        await outbox_changes.answered(db, user_id, NIGHT)


async def find(database: Database, user_id: int = 1, kind: Kind = Kind.REMINDER, night: Night = NIGHT) -> sa.RowMapping:
    """The row as it is stored."""
    box = tables.outbox
    async with database.read() as db:
        query = sa.select(box).where(box.c.user_id == user_id, box.c.kind == kind, box.c.night == night)
        return (await db.execute(query)).mappings().one()


async def state(database: Database, user_id: int = 1, kind: Kind = Kind.REMINDER) -> State | None:
    async with database.read() as db:
        return await outbox_changes.state_of(db, user_id, kind, NIGHT)
