"""Locks that last as long as a PostgreSQL session: who leads, and which workers are alive."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable

import sqlalchemy as sa

from db.engine import Connection, Database, Unavailable

_LEADER, _WORKER = 0x4C756C01, 0x4C756C02
"""Advisory locks with two numbers. Those with one number lock people."""

SILENT = 15.0
"""Seconds after which a session that holds the leader's lock and asks nothing belongs to nobody who leads: they ask each second."""

PATIENCE = 3.0
"""Real seconds for an answer about a lock, after which the session is given up."""

_SETTINGS = {
    # A leader that hangs, or whose machine is gone, must not keep the others waiting: the server ends a session that
    # has asked nothing for so long, and notices a silent peer. They ask every second.
    "idle_session_timeout": "7s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "6s",
}
# Older servers lack some of these settings; those are skipped.
_SET = sa.text("SELECT set_config(name, :value, false) FROM pg_settings WHERE name = :name")
# Schemas of one database may each hold a bot.
_TRY = sa.text("SELECT pg_try_advisory_lock(:kind, hashtext(current_schema() || :name))")
_TRY_IN_TRANSACTION = sa.text("SELECT pg_try_advisory_xact_lock(:kind, hashtext(current_schema() || :name))")
_LED = sa.text(
    "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted "
    "AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND classid = :kind AND objid::bigint = hashtext(current_schema())::bigint & 4294967295 AND objsubid = 2 "
    # PostgreSQL does not show what another role's session does; then holding the lock is enough.
    "AND coalesce(clock_timestamp() - state_change < make_interval(secs => :silent), true)"
)
# A pooler between us and the server may have given us another session, so check the lock itself.
_HELD = sa.text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() "
    "AND classid = :kind AND objsubid = 2"
)


class Session:
    """One worker's locks. When the session is lost, and the locks with it, the block that holds it raises Unavailable."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def take(self, worker: str) -> None:
        """Show that this worker is alive."""
        for name, value in _SETTINGS.items():
            await self._ask(_SET, name=name, value=value)
        if not await self._ask(_TRY, kind=_WORKER, name=worker):
            raise Unavailable("another session has this worker's name")

    async def lead(self) -> bool:
        """Become the leader if nobody is."""
        return bool(await self._ask(_TRY, kind=_LEADER, name=""))

    async def led(self) -> bool:
        """Whether somebody holds the leader's lock and was heard of just now."""
        return bool(await self._ask(_LED, kind=_LEADER, silent=SILENT))

    async def check(self, *, leading: bool) -> None:
        """See that the locks are still held."""
        if not await self._ask(_HELD, kind=_LEADER if leading else _WORKER):
            raise Unavailable("the session's lock is gone")

    async def _ask(self, statement: sa.TextClause, **values: object) -> object:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._connection.scalar(statement, values)
        except TimeoutError as error:
            raise Unavailable(f"no answer within {PATIENCE:g} seconds") from error


@contextlib.asynccontextmanager
async def session(database: Database, worker: str, *, lost: Callable[[], None]) -> AsyncIterator[Session]:
    """A session of its own with the worker's lock. `lost` is called as soon as its connection is seen to break."""
    async with database.session() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        if raw is None:
            raise Unavailable("no connection")
        raw.add_termination_listener(lambda _: lost())
        found = Session(connection)
        await found.take(worker)
        yield found


async def dead(db: Connection, workers: Iterable[str]) -> set[str]:
    """Which of these workers have no session any more. It holds until the end of the transaction."""
    return {name for name in workers if await db.scalar(_TRY_IN_TRANSACTION, {"kind": _WORKER, "name": name})}
