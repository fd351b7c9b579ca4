"""The transport through real proxies of every kind, and what is said when one does not let it through."""

from __future__ import annotations

import json
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from telegram.error import TelegramError

from bot.telegram.connecting import Cause
from bot.telegram.transport import NotSent, Timeouts, Transport
from tests.telegram import certificates
from tests.telegram.proxies import Proxy
from tests.telegram.servers import TOKEN, Server, http

Open = Callable[..., Awaitable[Transport]]
KINDS = ("http", "https", "socks5")
GOOD = http(200, json.dumps({"ok": True, "result": [1]}).encode())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine."""
    return certificates.made(tmp_path_factory.mktemp("certificate"))


async def failure(opened: Transport) -> TelegramError:
    with pytest.raises(TelegramError) as caught:
        await opened.call("sendMessage", chat_id=7, text="hello")
    return caught.value


def proxy_of(kind: str, certificate: Path, *, password: str | None = None, refuses: bool = False) -> Proxy:
    return Proxy(kind, password, certificates.shown(certificate) if kind == "https" else None, refuses)


@pytest.mark.parametrize("password", [None, "opensesame"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", KINDS)
async def test_calls_go_through_a_proxy_and_share_its_connection(
    transports: Open, certificate: Path, kind: str, scheme: str, password: str | None
) -> None:
    tls = certificates.shown(certificate) if scheme == "https" else None
    async with Server([GOOD], tls=tls) as server, proxy_of(kind, certificate, password=password) as proxy:
        opened = await transports(server.url, proxy=proxy.url, tls=certificates.trusting(certificate))
        answers = [await opened.call("getUpdates") for _ in range(3)]
        place = server.place

    assert answers == [[1]] * 3
    assert proxy.asked == [place]
    assert len(server.requests) == 3
    assert all(request.path.endswith(f"/bot{TOKEN}/getUpdates") for request in server.requests)
    assert server.connections == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_password_is_certainly_not_sent_and_the_proxys_refusal(
    transports: Open, certificate: Path, kind: str, scheme: str
) -> None:
    tls = certificates.shown(certificate) if scheme == "https" else None
    async with Server([GOOD], tls=tls) as server, proxy_of(kind, certificate, password="opensesame") as proxy:
        address = proxy.url.replace("opensesame", "guess")
        error = await failure(await transports(server.url, proxy=address, tls=certificates.trusting(certificate)))

    assert isinstance(error, NotSent)
    assert error.cause is Cause.PROXY
    assert server.connections == 0
    assert "guess" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_changes_nothing_in_whom_the_bot_trusts(transports: Open, certificate: Path, kind: str) -> None:
    async with Server([GOOD], tls=certificates.shown(certificate)) as server, Proxy(kind) as proxy:
        error = await failure(await transports(server.url, proxy=proxy.url, tls=certificates.trusting()))

    assert isinstance(error, NotSent)
    assert error.cause is Cause.UNTRUSTED
    assert server.requests == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_proxy_that_does_not_want_to_connect_has_refused(
    transports: Open, certificate: Path, kind: str
) -> None:
    async with proxy_of(kind, certificate, refuses=True) as proxy:
        opened = await transports("https://telegram.invalid", proxy=proxy.url, tls=certificates.trusting(certificate))
        error = await failure(opened)

    # The name is the proxy's to find.
    assert proxy.asked == ["telegram.invalid:443"]
    assert isinstance(error, NotSent)
    assert error.cause is Cause.PROXY


@pytest.mark.parametrize("kind", KINDS)
async def test_no_proxy_there_is_the_proxys_refusal(transports: Open, kind: str, refused_url: str) -> None:
    error = await failure(await transports("https://telegram.invalid", proxy=refused_url.replace("http:", f"{kind}:")))

    assert isinstance(error, NotSent)
    assert error.cause is Cause.PROXY


async def test_a_socks_proxy_that_says_nothing_has_timed_out(transports: Open) -> None:
    async with Server([b""], silent=True) as silent:
        address = silent.url.replace("http:", "socks5:")
        opened = await transports("http://telegram.invalid", proxy=address, timeouts=Timeouts(connect=0.2, pool=0.2))
        error = await failure(opened)

    assert isinstance(error, NotSent)
    assert error.cause is Cause.TIMED_OUT
