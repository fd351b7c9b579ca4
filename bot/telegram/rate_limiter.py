"""The one limiter over everything that is sent: PTB's rate limiter with lanes, a reserve for answers, and halts."""

from __future__ import annotations

import asyncio
import functools
import heapq
import itertools
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError
from telegram.ext import BaseRateLimiter

from bot.clock import Clock
from bot.core import pacing
from bot.core.halting import PROBES, Halt
from bot.core.outcome import Why
from bot.core.pacing import Lane
from bot.telegram import transport
from bot.telegram.chat_pace import ChatPace, WaitingCall, Weight, weight_of
from config import logs

_log = logs.logger(__name__)

# A second of ours is a little longer than Telegram's: what leaves late by less does not crowd the next second.
_SECOND = 1.01
# How late, in real seconds, the event loop may wake the limiter; a steady lane may catch up by so much.
_OVERSLEEP = 0.002
# Above 50 messages a second the bulk lanes go in steps: at 1,000 the twenty of 20 ms are noted, written and settled for
# little more than one of them would be, and the limiter wakes a twentieth as often. That saves a quarter of a reminder's CPU.
_STEP = 0.02
_LONG_SECOND = 1.015  # in steps, since those of a step may be held up together on their way
_CATCH_UP = 0.1  # seconds of such a lane's messages that may follow at once when a step came late
_ANSWERS_SPAN = 2.0  # seconds over which the number of answers a second is judged
_LONGEST_HOLD = 86_400.0  # seconds for which a 429 holds its chat, at most
_WORTH_A_WORD = 10.0  # a 429 that asks for more seconds is a line in the log
_ANSWER_RETRIES = 3
_ANSWER_PATIENCE = 60.0  # seconds for which an answer waits out 429s, from when it was asked for
_EPSILON = 1e-6
_PRUNE_FROM = 1024

Result = bool | dict[str, object] | list[dict[str, object]]


class KeptBack(TelegramError):  # noqa: N818 - named for what became of the message
    """The message was certainly not sent, and `why` says for which reason of ours."""

    __slots__ = ("why",)

    def __init__(self, why: Why, text: str = "") -> None:
        super().__init__(text or why.value)
        self.why = why


