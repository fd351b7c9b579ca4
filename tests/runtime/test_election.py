"""One leader at a time, another one soon after it is gone, and none that leads without knowing that it holds the lock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import asyncpg
import pytest
import sqlalchemy as sa

from bot.health import LIMITS
from bot.runtime import election
from bot.runtime.election import Leader
from db.engine import Database, Unavailable
from db.postgres import advisory_locks
from tests import postgres


@dataclass(slots=True)
class Candidate:
    """A leader and what it did."""

    leader: Leader
    task: asyncio.Task[None]
    story: list[str] = field(default_factory=list)
    passed: list[float] = field(default_factory=list)  # seconds that its clock was moved on

    async def leads(self) -> None:
        await asyncio.wait_for(self.leader.leads.wait(), 20)

    async def stands_by(self) -> None:
        await asyncio.wait_for(self.leader.stands_by.wait(), 20)


Stand = Callable[[str], Candidate]


@pytest.fixture
async def url(postgres_server: postgres.Server) -> AsyncIterator[str]:
    """The address of a new PostgreSQL database at head."""
    async with postgres_server.database() as found:
        yield found


async def candidates(database: Database) -> AsyncIterator[Stand]:
    made: list[Candidate] = []

    def stand(name: str) -> Candidate:
        story: list[str] = []

        async def rise() -> None:
            story.append("rise")

        passed: list[float] = []
        leader = Leader(
            database, name, rise=rise, fall=lambda: story.append("fall"), monotonic=lambda: sum(passed, start=1.0)
        )
        made.append(Candidate(leader, asyncio.create_task(leader.run()), story, passed))
        return made[-1]

    yield stand
    for each in made:
        each.task.cancel()
    await asyncio.gather(*(each.task for each in made), return_exceptions=True)


@pytest.fixture
async def stand(url: str) -> AsyncIterator[Stand]:
    """Lets one more candidate stand for the lead of one PostgreSQL database."""
    database = Database(postgres.async_url(url))
    async for found in candidates(database):
        yield found
    await database.close()


async def cut(url: str) -> None:
    """End every session that holds the leader's lock, as a broken network would."""
    query = (
        "SELECT pg_terminate_backend(pid)::text FROM pg_locks "
        "WHERE locktype = 'advisory' AND objsubid = 2 AND classid = ?::bigint"
    )
    assert await postgres.rows(postgres.by_superuser(url), query, advisory_locks._LEADER)


async def test_of_two_one_leads_and_the_other_follows_when_it_ends(stand: Stand) -> None:
    first = stand("first")
    await first.leads()
    second = stand("second")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(second.leader.leads.wait(), 1.5)
    assert second.story == []

    first.task.cancel()

    await second.leads()
    assert (first.story, second.story) == (["rise", "fall"], ["rise"])


async def test_a_leader_whose_connection_breaks_stops_at_once_and_may_lead_again(stand: Stand, url: str) -> None:
    only = stand("only")
    await only.leads()

    await cut(url)

    await only.stands_by()
    await only.leads()
    assert only.story == ["rise", "fall", "rise"]


