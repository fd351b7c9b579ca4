"""A day of steady work: memory, file handles and tasks stay where they were after the first hour."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from tests.crash import town as towns
from tests.crash.soak.row import Found, Play

NOON = datetime(2026, 3, 25, 12, tzinfo=UTC)
HALF_HOURS = 48
GROWTH = 1.05
"""How much larger the process may be at the end than after its first hour."""

MORE = 2
"""File handles or tasks more than after the first hour: a connection to Telegram is opened when two requests meet."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process has, at a moment when nobody is owed anything; the least of several looks."""

    hour: int
    rss: int  # KiB
    handles: int
    tasks: int


async def day(play: Play) -> Found:
    """Bedtimes all round the clock; everybody answers the reminder and the question."""
    hours, each, speed = (4, 1, 1200.0) if play.quick else (24, 5, 480.0)
    crowd = each * HALF_HOURS
    async with towns.founded(play.folder, begin=NOON - timedelta(hours=1), speed=speed) as town:
        await town.settle(crowd, beds=[30 * number for number in range(HALF_HOURS)])
        port = _free_port()
        await town.start(LISTEN=f"127.0.0.1:{port}")
        town.clock.set(NOON)
        samples, pressed = [], _Pressed(town)
        while len(samples) <= hours:
            hour = len(samples)
            # Reminders come at a quarter past and to, questions at the full and half hours.
            await _work_until(town, pressed, NOON + timedelta(hours=hour, minutes=11))
            samples.append(await _sample(town, hour, port))
            play.show(hour / hours, f"hour {hour}: {samples[-1].rss // 1024} MiB, {samples[-1].handles} handles")
        done, code = pressed.number, await town.stop()
    first = samples[1]
    later = samples[2:]
    quarters = ", ".join(f"{sample.rss / 1024:.1f}" for sample in samples[hours // 4 :: hours // 4])
    found = Found(
        f"{hours} hours at {speed:g} times the speed of life, {crowd} people, {done} taps",
        f"memory {first.rss / 1024:.1f} MiB after the first hour, then each quarter {quarters}; "
        f"handles {first.handles}, at most {max(s.handles for s in later)}; "
        f"tasks {first.tasks}, at most {max(s.tasks for s in later)}",
    )
    found.must(max(s.rss for s in later) <= first.rss * GROWTH, f"memory grows: {[s.rss for s in samples]} KiB")
    found.must(max(s.handles for s in later) <= first.handles + MORE, f"handles: {[s.handles for s in samples]}")
    found.must(max(s.tasks for s in later) <= first.tasks + MORE, f"tasks: {[s.tasks for s in samples]}")
    found.must(code == 0 and "Traceback" not in town.bot.log, "a traceback, or no clean end")
    return found


@dataclass(slots=True)
class _Pressed:
    """Everybody's finger: the first button of whatever is new."""

    town: towns.Town
    number: int = 0
    seen: int = 0

    async def all(self) -> None:
        events = self.town.telegram.world.events
        while self.seen < len(events):
            event = events[self.seen]
            self.seen += 1
            person = self.town.telegram.people.get(event.chat_id)
            message = None if person is None else person.room.messages.get(event.message_id)
            if event.kind != "message" or person is None or message is None or not message.markup:
                continue
            data = re.search(r"v1:(?:taken|rate):[\d:-]+", str(message.markup))
            if data is not None:
                await person.press(data=data[0], message=event.message_id)
                self.number += 1


async def _work_until(town: towns.Town, pressed: _Pressed, moment: datetime) -> None:
    while town.clock.now() < moment:
        await pressed.all()
        await asyncio.sleep(0.02)


async def _sample(town: towns.Town, hour: int, port: int) -> Sample:
    looks = []
    for _ in range(5):
        looks.append(await _look(town.bot.pid, port))
        await asyncio.sleep(0.02)
    return Sample(hour, *(min(values) for values in zip(*looks, strict=True)))


async def _look(pid: int, port: int) -> tuple[int, int, int]:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    rss = int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # type: ignore[index]
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        page = await answer.text()
    tasks = re.search(r"^lull_tasks (\S+)", page, re.MULTILINE)
    assert tasks is not None
    return rss, len(os.listdir(f"/proc/{pid}/fd")), int(float(tasks[1]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
