"""Background job: finish self-experiments that are over."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.core import planning
from bot.core.experiment import design, run
from bot.core.experiment.run import Experiment, Lived
from bot.core.experiment.version1 import earlier_report
from bot.core.experiment.version1.earlier_report import EarlierReport
from bot.core.model import Kind, Night, Person
from config import logs
from db import experiments
from db.engine import Database, Unavailable
from db.outbox import rows as outbox

_log = logs.logger(__name__)

PAGE = 50
"""Self-experiments looked at in one go."""

_TOLD_WITHIN = timedelta(days=3)


class Endings:
    """Looks now and then. What it does survives a death at any point: it is done in one transaction, once."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def look(self) -> None:
        """One look. It never raises: the next one comes soon."""
        now = self._clock.now()
        try:
            await self._end_trials(now)
        except Unavailable as error:
            _log.error("the database is away; endings wait", why=str(error))
        except Exception as error:  # a fault in one ending must not end the others
            _log.error("an ending failed", kind=type(error).__name__, exc_info=error)

    async def _end_trials(self, now: datetime) -> None:
        async with self._database.read() as db:
            waiting = await experiments.to_look_at(db, now=now, limit=PAGE)
        for one, person in waiting:
            await self._look_at(one, person, now)

    async def _look_at(self, one: Experiment, person: Person, now: datetime) -> None:
        async with self._database.read() as db:
            lived = await experiments.lived(db, one, until=_until(one))
        rated = any(night.diary.night == design.last_night(one.plan) and night.rated_in_time for night in lived)
        if person.schedule is None or not run.over(one, person.schedule, last_is_rated=rated, now=now):
            async with self._database.write() as db:
                await experiments.look_later(db, [one.id], at=now + run.LOOK_AGAIN)
            return
        # Thousands of schedules take some milliseconds: not in the loop's way.
        report = await asyncio.to_thread(judge, one, lived)
        async with self._database.write() as db:
            if await experiments.finish(db, one, report=json.dumps(earlier_report.written(report)), now=now):
                await outbox.owe(db, [_result(one, person, now)])


def _until(one: Experiment) -> Night:
    last = design.last_night(one.plan)
    return last if one.stopped_after is None else min(one.stopped_after, last)


def judge(one: Experiment, lived: list[Lived]) -> EarlierReport:
    """The verdict with all that it rests on. Pure."""
    from bot.core.experiment.version1 import analysis

    every = run.whole(one, lived, until=_until(one))
    records = run.records(one, every)
    return earlier_report.of(one, every, analysis.analyse(one.plan, records, through=one.stopped_after))


def _result(one: Experiment, person: Person, now: datetime) -> planning.Message:
    schedule = person.schedule
    at = now if schedule is None or one.stopped_after is not None else run.tell_at(schedule, now=now)
    return planning.Message(
        person.id,
        Kind.RESULT,
        one.plan.start,
        due_at=at,
        until_at=at + _TOLD_WITHIN,
        bed_at=at + _TOLD_WITHIN,
        close_at=at + _TOLD_WITHIN,
    )
