"""Time that passes only when everybody sleeps: the same run every time, whatever the machine does."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in which waiting takes no time: when all have nothing to do, the clock jumps to the next timer."""

    def __init__(self) -> None:
        self.elapsed = 1000.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self.elapsed


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._virtual = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is None:
            raise RuntimeError("everybody waits for something that cannot happen")
        if not events and timeout is not None and timeout > 0:
            self._virtual.elapsed += timeout
        return events


class VirtualClock:
    """The clock of a VirtualLoop."""

    speed = 1.0

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 20, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @staticmethod
    def stall(seconds: float) -> None:
        """As if the event loop had been busy for so long: nobody is woken meanwhile."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.elapsed += seconds


def simulate(scene: Coroutine[None, None, None]) -> None:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(scene)
