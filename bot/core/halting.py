"""Decides whether a 429 was one chat's own limit or everybody's, and what may be sent while it is everybody's. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

TOGETHER = 10.0
"""Seconds within which the 429s of two chats say that the limit is everybody's."""

PROBES = (30.0, 60.0, 120.0)
"""Seconds from the beginning of a halt to its first probe, from the first to the second, and between all that follow."""

ALONE = 600.0
"""Seconds for which a chat that Telegram refused, while it took what went to others, says nothing about the others."""

_EPSILON = 1e-6


@dataclass(slots=True)
class Halt:
    """Whether the bulk lanes stand still, and when the next probe may go.

    1. The 429 of one chat halts nobody, whatever it asks for.
    2. The 429s of two chats within TOGETHER seconds begin a halt.
    3. While it lasts one message at a time goes, as a probe: after 30 s, 60 s after that, then every 120 s. What Telegram
       asked for plays no part in it: one absurd number must not cost an evening.
    4. It ends when Telegram takes a probe. Nothing else ends it, and nothing that is refused meanwhile makes it longer.
    5. A chat that is refused again within ALONE seconds does not count, if Telegram took any message since it was refused
       last: two people who press without end would otherwise begin one halt after the other.

    Times are seconds of one monotonic clock.
    """

    began_at: float | None = None
    count: int = 0  # halts begun
    _probe_at: float = math.inf
    _probes: int = 0  # sent since the beginning
    _probing: bool = False  # one is on its way
    _last: tuple[object, float] = (None, -math.inf)  # the chat of the last 429 that counts, and when
    _taken_at: float = -math.inf  # when Telegram last took a message
    _past: float = 0.0  # seconds of the halts that are over

    def wait(self, now: float) -> float:
        """Seconds until a bulk message may go: 0 outside of a halt, infinity while a probe is on its way."""
        if self.began_at is None:
            return 0.0
        left = math.inf if self._probing else self._probe_at - now
        return left if left > _EPSILON else 0.0

    def lasted(self, now: float) -> float:
        """Seconds since the halt began; 0 outside of one."""
        return 0.0 if self.began_at is None else now - self.began_at

    def total(self, now: float) -> float:
        """Seconds of all halts so far."""
        return self._past + self.lasted(now)

    def refused(self, chat: object, now: float, *, before: float) -> bool:
        """Take note of a 429 for this chat, whose last one was at `before`. Returns whether it begins a halt."""
        if self.began_at is not None or (now - before < ALONE and self._taken_at > before):
            return False
        other, at = self._last
        self._last = (chat, now)
        if other is None or other == chat or now - at > TOGETHER:
            return False
        self.began_at, self._probe_at, self._probes = now, now + PROBES[0], 0
        self.count += 1
        return True

    def taken(self, now: float) -> None:
        """Take note of a message that Telegram took."""
        self._taken_at = now

    def probe(self) -> bool:
        """Let a bulk message go; whether it is a probe. It must be followed by one of the three below."""
        self._probing = self.began_at is not None
        return self._probing

    def probe_kept(self) -> None:
        """It did not leave after all: another may go in its place."""
        self._probing = False

    def probe_taken(self, now: float) -> None:
        """Telegram took it: the halt is over."""
        self._past = self.total(now)
        self._probing, self.began_at = False, None
        self._last = (None, -math.inf)

    def probe_failed(self, now: float) -> None:
        """It was refused, or nobody knows: the next one later."""
        self._probing = False
        self._probes += 1
        self._probe_at = now + PROBES[min(self._probes, len(PROBES) - 1)]
