"""Reminders, nudges, check-ins and digests: every second, owe what is due; then claim, render, send and settle it."""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from telegram.ext import ExtBot

from bot.clock import Clock
from bot.core import pacing
from bot.core.message_kinds import KINDS
from bot.core.model import State
from bot.core.outcome import Outcome, Sent, Unknown
from bot.core.owed import Owed
from bot.core.pacing import Lane
from bot.delivery import settlement, weekly_digest
from bot.delivery.renderer import Renderer
from bot.delivery.sending import Parcel, SendingEngine
from bot.delivery.tidying import Tidying
from bot.metrics import Metrics
from bot.telegram import sender
from bot.telegram.pictures import Pictures
from bot.telegram.rate_limiter import Passage
from bot.views.message import View
from config import logs
from db import inbox
from db.engine import Connection, Database, Unavailable
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


class Reminders:
    """Everything that the outbox holds. One a process; `worker` is its name on the rows it has claimed.

    1. A beat, once a second, owes what has come due, ends what is over, and lets the engine send.
    2. A row in hand is not reclaimed, however far the clock jumps meanwhile.
    3. What cannot be rendered is put off by an hour and holds up nobody.
    """

    def __init__(
        self,
        bot: ExtBot[Passage],
        database: Database,
        renderer: Renderer,
        *,
        clock: Clock,
        rate: int,
        metrics: Metrics,
        pictures: Pictures | None = None,
    ) -> None:
        self._bot, self._database, self._renderer, self._clock = bot, database, renderer, clock
        self._rate, self._metrics, self._pictures = rate, metrics, pictures
        self._tidying = Tidying(bot)
        self.worker = secrets.token_hex(8)
        self._engine = SendingEngine[Owed, Settled](
            self, bot, clock=clock, rate=rate, metrics=metrics, name="reminders"
        )
        self._early = timedelta()  # how long before their moment reminders may go: nothing, but in crowded minutes
        self._pruned_at: datetime | None = None
        self._beating = asyncio.Lock()
        self.last_beat: float | None = None  # on the monotonic clock

    async def lead(self, *, clean: bool) -> None:
        """Begin to beat. What dead workers had in hand is taken back: all of it where no other process can be alive.

        `clean` says whether the process before this one ended in order; on PostgreSQL it is found out.
        """
        async with self._database.write("recover") as db:
            if self._database.is_sqlite:
                self._metrics.reclaimed(await leases.reclaim(db, now=self._clock.now(), everything=True))
            else:
                clean = not await self._bury_the_dead(db)
        self._engine.lead(careful=0 if clean else CAREFUL)

    async def _bury_the_dead(self, db: Connection) -> bool:
        """Whether workers died with rows in hand. What they had not begun is due at once; what they were sending may have
        arrived, or still be on its way where only the database connection broke: that waits for the end of its lease."""
        dead = await advisory_locks.dead(db, await leases.workers(db) - {self.worker})
        for worker in dead:
            await leases.give_back(db, worker=worker)
        return bool(dead)

    def rest(self) -> None:
        """Beat no more: another process may lead."""
        self._engine.rest()

    async def beat(self) -> None:
        """One tick. It never raises: the next one comes in a second."""
        async with self._beating:
            if self._engine.active:
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
        except Exception as error:  # a fault in one sweep must not end the beat
            _log.error("a sweep failed", kind=type(error).__name__, exc_info=error)
            return
        self.last_beat = self._clock.monotonic()
        if owed or found.due:
            self._engine.go()

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
                self._metrics.reclaimed(await leases.reclaim(db, now=now, keep=self._rows_in_hand()))
                self._metrics.ended(await history.expire(db, now=now))
        while found.to_close:
            async with self._database.write("close") as db:
                closed = await history.close(db, now=now, limit=PAGE)
            if len(closed) < PAGE:
                break
        if self._pruned_at is None or now - self._pruned_at > timedelta(hours=1):
            async with self._database.write("prune") as db:
                await inbox.prune(db, now=now)
            self._pruned_at = now

    # -- what the engine asks ------------------------------------------------------------------------------------------

    def key(self, item: Owed) -> int:
        """The row's number."""
        return item.id

    def _rows_in_hand(self) -> set[int]:
        return {key for key in self._engine.in_hand if isinstance(key, int)}

    async def take(self, limit: int) -> list[Owed]:
        """Claim rows that are due."""
        async with self._database.write("claim") as db:
            return await outbox.claim(db, worker=self.worker, now=self._clock.now(), limit=limit, early=self._early)

    async def make(self, item: Owed) -> Parcel | Settled:
        """Render a row. The week's digest has a picture, and is nothing for a week without a word."""
        if KINDS[item.kind].lane is Lane.REMINDER and item.until_at > item.bed_at:
            self._metrics.broken("before_bed")
            _log.error("a row may go after bedtime", kind=item.kind)
            return settlement.pushed_on(item, now=self._clock.now())
        try:
            if KINDS[item.kind].picture:
                return await self._digest(item)
            return self._parcel(item, self._renderer.render(item, now=self._clock.now()))
        except Unavailable:
            raise
        except Exception as error:  # a mistake in one text must not hold up the others
            _log.error("a message could not be rendered", kind=item.kind, error=type(error).__name__, exc_info=error)
            return settlement.pushed_on(item, now=self._clock.now())

    async def _digest(self, row: Owed) -> Parcel | Settled:
        async with self._database.read() as db:
            found = await weekly_digest.prepare(db, row)
        if found is None:
            return Settled(row.id, State.CANCELLED, reason="nothing to tell")
        view, drawing = found
        photo = None if self._pictures is None else await self._pictures.drawn(drawing)
        return self._parcel(row, self._renderer.with_tip_by_day(row, view), photo)

    def _parcel(self, row: Owed, view: View, photo: bytes | None = None) -> Parcel:
        async def send(passage: Passage) -> Outcome:
            return await sender.send(self._bot, row.person.id, view, passage=passage, photo=photo)

        return Parcel(KINDS[row.kind].lane, row.until_at, send)

    async def start(self, items: list[Owed]) -> list[bool]:
        """Count the copies that are about to leave."""
        async with self._database.write("start", quick=True) as db:
            ids = [row.id for row in items]
            mine = await outbox.start(db, ids, worker=self.worker, now=self._clock.now())
        return [row.id in mine for row in items]

    def end(self, item: Owed, outcome: Outcome) -> Settled:
        """How the row ends or goes on."""
        now = self._clock.now()
        self._metrics.outcome(item, outcome, now=now)
        end = settlement.settle(item, outcome, now=now)
        if isinstance(outcome, Sent | Unknown):
            end = replace(end, tip=self._renderer.tip_number(item))
        self._metrics.ended([(item.kind, end.state)])
        return end

    async def settle(self, ends: list[Settled]) -> None:
        """Write how rows end or go on."""
        async with self._database.write("settle", quick=True) as db:
            await outbox.settle(db, ends, worker=self.worker)

    def follow(self, item: Owed, outcome: Outcome) -> Callable[[], Awaitable[None]] | None:
        """What else an outcome changes: a nudge to come, or a person who is gone. A replaced message goes beside it."""
        self._tidying.after(item, outcome)
        change = settlement.follow(item, outcome, now=self._clock.now())
        return None if change is None else functools.partial(self._write, change)

    async def _write(self, change: settlement.Change) -> None:
        async with self._database.write("follow") as db:
            await change(db)

    async def stop(self, *, seconds: float) -> None:
        """Claim no more, let what is in flight finish for so many real seconds, give the rest back."""
        await self._engine.stop(seconds=seconds)
        async with self._beating:  # a beat under way ends in its own time: it is a few short transactions
            pass
        await self._tidying.stop(seconds=1.0)
        try:
            async with self._database.write("give_back") as db:
                await leases.give_back(db, worker=self.worker)
        except Unavailable as error:
            _log.error("the database is away; what is claimed is taken back later", why=str(error))
