"""A broadcast on its way: takes up recipients page by page and copies the message to each, behind everything more urgent."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from telegram.ext import ExtBot

from bot.clock import Clock
from bot.core import broadcast as core_broadcast
from bot.core.broadcast import Broadcast, Fate, Phase
from bot.core.model import Kind, Status
from bot.core.outcome import Gone, NotFound, Outcome, Rejected, Sent, TokenRefused, Unknown, Unsent, Why, Withdrawn
from bot.core.pacing import Lane
from bot.delivery.broadcast_progress import BroadcastProgress
from bot.delivery.sending import FRESH, TOKEN_PAUSE, Parcel, SendingEngine, guarded
from bot.metrics import Metrics
from bot.telegram import sender
from bot.telegram.rate_limiter import Passage
from config import logs
from db import broadcasts, users
from db.broadcasts import CopySettled
from db.engine import Database
from db.outbox import changes
from db.outbox import rows as outbox

_log = logs.logger(__name__)

PAGE = 100
"""People taken up in one transaction: some ten milliseconds, so that nobody's answer waits for it."""

_PAUSE = 5.0
"""Seconds of rest after a copy that certainly did not leave, when Telegram did not say for how long."""

_LONGEST_WAIT = 3600.0
"""Seconds. Whom Telegram refuses for longer does not get a copy: the broadcast must come to an end."""

_LOST_AFTER = outbox.LEASE
"""A copy that has been on its way for so long, in nobody's hands that we know of, may have arrived."""

_KEPT_FOR = timedelta(days=30)
"""So long after its end it is known who got a broadcast."""


@dataclass(frozen=True, slots=True)
class BroadcastCopy:
    """One recipient's copy of a broadcast's message."""

    broadcast: Broadcast
    user_id: int


@dataclass(frozen=True, slots=True)
class _Batch:
    copies: list[BroadcastCopy]
    moved: bool  # somebody was taken up, put off or struck out, so there may be more


