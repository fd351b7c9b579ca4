"""How many people one bot can remind in time: the real pacing rule, on a simulated clock, with realistic bedtimes."""

from __future__ import annotations

import math
import sys
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks import parts
from benchmarks.parts import Figure
from bot.core import pacing

# Millions of people by hours from UTC, in winter, rounded; the order of size is what matters.
ZONES = {
    -10: 1, -8: 55, -7: 42, -6: 195, -5: 330, -4: 125, -3.5: 1, -3: 265, -1: 1, 0: 330, 1: 760, 2: 560, 3: 570,
    3.5: 89, 4: 40, 4.5: 41, 5: 400, 5.5: 1450, 5.75: 30, 6: 200, 6.5: 54, 7: 430, 8: 1720, 9: 210, 9.5: 2, 10: 45,
    11: 10, 12: 7,
}  # fmt: skip
BED, SPREAD = 22.75, 1.0
HEAVY = 2.0
"""How much likelier a full or half hour is than the quarters beside it."""

LEAD = 45
TICK = 10
DAY = 86_400
START = datetime(2026, 11, 20, tzinfo=UTC)


def reminders(people: int) -> dict[int, float]:
    """Second of the UTC day to how many reminders are planned for it."""
    slots = [slot / 4 for slot in range(72, 110)]
    weights = [math.exp(-((slot - BED) ** 2) / (2 * SPREAD**2)) * (HEAVY if slot % 0.5 == 0 else 1.0) for slot in slots]
    found: dict[int, float] = {}
    for offset, millions in ZONES.items():
        for slot, weight in zip(slots, weights, strict=True):
            second = round((slot - offset) * 3600 - LEAD * 60) % DAY
            found[second] = found.get(second, 0.0) + people * millions / sum(ZONES.values()) * weight / sum(weights)
    return found


@dataclass(slots=True)
class Night:
    """How a night went: the share inside 30 to 60 minutes before bed, the largest delay, and the share sent early."""

    inside: float
    latest: float
    early: float


def night(people: int, *, rate: float, early: bool) -> Night:
    """Send one day's reminders and check-ins (nine hours after bed) at `rate` a second, ten seconds at a time.

    A day runs twice, so that what the first leaves over counts in the second, which alone is measured.
    """
    planned = reminders(people)
    asks = {(second + LEAD * 60 + 9 * 3600) % DAY: number for second, number in planned.items()}
    arrivals = sorted((second + day * DAY, number) for day in (0, 1, 2) for second, number in planned.items())
    mornings = deque(sorted((second + day * DAY, number) for day in (0, 1) for second, number in asks.items()))
    waiting: deque[list[float]] = deque()  # moment, how many; one lead for all, so the earliest bedtime is first
    room, send_rate = 0.0, rate - pacing.reserve(rate, 0.0)
    inside = total = ahead_of_time = latest = ask_backlog = 0.0
    following = deque([second, number] for second, number in arrivals)
    lookahead = pacing.LOOKAHEAD.total_seconds()
    for now in range(0, 2 * DAY, TICK):
        soon = sum(number for second, number in _until(following, now + lookahead) if second > now)
        backlog = ask_backlog + sum(number for second, number in _until(waiting, now))
        backlog += sum(number for second, number in _until(following, now))
        at = START + timedelta(seconds=now)
        until = pacing.release_until(at, backlog=int(backlog), due_within_lookahead=int(soon), rate=rate)
        reach = now + (until - at).total_seconds() if early else now
        room = min(room, send_rate * TICK) + send_rate * TICK
        while following and following[0][0] <= reach and room > 0:
            moment, number = following[0]
            sent = min(room, number)
            room -= sent
            following[0][1] -= sent
            if following[0][1] <= 1e-9:
                following.popleft()
            if moment >= DAY:
                total += sent
                inside += sent * (abs(now - moment) <= 900)
                ahead_of_time += sent * (now < moment)
                latest = max(latest, now - moment)
        while mornings and mornings[0][0] <= now:
            ask_backlog += mornings.popleft()[1]
        sent = min(room, ask_backlog)
        room, ask_backlog = room - sent, ask_backlog - sent
        room = min(room, send_rate)  # what was not used does not come back
    return Night(inside / total, latest, ahead_of_time / total)


def _until(queue: deque[list[float]], moment: float) -> list[list[float]]:
    """The first entries of the queue up to a moment."""
    found = []
    for entry in queue:
        if entry[0] > moment:
            break
        found.append(entry)
    return found


def largest(rate: float, *, early: bool) -> int:
    """The most people, in thousands, of whom 99.9 % are reminded inside 30 to 60 minutes before bed."""
    low, high = 10, int(rate * 60)
    for step in range(9):
        middle = (low + high) // 2
        parts.progress(f"capacity at {rate:g}/s", step + 1, 9)
        if night(middle * 1000, rate=rate, early=early).inside >= 0.999:
            low = middle
        else:
            high = middle
    return low


def run(*, rate: float = 30.0) -> list[Figure]:
    """The largest crowd with early release and without, and how a night of 800,000 goes."""
    crowd = night(800_000, rate=rate, early=True)
    with_release, without = largest(rate, early=True), largest(rate, early=False)
    return [
        Figure(f"people, 99.9 % in the window, {rate:g}/s", with_release * 1000, "", ">= 800,000", without * 1000, "at the minute"),
        Figure("of 800,000 inside 30-60 minutes", 100 * crowd.inside, "%", ">= 99.9"),
        Figure("of 800,000 the last one is late by", crowd.latest / 60, "min"),
        Figure("of 800,000 sent before their minute", 100 * crowd.early, "%"),
        Figure("of 100,000 sent before their minute", 100 * night(100_000, rate=rate, early=True).early, "%"),
    ]  # fmt: skip


if __name__ == "__main__":
    print(parts.table(run(rate=float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)))
