"""Shared transactions: blocks that write one after the other wait for the disk once, together, and fail alone."""

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
    """The blocks of one transaction. `committed` comes when it is on the disk, or tells all of them why it is not."""

    connection: AsyncConnection
    driver: driver.Connection
    committed: asyncio.Future[None]
    closing: asyncio.Task[None] | None = None
    lost: BaseException | None = None

    def check(self) -> None:
        """Raises OperationalError when SQLite has undone the whole transaction."""
        if self.lost is not None:
            raise OperationalError(None, None, self.lost)


class Sharing:
    """Lets the blocks that write to a SQLite file share transactions.

    One block writes at a time, in the order of their coming. Each has a savepoint, so that one that raises is undone alone, and
    each ends only when what it wrote is on the disk. No timer: the first block of a group queues the commit, behind the blocks
    that wait by then; who comes later is in the next group. A lone block is committed at once.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()
        self._group: _Group | None = None

    @asynccontextmanager
    async def block(self, *, quick: bool) -> AsyncIterator[AsyncConnection]:
        """One block. `quick`: its statements touch a few rows by their key, so they run on the event loop."""
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
        """At the end: wait for the last commit."""
        async with self._turn:
            pass

    async def _begin(self, *, quick: bool) -> _Group:
        connection = await self._engine.connect()
        try:
            raw = cast("driver.Connection", (await connection.get_raw_connection()).dbapi_connection)
            # What touches a few rows fits into memory. A change of everything does not, and is the first of its transaction.
            raw.spill(allowed=not quick)
            await connection.begin()
        except BaseException:
            await connection.close()
            raise
        self._group = _Group(connection, raw, asyncio.get_running_loop().create_future())
        # Who waited for it may have been cancelled; a failure that nobody reads is no news then.
        self._group.committed.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._group

    async def _close(self, group: _Group) -> None:
        async with self._turn:
            self._group = None
            try:
                group.check()
                await group.connection.commit()
            except Exception as error:  # it belongs to the blocks, each of which decides
                group.committed.set_exception(error)
            else:
                group.committed.set_result(None)
            finally:
                await group.connection.close()


class _Savepoint:
    """Undoes what the block did if it raises. When SQLite has undone everybody's (a full disk), the group is lost."""

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
