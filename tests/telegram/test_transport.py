"""The transport over real sockets: what goes out, what comes back, and what each kind of failure is called."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import math
import socket
import ssl
import sys
import threading
import traceback
import warnings
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import certifi
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
from bot.telegram import connecting, transport
from bot.telegram.connecting import Cause
from bot.telegram.transport import Flooded, NotSent, Timeouts, Transport, Unclear
from bot.views.message import View
from db.outbox import rows as outbox
from tests.telegram import certificates
from tests.telegram.servers import ACCEPTED, TOKEN, Connect, Server, answering, http

Open = Callable[..., Awaitable[Transport]]
ANSWERED = http(200, b'{"ok": true, "result": true}')
HASTY = Timeouts(connect=3, read=0.3, write=3, pool=3)


class FastClock(RealClock):
    """A clock in which a thousand seconds pass in one."""

    speed = 1000.0


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


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"\\ud83d"', "\ud83d"),  # one half of a character, as an escape
        ('"\\u0000"', "\0"),
        ("NaN", None),
        ("9" * 5000, math.inf),
        ("[" * 300 + "]" * 300, None),
    ],
)
async def test_one_odd_value_does_not_make_an_answer_unreadable(transports: Open, written: str, value: object) -> None:
    async with Server([http(200, f'{{"ok": true, "result": [7, {written}]}}'.encode())]) as server:
        result = await (await transports(server.url)).call("getUpdates")

    assert isinstance(result, list)
    assert result[0] == 7
    assert value is None or result[1] == value


@pytest.mark.parametrize("value", [object(), View("a message"), {1, 2}])
async def test_what_is_no_json_value_is_not_sent(transports: Open, value: object) -> None:
    async with answering(200, ACCEPTED) as server:
        with pytest.raises(TypeError):
            await (await transports(server.url)).call("sendMessage", text=value)

    assert server.requests == []


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
    assert error.cause is Cause.REFUSED
    assert str(error) == "not connected: refused (ClientConnectorError, errno 111)"


async def test_an_unknown_host_is_certainly_not_sent(transports: Open) -> None:
    error = await failure(await transports("http://telegram.invalid"))

    assert isinstance(error, NotSent)
    assert error.cause is Cause.NAME


@contextlib.contextmanager
def deaf() -> Iterator[str]:
    """The address of a machine that lets nobody connect: its queue is full, and nobody empties it."""
    with socket.socket() as listening, contextlib.ExitStack() as waiting:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


async def test_no_connection_in_time_is_certainly_not_sent(transports: Open) -> None:
    with deaf() as url:
        error = await failure(await transports(url, timeouts=Timeouts(connect=0.3)))

    assert isinstance(error, NotSent)
    assert error.cause is Cause.TIMED_OUT


@pytest.mark.parametrize(
    ("begins", "ends", "trusted", "cause"),
    [
        ("20200101", "21200101", False, Cause.UNTRUSTED),
        ("20200101", "20210101", True, Cause.CLOCK),
        ("21000101", "21200101", True, Cause.CLOCK),
    ],
)
async def test_a_certificate_that_is_not_taken_is_certainly_not_sent_and_says_why(
    transports: Open, tmp_path: Path, begins: str, ends: str, trusted: bool, cause: Cause
) -> None:
    certificate = certificates.made(tmp_path / "certificate", begins=begins, ends=ends)
    async with Server([http(200, b"")], tls=certificates.shown(certificate)) as server:
        tls = certificates.trusting(*([certificate] if trusted else []))
        error = await failure(await transports(server.url, tls=tls))

    assert isinstance(error, NotSent)
    assert error.cause is cause
    assert server.requests == []


async def test_a_failed_handshake_is_certainly_not_sent(transports: Open) -> None:
    async with Server([http(200, b"this is not TLS")], hang_up_at_once=True) as server:
        opened = await transports(server.url.replace("http:", "https:"))

        assert isinstance(await failure(opened), NotSent)


def test_a_machine_that_knows_no_authorities_trusts_those_of_mozilla(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert connecting._trust() is True

    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    trusted = connecting._trust()

    assert isinstance(trusted, ssl.SSLContext)
    assert trusted.verify_mode is ssl.CERT_REQUIRED
    assert trusted.check_hostname
    assert len(trusted.get_ca_certs()) > 50


async def test_no_place_in_the_pool_is_certainly_not_sent(transports: Open) -> None:
    async with Server([b""], silent=True) as server:
        opened = await transports(server.url, limit=1, timeouts=Timeouts(connect=0.1, read=3, write=1, pool=0.1))
        holding = asyncio.create_task(opened.call("getUpdates"))
        while not server.requests:
            await asyncio.sleep(0)
        error = await failure(opened)
        holding.cancel()

    assert isinstance(error, NotSent)
    assert error.cause is Cause.TIMED_OUT
    assert len(server.requests) == 1


async def test_a_cancelled_call_closes_its_connection_and_leaves_its_place(transports: Open) -> None:
    async with Server([ANSWERED], silent=True) as server:
        opened = await transports(server.url, limit=1)
        for number in range(1, 4):
            sending = asyncio.create_task(opened.call("sendMessage", chat_id=7, text="hello"))
            while len(server.requests) < number:
                await asyncio.sleep(0)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
        while server.ended < 3:
            await asyncio.sleep(0)
        server.silent = False

        assert await opened.call("getMe") is True
    assert server.connections == 4


async def test_who_waits_for_a_place_when_the_transport_is_closed_has_sent_nothing(transports: Open) -> None:
    async with Server([b""], silent=True) as server:
        opened = await transports(server.url, limit=1)
        holding = asyncio.create_task(failure(opened))
        while not server.requests:
            await asyncio.sleep(0)
        waiting = asyncio.create_task(failure(opened))
        await asyncio.sleep(0)
        await opened.shutdown()

        assert isinstance(await waiting, NotSent)
        assert isinstance(await holding, Unclear)
    assert len(server.requests) == 1


async def test_a_connection_that_ends_before_the_request_is_written_has_sent_nothing(transports: Open) -> None:
    async with Server([ANSWERED]) as server:
        opened = await transports(server.url)
        await opened.call("getMe")
        sending = asyncio.create_task(failure(opened))
        await asyncio.sleep(0)
        await opened.shutdown()
        error = await sending
        while not server.ended:
            await asyncio.sleep(0)

    # Since Python 3.12 the request is written in the same step, and nobody knows.
    assert isinstance(error, NotSent if sys.version_info < (3, 12) else Unclear)
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


async def test_a_connection_lost_before_anything_was_read_is_not_tried_again(transports: Open) -> None:
    async with Server([None], hang_up_at_once=True) as server:
        error = await failure(await transports(server.url, timeouts=HASTY))

    # Whether the end was seen before the writing is a matter of microseconds; both is true.
    assert isinstance(error, Unclear | NotSent)
    assert server.connections == 1


async def test_a_connection_lost_on_its_second_use_is_unclear_and_not_tried_again(transports: Open) -> None:
    async with Server([ANSWERED, None]) as server:
        opened = await transports(server.url)
        await opened.call("getMe")
        error = await failure(opened)

    assert isinstance(error, Unclear)
    assert (server.connections, len(server.requests)) == (1, 2)


async def test_a_kept_connection_that_the_server_has_closed_is_not_used(transports: Open) -> None:
    async with Server([ANSWERED], once=True) as server:
        opened = await transports(server.url)
        for number in range(1, 4):
            assert await opened.call("getMe") is True
            while server.ended < number:
                await asyncio.sleep(0)
            await asyncio.sleep(0)  # for our side to see it

    assert (server.connections, len(server.requests)) == (3, 3)


async def test_a_kept_connection_that_was_closed_unseen_is_unclear_and_not_tried_again(transports: Open) -> None:
    close, closed, connections = threading.Event(), threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    one, _ = listening.accept()
                    connections.append(one)
                    one.recv(65536)
                    one.sendall(ANSWERED)
                    close.wait()
                    one.close()
                    closed.set()

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        opened = await transports(f"http://127.0.0.1:{listening.getsockname()[1]}")
        await opened.call("getMe")
        close.set()
        closed.wait()  # the loop stands still, and sees nothing
        error = await failure(opened)
        listening.shutdown(socket.SHUT_RDWR)
        server.join()

    assert isinstance(error, Unclear)
    assert len(connections) == 1


async def test_an_answer_without_an_end_is_given_up_at_16_megabytes(transports: Open) -> None:
    piece = b"x" * 1_000_000
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n" + 40 * piece
    async with Server([endless]) as server:
        opened = await transports(server.url)
        error = await failure(opened)
        while not server.ended:
            await asyncio.sleep(0)

    assert isinstance(error, Unclear)
    assert str(error) == "an answer of more than 16000000 bytes"


async def test_an_answer_that_only_trickles_ends_with_the_whole_time(transports: Open) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    async with Server([endless], trickles=True) as server:
        times = Timeouts(connect=1, read=0.1, pool=0.1)
        error = await failure(await transports(server.url, timeouts=times))

    assert isinstance(error, Unclear)
    assert error.cause is Cause.TIMED_OUT


async def test_an_answer_of_almost_16_megabytes_is_read(transports: Open) -> None:
    async with answering(200, {"ok": True, "result": "x" * 15_900_000}) as server:
        result = await (await transports(server.url)).call("getUpdates")

    assert result == "x" * 15_900_000


async def test_a_file_is_read_no_further_than_it_may_be_long(transports: Open) -> None:
    found = http(200, b'{"ok": true, "result": {"file_path": "documents/file_1"}}')
    async with Server([found, http(200, b"12345"), found, http(200, b"123456")]) as server:
        opened = await transports(server.url)

        assert await opened.download("one", 5) == b"12345"
        assert await opened.download("one", 5) is None


async def test_a_compressed_answer_is_not_asked_for_and_not_inflated(transports: Open) -> None:
    answer = gzip.compress(b'{"ok": true, "result": true}')
    async with Server([http(200, answer, headers="Content-Encoding: gzip\r\n")]) as server:
        error = await failure(await transports(server.url))

    assert isinstance(error, Unclear)
    assert server.requests[0].accepts == "identity"


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


async def test_it_does_not_look_for_a_proxy_in_the_environment_by_itself(
    transports: Open, monkeypatch: pytest.MonkeyPatch, refused_url: str
) -> None:
    monkeypatch.setenv("http_proxy", refused_url)
    monkeypatch.setenv("HTTP_PROXY", refused_url)
    async with answering(200, {"ok": True, "result": True}) as server:
        assert await (await transports(server.url)).call("getMe") is True


@pytest.mark.parametrize(("seconds", "expected"), [(20.0, 1.0), (5000.0, 5.0), (0.4, 0.4)])
def test_simulated_seconds_are_shorter_but_never_less_than_a_real_one(seconds: float, expected: float) -> None:
    times = Timeouts(connect=0, read=seconds, pool=0)
    opened = Transport("http://127.0.0.1", TOKEN, clock=FastClock(), timeouts=times)

    assert opened._span().total == pytest.approx(expected)


def test_a_call_may_set_its_own_time_and_one_with_files_has_more() -> None:
    opened = Transport("http://127.0.0.1", TOKEN, clock=RealClock(), timeouts=Timeouts(connect=2, pool=1))

    assert opened._allowed(3, 4, files=False).total == 1 + 2 + 3
    assert opened._allowed(3, 4, files=True).sock_read == 3  # a silence ends sooner than the whole
    assert opened._allowed(3, 4, files=True).total == 1 + 2 + 3 + 4
    assert opened._allowed(None, BaseRequest.DEFAULT_NONE, files=True).total == 1 + 2 + 20 + 20


def test_a_request_ends_before_somebody_else_takes_its_message() -> None:
    longest = Transport("http://127.0.0.1", TOKEN, clock=RealClock())._allowed(None, None, files=True)

    assert longest.total is not None
    assert longest.total < outbox.LEASE.total_seconds() / 2


def test_both_kinds_of_failure_are_network_errors() -> None:
    assert issubclass(NotSent, NetworkError)
    assert issubclass(Unclear, NetworkError)
