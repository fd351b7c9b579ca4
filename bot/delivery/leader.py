"""Who leads: one process of several on PostgreSQL, the only one on SQLite. The leader beats and, where there is polling, polls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from config import logs
from db import locks
from db.engine import Database, Unavailable
from db.locks import Session

_log = logs.logger(__name__)

EVERY = 1.0
"""Real seconds between two looks at the lock: by the leader, whether it is still held; by the others, whether it is free."""


class Leader:
    """Leads as soon as nobody else does, and until the lock is lost. `rise` is awaited before, `fall` called after."""

    def __init__(
        self, database: Database, worker: str, *, rise: Callable[[], Awaitable[None]], fall: Callable[[], None]
    ) -> None:
        self._database, self._worker, self._rise, self._fall = database, worker, rise, fall
        self.leads = asyncio.Event()
        self.stands_by = asyncio.Event()
        self.stands_by.set()

    async def run(self) -> None:
        """Lead or stand by, for ever."""
        while True:
            try:
                await self._hold()
            except Unavailable as error:
                _log.warning("no lock on the database; standing by", why=str(error))
            except Exception as error:  # whatever it was, a leader without its lock must know, and try again
                _log.error("the lock failed", kind=type(error).__name__, exc_info=error)
            finally:
                self._end()
            await asyncio.sleep(EVERY)

    async def _hold(self) -> None:
        if self._database.is_sqlite:
            # The lock on the file was taken at the start: there is nobody else.
            await self._begin()
            await asyncio.Event().wait()
        async with locks.session(self._database, self._worker, lost=self._end) as session:
            await self._watch(session)

    async def _watch(self, session: Session) -> None:
        while True:
            if self.leads.is_set():
                await session.check(leading=True)
            elif await session.lead():
                await self._begin()
            else:
                await session.check(leading=False)
            await asyncio.sleep(EVERY)

    async def _begin(self) -> None:
        await self._rise()
        if not self._database.is_sqlite:
            _log.info("this process leads now")
        self.stands_by.clear()
        self.leads.set()

    def _end(self) -> None:
        """At once, wherever it was noticed."""
        if not self.leads.is_set():
            return
        self.leads.clear()
        self.stands_by.set()
        self._fall()
        if not self._database.is_sqlite:
            _log.info("this process leads no more")
