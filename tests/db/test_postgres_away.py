"""A PostgreSQL that refuses, dies and comes back: Unavailable while it is away, itself again afterwards, nothing lost."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.model import State
from bot.fake_telegram.telegram import Telegram
from db import marks
from db.engine import Database, Unavailable
from tests import postgres
from tests.conftest import Process
from tests.db import evenings


@pytest.fixture(scope="module")
def mortal() -> Iterator[postgres.Server]:
    """A server of this module's own, to stop and start."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(postgres.running())
        except postgres.NoServer as error:
            pytest.skip(f"no PostgreSQL here: {error}")
        yield server


@pytest.fixture
def server(mortal: postgres.Server) -> postgres.Server:
    """That server, up."""
    if mortal.process is None:
        mortal.start()
    return mortal


@pytest.fixture
async def url(server: postgres.Server) -> AsyncIterator[str]:
    async with server.database() as url:
        yield url


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(postgres.async_url(url))
    yield opened
    await opened.close()


async def put(database: Database, value: str) -> None:
    async with database.write() as db:
        await marks.put(db, "name", value)


async def found(database: Database) -> str | None:
    async with database.read() as db:
        return await marks.find(db, "name")


async def test_a_server_that_dies_is_unavailable_and_serves_again_when_it_is_back(
    database: Database, server: postgres.Server
) -> None:
    await put(database, "before")
    server.stop(signal.SIGQUIT)

    with pytest.raises(Unavailable):
        await put(database, "lost")
    with pytest.raises(Unavailable):
        await found(database)
    server.start()

    assert await found(database) == "before"
    await put(database, "after")
    assert await found(database) == "after"


async def test_a_death_in_the_middle_of_a_transaction_undoes_it(database: Database, server: postgres.Server) -> None:
    await put(database, "before")

    with pytest.raises(Unavailable):  # noqa: PT012 - it is somewhere in the block that it comes
        async with database.write() as db:
            await marks.put(db, "name", "half")
            server.stop(signal.SIGQUIT)
            await marks.put(db, "name", "whole")
    server.start()

    assert await found(database) == "before"


async def test_a_death_just_before_the_commit_is_not_taken_for_one(database: Database, server: postgres.Server) -> None:
    await put(database, "before")

    with pytest.raises(Unavailable):  # noqa: PT012 - it is somewhere in the block that it comes
        async with database.write() as db:
            await marks.put(db, "name", "half")
            server.stop(signal.SIGQUIT)
    server.start()

    assert await found(database) == "before"


async def test_a_connection_that_an_operator_ends_is_unavailable_once(
    database: Database, server: postgres.Server
) -> None:
    with pytest.raises(Unavailable):  # noqa: PT012 - it is somewhere in the block that it comes
        async with database.write() as db:
            own = await db.scalar(sa.text("SELECT pg_backend_pid()"))
            await server.run(f"SELECT pg_terminate_backend({own})")
            await marks.put(db, "name", "lost")

    await put(database, "after")
    assert await found(database) == "after"


async def test_where_the_server_gives_no_new_connection_those_that_it_gave_do_all_the_work(
    url: str, server: postgres.Server
) -> None:
    await server.run("CREATE ROLE poor LOGIN IN ROLE lull")
    database = Database(postgres.async_url(url.replace("lull@", "poor@")), pool=5)
    try:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(4):
                await (await stack.enter_async_context(database.read())).scalar(sa.text("SELECT 1"))
        await server.run("ALTER ROLE poor CONNECTION LIMIT 2")
        ended = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE usename = 'poor' LIMIT 2"
        await postgres.rows(postgres.by_superuser(url), ended)

        # Two of the pool's places stay empty; whoever comes to one of them takes the next.
        for number in range(10):
            await put(database, str(number))
        assert await found(database) == "9"
    finally:
        await database.close()
        await server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'poor'")
        await server.run("DROP ROLE poor")


async def test_a_worker_goes_on_with_its_rows_after_a_restart(database: Database, server: postgres.Server) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    row = await evenings.sending(database)
    server.stop(signal.SIGQUIT)
    server.start()

    await evenings.settle(database, evenings.outbox.Settled(row.id, State.SENT, message_id=5))

    assert await evenings.state(database) is State.SENT


@pytest.mark.parametrize("address", ["migrated_not", "migrated"])
async def test_a_server_or_database_that_is_not_there_may_come_back(server: postgres.Server, address: str) -> None:
    if address == "migrated":
        server.stop(signal.SIGINT)
    database = Database(postgres.async_url(server.url(address)))

    with pytest.raises(Unavailable):
        await database.examine()
    await database.close()


async def test_reading_sees_one_state_throughout(database: Database) -> None:
    await put(database, "before")

    async with database.read() as db:
        first = await marks.find(db, "name")
        await put(database, "after")
        second = await marks.find(db, "name")

    assert (first, second) == ("before", "before")


@pytest.mark.long
async def test_the_bot_lives_through_a_restart_of_its_database(
    server: postgres.Server, url: str, telegram: Telegram, tmp_path: Path
) -> None:
    lull = Process(tmp_path, telegram.url, url)
    await lull.start()
    ada = telegram.person(77, first_name="Ada")
    await ada.send("/start")
    await ada.next()

    server.stop(signal.SIGQUIT)
    await ada.send("/help")
    async with asyncio.timeout(60):
        while "the database is away" not in lull.log:
            await asyncio.sleep(0.05)
    server.start()

    # Sent while the database was away, answered once it is back; and what was noted before is still known.
    answer = await asyncio.wait_for(ada.next(), 60)
    assert answer.text
    assert lull.rows("SELECT id FROM users") == [(77,)]
    assert await lull.stop() == 0, lull.log
    assert "Traceback" not in lull.log
