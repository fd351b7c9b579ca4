"""Every class of PostgreSQL's errors: after which ones the same may succeed, raised by a real server and met by the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
import sqlalchemy as sa

from db.engine import Damaged, Database, Unavailable
from db.postgres import sqlstates
from tests import postgres

LATER = [
    *("08000", "08001", "08003", "08004", "08006", "08P01"),  # connection
    "25006",  # read only
    *("25P01", "25P02", "25P03", "25P04"),  # a transaction that the server had ended
    *("28000", "28P01"),  # login
    "3D000",  # no such database
    *("40000", "40001", "40002", "40003", "40P01"),  # rolled back
    *("53000", "53100", "53200", "53300", "53400"),  # resources
    *("55000", "55006", "55P02", "55P03", "55P04"),  # not in the state for it, in use, lock not to be had
    *("57000", "57014", "57P01", "57P02", "57P03", "57P04", "57P05"),  # operator
    *("58000", "58030", "58P01", "58P02", "58P03"),  # system
    "72000",  # snapshot too old
    *("XX000", "XX001", "XX002"),  # internal
]
WRONG = [
    *("01000", "02000", "03000", "09000", "0A000", "0B000", "0F000", "0L000", "0P000", "0Z000"),
    *("20000", "21000", "22000", "22001", "22P05", "23000", "23502", "23505", "24000"),
    *("25000", "25001", "25007", "26000", "27000", "2B000", "2D000", "2F000", "34000", "38000", "39000"),
    *("3B000", "3F000", "42000", "42501", "42601", "42P01", "44000", "54000", "54001", "F0000", "HV000", "P0001"),
]


@pytest.fixture
async def database(postgres_server: postgres.Server) -> AsyncIterator[Database]:
    async with postgres_server.database() as url:
        opened = Database(postgres.async_url(url))
        yield opened
        await opened.close()


async def raised(database: Database, state: str) -> Exception:
    """What comes of a transaction in which the server says this."""
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'as told' USING ERRCODE = '{state}'; END $$"
    try:
        async with database.write() as db:
            await db.execute(sa.text(statement))
    except Exception as error:
        return error
    raise AssertionError(state)


@pytest.mark.parametrize("state", LATER)
async def test_what_may_succeed_later_is_unavailable(database: Database, state: str) -> None:
    assert isinstance(await raised(database, state), Unavailable)


@pytest.mark.parametrize("state", WRONG)
async def test_what_is_wrong_and_stays_so_is_said_as_it_is(database: Database, state: str) -> None:
    assert not isinstance(await raised(database, state), Unavailable)


@pytest.mark.parametrize("state", ["XX001", "XX002"])
async def test_damage_is_called_damage(database: Database, state: str) -> None:
    error = await raised(database, state)
    assert isinstance(error, Damaged)
    assert str(error) == "the database is damaged: as told"
    assert database.damage == "as told"


def test_every_class_is_judged_and_none_twice() -> None:
    assert not set(LATER) & set(WRONG)
    # Appendix A of PostgreSQL's manual, but for success.
    classes = (
        "01 02 03 08 09 0A 0B 0F 0L 0P 0Z 20 21 22 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F 40 42 44 53 54 55 57 58 "
        "72 F0 HV P0 XX"
    )
    assert {state[:2] for state in LATER + WRONG} == set(classes.split())
    assert not sqlstates.is_transient("")


async def test_a_lock_that_does_not_come_in_time_is_unavailable(
    database: Database, postgres_server: postgres.Server
) -> None:
    other = await asyncpg.connect(database.url.replace("+asyncpg", ""))
    try:
        async with other.transaction():
            await other.execute("LOCK TABLE marks IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Unavailable, match="lock timeout"):  # noqa: PT012 - it is somewhere in the block that it comes
                async with database.write() as db:
                    await db.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
                    await db.execute(sa.text("SELECT * FROM marks"))
    finally:
        await other.close()


async def test_a_server_that_only_lets_itself_be_read_is_no_place_to_write(database: Database) -> None:
    await database.probe()
    async with database.write() as db:
        name = await db.scalar(sa.text("SELECT current_database()"))
        await db.execute(sa.text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    other = Database(database.url)
    try:
        with pytest.raises(Unavailable, match="only lets itself be read"):
            await other.probe()
    finally:
        await other.close()
        async with database.write() as db:
            await db.execute(sa.text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
