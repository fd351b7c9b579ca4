"""Draws pictures in a process of its own, which is started for the first picture and ends when idle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import struct
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from bot.charts import Drawing
from config import logs

_log = logs.logger(__name__)

PATIENCE = 30.0
"""Real seconds that a picture may take, with the process's start on a slow machine."""

_LENGTH = struct.Struct(">I")
_ROOT = Path(__file__).parent.parent.parent


class NotDrawn(Exception):  # noqa: N818 - named for what became of the picture
    """The picture could not be drawn."""


class PictureProcess:
    """Draws one picture after the other. The process inherits none of our environment variables."""

    def __init__(self, *, idle: float = 120.0) -> None:
        self._idle = idle
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._fonts: str | None = None

    async def draw(self, drawing: Drawing) -> bytes:
        """The picture's bytes. Raises NotDrawn."""
        async with self._turn:
            # An idle process may end just as it is asked: then a fresh one is.
            for last in (False, True):
                try:
                    return await asyncio.wait_for(self._ask(drawing), PATIENCE)
                except (OSError, EOFError, TimeoutError) as error:
                    await self._end()
                    if last:
                        raise NotDrawn(type(error).__name__) from error
        raise AssertionError("the last try returns or raises")

    async def _ask(self, drawing: Drawing) -> bytes:
        process = await self._started()
        if process.stdin is None or process.stdout is None:
            raise OSError("no pipes")
        question = json.dumps([drawing.name, drawing.values]).encode()
        process.stdin.write(_LENGTH.pack(len(question)) + question)
        await process.stdin.drain()
        (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
        answer = await process.stdout.readexactly(length)
        if answer[:1] != b"\x01":
            _log.error(
                "a picture could not be drawn", picture=drawing.name, kind=answer[1:80].decode("ascii", "replace")
            )
            raise NotDrawn(drawing.name)
        return answer[1:]

    async def _started(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            if self._fonts is None:
                # matplotlib keeps its list of fonts here: read once, not at every start of the process.
                self._fonts = await asyncio.to_thread(tempfile.mkdtemp, prefix="lull-fonts-")
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot.charts",
                str(self._idle),
                stdin=PIPE,
                stdout=PIPE,
                cwd=_ROOT,
                env={"MPLCONFIGDIR": self._fonts, "MPLBACKEND": "agg"},
                limit=2**24,
            )
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def close(self) -> None:
        """End the process and take its leavings away."""
        await self._end()
        if self._fonts is not None:
            await asyncio.to_thread(shutil.rmtree, self._fonts, ignore_errors=True)
            self._fonts = None
