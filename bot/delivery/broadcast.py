"""A broadcast on its way: takes up recipients page by page and copies the message to each, behind everything more urgent."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.clock import Clock
from bot.core import broadcast as core_broadcast
from bot.core import pacing
from bot.core.broadcast import Broadcast, Fate, Phase
from bot.core.model import Kind, Status
from bot.core.outcome import Gone, NotFound, Outcome, Rejected, Sent, TokenRefused, Unknown, Unsent, Why, Withdrawn
from bot.core.pacing import Lane
from bot.delivery.broadcast_progress import BroadcastProgress
from bot.telegram import sender
from bot.telegram.rate_limiter import Passage
from config import logs
from db import broadcasts, users
from db.broadcasts import CopySettled
from db.engine import Connection, Database, Unavailable
from db.group_commit import GroupCommit
from db.outbox import changes
from db.outbox import rows as outbox

_log = logs.logger(__name__)

PAGE = 100
"""People taken up in one transaction: some ten milliseconds, so that nobody's answer waits for it."""

_GOOD_FOR = timedelta(minutes=5)
"""A copy that has not left by then is taken up again later: its recipient was awake when it was taken up, and may sleep now."""

_HOLD, _HOLD_ALL = 5.0, 60.0
"""Seconds of rest after a copy that certainly did not leave, and after Telegram did not accept our token."""

_LOST_AFTER = outbox.LEASE
"""A copy that has been on its way for so long, in nobody's hands that we know of, may have arrived."""

_KEPT_FOR = timedelta(days=30)
"""So long after its end it is known who got a broadcast."""


@dataclass(frozen=True, slots=True)
class _Batch:
    broadcast: Broadcast
    ready: list[int]
    moved: bool  # somebody was taken up, put off or struck out, so there may be more


