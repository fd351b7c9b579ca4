"""Three replicas on PostgreSQL that die in turn, under faults of the network and a crash of the database itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.sandbox.faults import Fault
from tests import postgres
from tests.crash import town as towns

NIGHT = date(2026, 3, 26)
EVENING = datetime(2026, 3, 26, 21, 13, tzinfo=UTC)


@pytest.fixture
async def url(postgres_server: postgres.Server) -> AsyncIterator[str]:
    async with postgres_server.database(migrated=False) as url:
        yield url


@pytest.mark.long
async def test_replicas_that_die_under_faults_lose_no_night(
    tmp_path: Path, postgres_server: postgres.Server, url: str
) -> None:
    chance = random.Random(3)
    async with towns.founded(tmp_path, begin=EVENING, speed=200, database_url=url) as town:
        await town.settle(30, beds=[22 * 60 + minute for minute in range(6)])
        others = [towns.Bot(town.bot.nursery, tmp_path / f"bot{n}.log", town.bot.environment) for n in (1, 2)]
        await town.start()
        for bot in others:
            await bot.start()
        for kind in (
            Fault("silent", "sendMessage", probability=0.03),
            Fault("drop_before", "sendMessage", probability=0.03),
        ):
            town.telegram.fault(kind)
        for death in range(6):
            victim = chance.choice([town.bot, *others])
            sent = town.telegram.counts.methods["sendMessage"]
            if sent < 25:
                await town.wait(lambda sent=sent: town.telegram.counts.methods["sendMessage"] > sent)
            await victim.end()
            await victim.start()
            if death == 2:
                await asyncio.to_thread(postgres_server.stop)
                await asyncio.to_thread(postgres_server.start)
        await town.until(EVENING + timedelta(minutes=52))
        verdict = await town.judge(NIGHT, NIGHT)
        for bot in (town.bot, *others):
            await bot.end()

    assert verdict.broken == []
    assert verdict.sent >= 28
    assert verdict.most() <= 3
