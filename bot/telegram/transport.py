"""HTTP to Telegram: PTB's request interface over one client; its errors say whether anything was sent."""

from __future__ import annotations

import asyncio
import io
import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import BytesPayload, ClientSession, ClientTimeout, DummyCookieJar, MultipartWriter, StreamReader
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload
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

from bot.clock import Clock
from bot.telegram import connecting
from bot.telegram.connecting import FAULTS, Cause, cause_of

LARGEST = 16_000_000
"""At most this many bytes of an answer are read. Telegram's largest, a hundred long messages, has a tenth of that."""

_PLAIN_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}")
_MOST_DIGITS = 4300  # Python's own limit
_encoded = json.JSONEncoder(separators=(",", ":")).encode
_LEAST_SECONDS = 1.0
_FLOOD_SECONDS = 5.0  # for a 429 that does not say
_LONGEST_FLOOD = 1e7
# Compressed answers are not asked for, and one that comes all the same is not inflated.
_HEADERS = {"User-Agent": "lull", "Accept-Encoding": "identity"}
_WANTS_PROXY_PASSWORD = 407


class NoAnswer(NetworkError):  # noqa: N818 - named for what it says
    """Nothing that can be relied on came back; `cause` says why, for a person to read."""

    __slots__ = ("cause",)

    def __init__(self, message: str, cause: Cause = Cause.OTHER) -> None:
        super().__init__(message)
        self.cause = cause


class NotSent(NoAnswer):
    """Certainly not delivered: never written to the socket, or Telegram answered 500 with a readable refusal."""

    __slots__ = ()


class Unclear(NoAnswer):
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
    """Seconds of the bot's clock. Their sum bounds a whole request and must stay below the outbox's lease.

    `pool` is the wait for a place among the open connections, `connect` the time for opening one, `read` how long the server may
    say nothing. `write` is what a request with files may take longer.
    """

    connect: float = 5.0
    read: float = 20.0
    write: float = 20.0
    pool: float = 5.0


class _Answer(dict[str, object]):
    """A JSON object in which a missing `result` is an unreadable answer, not a KeyError."""

    def __missing__(self, key: str) -> object:
        raise Unclear(f"answer without {key}")


def _loads(payload: bytes) -> object:
    """The value. One number longer than Python likes must not lose a batch of updates: it is infinite."""
    try:
        return json.loads(payload)
    except ValueError:
        return json.loads(
            payload, parse_int=lambda digits: int(digits) if len(digits) < _MOST_DIGITS else float(digits)
        )


def _decode(payload: bytes) -> _Answer:
    try:
        answer = _loads(payload)
    except (ValueError, RecursionError):
        answer = None
    # Raised outside the except block: the decoder's exception holds the whole answer, which may be personal.
    if not isinstance(answer, dict):
        raise Unclear("unreadable answer")
    return _Answer(answer)


class _Watched(Payload):
    """A body that knows whether there still was a connection to write it to.

    Headers go out with the first of the body, and without its end a request is incomplete: one whose body found no connection was
    certainly not sent. Of a connection that ends later nobody knows, also of one that had already ended on the other side.
    """

    left = False

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        way = writer.transport
        self.left = way is not None and not way.is_closing()
        await super().write_with_length(writer, content_length)


class _Json(_Watched, BytesPayload):
    """A body of bytes."""


class _Form(_Watched, MultipartWriter):
    """A body of fields and files."""


