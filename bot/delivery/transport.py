"""HTTP to Telegram: PTB's request interface over one aiohttp session; its errors say whether anything was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bot.clock import Clock

_PLAIN_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}")
_JSON = {"Content-Type": "application/json"}
_PLAIN_AUTO_HEADERS = ("Accept", "Accept-Encoding", "User-Agent")
_LEAST_SECONDS = 1.0
_FLOOD_SECONDS = 5.0  # for a 429 that does not say
_LONGEST_FLOOD = 1e7

# Raised before the first byte of a request is written: name resolution, refusal, TLS, connect and pool time-outs.
_BEFORE_WRITING = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)
_FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError)  # a TimeoutError is an OSError


class NotSent(NetworkError):  # noqa: N818 - named for what it says
    """Certainly not delivered: never written to the socket, or Telegram answered 500 with a readable refusal."""

    __slots__ = ()


class Unclear(NetworkError):  # noqa: N818
    """The request may have been delivered: silence, a broken connection, a gateway's page or an unreadable answer."""

    __slots__ = ()


class Flooded(RetryAfter):
    """A 429. `seconds` says how long to wait whatever PTB_TIMEDELTA is set to, and reading it warns of nothing."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        # RetryAfter's own __init__ reads its deprecated attribute, which is a warning every time.
        TelegramError.__init__(self, f"Flood control exceeded. Retry in {seconds:g} seconds")
        self._retry_after = timedelta(seconds=seconds)
        self.seconds = seconds


def seconds_of(error: RetryAfter) -> float:
    """How long a 429 asks to wait, in seconds, whether PTB was told to speak in integers or in timedeltas."""
    # __reduce__ holds the whole seconds in both settings and, unlike the attribute, does not warn.
    return error.seconds if isinstance(error, Flooded) else float(error.__reduce__()[1][0])


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds of the bot's clock. Their sum bounds a whole request and must stay below the outbox's lease."""

    connect: float = 5.0
    read: float = 20.0
    write: float = 20.0
    pool: float = 5.0


class _Answer(dict[str, object]):
    """A JSON object in which a missing `result` is an unreadable answer, not a KeyError."""

    def __missing__(self, key: str) -> object:
        raise Unclear(f"answer without {key}")


def _decode(payload: bytes) -> _Answer:
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        answer = None
    # Raised outside the except block: the decoder's exception holds the whole answer, which may be personal.
    if not isinstance(answer, dict):
        raise Unclear("unreadable answer")
    return _Answer(answer)


class Transport(BaseRequest):
    """One aiohttp session for everything that a `telegram.Bot` sends, and for raw calls beside it.

    `api_url` is the server without a path, such as `https://api.telegram.org`. At most `limit` connections are open at
    once. Time-outs are seconds of `clock`; in simulated time none is shorter than a real second, so that a busy machine
    does not look like a silent server. Environment proxies are not used. No exception, here or in its causes, holds the
    address of a request, because the token is part of it.
    """

    def __init__(
        self, api_url: str, token: str, *, clock: Clock, limit: int = 128, timeouts: Timeouts | None = None
    ) -> None:
        self._root = f"{api_url.rstrip('/')}/bot{token}/"
        self._files = f"{api_url.rstrip('/')}/file/bot{token}/"
        self._token = token
        self._clock = clock
        self._limit = limit
        self._timeouts = timeouts or Timeouts()
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}
        self._speed = 0.0
        self._usual = aiohttp.ClientTimeout()

    def __repr__(self) -> str:
        return f"<Transport limit={self._limit} open={self._session is not None}>"

    @property
    def read_timeout(self) -> float:
        return self._timeouts.read

    async def initialize(self) -> None:
        """Open the session; a second time does nothing."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limit, ttl_dns_cache=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_PLAIN_AUTO_HEADERS,
                trust_env=False,
            )

    async def shutdown(self) -> None:
        """Close the session and its connections; a second time does nothing."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def call(self, method: str, *, read_timeout: float | None = None, **parameters: object) -> object:
        """Call a Bot API method and give its `result` as it came. Raises the exceptions of `telegram.error`.

        `read_timeout` in seconds, for a long poll; it must be longer than the poll itself. Parameters that are None are
        left out, the others must be JSON values.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        return await self.bare(method, given, limits=self._limits(read=read_timeout or self._timeouts.read))

    async def bare(
        self, method: str, parameters: Mapping[str, object], *, limits: aiohttp.ClientTimeout | None = None
    ) -> Any:
        """The same with nothing left out, and the usual limits."""
        given = json.dumps(parameters).encode()
        answer = await self._exchange("POST", self._url(self._root + method), given, limits or self._limits())
        return _decode(answer)["result"]

    async def download(self, file_id: str, most: int) -> bytes | None:
        """Get a file that somebody sent, or None when it has more bytes than `most`. Raises the exceptions of `telegram.error`."""
        known = await self.call("getFile", file_id=file_id)
        path = known.get("file_path") if isinstance(known, dict) else None
        if not isinstance(path, str) or not _PLAIN_PATH.fullmatch(path) or ".." in path:
            raise Unclear("no path to the file")
        fault: TelegramError | None = None
        status, payload = 0, b""
        try:
            async with self._open.get(
                self._url(f"{self._files}{path}"), timeout=self._limits(), allow_redirects=False
            ) as got:
                status, payload = got.status, await _up_to(got.content, most + 1)
        except _FAULTS as error:
            fault = _fault(error)
        if fault is not None:
            raise fault
        if status != 200:
            raise Unclear(f"status {status} for a file")
        return payload if len(payload) <= most else None

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise NotSent("the transport is closed")
        return self._session

    async def do_request(  # PTB fixes the number of parameters
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Send one request; for PTB. Only good answers come back: every refusal is raised here, knowing its status."""
        limits = self._limits(read_timeout, write_timeout, connect_timeout, pool_timeout)
        target = URL(url, encoded=True) if method == "GET" else self._url(url)
        return 200, await self._exchange(method, target, _body(request_data), limits)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, object]:
        """Decode an answer without PTB's habit of writing the unreadable ones into the log."""
        return _decode(payload)

    def _url(self, url: str) -> URL:
        # One entry for each Bot API method in use.
        known = self._urls.get(url)
        if known is None:
            known = self._urls[url] = URL(url, encoded=True)
        return known

    async def _exchange(
        self, method: str, url: URL, body: bytes | aiohttp.FormData | None, limits: aiohttp.ClientTimeout
    ) -> bytes:
        if self._session is None:
            raise NotSent("the transport is closed")
        headers = _JSON if isinstance(body, bytes) else None
        fault: TelegramError | None = None
        status, payload = 0, b""
        try:
            # A redirect would carry the token elsewhere, and would send some requests twice.
            async with self._session.request(
                method, url, data=body, headers=headers, timeout=limits, allow_redirects=False
            ) as response:
                status, payload = response.status, await response.read()
        except _FAULTS as error:
            fault = _fault(error)
        if fault is not None:
            raise fault  # outside the except block: aiohttp's own texts hold the address
        if not 200 <= status < 300:
            raise _refusal(status, payload, self._token)
        return payload

    def _limits(
        self,
        read: object = BaseRequest.DEFAULT_NONE,
        write: object = BaseRequest.DEFAULT_NONE,
        connect: object = BaseRequest.DEFAULT_NONE,
        pool: object = BaseRequest.DEFAULT_NONE,
    ) -> aiohttp.ClientTimeout:
        unset = BaseRequest.DEFAULT_NONE
        speed = self._clock.speed
        if read is unset and write is unset and connect is unset and pool is unset:
            if speed != self._speed:
                self._speed, self._usual = speed, _real_limits(self._timeouts, speed)
            return self._usual
        return _real_limits(
            Timeouts(
                connect=_seconds(connect, self._timeouts.connect),
                read=_seconds(read, self._timeouts.read),
                write=_seconds(write, self._timeouts.write),
                pool=_seconds(pool, self._timeouts.pool),
            ),
            speed,
        )


