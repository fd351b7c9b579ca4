"""Letters in order for each person, and in parallel across people."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from bot.clock import Clock
from bot.core import flood
from bot.intake.desk import Desk
from config import logs
from db.engine import Unavailable
from db.inbox import Letter

_log = logs.logger(__name__)

AT_ONCE = 64
"""People whose letters are handled at the same time."""

_RETRY_AFTER = 1.0


class Queues:
    """One queue a person. A letter waits only for the letters of the same person before it."""

    def __init__(self, desk: Desk, *, clock: Clock) -> None:
        self._desk, self._clock = desk, clock
        self._waiting: dict[int, deque[Letter]] = {}
        self._held: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._floods = flood.Gate()
        self.stopping = False

    def add(self, letters: Iterable[Letter]) -> None:
        """Queue letters that are stored; those that wait here already do so once."""
        for letter in letters:
            if letter.update_id in self._held:
                continue
            self._held.add(letter.update_id)
            # An update that is nobody's has a queue of its own: no order to keep.
            owner = letter.user_id if letter.user_id is not None else -letter.update_id - 1
            if owner in self._waiting:
                self._waiting[owner].append(letter)
                continue
            self._waiting[owner] = deque([letter])
            task = asyncio.create_task(self._work(owner), name=f"letters of {owner}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def __len__(self) -> int:
        return len(self._held)

    async def _work(self, owner: int) -> None:
        queue = self._waiting[owner]
        while queue and not self.stopping:
            async with self._places:
                await self._handle(queue[0])
            self._held.discard(queue.popleft().update_id)
        self._held.difference_update(letter.update_id for letter in queue)
        del self._waiting[owner]

    async def _handle(self, letter: Letter) -> bool:
        """Handle one letter; a database that is away is waited for, nothing else holds it up. Whether it has an end."""
        manner = self._floods.admit(letter.user_id, now=self._clock.monotonic())
        while not self.stopping:
            try:
                earlier = await self._meet(letter, manner)
            except Unavailable as error:
                _log.error("the database is away; updates wait", why=str(error))
                await self._clock.sleep(_RETRY_AFTER)
            except Exception as error:  # the last net: a fault in the net below it must not end this person's queue
                _log.error("an update could not even be put aside", kind=type(error).__name__, exc_info=error)
                return False
            else:
                if earlier is None:
                    return True
                if not await self._handle(earlier):
                    return False
        return False

    async def _meet(self, letter: Letter, manner: flood.Manner) -> Letter | None:
        if manner is flood.Manner.WELCOME:
            return await self._desk.handle(letter)
        await self._desk.turn_away(letter, warn=manner is flood.Manner.WARN)
        return None

    async def drain(self, *, seconds: float) -> None:
        """At the end: let what is being handled finish, for so many real seconds. The rest waits in the inbox."""
        self.stopping = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        for task in self._tasks:
            task.cancel()
