"""Backups: made while the bot runs, kept for a while, put back. And a copy before every change of the schema."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from db import engine, erase, tables
from db.dialect import is_sqlite
from db.engine import Database, DatabaseError
from db.erase import Ledger
from db.postgres import dumps
from db.sqlite import files

OLDEST = timedelta(days=30)
"""No copy is kept for longer. So erased people are gone from all copies by then, as the privacy text promises."""

_CHANGING = 0x4C756C05
"""The advisory lock held while a database is copied and its schema changed."""

_OR_WITHOUT = (
    "The database is copied before its schema changes; where you have a copy of your own, run: "
    "python -m bot migrate --without-copy"
)

_NAME = re.compile(r"lull-(\d{8}T\d{6}Z)(?:-([a-z0-9-]+))?\.(?:db|dump)(?:-wal)?")
_STAMP = "%Y%m%dT%H%M%SZ"
_STALE = 86_400.0


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy: a backup, or (with a note) one that was made before something."""

    path: Path
    made_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: the revision the file had, and where the replaced database is, if there was one.

    `erased` is how many people were erased again; None when nothing told who was erased after the backup.
    """

    revision: str
    aside: Path | None
    erased: int | None


def copies(folder: Path) -> list[Copy]:
    """All copies in the folder, the newest first."""
    found = [
        Copy(path, datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC), match[2] or "")
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (match := _NAME.fullmatch(path.name))
    ]
    return sorted(found, key=lambda copy: (copy.made_at, copy.path.name), reverse=True)


def latest(folder: Path) -> datetime | None:
    """When the newest backup was made."""
    return next((copy.made_at for copy in copies(folder) if not copy.note), None)


def prune(folder: Path, *, keep: int, now: datetime) -> list[Path]:
    """Remove all backups but the newest `keep`, whatever is older than thirty days, and what a killed backup left."""
    found = copies(folder)
    too_many = [copy.path for copy in found if not copy.note][keep:]
    too_old = [copy.path for copy in found if copy.made_at < now - OLDEST]
    half_done = [path for path in folder.glob(".lull-*.partial*") if path.stat().st_mtime < time.time() - _STALE]
    removed = sorted({*too_many, *too_old, *half_done})
    for path in removed:
        path.unlink(missing_ok=True)
    return removed


async def back_up(url: str, folder: Path, *, now: datetime, note: str = "") -> Path:
    """Copy the whole database, which may be in use, into the folder. Returns the copy. Raises DatabaseError."""
    database = _file(url)
    if database is not None and not database.exists():
        raise DatabaseError(f"There is no database at {database} yet.")
    name = f"lull-{now.astimezone(UTC):{_STAMP}}{f'-{note}' if note else ''}.{'dump' if database is None else 'db'}"
    async with _made(folder, name) as partial:
        if database is None:
            await dumps.dump(url, partial)
        else:
            await asyncio.to_thread(files.copy, database, partial)
    return folder / name


@contextlib.asynccontextmanager
async def _made(folder: Path, name: str) -> AsyncIterator[Path]:
    """A path to write to, which becomes `name` in the folder at once and whole; nothing is left of it if the block raises."""
    partial = folder / f".{name}.{time.monotonic_ns()}.partial"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield partial
        partial.replace(folder / name)
        files.sync_folder(folder)
    except OSError as error:
        raise DatabaseError(f"No backup can be kept in {folder}: {error.strerror}.") from None
    finally:
        with contextlib.suppress(OSError):
            files.remove(partial)


@contextlib.asynccontextmanager
async def _scratch(folder: Path) -> AsyncIterator[Path]:
    """A path for a copy that is only looked at."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = folder / f".lull-{time.monotonic_ns()}.partial"
    try:
        yield partial
    finally:
        files.remove(partial)


async def migrate(database: Database, folder: Path, *, now: datetime, copy: bool = True) -> Path | None:
    """Bring the schema to head; a database that holds something is copied before. Returns the copy. Raises DatabaseError."""
    kept = None
    if copy and await _is_behind(database):
        async with _alone(database):
            if await _is_behind(database):  # else another replica has just done it
                kept = await _copied(database, folder, now=now)
            await database.migrate()
            return kept
    await database.migrate()
    return kept


async def _is_behind(database: Database) -> bool:
    present = await database.revision()
    return present is not None and present in engine.revisions() and present != engine.head()


