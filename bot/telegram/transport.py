"""HTTP to Telegram: PTB's request interface over one client; its errors say whether anything was sent."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import (
    BuilderError,
    DetailedPyreqwestError,
    PoolTimeoutError,
    PyreqwestError,
    RequestTimeoutError,
)
from pyreqwest.multipart import FormBuilder, PartBuilder
from pyreqwest.request import RequestBuilder
from pyreqwest.response import ResponseBodyReader
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
from bot.telegram import quickjson
from bot.telegram.connecting import Cause

_PLAIN_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}")
_LEAST_SECONDS = 1.0
_IDLE = timedelta(seconds=15)  # for which an unused connection is kept
_FLOOD_SECONDS = 5.0  # for a 429 that does not say
_LONGEST_FLOOD = 1e7

# What the client's own core says of a fault before the first byte of a request: name resolution, refusal, TLS, time-out of
# the connecting. The class of its exception does not tell: it calls a connection that broke later a ConnectError as well.
_CONNECTING = "client error (Connect)"
_ERRNO = re.compile(r"\(os error (\d+)\)")


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

    `pool` is the wait for a place among the open connections, `read` the time from there on for everything but the connecting,
    to which a request with files adds `write`.
    """

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
        answer = quickjson.loads(payload)
    except (ValueError, RecursionError):
        answer = None
    # Raised outside the except block: the decoder's exception holds the whole answer, which may be personal.
    if not isinstance(answer, dict):
        raise Unclear("unreadable answer")
    return _Answer(answer)


class Transport(BaseRequest):
    """One HTTP client for everything that a `telegram.Bot` sends, and for raw calls beside it.

    `api_url` is the server without a path, such as `https://api.telegram.org`. At most `limit` connections are open at
    once. Time-outs are seconds of `clock`; in simulated time none is shorter than a real second, so that a busy machine
    does not look like a silent server; those for connecting and for a place are what the clock's speed makes of them when it is
    opened. Cancelling a call gives up its answer and not the request, which may still leave, until `shutdown`: so whoever
    cancels knows as little as after silence. Environment proxies are not used. No exception, here or in its causes, holds the
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
        self._client: Client | None = None
        self._speed = 0.0
        self._usual = timedelta()

    def __repr__(self) -> str:
        return f"<Transport limit={self._limit} open={self._client is not None}>"

    @property
    def read_timeout(self) -> float:
        return self._timeouts.read

    async def initialize(self) -> None:
        """Open the client; a second time does nothing."""
        if self._client is None:
            self._client = (
                ClientBuilder()
                .http1_only()
                .no_proxy()
                # A redirect would carry the token elsewhere, and would send some requests twice.
                .follow_redirects(enable=False)
                .gzip(enable=False)
                .brotli(enable=False)
                .zstd(enable=False)
                .deflate(enable=False)
                .max_connections(self._limit)
                .pool_max_idle_per_host(self._limit)
                .pool_idle_timeout(_IDLE)
                .connect_timeout(self._real(self._timeouts.connect))
                .pool_timeout(self._real(self._timeouts.pool))
                .build()
            )

    async def shutdown(self) -> None:
        """Close the client and its connections; a second time does nothing."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def call(self, method: str, *, read_timeout: float | None = None, **parameters: object) -> object:
        """Call a Bot API method and give its `result` as it came. Raises the exceptions of `telegram.error`.

        `read_timeout` in seconds, for a long poll; it must be longer than the poll itself. Parameters that are None are
        left out, the others must be JSON values.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        return await self.bare(method, given, limit=self._span(read_timeout or self._timeouts.read))

    async def bare(self, method: str, parameters: Mapping[str, object], *, limit: timedelta | None = None) -> Any:
        """The same with nothing left out, and the usual time."""
        answer = await self._exchange(self._root + method, quickjson.dumps(parameters), limit or self._span())
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
            request = self._open.get(f"{self._files}{path}").timeout(self._span()).build_streamed()
            async with request as got:
                status, payload = got.status, await _up_to(got.body_reader, most + 1)
        except _FAULTS as error:
            fault = _fault(error)
        if fault is not None:
            raise fault
        if status != 200:
            raise Unclear(f"status {status} for a file")
        return payload if len(payload) <= most else None

    @property
    def _open(self) -> Client:
        if self._client is None:
            raise NotSent("the transport is closed")
        return self._client

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
        limit = self._allowed(read_timeout, write_timeout, files=isinstance(body, FormBuilder))
        return 200, await self._exchange(url, body, limit, method=method)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, object]:
        """Decode an answer without PTB's habit of writing the unreadable ones into the log."""
        return _decode(payload)

    async def _exchange(
        self, url: str, body: bytes | FormBuilder | None, limit: timedelta, *, method: str = "POST"
    ) -> bytes:
        client = self._open
        fault: TelegramError | None = None
        status, payload = 0, b""
        try:
            request = _with_body(client.request(method, url).timeout(limit), body).build()
        except _FAULTS as error:
            fault = _fault(error, built=False)
        if fault is not None:
            raise fault
        try:
            response = await request.send()
            status, payload = response.status, bytes(await response.bytes())
        except _FAULTS as error:
            fault = _fault(error)
        if fault is not None:
            raise fault  # outside the except block: the client's own texts hold the address
        if not 200 <= status < 300:
            raise _refusal(status, payload, self._token)
        return payload

    def _span(self, seconds: float | None = None) -> timedelta:
        """The real time for a request, connecting included, of which so many seconds (usually `read`) are for the rest."""
        if seconds is None:
            if self._clock.speed != self._speed:
                self._speed, self._usual = self._clock.speed, self._span(self._timeouts.read)
            return self._usual
        return self._real(self._timeouts.connect) + self._real(seconds)

    def _allowed(self, read: object, write: object, *, files: bool) -> timedelta:
        """The same for what PTB gives, or does not give, with a call."""
        more = _seconds(write, self._timeouts.write) if files else 0.0
        return self._span(_seconds(read, self._timeouts.read) + more)

    def _real(self, seconds: float) -> timedelta:
        return timedelta(seconds=max(seconds / self._clock.speed, min(seconds, _LEAST_SECONDS)))


