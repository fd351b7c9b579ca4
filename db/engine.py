"""The database: connections, transactions, PRAGMAs and migrations."""

from __future__ import annotations

import asyncio
import fcntl
import functools
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import IO

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from config import failpoints
from db.dialect import is_sqlite
from db.postgres import sqlstates
from db.sqlite import disk, driver
from db.sqlite.shared_transactions import Sharing

Connection = AsyncConnection
"""An open transaction: what the functions of this package take first."""

ERASED = "erased"
"""The note on a connection that somebody was erased in the transaction."""

BUSY_TIMEOUT = 10.0
"""Seconds that a writer waits for another process (a backup, say) to let go of a SQLite file."""


READ_AT_ONCE = 16 * 2**20
"""A SQLite file up to this many bytes is read through at the start: it takes a tenth of a second or two."""


class Unavailable(Exception):  # noqa: N818 - named for the state it reports
    """The database did not take this now: gone, full, locked or restarting. Nothing was written; try again later."""


POOL, FEWEST = 8, 3
"""Connections to PostgreSQL that a process holds at most, and how few will do: its locks, one to read, one to write."""

_SPARE = 2
"""How many of them are given back whenever they are idle."""


class Damaged(Unavailable):
    """What is stored cannot be read any more; the message says so."""


_PATIENCE = {"timeout": 10.0, "command_timeout": 60.0}
"""Seconds for a connection and for a statement on PostgreSQL: a server that says nothing is away."""

_FOR_A_CONNECTION = 10.0
"""Seconds that somebody waits for one of the pool's connections while all of them are in use."""

_ROOM = """
    SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0),
      (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
      (SELECT datconnlimit FROM pg_database WHERE datname = current_database())
"""

_NOT_NOW = (
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sa.exc.TimeoutError,
    OSError,
    sqlite3.OperationalError,  # of a prepared statement, which SQLAlchemy has not seen
)

_MIGRATING = 0x4C756C03
"""The advisory lock held while the schema is changed: of replicas that start together, the second finds it done."""

_MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseError(Exception):
    """The database cannot be used; the message is one sentence for the operator."""


