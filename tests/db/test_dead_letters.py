"""A dead letter keeps its text for a week, then what it was like for three more; nobody's keeps no text at all."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.core import shapes
from db import erase, inbox, tables
from db.engine import Database
from db.inbox import Dead, StoredUpdate
from tests.db.evenings import DUE

BODY = json.dumps(
    {"update_id": 5, "message": {"text": "I take the blue ones", "date": 1774526400, "photo": [{"id": "AB"}]}}
)
SHAPE = 'shape: {"update_id":0,"message":{"text":"20 characters","date":0,"photo":[{"id":"2 characters"}]}}'


async def bury(database: Database, number: int, user_id: int | None) -> None:
    dead = Dead(StoredUpdate(number, user_id, BODY, DUE), "ValueError: 'the blue ones'")
    async with database.write() as db:
        await inbox.bury(db, [dead], now=DUE)


async def found(database: Database) -> list[tuple[str, str]]:
    async with database.read() as db:
        rows = await db.execute(sa.select(tables.dead_letters).order_by(tables.dead_letters.c.update_id))
        return [(row.error, row.body) for row in rows]


async def prune(database: Database, age: timedelta) -> None:
    async with database.write() as db:
        await inbox.prune(db, now=DUE + age)


async def test_the_text_stays_for_a_week_and_the_shape_for_a_month(database: Database) -> None:
    await bury(database, 5, 77)
    await prune(database, timedelta(days=7))
    assert await found(database) == [("ValueError: 'the blue ones'", BODY)]

    for _ in range(2):  # what is a shape stays as it is
        await prune(database, timedelta(days=7, seconds=1))
        assert await found(database) == [("ValueError", SHAPE)]

    await prune(database, timedelta(days=30, seconds=1))
    assert await found(database) == []


async def test_nobodys_has_only_a_shape_for_it_could_be_erased_with_nobody(database: Database) -> None:
    await bury(database, 5, None)
    assert [body for _, body in await found(database)] == [SHAPE]


async def test_a_persons_goes_with_the_person(database: Database) -> None:
    await bury(database, 5, 77)
    await bury(database, 6, 78)
    async with database.write() as db:
        await erase.person(db, 77, now=DUE)
    assert len(await found(database)) == 1


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("{", "no JSON, 1 characters"),
        ("[" * 100_000, "no JSON, 100000 characters"),
        ('{"Ada Lovelace": 1, "x": [true, null, 1.5]}', '{"other":0,"x":[true,null,0]}'),
        ("[" * 30 + "]" * 30, "[" * 21 + '"deeper"' + "]" * 21),
    ],
)
def test_a_shape_holds_nothing_that_somebody_wrote(text: str, shape: str) -> None:
    assert shapes.of(text) == f"shape: {shape}"
