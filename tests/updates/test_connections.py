"""Who connects and says nothing takes nothing away from those who do: not a place, not a descriptor, not for long."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from bot.health import Health
from bot.metrics import Metrics
from bot.updates import connections, web, webhook
from bot.updates.queues import Queues
from bot.updates.webhook import Receiver
from config.addresses import Listen
from db.engine import Database
from tests import bots
from tests.conftest import Process
from tests.updates import front as fronts
from tests.updates.front import HEADERS, SECRET

MANY = 1_400
Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def port(replica: object, database: Database, clock: SharedClock) -> AsyncIterator[int]:
    """A server with a webhook, in this process."""
    lull = (await replica()).lull  # type: ignore[operator]
    queues: Queues = lull.queues
    receiver = Receiver(database, queues, clock=clock, secret=SECRET)
    listen = Listen("127.0.0.1", 0)
    async with web.serving(listen, health=Health(), metrics=Metrics(), receiver=receiver, path="/telegram") as found:
        yield found


async def connect(port: int, said: bytes = b"") -> Pipe:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    return reader, writer


async def ended(pipe: Pipe) -> bytes:
    """What came until the server closed."""
    try:
        async with asyncio.timeout(20):
            return await pipe[0].read()
    except ConnectionError:
        return b""
    finally:
        pipe[1].close()


@pytest.mark.parametrize("said", [b"", b"POST /telegram HTTP/1.1\r\nHost: x\r\n"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_headers_that_do_not_come_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, said: bytes, port: int
) -> None:
    monkeypatch.setattr(connections, "HEAD_WITHIN", 0.05)

    assert await ended(await connect(port, said)) == b""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_headers_that_trickle_on_a_used_connection_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(connections, "HEAD_WITHIN", 0.05)
    pipe = await connect(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    await pipe[0].readuntil(b"\r\n\r\n")
    pipe[1].write(b"GET /hea")

    assert b"HTTP/1.1" not in await ended(pipe)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(webhook, "BODY_WITHIN", 0.05)
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    said = f"POST /telegram HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{head}Content-Length: 9\r\n\r\n{{"

    assert (await ended(await connect(port, said.encode()))).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    "said",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 10_000 + b"\r\n\r\n",
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_answer_tells_what_kind_of_server_it_is(said: bytes, port: int) -> None:
    answer = await ended(await connect(port, said))

    assert answer.startswith(b"HTTP/1.")
    assert b"aiohttp" not in answer.lower()
    assert b"python" not in answer.lower()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_with_no_room_left_the_longest_silent_gives_way(port: int) -> None:
    silent = [await connect(port) for _ in range(connections.MOST)]
    busy = await connect(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

    assert b"HTTP/1.1 503" in await busy[0].readuntil(b"\r\n")  # this Health has not looked yet
    assert await ended(silent[0]) == b""
    assert not silent[-1][0].at_eof()
    for _, writer in (*silent, busy):
        writer.close()


@contextlib.contextmanager
def descriptors(count: int) -> AsyncIterator[None]:  # type: ignore[misc]
    """This process may have so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= hard < count:
        pytest.skip(f"only {hard} descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_with_many_half_open_connections_everybody_is_served_as_before(
    tmp_path: Path, telegram: Telegram, clock: SharedClock
) -> None:
    del clock
    async with bots.none_left(), fronts.front() as front:
        process = fronts.bot("one", folder=tmp_path, telegram_url=telegram.url, url=front.url)
        port = await fronts.started(process)
        front.ports.append(port)
        with descriptors(MANY + 400):
            writers = [(await connect(port, b"POST /telegram HTTP/1.1\r\nHost: x\r\n"))[1] for _ in range(MANY)]
            try:
                await _served(port, process, telegram)
            finally:
                for writer in writers:
                    writer.close()
        assert await process.stop() == 0, process.log
        assert "Traceback" not in process.log, process.log


async def _served(port: int, process: Process, telegram: Telegram) -> None:
    assert process.running is not None
    open_now = len(list(Path(f"/proc/{process.running.pid}/fd").iterdir()))
    assert open_now < connections.MOST + 128
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        # It looks at itself every two seconds.
        while (await session.get(f"http://127.0.0.1:{port}/healthz")).status != 200:
            await asyncio.sleep(0.1)
    ada = telegram.person(77, language_code="en")
    await ada.send("/start")
    assert (await ada.next()).text