async def _up_to(body: ResponseBodyReader, most: int) -> bytes:
    """What comes, and no more than so many bytes of it, whatever was promised."""
    parts = bytearray()
    while len(parts) < most and (part := await body.read_chunk()) is not None:
        parts += bytes(part)
    return bytes(parts[:most])


def _seconds(given: object, usual: float) -> float:
    """What PTB passes: a number, its marker for "not given", or None, for which we know no endless wait."""
    return float(given) if isinstance(given, int | float) else usual


def _body(data: RequestData | None) -> bytes | FormBuilder | None:
    if data is None:
        return None
    if not data.contains_files:
        return quickjson.dumps(data.parameters)
    form = FormBuilder()
    for name, value in data.json_parameters.items():
        form = form.text(name, value)
    for name, (filename, content, mimetype) in data.multipart_data.items():
        whole = content if isinstance(content, bytes) else content.read()
        form = form.part(name, PartBuilder.from_bytes(whole).file_name(filename).mime(mimetype))
    return form


def _with_body(request: RequestBuilder, body: bytes | FormBuilder | None) -> RequestBuilder:
    match body:
        case None:
            return request
        case bytes():
            return request.header("Content-Type", "application/json").body_bytes(body)
    return request.multipart(body)


# A ValueError is what an address that is none becomes.
_FAULTS = (PyreqwestError, OSError, ValueError)


def _fault(error: Exception, *, built: bool = True) -> NetworkError:
    """No answer. Only what happened before the first byte is certain; a lost connection never is, reused or new."""
    causes = _causes(error)
    if not built:
        return NotSent(f"not a request ({type(error).__name__})")
    if _CONNECTING in causes or isinstance(error, PoolTimeoutError | BuilderError):
        return NotSent(f"not connected ({_what(error, causes)})", _cause(error, causes))
    return Unclear(f"no answer ({_what(error, causes)})", _cause(error, causes))


def _cause(error: Exception, causes: list[str]) -> Cause:
    """What an operator can be told of it. This client has no class for a name that is not found or a bad certificate."""
    if isinstance(error, RequestTimeoutError):
        return Cause.TIMED_OUT
    found = _ERRNO.search(causes[-1]) if causes else None
    return Cause.REFUSED if found is not None and int(found[1]) == errno.ECONNREFUSED else Cause.OTHER


def _causes(error: Exception) -> list[str]:
    """What the client knows of an exception's reasons, from the outside in. The first of them shows the address."""
    known = error.details["causes"] if isinstance(error, DetailedPyreqwestError) else None
    return [str(cause["message"]) for cause in known or ()]


def _what(error: Exception, causes: list[str]) -> str:
    """Class and errno of an exception; its text would show the address."""
    found = _ERRNO.search(causes[-1]) if causes else None
    return type(error).__name__ if found is None else f"{type(error).__name__}, errno {found[1]}"


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
