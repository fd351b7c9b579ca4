"""Whether the machine's wall clock can be right, from what others say of the time and from how it jumps. Pure.

`at` is a machine's elapsed seconds, which never jump and go on while it is suspended; `wall` is what its clock shows and `said`
what somebody else says of the same moment, both in seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

WARN = 120.0
"""Seconds off from which it is worth a warning."""

HOLD = 300.0
"""Seconds off, or of a jump, from which nobody may be reminded by this clock."""

SPAN, WITNESSES, AGREE = 60.0, 3, 30.0
"""So many must have said it, over so many seconds, within so many of each other: one answer may have been long on its way."""

APART = 5.0
"""Seconds between two that are noted: a hundred answers of one second are one witness."""

FORGET = 900.0
"""Seconds after which what was said counts no more."""

DOUBT = 180.0
"""Seconds that a clock which jumped is in doubt at most, where nobody says what time it is."""


@dataclass(slots=True)
class WallClock:
    """What is known of one clock. `off` is how many seconds it is behind (above 0) or ahead; None while nobody knows."""

    off: float | None = None
    _heard: list[tuple[float, float]] = field(default_factory=list)  # when, and how far behind it made the clock
    _shift: float | None = None  # the wall clock less the elapsed seconds, at the last look
    _doubt_until: float | None = None

    def look(self, *, wall: float, at: float) -> bool:
        """To be called every second or so. True when the clock has just jumped: then nothing that was known of it counts."""
        before, self._shift = self._shift, wall - at
        self._heard = [(when, off) for when, off in self._heard if at - when < FORGET]
        if before is None or abs(self._shift - before) <= HOLD:
            return False
        self._heard, self.off, self._doubt_until = [], None, at + DOUBT
        return True

    def hear(self, said: float, *, wall: float, at: float) -> None:
        """Somebody who should know says what time it is."""
        if self._heard and at - self._heard[-1][0] < APART:
            return
        self._heard.append((at, said - wall))
        newest = self._heard[-1][1]
        agreeing: list[tuple[float, float]] = []
        for when, off in reversed(self._heard):
            if abs(off - newest) > AGREE:
                break
            agreeing.append((when, off))
        if len(agreeing) >= WITNESSES and at - agreeing[-1][0] >= SPAN:
            self.off, self._doubt_until = median(off for _, off in agreeing), None

    def is_off(self) -> bool:
        """Whether it is worth a warning."""
        return self.off is not None and abs(self.off) > WARN

    def holds(self, *, at: float) -> bool:
        """Whether nobody may be reminded now: it is known to be wrong, or has just jumped."""
        if self.off is not None:
            return abs(self.off) > HOLD
        return self._doubt_until is not None and at < self._doubt_until
