"""Every table that knows a person: all of it is taken away by an export, and none of it is left by an erasure."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot import export
from bot.core.experiment.design import Plan
from bot.core.experiment.run import Halves
from bot.core.model import Status
from bot.texts import language
from db import erase, experiments, personal_data, tables, types, upkeep, users
from db.engine import Connection, Database

NOW = datetime(2026, 11, 20, 20, 15, tzinfo=UTC)
NIGHT = date(2026, 11, 14)
ADA, BEN = 7, 8
# What admins did as operators is the installation's record, not their diary.
OPERATORS = {"audit", "broadcasts"}
NOT_PERSONAL = {"marks", "erasures", *OPERATORS}
FIXED = {
    "users.status": "active",
    "users.bedtimes": "1380",
    "users.check_ins": "480",
    "users.awaiting": "bedtime",
    "users.cadence": "weekly",
    "users.zone": "Europe/Berlin",
    "nights.reason": "other",
    "experiments.shifts": "",
    "experiment_nights.void": "fever",
    "outbox.kind": "reminder",
    "outbox.state": "due",
}


def value(table: sa.Table, column: sa.Column[object], user_id: int) -> object:
    """Something that fits the column and says whose it is."""
    known = FIXED.get(f"{table.name}.{column.name}")
    makes: list[tuple[type, Callable[[], object]]] = [
        (types.Utc, lambda: NOW),
        (types.Civil, lambda: NIGHT),
        (sa.Boolean, lambda: True),
        (sa.LargeBinary, lambda: bytes([user_id]) * 32),
        (sa.String, lambda: f"secret{user_id}"),
        (sa.BigInteger, lambda: 1000 + user_id),
        (sa.Integer, lambda: 1),
    ]
    if known is not None:
        return known
    return next(make() for kind, make in makes if isinstance(column.type, kind))


async def fill(db: Connection, user_id: int) -> None:
    """A row of this person in every table that has people."""
    for table, owner in erase.owners():
        row = {column.name: value(table, column, user_id) for column in table.columns} | {owner.name: user_id}
        if table is tables.experiments:
            row |= {"length": 28, "design": "nightly", "ended_at": None, "report": None}
        await db.execute(table.insert().values(row))


def test_every_table_is_somebodys_or_known_to_be_nobodys() -> None:
    owned = {table.name for table, _ in erase.owners()}
    assert owned | NOT_PERSONAL == set(tables.metadata.tables)
    for table in tables.metadata.tables.values():
        names = {column.name for column in table.columns}
        suspicious = {name for name in names if "user" in name or "person" in name or "chat" in name}
        assert not suspicious or table.name in owned, table.name


async def test_an_export_holds_a_row_of_every_table(database: Database) -> None:
    async with database.write() as db:
        await fill(db, ADA)
        await fill(db, BEN)
        held = await personal_data.read(db, ADA)
    assert held is not None
    listed = {table.name for table in personal_data.ELSEWHERE} | set(held.rows)
    assert listed == {table.name for table, _ in erase.owners()}
    assert held.lines
    assert held.trials
    packed = zipfile.ZipFile(BytesIO(archive(held)))
    text = "".join(packed.read(name).decode() for name in packed.namelist())
    assert "secret7" in text
    assert "secret8" not in text


def archive(held: personal_data.Belongings) -> bytes:
    words = language.words("en")
    everything = export.Held(held.person, held.lines, held.trials, held.rows)
    return export.archive(words, everything, pictures={}, now=NOW)


async def test_an_export_of_a_sealed_test_holds_its_fingerprint_and_not_its_seed(database: Database) -> None:
    async with database.write() as db:
        await fill(db, ADA)
        held = await personal_data.read(db, ADA)
    assert held is not None
    packed = zipfile.ZipFile(BytesIO(archive(held)))
    text = "".join(packed.read(name).decode() for name in packed.namelist())
    assert (bytes([ADA]) * 32).hex() not in text
    (test,) = json.loads(packed.read("experiment.json"))["tests"]
    assert test["sealed"] is True
    assert len(test["fingerprint"]) == 64
    assert "nights" not in test


async def test_an_erasure_leaves_nothing_of_one_and_all_of_another(database: Database) -> None:
    async with database.write() as db:
        await fill(db, ADA)
        await fill(db, BEN)
        await erase.person(db, ADA, now=NOW)
        for table, owner in erase.owners():
            left = (await db.execute(sa.select(owner))).scalars().all()
            assert ADA not in left, table.name
            assert BEN in left, table.name
        bodies = (await db.execute(sa.select(tables.inbox.c.body))).scalars().all()
        assert sorted(bodies, key=str) == [None, "secret8"] or set(bodies) == {None, "secret8"}
        ledger = await erase.ledger(db)
    assert len(ledger.entries) == 1
    ((who, day),) = ledger.entries
    assert day == NOW.date()
    assert str(ADA) != who
    assert len(who) == 64


async def newcomer(db: Connection, user_id: int, *, at: datetime) -> None:
    await users.create(db, user_id, now=at, language="en")


async def test_a_restored_backup_loses_again_whoever_was_erased_since(database: Database) -> None:
    async with database.write() as db:
        await newcomer(db, ADA, at=NOW - timedelta(days=9))
        await newcomer(db, BEN, at=NOW - timedelta(days=9))
        await erase.person(db, ADA, now=NOW)
        ledger = await erase.ledger(db)
        # The backup, from before: its own ledger is empty.
        await db.execute(tables.erasures.delete())
        await newcomer(db, ADA, at=NOW - timedelta(days=9))
        assert await erase.replay(db, ledger) == 1
        assert await users.find(db, ADA) is None
        assert await users.find(db, BEN) is not None
        assert await erase.ledger(db) == ledger


async def test_a_restored_backup_keeps_who_came_again_after_the_erasure(database: Database) -> None:
    async with database.write() as db:
        await newcomer(db, ADA, at=NOW - timedelta(days=9))
        await erase.person(db, ADA, now=NOW)
        await newcomer(db, ADA, at=NOW)
        ledger = await erase.ledger(db)
        # The backup was made after all that, so its own ledger knows.
        assert await erase.replay(db, ledger) == 0
        assert await users.find(db, ADA) is not None


async def test_the_restore_command_itself_erases_them_again(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    async with database.write() as db:
        await newcomer(db, ADA, at=NOW - timedelta(days=9))
        await newcomer(db, BEN, at=NOW - timedelta(days=9))
    backup = await upkeep.back_up(database_url, tmp_path / "backups", now=NOW)
    async with database.write() as db:
        await erase.person(db, ADA, now=NOW)
    await database.close()

    await upkeep.restore(database_url, backup, tmp_path / "backups", now=NOW + timedelta(hours=1))

    restored = Database(database_url)
    async with restored.read() as db:
        assert await users.find(db, ADA) is None
        assert await users.find(db, BEN) is not None
        assert len((await erase.ledger(db)).entries) == 1
    await restored.close()


async def test_only_one_test_at_a_time_even_when_asked_twice(database: Database) -> None:
    halves = Halves(bytes(32), "moon", drawn=False)
    plan = Plan(NIGHT, 28, halves.seed)
    async with database.write() as db:
        await newcomer(db, ADA, at=NOW)
        assert await experiments.begin(db, ADA, plan, halves, blind=False, bags_code=None, now=NOW) is not None
        assert await experiments.begin(db, ADA, plan, halves, blind=False, bags_code=None, now=NOW) is None


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.GONE])
async def test_the_silent_are_found_once_and_those_who_spoke_are_spared(database: Database, status: Status) -> None:
    async with database.write() as db:
        await newcomer(db, ADA, at=NOW - timedelta(days=600))
        await newcomer(db, BEN, at=NOW - timedelta(days=500))
        await db.execute(tables.users.update().values(status=status))
        found = await erase.silent(db, since=NOW - timedelta(days=548), limit=10)
        assert [person.id for person in found] == [ADA]
        await db.execute(tables.users.update().where(tables.users.c.id == ADA).values(warned_at=NOW))
        assert await erase.silent(db, since=NOW - timedelta(days=548), limit=10) == []
        assert await erase.warned(db, before=NOW + timedelta(days=1), limit=10) == [ADA]
        await db.execute(tables.users.update().where(tables.users.c.id == ADA).values(seen_at=NOW + timedelta(hours=1)))
        assert await erase.warned(db, before=NOW + timedelta(days=1), limit=10) == []
