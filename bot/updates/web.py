"""The web server: the webhook, /healthz and /metrics. Imported only where it is wanted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from aiohttp import web

from bot.health import Health
from bot.metrics import Metrics
from bot.updates.connections import BoundedConnection, Connections, nameless, room, watched
from bot.updates.webhook import LARGEST, Receiver
from config import logs
from config.addresses import CannotListen, Listen

_log = logs.logger(__name__)

_METRICS = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


@contextlib.asynccontextmanager
async def serving(
    listen: Listen, *, health: Health, metrics: Metrics, receiver: Receiver | None, path: str
) -> AsyncIterator[int]:
    """Serve until the block ends; gives the port. With a receiver, what is posted to `path` goes to it."""
    app = web.Application(client_max_size=LARGEST, middlewares=[watched])
    app.on_response_prepare.append(nameless)
    pages = _Pages(health, metrics)
    app.router.add_get("/healthz", pages.healthz)
    app.router.add_get("/metrics", pages.metrics)
    if receiver is not None:
        app.router.add_post(path, receiver.receive)
    runner = web.AppRunner(app, shutdown_timeout=5.0)
    await runner.setup()
    try:
        server = await _listening(listen, runner)
        try:
            port = int(server.sockets[0].getsockname()[1])
            _log.info("listening", host=listen.host, port=port)
            yield port
        finally:
            server.close()
    finally:
        await runner.cleanup()


async def _listening(listen: Listen, runner: web.AppRunner) -> asyncio.Server:
    """The open port. aiohttp's own site knows no bounds: neither for how many come nor for how long they say nothing."""
    loop, connections, manager = asyncio.get_running_loop(), Connections(room()), runner.server
    if manager is None:
        raise RuntimeError("the runner is not set up")
    # A compressed body would be unpacked before its size is known; and a client that keeps sending is not waited for.
    options = {"loop": loop, "access_log": None, "auto_decompress": False, "lingering_time": 2.0}
    try:
        # Those who wait to be let in take descriptors too, all at once.
        return await loop.create_server(
            lambda: BoundedConnection(connections, manager, **options),
            listen.host,
            listen.port,
            backlog=min(128, connections.most),
        )
    except OSError as error:
        raise CannotListen(
            f"Nothing can listen on {listen.host}:{listen.port} ({error.strerror}); set LISTEN to another."
        ) from None


def path_of(url: str) -> str:
    """The path at which an address is served."""
    return urlsplit(url).path or "/"


class _Pages:
    def __init__(self, health: Health, metrics: Metrics) -> None:
        self._health, self._metrics = health, metrics

    async def healthz(self, _: web.Request) -> web.Response:
        return web.json_response(self._health.report(), status=503 if self._health.red else 200)

    async def metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.page(), headers=_METRICS)
