"""Updates on their way to the bot: the queue, long polling and its conflicts."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.fake_telegram.values import Fields, Refused

_NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
_SHORTEST_POLL = 0.2
"""Real seconds that a long poll waits at least, however fast the clock runs."""


class Changes:
    """Wakes everybody who waits; within one event loop nothing is missed between a look and a wait."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def announce(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def wait_for(self, condition: Callable[[], bool], *, timeout: float) -> bool:
        """Whether the condition came true within so many real seconds."""
        deadline = asyncio.get_running_loop().time() + timeout
        while not condition():
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            try:
                # Not wait_for: on Python 3.11 that swallows a cancellation which comes together with the event.
                async with asyncio.timeout(left):
                    await self._next.wait()
            except TimeoutError:
                return condition()
        return True


@dataclass(slots=True)
class Webhook:
    """Where updates are posted; no url, no webhook."""

    url: str = ""
    secret: str | None = None
    max_connections: int = 40
    last_error_date: int | None = None
    last_error_message: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An update that the bot has not confirmed yet."""

    number: int
    kind: str
    fields: Fields = field(hash=False)


class Updates:
    """The queue. Numbers grow by one; `changes` tells of new ones."""

    def __init__(self, clock: Clock, *, first: int = 700_000_001) -> None:
        self.changes = Changes()
        self.webhook = Webhook()
        self.allowed: list[str] | None = None
        self.confirmed_up_to = first - 1
        self._clock = clock
        self._numbers = itertools.count(first)
        self._queue: deque[Waiting] = deque()
        self.polls = 0
        self._ended = 0

    @property
    def pending(self) -> int:
        return len(self._queue)

    def add(self, kind: str, payload: object) -> int | None:
        """Its number, or nothing when the bot did not ask for this kind."""
        if not self._wanted(kind):
            return None
        number = next(self._numbers)
        self._queue.append(Waiting(number, kind, {"update_id": number, kind: payload}))
        self.changes.announce()
        return number

    def inject(self, update: Fields) -> int:
        """Any JSON object; it gets a number unless it brings one, which then need not fit the others."""
        given = update.get("update_id")
        number = given if isinstance(given, int) else next(self._numbers)
        kind = next((key for key in update if key != "update_id"), "")
        self._queue.append(Waiting(number, kind, {"update_id": number, **update}))
        self.changes.announce()
        return number

    def _wanted(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in _NOT_BY_DEFAULT

    def confirm(self, up_to: int) -> None:
        """Forgets everything up to and including this number."""
        while self._queue and self._queue[0].number <= up_to:
            self._queue.popleft()
        self.confirmed_up_to = max(self.confirmed_up_to, up_to)
        self.changes.announce()

    def drop_all(self) -> None:
        if self._queue:
            self.confirm(self._queue[-1].number)

    def first(self) -> Waiting | None:
        return self._queue[0] if self._queue else None

    def end_poll(self) -> None:
        """Answers the long poll that waits now, with whatever there is."""
        self._ended += 1
        self.changes.announce()

    async def poll(self, *, offset: int, limit: int, timeout: int) -> list[Fields]:
        """`getUpdates`: confirms below the offset, waits for something, and gives up when another poll begins."""
        if self.webhook.url:
            raise Refused("can't use getUpdates method while webhook is active; use deleteWebhook first", code=409)
        self.polls += 1
        mine = self.polls
        self.changes.announce()
        self._forget(offset)
        if timeout:
            seconds = max(_SHORTEST_POLL, timeout / self._clock.speed)
            ended = self._ended
            await self.changes.wait_for(
                lambda: bool(self._queue) or self.polls != mine or self._ended != ended, timeout=seconds
            )
        if self.polls != mine:
            text = "terminated by other getUpdates request; make sure that only one bot instance is running"
            raise Refused(text, code=409)
        return [waiting.fields for waiting in itertools.islice(self._queue, limit)]

    def _forget(self, offset: int) -> None:
        if offset < 0:
            while len(self._queue) > -offset:
                self._queue.popleft()
        elif offset > 0:
            self.confirm(offset - 1)
