"""Shared transactions: several blocks of writes share one transaction and one wait for the disk, and fail separately."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import cast

from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.sqlite import driver


@dataclass(slots=True, eq=False)
class _Group:
    """The blocks of one transaction.

    `committed` is done when the transaction is on the disk, or has the error that kept it from there. `closing` is the task
    that commits. `lost` is why SQLite has rolled back the whole transaction, if it has.
    """

    connection: AsyncConnection
    driver: driver.Connection
    committed: asyncio.Future[None]
    closing: asyncio.Task[None] | None = None
    lost: BaseException | None = None

    def check(self) -> None:
        """Raise OperationalError if SQLite has rolled back the whole transaction."""
        if self.lost is not None:
            raise OperationalError(None, None, self.lost)


class Sharing:
    """Lets blocks that write to a SQLite file share transactions.

    1. One block writes at a time, in order of arrival.
    2. Each block has a savepoint: a block that raises is undone, and the others of its group are not.
    3. A block ends only when its writes are on the disk. If the commit fails, every block of the group raises that error.
    4. If SQLite rolls back the whole transaction (a full disk), every block of the group fails.
    5. There is no timer. The first block of a group queues the commit behind the blocks that wait by then; later blocks are
       in the next group. A block on its own is committed at once.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()
        self._group: _Group | None = None

    @asynccontextmanager
    async def block(self, *, quick: bool) -> AsyncIterator[AsyncConnection]:
        """Run one block of writes, and wait for its commit. Gives the connection to write with.

        `quick` promises that the statements touch a few rows by their key; they then run on the event loop. Raises what the
        block raised, or sqlalchemy.exc.OperationalError if the transaction was lost.
        """
        async with self._turn:
            group = self._group or await self._begin(quick=quick)
            try:
                with _Savepoint(group, quick=quick):
                    yield group.connection
            finally:
                if group.closing is None:
                    group.closing = asyncio.create_task(self._close(group), name="commit")
        await asyncio.shield(group.committed)

    async def finish(self) -> None:
        """Wait for the last commit, at the end of the process."""
        async with self._turn:
            pass

    async def _begin(self, *, quick: bool) -> _Group:
        connection = await self._engine.connect()
        try:
            raw = cast("driver.Connection", (await connection.get_raw_connection()).dbapi_connection)
            # Changes of a few rows fit into memory. A change of everything does not; it is the first block of its transaction.
            raw.spill(allowed=not quick)
            await connection.begin()
        except BaseException:
            await connection.close()
            raise
        self._group = _Group(connection, raw, asyncio.get_running_loop().create_future())
        # Avoids asyncio's "exception was never retrieved" when every block that waited was cancelled.
        self._group.committed.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._group

    async def _close(self, group: _Group) -> None:
        async with self._turn:
            self._group = None
            try:
                group.check()
                await group.connection.commit()
            except Exception as error:  # each block raises it to its own caller
                group.committed.set_exception(error)
            else:
                group.committed.set_result(None)
            finally:
                await group.connection.close()


class _Savepoint:
    """Undoes the block's writes if it raises. Marks the group as lost if SQLite has rolled back all of it (a full disk)."""

    __slots__ = ("_group", "_quick")

    def __init__(self, group: _Group, *, quick: bool) -> None:
        self._group, self._quick = group, quick

    def __enter__(self) -> None:
        self._group.check()
        self._group.driver.begin_block(quick=self._quick)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._group.driver.end_block()
        else:
            _undo(self._group, error)


def _undo(group: _Group, error: BaseException) -> None:
    try:
        group.driver.undo_block()
    except (sqlite3.Error, ValueError):
        group.lost = error
