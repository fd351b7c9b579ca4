"""What became of a message, for every way in which Telegram and the network answer."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass

import pytest
from telegram.error import NetworkError, TimedOut

from bot.core.outcome import Gone, NotFound, Outcome, Rejected, Sent, TokenRefused, Unknown, Unsent, Why, Withdrawn
from bot.core.pacing import Lane
from bot.telegram import sender
from bot.telegram.rate_limiter import Passage
from bot.views.message import Button, Keyboard
from tests.telegram.servers import ACCEPTED, Connect, Server, answering, http


@dataclass(frozen=True)
class Words:
    text: str = "Time for your magnesium"
    keyboard: Keyboard | None = None
    silent: bool = False


REMINDER = Passage(Lane.REMINDER)


def refusal(status: int, description: str, **parameters: int) -> Server:
    return answering(status, {"ok": False, "error_code": status, "description": description, "parameters": parameters})


async def sent_to(server: Server, connect: Connect) -> Outcome:
    async with server:
        return await sender.send(await connect(server.url), 7, Words(), passage=REMINDER)


async def test_an_accepted_message_is_sent_with_html_and_without_previews(connect: Connect) -> None:
    keyboard = Keyboard(((Button("Taken", callback_data="v1:taken"),),))
    async with answering(200, ACCEPTED) as server:
        outcome = await sender.send(await connect(server.url), 7, Words("<b>x</b>", keyboard, True), passage=REMINDER)

    assert outcome == Sent(42)
    assert json.loads(server.requests[0].body) == {
        "chat_id": 7,
        "text": "<b>x</b>",
        "parse_mode": "HTML",
        "disable_notification": True,
        "link_preview_options": {"is_disabled": True},
        "reply_markup": {"inline_keyboard": [[{"text": "Taken", "callback_data": "v1:taken"}]]},
    }


async def test_nobody_listening_is_unsent(connect: Connect) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    outcome = await sender.send(await connect(url), 7, Words(), passage=REMINDER)

    assert isinstance(outcome, Unsent)
    assert outcome.retry_after is None


async def test_a_500_in_json_is_unsent(connect: Connect) -> None:
    assert await sent_to(refusal(500, "Internal Server Error"), connect) == Unsent("Internal Server Error")


async def test_a_429_is_unsent_with_the_wait_that_was_asked(connect: Connect) -> None:
    outcome = await sent_to(refusal(429, "Too Many Requests: retry after 33", retry_after=33), connect)

    assert isinstance(outcome, Unsent)
    assert outcome.retry_after == 33.0


@pytest.mark.parametrize(
    "server",
    [
        Server([b""], silent=True),
        Server([None]),
        Server([None], hang_up_at_once=True),
        Server([http(502, b"<html>Bad Gateway</html>")]),
        Server([http(504, b"<html>Gateway Time-out</html>")]),
        Server([http(200, b"<html>Welcome to the hotel</html>")]),
        Server([http(200, b"\x00\x01\x02")]),
        Server([http(200, b'{"ok": true, "result": {}}')]),
        Server([http(200, b'{"ok": true, "result": []}')]),
        Server([http(200, b'{"ok": true, "result": true}')]),
        Server([http(200, b'{"ok": true, "result": null}')]),
        Server([http(403, b"<html>forbidden by the proxy</html>")]),
        Server([http(500, b"<html>no</html>")]),
    ],
    ids=[
        "silent",
        "closed after reading",
        "closed before reading",
        "502 page",
        "504 page",
        "200 page",
        "200 garbage",
        "empty result",
        "list for a result",
        "true for a result",
        "null for a result",
        "403 page",
        "500 page",
    ],
)
async def test_no_readable_answer_is_unknown(connect: Connect, server: Server) -> None:
    assert isinstance(await sent_to(server, connect), Unknown)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (403, "Forbidden: bot was blocked by the user"),
        (403, "Forbidden: user is deactivated"),
        (400, "Bad Request: USER_IS_DEACTIVATED"),
    ],
)
async def test_a_person_who_left_is_gone(connect: Connect, status: int, text: str) -> None:
    assert isinstance(await sent_to(refusal(status, text), connect), Gone)


async def test_an_unknown_chat_is_not_found(connect: Connect) -> None:
    assert isinstance(await sent_to(refusal(400, "Bad Request: chat not found"), connect), NotFound)


async def test_a_moved_chat_is_rejected_since_a_private_one_never_moves(connect: Connect) -> None:
    outcome = await sent_to(refusal(400, "Bad Request: group upgraded", migrate_to_chat_id=-100123), connect)

    assert isinstance(outcome, Rejected)


async def test_our_own_mistake_is_rejected(connect: Connect) -> None:
    outcome = await sent_to(refusal(400, "Bad Request: can't parse entities"), connect)

    assert outcome == Rejected("Can't parse entities")


@pytest.mark.parametrize("status", [401, 404])
async def test_a_refused_token_closes_everything(connect: Connect, status: int) -> None:
    assert isinstance(await sent_to(refusal(status, "Unauthorized"), connect), TokenRefused)


async def test_a_message_that_is_no_longer_wanted_is_withdrawn_and_never_reaches_the_network(connect: Connect) -> None:
    async def no() -> bool:
        return False

    async with answering(200, ACCEPTED) as server:
        outcome = await sender.send(await connect(server.url), 7, Words(), passage=Passage(Lane.REMINDER, before=no))

    assert outcome == Withdrawn(Why.UNWANTED)
    assert server.requests == []


async def test_a_message_that_could_not_be_noted_is_withdrawn_and_never_reaches_the_network(connect: Connect) -> None:
    async def disk_full() -> bool:
        raise OSError(28, "No space left on device")

    async with answering(200, ACCEPTED) as server:
        passage = Passage(Lane.REMINDER, before=disk_full)
        outcome = await sender.send(await connect(server.url), 7, Words(), passage=passage)

    assert outcome == Withdrawn(Why.NOT_NOTED)
    assert server.requests == []


async def test_an_edit_gives_the_number_of_the_message(connect: Connect) -> None:
    async with answering(200, ACCEPTED) as server:
        outcome = await sender.edit(await connect(server.url), 7, 42, Words("done"), passage=Passage(Lane.ANSWER))

    assert outcome == Sent(42)
    assert json.loads(server.requests[0].body)["message_id"] == 42


async def test_an_edit_that_changes_nothing_counts_as_sent(connect: Connect) -> None:
    text = "Bad Request: message is not modified: specified new message content is exactly the same"
    async with refusal(400, text) as server:
        outcome = await sender.edit(await connect(server.url), 7, 42, Words(), passage=Passage(Lane.ANSWER))

    assert outcome == Sent(42)


async def test_an_edit_of_a_lost_message_is_rejected(connect: Connect) -> None:
    async with refusal(400, "Bad Request: message to edit not found") as server:
        outcome = await sender.edit(await connect(server.url), 7, 42, Words(), passage=Passage(Lane.ANSWER))

    assert outcome == Rejected("Message to edit not found")


@pytest.mark.parametrize("error", [TimedOut(), NetworkError("httpx.ReadError")])
def test_network_errors_of_another_transport_are_unknown(error: NetworkError) -> None:
    assert isinstance(sender.classify(error), Unknown)


@pytest.mark.parametrize("paid", [True, False])
async def test_a_message_may_be_charged_for_only_where_that_was_switched_on(connect: Connect, paid: bool) -> None:
    async with answering(200, ACCEPTED) as server:
        await sender.send(await connect(server.url), 7, Words(), passage=Passage(Lane.REMINDER, paid=paid))

    assert json.loads(server.requests[0].body).get("allow_paid_broadcast", False) is paid
