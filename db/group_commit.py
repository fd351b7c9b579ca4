"""Group commit: what many tasks want written at the same time is written in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """`await group.add(item)` returns its result once `write` has committed it, together with whatever came meanwhile.

    `write` takes the items in order and gives a result for each. While one write runs the next group gathers: no timer, and
    a lone item is written at once.
    """

    def __init__(self, write: Callable[[list[Item]], Awaitable[list[Result]]]) -> None:
        self._write = write
        self._gathering: list[tuple[Item, asyncio.Future[Result]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Result:
        """Write this one. Raises what `write` raised for its group."""
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._gathering.append((item, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        try:
            while self._gathering:
                # One round of the loop, so that tasks woken by the same event are in the same group.
                await asyncio.sleep(0)
                group, self._gathering = self._gathering, []
                await self._commit(group)
        finally:
            self._writing = None

    async def _commit(self, group: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._write([item for item, _ in group])
        except Exception as error:  # it belongs to those who wait, each of whom decides
            for _, done in group:
                if not done.done():
                    done.set_exception(error)
            return
        for (_, done), result in zip(group, results, strict=True):
            if not done.done():
                done.set_result(result)
