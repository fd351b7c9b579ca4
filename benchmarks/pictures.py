"""What pictures cost: CPU for each, the event loop's longest gap meanwhile, and a ten-year diary opened, drawn and exported.

python -m benchmarks pictures
"""

from __future__ import annotations

import asyncio
import csv
import gc
import io
import random
import sqlite3
import statistics
import tempfile
import time
import zipfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psutil

from benchmarks import parts
from benchmarks.parts import Figure
from bot import charts, export
from bot.charts import Calendar, ClinicianPage, Drawing
from bot.core import diary, diary_csv
from bot.core.diary import Detail
from bot.core.diary_csv import Line
from bot.core.model import Intake, NightRecord, Rating
from bot.telegram.picture_process import PictureProcess
from bot.texts import language
from db import diary as details
from db import nights, personal_data, users
from db.engine import Database

LAST = date(2026, 11, 13)
NOW = datetime(2026, 11, 14, 8, 0, tzinfo=UTC)
YEARS = 3650
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CALENDAR = Calendar(tuple("MTWTFSS"), MONTHS, 0)
GOAL = "<= 150 ms"


# -- what is drawn -----------------------------------------------------------------------------------------------------


def lines(count: int) -> list[Line]:
    """So many nights, most of them told, every second one in all detail."""
    chance = random.Random(1)
    return [_line(chance, LAST - timedelta(days=shift)) for shift in reversed(range(count))]


def _line(chance: random.Random, night: date) -> Line:
    intake = chance.choice([Intake.TAKEN, Intake.TAKEN, Intake.SKIPPED, None])
    record = NightRecord(night, intake=intake, rating=chance.choice([None, *Rating]))
    if night.toordinal() % 2:
        return Line(record, Detail(night))
    woke = 400 + chance.randrange(60)
    detail = Detail(
        night, note="windy", in_bed=1350, tried=1370, latency=15, awakenings=2, awake=20, woke=woke, rose=440, quality=3
    )
    return Line(record, detail)


def picture(count: int) -> Drawing:
    """The heat map of so many nights."""
    first = LAST - timedelta(days=count - 1)
    cells = diary.cells((line.record for line in lines(count)), first, LAST)
    return charts.nights(cells, first=first, calendar=CALENDAR)


def _row(night: int, turn: int) -> tuple[str, ...]:
    lengths = f"7 h {(night + turn) % 60} min", f"6 h {(7 * night + turn) % 60} min"
    return f"Mon {1 + night % 28} Nov", "yes", "Much better", *lengths, f"{80 + night % 20} %"


def page(form: str, *, turn: int = 0) -> Drawing:
    """A doctor's page of eight weeks; every turn has other numbers, so that nothing is remembered from the last one."""
    rows = tuple(_row(number, turn) for number in range(56))
    facts = tuple((f"What was counted, {number}", f"{number + turn} of 56") for number in range(5))
    heads = ("Night", "Taken", "Sleep", "In bed", "Asleep", "Efficiency")
    whole = ClinicianPage(
        "Sleep and magnesium diary", "self-report, not a measurement", facts, heads, rows, ("Small print.",) * 2
    )
    return charts.page(whole, whole, form=form)


def _empty(width: float, height: float) -> Callable[[int], object]:
    """The baseline: nothing, on a figure of that size, through matplotlib alone."""
    from matplotlib.figure import Figure as Empty

    def draw(_turn: int) -> None:
        Empty(figsize=(width, height), dpi=200).savefig(io.BytesIO(), format="png")

    return draw


def milliseconds(work: Callable[[int], object], times: int = 7) -> float:
    """Median CPU of a piece of work, after a first time that does not count."""
    work(0)
    spent = []
    for turn in range(1, times + 1):
        began = time.process_time()
        work(turn)
        spent.append(time.process_time() - began)
    return 1000 * statistics.median(spent)


def cpu() -> list[Figure]:
    """CPU of each picture, in a process that has drawn before."""
    from bot.charts import drawing

    chart, sheet_ = milliseconds(_empty(5.4, 3.2)), milliseconds(_empty(8.27, 11.69))
    every: dict[str, Callable[[int], Drawing]] = {
        "the week": lambda _: charts.week([(1, True)] * 7, first=LAST, calendar=CALENDAR),
        "an interval": lambda _: charts.interval(low=-8.0, middle=9.0, high=26.0),
        "91 nights": lambda _: picture(91),
        "a year of nights": lambda _: picture(365),
        "ten years of nights": lambda _: picture(YEARS),
        "the doctor's page, picture": lambda turn: page("png", turn=turn),
        "the doctor's page, PDF": lambda turn: page("pdf", turn=turn),
    }
    figures = []
    for number, (name, make) in enumerate(every.items(), 1):
        ready = [make(turn) for turn in range(8)]
        spent = milliseconds(lambda turn, ready=ready: drawing.draw(ready[turn]))
        figures.append(Figure(name, spent, "ms CPU", GOAL, sheet_ if "page" in name else chart, "an empty figure"))
        parts.progress("pictures", number, len(every))
    return figures


# -- the event loop ----------------------------------------------------------------------------------------------------


