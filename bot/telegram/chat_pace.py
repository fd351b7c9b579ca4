"""What the limiter remembers of one chat, and of the calls that wait for their turn in it."""

from __future__ import annotations

import asyncio
import functools
import math
from dataclasses import dataclass, field
from enum import IntEnum

from bot.core import pacing
from bot.core.halting import ALONE
from bot.core.pacing import Lane

_INTERVAL, _BURST = 1.0, 3.0
"""Seconds from one message of a chat to its next, and how many may go at once."""

_EDITS_HOLD = 5.0
"""Seconds for which a chat's edits keep a bulk message to it waiting, at most."""


class Weight(IntEnum):
    """What Telegram counts a call as."""

    FREE = 0
    EDIT = 1  # towards the whole and its chat, in which it holds back only bulk messages
    MESSAGE = 2  # towards the whole and its chat


@functools.lru_cache(maxsize=256)
def weight_of(endpoint: str) -> Weight:
    if endpoint.startswith(("send", "copyMessage", "forwardMessage")) and endpoint != "sendChatAction":
        return Weight.MESSAGE
    return Weight.EDIT if endpoint.startswith("editMessage") else Weight.FREE


@dataclass(slots=True, eq=False)
class WaitingCall:
    """One call that waits for its turn."""

    key: tuple[int, float, int]  # lane, deadline, order of arrival
    lane: Lane
    weight: Weight
    chat: ChatPace
    turn: asyncio.Future[None]
    not_before: float  # for the edits that its chat has had
    patient_until: float  # a hold that lasts longer is not waited out
    probe: bool = False

    def __lt__(self, other: WaitingCall) -> bool:
        return self.key < other.key


@dataclass(slots=True, eq=False)
class ChatPace:
    """What is remembered of one chat."""

    arrival: float = 0.0  # GCRA of its messages
    edited: float = 0.0  # GCRA of its messages and edits: bulk messages wait for it, answers do not
    held_until: float = 0.0  # by a 429
    refused_at: float = -math.inf  # when the last one came
    wakes_at: float = math.inf  # its entry in the heap of parked chats
    waiting: list[WaitingCall] = field(default_factory=list)

    def ready_at(self, waiter: WaitingCall, now: float) -> float:
        if waiter.weight is not Weight.MESSAGE:
            return self.held_until
        wait, _ = pacing.step(self.arrival, now, interval=_INTERVAL, burst=_BURST)
        return max(self.held_until, now + wait, waiter.not_before)

    def quiet_at(self, now: float) -> float:
        """When a bulk message may follow the edits so far. Those that come while it waits do not put it off further."""
        wait, _ = pacing.step(self.edited, now, interval=_INTERVAL, burst=_BURST)
        return now + min(wait, _EDITS_HOLD)

    def take(self, weight: Weight, now: float) -> None:
        _, self.edited = pacing.step(self.edited, now, interval=_INTERVAL, burst=_BURST)
        if weight is Weight.MESSAGE:
            _, self.arrival = pacing.step(self.arrival, now, interval=_INTERVAL, burst=_BURST)

    def idle(self, now: float) -> bool:
        busy_until = max(self.arrival, self.edited, self.held_until, self.refused_at + ALONE)
        return not self.waiting and busy_until < now and self.wakes_at == math.inf
