"""The one clock: aware UTC now, sleeping and elapsed time, real or simulated for several processes at once."""

from __future__ import annotations

import asyncio
import mmap
import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

# Six little-endian doubles: a stamp, origin (simulated unix time), anchor (real unix time), speed, the monotonic seconds
# at the anchor (so that another speed does not make them leap), the stamp again.
# Reader and writer share one page of memory; a reader that sees two different stamps reads again.
_LAYOUT = struct.Struct("<6d")


class Clock(Protocol):
    """What the rest of the project knows of time."""

    @property
    def speed(self) -> float:
        """Simulated seconds in a real second; 1.0 for the real clock."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only ever grow, for measuring how long something took."""

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock."""


class RealClock:
    """The machine's clock."""

    speed = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SharedClock:
    """A simulated clock kept in a file: `origin + (real now - anchor) * speed`.

    Every process that opens the file lives in the same simulated time, also after a kill and a new start. The wall clock can
    be moved with `skip`; `monotonic` and `sleep` follow the speed and never the jumps, as on a real machine.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _LAYOUT.size)

    @classmethod
    def create(cls, path: Path, *, origin: datetime, speed: float = 1.0) -> SharedClock:
        """Make the file, starting at `origin` (aware) now, running at `speed`."""
        path.write_bytes(_LAYOUT.pack(0.0, origin.timestamp(), time.time(), speed, 0.0, 0.0))
        return cls(path)

    def _read(self) -> tuple[float, float, float, float]:
        while True:
            before, origin, anchor, speed, passed, after = _LAYOUT.unpack_from(self._page)
            if before == after:
                return origin, anchor, speed, passed

    def _write(self, origin: float, anchor: float, speed: float, passed: float) -> None:
        stamp = _LAYOUT.unpack_from(self._page)[0] + 1
        struct.pack_into("<d", self._page, 0, stamp)
        struct.pack_into("<5d", self._page, 8, origin, anchor, speed, passed, stamp)

    @property
    def speed(self) -> float:
        return self._read()[2]

    def now(self) -> datetime:
        origin, anchor, speed, _ = self._read()
        return datetime.fromtimestamp(origin + (time.time() - anchor) * speed, UTC)

    def monotonic(self) -> float:
        _, anchor, speed, passed = self._read()
        return passed + (time.time() - anchor) * speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)

    def skip(self, seconds: float) -> None:
        """Move the wall clock of every process that shares the file."""
        origin, anchor, speed, passed = self._read()
        self._write(origin + seconds, anchor, speed, passed)

    def set(self, moment: datetime, *, speed: float | None = None) -> None:
        """Let it be `moment` (aware) now, at the old speed or a new one."""
        _, anchor, old_speed, passed = self._read()
        real = time.time()
        passed += (real - anchor) * old_speed
        self._write(moment.timestamp(), real, old_speed if speed is None else speed, passed)


def open_clock(path: Path | None) -> Clock:
    """The real clock, or the simulated one that lives in `path`."""
    return RealClock() if path is None else SharedClock(path)