class NotYet(transport.Flooded):
    """The message was not sent, because Telegram asked for a wait before. `seconds` says when it is worth another try."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """How a call goes through the limiter.

    `deadline` (aware) orders calls of one lane, earliest first. At or after it, and at or after `good_until`, nothing
    leaves: the wall clock is asked at the last step before the socket, however long the process was stopped meanwhile.
    `before` is awaited after the wait for the turn, at every try: when it gives False, or fails, the call is not made.
    Both raise KeptBack.
    """

    lane: Lane
    deadline: datetime | None = None
    before: Callable[[], Awaitable[bool]] | None = None
    paid: bool = False  # may be charged for, above Telegram's free limit
    good_until: datetime | None = None


_ANSWER = Passage(Lane.ANSWER)


async def _ask(passage: Passage) -> None:
    if passage.before is None:
        return
    try:
        wanted = await passage.before()
    except Exception as error:  # whatever failed, the message has certainly not been sent, and the sender must know
        raise KeptBack(Why.NOT_NOTED, f"{Why.NOT_NOTED} ({type(error).__name__})") from error
    if not wanted:
        raise KeptBack(Why.UNWANTED)


class RateLimiter(BaseRateLimiter[Passage]):
    """Lanes over one rate, `rate` messages a second in all, and one a second (three at once) for each chat.

    1. The n-th message or edit leaves at the earliest a second after the (n - rate)-th, so no second holds more. This is
       looked at for the turn, and again at the socket for those that a slow `before` has bunched.
    2. The bulk lanes run evenly, by GCRA, at the rate less the reserve for answers (`pacing.reserve`). Answers take any
       free place of the second at once.
    3. Turns go by lane, then deadline, then arrival. A chat that must wait is parked and delays nobody else.
    4. A chat's edits count like its messages (Telegram's limits are shared), and hold its bulk messages back, for five
       seconds at most. An answer waits for its own chat's messages, never for its edits.
    5. A 429 holds its chat, for a day at most, and no other. An answer to a held chat waits for up to a minute; an edit
       does not wait, because the next one replaces it; a bulk message does not wait, because its text would grow stale.
    6. The 429s of several chats halt the bulk lanes (`halting.Halt`). Who waits in them is told so at once, a single
       message probes from time to time, and answers go on.
    7. Nothing leaves at or after its deadline by the wall clock.
    8. What is neither a message nor an edit (getUpdates, answerCallbackQuery) passes freely.

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
        self._ready: list[WaitingCall] = []
        self._parked: list[tuple[float, int, ChatPace]] = []
        self._chats: dict[object, ChatPace] = {}
        self._prune_at = _PRUNE_FROM
        self._order = itertools.count()
        self._waiting = dict.fromkeys(Lane, 0)
        self._pump: asyncio.Task[None] | None = None
        self._wakes_at = math.inf
        self._halt = Halt()
        self.floods = 0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Withdraw whatever still waits."""
        if self._pump is not None:
            self._pump.cancel()
        waiters = self._everybody()
        self._ready.clear()
        for waiter in waiters:
            if not waiter.turn.done():
                waiter.turn.set_exception(KeptBack(Why.SHUTTING_DOWN))

    def _everybody(self) -> list[WaitingCall]:
        return self._ready + [waiter for chat in self._chats.values() for waiter in chat.waiting]

    def waiting(self, lane: Lane) -> int:
        """How many calls of the lane wait for their turn."""
        return self._waiting[lane]

    @property
    def halted_for(self) -> float:
        """Seconds for which the bulk lanes have stood still; 0 while they run."""
        return self._halt.lasted(self._clock.monotonic())

    @property
    def halts(self) -> int:
        """How often they were halted."""
        return self._halt.count

    @property
    def halted_seconds(self) -> float:
        """Seconds that they stood still in all."""
        return self._halt.total(self._clock.monotonic())

    @property
    def takes_bulk(self) -> bool:
        """Whether a bulk message that is asked for now would get its turn, if only as a probe."""
        return self._halt.wait(self._clock.monotonic()) == 0

    async def process_request(  # PTB fixes the number of parameters
        self,
        callback: Callable[..., Awaitable[Result]],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        endpoint: str,
        data: Mapping[str, object],
        rate_limit_args: Passage | None,
    ) -> Result:
        """Wait for the turn, ask `before`, call. Raises KeptBack, NotYet, RetryAfter, and whatever the call raises."""
        passage = rate_limit_args or _ANSWER
        weight, chat_id = weight_of(endpoint), data.get("chat_id")
        call = functools.partial(callback, *args, **kwargs)
        if weight is Weight.FREE:
            return await self._freely(passage, call, endpoint, chat_id)
        waits = weight is Weight.MESSAGE and not passage.lane.bulk
        patient_until = self._clock.monotonic() + _ANSWER_PATIENCE if waits else -math.inf
        for retries_left in range(_ANSWER_RETRIES, -1, -1):
            probe = await self._turn(passage, weight, chat_id, patient_until)
            try:
                return await self._once(passage, call, endpoint, chat_id, probe=probe)
            except RetryAfter:
                if not waits or not retries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _freely(
        self, passage: Passage, call: Callable[[], Awaitable[Result]], endpoint: str, chat_id: object
    ) -> Result:
        await _ask(passage)
        try:
            return await call()
        except RetryAfter as error:
            if chat_id is not None:
                self._flooded(chat_id, transport.seconds_of(error), endpoint)
            raise

    async def _once(
        self, passage: Passage, call: Callable[[], Awaitable[Result]], endpoint: str, chat_id: object, *, probe: bool
    ) -> Result:
        """One try of a call that has its turn; what becomes of a probe decides on the halt."""
        left, taken = False, False
        try:
            await _ask(passage)
            await self._depart(passage, chat_id, probe=probe)
            left = True
            result = await call()
        except NotYet:
            raise
        except RetryAfter as error:
            self._flooded(chat_id, transport.seconds_of(error), endpoint)
            raise
        except (BadRequest, Forbidden):  # an answer about this message, and none about too many of them
            taken = True
            raise
        else:
            taken = True
            return result
        finally:
            self._heard(left=left, taken=taken, probe=probe)

    def _heard(self, *, left: bool, taken: bool, probe: bool) -> None:
        """What became of a call: whether it left, and whether Telegram took it or answered something else than 429."""
        now = self._clock.monotonic()
        if taken:
            self._halt.taken(now)
        if not probe:
            return
        if not left:
            self._halt.probe_kept()
        elif taken:
            _log.warning("the 429s are over: everything goes out", halted_seconds=round(self.halted_for))
            self._halt.probe_taken(now)
        else:
            self._halt.probe_failed(now)
            self._put_off_bulk(now)
            # At this level the admins hear of it.
            _log.error("429s go on: only answers go out", halted_seconds=round(self.halted_for))
        self._wake_in(self._release(now), now)

    async def _turn(self, passage: Passage, weight: Weight, chat_id: object, patient_until: float) -> bool:
        """Come back when the call may be made, as a probe or not; the slot is then taken. Raises NotYet and KeptBack."""
        deadline = math.inf if passage.deadline is None else passage.deadline.timestamp()
        now, chat = self._clock.monotonic(), self._chat(chat_id)
        if passage.lane.bulk and 0 < self._halt.wait(now) < math.inf:
            raise NotYet(self._halt.wait(now))
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        key = (passage.lane.value, deadline, next(self._order))
        not_before = chat.quiet_at(now) if passage.lane.bulk else now
        mine = WaitingCall(key, passage.lane, weight, chat, turn, not_before, patient_until)
        heapq.heappush(self._ready, mine)
        # Behind others, who wait already, there is nothing to find out, and somebody will look.
        if self._ready[0] is mine or self._pump is None or self._pump.done():
            wait = self._release(now)
            if turn.done():
                turn.result()
                return mine.probe
            self._wake_in(wait, now)
        self._waiting[passage.lane] += 1
        try:
            await turn  # a cancelled call cancels its turn, and the queue drops it
        except asyncio.CancelledError:
            if mine.probe:  # it had its turn in the moment in which it was cancelled
                self._heard(left=False, taken=False, probe=True)
            raise
        finally:
            self._waiting[passage.lane] -= 1
        return mine.probe

    async def _depart(self, passage: Passage, chat_id: object, *, probe: bool) -> None:
        """The last look, at the socket: `before` may have kept many for a while, a halt or the deadline may have come.

        Raises NotYet and KeptBack; the message has not been sent.
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
        if passage.lane.bulk:
            halt = 0.0 if probe else min(self._halt.wait(now), PROBES[0])
            if (wait := max(halt, self._chat(chat_id).held_until - now)) > 0:
                raise NotYet(wait)
        if any(end is not None and self._clock.now() >= end for end in (passage.deadline, passage.good_until)):
            raise KeptBack(Why.TOO_LATE)
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
        return max(whole, self._halt.wait(now), steady)

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

    def _parks(self, waiter: WaitingCall, now: float) -> bool:
        """Whether the waiter's chat must wait; the waiter is then set aside with it, or told where that would be too long."""
        chat = waiter.chat
        if chat.held_until > max(now, waiter.patient_until) + _EPSILON:
            waiter.turn.set_exception(NotYet(chat.held_until - now))
            return True
        if chat.ready_at(waiter, now) <= now + _EPSILON:
            return False
        heapq.heappush(chat.waiting, waiter)
        self._rearm(chat, now)
        return True

    def _rearm(self, chat: ChatPace, now: float) -> None:
        """See that the first in the chat's queue comes back when the chat is ready."""
        if not chat.waiting:
            return
        ready_at = chat.ready_at(chat.waiting[0], now)
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

    def _admit(self, waiter: WaitingCall, now: float) -> None:
        self._departures.append(now)
        if waiter.lane.bulk:
            waiter.probe = self._halt.probe()
            interval, burst = self._bulk_interval(now), self._bulk_burst()
            _, self._bulk_arrival = pacing.step(self._bulk_arrival, now, interval=interval, burst=burst)
        else:
            self._answers = pacing.faded(self._answers, now - self._answered_at, span=_ANSWERS_SPAN) + 1.0
            self._answered_at = now
        waiter.chat.take(waiter.weight, now)
        self._rearm(waiter.chat, now)
        waiter.turn.set_result(None)

    def _chat(self, chat_id: object) -> ChatPace:
        chat = self._chats.get(chat_id)
        if chat is None:
            if len(self._chats) >= self._prune_at:
                self._prune()
            chat = self._chats[chat_id] = ChatPace()
        return chat

    def _prune(self) -> None:
        """Forget idle chats; the next time is when the number that is left has doubled."""
        now = self._clock.monotonic()
        self._chats = {chat_id: chat for chat_id, chat in self._chats.items() if not chat.idle(now)}
        self._prune_at = max(_PRUNE_FROM, 2 * len(self._chats))

    def _flooded(self, chat_id: object, seconds: float, endpoint: str) -> None:
        """Take note of a 429: its chat waits, and with another chat's of the last seconds the bulk lanes do."""
        now = self._clock.monotonic()
        self.floods += 1
        chat = self._chat(chat_id)
        chat.held_until = max(chat.held_until, now + min(seconds, _LONGEST_HOLD))
        for waiter in chat.waiting:
            if chat.held_until > waiter.patient_until and not waiter.turn.done():
                waiter.turn.set_exception(NotYet(chat.held_until - now))
        halts = self._halt.refused(chat_id, now, before=chat.refused_at)
        chat.refused_at = now
        if halts:
            self._put_off_bulk(now)
        if halts or seconds > _WORTH_A_WORD:
            event = "429s of several chats: only answers go out" if halts else "429: one chat waits"
            who = logs.person(chat_id) if isinstance(chat_id, int) else None
            _log.warning(event, seconds=round(seconds), method=endpoint, chat=who)

    def _put_off_bulk(self, now: float) -> None:
        """Tell the bulk messages that wait when the next probe goes."""
        for waiter in self._everybody():
            if waiter.lane.bulk and not waiter.turn.done():
                waiter.turn.set_exception(NotYet(self._halt.wait(now)))
