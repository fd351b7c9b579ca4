"""Faults and rate limits: what took effect, and what the bot got to see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.clock import SharedClock
from bot.fake_telegram import server
from bot.fake_telegram.faults import Fault, Faults, Limits
from bot.fake_telegram.telegram import Telegram
from tests.fake_telegram.caller import Caller

ADA = 42
GONE = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


@pytest.fixture(autouse=True)
async def ada(telegram: Telegram) -> None:
    for number in (ADA, 43):
        await telegram.person(number).send("/start")


def arrived(telegram: Telegram, chat_id: int = ADA) -> int:
    return sum(message.from_bot for message in telegram.person(chat_id).chat)


async def test_a_call_dropped_before_has_no_effect_and_one_dropped_after_has(caller: Caller) -> None:
    caller.telegram.fault(Fault("drop_before", "sendMessage", count=1))
    caller.telegram.fault(Fault("drop_after", "sendMessage", count=1))

    with pytest.raises(GONE):
        await caller.json("sendMessage", chat_id=ADA, text="before")
    with pytest.raises(GONE):
        await caller.json("sendMessage", chat_id=ADA, text="after")
    await caller.json("sendMessage", chat_id=ADA, text="fine")

    texts = [message.text for message in caller.telegram.person(ADA).chat if message.from_bot]
    assert texts == ["after", "fine"]
    assert [call.fault for call in caller.telegram.called_with("sendMessage")] == ["drop_before", "drop_after", ""]


async def test_a_silent_call_takes_effect_and_never_answers(caller: Caller) -> None:
    caller.telegram.fault(Fault("silent", chat_id=ADA))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(caller.json("sendMessage", chat_id=ADA, text="x"), 0.3)

    assert arrived(caller.telegram) == 1
    assert (await caller.json("sendMessage", chat_id=43, text="x"))["ok"]


@pytest.mark.parametrize(("effect", "copies"), [(False, 0), (True, 1)])
async def test_a_gateway_error_is_html_or_json_and_may_have_had_an_effect(
    caller: Caller, effect: bool, copies: int
) -> None:
    url = f"{caller.telegram.url}/bot{caller.telegram.token}/sendMessage"
    caller.telegram.fault(Fault("status", code=502, html=True, effect=effect, count=1))
    async with caller.session.post(url, json={"chat_id": ADA, "text": "x"}) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")

    caller.telegram.fault(Fault("status", code=500, count=1))
    refused = await caller.json("sendMessage", chat_id=ADA, text="x")

    assert (refused["error_code"], refused["description"]) == (500, "Internal Server Error")
    assert arrived(caller.telegram) == copies


async def test_bad_json_comes_with_200(caller: Caller) -> None:
    caller.telegram.fault(Fault("bad_json"))
    url = f"{caller.telegram.url}/bot{caller.telegram.token}/sendMessage"

    async with caller.session.post(url, json={"chat_id": ADA, "text": "x"}) as answer:
        assert answer.status == 200
        with pytest.raises(ValueError, match=r"Expecting|delimiter|Unterminated"):
            await answer.json()
    assert arrived(caller.telegram) == 1


async def test_too_many_says_for_how_long_and_skips_the_first_ones(caller: Caller) -> None:
    caller.telegram.fault(Fault("too_many", skip=1, retry_after=7))

    assert (await caller.json("sendMessage", chat_id=ADA, text="x"))["ok"]
    refused = await caller.json("sendMessage", chat_id=ADA, text="x")

    assert refused["parameters"] == {"retry_after": 7}
    assert refused["description"] == "Too Many Requests: retry after 7"
    assert arrived(caller.telegram) == 1


def test_chance_is_the_same_with_the_same_seed(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", origin=datetime(2026, 11, 20, tzinfo=UTC))

    def strikes(seed: int) -> list[bool]:
        faults = Faults(clock, seed=seed)
        faults.add(Fault("drop_after", probability=0.3))
        return [faults.strike("sendMessage", {}) is not None for _ in range(200)]

    assert strikes(5) == strikes(5) != strikes(6)
    assert 30 < sum(strikes(5)) < 90


def test_a_fault_that_lasts_ends_with_the_clock(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", origin=datetime(2026, 11, 20, tzinfo=UTC))
    faults = Faults(clock)
    faults.add(Fault("drop_before", lasting=1800))

    clock.skip(1700)
    during = faults.strike("getUpdates", {})
    clock.skip(200)

    assert during is not None
    assert faults.strike("getUpdates", {}) is None


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="earthquake"):
        Fault("earthquake")


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[Telegram]:
    """A stand-in whose clock all but stands still, so that nothing depends on how fast the test runs."""
    clock = SharedClock.create(tmp_path / "clock", origin=datetime(2026, 11, 20, tzinfo=UTC), speed=1e-6)
    async with server.running(clock=clock) as telegram:
        for number in range(1, 9):
            await telegram.person(number).send("/start")
        yield telegram


async def test_limits_hold_for_everybody_and_for_each_chat(slow: Telegram) -> None:
    async def send(chat_id: int, **fields: Any) -> int:
        answer = await caller.json("sendMessage", chat_id=chat_id, text="x", **fields)
        return 0 if answer["ok"] else int(answer["parameters"]["retry_after"])

    async with aiohttp.ClientSession() as session:
        caller = Caller(slow, session)
        assert [await send(1) for _ in range(6)] == [0] * 6
        slow.limit(Limits(per_chat=1, burst=3))
        assert [await send(1) for _ in range(5)] == [0, 0, 0, 1, 1]
        assert await send(2) == 0
        slow.limit(Limits(overall=6))
        assert [await send(chat_id) for chat_id in (3, 4, 5, 6)] == [0, 0, 1, 1]
        assert (await caller.json("sendChatAction", chat_id=1, action="typing"))["ok"]
