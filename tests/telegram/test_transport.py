"""The transport over real sockets: what goes out, what comes back, and what each kind of failure is called."""

from __future__ import annotations

import asyncio
import json
import socket
import traceback
import warnings
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from telegram import InputFile
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
from telegram.request import BaseRequest

from bot.clock import RealClock
from bot.telegram import transport
from bot.telegram.transport import Flooded, NotSent, Timeouts, Transport, Unclear
from tests.telegram.servers import ACCEPTED, TOKEN, Connect, Server, answering, http

Open = Callable[..., Awaitable[Transport]]
HASTY = Timeouts(connect=0.3, read=0.3, write=0.3, pool=0.3)


class FastClock(RealClock):
    """A clock in which a thousand seconds pass in one."""

    speed = 1000.0


@pytest.fixture
def refused_url() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


async def failure(opened: Transport) -> TelegramError:
    with pytest.raises(TelegramError) as caught:
        await opened.call("sendMessage", chat_id=7, text="hello")
    return caught.value


async def test_plain_parameters_travel_as_one_json_object(connect: Connect) -> None:
    async with answering(200, ACCEPTED) as server:
        message = await (await connect(server.url)).send_message(7, "größer & <b>")

    assert message.message_id == 42
    assert server.requests[0].path == f"/bot{TOKEN}/sendMessage"
    assert server.requests[0].kind == "application/json"
    assert json.loads(server.requests[0].body) == {"chat_id": 7, "text": "größer & <b>"}


async def test_files_travel_as_multipart_with_their_names(connect: Connect) -> None:
    async with answering(200, ACCEPTED) as server:
        await (await connect(server.url)).send_photo(
            7, InputFile(b"\x89PNG picture", filename="week.png"), caption="Your week"
        )

    sent = server.requests[0]
    assert sent.kind.startswith("multipart/form-data; boundary=")
    assert b'name="photo"; filename="week.png"' in sent.body
    assert b"\x89PNG picture" in sent.body
    assert b'name="caption"' in sent.body
    assert b"Your week" in sent.body


async def test_a_raw_call_gives_the_result_as_it_came_and_leaves_out_what_is_none(transports: Open) -> None:
    async with answering(200, {"ok": True, "result": [{"update_id": "not a number"}]}) as server:
        result = await (await transports(server.url)).call("getUpdates", offset=None, timeout=0)

    assert result == [{"update_id": "not a number"}]
    assert json.loads(server.requests[0].body) == {"timeout": 0}


async def test_a_long_poll_may_take_longer_than_other_calls(transports: Open) -> None:
    async with answering(200, {"ok": True, "result": []}) as server:
        opened = await transports(server.url, timeouts=Timeouts(read=0.05))
        server.silent = True
        poll = asyncio.create_task(opened.call("getUpdates", read_timeout=0.5))
        ordinary = await failure(opened)
        still_waiting = not poll.done()
        with pytest.raises(Unclear):
            await poll

    assert isinstance(ordinary, Unclear)
    assert still_waiting


async def test_a_file_is_fetched_as_bytes(transports: Open) -> None:
    async with Server([http(200, b"\x00\xff raw")]) as server:
        opened = await transports(server.url)

        assert await opened.retrieve(f"{server.url}/file/bot{TOKEN}/photo.jpg") == b"\x00\xff raw"


async def test_one_connection_serves_one_call_after_another(transports: Open) -> None:
    async with answering(200, {"ok": True, "result": True}) as server:
        opened = await transports(server.url)
        for _ in range(5):
            await opened.call("getMe")

    assert server.connections == 1


async def test_nobody_listening_is_certainly_not_sent(transports: Open, refused_url: str) -> None:
    error = await failure(await transports(refused_url))

    assert isinstance(error, NotSent)
    assert str(error) == "not connected (ConnectError, errno 111)"


async def test_an_unknown_host_is_certainly_not_sent(transports: Open) -> None:
    assert isinstance(await failure(await transports("http://telegram.invalid")), NotSent)


