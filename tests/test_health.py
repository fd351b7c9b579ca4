"""Health: the judgement, the state file, `healthcheck`, /healthz and /metrics of the real process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import aiohttp

from bot import health
from bot.clock import SharedClock
from bot.fake_telegram.faults import Fault
from bot.fake_telegram.telegram import Telegram
from bot.health import Health
from tests.conftest import ROOT, Process
from tests.updates.front import logged


def test_a_part_that_is_silent_for_too_long_is_red_until_it_is_good_again() -> None:
    found = Health()

    found.judge({"telegram": 89.0, "tick": 1.0}, {}, now=0.0)
    assert found.report() == {"healthy": True, "red": {}}
    found.judge({"telegram": 91.0, "tick": 16.0}, {"database": "no answer"}, now=10.0)
    assert found.red == {
        "telegram": "not good for 91 seconds",
        "tick": "not good for 16 seconds",
        "database": "no answer",
    }
    found.judge({"telegram": 0.0}, {}, now=20.0)
    assert not found.red


def test_five_minutes_of_red_without_a_break_are_sick() -> None:
    found = Health()
    found.judge({}, {"database": "no answer"}, now=0.0)
    assert not found.sick(now=300.0)
    assert found.sick(now=301.0)

    found.judge({"tick": 1.0}, {}, now=299.0)
    found.judge({"tick": 100.0}, {}, now=302.0)
    assert not found.sick(now=400.0)


def test_the_state_file_stands_beside_a_sqlite_file() -> None:
    assert health.state_file("sqlite:///data/lull.db") == Path("data/lull.db.health")
    assert health.state_file("sqlite+aiosqlite:////var/lib/lull.db?x=1") == Path("/var/lib/lull.db.health")


def test_every_spelling_of_a_postgresql_address_has_the_same_file_and_no_secret_in_it() -> None:
    names = {
        health.state_file(url)
        for url in (
            "postgres://lull:hunter2@db/lull?sslmode=require",
            "postgresql+asyncpg://lull:hunter2@db/lull?ssl=require",
            "postgresql://lull:another@db/lull",
        )
    }
    (name,) = names
    assert "hunter2" not in str(name)
    assert name != health.state_file("postgresql://lull@db/other")


def test_a_state_is_believed_only_while_it_is_fresh(tmp_path: Path) -> None:
    file = tmp_path / "x.health"
    assert health.check(file) == (False, "not running, or not yet up")
    health.write(file, Health(red={}))
    assert health.check(file) == (True, "healthy")
    health.write(file, Health(red={"tick": "not good for 16 seconds"}))
    assert health.check(file) == (False, "tick: not good for 16 seconds")
    file.write_text(json.dumps({"at": time.time() - 60, "red": {}}))
    assert health.check(file) == (False, "silent for 60 seconds")
    file.write_text("{")
    assert health.check(file) == (False, "its state cannot be read (JSONDecodeError)")


def test_a_link_planted_in_its_place_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "x.health").symlink_to(target)

    health.write(tmp_path / "x.health", Health(red={}))

    assert target.read_text() == "precious"
    assert health.check(tmp_path / "x.health")[0]


def checked(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `python -m bot healthcheck` says."""
    given = {"PATH": os.environ["PATH"]} | environment
    return subprocess.run(
        [sys.executable, "-m", "bot", "healthcheck"],
        cwd=folder,
        env=given | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_healthcheck_imports_nothing_heavy() -> None:
    code = (
        "import sys; from bot.__main__ import main; main(['healthcheck']);"
        "print([name for name in ('telegram', 'sqlalchemy', 'pydantic', 'aiohttp') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"


def test_healthcheck_finds_the_database_where_the_bot_does(tmp_path: Path) -> None:
    health.write(tmp_path / "a.db.health", Health(red={}))
    (tmp_path / "secret").write_text(f"sqlite:///{tmp_path / 'a.db'}\n")

    assert checked(tmp_path).returncode == 1
    assert checked(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / 'a.db'}").stdout == "healthy\n"
    assert checked(tmp_path, DATABASE_URL_FILE=str(tmp_path / "secret")).stdout == "healthy\n"
    (tmp_path / ".env").write_text("BOT_TOKEN=123456:TEST\nDATABASE_URL=sqlite:///a.db\n")
    assert checked(tmp_path).stdout == "healthy\n"


async def page(process: Process, path: str) -> tuple[int, str]:
    port = await logged(process, r"listening\b.*?port=(\d+)")
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def test_the_running_bot_is_healthy_and_counts_without_naming_anybody(
    tmp_path: Path, telegram: Telegram, clock: SharedClock
) -> None:
    del clock
    process = Process(tmp_path, telegram.url, environment={"LISTEN": "127.0.0.1:0"}, anew=True)
    await process.start()
    try:
        await telegram.person(77_123_456).send("/start")
        await telegram.person(77_123_456).next()
        await until_healthy(process)
        assert checked(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / 'lull.db'}").stdout == "healthy\n"

        status, text = await page(process, "/metrics")

        assert status == 200
        assert 'lull_missed_total{kind="reminder",state="expired"} 0.0' in text
        assert 'lull_lane_waiting{lane="broadcast"} 0.0' in text
        for name in ("users_active", "oldest_due_seconds", "inbox", "dead_letters", "floods_total", "leads", "queued"):
            assert f"\nlull_{name} " in text
        assert "lull_tzdata_info{version=" in text
        assert "lull_build_info{version=" in text
        assert "77123456" not in text.replace("_", "")
        assert await process.stop() == 0
        assert not (tmp_path / "lull.db.health").exists()
    finally:
        assert process.running is not None
        if process.running.returncode is None:
            await process.kill()


async def until_healthy(process: Process) -> None:
    """Until /healthz is green."""
    async with asyncio.timeout(20):
        while (await page(process, "/healthz"))[0] != 200:
            await asyncio.sleep(0.05)


async def test_a_lost_schema_is_red_and_named(tmp_path: Path, telegram: Telegram, clock: SharedClock) -> None:
    del clock
    process = Process(tmp_path, telegram.url, environment={"LISTEN": "127.0.0.1:0"})
    await process.start()
    try:
        await until_healthy(process)
        await asyncio.to_thread(_rewrite_schema, tmp_path / "lull.db")
        async with asyncio.timeout(20):
            while (found := await page(process, "/healthz"))[0] != 503:
                await asyncio.sleep(0.05)
        assert json.loads(found[1])["red"]["schema"].startswith("at 0000, expected ")
        result = checked(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / 'lull.db'}")
        assert (result.returncode, result.stdout[:15]) == (1, "schema: at 0000")
    finally:
        await process.kill()


def _rewrite_schema(path: Path) -> None:
    import sqlite3

    with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
        connection.commit()


async def test_a_bot_that_cannot_reach_telegram_says_so(tmp_path: Path, telegram: Telegram, clock: SharedClock) -> None:
    del clock
    telegram.fault(Fault("drop_before", method="getMe"))
    process = Process(tmp_path, telegram.url)
    await process.start()
    try:
        async with asyncio.timeout(20):
            while health.check(tmp_path / "lull.db.health")[1] != "telegram: not reached yet":
                await asyncio.sleep(0.05)
        telegram.faults.clear()
        async with asyncio.timeout(40):
            while not health.check(tmp_path / "lull.db.health")[0]:
                await asyncio.sleep(0.05)
        assert await process.stop() == 0
    finally:
        assert process.running is not None
        if process.running.returncode is None:
            await process.kill()
