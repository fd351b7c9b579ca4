"""The webhook: Telegram posts updates, each is stored and only then accepted; and the subscription that makes it post."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping

from aiohttp import web
from telegram.error import RetryAfter, TelegramError

from bot.clock import Clock
from bot.updates.connections import BODY_WITHIN
from bot.updates.polling import ALLOWED, Call, Wrote, letter_of, moment_of, store
from bot.updates.queues import Queues
from config import logs
from db import inbox
from db.engine import Database, Unavailable

_log = logs.logger(__name__)

LARGEST = 2**20
"""Bytes of an update at most. Telegram's are a few thousand."""

CONNECTIONS = 40
"""How many updates Telegram posts at the same time."""

LOOK_EVERY = 30.0
"""Real seconds between two looks at whether Telegram still posts to us, and can."""

_HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Receiver:
    """Takes what Telegram posts."""

    def __init__(
        self, database: Database, queues: Queues, *, clock: Clock, secret: str, wrote: Wrote = lambda _: None
    ) -> None:
        self._database, self._queues, self._clock, self._secret = database, queues, clock, secret.encode()
        self._wrote = wrote

    async def receive(self, request: web.Request) -> web.Response:
        """200 once the update is committed. What cannot be read is kept for the operator: refused, it would come for a day."""
        # Before a byte of the body is read, so that a stranger without the secret costs nothing.
        shown = request.headers.get(_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(shown, self._secret):
            return _closing(403)
        if request.content_type != "application/json":
            return _closing(415)
        if (request.content_length or 0) > LARGEST:
            return _closing(413)
        if self._queues.full:  # Telegram keeps what is refused, and posts it again
            return _closing(503)
        try:
            async with asyncio.timeout(BODY_WITHIN):
                body = await _read(request)
        except TimeoutError:
            return _closing(408)
        if body is None:
            return _closing(413)
        try:
            await self._take(body)
        except Unavailable as error:
            _log.error("the database is away; updates stay with Telegram", why=str(error))
            return web.Response(status=503)
        return web.Response()

    async def _take(self, body: bytes) -> None:
        now = self._clock.now()
        try:
            raw = json.loads(body)
            stored_update = letter_of(raw, now=now)
            problem = "not an update"
        except (ValueError, RecursionError) as error:
            stored_update, problem = None, type(error).__name__
        if stored_update is not None:
            if (at := moment_of(raw)) is not None:
                self._wrote(at)
            await store(self._database, self._queues, [stored_update])
            return
        _log.warning("an unreadable body was put aside", kind=problem)
        async with self._database.write("bury") as db:
            await inbox.keep(db, _number(body), body=body.decode("utf-8", "backslashreplace"), error=problem, now=now)


async def _read(request: web.Request) -> bytes | None:
    """The body; None as soon as it is too large, and then nothing of it is kept."""
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > LARGEST:
            return None
        parts.append(part)
    return b"".join(parts)


def _closing(status: int) -> web.Response:
    """A refusal that closes the connection, so that the rest of the body is not read."""
    response = web.Response(status=status)
    response.force_close()
    return response


def _number(body: bytes) -> int:
    """A number of its own for a body without one, below all of Telegram's; the same body has the same."""
    return -1 - int.from_bytes(hashlib.sha256(body).digest()[:7])


class Subscription:
    """Sees that Telegram posts to our address. `last_good` as in polling; `fault` is what Telegram says it fails at."""

    def __init__(self, call: Call, *, clock: Clock, url: str, secret: str) -> None:
        self._call, self._clock, self._url, self._secret = call, clock, url, secret
        self._set = False
        self.last_good: float | None = None
        self.fault = ""

    async def run(self) -> None:
        """Look for ever; an error is tried again soon."""
        wait = 0.5
        while True:
            try:
                await self.look()
            except TelegramError as error:
                wait = min(wait * 2, LOOK_EVERY / 2)
                if isinstance(error, RetryAfter):
                    wait = max(wait, float(getattr(error, "seconds", wait)))
                _log.warning("the webhook could not be looked at", kind=type(error).__name__, retry_in=wait)
                await self._clock.sleep(wait)
            else:
                wait = 0.5
                await self._clock.sleep(LOOK_EVERY * max(1.0, self._clock.speed))

    async def look(self) -> None:
        """Set the webhook at the first look, and again when somebody has set another."""
        if not self._set:
            await self._subscribe()
        info = await self._info()
        if info.get("url") != self._url:
            _log.warning("the webhook was set elsewhere, by another process or by hand; it is set to ours again")
            await self._subscribe()
            info = await self._info()
        self.fault = self._judged(info)
        if self.fault:
            _log.error("Telegram cannot deliver updates", why=self.fault)
        self.last_good = self._clock.monotonic()

    async def _subscribe(self) -> None:
        await self._call(
            "setWebhook",
            url=self._url,
            secret_token=self._secret,
            allowed_updates=list(ALLOWED),
            max_connections=CONNECTIONS,
            drop_pending_updates=False,
        )
        self._set = True

    async def _info(self) -> Mapping[str, object]:
        info = await self._call("getWebhookInfo")
        return info if isinstance(info, dict) else {}

    def _judged(self, info: Mapping[str, object]) -> str:
        """What Telegram failed at since the last look, while updates wait; nothing when it delivers."""
        if info.get("url") != self._url:
            return "the webhook is set to another address"
        at = info.get("last_error_date")
        recent = isinstance(at, int) and self._clock.now().timestamp() - at < 2 * LOOK_EVERY
        if not info.get("pending_update_count") or not recent:
            return ""
        return str(info.get("last_error_message", "no reason given"))[:200]
