"""What happens before a schema changes: a copy on both databases, or a sentence and no change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from db import engine, tables, upkeep
from db.engine import Database, DatabaseError
from db.postgres import dumps
from db.sqlite import files
from tests import postgres
from tests.conftest import both_engines

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


pytestmark = pytest.mark.usefixtures("pg_tools")


async def first(url: str) -> None:
    """Make a database of the first schema with one person in it."""
    from alembic import command
    from alembic.config import Config

    def build(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(engine.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        person = {"id": 7, "status": "active", "created_at": NOW, "seen_at": NOW}
        columns = [sa.column(name, tables.users.c[name].type) for name in person]
        connection.execute(sa.insert(sa.table("users", *columns)), person)

    database = Database(url)
    async with database.write() as db:
        await db.run_sync(build)
    await database.close()


@pytest.fixture
async def first_schema(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    await first(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
async def old(engine_url: str) -> AsyncIterator[Database]:
    """A database of the first schema, on SQLite or PostgreSQL."""
    url = postgres.async_url(engine_url)
    await first(url)
    database = Database(url)
    yield database
    await database.close()


@both_engines
async def test_a_database_with_people_is_copied_before_its_schema_changes(old: Database, folder: Path) -> None:
    kept = await upkeep.migrate(old, folder, now=NOW)
    assert await old.revision() == engine.head()
    ending = "db" if old.is_sqlite else "dump"
    assert kept == folder / f"lull-20261120T040000Z-before-{engine.head()}.{ending}"
    if old.is_sqlite:
        assert files.verify(kept) == "0001"
    else:
        assert await dumps.verify(kept) == "0001"


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_of_replicas_that_start_together_one_copies_and_changes_the_schema(
    old: Database, engine_url: str, folder: Path
) -> None:
    other = Database(postgres.async_url(engine_url))
    kept = await asyncio.gather(*(upkeep.migrate(each, folder, now=NOW) for each in (old, other)))
    await other.close()
    assert await old.revision() == engine.head()
    assert len([copy for copy in kept if copy is not None]) == 1


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


TOO_OLD = """
echo 'pg_dump: error: aborting because of server version mismatch' >&2
echo 'pg_dump: detail: server version: 99.1; pg_dump version: 15.0' >&2
exit 1
"""


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("script", "sentence"), [("", "pg_dump is missing here"), (TOO_OLD, "pg_dump here is older")])
async def test_without_a_pg_dump_that_is_new_enough_the_schema_stays_until_it_is_said_that_there_is_a_copy(
    old: Database, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, sentence: str
) -> None:
    program(tmp_path / "bin", "pg_dump" if script else "other", script or "exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    with pytest.raises(DatabaseError, match=f"^{sentence}.*run: python -m bot migrate --without-copy$"):
        await upkeep.migrate(old, folder, now=NOW)
    assert await old.revision() == "0001"

    assert await upkeep.migrate(old, folder, now=NOW, copy=False) is None
    assert await old.revision() == engine.head()
    assert list(folder.iterdir()) == []


async def test_a_schema_is_not_changed_when_there_is_no_room_for_the_copy(first_schema: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = Database(f"sqlite+aiosqlite:///{first_schema}")
    with pytest.raises(DatabaseError):
        await upkeep.migrate(database, tmp_path / "file", now=NOW)
    assert await database.revision() == "0001"
    await database.close()


async def test_a_new_database_is_not_copied(tmp_path: Path, folder: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")
    assert await upkeep.migrate(database, folder, now=NOW) is None
    assert await upkeep.migrate(database, folder, now=NOW) is None
    await database.close()
    assert not folder.exists()


async def test_a_backup_of_an_older_schema_is_brought_to_head_by_the_restore(
    first_schema: Path, sqlite_url: str, folder: Path
) -> None:
    old = await upkeep.back_up(f"sqlite:///{first_schema}", folder, now=NOW)
    done = await upkeep.restore(sqlite_url, old, folder, now=NOW + DAY)
    assert done.revision == "0001"
    database = Database(sqlite_url)
    assert await database.revision() == engine.head()
    async with database.read() as db:
        assert await db.scalar(sa.select(tables.users.c.id)) == 7
    await database.close()
