"""The leader dies, hangs, or loses its line to the database in the middle of a burst: another goes on soon, nobody gets two."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests import postgres
from tests.crash import town as towns

EVENING = datetime(2026, 3, 26, 21, 14, 57, tzinfo=UTC)
PEOPLE, RATE = 50, 4
SENT = "SELECT count(*)::text FROM outbox WHERE kind = 'reminder' AND state = 'sent'"

DEAD_FOR, HUNG_FOR = 3.0, 10.0
"""Real seconds from a leader's end, or from its last word, to the first reminder that another sends."""

BUSY = 3.0
"""A machine that runs other tests may take so many times as long."""


@dataclass(slots=True)
class Line:
    """Between a bot and a server. It can go dead, with both ends still connected; and it knows how often something was said."""

    port: int
    said: int = 0
    word: bytes = b"sendMessage"
    alive: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self.port)
            for one, other in ((reader, back), (there, writer)):
                task = asyncio.create_task(self.carry(one, other))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(2**16):
                await self.alive.wait()
                self.said += data.count(self.word)
                writer.write(data)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def line(port: int) -> AsyncIterator[tuple[Line, int]]:
    """A line to a server on this port, and the port at which it is to be had."""
    made = Line(port)
    made.alive.set()
    server = await asyncio.start_server(made.join, "127.0.0.1", 0)
    try:
        yield made, int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in list(made.tasks):
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)


@dataclass(slots=True)
class Pair:
    """Two bots of one town; the first leads, and both of its lines are in our hands."""

    town: towns.Town
    first: towns.Bot
    second: towns.Bot
    to_telegram: Line
    to_database: Line

    async def in_the_middle(self) -> None:
        """Until the burst is under way."""
        await self.town.wait(lambda: self.town.telegram.counts.methods["sendMessage"] >= 8)

    async def goes_on(self, since: float) -> float:
        """Real seconds from then until the second sends."""
        await self.town.wait(lambda: "leads now" in self.second.log)
        sent = self.town.telegram.counts.methods["sendMessage"]
        await self.town.wait(lambda: self.town.telegram.counts.methods["sendMessage"] > sent)
        return time.monotonic() - since

    async def all_sent(self, *, but: int) -> None:
        async with asyncio.timeout(60):
            while int(str((await postgres.rows(self.town.database_url, SENT))[0][0])) < PEOPLE - but:
                await asyncio.sleep(0.1)

    async def in_the_air(self) -> int:
        """How many the leader had begun and not settled: they wait for the end of its lease."""
        return len(await postgres.rows(self.town.database_url, "SELECT id::text FROM outbox WHERE state = 'sending'"))

    def copies(self) -> list[int]:
        """How many messages each person got."""
        return [len(self.town.telegram.person(person.id).chat) for person in self.town.people]


@pytest.fixture
async def pair(tmp_path: Path, postgres_server: postgres.Server) -> AsyncIterator[Pair]:
    async with (
        postgres_server.database(migrated=False) as url,
        towns.founded(tmp_path, begin=EVENING, speed=1, database_url=url) as town,
        line(int(town.telegram.url.rpartition(":")[2])) as (to_telegram, telegram_port),
        line(postgres_server.port) as (to_database, database_port),
    ):
        bots = []
        for name in ("first", "second"):
            own = tmp_path / name
            own.mkdir()
            bots.append(towns.Bot(own / "bot.log", town.bot.environment | {"TMPDIR": str(own), "SEND_RATE": str(RATE)}))
        bots[0].environment |= {
            "TELEGRAM_API_URL": f"http://127.0.0.1:{telegram_port}",
            "DATABASE_URL": url.replace(f":{postgres_server.port}/", f":{database_port}/"),
        }
        await town.settle(PEOPLE, beds=[22 * 60])
        await bots[0].start()
        await town.wait(lambda: "leads now" in bots[0].log)
        await bots[1].start()
        await town.wait(lambda: "lull is awake" in bots[1].log)
        found = Pair(town, *bots, to_telegram, to_database)
        try:
            yield found
        finally:
            to_database.alive.set()
            for bot in bots:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(bot.pid, signal.SIGCONT)
                await bot.end()


@pytest.mark.long
async def test_after_a_kill_the_next_reminder_leaves_within_seconds(pair: Pair) -> None:
    await pair.in_the_middle()
    await pair.first.end(signal.SIGKILL)

    took = await pair.goes_on(time.monotonic())

    assert took < DEAD_FOR * BUSY
    await pair.all_sent(but=await pair.in_the_air())
    assert set(pair.copies()) <= {0, 1}
    assert "Traceback" not in pair.second.log


@pytest.mark.long
async def test_a_leader_that_hangs_is_followed_and_sends_nothing_when_it_wakes(pair: Pair) -> None:
    await pair.in_the_middle()
    os.kill(pair.first.pid, signal.SIGSTOP)
    took = await pair.goes_on(time.monotonic())
    air, said = await pair.in_the_air(), pair.to_telegram.said

    os.kill(pair.first.pid, signal.SIGCONT)
    await pair.town.wait(lambda: "leads no more" in pair.first.log)
    await pair.all_sent(but=air)

    assert took < HUNG_FOR * BUSY
    # What it had begun when it was stopped may be on its way; all else is the other's.
    assert pair.to_telegram.said - said <= air
    assert set(pair.copies()) <= {0, 1}
    assert "Traceback" not in pair.first.log + pair.second.log


@pytest.mark.long
async def test_a_leader_whose_line_to_the_database_is_dead_stops_before_another_begins(pair: Pair) -> None:
    await pair.in_the_middle()
    pair.to_database.alive.clear()
    begun = time.monotonic()
    await pair.town.wait(lambda: "leads no more" in pair.first.log)
    assert "leads now" not in pair.second.log
    said = pair.to_telegram.said

    took = await pair.goes_on(begun)
    air = await pair.in_the_air()
    await pair.all_sent(but=air)

    assert took < HUNG_FOR * BUSY
    assert pair.to_telegram.said - said <= air
    assert set(pair.copies()) <= {0, 1}
