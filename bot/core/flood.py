"""Limits what one person may ask: sixty updates or three pictures a minute; then one warning, then silence. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

PER_MINUTE = 60
_KEEP = 10_000


class Manner(Enum):
    """How to treat an update: handle it, refuse it with a warning, or ignore it."""

    WELCOME = "welcome"
    WARN = "warn"  # the first one too many: one word about it
    IGNORE = "ignore"


@dataclass(slots=True)
class _Bucket:
    level: float = 0.0
    at: float = 0.0
    warned: bool = False


class FloodGate:
    """A leaky bucket for each person, in memory: a restart empties all of them."""

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        self._per_minute = per_minute
        self._buckets: dict[int, _Bucket] = {}
        self._forgot_at = -math.inf

    def admit(self, user_id: int | None, *, now: float) -> Manner:
        """How to meet one more update of this person at `now` (monotonic seconds). Updates without a sender are always handled."""
        if user_id is None:
            return Manner.WELCOME
        bucket = self._buckets.setdefault(user_id, _Bucket(at=now))
        bucket.level = max(0.0, bucket.level - (now - bucket.at) * self._per_minute / 60.0)
        bucket.at = now
        # Half an update of slack: a bucket that drains is never quite as full as what was put in.
        if bucket.level < self._per_minute - 0.5:
            bucket.level += 1.0
            if bucket.level < self._per_minute / 2:
                bucket.warned = False
            self._forget(now)
            return Manner.WELCOME
        first, bucket.warned = not bucket.warned, True
        return Manner.WARN if first else Manner.IGNORE

    def _forget(self, now: float) -> None:
        """Forget people who sent nothing for a minute. Done once a minute: looking at each update would cost a crowd too much."""
        if len(self._buckets) > _KEEP and now - self._forgot_at >= 60.0:
            self._buckets = {user: bucket for user, bucket in self._buckets.items() if now - bucket.at < 60.0}
            self._forgot_at = now


FILES_IN, MOST_READ, MOST_SENT = 600.0, 3, 10
"""In so many seconds a person may have so many files read; those that are refused are free up to so many."""


class FileGate:
    """Who sends too many files. In memory: after a restart everybody begins anew."""

    def __init__(self) -> None:
        self._files: dict[int, list[tuple[float, bool]]] = {}  # when each was sent, and whether it was read

    def wait(self, user_id: int, *, now: float) -> float:
        """Seconds from `now` (monotonic) until one more file of this person may be read; 0 for at once."""
        files = self._lately(user_id, now)
        taken = [at for at, read in files if read]
        since = [
            at[-most] for at, most in ((taken, MOST_READ), ([at for at, _ in files], MOST_SENT)) if len(at) >= most
        ]
        return max((at + FILES_IN - now for at in since), default=0.0)

    def note(self, user_id: int, *, now: float, taken: bool) -> None:
        """A file of theirs was read, or refused."""
        if len(self._files) > _KEEP:
            self._files = {user: files for user in list(self._files) if (files := self._lately(user, now))}
        self._files[user_id] = [*self._lately(user_id, now), (now, taken)]

    def _lately(self, user_id: int, now: float) -> list[tuple[float, bool]]:
        return [(at, taken) for at, taken in self._files.get(user_id, ()) if now - at < FILES_IN]
