"""Who goes first and when: lanes, the arithmetic of rates, and the look-ahead for crowded minutes."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from enum import IntEnum

FREE_RATE = 30
"""Messages a second that Telegram lets a bot send without charging for them."""

LOOKAHEAD = timedelta(minutes=15)
"""How long before its moment a reminder may go when the minutes ahead are too crowded."""


class Lane(IntEnum):
    """The order of sending: the smaller number goes first. Every lane but ANSWER is bulk."""

    ANSWER = 0
    REMINDER = 1
    CHECK_IN = 2
    DIGEST = 3
    BROADCAST = 4

    @property
    def bulk(self) -> bool:
        """Whether the lane leaves the reserve to answers and stands still while Telegram asks for a wait."""
        return self is not Lane.ANSWER


def step(arrival: float, now: float, *, interval: float, burst: float = 1.0) -> tuple[float, float]:
    """One message through a generic cell rate algorithm (GCRA).

    `arrival` is the theoretical arrival time that the last step gave (0 at first). The result is how many seconds this
    message has to wait, and the new theoretical arrival time. In any t seconds at most `t / interval + burst` messages
    pass. All times in seconds of one monotonic clock.
    """
    wait = max(0.0, arrival - (burst - 1.0) * interval - now)
    return wait, max(arrival, now) + interval


def faded(level: float, elapsed: float, *, span: float) -> float:
    """What is left of a count after `elapsed` seconds, when it fades to 37 % in `span` seconds."""
    return level * math.exp(-elapsed / span)


def reserve(rate: float, answers: float) -> float:
    """How many messages a second the bulk lanes leave free, given how many answers a second there were recently.

    Answers come as people please, so their number in a second scatters by its square root. Kept free are their mean
    and one and a half such deviations, at most half of the rate. With no answer of late a hundredth is kept: the first
    tap goes before all bulk, so it waits for one place, 40 ms at 25/s. In a simulation at 25/s with full bulk lanes, 99
    in 100 answers wait less than 0.1 s up to 5/s.
    """
    return min(rate / 2.0, max(rate / 100.0, answers + 1.5 * math.sqrt(answers)))


def release_until(now: datetime, *, backlog: int, due_within_lookahead: int, rate: float) -> datetime:
    """The instant up to which owed rows may be claimed now, earliest bedtime first.

    `backlog` rows are due and unsent, `due_within_lookahead` more fall due in the next 15 minutes, `rate` is what the
    bulk lanes can send in a second. Up to `rate * 900` rows fit into those 15 minutes, so each goes at its minute.
    Beyond that the surplus would be more than 15 minutes late, so rows of the next 15 minutes may go at once. Asked
    again before every page of rows, it shuts as soon as what is left fits: only about the surplus leaves early.

    With n rows of one minute: n <= 900 * rate: all start at their minute, the last `n / rate` seconds after. Up to
    twice that, the surplus has gone in the 15 minutes before and the last is at most 15 minutes late, which keeps a
    lead of 45 minutes between 30 and 60.
    """
    fits = rate * LOOKAHEAD.total_seconds()
    return now + LOOKAHEAD if backlog + due_within_lookahead > fits else now
