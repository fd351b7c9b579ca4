"""The stand-in as one object: people to drive, faults and limits to set, and the log of every call the bot made."""

from __future__ import annotations

import itertools
import time
from collections import deque
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.fake_telegram.counting import Counts
from bot.fake_telegram.faults import Fault, Faults, Gate, Limits
from bot.fake_telegram.people import Group, Person
from bot.fake_telegram.updates import Changes
from bot.fake_telegram.values import Fields
from bot.fake_telegram.world import World

TOKEN = "123456:TEST"  # noqa: S105 - no secret, and no token of Telegram's
_REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call; `seconds` real ones, `at` simulated unix time. Status 0 is a connection closed or left open."""

    number: int
    real_at: float
    at: float
    method: str
    given: Fields = field(hash=False)
    status: int
    answer: Fields = field(hash=False)
    fault: str = ""
    seconds: float = 0.0


class Telegram:
    """What a test holds in its hand. Everything it does happens at once, in the event loop of the server."""

    def __init__(self, clock: Clock, *, token: str = TOKEN, limits: Limits | None = None, seed: int = 1) -> None:
        self.clock = clock
        self.token = token
        self.url = ""
        self.date_shift = 0.0  # simulated seconds by which its answers' `Date` is later than the clock
        self.world = World(clock)
        self.faults = Faults(clock, seed=seed)
        self.gate = Gate(clock, limits)
        self.calls: deque[Call] = deque(maxlen=_REMEMBERED)
        self.called = Changes()
        self.in_flight = 0
        self.counts = Counts()
        self.people: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.made = 0

    def person(
        self, person_id: int, first_name: str = "Ada", *, language_code: str = "en", username: str | None = None
    ) -> Person:
        """The person with this id, new or known. The bot may write to them once they have written."""
        if person_id not in self.people:
            user: Fields = {"id": person_id, "is_bot": False, "first_name": first_name, "language_code": language_code}
            if username is not None:
                user["username"] = username
            self.people[person_id] = Person(self.world, user, person_id)
        return self.people[person_id]

    def group(self, chat_id: int) -> Group:
        return self._group(chat_id, "supergroup" if chat_id < -1_000_000_000_000 else "group")

    def channel(self, chat_id: int) -> Group:
        return self._group(chat_id, "channel")

    def _group(self, chat_id: int, kind: str) -> Group:
        if chat_id not in self.groups:
            self.groups[chat_id] = Group(self.world, chat_id, kind)
        return self.groups[chat_id]

    def inject(self, update: Fields) -> int:
        """Any JSON object as an update, however wrong."""
        return self.world.updates.inject(update)

    def fault(self, fault: Fault) -> Fault:
        return self.faults.add(fault)

    def limit(self, limits: Limits) -> None:
        self.gate.limits = limits

    def called_with(self, method: str) -> list[Call]:
        """The remembered calls of one method, oldest first."""
        return [call for call in self.calls if call.method == method]

    def since(self, number: int) -> list[Call]:
        """The calls after this one, oldest first."""
        newer = itertools.takewhile(lambda call: call.number > number, reversed(self.calls))
        return list(newer)[::-1]

    def log(self, method: str, given: Fields, *, outcome: tuple[int, Fields], began: float, fault: str = "") -> None:
        """Remembers a call; `outcome` is its status and answer, `began` a real unix time."""
        self.made += 1
        at, seconds = self.clock.now().timestamp(), time.time() - began
        self.calls.append(Call(self.made, began, at, method, given, *outcome, fault, seconds))
        self.called.announce()

    async def idle(self, *, quiet: float = 0.5, timeout: float = 20.0) -> bool:
        """Waits until the bot has taken every update and made no call but getUpdates for so many real seconds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            before = self._busy_calls()
            busy = await self.called.wait_for(lambda: self._busy_calls() != before, timeout=quiet)  # noqa: B023
            if not busy and not self.in_flight and not self.world.updates.pending:
                return True
        return False

    def _busy_calls(self) -> int:
        return self.made - self.counts.polls