class Broadcasts:
    """Sends the active broadcast, if there is one. Of all processes only the one that leads has it beat.

    1. What may have arrived is never sent again.
    2. People are taken up only as they are needed, so that little time passes until their copy.
    3. A copy that certainly did not leave stays pending, from the moment on that Telegram asked for.
    """

    def __init__(self, bot: ExtBot[Any], database: Database, *, clock: Clock, rate: int, metrics: Metrics) -> None:
        self._bot, self._database, self._clock = bot, database, clock
        self._engine = SendingEngine[BroadcastCopy, CopySettled](
            self, bot, clock=clock, rate=rate, metrics=metrics, name="broadcast"
        )
        self._bar = BroadcastProgress(bot, database, clock=clock)
        self._bars: asyncio.Task[None] | None = None

    async def lead(self) -> None:
        """This process sends from now on. What a dead one was sending may have arrived, and is never sent again."""
        async with self._database.write("recover_broadcast") as db:
            lost = await broadcasts.recover(db)
            await broadcasts.prune(db, before=self._clock.now() - _KEPT_FOR)
        if lost:
            _log.warning("copies of a broadcast may or may not have arrived", copies=lost)
        self._engine.lead()

    def rest(self) -> None:
        """Another process sends from now on."""
        self._engine.rest()

    async def beat(self) -> None:
        """One tick: go on with the active broadcast, and with the admin's bar. It never raises."""
        if not self._engine.active:
            return
        self._engine.go()
        if self._bars is None or self._bars.done():
            self._bars = asyncio.create_task(guarded(self._bar.look(), "bar"), name="bar")

    # -- what the engine asks ------------------------------------------------------------------------------------------

    def key(self, item: BroadcastCopy) -> int:
        """There is one active broadcast at a time."""
        return item.user_id

    async def take(self, limit: int) -> list[BroadcastCopy]:
        """The next recipients who are awake; everybody else on the way there is put off or struck out."""
        while self._engine.active and await self._anything_to_do():
            batch = await self._next(limit)
            if batch.copies or not batch.moved:
                return batch.copies
        return []

    async def _anything_to_do(self) -> bool:
        """Cheap, for it is asked every second of a night in which everybody sleeps; ends a broadcast that is through."""
        now = self._clock.now()
        async with self._database.read() as db:
            active = await broadcasts.active(db)
            if active is None or active.phase is not Phase.RUNNING:
                return False
            if not active.fed or await broadcasts.anything_due(db, active.id, now=now):
                return True
            through = not self._engine.in_hand and not await broadcasts.anything_pending(db, active.id)
        if through:
            async with self._database.write("end_broadcast") as db:
                await broadcasts.recover(db, before=now - _LOST_AFTER)
                await broadcasts.end(db, active.id, now=now)
                await broadcasts.prune(db, before=now - _KEPT_FOR)
        return False

    async def _next(self, limit: int) -> _Batch:
        """Whose turn it is. People are taken up only as they are needed, so that little time passes until their copy."""
        now, hands = self._clock.now(), {key for key in self._engine.in_hand if isinstance(key, int)}
        async with self._database.write("feed") as db:
            active = await broadcasts.active(db)
            if active is None or active.phase is not Phase.RUNNING:
                return _Batch([], moved=False)
            turns = await broadcasts.turns(db, active, now=now, limit=limit, but=hands)
            fed = 0
            if not turns.seen and not active.fed:
                fed = await broadcasts.feed(db, active, now=now, limit=PAGE)
                turns = await broadcasts.turns(db, active, now=now, limit=limit, but=hands)
        copies = [BroadcastCopy(active, user_id) for user_id in turns.ready]
        return _Batch(copies, moved=fed > 0 or turns.seen > 0)

    async def make(self, item: BroadcastCopy) -> Parcel | CopySettled:
        """A copy of the admin's message, within minutes: its recipient is awake now, and may sleep later."""

        async def send(passage: Passage) -> Outcome:
            source, number = item.broadcast.admin_id, item.broadcast.message_id
            return await sender.copy(self._bot, item.user_id, from_chat_id=source, message_id=number, passage=passage)

        return Parcel(Lane.BROADCAST, self._clock.now() + FRESH, send)

    async def start(self, items: list[BroadcastCopy]) -> list[bool]:
        """Note that these copies are on their way."""
        begun: set[tuple[int, int]] = set()
        async with self._database.write("start_copy") as db:
            for number in {copy.broadcast.id for copy in items}:
                asked = [copy.user_id for copy in items if copy.broadcast.id == number]
                found = await broadcasts.start(db, number, asked, now=self._clock.now())
                begun |= {(number, user_id) for user_id in found}
        return [(copy.broadcast.id, copy.user_id) in begun for copy in items]

    def end(self, item: BroadcastCopy, outcome: Outcome) -> CopySettled | None:
        """What an outcome makes of a copy; nothing where it was never begun."""
        if outcome in (Withdrawn(Why.UNWANTED), Withdrawn(Why.SHUTTING_DOWN)):
            return None
        if isinstance(outcome, Unsent) and outcome.retry_after is None:
            self._engine.hold(_PAUSE)
        fate, reason = fate_of(outcome)
        due_at = self._clock.now() + timedelta(seconds=_wait(outcome)) if fate is Fate.PENDING else None
        return CopySettled(item.broadcast.id, item.user_id, fate, reason, due_at)

    async def settle(self, ends: list[CopySettled]) -> None:
        """Write what became of copies."""
        async with self._database.write("settle_copy") as db:
            await broadcasts.settle(db, ends)

    def follow(self, item: BroadcastCopy, outcome: Outcome) -> Callable[[], Awaitable[None]] | None:
        """What else an outcome changes: a person who is gone, or a message that nobody can get any more."""
        fate, reason = fate_of(outcome)
        if fate is Fate.BLOCKED:
            return functools.partial(self._unreachable, item.user_id)
        if fate is Fate.FAILED and core_broadcast.is_lost(reason or ""):
            return functools.partial(self._give_up, item.broadcast.id)
        return None

    async def _unreachable(self, user_id: int) -> None:
        async with self._database.write("rest") as db:
            await users.rest(db, user_id, status=Status.GONE)
            await changes.cancel(db, user_id, kinds=tuple(Kind), reason="unreachable")

    async def _give_up(self, broadcast_id: int) -> None:
        """The message cannot be copied any more, whoever it is for."""
        async with self._database.write("give_up") as db:
            stopped = await broadcasts.move(db, broadcast_id, to=Phase.STOPPED, now=self._clock.now())
        if stopped:
            _log.warning("a broadcast's message cannot be copied any more; it is stopped", broadcast=broadcast_id)

    async def stop(self, *, seconds: float) -> None:
        """Begin no more copies; let those under way finish for so many real seconds."""
        await self._engine.stop(seconds=seconds)
        if self._bars is not None:
            self._bars.cancel()
            await asyncio.gather(self._bars, return_exceptions=True)


def fate_of(outcome: Outcome) -> tuple[Fate, str | None]:
    """What an outcome makes of a copy, and why. What may have arrived is never sent again."""
    match outcome:
        case Sent():
            return Fate.DELIVERED, None
        case Unsent(reason, seconds) if seconds is not None and seconds > _LONGEST_WAIT:
            return Fate.FAILED, reason
        case Unsent() | Withdrawn() | TokenRefused():
            return Fate.PENDING, None
        case Gone(reason):
            return Fate.BLOCKED, reason
        case Unknown(reason):
            return Fate.UNKNOWN, reason
        case NotFound(reason) | Rejected(reason):
            return Fate.FAILED, reason


def _wait(outcome: Outcome) -> float:
    """Seconds from which on a copy that did not leave may go."""
    match outcome:
        case Unsent(_, seconds):
            return seconds or _PAUSE
        case TokenRefused():
            return TOKEN_PAUSE
    return _PAUSE