class Transport(BaseRequest):
    """One HTTP client for everything that a `telegram.Bot` sends, and for raw calls beside it.

    `api_url` is the server without a path, such as `https://api.telegram.org`; `proxy` an http, https or socks5 address
    through which all goes, and `tls` whom to trust instead of the machine's authorities. `dated` is told the `Date` of each good
    answer. At most `limit` connections are open
    at once. Time-outs are seconds of `clock`; in simulated time none is shorter than a real second, so that a busy machine does
    not look like a silent server. Cancelling a call closes its connection, but the request may have left: whoever cancels knows
    as little as after silence. No exception, here or in its causes, holds the address of a request, because the token is part
    of it, or the proxy's, which may have a password.
    """

    def __init__(  # what differs between the bot and its tests has names
        self,
        api_url: str,
        token: str,
        *,
        clock: Clock,
        limit: int = 128,
        timeouts: Timeouts | None = None,
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
        dated: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._root = f"{api_url.rstrip('/')}/bot{token}/"
        self._files = f"{api_url.rstrip('/')}/file/bot{token}/"
        self._token = token
        self._clock = clock
        self._limit = limit
        self._timeouts = timeouts or Timeouts()
        self._proxy = proxy
        self._tls = tls
        self._dated = dated
        self._session: ClientSession | None = None
        self._speed = 0.0
        self._usual = ClientTimeout()

    def __repr__(self) -> str:
        return f"<Transport limit={self._limit} open={self._session is not None}>"

    @property
    def read_timeout(self) -> float:
        return self._timeouts.read

    async def initialize(self) -> None:
        """Open the client; a second time does nothing."""
        if self._session is None:
            proxy = self._proxy
            self._session = ClientSession(
                connector=connecting.connector(proxy, limit=self._limit, tls=self._tls),
                proxy=None if proxy is None or connecting.is_socks(proxy) else proxy,
                headers=_HEADERS,
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
            )

    async def shutdown(self) -> None:
        """Close the client and its connections; a second time does nothing."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def call(self, method: str, *, read_timeout: float | None = None, **parameters: object) -> object:
        """Call a Bot API method and give its `result` as it came. Raises the exceptions of `telegram.error`.

        `read_timeout` in seconds, for a long poll; it must be longer than the poll itself. Parameters that are None are
        left out, the others must be JSON values.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        return await self.bare(method, given, limit=None if read_timeout is None else self._span(read_timeout))

    async def bare(self, method: str, parameters: Mapping[str, object], *, limit: ClientTimeout | None = None) -> Any:
        """The same with nothing left out, and the usual time."""
        answer = await self._exchange(self._root + method, _json(parameters), limit or self._span())
        return _decode(answer)["result"]

    async def download(self, file_id: str, most: int) -> bytes | None:
        """Get a file that somebody sent, or None when it has more bytes than `most`. Raises the exceptions of `telegram.error`."""
        known = await self.call("getFile", file_id=file_id)
        path = known.get("file_path") if isinstance(known, dict) else None
        if not isinstance(path, str) or not _PLAIN_PATH.fullmatch(path) or ".." in path:
            raise Unclear("no path to the file")
        status, payload, _ = await self._ask("GET", f"{self._files}{path}", None, self._span(), most + 1)
        if status != 200:
            raise Unclear(f"status {status} for a file")
        return payload if len(payload) <= most else None

    @property
    def _open(self) -> ClientSession:
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
        body = _body(request_data)
        limit = self._allowed(read_timeout, write_timeout, files=isinstance(body, _Form))
        return 200, await self._exchange(url, body, limit, method=method)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, object]:
        """Decode an answer without PTB's habit of writing the unreadable ones into the log."""
        return _decode(payload)

    async def _exchange(self, url: str, body: _Watched | None, limit: ClientTimeout, *, method: str = "POST") -> bytes:
        status, payload, date = await self._ask(method, url, body, limit, LARGEST + 1)
        if status == _WANTS_PROXY_PASSWORD and self._proxy is not None:
            raise NotSent(f"not connected: {Cause.PROXY} (status {status})", Cause.PROXY)
        if not 200 <= status < 300:
            raise _refusal(status, payload, self._token)
        if len(payload) > LARGEST:
            raise Unclear(f"an answer of more than {LARGEST} bytes")
        # A gateway's page has a date as well; only what looks like Telegram's own counts.
        if date and payload.startswith(b"{"):
            self._dated(date)
        return payload

    async def _ask(
        self, method: str, url: str, body: _Watched | None, limit: ClientTimeout, most: int
    ) -> tuple[int, bytes, str]:
        """The status, at most this many bytes of the body, and the `Date`."""
        session = self._open
        fault: TelegramError | None = None
        status, payload, date = 0, b"", ""
        try:
            # A redirect would carry the token elsewhere, and would send some requests twice.
            async with session.request(method, url, data=body, timeout=limit, allow_redirects=False) as answer:
                status, payload = answer.status, await _up_to(answer.content, most)
                date = answer.headers.get("Date", "")
        except asyncio.CancelledError:
            # This is how aiohttp tells requests that wait for a connection that the client was closed.
            if not session.closed or _is_cancelled():
                raise
            fault = _fault(aiohttp.ClientConnectionError(), body)
        except FAULTS as error:
            fault = _fault(error, body)
        if fault is not None:
            raise fault  # outside the except block: the client's own texts hold the address
        return status, payload, date

    def _span(self, read: float | None = None, write: float = 0.0) -> ClientTimeout:
        """The real times for a request, given its own seconds for reading and writing, or none."""
        if read is None:
            if self._clock.speed != self._speed:
                self._speed, self._usual = self._clock.speed, self._span(self._timeouts.read)
            return self._usual
        silence, connect = self._real(read), self._real(self._timeouts.connect)
        # aiohttp's "connect" is the wait for a place as well, its "sock_read" a silence; the sum stops what only trickles.
        connected = self._real(self._timeouts.pool) + connect
        total = connected + self._real(write) + silence
        return ClientTimeout(total=total, connect=connected, sock_connect=connect, sock_read=silence)

    def _allowed(self, read: object, write: object, *, files: bool) -> ClientTimeout:
        """The same for what PTB gives, or does not give, with a call."""
        more = _seconds(write, self._timeouts.write) if files else 0.0
        return self._span(_seconds(read, self._timeouts.read), more)

    def _real(self, seconds: float) -> float:
        return max(seconds / self._clock.speed, min(seconds, _LEAST_SECONDS))


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _up_to(body: StreamReader, most: int) -> bytes:
    """The answer's bytes, at most the given number of them, whatever its headers promise."""
    first = await body.readany()
    if body.at_eof():  # nearly always
        return first[:most]
    parts = bytearray(first)
    while len(parts) < most and not body.at_eof():
        parts += await body.readany()
    return bytes(parts[:most])


