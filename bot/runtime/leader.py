"""Who leads: one process of several on PostgreSQL, the only one on SQLite. The leader beats and, where there is polling, polls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from config import logs
from db.engine import Database, Unavailable
from db.postgres import advisory_locks
from db.postgres.advisory_locks import Session

_log = logs.logger(__name__)

EVERY = 1.0
"""Real seconds between two looks at the lock: by the leader, whether it is still held; by the others, whether it is free."""

SAY_AGAIN = 30.0
"""Real seconds after which a trouble that goes on is logged once more."""


class Leader:
    """Leads as soon as nobody else does, and until the lock is lost. `rise` is awaited before, `fall` called after."""

    def __init__(
        self,
        database: Database,
        worker: str,
        *,
        rise: Callable[[], Awaitable[None]],
        fall: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._worker, self._rise, self._fall = database, worker, rise, fall
        self._monotonic = monotonic
        self._certain_at: float | None = None
        self._said: tuple[str, float] = "", 0.0
        self.leads = asyncio.Event()
        self.stands_by = asyncio.Event()
        self.stands_by.set()

    async def run(self) -> None:
        """Lead or stand by, for ever."""
        self._certain()
        while True:
            try:
                await self._hold()
            except Unavailable as error:
                self._say(str(error))
            except Exception as error:  # whatever it was, a leader without its lock must know, and try again
                _log.error("the lock failed", kind=type(error).__name__, exc_info=error)
            finally:
                self._end()
            await asyncio.sleep(EVERY)

    async def _hold(self) -> None:
        if self._database.is_sqlite:
            # The lock on the file was taken at the start: there is nobody else.
            await self._begin()
            self._certain_at = None
            await asyncio.Event().wait()
        async with advisory_locks.session(self._database, self._worker, lost=self._end) as session:
            await self._watch(session)

    async def _watch(self, session: Session) -> None:
        while True:
            if await self._somebody_leads(session):
                self._certain()
            await asyncio.sleep(EVERY)

    async def _somebody_leads(self, session: Session) -> bool:
        """This process, which may just have begun to; or another, of which something was heard."""
        if self.leads.is_set():
            await session.check(leading=True)
            return True
        if await session.lead():
            await self._begin()
            return True
        await session.check(leading=False)
        return await session.led()

    @property
    def uncertain_for(self) -> float | None:
        """Real seconds since it was last certain that somebody leads; None where there is nothing to be uncertain of."""
        return None if self._certain_at is None else self._monotonic() - self._certain_at

    def _certain(self) -> None:
        self._certain_at = self._monotonic()

    def _say(self, why: str) -> None:
        said, at = self._said
        now = self._monotonic()
        if why != said or now - at >= SAY_AGAIN:
            self._said = why, now
            _log.warning("no lock on the database; standing by", why=why)

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
