"""Group commit: what several tasks want to write at the same time is written in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """`await group.add(item)` returns the item's result once `write` has committed it.

    1. `write` gets a list of items in order of arrival, commits, and returns one result for each, in the same order.
    2. One write runs at a time. Items that arrive meanwhile are the next group.
    3. There is no timer: an item on its own is written at once.
    4. If `write` raises, every item of that group raises the same error. The next group is written all the same.
    5. A task that is cancelled while it waits does not take its item back: the item may be written.
    """

    def __init__(self, write: Callable[[list[Item]], Awaitable[list[Result]]]) -> None:
        self._write = write
        self._gathering: list[tuple[Item, asyncio.Future[Result]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Result:
        """Write this item with its group and return its result. Raises what `write` raised."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._gathering.append((item, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        try:
            while self._gathering:
                # One turn of the event loop, so that tasks woken by the same event are in the same group.
                await asyncio.sleep(0)
                group, self._gathering = self._gathering, []
                await self._commit(group)
        finally:
            self._writing = None

    async def _commit(self, group: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._write([item for item, _ in group])
        except Exception as error:  # each task that waits raises it to its own caller
            for _, done in group:
                if not done.done():
                    done.set_exception(error)
            return
        for (_, done), result in zip(group, results, strict=True):
            if not done.done():
                done.set_result(result)