def _seconds(given: object, usual: float) -> float:
    """What PTB passes: a number, its marker for "not given", or None, for which we know no endless wait."""
    return float(given) if isinstance(given, int | float) else usual


def _json(parameters: Mapping[str, object]) -> _Json:
    return _Json(_encoded(parameters).encode(), content_type="application/json")


def _body(data: RequestData | None) -> _Watched | None:
    if data is None:
        return None
    if not data.contains_files:
        return _json(data.parameters)
    form = _Form("form-data")
    for name, value in data.json_parameters.items():
        form.append(value).set_content_disposition("form-data", name=name)
    for name, (filename, content, mimetype) in data.multipart_data.items():
        whole = content if isinstance(content, bytes) else content.read()
        # In a file of its own it is written piece by piece.
        part = form.append(io.BytesIO(whole), {"Content-Type": mimetype})
        part.set_content_disposition("form-data", name=name, filename=filename)
    return form


def _fault(error: Exception, body: _Watched | None) -> NetworkError:
    """No answer. Only what happened before the first byte is certain; a lost connection never is, reused or new."""
    cause = cause_of(error)
    if body is not None and not body.left:
        return NotSent(f"not connected: {cause} ({_what(error)})", cause)
    return Unclear(f"no answer: {cause} ({_what(error)})", cause)


def _what(error: Exception) -> str:
    """Class and number of an exception; its text would show the address."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"{type(error).__name__}, status {error.status}"
    number = error.errno if isinstance(error, OSError) else None
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
