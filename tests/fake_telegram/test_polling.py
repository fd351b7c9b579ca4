"""getUpdates and the webhook: what is kept, confirmed, filtered, and who is told that somebody else polls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.fake_telegram.telegram import Telegram
from tests.fake_telegram.caller import Caller


async def texts(caller: Caller, **fields: Any) -> list[str]:
    answer = await caller.json("getUpdates", **fields)
    return [update.get("message", {}).get("text", "?") for update in answer["result"]]


async def numbers(caller: Caller) -> list[int]:
    return [update["update_id"] for update in (await caller.json("getUpdates"))["result"]]


@pytest.fixture
async def three(telegram: Telegram) -> None:
    for text in ("one", "two", "three"):
        await telegram.person(42).send(text)


@pytest.mark.usefixtures("three")
async def test_updates_come_again_until_a_higher_offset_confirms_them(caller: Caller) -> None:
    assert await texts(caller) == ["one", "two", "three"]
    first, *_ = await numbers(caller)

    assert await texts(caller, offset=first, limit=2) == ["one", "two"]
    assert await texts(caller, offset=first + 2) == ["three"]
    assert await texts(caller, offset=first) == ["three"]
    assert caller.telegram.world.updates.confirmed_up_to == first + 1


@pytest.mark.usefixtures("three")
async def test_a_negative_offset_keeps_only_the_last_ones(caller: Caller) -> None:
    assert await texts(caller, offset=-1) == ["three"]
    assert await texts(caller) == ["three"]


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": 101}, {"timeout": -1}, {"allowed_updates": ["messages"]}])
async def test_bounds_of_a_poll_are_checked(caller: Caller, fields: dict[str, Any]) -> None:
    assert (await caller.json("getUpdates", **fields))["error_code"] == 400


async def test_a_long_poll_ends_as_soon_as_somebody_writes(caller: Caller) -> None:
    poll = asyncio.create_task(texts(caller, timeout=50))
    await caller.telegram.world.updates.changes.wait_for(lambda: caller.telegram.world.updates.polls == 1, timeout=5)

    await caller.telegram.person(42).send("awake?")

    assert await asyncio.wait_for(poll, 5) == ["awake?"]


async def test_a_long_poll_can_be_ended_with_nothing(caller: Caller) -> None:
    updates = caller.telegram.world.updates
    poll = asyncio.create_task(texts(caller, timeout=50))
    await updates.changes.wait_for(lambda: updates.polls == 1, timeout=5)

    updates.end_poll()

    assert await asyncio.wait_for(poll, 5) == []


async def test_kinds_that_were_not_asked_for_are_not_kept(caller: Caller) -> None:
    person = caller.telegram.person(42)
    await caller.json("getUpdates", allowed_updates=["callback_query"])
    await person.send("not kept")
    await caller.json("getUpdates", allowed_updates=[])
    await person.send("kept")
    await person.block()

    kinds = [sorted(set(update) - {"update_id"}) for update in (await caller.json("getUpdates"))["result"]]

    assert kinds == [["message"], ["my_chat_member"]]


async def test_of_two_polls_the_older_ends_with_a_conflict(caller: Caller) -> None:
    updates = caller.telegram.world.updates
    older = asyncio.create_task(caller.json("getUpdates", timeout=50))
    await updates.changes.wait_for(lambda: updates.polls == 1, timeout=5)
    newer = asyncio.create_task(caller.json("getUpdates", timeout=50))

    ended = await asyncio.wait_for(older, 5)
    await caller.telegram.person(42).send("hello")

    assert ended["error_code"] == 409
    assert ended["description"].startswith("Conflict: terminated by other getUpdates request")
    assert len((await asyncio.wait_for(newer, 5))["result"]) == 1


async def test_an_injected_update_goes_out_as_it_is(caller: Caller) -> None:
    caller.telegram.inject({"message": ["a list where an object belongs"], "new_kind": 5})
    caller.telegram.inject({"update_id": 12, "message": "x"})

    first, second = (await caller.json("getUpdates"))["result"]

    assert first["message"] == ["a list where an object belongs"]
    assert first["new_kind"] == 5
    assert second == {"update_id": 12, "message": "x"}


class Hook:
    """A webhook that fails as often as it is told to."""

    def __init__(self) -> None:
        self.failures = 0
        self.received: list[tuple[str | None, str]] = []
        self.arrived = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.Response:
        if self.failures:
            self.failures -= 1
            return web.Response(status=500)
        update = await request.json()
        async with self.arrived:
            self.received.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), update["message"]["text"]))
            self.arrived.notify_all()
        return web.Response()


@pytest.fixture
async def hook() -> AsyncIterator[tuple[Hook, str]]:
    found = Hook()
    app = web.Application()
    app.router.add_post("/hook", found.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield found, f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await runner.cleanup()


async def test_a_webhook_gets_updates_in_order_with_its_secret_until_it_takes_them(
    caller: Caller, hook: tuple[Hook, str]
) -> None:
    server, url = hook
    server.failures = 2
    assert (await caller.json("setWebhook", url=url, secret_token="s3cret_-x"))["result"] is True
    for text in ("one", "two"):
        await caller.telegram.person(42).send(text)

    async with server.arrived:
        await asyncio.wait_for(server.arrived.wait_for(lambda: len(server.received) == 2), 10)

    assert server.received == [("s3cret_-x", "one"), ("s3cret_-x", "two")]
    info = (await caller.json("getWebhookInfo"))["result"]
    assert info["url"] == url
    assert "500" in info["last_error_message"]


async def test_a_webhook_and_polling_exclude_each_other(caller: Caller, hook: tuple[Hook, str]) -> None:
    await caller.json("setWebhook", url=hook[1])
    refused = await caller.json("getUpdates")
    await caller.json("deleteWebhook")

    assert refused["error_code"] == 409
    assert "webhook is active" in refused["description"]
    assert (await caller.json("getUpdates"))["ok"]


async def test_a_webhook_elsewhere_or_with_an_odd_secret_is_refused(caller: Caller) -> None:
    assert "bad webhook" in await caller.refusal("setWebhook", url="https://example.org/hook")
    assert "unallowed characters" in await caller.refusal("setWebhook", url="http://127.0.0.1:1/", secret_token="a b")


async def test_a_poller_that_went_away_loses_nothing(caller: Caller) -> None:
    updates = caller.telegram.world.updates
    async with aiohttp.ClientSession() as session:
        url = f"{caller.telegram.url}/bot{caller.telegram.token}/getUpdates?timeout=50"
        poll = asyncio.create_task(session.get(url))
        await updates.changes.wait_for(lambda: updates.polls == 1, timeout=5)
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)

    await caller.telegram.person(42).send("still here")

    assert await texts(caller, timeout=5) == ["still here"]
