"""The one engine that sends what the database holds: reminders, nudges, check-ins, digests and broadcasts."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Collection, Coroutine, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.clock import Clock
from bot.core import pacing
from bot.core.outcome import Outcome, Sent, TokenRefused, Unknown
from bot.core.pacing import Lane
from bot.metrics import Metrics
from bot.telegram.rate_limiter import Passage, RateLimiter
from config import failpoints, logs
from db.engine import Unavailable
from db.group_commit import GroupCommit

_log = logs.logger(__name__)

FRESH = timedelta(seconds=90)
"""What has not left so long after it was made is made anew: its words ("in 45 minutes") may not be true any more. Shorter than a
lease: a machine that slept between the note and the socket must not send, unlabelled, what another has repeated meanwhile."""

FAULT_PAUSE = 120.0
"""Seconds for which an item that met with an unforeseen fault is left alone."""

TOKEN_PAUSE = 60.0
"""Seconds for which nothing is sent after Telegram refused our token."""

Item = TypeVar("Item")
End = TypeVar("End")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One item, ready to be sent. At or after its `deadline` (aware) nothing leaves."""

    lane: Lane
    deadline: datetime
    send: Callable[[Passage], Awaitable[Outcome]]


class Work(Protocol[Item, End]):
    """What the engine asks of a kind of work: where its items come from, how one looks, and what its end means.

    All of these may raise Unavailable. What `start`, `settle` and a follow-up write is each one transaction.
    """

    def key(self, item: Item) -> Hashable:
        """The same for the same item, and for no other."""

    async def take(self, limit: int) -> list[Item]:
        """Up to so many items that are due and that nobody has in hand; none when nothing is to be done just now."""

    async def make(self, item: Item) -> Parcel | End:
        """What is to be sent for it, or how it ends without anything sent."""

    async def start(self, items: list[Item]) -> list[bool]:
        """Note that these are on their way; gives for each whether it may go."""

    def end(self, item: Item, outcome: Outcome) -> End | None:
        """What to write about it; None for nothing."""

    async def settle(self, ends: list[End]) -> None:
        """Write what became of these."""

    def follow(self, item: Item, outcome: Outcome) -> Callable[[], Awaitable[None]] | None:
        """What else to write after it; None for nothing."""


