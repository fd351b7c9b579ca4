"""Edits that Telegram refuses for now: the last one is done when it may be, and nobody waits for those before it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from telegram.ext import ExtBot

from bot.clock import SharedClock
from bot.fake_telegram.faults import Fault
from bot.fake_telegram.telegram import Telegram
from bot.telegram import replies
from bot.telegram.late_edits import LateEdits
from bot.telegram.rate_limiter import RateLimiter
from bot.telegram.transport import Transport
from bot.telegram.turn import Edit, EditButtons
from bot.views.message import Button, Keyboard, View
from tests.conftest import TOKEN

Do = Callable[[Edit | EditButtons], Awaitable[None]]
KEYBOARD = Keyboard(((Button("Undo", "v1:undo"),),))


@pytest.fixture
async def late(clock: SharedClock) -> LateEdits:
    clock.set(clock.now(), speed=20)
    return LateEdits(clock=clock)


@pytest.fixture
async def do(
    telegram: Telegram, clock: SharedClock, late: LateEdits, transports: Callable[..., Awaitable[Transport]]
) -> Do:
    """Performs a reply to person 1, whose message number 2 has come from the bot."""
    transport = await transports(telegram.url, clock=clock)
    bot = ExtBot(
        TOKEN,
        base_url=f"{telegram.url}/bot",
        request=transport,
        get_updates_request=transport,
        rate_limiter=RateLimiter(25, clock=clock),
    )
    await telegram.person(1).send("/start")
    sent = await bot.send_message(1, "first")
    assert sent.message_id == 2

    async def perform(reply: Edit | EditButtons) -> None:
        await replies.perform(bot, reply, chat_id=1, clock=clock, late=late)

    return perform


async def settled(late: LateEdits) -> None:
    async with asyncio.timeout(30):
        while late._tasks:
            await asyncio.sleep(0.01)


async def test_only_the_last_of_refused_edits_is_done_and_nobody_waits_for_the_others(
    telegram: Telegram, clock: SharedClock, late: LateEdits, do: Do
) -> None:
    telegram.fault(Fault("too_many", "editMessageText", count=1, retry_after=30))
    begun = clock.monotonic()
    for text in ("one", "two", "three"):
        await do(Edit(2, View(text)))
    waited = clock.monotonic() - begun

    await settled(late)

    assert waited < 20
    assert [call.given["text"] for call in telegram.called_with("editMessageText")] == ["one", "three"]
    assert telegram.person(1).last.text == "three"


async def test_new_buttons_alone_keep_the_text_that_is_to_come(telegram: Telegram, late: LateEdits, do: Do) -> None:
    telegram.fault(Fault("too_many", count=1, method="editMessageText", retry_after=10))
    await do(Edit(2, View("new text")))
    await do(EditButtons(2, KEYBOARD))

    await settled(late)

    assert telegram.person(1).last.text == "new text"
    assert [call.given.get("reply_markup") for call in telegram.called_with("editMessageText")][-1] is not None
    assert telegram.called_with("editMessageReplyMarkup") == []


async def test_an_edit_that_is_refused_again_is_tried_again(telegram: Telegram, late: LateEdits, do: Do) -> None:
    telegram.fault(Fault("too_many", "editMessageText", count=3, retry_after=5))
    await do(Edit(2, View("at last")))

    await settled(late)

    assert telegram.person(1).last.text == "at last"
    assert len(telegram.called_with("editMessageText")) == 4


async def test_nobody_waits_for_a_day(telegram: Telegram, late: LateEdits, do: Do) -> None:
    telegram.fault(Fault("too_many", "editMessageText", count=1, retry_after=86_400))
    await do(Edit(2, View("never")))

    assert not late._tasks
    assert not late.replaces(1, Edit(2, View("next")))
