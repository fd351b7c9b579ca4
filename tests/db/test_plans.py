"""The queries of every tick use their indexes, so that a tick with nothing to do costs nothing."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import pytest
import pytest_asyncio
import sqlalchemy as sa

from bot.core.model import Kind
from db import tables, users
from db.engine import Connection, Database
from db.outbox import due, history, leases
from db.outbox import rows as outbox
from db.sqlite import driver
from tests import postgres
from tests.conftest import ENGINES
from tests.db import evenings
from tests.db.evenings import DUE, MORNING, NIGHT, NOON

PEOPLE = 5000


pytestmark = pytest.mark.asyncio(loop_scope="module")


class Undone(Exception):  # noqa: N818 - named for what becomes of the transaction
    """Nothing of it stays."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=ENGINES)
async def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """Thousands of people whose reminders were sent, whose mornings are owed, and whose next evening is planned.

    Once for all tests, who leave it as it is: they are many rows to write.
    """
    async with contextlib.AsyncExitStack() as stack:
        if request.param == "sqlite":
            path = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path_factory.mktemp("crowd") / "lull.db")
            url = f"sqlite:///{path}"
        else:
            url = await stack.enter_async_context(request.getfixturevalue("postgres_server").database())
        database = Database(postgres.async_url(url))
        stack.push_async_callback(database.close)
        await settle(database)
        yield database


async def settle(database: Database) -> None:
    async with database.write() as db:
        one = evenings.person()
        values = {name: value for name, value in users._values(one, users._FIELDS).items() if name != "id"}
        await db.execute(tables.users.insert(), [values | {"id": n, "remind_at": later(n)} for n in range(PEOPLE)])
        nights = [{"user_id": n, "night": NIGHT - timedelta(days=1), "intake": 1} for n in range(PEOPLE)]
        await db.execute(tables.nights.insert(), nights)
        for kind, state in ((Kind.REMINDER, "sent"), (Kind.CHECK_IN, "due")):
            row = outbox._row(evenings.message(kind=kind)) | {"state": state}
            if kind is Kind.CHECK_IN:
                row |= {"due_at": MORNING + timedelta(days=1)}
            await db.execute(tables.outbox.insert(), [row | {"user_id": n} for n in range(PEOPLE)])
        await db.exec_driver_sql("ANALYZE")


def later(number: int) -> datetime:
    return DUE + timedelta(days=1, seconds=number)


async def _owe(db: Connection) -> None:
    await outbox.owe_due(db, now=DUE, until=DUE, limit=500)


async def _claim(db: Connection) -> None:
    await outbox.claim(db, worker="a", now=DUE, limit=12)


async def _expire(db: Connection) -> None:
    await history.expire(db, now=DUE)


async def _reclaim(db: Connection) -> None:
    await leases.reclaim(db, now=DUE)


async def _close(db: Connection) -> None:
    await history.close(db, now=NOON - timedelta(hours=1), limit=500)


async def _look(db: Connection) -> None:
    await due.at(db, now=DUE, ahead=timedelta(minutes=15))


@pytest.mark.parametrize(
    ("sweep", "index"),
    [
        (_owe, "ix_users_remind_at"),
        (_claim, "ix_outbox_due"),
        (_expire, "ix_outbox_due"),
        (_reclaim, "ix_outbox_lease"),
        (_close, "ix_outbox_close"),
        (_look, "ix_outbox_due"),
    ],
)
async def test_a_sweep_finds_its_rows_by_their_index(
    crowd: Database, sweep: Callable[[Connection], Awaitable[None]], index: str
) -> None:
    with contextlib.suppress(Undone):
        async with crowd.write() as db:
            plans = await plans_of(db, sweep)
            raise Undone

    assert any(index in plan for plan in plans), plans
    whole = [line for plan in plans for line in plan.splitlines() if reads_all(line)]
    assert whole == []


def reads_all(line: str) -> bool:
    """Whether a line of a plan, of either database, goes through a whole table of ours."""
    return bool(re.search(r"Seq Scan on (outbox|users|nights)|^SCAN (outbox|users|nights)\b(?!.*USING)", line))


async def plans_of(db: Connection, sweep: Callable[[Connection], Awaitable[None]]) -> list[str]:
    """What the database says of every statement that a sweep runs."""
    ran: list[tuple[str, object]] = []
    straight = driver.of(db)
    if straight is not None:  # SQLite itself tells of all of them, also of those that SQLAlchemy does not see
        straight.raw.set_trace_callback(lambda statement: ran.append((statement, ())))
        await sweep(db)
        straight.raw.set_trace_callback(None)
        return await _explained(db, "EXPLAIN QUERY PLAN ", [one for one in ran if one[0].split()[0] in _STATEMENTS])

    def note(_c: object, _cursor: object, statement: str, parameters: object, _x: object, many: bool) -> None:
        if not many:
            ran.append((statement, parameters))

    listening = (db.sync_connection, "before_cursor_execute", note)
    sa.event.listen(*listening)
    await sweep(db)
    sa.event.remove(*listening)
    return await _explained(db, "EXPLAIN ", ran)


_STATEMENTS = ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")


async def _explained(db: Connection, explain: str, ran: list[tuple[str, object]]) -> list[str]:
    plans = []
    for statement, parameters in ran:
        rows = (await db.exec_driver_sql(explain + statement, parameters)).all()  # type: ignore[arg-type]
        plans.append("\n".join(str(row[-1]) for row in rows))
    return plans