async def test_a_broken_connection_is_heard_of_and_not_only_found_at_the_next_look(
    stand: Stand, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(election, "EVERY", 3600.0)
    only = stand("only")
    await only.leads()

    await cut(url)

    await only.stands_by()
    assert only.story == ["rise", "fall"]


async def test_the_only_process_of_a_sqlite_file_leads(migrated_file: str) -> None:
    database = Database(f"sqlite+aiosqlite:///{migrated_file}")
    async for stand in candidates(database):
        only = stand("only")
        await only.leads()
        assert only.story == ["rise"]
    await database.close()


async def test_a_worker_is_dead_once_its_session_is_gone(url: str) -> None:
    database = Database(postgres.async_url(url))
    lost = asyncio.Event()
    async with (
        advisory_locks.session(database, "a", lost=lost.set),
        advisory_locks.session(database, "b", lost=lambda: None),
        database.write() as db,
    ):
        assert await advisory_locks.dead(db, {"a", "b", "c"}) == {"c"}
    async with asyncio.timeout(10):
        while True:
            async with database.write() as db:
                if await advisory_locks.dead(db, {"a", "b"}) == {"a", "b"}:
                    break
    assert lost.is_set()
    await database.close()


async def test_a_worker_stands_once(url: str) -> None:
    database = Database(postgres.async_url(url))
    async with advisory_locks.session(database, "a", lost=lambda: None):
        with pytest.raises(Unavailable, match="this worker's name"):
            async with advisory_locks.session(database, "a", lost=lambda: None):
                pass
    await database.close()


@pytest.mark.long
async def test_a_leader_that_hangs_loses_the_lock_on_the_server(url: str) -> None:
    database = Database(postgres.async_url(url))
    lost = asyncio.Event()
    ended: list[bool] = []

    async def hang() -> None:
        async with advisory_locks.session(database, "a", lost=lost.set) as session:
            assert await session.lead()
            # It asks nothing: the server ends the session by itself.
            await asyncio.wait_for(lost.wait(), 20)
            ended.append(True)
            await session.check(leading=True)

    with pytest.raises(Unavailable):
        await hang()
    assert ended  # and not by us, after having waited in vain
    await database.close()


# -- where nobody leads, that is seen ----------------------------------------------------------------------------------

MINUTE = 60.0


async def until(url: str, query: str, *values: object) -> None:
    """Until this finds something in the database."""
    async with asyncio.timeout(20):
        while not await postgres.rows(url, query, *values):
            await asyncio.sleep(0.05)


@pytest.fixture
async def poor(url: str, postgres_server: postgres.Server) -> AsyncIterator[str]:
    """The same database for a role of its own, which `limit` may keep short of connections."""
    await postgres_server.run("CREATE ROLE poor LOGIN")
    yield url.replace("lull@", "poor@")
    await postgres_server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'poor'")
    await postgres_server.run("DROP ROLE poor")


async def limit(server: postgres.Server, connections: int) -> None:
    await server.run(f"ALTER ROLE poor CONNECTION LIMIT {connections}")


async def used(database: Database, connections: int) -> None:
    """So many of the pool's connections are open at one time, and idle after it."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(connections):
            db = await stack.enter_async_context(database.read())
            await db.scalar(sa.text("SELECT 1"))


async def test_a_process_leads_again_although_the_server_gives_it_no_new_connection(
    url: str, poor: str, postgres_server: postgres.Server
) -> None:
    database = Database(postgres.async_url(poor), pool=5)
    async for stand in candidates(database):
        only = stand("only")
        await only.leads()
        await used(database, 4)
        await limit(postgres_server, 2)

        await cut(url)

        await only.stands_by()
        await only.leads()
        assert only.story == ["rise", "fall", "rise"]
    await database.close()


async def test_who_gets_no_session_at_all_is_uncertain_within_a_minute_until_it_leads(
    poor: str, postgres_server: postgres.Server
) -> None:
    await limit(postgres_server, 0)
    database = Database(postgres.async_url(poor))
    async for stand in candidates(database):
        only = stand("only")
        async with asyncio.timeout(20):
            while not only.leader._said[0]:
                await asyncio.sleep(0.02)
        only.passed.append(MINUTE - 2.0)
        assert (only.leader.uncertain_for or 0.0) > LIMITS["leader"]

        await limit(postgres_server, -1)
        await only.leads()
        assert (only.leader.uncertain_for or 0.0) < LIMITS["leader"]
    await database.close()


async def test_who_waits_for_a_connection_of_an_exhausted_pool_is_uncertain_meanwhile(url: str) -> None:
    database = Database(postgres.async_url(url), pool=3)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(database.read())
        async for stand in candidates(database):
            only = stand("only")
            while only.leader.uncertain_for is None:
                await asyncio.sleep(0)
            only.passed.append(MINUTE - 2.0)
            assert only.leader.uncertain_for > LIMITS["leader"]
            await stack.aclose()
            await only.leads()
            assert only.leader.uncertain_for < LIMITS["leader"]
    await database.close()


async def now(url: str) -> object:
    """The server's clock."""
    return (await postgres.rows(url, "SELECT clock_timestamp()"))[0][0]


_ASKED = "SELECT 1 FROM pg_stat_activity WHERE state = 'idle' AND query LIKE '%make_interval%'"


async def test_who_stands_by_while_another_leads_is_certain_however_long(stand: Stand, url: str) -> None:
    first = stand("first")
    await first.leads()
    second = stand("second")
    await until(url, _ASKED)
    second.passed.append(10 * MINUTE)

    async with asyncio.timeout(20):
        while (second.leader.uncertain_for or 0.0) > LIMITS["leader"]:
            await asyncio.sleep(0.02)
    assert second.story == []


async def test_a_lock_whose_holder_says_nothing_is_no_leader(
    stand: Stand, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a pooler would hold it for a process that has died."""
    monkeypatch.setattr(advisory_locks, "SILENT", 0.0)
    monkeypatch.setattr(election, "EVERY", 0.01)
    silent = await asyncpg.connect(url)
    try:
        await silent.execute(f"SELECT pg_advisory_lock({advisory_locks._LEADER}, hashtext(current_schema()))")
        second = stand("second")
        await until(url, _ASKED)
        second.passed.append(MINUTE - 17.0)
        for _ in range(2):  # of the first of these looks the answer is known at the second
            await until(url, f"{_ASKED} AND state_change > $1", await now(url))

        assert (second.leader.uncertain_for or 0.0) > LIMITS["leader"]
        assert second.story == []
    finally:
        await silent.close()
    await second.leads()


async def test_the_only_process_of_a_sqlite_file_has_nothing_to_be_uncertain_of(migrated_file: str) -> None:
    database = Database(f"sqlite+aiosqlite:///{migrated_file}")
    async for stand in candidates(database):
        only = stand("only")
        await only.leads()
        async with asyncio.timeout(20):
            while only.leader.uncertain_for is not None:
                await asyncio.sleep(0)
    await database.close()
