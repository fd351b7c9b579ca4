"""The link that makes the first admin: on a terminal or when it is asked for, and nowhere else."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from pathlib import Path

import pytest

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from tests.conftest import ROOT, TOKEN, Process, both_engines


@both_engines
async def test_a_log_shows_no_link_but_how_to_get_one(lull: Process, telegram: Telegram) -> None:
    ada = telegram.person(1, language_code="en")
    await ada.send("/start")
    await ada.next()
    code = await lull.claim()

    assert "python -m bot claim" in lull.log
    assert "claim_" not in lull.log
    assert code not in lull.log


async def test_a_terminal_shows_the_link(tmp_path: Path, telegram: Telegram, clock: SharedClock) -> None:
    del clock
    ours, theirs = pty.openpty()
    environment = {
        "PATH": os.environ["PATH"],
        "BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": telegram.url,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'lull.db'}",
        "CLOCK_FILE": str(tmp_path / "clock"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", env=environment, cwd=ROOT, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said = b""
    try:
        async with asyncio.timeout(60):
            while b"?start=claim_" not in said:
                said += await asyncio.to_thread(os.read, ours, 4096)
    finally:
        process.terminate()
        reading = asyncio.create_task(asyncio.to_thread(_drain, ours))
        assert await process.wait() == 0, said
        await reading
        os.close(ours)


def _drain(terminal: int) -> None:
    """A terminal that nobody reads would hold up who writes to it."""
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:  # everybody on the other side is gone
        return


@pytest.mark.parametrize("how", ["named", "claimed"])
async def test_with_an_admin_there_is_no_link(lull: Process, telegram: Telegram, how: str) -> None:
    ada = telegram.person(1, language_code="en")
    await ada.send("/start")
    await ada.next()
    environment = {"BOT_TOKEN": TOKEN, "PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{lull.folder}/lull.db"}
    if how == "named":
        environment["ADMIN_IDS"] = "1"
    else:
        await ada.send(f"/start claim_{await lull.claim()}")
        await ada.until(lambda seen: "You are the admin now" in seen.text)
    asked = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "claim",
        env=environment,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await asked.communicate()

    assert asked.returncode == 1
    assert said == b""
    assert b"ADMIN_IDS" in complained