class Database:
    """The database in which everything is stored.

    On SQLite all writes go through one connection, one at a time and in order: BEGIN IMMEDIATE would otherwise make them poll
    for the file's lock. Those that queue share a transaction (`sharing`). Reads have connections of their own. On PostgreSQL
    both are the same pool of at most `pool` connections, and the session with this process's locks is one of them: where the
    server gives no new one, that session takes the place of one that is idle.
    """

    def __init__(self, url: str, *, allow_network_disk: bool = False, pool: int = POOL) -> None:
        self._url, self._allow_network_disk, self._pool = make_url(url), allow_network_disk, pool
        self.is_sqlite = is_sqlite(self._url)
        self._lock_file: IO[str] | None = None
        self._reachable = _Reachable(self)
        self.damage = ""
        """What SQLite or PostgreSQL said when it found damage; empty until then."""
        self.erased = asyncio.Event()
        """Set by each transaction in which somebody was erased: the log still holds what the file has lost."""
        self._sharing: Sharing | None = None
        if self.is_sqlite:
            self._writer = self._sqlite_engine(size=1, begin="BEGIN IMMEDIATE", cache=8_000)
            self._sharing = Sharing(self._writer)
            self._reader = self._sqlite_engine(size=4, begin="BEGIN", cache=2_000)
        else:
            self._writer = create_async_engine(
                self._url,
                pool_size=max(pool - _SPARE, FEWEST - 1),
                max_overflow=min(_SPARE, pool - FEWEST + 1),
                pool_timeout=_FOR_A_CONNECTION,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args=_PATIENCE | {"server_settings": {"application_name": "lull"}},
            )
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ")

    def _sqlite_engine(self, *, size: int, begin: str, cache: int) -> AsyncEngine:
        engine = create_async_engine(
            self._url,
            module=driver.dbapi,
            pool_size=size,
            max_overflow=0,
            hide_parameters=True,
            connect_args={"timeout": BUSY_TIMEOUT},
        )

        @sa.event.listens_for(engine.sync_engine, "connect")
        def prepare(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
            # The driver must not begin transactions on its own: its plain BEGIN takes the write lock too late.
            connection.isolation_level = None
            cursor = connection.cursor()
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                # Overwrite what is deleted; not every build of SQLite does so by default.
                "secure_delete=ON",
                "temp_store=MEMORY",
                f"cache_size=-{cache}",
            ):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @sa.event.listens_for(engine.sync_engine, "begin")
        def begin_transaction(connection: sa.Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    @asynccontextmanager
    async def write(self, name: str = "write", *, quick: bool = False) -> AsyncIterator[Connection]:
        """One transaction that may write; committed at the end of the block, rolled back if it raises.

        `name` is what its two fail points are called: `before_<name>` just before the commit, `after_<name>` just after it.
        `quick` promises that its changes touch a few rows by their key: on SQLite they then need no thread.
        """
        block = self._begun(self._writer) if self._sharing is None else self._sharing.block(quick=quick)
        with self._reachable:
            async with block as connection:
                yield connection
                erased = connection.info.pop(ERASED, False)
                failpoints.reach(f"before_{name}")
        if erased:
            self.erased.set()
        failpoints.reach(f"after_{name}")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """One consistent view to read from."""
        with self._reachable:
            async with self._begun(self._reader) as connection:
                yield connection

    @asynccontextmanager
    async def _begun(self, engine: AsyncEngine) -> AsyncIterator[Connection]:
        """One transaction on one of the pool's connections."""
        connection = await self._connected(engine)
        try:
            async with connection.begin():
                yield connection
        finally:
            # A task that is cancelled at this moment must not keep it.
            await asyncio.shield(connection.close())

    async def _connected(self, engine: AsyncEngine) -> Connection:
        """One of the pool's connections. If the server opens no new one, use one that the pool has open."""
        for left in reversed(range(self._pool)):
            try:
                return await engine.connect()
            except Exception as error:  # asyncpg's own, or SQLAlchemy's
                # The pool hands out its places in turn, and this one is empty.
                if left == 0 or _sqlstate(error) != sqlstates.NO_MORE_CONNECTIONS:
                    raise
        raise AssertionError("a pool has a place")

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """One of PostgreSQL's connections for as long as the block lasts, outside transactions; ended after it."""
        with self._reachable:
            connection = await self._connected(self._writer.execution_options(isolation_level="AUTOCOMMIT"))
            try:
                yield connection
            finally:
                # Broken or not: ended at once, without a last word that nobody may answer.
                await connection.invalidate()
                await connection.close()

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return self._url.render_as_string(hide_password=False)

    @property
    def path(self) -> Path | None:
        """The file, where there is one."""
        return Path(self._url.database) if self.is_sqlite and self._url.database else None

    def lock(self) -> None:
        """Keep a second process from using the same SQLite file.

        Raises DatabaseError when one does, or when the file is where it cannot be used.
        """
        if self.path is None:
            return
        try:
            disk.prepare(self.path, allow_network=self._allow_network_disk)
        except disk.Unfit as error:
            raise DatabaseError(str(error)) from None
        try:
            self._lock_file = _locked(self.path.with_name(self.path.name + ".lock"))
        except BlockingIOError:
            raise DatabaseError(
                f"Another Lull is already running on {self.path}; stop it first, or give this one its own DATABASE_URL."
            ) from None
        except OSError as error:
            raise DatabaseError(
                f"The database's folder {self.path.parent} cannot be written ({error.strerror}); "
                "let the user that runs the bot write there, or give another DATABASE_URL."
            ) from None

    async def probe(self) -> None:
        """See that a transaction can be begun that may write, and is ended; nothing is written. Raises Unavailable."""
        async with self.write("probe") as connection:
            if not self.is_sqlite and await connection.scalar(sa.text("SHOW transaction_read_only")) == "on":
                raise Unavailable("the server only lets itself be read")

    async def revision(self) -> str | None:
        """The schema's revision, or None for an empty database."""
        async with self.read() as connection:
            return await connection.run_sync(_revision)

    async def examine(self, *, whole: bool = False) -> None:
        """See that the database can be reached and, as a SQLite file, is no damaged one.

        Raises DatabaseError, one sentence for the operator, or Unavailable when a server does not answer.

        Of a big file only the header and the schema are read, unless the `whole` is asked for: a start must not wait for it.
        """
        try:
            async with self.read() as connection:
                found = str(await connection.scalar(sa.text(self._question(whole=whole))))
        except Damaged:
            found = self.damage
        except Unavailable as error:
            if not self.is_sqlite:
                raise  # a server may come back by itself; a file where it cannot be opened stays so
            raise DatabaseError(
                f"The database cannot be used now ({error}); look at DATABASE_URL and the disk."
            ) from error
        if found != "ok":
            what = " ".join(found.split())[:120]
            raise DatabaseError(
                f"{self.path} is damaged ({what}); put a backup in its place, or move it away to begin anew."
            )

    def _question(self, *, whole: bool) -> str:
        """What a good database answers with "ok"."""
        if self.path is None:
            return "SELECT 'ok'"
        big = self.path.exists() and self.path.stat().st_size > READ_AT_ONCE
        return "SELECT 'ok' FROM sqlite_schema" if big and not whole else "PRAGMA quick_check(1)"

    async def room(self) -> int | None:
        """How many connections the server allows to users like ours; None for a SQLite file."""
        if self.is_sqlite:
            return None
        async with self.read() as connection:
            (limits,) = await connection.execute(sa.text(_ROOM))
        return min(int(limit) for limit in limits if limit >= 0)

    async def migrate(self) -> None:
        """Bring the schema to head, in one transaction that leaves nothing half-done. Raises DatabaseError when it is newer."""
        if is_head(await self.revision()):
            return
        async with self.write("migrate") as connection:
            await connection.run_sync(self._upgrade)

    def _upgrade(self, connection: sa.Connection) -> None:
        if not self.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING, 0)))
            if is_head(_revision(connection)):
                return
        _upgrade(connection)

    async def close(self) -> None:
        """Close all connections and release the lock."""
        if self._sharing is not None:
            await self._sharing.finish()
        await self._writer.dispose()
        await self._reader.dispose()
        if self._lock_file is not None:
            self._lock_file.close()


