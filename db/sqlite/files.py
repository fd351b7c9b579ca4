"""A SQLite database as a file: copied whole while it is in use, checked, put in another's place."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path
from urllib.parse import quote

from db import engine
from db.engine import DatabaseError

_HEADER = b"SQLite format 3\0"
_OURS = {"alembic_version", "users", "nights", "outbox", "inbox"}


def copy(source: Path, target: Path) -> None:
    """Write what `source` holds at this moment to the new file `target`, checked and on the disk.

    Others may go on writing. Raises DatabaseError; then there is no `target`.
    """
    try:
        # Readable for nobody else from its first byte on.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with contextlib.closing(opened(source, mode="rw" if os.access(source, os.W_OK) else "ro")) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        verify(target)
        sync(target)
    except (OSError, sqlite3.Error) as error:
        remove(target)
        raise DatabaseError(f"{source} could not be copied to {target.parent}: {error}.") from None
    except DatabaseError:
        remove(target)
        raise


def verify(path: Path) -> str:
    """The schema's revision, of a file that is whole and ours. Raises DatabaseError when it is not."""
    if not path.is_file():
        raise DatabaseError(f"{path} is not a file.")
    with path.open("rb") as file:
        if file.read(len(_HEADER)) != _HEADER:
            raise DatabaseError(f"{path} is not a SQLite database.")
    try:
        with contextlib.closing(opened(path, mode="ro")) as connection:
            return _look_into(connection, path)
    except sqlite3.OperationalError as error:
        raise DatabaseError(f"{path} cannot be read here: {error}.") from None
    except sqlite3.Error as error:
        raise DatabaseError(f"{path} is damaged: {error}.") from None


def _look_into(connection: sqlite3.Connection, path: Path) -> str:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables >= _OURS:
        raise DatabaseError(f"{path} is a database, but not one of Lull's.")
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise DatabaseError(f"{path} is damaged: {str(found).splitlines()[-1]}.")
    (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(revision)


def put_in_place(new: Path, path: Path, *, aside: Path) -> Path | None:
    """Let `new` be the database at `path`; what was there stays as `aside`. Both are whole, whenever the power goes.

    Nobody may have `path` open. Returns where the replaced database is; None when there was none.
    """
    if path.exists():
        _settle(path)
        _keep(path, aside)
        # Left beside the new file, the old one's log would be read into it.
        for suffix in ("-wal", "-shm"):
            log = path.with_name(path.name + suffix)
            if suffix == "-wal" and log.exists() and log.stat().st_size:
                _keep(log, aside.with_name(aside.name + suffix))
            log.unlink(missing_ok=True)
    new.replace(path)
    sync_folder(path.parent)
    return aside if aside.exists() else None


def _settle(path: Path) -> None:
    """Bring the log of a database into its file, where it is still good enough for that."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(opened(path, mode="rw")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _keep(path: Path, aside: Path) -> None:
    # A second name for the same file costs nothing and cannot be half-done; some file systems and other disks have none.
    try:
        os.link(path, aside)
    except OSError:
        shutil.copy2(path, aside)
        sync(aside)
    aside.chmod(0o600)
    sync_folder(aside.parent)


def opened(path: Path, *, mode: str, timeout: float = engine.BUSY_TIMEOUT) -> sqlite3.Connection:
    """A connection without transactions of its own, for whatever thread. `mode`: ro or rw; `timeout`: seconds for others' locks."""
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)


def sync(path: Path) -> None:
    """Have the disk take the file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Have the disk take the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """The file and what SQLite puts beside it, if they are there."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