async def gap(work: Awaitable[object]) -> tuple[float, float]:
    """Milliseconds of the longest pause of the event loop while the work is awaited, and of its own CPU between two ticks.

    On a machine with other work the pause is the others' doing too; the CPU is not.
    """
    worst, own, running = 0.0, 0.0, True

    async def tick() -> None:
        nonlocal worst, own
        before, spent = time.perf_counter(), time.thread_time()
        while running:
            await asyncio.sleep(0.001)
            now, used = time.perf_counter(), time.thread_time()
            worst, own, before, spent = max(worst, now - before - 0.001), max(own, used - spent), now, used

    ticking = asyncio.create_task(tick())
    await work
    running = False
    await ticking
    return 1000 * worst, 1000 * own


async def gaps() -> list[Figure]:
    """The bot's way, a process of its own, beside a thread."""
    from bot.charts import drawing

    process = PictureProcess()
    starting = await gap(process.draw(picture(91)))
    every = [picture(count) for count in (1, 30, 91, 365, YEARS)] + [page("png"), page("pdf")]
    found = [await gap(process.draw(one)) for one in every * 3]
    threaded = [await gap(asyncio.to_thread(drawing.draw, one)) for one in every * 3]
    idle = [await gap(asyncio.sleep(0.2)) for _ in range(21)]
    memory = (
        0.0 if process.worker.process is None else psutil.Process(process.worker.process.pid).memory_info().rss / 1e6
    )
    await process.close()
    return [
        Figure(
            "longest gap of the loop, 21 pictures", max(found)[0], "ms", "<= 20 ms", max(threaded)[0], "in a thread"
        ),
        Figure("the same, of 21 naps of 0.2 s", max(idle)[0], "ms"),
        Figure("the loop's own CPU in one go, pictures", max(own for _, own in found), "ms"),
        Figure("gap at the drawing process's start", starting[0], "ms"),
        Figure("memory of the drawing process", memory, "MB"),
    ]


# -- ten years ---------------------------------------------------------------------------------------------------------


async def ten_years() -> list[Figure]:
    """Open, draw and export everything of 3,650 nights; CPU, since the machine may have other work."""
    with tempfile.TemporaryDirectory() as folder:
        file, database, process = (
            Path(folder) / "lull.db",
            Database(f"sqlite+aiosqlite:///{folder}/lull.db"),
            PictureProcess(),
        )
        await database.migrate()
        await _lived(database)
        opening = await _spent(_open(database))
        bare = milliseconds(lambda _: _bare_read(file), 3)
        rows = list(csv.reader(io.StringIO(diary_csv.written(lines(YEARS)))))
        written = milliseconds(lambda _: _bare_export(rows), 3)
        await process.draw(picture(1))
        before = psutil.Process(process.worker.process.pid).cpu_times().user if process.worker.process else 0.0
        exporting = await _spent(_export(database, process))
        drawing = (
            psutil.Process(process.worker.process.pid).cpu_times().user - before if process.worker.process else 0.0
        )
        pause, own = await gap(_export(database, process))
        await process.close()
        await database.close()
    whole = (opening + exporting) / 1000 + drawing
    return [
        Figure("ten years: read and counted", opening, "ms CPU", "", bare, "bare sqlite3"),
        Figure("ten years: exported, without the drawing", exporting, "ms CPU", "", written, "the sheet into a ZIP"),
        Figure("ten years: opened, drawn and exported", whole, "s CPU", "< 1 s"),
        Figure("longest gap of the loop in an export", pause, "ms"),
        Figure("the loop's own CPU in one go, export", own, "ms", "<= 20 ms"),
    ]


async def _lived(database: Database) -> None:
    async with database.write() as db:
        await users.create(db, 7, now=NOW, language="en")
        for line in lines(YEARS):
            await nights.record_intake(db, 7, line.night, line.record.intake, at=NOW)
            await nights.record_rating(db, 7, line.night, line.record.rating, at=NOW)
            await details.save(db, 7, Detail(line.night), line.detail)


async def _spent(work: Awaitable[object]) -> float:
    """Milliseconds of this process's CPU."""
    began = time.process_time()
    await work
    return 1000 * (time.process_time() - began)


async def _open(database: Database) -> None:
    async with database.read() as db:
        found = await nights.between(db, 7, LAST - timedelta(days=YEARS - 1), LAST)
    diary.tally(found, nights=YEARS)
    diary.insight(found)


async def _export(database: Database, process: PictureProcess) -> bytes:
    """As the bot does it after /export."""
    async with database.read() as db:
        everything = await personal_data.read(db, 7)
    if everything is None:
        raise RuntimeError("nobody to export")
    words = language.words("en")
    held = export.Held(everything.person, everything.lines, everything.trials, everything.rows)
    wanted = await asyncio.to_thread(export.drawings, words, held)
    pictures: dict[str, bytes | None] = {name: await process.draw(one) for name, one in wanted.items()}
    return await asyncio.to_thread(export.archive, words, held, pictures=pictures, now=NOW)


def _bare_read(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("SELECT * FROM nights WHERE user_id = 7 ORDER BY night").fetchall()


def _bare_export(rows: list[list[str]]) -> None:
    """The baseline: the same cells, written and packed by the standard library alone."""
    text, out = io.StringIO(), io.BytesIO()
    csv.writer(text).writerows(rows)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("nights.csv", text.getvalue())


async def run() -> list[Figure]:
    """All of it. The loop is measured first, without matplotlib's objects in this process, and frozen as the bot's start is."""
    gc.collect()
    gc.freeze()
    years = await ten_years()
    return [*cpu(), *await gaps(), *years]


if __name__ == "__main__":
    print(parts.table(asyncio.run(run())))
