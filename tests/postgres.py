"""A real PostgreSQL of the tests' own, run as a user who is not root, on a free loopback port, ended by its process id."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import asyncpg

from db.engine import Database

READY_WITHIN = 60.0
"""Seconds, on a very busy machine; a second or two is usual."""

SETTINGS = {
    # Nothing here outlives the machine, and an immediate stop loses nothing that the kernel has.
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "120",
    "shared_buffers": "32MB",
    "jit": "off",
    # Tests that look at plans analyse for themselves.
    "autovacuum": "off",
    "timezone": "Pacific/Chatham",
}

_HANG_UP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_SHAPE = """
    SELECT md5(string_agg(concat_ws(' ', relname, attname, atttypid, attnotnull), ',' ORDER BY relname, attnum))
        || (SELECT string_agg(version_num, ',') FROM alembic_version)
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i', 'S')
"""
_TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"

Result = TypeVar("Result")


class NoServer(Exception):  # noqa: N818 - named for what was found
    """No PostgreSQL can be started here; the message says why."""


def binaries() -> Path:
    """The folder of initdb and postgres: the newest of Debian's, or wherever PATH has them."""
    found = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    if found:
        return max(found, key=lambda folder: int(re.sub(r"\D", "", folder.parent.name) or 0))
    in_path = shutil.which("initdb")
    if in_path is None:
        raise NoServer("PostgreSQL's server is not installed: no initdb under /usr/lib/postgresql or in PATH")
    return Path(in_path).resolve().parent


def owner() -> pwd.struct_passwd | None:
    """Who is to run the server: nobody else, unless we are root, whom it refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServer("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody")


def apart(work: Callable[[], Coroutine[object, object, Result]]) -> Result:
    """Run a coroutine to its end in a loop of its own, whether or not one is running here."""
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(work())))
    thread.start()
    thread.join()
    return results[0]


@dataclass(slots=True)
class Server:
    """One cluster in one folder. `stop` and `start` again keep its port and its data."""

    bin: Path
    folder: Path
    user: pwd.struct_passwd | None
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))
    spare: list[str] = field(default_factory=list)
    shape: object = None

    @classmethod
    def create(cls) -> Server:
        """A new cluster, not yet started. Raises NoServer."""
        found, user = binaries(), owner()
        folder = Path(tempfile.mkdtemp(prefix="lull-postgres-"))
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        server = cls(found, folder, user)
        made = server._popen(
            "initdb", "-D", str(server.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        said, _ = made.communicate()
        if made.returncode != 0:
            server.remove()
            raise NoServer(f"initdb failed: {said.decode(errors='replace').strip().splitlines()[-1]}")
        return server

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, name: str, *, role: str = "lull") -> str:
        """As the bot has it, whose role owns the database and may do nothing else; or as the one who may do everything."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self.port = self.port or _free_port()
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        self.process = self._popen("postgres", "-D", str(self.data), "-p", str(self.port), *settings, log=True)
        end = time.monotonic() + READY_WITHIN
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise NoServer(f"PostgreSQL did not start: {self.log.strip().splitlines()[-1:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT as a crash would, SIGINT in good order."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ready(self) -> bool:
        # The server writes its state into the eighth line of this file.
        with contextlib.suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            assert self.process is not None
            return len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"
        return False

    def _popen(self, program: str, *arguments: str, log: bool = False) -> subprocess.Popen[bytes]:
        # It must not outlive a test run that is killed, where the system can promise that.
        guard = ["setpriv", "--pdeathsig", "QUIT"] if log and shutil.which("setpriv") else []
        identity = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        with (self.folder / "log").open("ab") as file:
            return subprocess.Popen(
                [*guard, str(self.bin / program), *arguments],
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=file if log else subprocess.PIPE,
                stderr=subprocess.STDOUT,
                **identity,  # type: ignore[call-overload]
            )

    async def run(self, statement: str) -> None:
        """One statement in the maintenance database, by the one who may do everything."""
        connection = await asyncpg.connect(self.url("postgres", role="postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    @contextlib.asynccontextmanager
    async def database(self, *, migrated: bool = True) -> AsyncIterator[str]:
        """The address of a new database, at head or empty. To empty one at head is ten times quicker than to make another."""
        name = self.spare.pop() if migrated and self.spare else await self._new(migrated=migrated)
        try:
            yield self.url(name)
        finally:
            if self.process is not None:
                if migrated and await self._emptied(name):
                    self.spare.append(name)
                else:
                    await self.run(f"DROP DATABASE {name} WITH (FORCE)")

    async def _new(self, *, migrated: bool) -> str:
        name = f"test_{next(self.numbers)}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE {'migrated' if migrated else 'template0'} OWNER lull")
        return name

    async def _emptied(self, name: str) -> bool:
        """Nobody connected, nothing in it; False where a test has changed more than rows."""
        connection = await asyncpg.connect(self.url(name, role="postgres"))
        try:
            await connection.execute(_HANG_UP)
            try:
                shape = await connection.fetchval(_SHAPE)
            except asyncpg.PostgresError:  # the table that says which schema this is has gone
                return False
            if self.shape is None:
                self.shape = await self._shape_of("migrated")
            if shape != self.shape:
                return False
            tables = ", ".join(row[0] for row in await connection.fetch(_TABLES))
            await connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")
            return True
        finally:
            await connection.close()

    async def _shape_of(self, name: str) -> object:
        connection = await asyncpg.connect(self.url(name))
        try:
            return await connection.fetchval(_SHAPE)
        finally:
            await connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A running server with a database `migrated` to copy new ones from. Raises NoServer."""
    server = Server.create()
    try:
        server.start()
        apart(lambda: _prepare(server))
        yield server
    finally:
        server.remove()


async def _prepare(server: Server) -> None:
    await server.run("CREATE ROLE lull LOGIN")
    await server.run("CREATE DATABASE migrated TEMPLATE template0 OWNER lull")
    await migrate(server.url("migrated"))


async def migrate(url: str) -> None:
    """Bring a database to head."""
    database = Database(async_url(url))
    await database.migrate()
    await database.close()


def async_url(url: str) -> str:
    """An operator's address as the engine takes it."""
    return url.replace("postgresql://", "postgresql+asyncpg://").replace("sqlite://", "sqlite+aiosqlite://")


def by_superuser(url: str) -> str:
    """The same address, for the one who may do everything."""
    return re.sub(r"//\w+@", "//postgres@", url)


async def rows(url: str, query: str, *values: object) -> list[tuple[object, ...]]:
    """What a query with `?` in the places of its values gives."""
    connection = await asyncpg.connect(url)
    try:
        numbers = iter(range(1, len(values) + 1))
        return [
            tuple(row) for row in await connection.fetch(re.sub(r"\?", lambda _: f"${next(numbers)}", query), *values)
        ]
    finally:
        await connection.close()
