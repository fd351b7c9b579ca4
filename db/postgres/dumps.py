"""A PostgreSQL database as a file, by PostgreSQL's own programs. The password goes in their environment, never in argv."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from db.engine import Database, DatabaseError, Unavailable
from db.sqlite import files

_OURS = {"alembic_version", "users", "nights", "outbox", "inbox"}
_PROGRAMS = "PostgreSQL's client programs (Debian: apt-get install postgresql-client), of the server's version or newer"
_MISSING = "{program} is missing here; install " + _PROGRAMS + "."


async def dump(url: str, target: Path) -> None:
    """Write the database to the new file `target` in PostgreSQL's custom format, as it is at this moment. Raises DatabaseError."""
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        await _call(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
        await verify(target)
        files.sync(target)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise DatabaseError(f"The database could not be copied to {target.parent}: {error}.") from None
    except DatabaseError:
        target.unlink(missing_ok=True)
        raise


async def verify(path: Path) -> str:
    """The schema's revision, of a dump that is ours. Raises DatabaseError when it is not."""
    listing = await _call("", "pg_restore", "--list", str(path))
    if not {found[1] for found in re.finditer(r" TABLE DATA \S+ (\w+) ", listing)} >= _OURS:
        raise DatabaseError(f"{path} is a dump, but not one of Lull's.")
    # Only reading all of it shows that nothing is missing.
    await _call("", "pg_restore", "--file=/dev/null", str(path))
    rows = await _call("", "pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(path))
    found = re.search(r"^COPY .*alembic_version .*\n(\w+)$", rows, re.MULTILINE)
    if found is None:
        raise DatabaseError(f"{path} does not say which schema it has.")
    return found[1]


async def load(url: str, source: Path) -> None:
    """Let the database hold what the dump holds, in one transaction: all of it, or nothing changes. Raises DatabaseError."""
    script = source.with_name(f".{source.name}.sql.partial")
    clear = source.with_name(f".{source.name}.clear.partial")
    try:
        for file in (script, clear):
            os.close(os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        clear.write_text(await _drops(url), encoding="utf-8")
        await _call("", "pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(source))
        steps = (f"--file={clear}", f"--file={script}")
        await _call(url, "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", *steps)
    finally:
        for file in (script, clear):
            file.unlink(missing_ok=True)


async def may_do_everything(url: str) -> bool:
    """Whether our role is a superuser, or may become one."""
    return bool(
        await _ask(url, "SELECT 1 FROM pg_roles WHERE rolsuper AND pg_has_role(current_user, oid, 'MEMBER') LIMIT 1")
    )


async def has_tables(url: str) -> bool:
    """Whether there is something to be replaced."""
    return bool(await _ask(url, "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() LIMIT 1"))


async def others(url: str) -> int:
    """How many other sessions are connected to this database."""
    return len(
        await _ask(
            url,
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )
    )


async def _drops(url: str) -> str:
    """Statements that take away every table there is; those of a newer schema too, which the dump does not know."""
    tables = await _ask(url, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return "".join(f'DROP TABLE "{name}" CASCADE;\n' for name in tables)


async def _ask(url: str, query: str) -> list[object]:
    database = Database(url)
    try:
        async with database.read() as db:
            return list((await db.execute(sa.text(query))).scalars())
    except Unavailable as error:
        raise DatabaseError(f"PostgreSQL is not reachable: {error}.") from None
    finally:
        await database.close()


async def _call(url: str, program: str, *arguments: str) -> str:
    """What a program of PostgreSQL's wrote. Raises DatabaseError with what it complained of, in a line."""
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            env=_environment(make_url(url)) if url else None,
        )
    except FileNotFoundError:
        raise DatabaseError(_MISSING.format(program=program)) from None
    try:
        said, complained = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if process.returncode != 0 and b"server version mismatch" in complained:
        raise DatabaseError(f"{program} here is older than the server; install {_PROGRAMS}.")
    if process.returncode != 0:
        lines = complained.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        # The server's own error may be followed by details and hints.
        why = next((line[line.index("ERROR:") :] for line in lines if "ERROR:" in line), lines[-1])
        raise DatabaseError(f"{program} failed: {why.removeprefix(f'{program}: ')}")
    return said.decode()


def _environment(url: URL) -> dict[str, str]:
    """How libpq's programs are told where the database is."""
    given = {
        "PGHOST": url.host,
        "PGPORT": None if url.port is None else str(url.port),
        "PGUSER": url.username,
        "PGPASSWORD": None if url.password is None else str(url.password),
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("sslmode") or url.query.get("ssl"),
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PGPASSFILE", "TMPDIR") if name in os.environ}
    return kept | {name: str(value) for name, value in given.items() if value}