class SendingEngine(Generic[Item, End]):
    """Takes the items of one kind of work, sends them, and writes what became of them.

    1. At most half a second's messages are in hand at once, so that a death has little in the air; after an unclean start
       one at a time.
    2. An item leaves only after `start` has noted it, which happens when its turn has come: as close to the socket as can be.
    3. What became of an item that left is written, however long the database is away.
    4. Nothing leaves at or after its deadline, nor FRESH after it was made.
    5. After an outcome that nobody knows, Telegram is asked something harmless before anything more is begun: an outage
       would use up all copies, and leave nothing for the time after it.
    6. While Telegram refuses everybody, or our token, nothing is taken: it would only grow stale.
    7. A fault that nobody foresaw is logged and ends the work on its item alone, which is left alone for two minutes, the
       length of a lease.
    8. Only the process that leads begins anything. What is at the socket as it ceases to lead is finished and settled.
    """

    def __init__(
        self, work: Work[Item, End], bot: ExtBot[Any], *, clock: Clock, rate: int, metrics: Metrics, name: str
    ) -> None:
        self._work, self._bot, self._clock, self._rate, self._metrics = work, bot, clock, rate, metrics
        self._name = name
        self._starting = GroupCommit[Item, bool](self._start)
        self._settling = GroupCommit[End, None](self._settle)
        self._hands: dict[Hashable, asyncio.Task[None]] = {}
        self._waiting: set[asyncio.Task[None]] = set()  # those of them whose message has certainly not left
        self._begun: dict[Hashable, datetime] = {}  # when each of those in hand was noted to be on its way
        self._faulty: dict[Hashable, float] = {}  # until when those are left alone that met with a fault
        self._pump: asyncio.Task[None] | None = None
        self._landed = asyncio.Event()
        self._careful = 0
        self._held_until = 0.0  # on the monotonic clock
        self._leading = self._stopping = self._doubtful = False

    # -- who leads -----------------------------------------------------------------------------------------------------

    def lead(self, *, careful: int = 0) -> None:
        """Begin to send, the first `careful` items one at a time."""
        self._careful, self._leading = careful, True

    def rest(self) -> None:
        """Begin nothing more: another process may lead."""
        self._leading = False

    @property
    def active(self) -> bool:
        """Whether anything may be begun here."""
        return self._leading and not self._stopping

    @property
    def in_hand(self) -> Collection[Hashable]:
        """The keys of the items that are being sent, wait for their turn, or are left alone after a fault."""
        now = self._clock.monotonic()
        self._faulty = {key: until for key, until in self._faulty.items() if until > now}
        return self._hands.keys() | self._faulty.keys()

    def go(self) -> None:
        """Send until nothing is due, unless that is going on already."""
        if self.active and (self._pump is None or self._pump.done()):
            self._pump = asyncio.create_task(guarded(self._deliver(), self._name), name=self._name)

    def hold(self, seconds: float) -> None:
        """Take nothing for so many seconds."""
        self._held_until = max(self._held_until, self._clock.monotonic() + seconds)

    async def stop(self, *, seconds: float) -> None:
        """Begin no more; what has not left is given up, what is in flight may finish for so many real seconds."""
        self._stopping = True
        for task in self._waiting:
            task.cancel()
        pump = set() if self._pump is None else {self._pump}
        if busy := pump | set(self._hands.values()):
            _, late = await asyncio.wait(busy, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # -- take ----------------------------------------------------------------------------------------------------------

    async def _deliver(self) -> None:
        while self.active and not self._halted() and await self._answering():
            items = await self._work.take(self._window - len(self._hands)) if self._has_room() else []
            for item in items:
                self._take(item)
            if not items and not self._hands:
                return
            if self._hands:
                # Not for ever: a send that hangs must not hold up those that fall due meanwhile.
                await self._room(seconds=max(1.0 / self._clock.speed, 0.02))

    @property
    def _window(self) -> int:
        return 1 if self._careful > 0 else max(4, self._rate // 2)

    def _has_room(self) -> bool:
        # Small refills would cost a transaction an item.
        return not self._hands or self._window - len(self._hands) >= max(1, self._window // 4)

    async def _room(self, *, seconds: float) -> None:
        """Come back when a send has ended and more can be taken, or after so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    self._landed.clear()
                    await self._landed.wait()
                    if self._has_room():
                        return

    def _halted(self) -> bool:
        limiter = self._bot.rate_limiter
        refused = isinstance(limiter, RateLimiter) and not limiter.takes_bulk
        return refused or self._clock.monotonic() < self._held_until

    async def _answering(self) -> bool:
        """Whether Telegram answers, where that is in doubt."""
        if self._doubtful:
            try:
                await self._bot.get_me()
            except TelegramError:
                return False
            self._doubtful = False
        return True

    def _take(self, item: Item) -> None:
        key = self._work.key(item)
        if not self._holds("taken_once", key not in self._hands):
            return
        task = asyncio.create_task(guarded(self._carefully(item, key), self._name), name="send")
        self._hands[key] = task
        self._waiting.add(task)
        task.add_done_callback(functools.partial(self._let_go, key))

    def _let_go(self, key: Hashable, task: asyncio.Task[None]) -> None:
        self._waiting.discard(task)
        self._begun.pop(key, None)
        del self._hands[key]
        self._landed.set()

    # -- one item ------------------------------------------------------------------------------------------------------

    async def _carefully(self, item: Item, key: Hashable) -> None:
        try:
            await self._one(item, key)
        except Exception:
            self._faulty[key] = self._clock.monotonic() + FAULT_PAUSE
            raise

    async def _one(self, item: Item, key: Hashable) -> None:
        """One item from taken to settled."""
        good_until = self._clock.now() + FRESH
        made = await self._work.make(item)
        if not isinstance(made, Parcel):
            await self._insist(functools.partial(self._settling.add, made))
            return
        passage = Passage(
            made.lane,
            deadline=made.deadline,
            good_until=good_until,
            before=functools.partial(self._begin, item, key),
            paid=self._rate > pacing.FREE_RATE,
        )
        outcome = await made.send(passage)
        failpoints.reach("after_send")
        self._heed(outcome)
        if isinstance(outcome, Sent | Unknown):
            begun_at = self._begun.get(key)
            self._holds("noted", begun_at is not None)
            self._holds("in_time", begun_at is None or begun_at < made.deadline)
        end = self._work.end(item, outcome)
        if end is not None:
            await self._insist(functools.partial(self._settling.add, end))
        more = self._work.follow(item, outcome)
        if more is not None:
            await self._insist(more)

    async def _begin(self, item: Item, key: Hashable) -> bool:
        """Asked by the limiter when it is the item's turn: note that it leaves, unless it is no longer ours to send."""
        if not self.active or self._doubtful:
            return False
        self._waiting.discard(self._hands[key])
        mine = await self._starting.add(item)
        if mine:
            self._begun[key] = self._clock.now()
        failpoints.reach("before_send")
        return mine

    def _heed(self, outcome: Outcome) -> None:
        """What an outcome says about the items after it."""
        self._careful = max(0, self._careful - 1)
        if isinstance(outcome, TokenRefused):
            _log.error("Telegram does not accept the token; nothing is sent for a minute", work=self._name)
            self.hold(TOKEN_PAUSE)
        self._doubtful = self._doubtful or isinstance(outcome, Unknown)

    def _holds(self, check: str, well: bool) -> bool:
        """Say loudly where something is so that never should be; gives `well`."""
        if not well:
            self._metrics.broken(check)
            _log.error("what must always hold did not", check=check, work=self._name)
        return well

    async def _insist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write it, however long the database is away: what was sent must be known as sent."""
        while True:
            try:
                await write()
            except Unavailable as error:
                _log.error("the database is away; an outcome waits", work=self._name, why=str(error))
                await self._clock.sleep(1.0)
            else:
                return

    async def _start(self, items: list[Item]) -> list[bool]:
        return await self._work.start(items) if self._leading else [False] * len(items)

    async def _settle(self, ends: list[End]) -> list[None]:
        await self._work.settle(ends)
        return [None] * len(ends)


async def guarded(work: Coroutine[Any, Any, None], name: str) -> None:
    """Do it; what fails is logged, and the next beat tries again."""
    try:
        await work
    except Unavailable as error:
        _log.error("the database is away; sending waits", work=name, why=str(error))
    except Exception as error:  # a mistake here must stop neither the beat nor the other items
        _log.error("sending failed", work=name, kind=type(error).__name__, exc_info=error)
