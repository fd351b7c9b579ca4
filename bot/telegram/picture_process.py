"""Draws pictures in a process of its own, which is started for the first picture and ends when idle."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile

from bot.charts import Drawing
from bot.worker.process import NotDone, WorkerProcess
from config import logs

_log = logs.logger(__name__)


class NotDrawn(Exception):  # noqa: N818 - named for what became of the picture
    """The picture could not be drawn."""


class PictureProcess:
    """Draws one picture after the other. The process inherits none of our environment variables."""

    def __init__(self, *, idle: float = 120.0) -> None:
        self.worker = WorkerProcess("draw", idle=idle)
        self._fonts: str | None = None

    async def draw(self, drawing: Drawing) -> bytes:
        """The picture's bytes. Raises NotDrawn."""
        if self._fonts is None:
            # matplotlib keeps its list of fonts here: read once, not at every start of the process.
            self._fonts = tempfile.mkdtemp(prefix="lull-fonts-")
        try:
            return await self.worker.ask(
                json.dumps([drawing.name, drawing.values]).encode(),
                {"MPLCONFIGDIR": self._fonts, "MPLBACKEND": "agg"},
            )
        except NotDone as error:
            if error.fault:
                _log.error("a picture could not be drawn", picture=drawing.name, kind=str(error))
            raise NotDrawn(str(error)) from error

    async def close(self) -> None:
        """End the process and take its leavings away."""
        await self.worker.close()
        if self._fonts is not None:
            await asyncio.to_thread(shutil.rmtree, self._fonts, ignore_errors=True)
            self._fonts = None
