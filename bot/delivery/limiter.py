"""The one limiter over everything that is sent: PTB's rate limiter with lanes, a reserve for answers, and halts."""

from __future__ import annotations

import asyncio
import functools
import heapq
import itertools
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from telegram.error import RetryAfter, TelegramError
from telegram.ext import BaseRateLimiter

from bot.clock import Clock
from bot.core import pacing
from bot.core.pacing import Lane
from bot.delivery import transport

# A second of ours is a little longer than Telegram's: what leaves late by less does not crowd the next second.
_SECOND = 1.01
# How late, in real seconds, the event loop may wake the limiter; a steady lane may catch up by so much.
_OVERSLEEP = 0.002
# Above 50 messages a second the bulk lanes go in steps: at 1,000 the twenty of 20 ms are noted, written and settled for
# little more than one of them would be, and the limiter wakes a twentieth as often. That saves a quarter of a reminder's CPU.
_STEP = 0.02
_LONG_SECOND = 1.015  # in steps, since those of a step may be held up together on their way
_CATCH_UP = 0.1  # seconds of such a lane's messages that may follow at once when a step came late
_CHAT_INTERVAL, _CHAT_BURST = 1.0, 3.0
_ANSWERS_SPAN = 2.0  # seconds over which the number of answers a second is judged
_CHAT_SPAN = 60.0  # seconds over which a chat's share is judged
_CHAT_SHARE = 5.0  # messages of late; with more, a 429 is held to be the chat's own
_SECOND_429 = 5.0  # seconds in which a 429 of another chat shows that neither was the chat's own
_ANSWER_RETRIES = 3
_ANSWER_PATIENCE = 60.0  # seconds in all for which an answer waits out 429s
_EPSILON = 1e-6
_PRUNE_FROM = 1024

Result = bool | dict[str, object] | list[dict[str, object]]


