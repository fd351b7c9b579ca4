"""What the driver for SQLite and its neighbours use of the inner parts of aiosqlite and SQLAlchemy is still there.

These parts are nobody's promise: a new version may change them. Then one of these tests says which part, and what to do.
"""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
import threading
from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path

import aiosqlite
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import concurrency

from db import tables
from db.engine import Database
from db.sqlite import driver


def broken(package: str, what: str, file: str) -> str:
    """The sentence for whoever brought in the new version."""
    return (
        f"{package} {version(package)}: {what}. {file} rests on it: keep the version before in requirements/run.in, "
        f"or mend {file} and this test."
    )


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[aiosqlite.Connection]:
    connection = await aiosqlite.connect(tmp_path / "x.db", check_same_thread=False)
    yield connection
    await connection.close()


async def test_aiosqlite_gives_the_connection_beneath_and_raises_once_it_is_closed(tmp_path: Path) -> None:
    said = broken("aiosqlite", "Connection._conn is no longer the sqlite3.Connection beneath", "db/sqlite/driver.py")
    connection = await aiosqlite.connect(tmp_path / "x.db")
    assert isinstance(getattr(connection, "_conn", None), sqlite3.Connection), said
    await connection.close()
    with pytest.raises(ValueError, match="no active connection"):
        _ = connection._conn
    said = broken("aiosqlite", "Connection._connection is no longer None once it is closed", "db/sqlite/driver.py")
    assert getattr(connection, "_connection", said) is None, said


async def test_aiosqlite_runs_a_function_in_the_connections_one_thread(opened: aiosqlite.Connection) -> None:
    said = broken(
        "aiosqlite", "Connection._execute(function, *arguments) no longer runs it in its thread", "db/sqlite/driver.py"
    )
    execute = getattr(opened, "_execute", None)
    assert inspect.iscoroutinefunction(execute), said
    here = [await execute(lambda number: (threading.get_ident(), number), 7) for _ in range(2)]
    assert here[0] == here[1], said
    assert here[0][0] != threading.get_ident(), said
    assert here[0][1] == 7, said


async def test_aiosqlites_thread_can_be_made_one_that_keeps_no_process_alive(tmp_path: Path) -> None:
    said = broken(
        "aiosqlite", "Connection._thread is no longer a thread that waits to be started", "db/sqlite/driver.py"
    )
    waiting = aiosqlite.connect(tmp_path / "x.db")
    thread = getattr(waiting, "_thread", None)
    assert isinstance(thread, threading.Thread), said
    assert not thread.is_alive(), said
    thread.daemon = True
    connection = await waiting
    assert thread.is_alive(), said
    await connection.close()


def test_sqlalchemys_adapter_is_what_ours_is_built_on() -> None:
    said = broken("SQLAlchemy", "its adapter for aiosqlite no longer has {}", "db/sqlite/driver.py")
    for name in ("_handle_exception", "rollback", "cursor"):
        assert callable(getattr(AsyncAdapt_aiosqlite_connection, name, None)), said.format(name)
    for method, expected in (
        (AsyncAdapt_aiosqlite_connection.__init__, ["self", "dbapi", "connection"]),
        (AsyncAdapt_aiosqlite_dbapi.__init__, ["self", "aiosqlite", "sqlite"]),
    ):
        found = list(inspect.signature(method).parameters)
        assert found[: len(expected)] == expected, said.format(f"the parameters {expected}")
    adapter = AsyncAdapt_aiosqlite_dbapi(aiosqlite, sqlite3)
    assert getattr(adapter, "aiosqlite", None) is aiosqlite, said.format("the module under the name aiosqlite")
    assert callable(getattr(concurrency, "await_", None)), broken(
        "SQLAlchemy", "sqlalchemy.util.concurrency.await_ is gone", "db/sqlite/driver.py"
    )


async def test_sqlalchemy_works_through_our_connections_and_cursors(tmp_path: Path) -> None:
    said = broken("SQLAlchemy", "its async engine no longer works with a driver of our own", "db/sqlite/driver.py")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    async with database.read() as db:
        found = driver.of(db)
        assert found is not None, said
        assert isinstance(found.raw, sqlite3.Connection), said
        assert isinstance(found.cursor(), driver.Cursor), said
        assert await db.scalar(sa.text("SELECT 1")) == 1, said
        streamed = [row async for row in await db.stream(sa.text("SELECT 1 UNION SELECT 2"))]
        assert [row[0] for row in streamed] == [1, 2], said
    async with database.write() as db:
        raw = (await db.get_raw_connection()).dbapi_connection
        assert isinstance(raw, driver.Connection), broken(
            "SQLAlchemy",
            "get_raw_connection() no longer leads to the driver's connection",
            "db/sqlite/shared_transactions.py",
        )
    await database.close()


async def test_an_error_of_sqlite_comes_as_sqlalchemys_with_its_code(tmp_path: Path) -> None:
    said = broken("SQLAlchemy", "_handle_exception no longer gives SQLite's own error on", "db/sqlite/driver.py")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    async with database.write() as db:
        await db.execute(sa.text("CREATE TABLE x (a INTEGER PRIMARY KEY)"))
        await db.execute(sa.text("INSERT INTO x VALUES (1)"))
    with pytest.raises(sa.exc.IntegrityError) as failed:
        async with database.write() as db:
            await db.execute(sa.text("INSERT INTO x VALUES (1)"))
    code = getattr(failed.value.orig, "sqlite_errorcode", None)
    assert code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, said
    await database.close()


async def test_a_compiled_statement_shows_what_prepared_reads(tmp_path: Path) -> None:
    said = broken("SQLAlchemy", "a compiled statement no longer has {}", "db/sqlite/prepared.py")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    async with database.read() as db:
        dialect = db.dialect
    await database.close()
    box = tables.outbox
    compiled = box.update().where(box.c.id == sa.bindparam("row")).values(state="sent").compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler), said.format("SQLCompiler for its type")
    assert compiled.positiontup == ["state", "row"], said.format("positiontup, the names in their order")
    asked, constant = compiled.binds["row"], compiled.binds["state"]
    assert (asked.required, constant.required) == (True, False), said.format("binds that say which are required")
    assert constant.effective_value == "sent", said.format("effective_value of a constant")
    assert not compiled.post_compile_params, said.format("post_compile_params, empty where nothing is a list")
    listed = sa.select(box.c.id).where(box.c.id.in_([1, 2])).compile(dialect=dialect)
    assert isinstance(listed, SQLCompiler)
    assert listed.post_compile_params, said.format("post_compile_params of a list")
    night = box.c.night.type.dialect_impl(dialect)
    assert callable(night.bind_processor(dialect)), said.format("types with a bind_processor")
    assert callable(night.result_processor(dialect, None)), said.format("types with a result_processor")
    assert [column.key for column in sa.select(box.c.id, box.c.night).exported_columns] == ["id", "night"], said.format(
        "exported_columns in their order"
    )


async def test_a_query_that_is_stopped_says_interrupted(opened: aiosqlite.Connection) -> None:
    """The standard library's, and no inner part: but the way in which a long query leaves the event loop."""
    raw = opened._conn
    raw.set_progress_handler(lambda: 1, 1000)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(sqlite3.OperationalError) as stopped:
        await asyncio.to_thread(raw.execute, endless)
    raw.set_progress_handler(None, 0)
    assert stopped.value.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
