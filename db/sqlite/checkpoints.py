"""Looks after a SQLite file and its write-ahead log while the bot runs: empties the log, and notices missing files."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from pathlib import Path

from db.sqlite import files


class Checkpoints:
    """One connection of its own, which waits for nobody and so is in no writer's way. It stays open: as long as it does, SQLite
    itself takes away neither of the two files beside the database.

    What was erased is overwritten in the file (`secure_delete`), but the log keeps it until it is emptied.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log, self._index = path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")
        self._connection: sqlite3.Connection | None = None
        self._busy = threading.Lock()
        self._opened: dict[Path, tuple[int, int] | None] = {}

    def empty_the_log(self) -> bool:
        """Bring the log into the file and empty it. Returns False if somebody reads or writes just now; try again later.

        It may take as long as the disk needs. Raises sqlite3.Error.
        """
        with self._busy:
            connection = self._open()
            # The first brings over what it can beside readers and writers: little is left for the second, which keeps writers out.
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            try:
                (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise
                return False
            return not busy

    def faults(self) -> dict[str, str]:
        """What has become of the files since the first checkpoint, part by part; nothing where they are those that were opened."""
        changed = {path: _identity(path) for path, known in self._opened.items() if _identity(path) != known}
        if self._path in changed:
            what = "another file is in its place" if changed[self._path] else "it is gone from its folder"
            return {"file": f"{what}; stop the bot and put a backup there"}
        if changed:
            return {"log": "the database's log was taken away or replaced; what is written from now on may be lost"}
        return {}

    def close(self) -> None:
        """Give the connection back."""
        with self._busy:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._opened = {}

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            with contextlib.ExitStack() as failed:
                connection = files.opened(self._path, mode="rw", timeout=0.0)
                failed.callback(connection.close)
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # now the log is open as well
                failed.pop_all()
            self._connection = connection
            self._opened = {path: _identity(path) for path in (self._path, self._log, self._index)}
        return self._connection


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file has this name: device and inode; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
