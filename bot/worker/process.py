"""The bot's side of a worker: one process, started when it is first asked, gone when nothing is wanted of it."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path

PATIENCE = 30.0
"""Real seconds that one answer may take, with the process's start on a slow machine."""

_LENGTH = struct.Struct(">I")
_ROOT = Path(__file__).parent.parent.parent
_LARGEST = 2**26
"""Bytes of an answer: whoever is on the other side, so much memory it may cost."""


class NotDone(Exception):  # noqa: N818 - named for what became of the work
    """The work was not done; the text is one word that says why. `fault`: the worker itself said so."""

    def __init__(self, why: str, *, fault: bool = False) -> None:
        super().__init__(why)
        self.fault = fault


class WorkerProcess:
    """Answers one question after the other. Nothing of our environment reaches the process.

    `idle` is in real seconds; a process that is not `lasting` answers one question and is ended: nothing of what one person
    sent can reach what is read for the next.
    """

    def __init__(self, work: str, *, idle: float = 120.0, lasting: bool = True) -> None:
        self._work, self._idle, self._lasting = work, idle, lasting
        self.process: Process | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    async def ask(self, question: bytes, environment: Mapping[str, str] | None = None) -> bytes:
        """The answer. Raises NotDone."""
        async with self._turn:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self._answer(question, environment or {})
            except TimeoutError as error:
                await self._end()
                raise NotDone("TimeoutError") from error
            except NotDone:
                raise
            except BaseException:
                # Half an answer would be taken for the next one's.
                await self._end()
                raise
            finally:
                if not self._lasting:
                    await self._end()

    async def _answer(self, question: bytes, environment: Mapping[str, str]) -> bytes:
        # An idle process may end just as it is asked: then a fresh one is.
        for last in (self.process is None, True):
            if self._closed:
                break
            try:
                return await self._exchange(await self._started(environment), question)
            except (OSError, EOFError) as error:
                await self._end()
                if last:
                    raise NotDone(type(error).__name__) from error
        raise NotDone("closed")

    async def _exchange(self, process: Process, question: bytes) -> bytes:
        if process.stdin is None or process.stdout is None:
            raise OSError("no pipes")
        process.stdin.write(_LENGTH.pack(len(question)) + question)
        await process.stdin.drain()
        (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
        if not 0 < length <= _LARGEST:
            raise OSError("an answer of no good length")
        answer = await process.stdout.readexactly(length)
        if answer[:1] != b"\x01":
            raise NotDone(answer[1:80].decode("ascii", "replace"), fault=True)
        return answer[1:]

    async def _started(self, environment: Mapping[str, str]) -> Process:
        if self.process is None or self.process.returncode is not None:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot.worker",
                self._work,
                str(self._idle),
                stdin=PIPE,
                stdout=PIPE,
                cwd=_ROOT,
                # Zone rules as the bot has them: the wheel's, not the machine's.
                env={"PYTHONTZPATH": "", **environment},
                limit=2**24,
            )
        return self.process

    async def _end(self) -> None:
        process, self.process = self.process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def close(self) -> None:
        """End the process, whatever it is doing; who waits for it learns so at once, and nobody is answered any more."""
        self._closed = True
        await self._end()
