"""Who may be connected to the web server: so many at once, and none that keeps it waiting for what it wants."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

MOST = 200
"""Connections at once. Telegram makes forty, a proxy in front of the bot about as many."""

HEAD_WITHIN = 10.0
"""Real seconds until all headers of a request are there, counted from the connection's start or the request's first byte."""

IDLE = 75.0
"""Real seconds that a connection may stay open between two requests."""

BODY_WITHIN = 30.0
"""Real seconds until a request's body is there."""

_ENOUGH = 4096
"""Descriptors; with so many there is no need to ask for more."""


def room() -> int:
    """How many connections there may be: whatever comes in, three descriptors of four are left to the rest of the bot."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    more = hard if 0 <= hard < _ENOUGH else _ENOUGH
    if 0 <= soft < more:
        resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
        soft = more
    return MOST if soft < 0 else min(MOST, max(8, soft // 4))


class Connections:
    """All of one server. With no room left the one that has been silent for longest gives way to the next: whoever is served
    keeps its place, and who only holds one does not keep others out."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._all: set[BoundedConnection] = set()
        self._silent: dict[BoundedConnection, None] = {}  # those without a request, the longest silent first

    def __len__(self) -> int:
        return len(self._all)

    def admit(self, new: BoundedConnection) -> bool:
        """Whether there is room for one more, or was made."""
        if len(self._all) >= self.most:
            oldest = next(iter(self._silent), None)
            if oldest is None:
                return False
            self.forget(oldest)
            oldest.drop()
        self._all.add(new)
        self._silent[new] = None
        return True

    def silent(self, one: BoundedConnection) -> None:
        """It has been answered, and nothing has come since."""
        if one in self._all:
            self._silent[one] = None

    def served(self, one: BoundedConnection) -> None:
        """Its request is there, and is being answered."""
        self._silent.pop(one, None)

    def forget(self, one: BoundedConnection) -> None:
        """It is closed, or is about to be."""
        self._all.discard(one)
        self._silent.pop(one, None)


class BoundedConnection(web.RequestHandler):
    """One connection, as aiohttp has it, with an end to its waiting."""

    def __init__(self, connections: Connections, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._connections = connections
        self._timer: asyncio.TimerHandle | None = None
        self._idle = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._connections.admit(self):
            self._wait(HEAD_WITHIN)
        else:
            self.drop()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._wait(None)
        self._connections.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._idle:
            self._idle = False
            self._wait(HEAD_WITHIN)
        super().data_received(data)

    def handle_error(self, *args: Any, **keywords: Any) -> web.StreamResponse:
        """For what is no HTTP at all; the application's own signals do not see it."""
        answer = super().handle_error(*args, **keywords)
        answer.headers["Server"] = ""
        return answer

    def begin(self) -> None:
        """The headers of a request are there."""
        self._wait(None)
        self._connections.served(self)

    def end(self) -> None:
        """It is answered."""
        self._idle = True
        self._wait(IDLE)
        self._connections.silent(self)

    def drop(self) -> None:
        """At once: nothing is said to whoever says nothing."""
        self._wait(None)
        if self.transport is not None:
            self.transport.abort()

    def _wait(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self.drop)


@web.middleware
async def watched(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Tells the request's connection when its headers are there and when it is answered."""
    connection = request.protocol
    if not isinstance(connection, BoundedConnection):
        return await handler(request)
    connection.begin()
    try:
        return await handler(request)
    finally:
        connection.end()


async def nameless(_: web.Request, answer: web.StreamResponse) -> None:
    """What kind of server this is, and in which version, is nobody's business."""
    answer.headers.pop("Server", None)
