"""Files are read in a process of its own: the same result, nothing else within its reach, and an end when the bot wants one."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from bot.clock import RealClock
from bot.core import diary_import
from bot.core.diary_import import Arrived, Choice, ImportProblem
from bot.telegram.file_reader import MOST_WAITING, FileReader, NotRead
from bot.worker import limits, reading
from bot.worker.process import NotDone, WorkerProcess

ROOT = Path(__file__).parents[2]
LAST = date(2026, 3, 25)
SHEET = (
    b"night,intake,intake_at,rating,note,evening,in_bed,woke\n"
    b"2026-03-20,taken,2026-03-20T21:00:00+00:00,better,=1+1,,22:30,06:10\n2026-03-21,skipped,,,,,,\n"
)


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return out.getvalue()


HABIT = b"Date,Value,Notes\n2026-03-20,YES_MANUAL,\n"
TWO_HABITS = b"Date,Walk,Water\n2026-03-20,YES_MANUAL,NO\n2026-03-21,NO,NO\n"


@pytest.fixture
async def reader() -> AsyncIterator[FileReader]:
    reader = FileReader(clock=RealClock())
    yield reader
    await reader.close()


async def read(reader: FileReader, data: bytes, *, user: int = 1) -> Arrived | Choice | ImportProblem:
    return await reader.read(user, data, zone="Europe/Berlin", last=LAST)


@pytest.mark.parametrize(
    "data",
    [
        SHEET,
        b"",
        b"PK\x03\x04",
        b"night,intake\nxyz,taken\n",
        SHEET.decode().encode("utf-16"),
        packed(nights_csv=SHEET),
        packed(**{"001 Größe__Checkmarks_csv": HABIT}),
        TWO_HABITS,
    ],
)
async def test_what_comes_back_is_what_reading_it_here_would_give(reader: FileReader, data: bytes) -> None:
    assert await read(reader, data) == diary_import.read(data, zone="Europe/Berlin", last=LAST)


async def test_no_process_is_left_of_one_file_for_the_next(reader: FileReader) -> None:
    await read(reader, SHEET)

    assert reader._worker.process is None


async def test_a_person_who_had_three_files_read_waits_and_others_do_not(reader: FileReader) -> None:
    for _ in range(3):
        assert reader.wait(1) == 0
        await read(reader, SHEET)

    assert reader.wait(1) > 0
    assert reader.wait(2) == 0


async def test_with_many_files_waiting_the_next_is_refused_without_being_counted(reader: FileReader) -> None:
    waiting = [asyncio.create_task(read(reader, SHEET, user=user)) for user in range(10, 10 + MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(NotRead):
        await read(reader, SHEET)

    assert reader.wait(1) == 0
    await reader.close()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_at_the_end_nobody_waits_for_a_file_that_is_being_read() -> None:
    reader = FileReader(clock=RealClock())
    tasks = [asyncio.create_task(read(reader, SHEET, user=user)) for user in (1, 2, 3)]
    while reader._worker.process is None:
        await asyncio.sleep(0)
    process = reader._worker.process
    await reader.close()

    assert process.returncode is not None
    assert {type(end) for end in await asyncio.gather(*tasks, return_exceptions=True)} == {NotRead}


async def test_a_process_that_hangs_is_ended_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.worker.process.PATIENCE", 0.01)
    worker = WorkerProcess("read", lasting=False)
    with pytest.raises(NotDone, match="TimeoutError"):
        await worker.ask(reading.question(SHEET, zone="Europe/Berlin", last=LAST))

    assert worker.process is None


CONFINED = """
import socket, subprocess, sys
from bot.worker import limits
limits.confine()
try:
    {attempt}
except (OSError, MemoryError) as error:
    sys.exit(7)
"""


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.socket()",
        "open('/etc/hostname')",
        "subprocess.run(['true'])",
        f"bytearray({limits.MEMORY})",
        "__import__('resource').setrlimit(7, (100, 100)) or socket.socket()",
    ],
)
def test_a_confined_process_reaches_nothing(attempt: str) -> None:
    if attempt.startswith("__import__"):
        attempt = f"try:\n        {attempt}\n    except ValueError as error:\n        raise OSError from error"
    done = subprocess.run(
        [sys.executable, "-c", CONFINED.format(attempt=attempt)], cwd=ROOT, check=False, capture_output=True
    )

    assert done.returncode == 7, done.stderr


def test_a_confined_process_still_knows_every_encoding_and_zone_that_a_file_may_need() -> None:
    code = (
        "from bot.worker import reading; from datetime import date;"
        "reading.confined(reading.question(b'night\\n', zone='Pacific/Chatham', last=date(2026, 3, 25)));"
        "[b''.decode(name) for name in reading._ENCODINGS];"
        "from bot.core import schedule; schedule._zone('Pacific/Chatham')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True)

    assert done.returncode == 0, done.stderr
