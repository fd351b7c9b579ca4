"""Elects the leader: one of several processes on PostgreSQL; on SQLite the only process.

1. At most one process leads: the one whose database session holds the advisory lock.
2. The leader checks its lock every second. If the check fails or the session breaks, it stops leading at once.
3. The server ends a session that has been silent for some seconds, so a leader that hangs loses the lock too.
4. A process that does not lead asks for the lock every second, and notes whether anybody was seen to hold it.
5. `rise` is awaited before a process counts as leading. If it raises, the process does not lead and tries again.
"""

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
"""Real seconds between two checks of the lock: the leader checks that it holds it, the others whether it is free."""

SAY_AGAIN = 30.0
"""Real seconds after which a problem that persists is logged again."""


class Leader:
    """Leads as soon as nobody else does, until the lock is lost.

    `rise` is awaited before this process leads, `fall` is called once it no longer does. `worker` is this process's name in the
    database, `monotonic` gives seconds. The event `leads` is set while it leads, `stands_by` while it does not.
    """

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
        """Lead or stand by until cancelled. Never raises: any failure ends the leading, and it tries again."""
        self._certain()
        while True:
            try:
                await self._hold()
            except Unavailable as error:
                self._say(str(error))
            except Exception as error:  # whatever failed, this process no longer leads and must try again
                _log.error("the lock failed", kind=type(error).__name__, exc_info=error)
            finally:
                self._end()
            await asyncio.sleep(EVERY)

    async def _hold(self) -> None:
        if self._database.is_sqlite:
            # The lock on the file was taken at the start, so there is no other process.
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
        """Whether somebody leads: this process, perhaps from now on, or another that was heard of just now."""
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
        """Real seconds since it was last certain that somebody leads; None on SQLite, where it always is."""
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
        """Stop leading at once; called wherever the loss of the lock is noticed. Does nothing if it does not lead."""
        if not self.leads.is_set():
            return
        self.leads.clear()
        self.stands_by.set()
        self._fall()
        if not self._database.is_sqlite:
            _log.info("this process leads no more")
