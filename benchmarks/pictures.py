"""What a picture costs: CPU for each, the event loop's longest gap meanwhile, memory, and a ten-year diary's opening.

python -m benchmarks.pictures
"""

from __future__ import annotations

import asyncio
import random
import resource
import tempfile
import time
from collections.abc import Awaitable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bot import charts
from bot.charts import Calendar, Drawing
from bot.core import diary
from bot.core.model import Intake, NightRecord, Rating
from bot.delivery.studio import Studio
from db import nights
from db.engine import Database

LAST = date(2026, 11, 13)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CALENDAR = Calendar(tuple("MTWTFSS"), MONTHS, 0)


def records(count: int) -> list[NightRecord]:
    """So many nights, most of them told."""
    chance = random.Random(1)
    return [
        NightRecord(
            LAST - timedelta(days=shift),
            intake=chance.choice([Intake.TAKEN, Intake.TAKEN, Intake.SKIPPED, None]),
            rating=chance.choice([None, *Rating]),
        )
        for shift in reversed(range(count))
    ]


def picture(count: int) -> Drawing:
    first = LAST - timedelta(days=count - 1)
    return charts.nights(diary.cells(records(count), first, LAST), first=first, calendar=CALENDAR)


async def gap(work: Awaitable[object]) -> float:
    """Seconds of the longest pause of the event loop while the work is awaited."""
    worst, running = 0.0, True

    async def tick() -> None:
        nonlocal worst
        before = time.perf_counter()
        while running:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            worst, before = max(worst, now - before - 0.001), now

    ticking = asyncio.create_task(tick())
    await work
    running = False
    await ticking
    return worst


async def in_the_studio() -> None:
    """The bot's way: a process of its own."""
    studio = Studio()
    began = time.perf_counter()
    print(f"first picture, with the process's start: gap {1000 * await gap(studio.draw(picture(91))):.1f} ms", end=", ")
    print(f"{time.perf_counter() - began:.2f} s in all")
    gaps = [await gap(studio.draw(picture(count))) for count in (1, 30, 91, 365, 3650) * 4]
    print(f"twenty more: longest gap {1000 * max(gaps):.1f} ms, median {1000 * sorted(gaps)[10]:.1f} ms")
    process = studio._process  # noqa: SLF001 - its memory is what is asked here
    if process is not None:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        print("the drawing process:", next(line for line in status.splitlines() if line.startswith("VmRSS")))
    print(f"the bot's own memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
    await studio.close()


async def ten_years() -> None:
    """Open, draw, and read everything of 3,650 nights."""
    with tempfile.TemporaryDirectory() as folder:
        database, studio = Database(f"sqlite+aiosqlite:///{folder}/lull.db"), Studio()
        await database.migrate()
        at = datetime(2026, 11, 14, 8, 0, tzinfo=UTC)
        async with database.write() as db:
            for record in records(3650):
                await nights.record_intake(db, 7, record.night, record.intake, at=at)
                await nights.record_rating(db, 7, record.night, record.rating, at=at)
        await studio.draw(picture(1))
        began = time.perf_counter()
        async with database.read() as db:
            found = await nights.between(db, 7, LAST - timedelta(days=3649), LAST)
        diary.tally(found, nights=3650)
        diary.insight(found)
        opened = time.perf_counter()
        first = found[0].night
        await studio.draw(charts.nights(diary.cells(found, first, LAST), first=first, calendar=CALENDAR))
        print(f"ten years: read and counted in {opened - began:.2f} s, drawn in {time.perf_counter() - opened:.2f} s")
        await studio.close()
        await database.close()


async def in_a_thread() -> None:
    """The way not taken."""
    from bot.charts import drawing

    drawing.draw(picture(1))
    gaps = [await gap(asyncio.to_thread(drawing.draw, picture(count))) for count in (91, 365, 3650) * 4]
    print(f"in a thread instead: longest gap {1000 * max(gaps):.1f} ms")


def cpu() -> None:
    """CPU seconds of each picture, after the import."""
    from bot.charts import drawing

    every = {f"{count} nights": picture(count) for count in (1, 30, 91, 365, 3650)}
    every["interval"] = charts.interval(low=-8.0, middle=9.0, high=26.0)
    every["week"] = charts.week([(1, True)] * 7, first=LAST, calendar=CALENDAR)
    for name, one in every.items():
        drawing.draw(one)
        spent = []
        for _ in range(5):
            began = time.process_time()
            content = drawing.draw(one)
            spent.append(time.process_time() - began)
        print(f"{name:>12}: {1000 * sorted(spent)[2]:4.0f} ms CPU, {len(content) // 1024} KB")


async def main() -> None:
    await in_the_studio()
    await ten_years()
    cpu()
    await in_a_thread()


if __name__ == "__main__":
    asyncio.run(main())
