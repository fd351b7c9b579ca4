"""Letters in order for each person, and in parallel across people."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import deque
from collections.abc import Iterable

from bot.clock import Clock
from bot.core import flood
from bot.updates.dispatcher import Dispatcher
from config import logs
from db.engine import Unavailable
from db.inbox import StoredUpdate

_log = logs.logger(__name__)

AT_ONCE = 64
"""People whose updates are handled at the same time."""

CROWDED = 1_000
"""With more people than this waiting, the last one to come is the first to be answered. Who waits for long waits in any case;
so a flood of updates, of wrong ones say, does not make everybody who comes after it wait for its end."""

TAKE_IN = 0.05
"""Real seconds after a full batch in which no new update is begun: what is still with Telegram is stored first."""

LONGEST = 2.0
"""Real seconds after the first of many full batches from which on updates are begun whatever is still to come."""

MOST = 20_000
"""Letters that wait here at once; the others wait with Telegram."""

_RETRY_AFTER = (0.2, 2.0)
"""Seconds until an update is tried again that the database could not take: a hiccup costs nobody much, and then, for as long as it
is away, all that wait ask it often enough to be answered soon after its return."""


class Queues:
    """One queue a person. A update waits only for the updates of the same person before it, and for one of the places."""

    def __init__(self, dispatcher: Dispatcher, *, clock: Clock) -> None:
        self._desk, self._clock = dispatcher, clock
        self._waiting: dict[int, deque[StoredUpdate]] = {}
        self._ready: deque[int] = deque()  # whose turn it is next: people with updates, none of which is being handled
        self._held: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = AT_ONCE
        self._begin_at = self._first_full_at = 0.0  # on the event loop's clock
        self._full_at = -math.inf
        self._room = asyncio.Event()
        self._floods = flood.FloodGate()
        self.stopping = False

    def add(self, stored_updates: Iterable[StoredUpdate]) -> None:
        """Queue updates that are stored; those that wait here already do so once."""
        for stored_update in stored_updates:
            if stored_update.update_id in self._held:
                continue
            self._held.add(stored_update.update_id)
            # An update that is nobody's has a queue of its own: no order to keep.
            owner = stored_update.user_id if stored_update.user_id is not None else -stored_update.update_id - 1
            if owner in self._waiting:
                self._waiting[owner].append(stored_update)
                continue
            self._waiting[owner] = deque([stored_update])
            self._ready.append(owner)
        for _ in range(min(self._places, len(self._ready))):
            self._places -= 1
            task = asyncio.create_task(self._work(), name="updates")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def __len__(self) -> int:
        return len(self._held)

    def more_to_come(self) -> None:
        """The last batch was a full one: take in the next before much is begun."""
        now = asyncio.get_running_loop().time()
        if now - self._full_at > LONGEST:
            self._first_full_at = now
        self._full_at = now
        if not self.full:
            self._begin_at = min(now + TAKE_IN, self._first_full_at + LONGEST)

    @property
    def full(self) -> bool:
        """Whether no more updates may be taken in."""
        return len(self._held) >= MOST

    async def room(self) -> None:
        """Come back when more updates may be taken in."""
        while self.full:
            self._room.clear()
            await self._room.wait()

    async def _work(self) -> None:
        """One place: handle a update of whoever is next, again and again."""
        try:
            while not self.stopping and await self._somebody():
                owner = self._ready.pop() if len(self._ready) > CROWDED else self._ready.popleft()
                queue = self._waiting[owner]
                await self._handle(queue[0])
                self._held.discard(queue.popleft().update_id)
                self._room.set()
                if not queue:
                    del self._waiting[owner]
                elif len(self._ready) > CROWDED:
                    self._ready.appendleft(owner)  # others first, as long as the last are the first
                else:
                    self._ready.append(owner)
        finally:
            self._places += 1

    async def _somebody(self) -> bool:
        """Whether somebody is next, once updates may be begun."""
        loop = asyncio.get_running_loop()
        while (wait := self._begin_at - loop.time()) > 0:
            await asyncio.sleep(wait)
        return bool(self._ready)

    async def _handle(self, stored_update: StoredUpdate) -> bool:
        """Handle one update; a database that is away is waited for, nothing else holds it up. Whether it has an end."""
        manner = self._floods.admit(stored_update.user_id, now=self._clock.monotonic())
        for pause in itertools.chain(_RETRY_AFTER, itertools.repeat(_RETRY_AFTER[-1])):
            if self.stopping:
                break
            try:
                earlier = await self._meet(stored_update, manner)
            except Unavailable as error:
                _log.error("the database is away; updates wait", why=str(error))
                await self._clock.sleep(pause)
            except Exception as error:  # the last net: a fault in the net below it must not end this person's queue
                _log.error("an update could not even be put aside", kind=type(error).__name__, exc_info=error)
                return False
            else:
                if earlier is None:
                    return True
                if not await self._handle(earlier):
                    return False
        return False

    async def _meet(self, stored_update: StoredUpdate, manner: flood.Manner) -> StoredUpdate | None:
        if manner is flood.Manner.WELCOME:
            return await self._desk.handle(stored_update)
        await self._desk.turn_away(stored_update, warn=manner is flood.Manner.WARN)
        return None

    async def drain(self, *, seconds: float) -> None:
        """At the end: let what is being handled finish, for so many real seconds. The rest waits in the inbox."""
        self.stopping = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in self._tasks:
            task.cancel()
