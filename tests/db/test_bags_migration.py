"""From a schema that stored every bag as taken: running tests get their bags back, finished ones what the bags held."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot.core.experiment import design, report
from bot.core.experiment.design import Arm, Plan, Shift, Void
from bot.core.model import Intake, Night, Reason
from db import engine as engines
from db import experiments, nights, tables, users
from db.engine import Database, head
from tests import postgres
from tests.conftest import ROOT, both_engines

MONDAY = date(2026, 1, 12)
NOON = datetime(2026, 1, 12, 14, 0, tzinfo=UTC)
PLAN = Plan(MONDAY, 28, bytes(range(32)))
PAUSED = replace(PLAN, shifts=(Shift(MONDAY + timedelta(days=14), 2),))
DIES = """
import asyncio, sys
from config import failpoints
from db.engine import Database

failpoints.arm(sys.argv[2])
asyncio.run(Database(sys.argv[1]).migrate())
"""


@pytest.fixture
async def old(engine_url: str) -> AsyncIterator[Database]:
    """A database at the schema before."""
    database = Database(postgres.async_url(engine_url))
    async with database.write() as db:
        await db.run_sync(to_schema, "0005")
    yield database
    await database.close()


def to_schema(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(engines._MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def person(database: Database, user_id: int, plan: Plan, *, blind: bool = True, **more: Any) -> None:
    """Somebody with a test all of whose nights, and two more on either side, were stored as taken."""
    values = {"start": plan.start, "length": plan.length, "seed": plan.seed, "blind": blind, "begun_at": NOON}
    shifts = ",".join(f"{shift.night.isoformat()}+{shift.weeks}" for shift in plan.shifts)
    async with database.write() as db:
        await db.execute(tables.experiments.insert().values(user_id=user_id, shifts=shifts, **values, **more))
        last = design.last_night(plan) + timedelta(days=2)
        night = plan.start - timedelta(days=2)
        while night <= last:
            row = {"user_id": user_id, "night": night, "intake": Intake.TAKEN, "intake_at": NOON}
            await db.execute(sa.insert(tables.nights).values(**row))
            night += timedelta(days=1)


async def told(database: Database, user_id: int) -> dict[Night, tuple[Intake | None, Reason | None]]:
    asked = tables.nights.c  # by name: the schema before has not all columns of today
    known = sa.select(asked.night, asked.intake, asked.reason, asked.intake_at).where(asked.user_id == user_id)
    async with database.read() as db:
        rows = (await db.execute(known.order_by(asked.night))).all()
    assert {row.intake_at for row in rows} == {NOON}
    return {row.night: (row.intake, row.reason) for row in rows}


def held(plan: Plan, night: Night) -> tuple[Intake, Reason | None]:
    on = design.arm_on(plan, night) is Arm.ON
    return (Intake.TAKEN, None) if on else (Intake.SKIPPED, Reason.TEST)


def with_a_bag(plan: Plan, night: Night) -> bool:
    return isinstance(design.arm_on(plan, night), Arm)


TAKEN, BAG = (Intake.TAKEN, None), (Intake.BAG, None)


@both_engines
@pytest.mark.parametrize("plan", [PLAN, PAUSED], ids=["straight", "paused"])
async def test_a_running_test_gets_its_bags_and_a_finished_one_what_they_held(old: Database, plan: Plan) -> None:
    await person(old, 1, plan)
    await person(old, 2, plan, ended_at=NOON, report="{}")
    await person(old, 3, plan, blind=False)
    await person(old, 4, plan, blind=False, ended_at=NOON, report="{}")

    await old.migrate()

    for night, found in (await told(old, 1)).items():
        assert found == (BAG if with_a_bag(plan, night) else TAKEN), night
    for night, found in (await told(old, 2)).items():
        assert found == (held(plan, night) if with_a_bag(plan, night) else TAKEN), night
    for user_id in (3, 4):
        assert set((await told(old, user_id)).values()) == {TAKEN}


@both_engines
async def test_nights_without_a_bag_stay_as_they_were_told(old: Database) -> None:
    stopped, resting = design.night_at(PLAN, 20), design.night_at(PLAN, 25)
    await person(old, 1, PLAN, ended_at=NOON, stopped_after=stopped, report="{}")
    await person(old, 2, PLAN, paused_since=resting)
    async with old.write() as db:
        await experiments.leave_out(db, 1, design.night_at(PLAN, 12), Void.FEVER)
        # The number of this evening's bag was shown before the test was stopped.
        await experiments.reveal(db, 1, stopped + timedelta(days=1), at=NOON)
        missed = {"user_id": 2, "night": design.night_at(PLAN, 9), "intake": Intake.MISSED}
        await db.execute(tables.nights.update().where(*_is(missed)).values(intake=Intake.MISSED))

    await old.migrate()

    ended, running = await told(old, 1), await told(old, 2)
    assert ended[design.night_at(PLAN, 12)] == TAKEN
    assert ended[stopped + timedelta(days=1)] == held(PLAN, stopped + timedelta(days=1))
    assert {ended[design.night_at(PLAN, place)] for place in range(22, 35)} == {TAKEN}
    assert {running[design.night_at(PLAN, place)] for place in range(25, 35)} == {TAKEN}
    assert running[design.night_at(PLAN, 24)] == BAG
    assert running[design.night_at(PLAN, 9)] == (Intake.MISSED, None)


def _is(values: dict[str, Any]) -> tuple[sa.ColumnElement[bool], ...]:
    return tuple(tables.nights.c[name] == values[name] for name in ("user_id", "night"))


@both_engines
@pytest.mark.parametrize("point", ["before_migrate", "after_migrate"])
async def test_killed_on_its_way_it_is_done_whole_at_the_next_start(old: Database, point: str) -> None:
    await person(old, 1, PLAN)
    await person(old, 2, PLAN, ended_at=NOON, report="{}")
    done = [sys.executable, "-c", DIES, old.url, point]
    killed = await asyncio.to_thread(subprocess.run, done, cwd=ROOT, env=os.environ, check=False, timeout=60)

    assert killed.returncode == -signal.SIGKILL
    half_way = await told(old, 1)
    assert set(half_way.values()) == ({TAKEN} if point == "before_migrate" else {TAKEN, BAG})
    await old.migrate()
    assert await old.revision() == head()
    for user_id, expected in ((1, lambda _: BAG), (2, lambda night: held(PLAN, night))):
        for night, found in (await told(old, user_id)).items():
            assert found == (expected(night) if with_a_bag(PLAN, night) else TAKEN), night


@both_engines
async def test_what_was_a_bag_then_is_told_apart_when_its_test_ends(old: Database) -> None:
    await person(old, 1, PLAN)
    await old.migrate()
    async with old.write() as db:
        await users.create(db, 1, now=NOON, language="en")
        one = await experiments.open_of(db, 1)
        assert one is not None
        assert await experiments.finish(db, one, report.judged(one, []), now=NOON)
        assert not await experiments.finish(db, one, report.judged(one, []), now=NOON)

    for night, found in (await told(old, 1)).items():
        assert found == (held(PLAN, night) if with_a_bag(PLAN, night) else TAKEN), night


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # SQLite has one writer at a time
async def test_a_bag_that_is_noted_while_the_seal_breaks_is_told_apart_with_the_others(old: Database) -> None:
    await person(old, 1, PLAN)
    await old.migrate()
    night = next(night for place in range(7, 35) if held(PLAN, night := design.night_at(PLAN, place)) != TAKEN)
    async with old.write() as db:
        await users.create(db, 1, now=NOON, language="en")
        await nights.record_intake(db, 1, night, None, at=NOON)
        one = await experiments.open_of(db, 1)
    assert one is not None

    async def finish() -> None:
        async with old.write() as db:
            await experiments.finish(db, one, report.judged(one, []), now=NOON)

    async with old.write() as db:
        await users.find(db, 1, lock=True)  # as every press does
        ending = asyncio.create_task(finish())
        while not ending.done() and not await waiting(old):
            await asyncio.sleep(0)
        await nights.record_intake(db, 1, night, Intake.BAG, at=NOON)
    await ending

    assert (await told(old, 1))[night] == (Intake.SKIPPED, Reason.TEST)


async def waiting(database: Database) -> bool:
    async with database.read() as db:
        return bool(await db.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")))
