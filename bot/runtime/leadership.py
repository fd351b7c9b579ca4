"""What only the leader does: take over what other processes left undone, poll, and look for stray updates.

1. There is one `Leadership` in each process. Only the leader polls and sends; every replica accepts webhook updates.
2. A new leader first takes over unfinished messages, broadcasts and updates, and counts as leading only after that.
3. On losing the lock it stops claiming messages at once. What is in flight finishes.
4. Only the parts that this process is expected to do are judged for health: a standby has neither polls nor ticks to show.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from telegram.ext import ExtBot

from bot.clock import Clock
from bot.delivery.broadcast import Broadcasts
from bot.delivery.reminders import Reminders
from bot.runtime.clock_guard import ClockGuard
from bot.runtime.election import Leader
from bot.updates.queues import Queues
from bot.updates.source import UpdateSource
from config import logs
from config.settings import Settings
from db import admin_claim, broadcasts, inbox, marks
from db.engine import Database, Unavailable

_log = logs.logger(__name__)

LEFT = timedelta(seconds=5)
"""An update that has waited longer than this, in real time, may belong to a process that died."""


@dataclass(slots=True)
class Leadership:
    """One instance per process. Only the leader polls and sends; every replica accepts webhook updates."""

    settings: Settings
    clock: Clock
    database: Database
    bot: ExtBot[Any]
    reminders: Reminders
    broadcasts: Broadcasts
    queues: Queues
    source: UpdateSource
    guard: ClockGuard
    leader: Leader = field(init=False)
    awake_at: float | None = None  # since when Telegram was reached, on the monotonic clock
    led_at: float | None = None

    def __post_init__(self) -> None:
        self.leader = Leader(self.database, self.reminders.worker, rise=self._rise, fall=self._fall)

    def wake(self) -> None:
        """To be called once Telegram was reached."""
        self.awake_at = self.clock.monotonic()

    async def take_in(self) -> None:
        """Receive updates until cancelled. Every replica accepts webhook updates; only the leader polls.

        Two processes that poll would end each other's polls.
        """
        if self.settings.mode == "webhook":
            await self.source.run()
        while True:
            await self.leader.leads.wait()
            polling = asyncio.create_task(self.source.run(), name="polling")
            try:
                await self.leader.stands_by.wait()
            finally:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)

    async def _rise(self) -> None:
        """This process becomes the leader: take over the messages, broadcasts and updates that others left undone."""
        async with self.database.write() as db:
            clean = await marks.find(db, "ended") != "running"
            await marks.put(db, "ended", "running")
        self.led_at = self.clock.monotonic()
        await self.reminders.lead(clean=clean)
        await self.broadcasts.lead()
        async with self.database.read() as db:
            self.queues.add(await inbox.waiting(db))
        await self._offer_claim()

    def _fall(self) -> None:
        """This process is no longer the leader: claim nothing more."""
        self.led_at = None
        self.reminders.rest()
        self.broadcasts.rest()

    async def _offer_claim(self) -> None:
        """With nobody named as admin, a terminal shows the one-time link that makes one. Not the log: it is collected, and
        whoever may read it there is not the one who runs the bot."""
        if self.settings.admin_ids:
            return
        async with self.database.write("offer_claim") as db:
            if await broadcasts.admins(db):
                return
            await admin_claim.name_bot(db, self.bot.username)
            code = await admin_claim.offer(db, now=self.clock.now()) if sys.stderr.isatty() else None
        if code is None:
            _log.info("nobody is admin yet; python -m bot claim shows the link that makes one")
            return
        link = admin_claim.link(self.bot.username, code)
        print(f"Nobody is admin yet; whoever opens this link within an hour becomes it: {link}", file=sys.stderr)

    async def sweep(self) -> None:
        """Queue updates that a dead replica stored and did not handle. Only on PostgreSQL, and only as the leader.

        If that replica is alive after all, nothing is handled twice: the inbox hands out each update once.
        """
        if self.database.is_sqlite or not self.leader.leads.is_set():
            return
        before = self.clock.now() - LEFT * self.clock.speed
        try:
            async with self.database.read() as db:
                self.queues.add(await inbox.waiting(db, before=before, limit=500))
        except Unavailable:
            return  # the health check reports it

    def ages(self) -> dict[str, float]:
        """Real seconds since each part that this process is expected to do last worked."""
        since: dict[str, float] = {}
        if self.led_at is not None:
            # A beat that is held back because the machine's clock is wrong is not missed.
            since["tick"] = max(self.led_at, self.reminders.last_beat or 0.0, self.guard.held_at or 0.0)
        begun = self.led_at if self.settings.mode == "polling" else self.awake_at
        if begun is not None:
            since["telegram"] = max(begun, self.source.last_good or begun)
        now, speed = self.clock.monotonic(), self.clock.speed
        ages = {part: (now - at) / speed for part, at in since.items()}
        # A standby is well while another process leads. If it gets no lock and sees nobody who holds it, it is not.
        uncertain = self.leader.uncertain_for
        return ages if uncertain is None else ages | {"leader": uncertain}

    def faults(self) -> dict[str, str]:
        """What is known to be wrong with the connection to Telegram, by part."""
        if self.awake_at is None:
            return {"telegram": "not reached yet"}
        return {"telegram": self.source.fault} if self.source.fault else {}