async def test_a_failed_handshake_is_certainly_not_sent(transports: Open) -> None:
    async with Server([http(200, b"this is not TLS")], hang_up_at_once=True) as server:
        opened = await transports(server.url.replace("http:", "https:"))

        assert isinstance(await failure(opened), NotSent)


async def test_no_place_in_the_pool_is_certainly_not_sent(transports: Open) -> None:
    async with Server([b""], silent=True) as server:
        opened = await transports(server.url, limit=1, timeouts=Timeouts(connect=0.1, read=3, write=1, pool=0.1))
        holding = asyncio.create_task(opened.call("getUpdates"))
        while not server.requests:
            await asyncio.sleep(0)
        error = await failure(opened)
        holding.cancel()

    assert isinstance(error, NotSent)
    assert len(server.requests) == 1


async def test_closing_ends_what_is_in_the_air_and_nobody_knows_whether_it_arrived(transports: Open) -> None:
    async with Server([b""], silent=True) as server:
        opened = await transports(server.url)
        sending = asyncio.create_task(failure(opened))
        while not server.requests:
            await asyncio.sleep(0)
        await opened.shutdown()

        assert isinstance(await sending, Unclear)


async def test_a_closed_transport_sends_nothing(transports: Open) -> None:
    async with answering(200, ACCEPTED) as server:
        opened = await transports(server.url)
        await opened.shutdown()
        await opened.shutdown()

        assert isinstance(await failure(opened), NotSent)
    assert server.requests == []


async def test_silence_is_unclear(transports: Open) -> None:
    async with Server([b""], silent=True) as server:
        error = await failure(await transports(server.url, timeouts=HASTY))

    assert isinstance(error, Unclear)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"nonsense\r\n\r\n",
        http(200, b""),
        http(200, b"<html>fine</html>"),
        http(200, b"[]"),
        http(200, b'{"ok": true}'),
        http(200, b"[" * 100_000),
        http(200, b"\xff\xfe\xfd"),
        http(502, b"<html>Bad Gateway</html>"),
        http(502, b'{"ok": false, "error_code": 502, "description": "Bad Gateway"}'),
        http(504, b""),
        http(500, b"<html>oops</html>"),
        http(403, b"<html>the firewall does not like you</html>"),
        http(404, b"not here"),
        http(302, b"", headers="Location: /elsewhere\r\n"),
    ],
)
async def test_an_answer_that_cannot_be_understood_is_unclear_and_not_tried_again(
    transports: Open, answer: bytes | None
) -> None:
    async with Server([answer]) as server:
        error = await failure(await transports(server.url, timeouts=HASTY))

    assert isinstance(error, Unclear)
    assert len(server.requests) == 1


async def test_a_connection_lost_before_anything_was_read_is_unclear(transports: Open) -> None:
    async with Server([None], hang_up_at_once=True) as server:
        assert isinstance(await failure(await transports(server.url, timeouts=HASTY)), Unclear)


async def test_a_connection_lost_on_its_second_use_is_unclear_and_not_tried_again(transports: Open) -> None:
    good = http(200, b'{"ok": true, "result": true}')
    async with Server([good, None]) as server:
        opened = await transports(server.url)
        await opened.call("getMe")
        error = await failure(opened)

    assert isinstance(error, Unclear)
    assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequest), (401, InvalidToken), (403, Forbidden), (404, InvalidToken), (409, Conflict), (413, BadRequest)],
)
async def test_a_refusal_has_its_own_class_and_telegrams_words(
    transports: Open, status: int, kind: type[TelegramError]
) -> None:
    async with answering(status, {"ok": False, "error_code": status, "description": "because of reasons"}) as server:
        error = await failure(await transports(server.url))

    assert type(error) is kind
    assert str(error).lower() == "because of reasons"


async def test_a_readable_500_is_certainly_not_delivered(transports: Open) -> None:
    async with answering(500, {"ok": False, "error_code": 500, "description": "Internal Server Error"}) as server:
        assert isinstance(await failure(await transports(server.url)), NotSent)