class Announcer:
    """Sends the active broadcast, if there is one. Of all processes only the one with the heartbeat has it beat."""

    def __init__(self, bot: ExtBot[Any], database: Database, *, clock: Clock, rate: int) -> None:
        self._bot, self._database, self._clock, self._rate = bot, database, clock, rate
        self._bar = BroadcastProgress(bot, database, clock=clock)
        self._starting = GroupCommit[tuple[int, int], bool](self._start)
        self._settling = GroupCommit[CopySettled, None](self._settle)
        self._flying: dict[int, asyncio.Task[None]] = {}
        self._waiting: set[asyncio.Task[None]] = set()  # those of them that wait for their turn
        self._run: asyncio.Task[None] | None = None
        self._bars: asyncio.Task[None] | None = None
        self._held_until = -float("inf")
        self._doubtful = self._stopping = self._leads = False

    async def lead(self) -> None:
        """This process sends from now on. What a dead one was sending may have arrived, and is never sent again."""
        async with self._database.write("recover_broadcast") as db:
            lost = await broadcasts.recover(db)
            await broadcasts.prune(db, before=self._clock.now() - _KEPT_FOR)
        if lost:
            _log.warning("copies of a broadcast may or may not have arrived", copies=lost)
        self._leads = True

    def rest(self) -> None:
        """Another process sends from now on."""
        self._leads = False

    async def beat(self) -> None:
        """One tick: go on with the active broadcast, and with the admin's bar. It never raises."""
        if self._stopping or not self._leads:
            return
        if self._run is None or self._run.done():
            self._run = asyncio.create_task(_careful(self._go_on()), name="broadcast")
        if self._bars is None or self._bars.done():
            self._bars = asyncio.create_task(_careful(self._bar.look()), name="bar")

    async def _go_on(self) -> None:
        """Send until nothing is due."""
        while self._leads and not self._stopping and self._clock.monotonic() >= self._held_until:
            if self._doubtful and not await self._answering():
                return
            free = self._window - len(self._flying)
            if self._flying and free <= self._window // 4:
                await self._landing()
                continue
            if await self._more(free):
                continue
            if not self._flying:
                return
            await self._landing()

    async def _more(self, free: int) -> bool:
        """Put so many more copies on their way. False when there is nothing to do just now."""
        batch = await self._next(free) if await self._anything_to_do() else None
        if batch is None:
            return False
        for user_id in batch.ready:
            self._take(batch.broadcast, user_id)
        return batch.moved

    @property
    def _window(self) -> int:
        """Copies in hand at once: what leaves in a second, so that a death has little in the air."""
        return max(4, self._rate)

    async def _landing(self) -> None:
        await asyncio.wait(list(self._flying.values()), return_when=asyncio.FIRST_COMPLETED)

    async def _answering(self) -> bool:
        """Whether Telegram answers. After an outcome that nobody knows it is asked something harmless: in an outage a copy a
        person would be spent, and none is ever repeated."""
        try:
            await self._bot.get_me()
        except TelegramError:
            self._hold(_HOLD)
            return False
        self._doubtful = False
        return True

    def _hold(self, seconds: float) -> None:
        self._held_until = max(self._held_until, self._clock.monotonic() + seconds)

    async def _anything_to_do(self) -> bool:
        """Cheap, for it is asked every second of a night in which everybody sleeps; ends a broadcast that is through."""
        now = self._clock.now()
        async with self._database.read() as db:
            active = await broadcasts.active(db)
            if active is None or active.phase is not Phase.RUNNING:
                return False
            if not active.fed or await broadcasts.anything_due(db, active.id, now=now):
                return True
            through = not self._flying and not await broadcasts.anything_pending(db, active.id)
        if through:
            async with self._database.write("end_broadcast") as db:
                await broadcasts.recover(db, before=now - _LOST_AFTER)
                await broadcasts.end(db, active.id, now=now)
                await broadcasts.prune(db, before=now - _KEPT_FOR)
        return False

    async def _next(self, limit: int) -> _Batch | None:
        """Whose turn it is. People are taken up only as they are needed, so that little time passes until their copy."""
        now, hands = self._clock.now(), self._flying.keys()
        async with self._database.write("feed") as db:
            active = await broadcasts.active(db)
            if active is None or active.phase is not Phase.RUNNING:
                return None
            turns = await broadcasts.turns(db, active, now=now, limit=limit, but=hands)
            fed = 0
            if not turns.seen and not active.fed:
                fed = await broadcasts.feed(db, active, now=now, limit=PAGE)
                turns = await broadcasts.turns(db, active, now=now, limit=limit, but=hands)
        return _Batch(active, turns.ready, moved=fed > 0 or turns.seen > 0)

    # -- one copy ------------------------------------------------------------------------------------------------------

    def _take(self, broadcast: Broadcast, user_id: int) -> None:
        task = asyncio.create_task(_careful(self._one(broadcast, user_id)), name="copy")
        self._flying[user_id] = task
        self._waiting.add(task)
        task.add_done_callback(functools.partial(self._let_go, user_id))

    def _let_go(self, user_id: int, task: asyncio.Task[None]) -> None:
        self._waiting.discard(task)
        del self._flying[user_id]

    async def _one(self, broadcast: Broadcast, user_id: int) -> None:
        """One copy, from pending to its fate."""
        passage = Passage(
            Lane.BROADCAST,
            deadline=self._clock.now() + _GOOD_FOR,
            before=functools.partial(self._begin, broadcast.id, user_id),
            paid=self._rate > pacing.FREE_RATE,
        )
        outcome = await sender.copy(
            self._bot, user_id, from_chat_id=broadcast.admin_id, message_id=broadcast.message_id, passage=passage
        )
        if outcome in (Withdrawn(Why.UNWANTED), Withdrawn(Why.SHUTTING_DOWN)):
            return  # it was never begun
        self._heed(outcome)
        fate, reason = _fate(outcome)
        end = CopySettled(broadcast.id, user_id, fate, reason)
        await self._insist(functools.partial(self._settling.add, end))
        if fate is Fate.BLOCKED:
            await self._insist(functools.partial(self._rest, user_id))
        elif fate is Fate.FAILED and core_broadcast.is_lost(reason or ""):
            await self._insist(functools.partial(self._give_up, broadcast.id))

    async def _begin(self, broadcast_id: int, user_id: int) -> bool:
        """Asked by the limiter when it is this copy's turn."""
        if self._stopping or self._doubtful or not self._leads:
            return False
        task = self._flying.get(user_id)
        if task is not None:
            self._waiting.discard(task)
        return await self._starting.add((broadcast_id, user_id))

    def _heed(self, outcome: Outcome) -> None:
        """What an outcome says about the copies after it."""
        match outcome:
            case Unsent(_, retry_after):
                self._hold(retry_after or _HOLD)
            case Withdrawn():
                self._hold(_HOLD)
            case TokenRefused():
                _log.error("Telegram does not accept the token; the broadcast rests for a minute")
                self._hold(_HOLD_ALL)
            case Unknown():
                self._doubtful = True

    async def _insist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write it, however long the database is away: what was sent must be known as sent."""
        while True:
            try:
                await write()
            except Unavailable as error:
                _log.error("the database is away; what became of a copy waits", why=str(error))
                await self._clock.sleep(1.0)
            else:
                return

    async def _rest(self, user_id: int) -> None:
        async with self._database.write("rest") as db:
            await users.rest(db, user_id, status=Status.GONE)
            await changes.cancel(db, user_id, kinds=tuple(Kind), reason="unreachable")

    async def _give_up(self, broadcast_id: int) -> None:
        """The message cannot be copied any more, whoever it is for."""
        async with self._database.write("give_up") as db:
            stopped = await broadcasts.move(db, broadcast_id, to=Phase.STOPPED, now=self._clock.now())
        if stopped:
            _log.warning("a broadcast's message cannot be copied any more; it is stopped", broadcast=broadcast_id)

    async def _start(self, rows: list[tuple[int, int]]) -> list[bool]:
        async with self._database.write("start_copy") as db:
            begun = {number: await self._begun(db, number, rows) for number in {number for number, _ in rows}}
        return [user_id in begun[number] for number, user_id in rows]

    async def _begun(self, db: Connection, number: int, rows: list[tuple[int, int]]) -> set[int]:
        user_ids = [user_id for of, user_id in rows if of == number]
        return await broadcasts.start(db, number, user_ids, now=self._clock.now())

    async def _settle(self, ends: list[CopySettled]) -> list[None]:
        async with self._database.write("settle_copy") as db:
            await broadcasts.settle(db, ends)
        return [None] * len(ends)

    async def stop(self, *, seconds: float) -> None:
        """Begin no more copies; let those under way finish for so many real seconds."""
        self._stopping = True
        for task in self._waiting:
            task.cancel()
        runs = {task for task in (self._run, self._bars) if task is not None}
        if busy := {*self._flying.values(), *runs}:
            _, late = await asyncio.wait(busy, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _careful(work: Coroutine[Any, Any, None]) -> None:
    """Do it; what fails is logged, and the next beat tries again."""
    try:
        await work
    except Unavailable as error:
        _log.error("the database is away; the broadcast waits", why=str(error))
    except Exception as error:  # a mistake here must stop neither the beat nor the other copies
        _log.error("a broadcast stumbled", kind=type(error).__name__, exc_info=error)


def _fate(outcome: Outcome) -> tuple[Fate, str | None]:
    """What an outcome makes of a copy. What may have arrived is never sent again."""
    match outcome:
        case Sent():
            return Fate.DELIVERED, None
        case Unsent() | Withdrawn() | TokenRefused():
            return Fate.PENDING, None
        case Gone(reason):
            return Fate.BLOCKED, reason
        case Unknown(reason):
            return Fate.UNKNOWN, reason
        case NotFound(reason) | Rejected(reason):
            return Fate.FAILED, reason