async def _copied(database: Database, folder: Path, *, now: datetime) -> Path:
    try:
        return await back_up(database.url, folder, now=now, note=f"before-{engine.head()}")
    except DatabaseError as error:
        raise DatabaseError(f"{error} {_OR_WITHOUT}") from None


@contextlib.asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[None]:
    """Of replicas that start together one copies and changes the schema; the others wait until it is done."""
    if database.is_sqlite:
        yield
        return
    async with database.session() as session:
        while not await session.scalar(sa.select(sa.func.pg_try_advisory_lock(_CHANGING, 0))):
            await asyncio.sleep(0.5)
        yield


# -- restore -----------------------------------------------------------------------------------------------------------


async def restore(url: str, source: Path, folder: Path, *, now: datetime, trusted: bool = False) -> Restored:
    """Let the database be what the backup holds, brought to head, without the people who were erased since.

    What it replaces is kept in the folder. A dump can hold any statement: a role that may do everything on its server restores
    only one that is `trusted`. Raises DatabaseError, having changed nothing, when the bot runs, or the file is
    damaged, not ours, or of a newer schema.
    """
    database = _file(url)
    if database is None:
        return await _restore_dump(url, source, folder, now=now, trusted=trusted)
    revision = await asyncio.to_thread(files.verify, source)
    _known(revision)
    holder = Database(f"sqlite+aiosqlite:///{database}")
    new = database.with_name(f".{database.name}.restoring")
    try:
        holder.lock()
        files.remove(new)
        await asyncio.to_thread(files.copy, source, new)
        erased = await _bring_up(f"sqlite+aiosqlite:///{new}", await _ledger(url, folder))
        aside = _aside(folder, now, "db")
        kept = await asyncio.to_thread(files.put_in_place, new, database, aside=aside)
    finally:
        files.remove(new)
        await holder.close()
    return Restored(revision, kept, erased)


async def _restore_dump(url: str, source: Path, folder: Path, *, now: datetime, trusted: bool) -> Restored:
    revision = await dumps.verify(source)
    _known(revision)
    if not trusted and await dumps.may_do_everything(url):
        raise DatabaseError(
            "The role in DATABASE_URL is a superuser of PostgreSQL, and a dump can hold any statement: use a role without these "
            "rights (docs/growing.md), or add --trusted where nobody else can have changed the file."
        )
    if others := await dumps.others(url):
        raise DatabaseError(f"{others} other connections to the database are open; stop the bot first.")
    ledger = await _ledger(url, folder)
    kept = await back_up(url, folder, now=now, note="replaced") if await dumps.has_tables(url) else None
    await dumps.load(url, source)
    return Restored(revision, kept, await _bring_up(url, ledger))


async def _bring_up(url: str, ledger: Ledger | None) -> int | None:
    """To head, and without those who were erased since the backup. Returns how many of them there were."""
    database = Database(url)
    try:
        await database.migrate()
        if ledger is None:
            return None
        async with database.write("replay") as db:
            return await erase.replay(db, ledger)
    finally:
        await database.close()


async def _ledger(url: str, folder: Path) -> Ledger | None:
    """Who was erased, from the database that is about to be replaced, or else from the newest copy that can be read."""
    file = _file(url)
    if file is None:
        return await _ledger_in(url)
    for place in (file, *(copy.path for copy in copies(folder) if copy.path.suffix == ".db")):
        # Looked at in a copy: opening a database writes to its folder, and a damaged one should stay as it is.
        try:
            async with _scratch(folder) as partial:
                await asyncio.to_thread(files.copy, place, partial)
                if (ledger := await _ledger_in(f"sqlite+aiosqlite:///{partial}")) is not None:
                    return ledger
        except DatabaseError:
            continue
    return None


async def _ledger_in(url: str) -> Ledger | None:
    database = Database(url)
    try:
        async with database.read() as db:
            return await erase.ledger(db) if await db.run_sync(_has_ledger) else None
    finally:
        await database.close()


def _has_ledger(connection: sa.Connection) -> bool:
    return sa.inspect(connection).has_table(tables.erasures.name)


def _known(revision: str) -> None:
    if revision not in engine.revisions():
        raise DatabaseError(
            f"This backup was written by a newer Lull (schema {revision}; this one knows {engine.head()}); update the bot."
        )


def _aside(folder: Path, now: datetime, ending: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"lull-{now.astimezone(UTC):{_STAMP}}-replaced.{ending}"


def _file(url: str) -> Path | None:
    """The SQLite file of an address; None for PostgreSQL."""
    parts = make_url(url)
    return Path(str(parts.database)) if is_sqlite(parts) else None
