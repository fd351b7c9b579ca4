"""The whole bot where Telegram is only reached by a proxy."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from tests.conftest import Process
from tests.telegram.proxies import Proxy


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_the_bot_answers_by_its_proxy_and_keeps_the_password_to_itself(
    tmp_path: Path, telegram: Telegram, clock: SharedClock, kind: str
) -> None:
    async with Proxy(kind, "opensesame") as proxy:
        process = Process(tmp_path, telegram.url, environment={"PROXY_URL": proxy.url, "LOG_LEVEL": "DEBUG"})
        await process.start()
        try:
            ann = telegram.person(7)
            await ann.send("/start")
            await ann.next()
            assert await process.stop() == 0
        finally:
            if process.running is not None and process.running.returncode is None:
                await process.kill()

    assert set(proxy.asked) == {urlsplit(telegram.url).netloc}
    assert "opensesame" not in process.log
    assert "Traceback" not in process.log
