"""From the schema before the second version of the self-experiment: what runs goes on as a test of the first."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from bot.core.experiment import run
from bot.core.experiment.design import Design, Plan
from db import experiments, tables
from db.engine import Database, head
from tests import postgres
from tests.conftest import ROOT, both_engines
from tests.db.test_bags_migration import DIES, to_schema

NOON = datetime(2026, 1, 12, 14, 0, tzinfo=UTC)
PLAN = Plan(date(2026, 1, 12), 56, bytes(range(32)))


@pytest.fixture
async def old(engine_url: str) -> AsyncIterator[Database]:
    """A database at the schema before, with somebody's test under way."""
    database = Database(postgres.async_url(engine_url))
    async with database.write() as db:
        await db.run_sync(to_schema, "0008")
        values = {"user_id": 7, "start": PLAN.start, "length": 56, "seed": PLAN.seed, "blind": True, "begun_at": NOON}
        await db.execute(tables.experiments.insert().values(**values))
    yield database
    await database.close()


async def running(database: Database) -> tuple[int, Plan, int]:
    async with database.read() as db:
        found = await experiments.open_of(db, 7)
    assert found is not None
    return found.version, found.plan, run.next_look(found)


@both_engines
async def test_a_running_test_is_one_of_the_first_version(old: Database) -> None:
    await old.migrate()

    assert await running(old) == (1, PLAN, 4)
    assert PLAN.design is Design.NIGHTLY


@both_engines
@pytest.mark.parametrize("point", ["before_migrate", "after_migrate"])
async def test_killed_half_way_it_runs_again(old: Database, engine_url: str, point: str) -> None:
    done = [sys.executable, "-c", DIES, postgres.async_url(engine_url), point]
    killed = await asyncio.to_thread(subprocess.run, done, cwd=ROOT, env=os.environ, check=False, timeout=60)
    await old.migrate()

    assert killed.returncode == -signal.SIGKILL
    assert await old.revision() == head()
    assert await running(old) == (1, PLAN, 4)
    async with old.read() as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(tables.experiment_drafts)) == 0
