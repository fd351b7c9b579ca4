"""A bot that is forked is one that was started: its words, its exit codes, its environment, and its death."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from tests import bots
from tests.conftest import Process


async def ended(folder: Path, *, anew: bool, **environment: str) -> tuple[int, str]:
    """The exit code and the words of a bot that ends by itself."""
    folder.mkdir()
    process = Process(folder, "http://127.0.0.1:9", environment=environment, anew=anew)
    await process.start()
    assert process.running is not None
    return await asyncio.wait_for(process.running.wait(), 60), process.log


async def test_what_it_refuses_it_refuses_in_the_same_words(tmp_path: Path) -> None:
    wrong = {"BOT_TOKEN": "", "SEND_RATE": "fast"}
    forked = await ended(tmp_path / "forked", anew=False, **wrong)
    anew = await ended(tmp_path / "anew", anew=True, **wrong)

    assert forked == anew
    assert forked[0] == 2
    assert "SEND_RATE is “fast”" in forked[1]


async def test_it_has_no_variable_but_its_own(
    tmp_path: Path, telegram: Telegram, clock: SharedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    del clock
    monkeypatch.setenv("SEND_RATE", "fast")  # which nobody could start with
    process = Process(tmp_path, telegram.url, environment={"LOG_FORMAT": "json"})
    await process.start()
    await telegram.person(7).send("/start")
    await telegram.person(7).next()

    assert await process.stop() == 0
    assert all(line.startswith("{") for line in process.log.splitlines())


async def test_killed_it_is_dead_and_so_is_whatever_is_left_at_the_end(
    tmp_path: Path, telegram: Telegram, clock: SharedClock
) -> None:
    del clock
    first, second = (Process(tmp_path / name, telegram.url) for name in ("first", "second"))
    async with bots.none_left():
        for process in (first, second):
            process.folder.mkdir()
            process.environment["CLOCK_FILE"] = str(tmp_path / "clock")
            await process.start()
        await first.kill()
        assert second.running is not None
        assert second.running.returncode is None

    assert first.running is not None
    assert (first.running.returncode, second.running.returncode) == (-signal.SIGKILL, -signal.SIGKILL)
    with pytest.raises(ProcessLookupError):
        first.running.kill()
