"""Small proxies as operators have them: HTTP with and without CONNECT, the same over TLS, and SOCKS5."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Proxy:
    """What all have in common. `asked` are the places to which it was asked to connect; `password` is for the user "ada"."""

    scheme: str
    password: str | None = None
    tls: ssl.SSLContext | None = None
    refuses: bool = False
    asked: list[str] = field(default_factory=list)
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
        who = "" if self.password is None else f"ada:{self.password}@"
        return f"{self.scheme}://{who}127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk: Callable[..., Awaitable[None]] = _socks if self.scheme.startswith("socks") else _http

        async def served() -> None:
            try:
                await talk(self, reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        task = asyncio.create_task(served())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _http(proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    method, target, _ = head.split(" ", 2)
    lines = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
    place = target if method == "CONNECT" else urlsplit(target).netloc
    proxy.asked.append(place)
    told = base64.b64encode(f"ada:{proxy.password}".encode()).decode().lower()
    if proxy.password is not None and lines.get("proxy-authorization") != f"basic {told}":
        writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
    elif proxy.refuses:
        writer.write(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    else:
        there = await asyncio.open_connection(*place.rsplit(":", 1))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            there[1].write(head.replace(target, target.split(place, 1)[1], 1).encode())
        await _between((reader, writer), there)


async def _socks(proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    _, methods = await reader.readexactly(2)
    offered = await reader.readexactly(methods)
    wanted = 0 if proxy.password is None else 2
    writer.write(bytes([5, wanted if wanted in offered else 255]))
    if proxy.password is not None:
        await reader.readexactly(1)
        said = [await reader.readexactly((await reader.readexactly(1))[0]) for _ in range(2)]
        good = said == [b"ada", proxy.password.encode()]
        writer.write(bytes([1, 0 if good else 1]))
        if not good:
            return
    kind = (await reader.readexactly(4))[3]
    host = await reader.readexactly(4 if kind == 1 else (await reader.readexactly(1))[0])
    port = int.from_bytes(await reader.readexactly(2))
    name = ".".join(map(str, host)) if kind == 1 else host.decode()
    proxy.asked.append(f"{name}:{port}")
    if proxy.refuses:
        writer.write(b"\x05\x02\x00\x01" + bytes(6))
        return
    there = await asyncio.open_connection(name, port)
    writer.write(b"\x05\x00\x00\x01" + bytes(6))
    await _between((reader, writer), there)


async def _between(one: Streams, other: Streams) -> None:
    """Carry bytes both ways until one side ends."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
        writer.close()

    try:
        await asyncio.gather(carry(one[0], other[1]), carry(other[0], one[1]))
    finally:
        other[1].close()
