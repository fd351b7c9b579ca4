"""The stand-in as a process of its own, the fast mode, and the demo on a pipe."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import sys
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from bot.clock import SharedClock
from bot.fake_telegram import client, counting, demo, server
from tests.fake_telegram.caller import Caller

ECHO = (sys.executable, str(Path(__file__).with_name("echo_bot.py")))


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[str]:
    """The address of a stand-in in a process of its own, which must stop well."""
    command = [sys.executable, "-m", "bot.fake_telegram", "--port", "0", *arguments]
    started = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert started.stdout is not None
    line = (await asyncio.wait_for(started.stdout.readline(), 20)).decode().strip()
    try:
        yield line.removeprefix("listening on ")
    finally:
        started.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(started.wait(), 10) == 0


async def test_a_process_shares_the_clock_and_is_driven_over_http(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", origin=datetime(2026, 11, 20, 20, tzinfo=UTC))
    async with process("--clock", str(tmp_path / "clock")) as url, client.connected(url) as remote:
        ada = await remote.person(42)
        await ada.send("/start")
        await remote.skip(3600)
        async with aiohttp.ClientSession() as session:
            body = {"chat_id": 42, "text": "Hello"}
            async with session.post(f"{url}/bot123456:TEST/sendMessage", json=body) as answer:
                assert answer.status == 200

        message = await ada.next()

    assert message.text == "Hello"
    assert (message.at.hour, clock.now().hour) == (21, 21)


async def test_the_fast_mode_counts_instead_of_keeping() -> None:
    async with server.running(fast=True) as telegram, aiohttp.ClientSession() as session:
        caller = Caller(telegram, session)
        async with client.connected(telegram.url) as remote:
            await remote.inject({"callback_query": {"id": "77"}})
            sent = await caller.json("sendMessage", chat_id=5, text="x")
            await caller.form("editMessageText", {"chat_id": "6", "message_id": "1", "text": "y"})
            await caller.json("answerCallbackQuery", callback_query_id="77")
            polled = await caller.json("getUpdates")
            refused = await caller.json("sendMessage", text="x")
            counts = await remote.counts()

    assert (sent["result"]["chat"]["id"], sent["result"]["message_id"]) == (5, 1)
    assert refused["error_code"] == 400
    assert polled["result"][0]["callback_query"] == {"id": "77"}
    assert counts["methods"] == {"sendMessage": 2, "editMessageText": 1, "answerCallbackQuery": 1, "getUpdates": 1}
    assert counts["fullest_second"] == 2
    assert set(counts["waits"]) == {"50", "95", "99", "100"}
    assert telegram.world.rooms == {}


def test_the_fullest_second_may_lie_across_two() -> None:
    assert counting.fullest_second(array("d", [0.0, 0.9, 1.5, 1.6, 1.7, 1.85, 3.0])) == 5
    assert counting.fullest_second(array("d")) == 0


async def chat(script: str, *command: str) -> tuple[int, str]:
    """What the demo prints for these lines."""
    source, end = os.pipe()
    out = io.StringIO()
    os.write(end, script.encode())
    os.close(end)
    try:
        code = await asyncio.wait_for(demo.run(source, out, scripted=True, command=command or ECHO), 90)
    finally:
        os.close(source)
    return code, out.getvalue()


@pytest.mark.long
async def test_a_scripted_evening_reads_as_a_chat() -> None:
    code, shown = await chat(
        "/start\n1\n/skip 90m\nhello\n3\n/press Snooze\n/skip now\n/clock Nowhere/Else\n9\n/quit\nnever\n"
    )

    assert code == 0
    assert "\x1b" not in shown
    lines = [
        re.sub(r"^\d\d:\d\d", "HH:MM", line) for line in shown.splitlines() if not line.startswith(("---", "It is"))
    ]
    assert lines[3:] == [
        "HH:MM  Lull  You said /start",
        "             [1] Taken  [2] Snooze",
        "             [3] Read -> https://example.org/a",
        "HH:MM  you   [1]",
        "(notice: Noted)",
        "HH:MM  Lull  (edited) You pressed t",
        "HH:MM  you   /skip 90m",
        "HH:MM  Lull  (silent) An hour has passed",
        "HH:MM  you   hello",
        "HH:MM  Lull  You said hello",
        "             [1] Taken  [2] Snooze",
        "             [3] Read -> https://example.org/a",
        "HH:MM  you   [3]",
        "(opens https://example.org/a)",
        "HH:MM  you   /press Snooze",
        "(notice: Noted)",
        "HH:MM  Lull  (edited) You pressed s",
        "HH:MM  you   /skip now",
        "Like this: /skip 45m, /skip 8h, /skip 1h30m, /skip to 22:15.",
        "HH:MM  you   /clock Nowhere/Else",
        "There is no zone 'Nowhere/Else'; try Europe/Berlin.",
        "HH:MM  you   [9]",
        "There is no button 9 now.",
        "HH:MM  you   /quit",
    ]
    assert re.search(r"^21:\d\d  Lull  \(silent\)", shown, re.MULTILINE)


async def test_a_bot_that_stops_by_itself_ends_the_demo_with_its_last_words() -> None:
    code, shown = await chat("/crash\nhello\n")

    assert code == 1
    assert "The bot stopped by itself (3)" in shown


async def test_the_log_of_a_bot_that_does_not_start_is_shown() -> None:
    code, shown = await chat("/start\n", sys.executable, "-c", "raise SystemExit('no database here')")

    assert code == 1
    assert "no database here" in shown


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("8h", 480), ("45m", 45), ("1h30m", 90), ("1d", 1440), ("to 22:15", 75), ("to 7:05", 605), ("to 21:00", 1440)],
)
def test_skips_are_read_as_people_write_them(text: str, minutes: int) -> None:
    span = demo._span(text, datetime(2026, 11, 20, 21, 0, tzinfo=ZoneInfo("Europe/Berlin")))

    assert span is not None
    assert span.total_seconds() == minutes * 60


@pytest.mark.parametrize("text", ["", "8", "to 25:00", "h", "tomorrow", "-5m"])
def test_other_skips_are_none(text: str) -> None:
    assert demo._span(text, datetime(2026, 11, 20, 21, 0, tzinfo=UTC)) is None
