"""The commands as an operator calls them: real processes, their words and exit codes."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot import VERSION
from bot.cli import stats
from bot.core.model import Intake, Rating
from bot.fake_telegram.telegram import Telegram
from db import counts, tables
from db.engine import Database
from tests import postgres
from tests.conftest import ROOT, TOKEN, Process, both_engines


def call(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m bot …` in a folder that holds nothing but what the test put there."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "BOT_TOKEN": TOKEN} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_version_is_said_without_a_token_or_a_command(tmp_path: Path) -> None:
    ended = call("--version", cwd=tmp_path, BOT_TOKEN="")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"Lull {VERSION}\n", "")


# -- backup and restore while the bot runs -----------------------------------------------------------------------------


async def operate(lull: Process, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    url = lull.database_url or f"sqlite:///{lull.folder / 'lull.db'}"
    return await asyncio.to_thread(
        call, *arguments, cwd=lull.folder, DATABASE_URL=url, BACKUP_DIR=str(lull.folder / "backups")
    )


async def awake(telegram: Telegram, *, since: int = 0) -> None:
    """Wait for the bot's first call: from then on it takes signals."""
    assert await telegram.called.wait_for(lambda: telegram.made > since, timeout=30)


@pytest.mark.long
@both_engines
async def test_a_running_bot_is_backed_up_and_its_people_come_back(lull: Process, telegram: Telegram) -> None:
    if lull.database_url.startswith("postgresql") and shutil.which("pg_dump") is None:
        pytest.skip("PostgreSQL's client programs are not installed here")
    ann = telegram.person(7)
    await ann.send("/start")
    await ann.next()
    await telegram.idle()

    made = await operate(lull, "backup")
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"Backup: \S+/lull-\S+Z\.(db|dump) \(.* KiB, checked\)\. Removed 0 old ones\.\n", made.stdout)
    (backup,) = (lull.folder / "backups").iterdir()

    refused = await operate(lull, "restore", backup)
    assert refused.returncode == 2
    assert "stop" in refused.stderr
    assert "Traceback" not in refused.stderr

    # Bob comes after the backup, so the restored database does not know him.
    bob = telegram.person(8)
    await bob.send("/start")
    await bob.next()
    await telegram.idle()
    assert await lull.stop() == 0
    restored = await operate(lull, "restore", backup)
    assert restored.returncode == 0, restored.stderr
    assert "What was there before is kept as" in restored.stdout
    assert lull.rows("SELECT id FROM users") == [(7,)]
    await lull.start()
    await ann.send("/help")
    await ann.until(lambda seen: "/tonight" in seen.text)


@pytest.mark.long
async def test_the_bot_backs_itself_up_when_it_is_time(lull: Process, telegram: Telegram) -> None:
    await awake(telegram)
    assert await lull.stop() == 0
    folder = lull.folder / "backups"
    # At this speed five minutes between two looks are a third of a second.
    telegram.clock.set(telegram.clock.now(), speed=1000.0)  # type: ignore[attr-defined]
    await lull.start(BACKUP_EVERY="1", BACKUP_DIR=str(folder), BACKUP_KEEP="2")

    def enough() -> bool:
        return lull.log.count("backup made") >= 3

    for _ in range(600):
        if enough():
            break
        await asyncio.sleep(0.05)  # polling a log that another process writes
    assert enough(), lull.log
    assert await lull.stop() == 0
    assert 1 <= len(list(folder.glob("lull-*.db"))) <= 2
    telegram.clock.set(telegram.clock.now(), speed=1.0)  # type: ignore[attr-defined]
    mark = telegram.made
    await lull.start()
    await awake(telegram, since=mark)


# -- sentences instead of tracebacks -----------------------------------------------------------------------------------


