"""Background job: look at self-experiments at the end of each fortnight, and finish those that are over."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.core import planning
from bot.core.experiment import report, run
from bot.core.experiment.run import Experiment
from bot.core.model import Kind, Person
from config import logs
from db import experiments
from db.engine import Database, Unavailable
from db.outbox import rows as outbox

_log = logs.logger(__name__)

PAGE = 50
"""Self-experiments looked at in one go."""

GUESS_WITHIN = timedelta(days=3)
"""So long the seal waits for the guess at the bags."""

_TOLD_WITHIN = timedelta(days=3)


class Endings:
    """Looks now and then. What it does survives a death at any point: it is done in one transaction, once."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def look(self) -> None:
        """One look. It never raises: the next one comes soon."""
        now = self._clock.now()
        try:
            async with self._database.read() as db:
                waiting = await experiments.to_look_at(db, now=now, limit=PAGE)
            for one, person in waiting:
                await self._look_at(one, person, now)
        except Unavailable as error:
            _log.error("the database is away; endings wait", why=str(error))
        except Exception as error:  # a fault in one ending must not end the others
            _log.error("an ending failed", kind=type(error).__name__, exc_info=error)

    async def _look_at(self, one: Experiment, person: Person, now: datetime) -> None:
        last = run.last_lived(one)
        async with self._database.read() as db:
            lived = await experiments.lived(db, one, until=last)
        rated = any(night.diary.night == last and night.rated_in_time for night in lived)
        if person.schedule is None or not run.over(one, person.schedule, last_is_rated=rated, now=now):
            async with self._database.write() as db:
                await experiments.look_later(db, [one.id], at=now + run.LOOK_AGAIN)
            return
        # Counting all schedules takes some milliseconds: not in the loop's way.
        if not await asyncio.to_thread(report.ends, one, lived):
            async with self._database.write() as db:
                await experiments.looked(db, one)
        elif run.is_to_guess(one):
            async with self._database.write() as db:
                if await experiments.ask_guess(db, one, until=now + GUESS_WITHIN):
                    await outbox.owe(db, [_message(Kind.GUESS, one, person, now)])
        else:
            found = await asyncio.to_thread(report.judged, one, lived)
            async with self._database.write() as db:
                if await experiments.finish(db, one, found, now=now):
                    await outbox.owe(db, [_message(Kind.RESULT, one, person, now)])


def _message(kind: Kind, one: Experiment, person: Person, now: datetime) -> planning.Message:
    """At once where the person waits for it, else by day."""
    waits = person.schedule is None or one.lived_out
    at = now if waits or person.schedule is None else run.tell_at(person.schedule, now=now)
    until = at + _TOLD_WITHIN
    return planning.Message(person.id, kind, one.plan.start, due_at=at, until_at=until, bed_at=until, close_at=until)
