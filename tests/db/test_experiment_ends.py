"""What a self-experiment does once and never again: its helper's list is opened, and its seal is broken."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

from bot.core.experiment import report
from bot.core.experiment.design import Plan
from bot.core.experiment.run import Experiment, Halves
from db import experiments
from db.engine import Database
from tests.db import evenings

NOW = datetime(2026, 1, 12, 14, 0, tzinfo=UTC)
PLAN = Plan(date(2026, 1, 12), 28, bytes(range(32)))


async def begun(database: Database) -> Experiment:
    await evenings.settle_in(database, evenings.person())
    async with database.write() as db:
        one = await experiments.begin(
            db, 1, PLAN, Halves(bytes(32), "moon", drawn=False), blind=True, bags_code="first", now=NOW
        )
    assert one is not None
    return one


async def test_of_two_helpers_with_one_code_the_second_sees_nothing(database: Database) -> None:
    one = await begun(database)

    async with database.write() as db:
        used = [await experiments.use_up(db, one) for _ in range(2)]
        found = await experiments.open_list(db, "first")

    assert used == [True, False]
    assert found is None


async def test_a_code_that_was_replaced_uses_up_nothing(database: Database) -> None:
    one = await begun(database)

    async with database.write() as db:
        await experiments.new_code(db, one, "second")
        used = await experiments.use_up(db, one)
        found = await experiments.open_list(db, "second")

    assert not used
    assert found is not None


async def test_the_seal_breaks_once_and_the_first_verdict_stays(database: Database) -> None:
    one = await begun(database)

    async with database.write() as db:
        first, second = report.judged(one, []), report.judged(replace(one, stopped_after=PLAN.start), [])
        broken = [await experiments.finish(db, one, found, now=NOW) for found in (first, second)]
        ended = await experiments.last_ended(db, 1)

    assert broken == [True, False]
    assert ended is not None
    assert ended.report == json.dumps(report.written(first)) != json.dumps(report.written(second))
