"""What is kept of a person is migrated to, read, written, handed out and told of: column by column."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot import export
from bot.core.model import Person, Status
from db import tables
from db.engine import Database
from tests.guards.reading import ROOT

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLUMNS = {column.name for column in tables.users.c}


def test_every_column_of_people_is_a_field_of_a_person() -> None:
    assert {field.name for field in fields(Person)} == COLUMNS


def test_every_field_of_a_person_is_in_what_they_take_away() -> None:
    person = Person(7, Status.ACTIVE, created_at=NOW, seen_at=NOW)

    assert json.loads(json.dumps(export.profile(person))).keys() == {field.name for field in fields(Person)}


def test_the_page_on_privacy_tells_of_every_column_of_people() -> None:
    table = (
        (ROOT / "docs/privacy.md").read_text(encoding="utf-8").split("<!-- users -->")[1].split("<!-- /users -->")[0]
    )
    named = re.findall(r"`(\w+)`", table)

    assert sorted(named) == sorted(COLUMNS)


def differences(connection: sa.Connection) -> list[object]:
    """What the tables of the code and those of the database have not in common."""
    # Of SQLite's defaults Alembic takes an empty text for another than itself.
    defaults = connection.dialect.name != "sqlite"
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": defaults})
    return list(compare_metadata(context, tables.metadata))


async def test_the_migrations_make_the_tables_of_the_code(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}")
    try:
        await database.migrate()
        async with database.read() as db:
            assert await db.run_sync(differences) == []
    finally:
        await database.close()