async def _up_to(stream: aiohttp.StreamReader, most: int) -> bytes:
    """What comes, and no more than so many bytes of it, whatever was promised."""
    parts = bytearray()
    async for part in stream.iter_chunked(65_536):
        parts += part
        if len(parts) >= most:
            break
    return bytes(parts[:most])


def _seconds(given: object, usual: float) -> float:
    """What PTB passes: a number, its marker for "not given", or None, for which we know no endless wait."""
    return float(given) if isinstance(given, int | float) else usual


def _real_limits(timeouts: Timeouts, speed: float) -> aiohttp.ClientTimeout:
    """aiohttp's limits, in real seconds. Its `connect` spans the wait for a place in the pool and the connecting."""

    def real(seconds: float) -> float:
        return max(seconds / speed, min(seconds, _LEAST_SECONDS))

    connect, pool, read = real(timeouts.connect), real(timeouts.pool), real(timeouts.read)
    # aiohttp has no limit of its own on writing: the total bounds it, and a slow trickle of an answer too.
    total = connect + pool + read + real(timeouts.write)
    return aiohttp.ClientTimeout(total=total, connect=connect + pool, sock_connect=connect, sock_read=read)


def _body(data: RequestData | None) -> bytes | aiohttp.FormData | None:
    if data is None:
        return None
    if not data.contains_files:
        return json.dumps(data.parameters).encode()
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mimetype) in data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mimetype)
    return form


def _fault(error: Exception) -> NetworkError:
    """No answer. Only what happened before the first byte is certain; a lost connection never is, reused or new."""
    if isinstance(error, _BEFORE_WRITING):
        return NotSent(f"not connected ({_what(error)})")
    return Unclear(f"no answer ({_what(error)})")


def _what(error: Exception) -> str:
    """Class and errno of an exception; its text would show the address."""
    number = getattr(error, "errno", None)
    return type(error).__name__ if number is None else f"{type(error).__name__}, errno {number}"


def _refusal(status: int, payload: bytes, token: str) -> TelegramError:
    """What an answer other than 2xx means. Only Telegram's own JSON counts: a gateway's 403 page blocks nobody."""
    try:
        answer = _decode(payload)
    except Unclear:
        return Unclear(f"status {status} without a readable answer")
    if status > 500 or status < 400:
        return Unclear(f"status {status}")
    text = str(answer.get("description") or f"status {status}").replace(token, "…")
    parameters = answer.get("parameters")
    return _special(status, parameters if isinstance(parameters, dict) else {}) or _plain(status, text)


def _special(status: int, parameters: dict[str, object]) -> TelegramError | None:
    moved, wait = parameters.get("migrate_to_chat_id"), parameters.get("retry_after")
    if isinstance(moved, int):
        return ChatMigrated(moved)
    if isinstance(wait, int | float) and 0 < wait < _LONGEST_FLOOD:
        return Flooded(float(wait))
    return Flooded(_FLOOD_SECONDS) if status == 429 else None


def _plain(status: int, text: str) -> TelegramError:
    if status == 500:
        return NotSent(text)
    if status in (401, 404):  # a wrong token, or one that is not even of the right form
        return InvalidToken(text)
    return {403: Forbidden, 409: Conflict}.get(status, BadRequest)(text)