def _locked(path: Path) -> IO[str]:
    """The file with its lock and our process id in it. Raises BlockingIOError when another process has it."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
    except OSError:
        file.close()
        raise
    return file


class _Reachable:
    """Turns connection errors into Unavailable and damage into Damaged; lets programming errors through.

    A class rather than a generator, because it is cheaper and every press and reminder passes through it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception):
            return
        if _is_damage(error):
            self._database.damage = _first_line(error).partition(": ")[2]
            raise Damaged(f"the database is damaged: {self._database.damage}") from error
        if _is_away(error):
            raise Unavailable(_first_line(error)) from error


def _is_damage(error: Exception) -> bool:
    code = getattr(getattr(error, "orig", None) or error, "sqlite_errorcode", None)
    # The lowest byte is the kind of error, the others are details.
    corrupt = code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return corrupt or sqlstates.is_damage(_sqlstate(error))


def is_refusal(error: Exception) -> bool:
    """Whether the database refused, rather than our own code failing before it."""
    return isinstance(error, sa.exc.SQLAlchemyError | sqlite3.Error)


def _is_away(error: Exception) -> bool:
    if isinstance(error, _NOT_NOW):
        return True
    lost = isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
    return lost or sqlstates.is_transient(_sqlstate(error))


def _sqlstate(error: Exception) -> str:
    """PostgreSQL's five letters and digits; empty for any other error."""
    # asyncpg's own errors while it connects come as they are, later ones inside SQLAlchemy's.
    return str(getattr(getattr(error, "orig", None) or error, "sqlstate", None) or "")


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {cause}".splitlines()[0][:200]


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


def is_head(present: str | None) -> bool:
    """Raises DatabaseError for a revision that this code does not know."""
    known = revisions()
    if present is not None and present not in known:
        raise DatabaseError(
            f"This database was written by a newer Lull (schema {present}; this one knows {known[-1]}); "
            "update the bot, or restore a backup."
        )
    return present == known[-1]


@functools.cache
def revisions() -> list[str]:
    """The revisions that this code knows, the oldest first."""
    # The files are named for their revision, in order; so a start at head need not import Alembic (80 ms).
    return sorted(file.name.split("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def head() -> str:
    """The revision that this code expects."""
    return revisions()[-1]
