"""One bot for all tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from tests.handlers.house import House, open_house

BEGINS = datetime(2026, 3, 26, 17, 30, tzinfo=UTC)
"""Half past six in the evening in Berlin, three days before its clocks change."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The bot as a process, shared by the tests of a module."""
    async with open_house(tmp_path_factory.mktemp("house"), begins=BEGINS) as opened:
        yield opened
