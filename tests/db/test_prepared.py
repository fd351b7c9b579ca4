"""Prepared statements: the same answers as SQLAlchemy's way, with types, constants and nothing, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from db import tables, upserts
from db.engine import Database, Unavailable
from db.sqlite.prepared import Prepared, Statement

BOX = tables.outbox
AT = datetime(2026, 3, 26, 20, 45, tzinfo=UTC)
NIGHT = date(2026, 3, 26)


def _insert(dialect: str) -> Statement:
    names = ("user_id", "kind", "night", "planned_at", "due_at", "until_at", "bed_at", "close_at")
    values: dict[str, object] = {name: sa.bindparam(name) for name in names}
    insert = upserts.into(BOX, on=dialect).values(values | {"state": "due"})
    return insert.on_conflict_do_nothing(index_elements=["user_id", "kind", "night"]).returning(BOX.c.user_id)


INSERT = Prepared(_insert)
FIND = Prepared(lambda _: sa.select(BOX).where(BOX.c.user_id == sa.bindparam("user"), BOX.c.state == "due"))
END = Prepared(
    lambda _: (
        BOX.update()
        .where(BOX.c.user_id == sa.bindparam("user"), BOX.c.state == sa.bindparam("from_state"))
        .values(state="sent", sent_at=sa.bindparam("at"))
    )
)


def row(user_id: int) -> dict[str, object]:
    moments = dict.fromkeys(("planned_at", "due_at", "until_at", "bed_at", "close_at"), AT)
    return {"user_id": user_id, "kind": "reminder", "night": NIGHT, **moments}


@pytest.mark.parametrize("quick", [True, False])
async def test_rows_come_back_with_their_types_and_under_their_names(database: Database, quick: bool) -> None:
    async with database.write(quick=quick) as db:
        assert await INSERT.each(db, [row(1), row(2), row(1)]) == [{"user_id": 1}, {"user_id": 2}]
        found = await FIND.first(db, {"user": 1})
        usual = (await db.execute(sa.select(BOX).where(BOX.c.user_id == 1))).mappings().one()

    assert found == dict(usual)
    assert found is not None
    assert (found["night"], found["due_at"], found["sent_at"]) == (NIGHT, AT, None)


@pytest.mark.parametrize("quick", [True, False])
async def test_a_change_says_how_many_rows_it_met(database: Database, quick: bool) -> None:
    async with database.write(quick=quick) as db:
        await INSERT.each(db, [row(1), row(2)])
        met = [await END.run(db, {"user": user, "from_state": "due", "at": AT}) for user in (1, 1, 7)]
        assert await FIND.first(db, {"user": 1}) is None
        assert await FIND.rows(db, {"user": 7}) == []

    assert met == [1, 0, 0]


@pytest.mark.parametrize("quick", [True, False])
async def test_many_changes_are_all_made_and_none_is_no_statement(database: Database, quick: bool) -> None:
    async with database.write(quick=quick) as db:
        assert await INSERT.each(db, []) == []
        await END.many(db, [])
        await INSERT.each(db, [row(user) for user in range(1, 6)])
        await END.many(db, [{"user": user, "from_state": "due", "at": AT} for user in (1, 3, 5)])
        left = (await db.execute(sa.select(BOX.c.user_id).where(BOX.c.state == "due"))).scalars().all()

    assert sorted(left) == [2, 4]


async def test_a_read_only_view_can_use_them_too(database: Database) -> None:
    async with database.write() as db:
        await INSERT.each(db, [row(1)])

    async with database.read() as db:
        found = await FIND.first(db, {"user": 1})

    assert found is not None
    assert found["planned_at"] == AT


async def test_what_a_block_wrote_is_undone_with_it(database: Database) -> None:
    async def fail() -> None:
        async with database.write(quick=True) as db:
            await INSERT.each(db, [row(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with database.read() as db:
        assert await FIND.rows(db, {"user": 1}) == []


async def test_a_missing_value_is_a_mistake_and_writes_nothing(database: Database) -> None:
    with pytest.raises((KeyError, sa.exc.StatementError)):
        async with database.write(quick=True) as db:
            await END.run(db, {"user": 1, "at": AT})


async def test_a_list_inside_a_statement_is_refused(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL takes statements SQLAlchemy's way")
    several = Prepared(lambda _: sa.select(BOX.c.id).where(BOX.c.id.in_(sa.bindparam("ids", expanding=True))))

    with pytest.raises(ValueError, match="cannot be prepared"):
        async with database.read() as db:
            await several.rows(db, {"ids": [1, 2]})


async def test_a_database_that_refuses_now_is_unavailable(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("a switch of SQLite's")
    async with database.write() as db:
        await db.execute(sa.text("PRAGMA query_only=ON"))
    with pytest.raises(Unavailable):
        async with database.write(quick=True) as db:
            await INSERT.each(db, [row(1)])
