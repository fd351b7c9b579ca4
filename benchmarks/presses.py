"""Presses that write the diary: how many a second, at what CPU, and how long a tap waits; also during a burst."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from benchmarks import parts
from benchmarks.parts import Crowd, Figure, Remote, Running

FIRST = 1_000_000


def press(user_id: int, data: str) -> dict[str, object]:
    """A tap as Telegram delivers it."""
    person = {"id": user_id, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    bot = {"id": 123456, "is_bot": True, "first_name": "Lull", "username": "lull_bot"}
    chat = {"id": user_id, "type": "private", "first_name": "Ada"}
    message = {"message_id": user_id, "date": 1_790_000_000, "chat": chat, "from": bot, "text": "Bedtime 22:30"}
    query = {"id": str(user_id), "from": person, "message": message, "chat_instance": "1", "data": data}
    return {"callback_query": query}


def taken(first: int, number: int) -> list[dict[str, object]]:
    night = datetime.now(UTC).date()
    return [press(first + step, f"v1:taken:{night}") for step in range(number)]


def said(user_id: int) -> dict[str, object]:
    """A message as Telegram delivers it."""
    person = {"id": user_id, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    chat = {"id": user_id, "type": "private", "first_name": "Ada"}
    message = {"message_id": user_id, "date": 1_790_000_000, "chat": chat, "from": person, "text": "hello"}
    return {"message": message}


async def aiogram(*, number: int) -> tuple[float, float]:
    """A stock aiogram bot: messages echoed a second, and presses answered and edited a second. 0 where there is none."""
    python = os.environ.get("BENCH_AIOGRAM")
    if not python:
        return 0.0, 0.0
    values = {"BOT_TOKEN": parts.TOKEN, "TELEGRAM_API_URL": ""}
    async with parts.stand_in() as (remote, _):
        values["TELEGRAM_API_URL"] = remote.url
        async with parts.running("-m", "benchmarks.aiogram_bot", python=python, **values) as bot:
            await parts.until(remote, lambda counts: parts.called(counts, "getUpdates") > 0)
            rates = []
            for _ in range(2):  # the first round is for warming up
                await remote.clear_counts()
                began = time.time()
                await remote.inject(*(said(FIRST + step) for step in range(number)))
                await parts.until(remote, lambda counts: parts.called(counts, "sendMessage") >= number)
                rates.append(number / (time.time() - began))
            pressed, _ = await flat_out(remote, bot, first=FIRST, number=number, name="aiogram")
    return rates[-1], pressed


def _edited(number: int) -> parts.Callable[[dict[str, object]], bool]:
    return lambda counts: parts.called(counts, "editMessageText") >= number


async def flat_out(remote: Remote, bot: Running, *, first: int, number: int, name: str) -> tuple[float, float]:
    """All at once: presses a second, and CPU milliseconds each."""
    await remote.clear_counts()
    bot.mark()
    began = time.time()
    await remote.inject(*taken(first, number))
    good, counts = await parts.until(remote, _edited(number), bar=name, goal=2 * number)
    assert good, f"{name}: only {counts['methods']} of {number}"
    return number / (time.time() - began), 1000 * bot.used / number


async def steadily(remote: Remote, *, first: int, rate: float, seconds: float) -> dict[str, float]:
    """So many a second, evenly: percentiles of the time from the tap to its answer, in ms."""
    await remote.clear_counts()
    began, done, number = time.monotonic(), 0, int(rate * seconds)
    while done < number:
        due = min(number, int((time.monotonic() - began) * rate) + 1)
        if due > done:
            await remote.inject(*taken(first + done, due - done))
            done = due
        await asyncio.sleep(0.01)
    await parts.until(remote, _edited(number))
    waits = cast("dict[str, float]", (await remote.counts())["waits"])
    return {part: 1000 * seconds_ for part, seconds_ in waits.items()}


async def in_a_burst(remote: Remote, folder: Path, *, first: int, burst: int) -> dict[str, float]:
    """The waits of 20 taps a second while `burst` reminders fall due at once."""
    connection = parts.open_file(folder)
    parts.fill(connection, Crowd(burst, datetime.now(UTC), first=90_000_000))
    connection.close()
    await parts.until(remote, lambda counts: parts.called(counts, "sendMessage") > 0)
    return await steadily(remote, first=first, rate=20, seconds=5)


@asynccontextmanager
async def _echo(remote: Remote, folder: Path) -> AsyncIterator[Running]:
    values = {"BOT_TOKEN": parts.TOKEN, "TELEGRAM_API_URL": remote.url}
    async with parts.running("-m", "benchmarks.echo_bot", log=folder / "echo.log", **values) as process:
        await parts.until(remote, lambda counts: parts.called(counts, "getUpdates") > 0)
        yield process


async def run(*, number: int = 6000) -> list[Figure]:
    """Presses flat out and at half of that, with the echo bot beside them."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with await parts.fresh(folder) as connection:
            parts.fill(connection, Crowd(3 * number + 100, now + timedelta(hours=20)))
            parts.remind_everybody(connection, night=now.date(), now=now)
        connection.close()
        async with parts.stand_in() as (remote, _), _echo(remote, folder) as echo:
            slow = number // 6
            echo_rate, echo_cpu = await flat_out(remote, echo, first=FIRST, number=slow, name="echo bot")
        echoed, edited = await aiogram(number=number // 3)
        async with parts.stand_in() as (remote, server), parts.lull(remote, folder) as bot:
            await flat_out(remote, bot, first=FIRST, number=number // 10, name="warm")
            server.mark()
            rate, cpu = await flat_out(remote, bot, first=FIRST + number, number=number, name="presses")
            share = server.used / number * 1000
            waits = await steadily(remote, first=FIRST + 2 * number, rate=450, seconds=min(8, number / 450))
            await remote.clear_counts()
            crowded = await in_a_burst(remote, folder, first=FIRST + 3 * number, burst=number // 3)
    return [
        Figure("presses written and answered", rate, "/s", ">= 900", echo_rate, "echo bot, writes nothing"),
        *(
            [
                Figure(
                    "the same, beside aiogram", rate, "/s", ">= 1.2 x", edited, "the same two calls, writes nothing"
                ),
                Figure("the same, beside aiogram's echo", rate, "/s", ">= 1 x", echoed, "one call, writes nothing"),
            ]
            if echoed
            else []
        ),
        Figure("CPU of a press", cpu, "ms", "", echo_cpu, "echo bot"),
        Figure("CPU of the stand-in for it", share, "ms"),
        Figure("tap to answer at 450/s, p50", waits["50"], "ms"),
        Figure("tap to answer at 450/s, p99", waits["99"], "ms", "<= 100"),
        Figure(f"tap to answer in a burst of {number // 3}, p99", crowded["99"], "ms", "<= 100"),
    ]


if __name__ == "__main__":
    import sys

    print(parts.table(asyncio.run(run(number=int(sys.argv[1]) if len(sys.argv) > 1 else 6000))))
