"""Files that people send: how many of them are read, and by whom."""

from __future__ import annotations

import asyncio
from typing import Protocol

from bot.core.diary_import import Arrived, Choice, ImportProblem
from bot.core.flood import FileGate
from bot.core.model import Night
from bot.worker import reading
from bot.worker.process import NotDone, WorkerProcess
from config import logs

_log = logs.logger(__name__)

MOST_WAITING = 16
"""Files that wait for the one that is read: each of them holds a place among the people who are answered."""


class NotRead(Exception):  # noqa: N818 - named for what became of the file
    """Nothing is wrong with the file as far as anybody knows; it was not read, or not to its end."""


class MonotonicTime(Protocol):
    """The clock's part that the limits are measured with."""

    def monotonic(self) -> float: ...


class FileReader:
    """Reads one file at a time in all, each in a process of its own that can do nothing else."""

    def __init__(self, *, clock: MonotonicTime) -> None:
        self._clock, self._gate = clock, FileGate()
        self._worker = WorkerProcess("read", lasting=False)
        self._waiting = 0

    def wait(self, user_id: int) -> float:
        """Seconds until this person may send another file; 0 for now."""
        return self._gate.wait(user_id, now=self._clock.monotonic())

    async def read(self, user_id: int, data: bytes, *, zone: str, last: Night) -> Arrived | Choice | ImportProblem:
        """The nights in a file, or why it is not taken. Raises NotRead."""
        if self._waiting >= MOST_WAITING:
            raise NotRead("crowded")
        self._waiting += 1
        try:
            said = await self._worker.ask(reading.question(data, zone=zone, last=last))
            # Thousands of nights take their time: in a thread, which lets the event loop in between.
            found: Arrived | Choice | ImportProblem = await asyncio.to_thread(reading.answer, said)
        except (NotDone, ValueError) as error:
            # It may have cost all that a file may cost.
            self._gate.note(user_id, now=self._clock.monotonic(), taken=True)
            _log.warning("a file could not be read", kind=str(error) if isinstance(error, NotDone) else "ValueError")
            raise NotRead(str(error)) from error
        finally:
            self._waiting -= 1
        self._gate.note(user_id, now=self._clock.monotonic(), taken=not isinstance(found, ImportProblem))
        return found

    async def close(self) -> None:
        """Read no more, at once: who waits is told so."""
        await self._worker.close()
