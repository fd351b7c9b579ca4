"""A dump that somebody has changed: the bot's role can do nothing with it beyond its database, a superuser does not restore it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from db import upkeep
from db.engine import DatabaseError
from tests import postgres
from tests.conftest import ROOT

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
FILLER = "x" * 300

pytestmark = pytest.mark.usefixtures("pg_tools")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


async def doctored(server: postgres.Server, folder: Path, statement: str) -> Path:
    """A good backup, one comment of which has become a statement."""
    async with server.database(migrated=False) as url:
        await postgres.migrate(url)
        connection = await asyncpg.connect(url)
        await connection.execute(f"COMMENT ON TABLE users IS '{FILLER}'")
        await connection.close()
        made = await upkeep.back_up(postgres.async_url(url), folder, now=NOW)
    before = made.read_bytes()
    assert before.count(FILLER.encode()) == 1
    made.write_bytes(before.replace(FILLER.encode(), f"x'; {statement}; SELECT '".ljust(len(FILLER)).encode()))
    return made


async def marks(url: str) -> list[tuple[object, ...]]:
    return await postgres.rows(url, "SELECT name FROM marks ORDER BY name")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_program_in_a_dump_is_not_run_by_the_bots_role(
    postgres_server: postgres.Server, database_url: str, folder: Path, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    url, touched = database_url.replace("+asyncpg", ""), tmp_path / "touched"
    await postgres.rows(url, "INSERT INTO marks (name, value) VALUES ('mine', 'x') RETURNING name")
    dump = await doctored(postgres_server, folder, f"COPY (SELECT 1) TO PROGRAM 'touch {touched}'")
    with pytest.raises(DatabaseError, match=r"ERROR:.*(permission|superuser).*(program|COPY)"):
        await upkeep.restore(database_url, dump, folder, now=NOW)

    assert not touched.exists()
    assert await marks(url) == [("mine",)]


@pytest.mark.parametrize("role", ["postgres", "climber"])
async def test_a_superuser_restores_only_what_is_trusted(
    postgres_server: postgres.Server, folder: Path, role: str
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        # What a superuser restores is the superuser's: a database of its own.
        plain = await stack.enter_async_context(postgres_server.database(migrated=False))
        await postgres.migrate(plain)
        made = await upkeep.back_up(postgres.async_url(plain), folder, now=NOW)
        url = postgres.async_url(plain).replace("lull@", f"{role}@")
        if role == "climber":  # no superuser, but one who may become it
            await postgres_server.run("CREATE ROLE climber LOGIN IN ROLE postgres, lull")
            stack.push_async_callback(postgres_server.run, "DROP ROLE climber")
        with pytest.raises(DatabaseError, match=r"is a superuser of PostgreSQL.*--trusted"):
            await upkeep.restore(url, made, folder, now=NOW)
        if role == "postgres":
            assert (await upkeep.restore(url, made, folder, now=NOW, trusted=True)).aside is not None


async def test_the_script_for_a_new_volume_makes_a_role_that_owns_its_database_and_nothing_else(
    tmp_path: Path,
) -> None:
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(postgres.running())
        except postgres.NoServer as error:
            pytest.skip(f"no PostgreSQL here: {error}")
        # The tests' own role is in the way; on a new volume there is none.
        await server.run("DROP DATABASE migrated")
        await server.run("DROP ROLE lull")
        environment = {
            "PATH": os.environ["PATH"],
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "POSTGRES_USER": "postgres",
            "POSTGRES_PASSWORD": "it's secret",
            "HOME": str(tmp_path),
        }
        done = subprocess.run(
            [ROOT / "deploy" / "postgres" / "roles.sh"], env=environment, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        await postgres.migrate(server.url("lull"))
        found = await postgres.rows(
            server.url("lull"),
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls, "
            "pg_get_userbyid(datdba)::text FROM pg_roles, pg_database WHERE rolname = current_user AND datname = 'lull'",
        )
        assert found == [(False, "lull")]
        passwords = await postgres.rows(
            server.url("lull", role="postgres"),
            "SELECT rolname::text FROM pg_authid WHERE rolpassword IS NOT NULL AND rolcanlogin",
        )
        assert passwords == [("lull",)]