class Withdrawn(TelegramError):  # noqa: N818 - named for what became of the message
    """The message was not sent because it was no longer wanted: `before` said no, or the limiter was shut down."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """How a call goes through the limiter.

    `deadline` (aware) orders calls of one lane, earliest first; it does not stop a late one. `before` is awaited after
    the wait and just before the socket write, at every try: when it gives False, or fails, the call is not made and
    Withdrawn is raised. When a halt comes meanwhile, RetryAfter is raised.
    """

    lane: Lane
    deadline: datetime | None = None
    before: Callable[[], Awaitable[bool]] | None = None
    paid: bool = False  # may be charged for, above Telegram's free limit


_ANSWER = Passage(Lane.ANSWER)


class _Weight(IntEnum):
    """What Telegram counts a call as."""

    FREE = 0
    EDIT = 1  # towards the whole
    MESSAGE = 2  # towards the whole and its chat


@functools.lru_cache(maxsize=256)
def _weight(endpoint: str) -> _Weight:
    if endpoint.startswith(("send", "copyMessage", "forwardMessage")) and endpoint != "sendChatAction":
        return _Weight.MESSAGE
    return _Weight.EDIT if endpoint.startswith("editMessage") else _Weight.FREE


async def _ask(passage: Passage) -> None:
    if passage.before is None:
        return
    try:
        wanted = await passage.before()
    except Exception as error:  # whatever failed, the message has certainly not been sent, and the sender must know
        raise Withdrawn(f"could not be noted ({type(error).__name__})") from error
    if not wanted:
        raise Withdrawn("no longer wanted")


@dataclass(slots=True, eq=False)
class _Waiter:
    """One call that waits for its turn."""

    key: tuple[int, float, int]  # lane, deadline, order of arrival
    lane: Lane
    weight: _Weight
    chat: _Chat
    turn: asyncio.Future[None]

    def __lt__(self, other: _Waiter) -> bool:
        return self.key < other.key


@dataclass(slots=True, eq=False)
class _Chat:
    """What is remembered of one chat."""

    arrival: float = 0.0  # GCRA of its messages
    held_until: float = 0.0  # by a 429
    share: float = 0.0  # messages of late, fading
    counted_at: float = 0.0
    wakes_at: float = math.inf  # its entry in the heap of parked chats
    waiting: list[_Waiter] = field(default_factory=list)

    def ready_at(self, weight: _Weight, now: float) -> float:
        if weight is not _Weight.MESSAGE:
            return self.held_until
        wait, _ = pacing.step(self.arrival, now, interval=_CHAT_INTERVAL, burst=_CHAT_BURST)
        return max(self.held_until, now + wait)

    def take(self, now: float) -> None:
        _, self.arrival = pacing.step(self.arrival, now, interval=_CHAT_INTERVAL, burst=_CHAT_BURST)
        self.share = pacing.faded(self.share, now - self.counted_at, span=_CHAT_SPAN) + 1.0
        self.counted_at = now

    def idle(self, now: float) -> bool:
        busy_until = max(self.arrival, self.held_until, self.counted_at + 2 * _CHAT_SPAN)
        return not self.waiting and busy_until < now and self.wakes_at == math.inf


class Limiter(BaseRateLimiter[Passage]):
    """Lanes over one rate, `rate` messages a second in all, and one a second (three at once) for each chat.

    - The whole: the n-th message leaves at the earliest a second after the (n - rate)-th, so no second holds more. This
      is looked at for the slot, and again at the socket for those that a slow `before` has bunched.
    - The bulk lanes run evenly, by GCRA, at the rate less the reserve for answers (`pacing.reserve`). Answers take any
      free place of the second at once.
    - Whoever waits goes by lane, then deadline, then arrival. A chat that must wait is parked and delays nobody else.
    - A 429 does not say whose limit it was. It is held to be the chat's own when that chat has had more than its share
      in the last minute and no other chat met one in the last seconds; then only the chat waits. Otherwise every bulk
      lane stands still for the whole time asked, the longest if several ask. Answers to other chats go on; an answer
      that meets a 429 waits it out and is tried again, a bulk message raises RetryAfter to its sender.
    - getUpdates, answerCallbackQuery and everything that is neither a message nor an edit passes freely.

    Times are seconds of `clock.monotonic()`. The cost is O(log n) a message; idle chats are forgotten.
    """

    def __init__(self, rate: int = 25, *, clock: Clock) -> None:
        if rate < 1:
            raise ValueError("the rate must be at least one message a second")
        self._rate = rate
        self._clock = clock
        self._second = _LONG_SECOND if self._stepping else _SECOND
        self._departures: deque[float] = deque([-math.inf] * rate, maxlen=rate)
        self._written: deque[float] = deque([-math.inf] * rate, maxlen=rate)
        self._bulk_arrival = self._even = -math.inf
        self._answers, self._answered_at = 0.0, -math.inf
        self._ready: list[_Waiter] = []
        self._parked: list[tuple[float, int, _Chat]] = []
        self._chats: dict[object, _Chat] = {}
        self._prune_at = _PRUNE_FROM
        self._order = itertools.count()
        self._waiting = dict.fromkeys(Lane, 0)
        self._pump: asyncio.Task[None] | None = None
        self._wakes_at = math.inf
        self._last_429: tuple[object, float] = (None, -math.inf)
        self.halted_until = -math.inf
        self.halts = self.floods = 0
        self.halted_seconds = 0.0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Withdraw whatever still waits."""
        if self._pump is not None:
            self._pump.cancel()
        waiters = self._ready + [waiter for chat in self._chats.values() for waiter in chat.waiting]
        self._ready.clear()
        for waiter in waiters:
            if not waiter.turn.done():
                waiter.turn.set_exception(Withdrawn("shutting down"))

    def waiting(self, lane: Lane) -> int:
        """How many calls of the lane wait for their turn."""
        return self._waiting[lane]

    @property
    def halted_for(self) -> float:
        """Seconds for which the bulk lanes still stand still; 0 when they run."""
        return max(0.0, self.halted_until - self._clock.monotonic())

    async def process_request(  # PTB fixes the number of parameters
        self,
        callback: Callable[..., Awaitable[Result]],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        endpoint: str,
        data: Mapping[str, object],
        rate_limit_args: Passage | None,
    ) -> Result:
        """Wait for the turn, ask `before`, call. Raises Withdrawn, RetryAfter, and whatever the call raises."""
        passage = rate_limit_args or _ANSWER
        weight, chat_id = _weight(endpoint), data.get("chat_id")
        patience = _ANSWER_PATIENCE
        for retries_left in range(_ANSWER_RETRIES, -1, -1):
            if weight is not _Weight.FREE:
                await self._turn(passage, weight, chat_id)
            await _ask(passage)
            if weight is not _Weight.FREE:
                await self._depart(passage)
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:
                seconds = transport.seconds_of(error)
                patience -= seconds
                if weight is _Weight.FREE:
                    raise
                self._flooded(chat_id, seconds)
                if passage.lane.bulk or patience < 0 or not retries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _turn(self, passage: Passage, weight: _Weight, chat_id: object) -> None:
        """Come back when the call may be made; the slot is then taken."""
        deadline = math.inf if passage.deadline is None else passage.deadline.timestamp()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        chat = self._chat(chat_id)
        key = (passage.lane.value, deadline, next(self._order))
        mine = _Waiter(key, passage.lane, weight, chat, turn)
        heapq.heappush(self._ready, mine)
        # Behind others, who wait already, there is nothing to find out, and somebody will look.
        if self._ready[0] is mine or self._pump is None or self._pump.done():
            now = self._clock.monotonic()
            wait = self._release(now)
            if turn.done():
                return
            self._wake_in(wait, now)
        self._waiting[passage.lane] += 1
        try:
            await turn  # a cancelled call cancels its turn, and the queue drops it
        finally:
            self._waiting[passage.lane] -= 1

    async def _depart(self, passage: Passage) -> None:
        """The last look, at the socket: `before` may have kept many for a while, and a halt may have come.

        Raises Flooded with what is left of the halt; the message has not been sent.
        """
        now = self._clock.monotonic()
        if passage.before is not None:
            wait, self._even = pacing.step(self._even, now, interval=1.0 / self._rate, burst=self._bulk_burst())
            if wait > _EPSILON:
                await self._clock.sleep(wait)
                now = self._clock.monotonic()
        while (wait := self._written[0] + self._second - now) > _EPSILON:
            await self._clock.sleep(wait)
            now = self._clock.monotonic()
        if passage.lane.bulk and now < self.halted_until:
            raise transport.Flooded(self.halted_until - now)
        self._written.append(now)

    def _wake_in(self, wait: float, now: float) -> None:
        """See that the queue is looked at again in `wait` seconds at the latest."""
        sleeping = self._pump is not None and not self._pump.done()
        if sleeping and self._wakes_at <= now + wait + _EPSILON:
            return
        if self._pump is not None:
            self._pump.cancel()
        self._wakes_at = now + wait
        self._pump = asyncio.create_task(self._run(wait))

    async def _run(self, wait: float) -> None:
        while wait < math.inf:
            await self._clock.sleep(wait)
            now = self._clock.monotonic()
            wait = self._release(now)
            self._wakes_at = now + wait

    def _release(self, now: float) -> float:
        """Let go everybody whose turn it is; gives the seconds until somebody's turn may come, or infinity."""
        self._unpark(now)
        while self._ready:
            waiter = self._ready[0]
            if waiter.turn.done():
                heapq.heappop(self._ready)
                self._rearm(waiter.chat, now)
                continue
            gate = self._gate(waiter.lane, now)
            if gate > _EPSILON:
                step = _STEP - 1.0 / self._rate if self._stepping and waiter.lane.bulk else 0.0
                return min(gate + step, self._next_parked(now))
            heapq.heappop(self._ready)
            if self._parks(waiter, now):
                continue
            self._admit(waiter, now)
        return self._next_parked(now)

    def _gate(self, lane: Lane, now: float) -> float:
        """Seconds until the lane may send one more, whatever the chat."""
        whole = self._departures[0] + self._second - now
        if not lane.bulk:
            return whole
        steady, _ = pacing.step(self._bulk_arrival, now, interval=self._bulk_interval(now), burst=self._bulk_burst())
        return max(whole, self.halted_until - now, steady)

    def _bulk_interval(self, now: float) -> float:
        answers = pacing.faded(self._answers, now - self._answered_at, span=_ANSWERS_SPAN) / _ANSWERS_SPAN
        return 1.0 / (self._rate - pacing.reserve(self._rate, answers))

    def _bulk_burst(self) -> float:
        if self._stepping:
            return self._rate * _CATCH_UP
        return 1.0 + self._rate * _OVERSLEEP * self._clock.speed

    @property
    def _stepping(self) -> bool:
        return self._rate * _STEP > 1.0

    def _parks(self, waiter: _Waiter, now: float) -> bool:
        """Whether the waiter's chat must wait; the waiter is then set aside with it."""
        chat = waiter.chat
        if chat.ready_at(waiter.weight, now) <= now + _EPSILON:
            return False
        heapq.heappush(chat.waiting, waiter)
        self._rearm(chat, now)
        return True

    def _rearm(self, chat: _Chat, now: float) -> None:
        """See that the first in the chat's queue comes back when the chat is ready."""
        if not chat.waiting:
            return
        ready_at = chat.ready_at(chat.waiting[0].weight, now)
        if ready_at < chat.wakes_at:
            chat.wakes_at = ready_at
            heapq.heappush(self._parked, (ready_at, next(self._order), chat))

    def _unpark(self, now: float) -> None:
        while self._parked and self._parked[0][0] <= now + _EPSILON:
            ready_at, _, chat = heapq.heappop(self._parked)
            if ready_at != chat.wakes_at:
                continue  # an earlier entry has taken its place
            chat.wakes_at = math.inf
            while chat.waiting and chat.waiting[0].turn.done():
                heapq.heappop(chat.waiting)
            if chat.waiting:
                heapq.heappush(self._ready, heapq.heappop(chat.waiting))

    def _next_parked(self, now: float) -> float:
        return self._parked[0][0] - now if self._parked else math.inf

    def _admit(self, waiter: _Waiter, now: float) -> None:
        self._departures.append(now)
        if waiter.lane.bulk:
            interval, burst = self._bulk_interval(now), self._bulk_burst()
            _, self._bulk_arrival = pacing.step(self._bulk_arrival, now, interval=interval, burst=burst)
        else:
            self._answers = pacing.faded(self._answers, now - self._answered_at, span=_ANSWERS_SPAN) + 1.0
            self._answered_at = now
        if waiter.weight is _Weight.MESSAGE:
            waiter.chat.take(now)
        self._rearm(waiter.chat, now)
        waiter.turn.set_result(None)

    def _chat(self, chat_id: object) -> _Chat:
        chat = self._chats.get(chat_id)
        if chat is None:
            if len(self._chats) >= self._prune_at:
                self._prune()
            chat = self._chats[chat_id] = _Chat()
        return chat

    def _prune(self) -> None:
        """Forget idle chats; the next time is when the number that is left has doubled."""
        now = self._clock.monotonic()
        self._chats = {chat_id: chat for chat_id, chat in self._chats.items() if not chat.idle(now)}
        self._prune_at = max(_PRUNE_FROM, 2 * len(self._chats))

    def _flooded(self, chat_id: object, seconds: float) -> None:
        """Take note of a 429: its chat waits in any case, and the bulk lanes unless the limit was the chat's own."""
        now = self._clock.monotonic()
        self.floods += 1
        chat = self._chat(chat_id)
        chat.held_until = max(chat.held_until, now + seconds)
        share = pacing.faded(chat.share, now - chat.counted_at, span=_CHAT_SPAN)
        other, met_at = self._last_429
        elsewhere = other != chat_id and now - met_at < _SECOND_429
        self._last_429 = (chat_id, now)
        if share <= _CHAT_SHARE or elsewhere:
            self.halted_seconds += max(0.0, now + seconds - max(self.halted_until, now))
            self.halted_until = max(self.halted_until, now + seconds)
            self.halts += 1
