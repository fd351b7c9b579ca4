"""Handles stored updates: in order for each person, in parallel for different people.

1. Each person has a queue. An update waits for the earlier updates of the same person, and for a free place of AT_ONCE.
2. An update of nobody (without a sender) has a queue of its own.
3. People take turns, one update each. While more than CROWDED people wait, the newest one is next, so that a newcomer does
   not wait for the whole crowd.
4. While full batches keep arriving, storing the next one goes before handling, for at most LONGEST seconds.
5. With MOST updates in memory no more are accepted; the rest waits at Telegram.
6. While the database is away an update stays at the head of its queue and is tried again. Nothing else holds up a queue.
7. What is not handled at the end of the process is still in the inbox.
"""

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
"""How many people's updates are handled at the same time."""

CROWDED = 1_000
"""While more people than this wait, the newest one is handled first. Somebody has to wait long in any case; this way a flood of
updates, for example of malformed ones, does not delay everybody who comes after it."""

TAKE_IN = 0.05
"""Real seconds after a full batch in which no update is begun, so that updates still at Telegram are stored first."""

LONGEST = 2.0
"""Real seconds after the first of several full batches after which updates are begun even if more batches follow."""

MOST = 20_000
"""How many updates may wait in memory; the rest waits at Telegram."""

_RETRY_AFTER = (0.2, 2.0)
"""Seconds before each new try while the database is away. The first is short, for a hiccup; the last is used for all further
tries, short enough that people are answered soon after the database is back."""


class Queues:
    """The queues of all people; see the module for what holds. `stopping` is set once no more updates are begun."""

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
        """Queue these stored updates. An update that waits here already is ignored."""
        for stored_update in stored_updates:
            if stored_update.update_id in self._held:
                continue
            self._held.add(stored_update.update_id)
            # An update without a sender has a queue of its own: it has no order to keep.
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
        """To be called after a full batch: let the next batch be stored before more updates are begun."""
        now = asyncio.get_running_loop().time()
        if now - self._full_at > LONGEST:
            self._first_full_at = now
        self._full_at = now
        if not self.full:
            self._begin_at = min(now + TAKE_IN, self._first_full_at + LONGEST)

    @property
    def full(self) -> bool:
        """Whether no more updates may be queued."""
        return len(self._held) >= MOST

    async def room(self) -> None:
        """Wait until more updates may be queued."""
        while self.full:
            self._room.clear()
            await self._room.wait()

    async def _work(self) -> None:
        """Handle one update of the person who is next, again and again, until nobody waits. Occupies one place."""
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
                    self._ready.appendleft(
                        owner
                    )  # others first: in a crowd the next person is taken from the other end
                else:
                    self._ready.append(owner)
        finally:
            self._places += 1

    async def _somebody(self) -> bool:
        """Wait until updates may be begun. Returns whether anybody waits."""
        loop = asyncio.get_running_loop()
        while (wait := self._begin_at - loop.time()) > 0:
            await asyncio.sleep(wait)
        return bool(self._ready)

    async def _handle(self, stored_update: StoredUpdate) -> bool:
        """Handle one update. While the database is away, wait and try again.

        Returns True once the update is done or given up; False if it stays in the inbox.
        """
        manner = self._floods.admit(stored_update.user_id, now=self._clock.monotonic())
        for pause in itertools.chain(_RETRY_AFTER, itertools.repeat(_RETRY_AFTER[-1])):
            if self.stopping:
                break
            try:
                earlier = await self._meet(stored_update, manner)
            except Unavailable as error:
                _log.error("the database is away; updates wait", why=str(error))
                await self._clock.sleep(pause)
            except Exception as error:  # the last resort: even a fault in putting updates aside must not end the queue
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
        """At the end of the process: begin nothing more, and give running handlers so many real seconds to finish.

        Updates that were not handled stay in the inbox.
        """
        self.stopping = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in self._tasks:
            task.cancel()
