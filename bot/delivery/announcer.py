"""A broadcast on its way: takes up recipients page by page, copies the message to each, and keeps the admin's bar moving."""

from __future__ import annotations

import asyncio
import functools
from datetime import datetime, timedelta
from typing import Any

from telegram.ext import ExtBot

from bot import language
from bot.clock import Clock
from bot.core import pacing
from bot.core.announcing import Broadcast, Fate, Phase
from bot.core.model import Status
from bot.core.outcome import Closed, Gone, Moved, NotFound, Outcome, Rejected, Sent, Unknown, Unsent
from bot.core.pacing import Lane
from bot.delivery import sender
from bot.delivery.group_commit import GroupCommit
from bot.delivery.limiter import Passage
from bot.views import announcing as views
from config import logs
from db import broadcasts, users
from db.engine import Database, Unavailable

_log = logs.logger(__name__)

PAGE = 500
"""People taken up in one transaction."""

BAR_EVERY = timedelta(seconds=3)
"""The bar is edited at most so often."""


class Announcer:
    """Sends the active broadcast, if there is one. Of all processes only the one with the heartbeat has it beat."""

    def __init__(self, bot: ExtBot[Any], database: Database, *, clock: Clock, rate: int) -> None:
        self._bot, self._database, self._clock, self._rate = bot, database, clock, rate
        self._starting = GroupCommit[tuple[int, int], bool](self._start)
        self._settling = GroupCommit[tuple[int, int, Fate, str | None], None](self._settle)
        self._run: asyncio.Task[None] | None = None
        self._shown: tuple[datetime, str] | None = None
        self._held_until: datetime | None = None
        self._stopping = False
        self._leads = False

    async def lead(self) -> None:
        """This process sends from now on. What a dead one was sending may have arrived, and is never sent again."""
        async with self._database.write("recover_broadcast") as db:
            lost = await broadcasts.recover(db)
        if lost:
            _log.warning("copies of a broadcast may or may not have arrived", copies=lost)
        self._leads = True

    def rest(self) -> None:
        """Another process sends from now on."""
        self._leads = False

    async def beat(self) -> None:
        """One tick: go on with the active broadcast. It never raises."""
        if self._stopping or not self._leads or (self._run is not None and not self._run.done()):
            return
        self._run = asyncio.create_task(self._go_on(), name="broadcast")

    async def _go_on(self) -> None:
        try:
            async with self._database.read() as db:
                active = await broadcasts.active(db)
            if active is None:
                return
            if active.phase is Phase.RUNNING:
                await self._send_page(active)
            await self._show(active.id)
        except Unavailable as error:
            _log.error("the database is away; the broadcast waits", why=str(error))
        except Exception as error:  # the next beat tries again
            _log.error("a broadcast stumbled", kind=type(error).__name__, exc_info=error)

    async def _send_page(self, active: Broadcast) -> None:
        """Take up and send until nothing is due, a pause is asked for, or it is time for the bar."""
        now = started = self._clock.now()
        while self._leads and not self._stopping and now - started < BAR_EVERY and not self._held(now):
            async with self._database.write("feed") as db:
                fresh = await broadcasts.find(db, active.id)
                if fresh is None or fresh.phase is not Phase.RUNNING:
                    return
                if not fresh.fed:
                    await broadcasts.feed(db, fresh, now=now, limit=PAGE)
                # What leaves in about a second, so that a pause or a stop is felt at once.
                due = await broadcasts.due(db, active.id, now=now, limit=max(4, self._rate))
            if not due and (fresh.fed or fresh.fed_to == 0):
                await self._end_if_done(fresh, now)
            if not due:
                return
            await asyncio.gather(*(self._one(fresh, user_id) for user_id in due))
            now = self._clock.now()

    def _held(self, now: datetime) -> bool:
        return self._held_until is not None and now < self._held_until

    async def _end_if_done(self, broadcast: Broadcast, now: datetime) -> None:
        async with self._database.write("end_broadcast") as db:
            await broadcasts.drop_unwanted(db, broadcast.id)
            left = await broadcasts.fates(db, broadcast.id)
            fresh = await broadcasts.find(db, broadcast.id)
            if fresh is not None and fresh.fed and not left.get(Fate.PENDING) and not left.get(Fate.SENDING):
                await broadcasts.move(db, broadcast.id, to=Phase.DONE, now=now, among=[Phase.RUNNING])

    async def _one(self, broadcast: Broadcast, user_id: int) -> None:
        """One copy, from pending to its fate."""
        before = functools.partial(self._starting.add, (broadcast.id, user_id))
        passage = Passage(Lane.BROADCAST, before=before, paid=self._rate > pacing.FREE_RATE)
        outcome = await sender.copy(
            self._bot, user_id, from_chat_id=broadcast.admin_id, message_id=broadcast.message_id, passage=passage
        )
        if isinstance(outcome, Unsent | Closed):
            wait = outcome.retry_after if isinstance(outcome, Unsent) and outcome.retry_after else 5.0
            self._held_until = self._clock.now() + timedelta(seconds=wait)
        fate, reason = _fate(outcome)
        await self._settling.add((broadcast.id, user_id, fate, reason))
        if fate is Fate.BLOCKED:
            await self._rest(user_id)

    async def _rest(self, user_id: int) -> None:
        async with self._database.write("rest") as db:
            await users.rest(db, user_id, status=Status.GONE)

    async def _start(self, rows: list[tuple[int, int]]) -> list[bool]:
        async with self._database.write("start_copy") as db:
            begun = await broadcasts.start(db, rows[0][0], [user_id for _, user_id in rows])
        return [user_id in begun for _, user_id in rows]

    async def _settle(self, rows: list[tuple[int, int, Fate, str | None]]) -> list[None]:
        async with self._database.write("settle_copy") as db:
            for broadcast_id, user_id, fate, reason in rows:
                await broadcasts.settle(db, broadcast_id, user_id, fate, reason=reason)
        return [None] * len(rows)

    # -- the admin's message -------------------------------------------------------------------------------------------

    async def _show(self, broadcast_id: int) -> None:
        """Bring the admin's message up to date: at most every three seconds, and at once at the end."""
        async with self._database.read() as db:
            broadcast = await broadcasts.find(db, broadcast_id)
            fates = await broadcasts.fates(db, broadcast_id)
            reasons = await broadcasts.reasons(db, broadcast_id, limit=3)
            admin = None if broadcast is None else await users.find(db, broadcast.admin_id)
        if broadcast is None or broadcast.panel_id is None:
            return
        words = language.words(None if admin is None else admin.language)
        view = views.progress(words, broadcast, fates, reasons)
        now = self._clock.now()
        if self._shown is not None and (
            self._shown[1] == view.text or (broadcast.active and now - self._shown[0] < BAR_EVERY)
        ):
            return
        self._shown = (now, view.text)
        await sender.edit(self._bot, broadcast.admin_id, broadcast.panel_id, view, passage=Passage(Lane.ANSWER))

    async def stop(self, *, seconds: float) -> None:
        """Begin no more copies; let those under way finish for so many real seconds."""
        self._stopping = True
        if self._run is not None and not self._run.done():
            await asyncio.wait({self._run}, timeout=seconds)
            self._run.cancel()


def _fate(outcome: Outcome) -> tuple[Fate, str | None]:
    """What an outcome makes of a copy. What may have arrived is never sent again."""
    match outcome:
        case Sent():
            return Fate.DELIVERED, None
        case Unsent() | Closed():
            return Fate.PENDING, None
        case Gone(reason):
            return Fate.BLOCKED, reason
        case Unknown(reason):
            return Fate.UNKNOWN, reason
        case NotFound(reason) | Rejected(reason):
            return Fate.FAILED, reason
        case Moved():
            return Fate.FAILED, "the chat has moved"