async def test_a_moved_chat_brings_its_new_id(transports: Open) -> None:
    answer = {"ok": False, "description": "upgraded", "parameters": {"migrate_to_chat_id": -1009}}
    async with answering(400, answer) as server:
        error = await failure(await transports(server.url))

    assert isinstance(error, ChatMigrated)
    assert error.new_chat_id == -1009


@pytest.mark.parametrize(
    ("parameters", "seconds"), [({"retry_after": 17}, 17.0), ({}, 5.0), ({"retry_after": "soon"}, 5.0), (None, 5.0)]
)
@pytest.mark.parametrize("timedeltas", ["0", "1"])
async def test_a_429_says_how_long_without_a_warning(
    transports: Open,
    monkeypatch: pytest.MonkeyPatch,
    parameters: object,
    seconds: float,
    timedeltas: str,
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", timedeltas)
    async with answering(429, {"ok": False, "description": "Too Many", "parameters": parameters}) as server:
        error = await failure(await transports(server.url))

    assert isinstance(error, Flooded)
    assert transport.seconds_of(error) == seconds


@pytest.mark.parametrize("timedeltas", ["0", "1"])
def test_the_librarys_own_429_is_read_without_a_warning(monkeypatch: pytest.MonkeyPatch, timedeltas: str) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", timedeltas)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        error = RetryAfter(timedelta(seconds=9))

    assert transport.seconds_of(error) == 9.0


async def test_no_exception_shows_the_token(transports: Open, refused_url: str) -> None:
    async with (
        Server([None]) as dropping,
        answering(404, {"ok": False, "description": f"no /bot{TOKEN}/sendMessage here"}) as echoing,
        Server([b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"], silent=True) as silent,
    ):
        for url in (refused_url, dropping.url, echoing.url, silent.url, "ftp://127.0.0.1"):
            error = await failure(await transports(url, timeouts=HASTY))
            shown = "".join(traceback.format_exception(error)) + repr(error)

            assert TOKEN not in shown
            assert error.__cause__ is None
            assert error.__context__ is None


async def test_its_repr_shows_neither_token_nor_address(transports: Open) -> None:
    opened = await transports("http://user:pass@127.0.0.1:1")

    assert TOKEN not in repr(opened)
    assert "pass" not in repr(opened)


async def test_unreadable_answers_are_not_logged(transports: Open, caplog: pytest.LogCaptureFixture) -> None:
    async with Server([http(200, b"dear diary")]) as server:
        await failure(await transports(server.url))

    assert "diary" not in caplog.text


async def test_proxies_of_the_environment_are_not_used(
    transports: Open, monkeypatch: pytest.MonkeyPatch, refused_url: str
) -> None:
    monkeypatch.setenv("http_proxy", refused_url)
    monkeypatch.setenv("HTTP_PROXY", refused_url)
    async with answering(200, {"ok": True, "result": True}) as server:
        assert await (await transports(server.url)).call("getMe") is True


@pytest.mark.parametrize(("seconds", "expected"), [(20.0, 1.0), (5000.0, 5.0), (0.4, 0.4)])
def test_simulated_seconds_are_shorter_but_never_less_than_a_real_one(seconds: float, expected: float) -> None:
    opened = Transport("http://127.0.0.1", TOKEN, clock=FastClock(), timeouts=Timeouts(connect=0, read=seconds))

    assert opened._span().total_seconds() == pytest.approx(expected)


def test_a_call_may_set_its_own_time_and_one_with_files_has_more() -> None:
    opened = Transport("http://127.0.0.1", TOKEN, clock=RealClock(), timeouts=Timeouts(connect=2))

    assert opened._allowed(3, 4, files=False) == timedelta(seconds=2 + 3)
    assert opened._allowed(3, 4, files=True) == timedelta(seconds=2 + 3 + 4)
    assert opened._allowed(None, BaseRequest.DEFAULT_NONE, files=True) == timedelta(seconds=2 + 20 + 20)


def test_both_kinds_of_failure_are_network_errors() -> None:
    assert issubclass(NotSent, NetworkError)
    assert issubclass(Unclear, NetworkError)
