"""SQLite under SQLAlchemy's async engine: one hop to the connection's thread for a whole statement, or none at all."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

import aiosqlite
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_cursor
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util.concurrency import await_

Parameters = Sequence[object]
Column = tuple[str, None, None, None, None, None, None]
_Result = TypeVar("_Result")

_LONG = 50_000
"""Steps of SQLite's machine, one or two milliseconds, after which a query no longer holds up the event loop."""


class Cursor:
    """A statement and all of its rows.

    The stock adapter crosses to the connection's thread four times a statement: to open, execute, fetch and close. Beside a
    busy event loop each crossing waits for the interpreter's lock. Here it is once; and not at all while the connection is
    `quick`, when statements run on the event loop: a few rows by their key cost less than the way to the thread.
    """

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: deque[Any] = deque()
        self.description: tuple[Column, ...] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, operation: str, parameters: Parameters | None = None) -> None:
        given = () if parameters is None else parameters
        self._keep(self._connection.perform(lambda raw: _all(raw.execute(operation, given)), query=_reads(operation)))

    def executemany(self, operation: str, parameters: Iterable[Parameters]) -> None:
        self._keep(self._connection.perform(lambda raw: _all(raw.executemany(operation, parameters)), query=False))

    def _keep(self, done: tuple[sqlite3.Cursor, list[Any]]) -> None:
        cursor, rows = done
        self._rows = deque(rows)
        self.description = cast("tuple[Column, ...] | None", cursor.description)
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows

    def __iter__(self) -> Iterator[Any]:
        while self._rows:
            yield self._rows.popleft()

    def setinputsizes(self, *_sizes: object) -> None:
        """Does nothing: SQLite needs no input sizes."""

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Everything was fetched: there is nothing open. SQLAlchemy's name."""


class Connection(AsyncAdapt_aiosqlite_connection):
    """A connection whose statements run in its thread, or while `quick` on the event loop."""

    __slots__ = ("_spills", "quick")

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self.quick = False
        self._spills = True

    def spill(self, *, allowed: bool) -> None:
        """Whether the next transaction may write to the disk before its commit, when memory holds no more of its changes."""
        if self._spills != allowed:
            self.raw.execute(
                f"PRAGMA cache_spill={'ON' if allowed else 'OFF'}"
            )  # within a transaction it would do nothing
            self._spills = allowed

    def begin_block(self, *, quick: bool) -> None:
        """What follows, until `end_block` or `undo_block`, may be undone by itself; `quick`: it runs on the event loop.

        Not if the transaction may spill to the disk: on a slow disk everything would wait. The commit runs in the thread.
        """
        self.raw.execute("SAVEPOINT block")
        self.quick = quick and not self._spills

    def end_block(self) -> None:
        """Keep what the block did."""
        self.quick = False
        self.raw.execute("RELEASE block")

    def undo_block(self) -> None:
        """Undo what the block did. Raises sqlite3.Error where SQLite has undone everything already."""
        self.quick = False
        self.raw.execute("ROLLBACK TO block")
        self.raw.execute("RELEASE block")

    @property
    def raw(self) -> sqlite3.Connection:
        """The connection itself, for what must not wait. Raises ValueError when it is closed."""
        return cast("sqlite3.Connection", self._connection._conn)  # noqa: SLF001 - as SQLAlchemy's own adapter does

    def rollback(self) -> None:
        """Nothing to undo, nothing to wait for: the pool asks for this whenever a connection comes back to it."""
        if self._connection._connection is not None and self.raw.in_transaction:  # noqa: SLF001 - the same
            super().rollback()

    def cursor(self, server_side: bool = False) -> AsyncAdapt_dbapi_cursor:
        if server_side:
            return super().cursor(server_side=True)
        return cast("AsyncAdapt_dbapi_cursor", Cursor(self))

    def perform(self, work: Callable[[sqlite3.Connection], _Result], *, query: bool) -> _Result:
        """Do this with the connection. A quick `query`, which changes nothing, begins again in the thread if it is long."""
        try:
            if self.quick:
                await_(_nothing())
                done = _quickly(self.raw, work, query=query)
                if done is not None:
                    return done
            return cast("_Result", await_(self._connection._execute(work, self.raw)))  # noqa: SLF001 - the same
        except Exception as error:
            self._handle_exception(error)

    async def straight(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Do this with the connection, past SQLAlchemy: here while `quick`, else in the thread. Raises sqlite3's own errors."""
        if self.quick:
            return work(self.raw)
        return cast("_Result", await self._connection._execute(work, self.raw))  # noqa: SLF001 - the same


def of(connection: AsyncConnection) -> Connection | None:
    """The connection of ours under SQLAlchemy's; None where another driver's is."""
    found: object = connection.sync_connection.connection.dbapi_connection if connection.sync_connection else None
    return found if isinstance(found, Connection) else None


async def _nothing() -> None:
    """SQLAlchemy insists that its async engine awaits something."""


def _all(cursor: sqlite3.Cursor) -> tuple[sqlite3.Cursor, list[Any]]:
    return cursor, cursor.fetchall() if cursor.description else []


def _reads(operation: str) -> bool:
    return operation.startswith("SELECT")


def _quickly(raw: sqlite3.Connection, work: Callable[[sqlite3.Connection], _Result], *, query: bool) -> _Result | None:
    """The result of `work`; None for a query that was stopped because it is long. Changes are never stopped."""
    if not query:
        return work(raw)
    raw.set_progress_handler(_stop, _LONG)
    try:
        return work(raw)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        raw.set_progress_handler(None, 0)


def _stop() -> int:
    return 1


class _Dbapi(AsyncAdapt_aiosqlite_dbapi):
    """The stock adapter with our connections."""

    def connect(self, *arguments: Any, **options: Any) -> Connection:
        connection = self.aiosqlite.connect(*arguments, **options | {"check_same_thread": False})
        # A thread that waits for statements must not keep the process from ending.
        connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy's own adapter does
        return Connection(self, await_(connection))


dbapi = _Dbapi(aiosqlite, sqlite3)
"""For `create_async_engine(..., module=dbapi)`."""
