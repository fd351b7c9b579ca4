"""The process ends when it is told to, in order, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from tests.conftest import Process


@pytest.fixture
def anew() -> bool:
    return True


async def test_a_wall_clock_that_jumps_does_not_make_the_bot_look_ill(
    lull: Process, telegram: Telegram, clock: SharedClock
) -> None:
    ada = telegram.person(1)
    await ada.send("/start")
    await ada.next()
    clock.skip(10 * 3600)
    await ada.send("/help")
    assert "/tonight" in (await ada.next()).text
    assert await lull.stop() == 0
    assert "error" not in lull.log


async def test_a_token_that_telegram_refuses_is_one_sentence(tmp_path: Path, telegram: Telegram) -> None:
    process = Process(tmp_path, telegram.url, anew=True)
    await process.start(BOT_TOKEN="123456:WRONG")
    assert process.running is not None
    assert await process.running.wait() == 2
    assert process.log.splitlines()[-1] == "Telegram does not accept BOT_TOKEN; copy it again from @BotFather."
