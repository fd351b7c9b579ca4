"""Checks whether a SQLite file is undamaged: reads all of it, in a thread of low priority."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import sqlite3
import threading
from pathlib import Path

from db.sqlite import files

SOUND = "ok"
"""What a reading gives of a file that is whole; of another one it gives what is wrong, and of one cut short nothing."""


class Reading:
    """One reading of one file. On a big file it takes seconds, all of them outside the interpreter's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stopping = threading.Event()
        self._found: asyncio.Future[str] | None = None
        self._connection: sqlite3.Connection | None = None

    async def result(self) -> str:
        """Read it. Others may write meanwhile. Raises OSError or sqlite3.OperationalError where it cannot be opened."""
        loop = asyncio.get_running_loop()
        self._found = loop.create_future()
        # A thread of its own: one of the loop's pool would keep the low priority for its next task, and the end would wait for it.
        threading.Thread(target=self._work, args=(loop, self._found), name="reading", daemon=True).start()
        try:
            return await self._found
        finally:
            self.stop()

    def stop(self) -> None:
        """Cut it short. Its thread ends in its own time, which on a busy machine is long: no end has to wait for it."""
        self._stopping.set()
        if self._found is not None and not self._found.done():
            self._found.set_result("")
        if (connection := self._connection) is not None:
            with contextlib.suppress(sqlite3.ProgrammingError):  # it is closed already
                connection.interrupt()

    def _work(self, loop: asyncio.AbstractEventLoop, found: asyncio.Future[str]) -> None:
        _step_back()
        try:
            tell = functools.partial(_settle, found, self._read())
        except Exception as error:  # it belongs to whoever waits
            tell = functools.partial(_settle, found, error)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell)

    def _read(self) -> str:
        with contextlib.closing(files.opened(self._path, mode="ro")) as self._connection:
            try:
                return "" if self._stopping.is_set() else _checked(self._connection)
            except sqlite3.OperationalError:
                if self._stopping.is_set():
                    return ""
                raise
            except sqlite3.DatabaseError as error:
                return str(error)


def _settle(found: asyncio.Future[str], outcome: str | Exception) -> None:
    if found.done():
        return
    if isinstance(outcome, Exception):
        found.set_exception(outcome)
    else:
        found.set_result(outcome)


def _checked(connection: sqlite3.Connection) -> str:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return " ".join(str(found).split())[:120]


def _step_back() -> None:
    # On Linux a priority is a thread's own.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
