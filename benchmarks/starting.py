"""How long a start takes, and how much the stand-in itself can take, so that it is not what is measured."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks import parts
from benchmarks.parts import Figure


async def first_poll(folder: Path) -> float:
    """Seconds from the spawn to the first getUpdates."""
    async with parts.stand_in() as (remote, _):
        began = time.monotonic()
        async with parts.lull(remote, folder) as bot:
            return bot.polled - began


async def ceiling(*, number: int) -> tuple[float, float]:
    """Requests a second that the stand-in answers to a raw client, 64 in flight, and its CPU ms each."""
    async with parts.stand_in() as (remote, server), aiohttp.ClientSession() as session:
        url, left = f"{remote.url}/bot{parts.TOKEN}/sendMessage", iter(range(number))

        async def work() -> None:
            for chat_id in left:
                async with session.post(url, json={"chat_id": chat_id, "text": "Bedtime 22:30"}) as answer:
                    await answer.read()

        server.mark()
        began = time.monotonic()
        await asyncio.gather(*(work() for _ in range(64)))
        return number / (time.monotonic() - began), 1000 * server.used / number


async def run(*, number: int = 5000) -> list[Figure]:
    """A start on no database, one on a database at head, and the stand-in's ceiling."""
    with tempfile.TemporaryDirectory() as name:
        for folder in (Path(name, "warm"), Path(name, "new")):
            folder.mkdir()
            fresh = await first_poll(folder)  # the first one warms the file cache
        again = await first_poll(folder)
    rate, cpu = await ceiling(number=number)
    return [
        Figure("start to the first poll, no database yet", fresh, "s", "< 1.5"),
        Figure("start to the first poll, database at head", again, "s", "< 1.5"),
        Figure("the stand-in's own ceiling", rate, "/s"),
        Figure("its CPU of a request", cpu, "ms"),
    ]


if __name__ == "__main__":
    print(parts.table(asyncio.run(run())))
