"""Small servers that behave like Telegram, or badly."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from telegram.ext import ExtBot

from bot.telegram.rate_limiter import Passage

TOKEN = "123456:TEST"
ACCEPTED = {
    "ok": True,
    "result": {"message_id": 42, "date": 1, "chat": {"id": 7, "type": "private"}, "text": "hello"},
}


@dataclass
class Request:
    """One request as it came over the wire."""

    path: str
    kind: str
    body: bytes
    accepts: str = ""


async def read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if fields.get("transfer-encoding") == "chunked":
        body = await reader.readuntil(b"0\r\n\r\n")
    else:
        body = await reader.readexactly(int(fields.get("content-length", "0")))
    return Request(head[0].split()[1], fields.get("content-type", ""), body, fields.get("accept-encoding", ""))


def http(status: int, body: bytes, *, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


@dataclass
class Server:
    """A Telegram whose `answers` are bytes to write, or None for hanging up without a word; the last is repeated."""

    answers: list[bytes | None]
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    silent: bool = False
    hang_up_at_once: bool = False
    once: bool = False
    """Whether a connection ends after its first answer."""
    trickles: bool = False
    """Whether a letter comes after each answer every now and then, for ever."""
    tls: ssl.SSLContext | None = None
    ended: int = 0
    """Connections that are over, whoever closed them."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def place(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._talk(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not self.hang_up_at_once:
                self.requests.append(await read_request(reader))
                if self.silent:
                    await reader.read()  # until the other side hangs up
                    return
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
                while self.trickles:
                    await asyncio.sleep(0.05)
                    writer.write(b"x")
                    await writer.drain()
                if self.once:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.ended += 1
            writer.close()


def answering(status: int, answer: object) -> Server:
    """A server that always gives this JSON."""
    return Server([http(status, json.dumps(answer).encode(), headers="Content-Type: application/json\r\n")])


Connect = Callable[[str], Awaitable[ExtBot[Passage]]]
"""Makes a bot that talks to an address."""
