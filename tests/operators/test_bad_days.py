"""Days on which something around the bot is wrong: it says so in a sentence, loses nothing, and goes on by itself."""

from __future__ import annotations

import asyncio
import re
import shlex
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.clock import SharedClock
from bot.fake_telegram import server
from bot.fake_telegram.people import Person
from bot.fake_telegram.telegram import Telegram
from tests.conftest import ROOT, TOKEN, Process

EVENING = datetime(2026, 3, 26, 20, 44, 58, tzinfo=UTC)


async def until(found: Callable[[], bool], what: Callable[[], str]) -> None:
    """Wait for what another process writes, where nothing tells of it."""
    for _ in range(600):
        if found():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(what())


async def set_up(person: Person) -> None:
    await person.send("/start")
    message = await person.next()
    for label in ("I understand", "22:30", "Berlin", "Citrate"):
        before = message.text
        await person.press(next(text for text in message.labels if text.startswith(label)))
        message = await person.until(lambda seen, before=before: seen.text != before)  # type: ignore[misc]


async def test_a_telegram_that_is_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    clock = SharedClock.create(tmp_path / "clock", origin=EVENING)
    process = Process(tmp_path, f"http://127.0.0.1:{port}")
    await process.start()
    try:
        sentence = "Telegram is not reachable yet"
        await until(lambda: process.log.count(sentence) >= 2, lambda: process.log)
        async with server.running(clock=clock, token=TOKEN, port=port) as telegram:
            ann = telegram.person(7)
            await ann.send("/start")
            await ann.next()
        away = re.compile(r"no updates from Telegram .*why=refused")
        await until(lambda: away.search(process.log) is not None, lambda: process.log)
        assert await process.stop() == 0
        assert re.search(rf"{sentence} .*why=refused", process.log)
        assert "Traceback" not in process.log
    finally:
        if process.running is not None and process.running.returncode is None:
            await process.kill()


@pytest.mark.long
async def test_a_revoked_token_stops_sending_and_a_good_one_goes_on(
    lull: Process, telegram: Telegram, clock: SharedClock
) -> None:
    ann = telegram.person(7, language_code="de")
    await set_up(ann)
    telegram.token = "123456:REVOKED"
    clock.set(EVENING)
    sentence = "Telegram does not accept the token; nothing is sent for a minute"
    await until(lambda: sentence in lull.log, lambda: lull.log)
    tried = len(telegram.called_with("sendMessage"))

    # Nobody is taken for gone because of it, and the reminder is still owed: it is settled just after the log says so.
    owed = "SELECT state FROM outbox WHERE kind = 'reminder'"
    await until(lambda: lull.rows(owed) == [("due",)], lambda: str(lull.rows(owed)))
    assert lull.rows("SELECT status FROM users") == [("active",)]

    telegram.token = TOKEN
    # A minute of the bot's clock in a real second: now it may try again.
    clock.set(clock.now(), speed=60.0)
    reminder = await ann.until(lambda seen: "Time for your magnesium" in seen.text)
    clock.set(clock.now(), speed=1.0)
    assert "again" not in reminder.text  # it is the first copy: the refused one never left
    assert len(telegram.called_with("sendMessage")) <= tried + 2
    await ann.send("/help")
    await ann.until(lambda seen: "/tonight" in seen.text)


def test_a_backup_for_which_there_is_no_room_is_one_sentence_and_leaves_nothing(
    migrated_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "lull.db").write_bytes(migrated_file.read_bytes())
    command = (
        f"ulimit -f 24; exec {shlex.quote(sys.executable)} -m bot backup"  # no file over 24 KiB, as on a full disk
    )
    ended = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "BOT_TOKEN": TOKEN,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'lull.db'}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert "could not be copied to data/backups: " in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert list((tmp_path / "data" / "backups").iterdir()) == []
    connection = sqlite3.connect(tmp_path / "lull.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
