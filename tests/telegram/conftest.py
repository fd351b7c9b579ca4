"""Transports and bots that are closed again after the test."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from telegram.ext import ExtBot

from bot.clock import RealClock
from bot.telegram.rate_limiter import Passage, RateLimiter
from bot.telegram.transport import Timeouts, Transport
from tests.telegram.servers import TOKEN, Connect


@pytest.fixture
async def transports() -> AsyncIterator[Callable[..., Awaitable[Transport]]]:
    """Makes open transports to an address and closes them after the test."""
    made: list[Transport] = []

    async def make(url: str, **given: object) -> Transport:
        transport = Transport(url, TOKEN, **({"clock": RealClock()} | given))  # type: ignore[arg-type]
        await transport.initialize()
        made.append(transport)
        return transport

    yield make
    for transport in made:
        await transport.shutdown()


@pytest.fixture
def connect(transports: Callable[..., Awaitable[Transport]]) -> Connect:
    """Makes a bot, limiter and all, that talks to an address and has little patience."""

    async def make(url: str) -> ExtBot[Passage]:
        timeouts = Timeouts(connect=0.5, read=0.3, write=0.5, pool=0.5)
        transport = await transports(url, timeouts=timeouts)
        limiter = RateLimiter(rate=1000, clock=RealClock())
        return ExtBot(
            TOKEN, base_url=f"{url}/bot", request=transport, get_updates_request=transport, rate_limiter=limiter
        )

    return make


@pytest.fixture
def refused_url() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
