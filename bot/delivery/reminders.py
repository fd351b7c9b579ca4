"""The heartbeat: every second, owe what is due; then claim, render, send and settle until nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.clock import Clock
from bot.core import pacing
from bot.core.message_kinds import KINDS
from bot.core.model import State
from bot.core.outcome import Sent, TokenRefused, Unknown
from bot.core.owed import Owed
from bot.delivery import settlement, weekly_digest
from bot.delivery.renderer import Renderer
from bot.delivery.tidying import Tidying
from bot.metrics import Metrics
from bot.telegram import sender
from bot.telegram.pictures import Pictures
from bot.telegram.rate_limiter import Passage, RateLimiter
from bot.views.message import View
from config import failpoints, logs
from db import inbox
from db.engine import Connection, Database, Unavailable
from db.group_commit import GroupCommit
from db.outbox import due as outbox_due
from db.outbox import history, leases
from db.outbox import rows as outbox
from db.outbox.due import Agenda
from db.outbox.rows import Settled
from db.postgres import advisory_locks

_log = logs.logger(__name__)

PAGE = 500
"""People owed, or rows closed, in one transaction."""

CAREFUL = 10
"""After an unclean start so many go one at a time: a crash loop then costs one row, not a batch."""

HALT = timedelta(seconds=60)
"""How long nothing is sent after Telegram refused our token."""


class Heartbeat:
    """Sends what is owed. One a process; `worker` is its name on the rows it has claimed."""

    def __init__(
        self,
        bot: ExtBot[Passage],
        database: Database,
        renderer: Renderer,
        *,
        clock: Clock,
        rate: int,
        metrics: Metrics,
        gallery: Pictures | None = None,
    ) -> None:
        self._bot, self._database, self._renderer, self._clock = bot, database, renderer, clock
        self._rate, self.metrics, self._gallery = rate, metrics, gallery
        self._paid = rate > pacing.FREE_RATE
        self._tidying = Tidying(bot)
        self.worker = secrets.token_hex(8)
        self._starting = GroupCommit[int, bool](self._start)
        self._settling = GroupCommit[Settled, None](self._settle)
        self._sending: dict[asyncio.Task[None], int] = {}  # and the row each of them has in hand
        self._waiting: set[asyncio.Task[None]] = set()  # those of them whose message has certainly not left
        self._pump: asyncio.Task[None] | None = None
        self._careful = 0
        self._early = timedelta()  # how long before their moment reminders may go: nothing, but in crowded minutes
        self._halted_until = 0.0
        self._pruned_at: datetime | None = None
        self._leading = self._stopping = self._doubtful = False
        self._beating, self._landed = asyncio.Lock(), asyncio.Event()
        self.last_beat: float | None = None  # on the monotonic clock

    async def lead(self, *, clean: bool) -> None:
        """Begin to beat. What dead workers had in hand is taken back: all of it where no other process can be alive.

        `clean` says whether the process before this one ended in order; on PostgreSQL it is found out.
        """
        async with self._database.write("recover") as db:
            if self._database.is_sqlite:
                self.metrics.reclaimed(await leases.reclaim(db, now=self._clock.now(), everything=True))
            else:
                clean = not await self._bury_the_dead(db)
        self._careful = 0 if clean else CAREFUL
        self._leading = True

    async def _bury_the_dead(self, db: Connection) -> bool:
        """Whether workers died with rows in hand. What they had not begun is due at once; what they were sending may have
        arrived, or still be on its way where only the database connection broke: that waits for the end of its lease."""
        dead = await advisory_locks.dead(db, await leases.workers(db) - {self.worker})
        for worker in dead:
            await leases.give_back(db, worker=worker)
        return bool(dead)

    def rest(self) -> None:
        """Beat no more: another process may lead. What is at the socket is finished and settled, nothing new begins."""
        self._leading = False

    async def beat(self) -> None:
        """One tick. It never raises: the next one comes in a second."""
        async with self._beating:
            if self._leading and not self._stopping:
                await self._beat()

    async def _beat(self) -> None:
        now = self._clock.now()
        try:
            async with self._database.read() as db:
                found = await outbox_due.at(db, now=now, ahead=pacing.LOOKAHEAD)
            owed = await self._owe(now, found)
            await self._look_back(now, found, due=owed or found.due > 0)
        except Unavailable as error:
            _log.error("the database is away; reminders wait", why=str(error))
            return
        except Exception as error:  # a fault in one sweep must not end the heart
            _log.error("a sweep failed", kind=type(error).__name__, exc_info=error)
            return
        self.last_beat = self._clock.monotonic()
        if (owed or found.due) and (self._pump is None or self._pump.done()):
            self._pump = asyncio.create_task(self._deliver(), name="delivery")

    # -- owe -----------------------------------------------------------------------------------------------------------

    async def _owe(self, now: datetime, found: Agenda) -> bool:
        """Owe what is due, in crowded minutes also what comes soon; whether that was anything."""
        until = pacing.release_until(now, backlog=found.due, due_within_lookahead=found.ahead, rate=self._rate)
        self._early = until - now
        owed = found.to_owe or bool(self._early)
        while owed:
            async with self._database.write("owe") as db:
                page = await outbox.owe_due(db, now=now, until=until, limit=PAGE)
            for user_id, error in page.trouble:
                _log.error("a person could not be planned", person=logs.person(user_id), kind=type(error).__name__)
            if page.size < PAGE:
                break
        return owed

    async def _look_back(self, now: datetime, found: Agenda, *, due: bool) -> None:
        """Close windows and nights that are over, and take back what dead workers held. `due`: something may be, also what
        was owed just now for an evening long over."""
        if due or found.to_reclaim:
            async with self._database.write("look_back") as db:
                self.metrics.reclaimed(await leases.reclaim(db, now=now, keep=set(self._sending.values())))
                self.metrics.ended(await history.expire(db, now=now))
        while found.to_close:
            async with self._database.write("close") as db:
                closed = await history.close(db, now=now, limit=PAGE)
            if len(closed) < PAGE:
                break
        if self._pruned_at is None or now - self._pruned_at > timedelta(hours=1):
            async with self._database.write("prune") as db:
                await inbox.prune(db, now=now)
            self._pruned_at = now

    # -- deliver -------------------------------------------------------------------------------------------------------

    async def _deliver(self) -> None:
        """Claim and send until nothing is due."""
        try:
            while self._leading and not self._stopping and not self._halted() and await self._answering():
                rows = await self._claim()
                for row in rows:
                    self._take(row)
                if not rows and not self._sending:
                    return
                if self._sending:
                    # Not for ever: a send that hangs must not hold up those that fall due meanwhile.
                    await self._room(seconds=max(1.0 / self._clock.speed, 0.02))
        except Unavailable as error:
            _log.error("the database is away; sending waits", why=str(error))
        except Exception as error:  # the next beat tries again
            _log.error("rows could not be claimed", kind=type(error).__name__, exc_info=error)

    async def _room(self, *, seconds: float) -> None:
        """Come back when a send has ended and more can be claimed, or after so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    self._landed.clear()
                    await self._landed.wait()
                    if self._has_room() or not self._sending:
                        return

    def _has_room(self) -> bool:
        # Small refills would cost a transaction a row.
        return self._window - len(self._sending) >= max(1, self._window // 4)

    def _take(self, row: Owed) -> None:
        """Put a claimed row on its way. A row in hand is not reclaimed, however far the clock jumps meanwhile."""
        task = asyncio.create_task(self._one(row), name="send")
        self._sending[task] = row.id
        self._waiting.add(task)
        task.add_done_callback(self._let_go)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        self._waiting.discard(task)
        del self._sending[task]
        self._landed.set()

    async def _answering(self) -> bool:
        """Whether Telegram answers. After an outcome that nobody knows it is asked something harmless before another copy
        is spent: an outage would use up all three, and leave nothing for the time after it."""
        if self._doubtful:
            try:
                await self._bot.get_me()
            except TelegramError:
                return False
            self._doubtful = False
        return True

    def _halted(self) -> bool:
        """Whether nothing bulky may be sent now: what is claimed then would only grow stale in the limiter."""
        limiter = self._bot.rate_limiter
        flooded = isinstance(limiter, RateLimiter) and not limiter.takes_bulk
        return flooded or self._clock.monotonic() < self._halted_until

    @property
    def _window(self) -> int:
        """Rows in hand at once: what leaves in half a second, so that a death has little in the air."""
        return 1 if self._careful > 0 else max(4, self._rate // 2)

    async def _claim(self) -> list[Owed]:
        free = self._window - len(self._sending)
        if self._sending and not self._has_room():
            return []
        async with self._database.write("claim") as db:
            return await outbox.claim(db, worker=self.worker, now=self._clock.now(), limit=free, early=self._early)

    async def _one(self, row: Owed) -> None:
        """One row from claimed to settled."""
        try:
            if KINDS[row.kind].picture:
                await self._digest(row)
                return
            view = self._renderer.render(row, now=self._clock.now())
        except Exception as error:  # a mistake in one text must not hold up the others
            _log.error("a message could not be rendered", kind=row.kind, error=type(error).__name__, exc_info=error)
            await self._end(settlement.pushed_on(row, now=self._clock.now()))
            return
        await self._send(row, view)

    async def _digest(self, row: Owed) -> None:
        """The week's picture, or nothing for a week without a word."""
        async with self._database.read() as db:
            found = await weekly_digest.prepare(db, row)
        if found is None:
            await self._end(Settled(row.id, State.CANCELLED, reason="nothing to tell"))
            return
        view, drawing = found
        photo = None if self._gallery is None else await self._gallery.drawn(drawing)
        await self._send(row, self._renderer.with_tip_by_day(row, view), photo)

    async def _send(self, row: Owed, view: View, photo: bytes | None = None) -> None:
        lane = KINDS[row.kind].lane
        begin = functools.partial(self._begin, row)
        passage = Passage(lane, deadline=row.until_at, before=begin, paid=self._paid)
        outcome = await sender.send(self._bot, row.person.id, view, passage=passage, photo=photo)
        failpoints.reach("after_send")
        now = self._clock.now()
        if isinstance(outcome, TokenRefused):
            _log.error("Telegram does not accept the token; nothing is sent for a minute")
            self._halted_until = self._clock.monotonic() + HALT.total_seconds()
        self._doubtful = self._doubtful or isinstance(outcome, Unknown)
        self._careful = max(0, self._careful - 1)
        self.metrics.outcome(row, outcome, now=now)
        end = settlement.settle(row, outcome, now=now)
        if isinstance(outcome, Sent | Unknown):
            end = replace(end, tip=self._renderer.tip_number(row))
        self.metrics.ended([(row.kind, end.state)])
        await self._end(end)
        self._tidying.after(row, outcome)
        # What else an outcome changes: a nudge to come, or a person who is gone.
        change = settlement.follow(row, outcome, now=now)
        if change is not None:
            await self._insist(functools.partial(self._write, change))

    async def _begin(self, row: Owed) -> bool:
        """Asked by the limiter when it is the row's turn: note the copy, unless the row is no longer ours to send."""
        task = asyncio.current_task()
        if self._stopping or self._doubtful or task is None:
            return False
        self._waiting.discard(task)
        mine = await self._starting.add(row.id)
        failpoints.reach("before_send")
        return mine

    async def _write(self, change: settlement.Change) -> None:
        async with self._database.write("follow") as db:
            await change(db)

    async def _end(self, end: Settled) -> None:
        await self._insist(functools.partial(self._settling.add, end))

    async def _insist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write it, however long the database is away: what was sent must be known as sent."""
        while True:
            try:
                await write()
            except Unavailable as error:
                _log.error("the database is away; an outcome waits", why=str(error))
                await self._clock.sleep(1.0)
            else:
                return

    async def _start(self, ids: list[int]) -> list[bool]:
        if not self._leading:
            return [False] * len(ids)
        async with self._database.write("start", quick=True) as db:
            mine = await outbox.start(db, ids, worker=self.worker, now=self._clock.now())
        return [row_id in mine for row_id in ids]

    async def _settle(self, ends: list[Settled]) -> list[None]:
        async with self._database.write("settle", quick=True) as db:
            await outbox.settle(db, ends, worker=self.worker)
        return [None] * len(ends)

    # -- stop ----------------------------------------------------------------------------------------------------------

    async def stop(self, *, seconds: float) -> None:
        """Claim no more, let what is in flight finish for so many real seconds, give the rest back."""
        self._stopping = True
        async with self._beating:  # a beat under way ends in its own time: it is a few short transactions
            pass
        for task in self._waiting:
            task.cancel()
        pump = set() if self._pump is None else {self._pump}
        if busy := pump | set(self._sending):
            _, late = await asyncio.wait(busy, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._tidying.stop(seconds=1.0)
        try:
            async with self._database.write("give_back") as db:
                await leases.give_back(db, worker=self.worker)
        except Unavailable as error:
            _log.error("the database is away; what is claimed is taken back later", why=str(error))
