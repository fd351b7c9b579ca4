"""A stand-in for each test, somebody to call it, and a picture."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import aiohttp
import pytest
from PIL import Image

from bot.fake_telegram import server
from bot.fake_telegram.telegram import Telegram
from tests.fake_telegram.caller import Caller


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    async with server.running() as running:
        yield running


@pytest.fixture
async def caller(telegram: Telegram) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(telegram, session)


@pytest.fixture
def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (300, 200)).save(file, "PNG")
    return file.getvalue()
