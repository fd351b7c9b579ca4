"""Migrations: from nothing to head, once, whole or not at all, and never backwards."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from db import engine as engines
from db.engine import Database, DatabaseError, head
from tests import postgres
from tests.conftest import ROOT, both_engines
from tests.guards.test_columns import differences

DIES = """
import os, signal
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{head}"


def upgrade():
    op.create_table("halves", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO halves (id) VALUES (1)")
    if os.environ.get("DIE"):
        os.kill(os.getpid(), signal.SIGKILL)
"""

MIGRATE = """
import asyncio, pathlib, sys
from db import engine

if len(sys.argv) > 2:
    engine._MIGRATIONS = pathlib.Path(sys.argv[2])

async def main():
    database = engine.Database(sys.argv[1])
    await database.migrate()
    await database.close()
    print("alembic" in sys.modules)

asyncio.run(main())
"""


def migrate(url: str, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", MIGRATE, url, *more],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
async def empty(engine_url: str) -> AsyncIterator[Database]:
    database = Database(postgres.async_url(engine_url))
    yield database
    await database.close()


@both_engines
async def test_an_empty_database_comes_to_head_and_stays_there(empty: Database) -> None:
    before = await empty.revision()
    await empty.migrate()
    await empty.migrate()

    assert (before, await empty.revision()) == (None, head())


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # a second process on a SQLite file is kept away
async def test_two_replicas_that_start_together_migrate_once(empty: Database, engine_url: str) -> None:
    other = Database(postgres.async_url(engine_url))

    await asyncio.gather(empty.migrate(), other.migrate())

    assert await other.revision() == head()
    await other.close()


async def test_a_start_at_head_does_not_spend_its_time_on_alembic(database_url: str) -> None:
    done = await asyncio.to_thread(migrate, database_url)

    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


async def test_the_tables_and_the_migrations_agree(database: Database) -> None:
    async with database.read() as db:
        assert await db.run_sync(differences) == []


async def test_a_database_of_a_newer_release_is_refused_in_one_sentence(database: Database) -> None:
    async with database.write() as db:
        await db.exec_driver_sql("UPDATE alembic_version SET version_num = '9000'")

    with pytest.raises(DatabaseError) as refused:
        await database.migrate()

    assert str(refused.value) == (
        f"This database was written by a newer Lull (schema 9000; this one knows {head()}); "
        "update the bot, or restore a backup."
    )


def test_revisions_are_one_line_of_numbered_files() -> None:
    assert engines.revisions() == [f"{number:04}" for number in range(1, len(engines.revisions()) + 1)]


async def test_a_migration_that_is_killed_half_way_leaves_nothing_and_runs_again(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    source = ROOT / "db" / "migrations"
    for file in (source / "env.py", *source.glob("versions/0*.py")):
        (folder / file.relative_to(source)).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "versions" / "9999_half.py").write_text(DIES.format(head=head()), encoding="utf-8")

    killed = await asyncio.to_thread(migrate, database_url, str(folder), DIE="yes")
    async with database.read() as db:
        left = await db.run_sync(lambda c: sa.inspect(c).has_table("halves"))
    revision = await database.revision()
    again = await asyncio.to_thread(migrate, database_url, str(folder))

    assert killed.returncode == -signal.SIGKILL
    assert (left, revision) == (False, head())
    assert again.returncode == 0, again.stderr
    assert await database.revision() == "9999"
    async with database.read() as db:
        assert await db.scalar(sa.text("SELECT count(*) FROM halves")) == 1