def test_migrate_makes_the_database_and_says_when_there_is_nothing_to_do(tmp_path: Path) -> None:
    first, second = call("migrate", cwd=tmp_path), call("migrate", cwd=tmp_path)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout.startswith("Schema is now ")
    assert second.stdout.endswith("up to date.\n")
    assert (tmp_path / "data" / "lull.db").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("backup",), "There is no database at data/lull.db yet.\n"),
        (("stats",), "There is no database at data/lull.db yet.\n"),
        (("restore", "nothing.db"), "nothing.db is not a file.\n"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    ended = call(*arguments, cwd=tmp_path)
    assert (ended.returncode, ended.stderr, ended.stdout) == (2, sentence, "")


def test_settings_with_typos_are_all_named_at_once_without_their_values(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BACKUP_EVRY=24\nSEND_RATE=fast\nBACKUP_KEEP=0\nLOG_FORMAT json\n", encoding="utf-8")
    ended = call("run", cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "BACKUP_EVRY in .env is not a setting; did you mean BACKUP_EVERY?",
        "Line 4 of .env cannot be read; write it as NAME=value.",
        "SEND_RATE is “fast”; it must be a whole number from 1 to 30 (up to 1000 only with PAID_BROADCASTS=true).",
        "BACKUP_KEEP is 0; keep at least one.",
    ]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be", encoding="utf-8")
    ended = call("run", cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("The folder data cannot be made (")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["run", "migrate", "claim", "stats"])
def test_a_database_that_is_away_is_one_sentence_and_worth_another_try(tmp_path: Path, command: str) -> None:
    ended = call(command, cwd=tmp_path, DATABASE_URL="postgresql://lull:very-secret@127.0.0.1:9/lull")
    assert ended.returncode == 1
    assert ended.stderr.startswith("The database is not reachable: ")
    assert "very-secret" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_that_is_newer_than_the_code_is_one_sentence_and_no_good_check(
    tmp_path: Path, migrated_file: Path
) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_file, tmp_path / "data" / "lull.db")
    connection = sqlite3.connect(tmp_path / "data" / "lull.db")
    connection.execute("UPDATE alembic_version SET version_num = '9000'")
    connection.commit()
    connection.close()

    run, check = call("run", cwd=tmp_path), call("check", cwd=tmp_path)

    sentence = "This database was written by a newer Lull (schema 9000; "
    assert (run.returncode, check.returncode) == (2, 2)
    assert run.stderr.startswith(sentence)
    assert f"not good  database: {sentence}" in check.stdout


async def test_check_compares_the_pool_with_what_the_server_gives(
    tmp_path: Path, postgres_server: postgres.Server
) -> None:
    await postgres_server.run("CREATE ROLE few LOGIN CONNECTION LIMIT 7 IN ROLE lull")
    try:
        async with postgres_server.database() as url:
            address = {"DATABASE_URL": url.replace("lull@", "few@")}
            good = await asyncio.to_thread(call, "check", cwd=tmp_path, DATABASE_POOL="7", **address)
            bad = await asyncio.to_thread(call, "check", cwd=tmp_path, **address)
            own = await asyncio.to_thread(call, "check", cwd=tmp_path, DATABASE_URL=url)
    finally:
        await postgres_server.run("DROP ROLE few")

    assert (good.returncode, bad.returncode, own.returncode) == (0, 2, 0)
    assert good.stdout.splitlines()[-1].endswith("up to date; a process holds 7 of the server's 7 connections at most")
    assert own.stdout.splitlines()[-1].endswith("; a process holds 8 of the server's 117 connections at most")
    assert bad.stdout.splitlines()[-1] == (
        "not good  database: DATABASE_POOL is 8, but the server gives this role and database 7 connections at most; "
        "lower DATABASE_POOL, or raise the server's limit."
    )


def test_every_command_says_what_it_is_for(tmp_path: Path) -> None:
    said = call("--help", cwd=tmp_path).stdout
    for command in ("run", "demo", "check", "healthcheck", "migrate", "backup", "restore", "claim", "stats"):
        assert re.search(rf"^    {command}\s+\w", said, re.MULTILINE), command


# -- counts ------------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


async def fill(database: Database, *, active: int, paused: int, taken: int) -> None:
    people = [("active", number) for number in range(active)] + [("paused", 1000 + number) for number in range(paused)]
    async with database.write() as db:
        await db.execute(
            tables.users.insert(),
            [{"id": number, "status": status, "created_at": NOW, "seen_at": NOW} for status, number in people],
        )
        night = {"night": date(2026, 11, 19), "intake": Intake.TAKEN, "rating": Rating.BETTER}
        await db.execute(tables.nights.insert(), [night | {"user_id": number} for number in range(taken)])


async def test_a_group_under_ten_is_never_counted_out(database: Database) -> None:
    await fill(database, active=25, paused=3, taken=9)
    async with database.read() as db:
        found = await counts.totals(db, now=NOW)
    assert list(stats.lines(found))[:3] == ["People:", "  active       25", "  paused       fewer than 10"]
    page = "\n".join(stats.lines(found))
    assert "  taken        fewer than 10" in page
    assert "28" not in page  # the whole would tell the small part
    assert "9" not in page.replace("fewer than 10", "")


async def test_groups_of_ten_and_more_are_counted(database: Database) -> None:
    await fill(database, active=25, paused=10, taken=12)
    async with database.read() as db:
        page = list(stats.lines(await counts.totals(db, now=NOW)))
    assert page[:3] == ["People: 35", "  active       25", "  paused       10"]
    assert "  taken        12" in page
    assert "Nights in all diaries: 12" in page


async def test_what_is_older_than_its_span_is_not_counted(database: Database) -> None:
    await fill(database, active=12, paused=0, taken=12)
    async with database.read() as db:
        found = await counts.totals(db, now=NOW + timedelta(days=20))
    assert (found.intakes, found.nights) == ({}, 12)
