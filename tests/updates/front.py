"""A reverse proxy before several bots that are posted to, as an operator would have one, and the bots themselves."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.conftest import Process

SECRET = "s3cret_-" * 4
HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET}


@dataclass(slots=True)
class Front:
    """Gives each request to the next bot in turn; one that does not answer is passed over."""

    url: str = ""
    ports: list[int] = field(default_factory=list)
    turn: int = 0
    given: dict[int, int] = field(default_factory=dict)

    async def forward(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        for _ in range(len(self.ports)):
            self.turn += 1
            port = self.ports[self.turn % len(self.ports)]
            try:
                async with (
                    aiohttp.ClientSession() as session,
                    session.post(f"http://127.0.0.1:{port}/telegram", data=body, headers=headers) as answer,
                ):
                    self.given[port] = self.given.get(port, 0) + 1
                    return web.Response(status=answer.status, body=await answer.read())
            except aiohttp.ClientError:
                continue
        return web.Response(status=502)


@contextlib.asynccontextmanager
async def front() -> AsyncIterator[Front]:
    """Serves on loopback until the block ends."""
    found = Front()
    app = web.Application()
    app.router.add_post("/telegram", found.forward)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram"
    try:
        yield found
    finally:
        await runner.cleanup()


async def logged(process: Process, text: str, *, within: float = 30.0) -> str:
    """Waits until the process has said this, a pattern; gives the first group, or all that matched."""
    async with asyncio.timeout(within):
        while (found := re.search(text, process.log)) is None:
            assert process.running is not None
            assert process.running.returncode is None, process.log
            await asyncio.sleep(0.02)
    return found[found.re.groups]


def bot(name: str, *, folder: Path, telegram_url: str, database_url: str = "", url: str) -> Process:
    """One bot in webhook mode, not started, with a folder of its own under `folder`, where the clock is."""
    own = folder / name
    own.mkdir()
    return Process(
        own,
        telegram_url,
        database_url,
        {
            "CLOCK_FILE": str(folder / "clock"),
            "TMPDIR": str(own),
            "MODE": "webhook",
            "WEBHOOK_URL": url,
            "WEBHOOK_SECRET": SECRET,
            "LISTEN": "127.0.0.1:0",
        },
    )


async def started(process: Process) -> int:
    """Starts it; gives the port at which it listens, once it is awake."""
    await process.start()
    port = int(await logged(process, r"listening\b.*?port=(\d+)"))
    await logged(process, "lull is awake")
    return port
