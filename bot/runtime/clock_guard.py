"""Keeps an eye on the machine's clock: nobody is reminded by one that is wrong, and the admin hears of it at once."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime

from bot.clock import Clock, RealClock
from bot.core.wall_clock import WallClock
from config import logs

_log = logs.logger(__name__)


class ClockGuard:
    """One in a process. Where it is not `on` it says that all is well; in simulated time an answer takes minutes.

    `tell` lets admins know of errors at once. `held_at` is when reminders were last held back, on the bot's monotonic clock.
    """

    def __init__(self, clock: Clock, *, on: bool) -> None:
        self._clock, self._on = clock, on
        self._wall = WallClock()
        self._alarmed = self._warned = False
        self.held_at: float | None = None
        self.tell: Callable[[], Awaitable[None]] | None = None

    def answered(self, date: str) -> None:
        """An answer of Telegram's had this `Date`."""
        if not self._on:
            return
        try:
            said = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        self._wall.hear(said, wall=self._clock.now().timestamp(), at=self._elapsed())

    def wrote(self, sent_at: int) -> None:
        """Somebody wrote at this moment (seconds since 1970). It may have waited for long, but nobody writes in the future."""
        wall = self._clock.now().timestamp()
        if self._on and sent_at > wall:
            self._wall.hear(sent_at, wall=wall, at=self._elapsed())

    async def holds(self) -> bool:
        """Whether nobody may be reminded now. To be asked every second or so."""
        if not self._on:
            return False
        at = self._elapsed()
        if self._wall.look(wall=self._clock.now().timestamp(), at=at):
            _log.warning("the machine's clock has jumped; reminders wait until Telegram's answers say what time it is")
        holding = self._wall.holds(at=at)
        self._warn()
        if holding:
            self.held_at = self._clock.monotonic()
        # A jump alone is no news yet: it may have put the clock right.
        wrong = holding and self._wall.off is not None
        if wrong and not self._alarmed:
            self._alarmed = True
            await self._alarm()
        self._alarmed = self._alarmed and holding
        return holding

    def faults(self) -> dict[str, str]:
        """For health."""
        if not self._wall.is_off():
            return {}
        off = self._wall.off or 0.0
        return {"clock": f"{abs(off):.0f} seconds {'behind' if off > 0 else 'ahead'}; set the machine's clock"}

    def _warn(self) -> None:
        off, warned = self._wall.is_off(), self._warned
        if off and not warned:
            _log.warning("the machine's clock is wrong; set it", seconds=round(self._wall.off or 0.0))
        if warned and not off and self._wall.off is not None:
            _log.info("the machine's clock is right again")
        if self._wall.off is not None:
            self._warned = off

    async def _alarm(self) -> None:
        _log.error(
            "the machine's clock is wrong; nobody is reminded until it is right", seconds=round(self._wall.off or 0.0)
        )
        if self.tell is not None:
            await self.tell()

    def _elapsed(self) -> float:
        """Seconds that go on while the machine sleeps, where the system has such: a jump is then no sleep."""
        if isinstance(self._clock, RealClock) and hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return self._clock.monotonic()
