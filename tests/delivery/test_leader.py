"""One leader at a time, another one soon after it is gone, and none that leads without knowing that it holds the lock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from bot.delivery.leader import Leader
from db import locks
from db.engine import Database, Unavailable
from tests import postgres


@dataclass(slots=True)
class Candidate:
    """A leader and what it did."""

    leader: Leader
    task: asyncio.Task[None]
    story: list[str] = field(default_factory=list)

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

        leader = Leader(database, name, rise=rise, fall=lambda: story.append("fall"))
        made.append(Candidate(leader, asyncio.create_task(leader.run()), story))
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
    assert await postgres.rows(url, query, locks._LEADER)


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
        locks.session(database, "a", lost=lost.set),
        locks.session(database, "b", lost=lambda: None),
        database.write() as db,
    ):
        assert await locks.dead(db, {"a", "b", "c"}) == {"c"}
    async with asyncio.timeout(10):
        while True:
            async with database.write() as db:
                if await locks.dead(db, {"a", "b"}) == {"a", "b"}:
                    break
    assert lost.is_set()
    await database.close()


async def test_a_worker_stands_once(url: str) -> None:
    database = Database(postgres.async_url(url))
    async with locks.session(database, "a", lost=lambda: None):
        with pytest.raises(Unavailable, match="this worker's name"):
            async with locks.session(database, "a", lost=lambda: None):
                pass
    await database.close()


@pytest.mark.long
async def test_a_leader_that_hangs_loses_the_lock_on_the_server(url: str) -> None:
    database = Database(postgres.async_url(url))
    lost = asyncio.Event()

    async def hang() -> None:
        async with locks.session(database, "a", lost=lost.set) as session:
            assert await session.lead()
            # It asks nothing: the server ends the session by itself.
            await asyncio.wait_for(lost.wait(), 20)
            await session.check(leading=True)

    with pytest.raises(Unavailable):
        await hang()
    await database.close()
