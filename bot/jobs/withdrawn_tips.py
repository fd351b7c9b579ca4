"""Background job: tell people once that a tip they were shown has been withdrawn."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.clock import Clock
from bot.core import planning, tips
from bot.core.experiment import run
from bot.core.model import Kind, Night, Person
from bot.texts.content import Content
from config import logs
from db import marks
from db import tips as shown_tips
from db.engine import Database, Unavailable
from db.outbox import rows as outbox

_log = logs.logger(__name__)

EVERY, SOON = timedelta(hours=1), timedelta(minutes=1)
"""How often it looks, and how long after the start for the first time."""

REMEMBERED = timedelta(days=90)
"""People who were shown the tip longer ago than this are not told."""

PAGE = 500
"""People that are looked through in one transaction."""

_DAY = timedelta(days=1)
_TOLD_WITHIN = timedelta(days=3)
_DONE = "done"


class Withdrawals:
    """Looks regularly. Its position is written in the transaction that owes the message, so the process may die at any point."""

    def __init__(self, database: Database, content: Content, *, clock: Clock) -> None:
        self._database, self._content, self._clock = database, content, clock

    def renew(self, content: Content) -> None:
        """Take other content from now on."""
        self._content = content

    async def look(self) -> None:
        """Go through everybody for each tip that was withdrawn and not told of yet. It never raises: the next look comes soon."""
        try:
            for tip_id in self._content.withdrawn:
                while not await self._page(tips.number(tip_id), now=self._clock.now()):
                    pass
        except Unavailable as error:
            _log.error("the database is away; withdrawn tips wait", why=str(error))
        except Exception as error:  # a fault here must not end the others
            _log.error("a withdrawn tip could not be told of", kind=type(error).__name__, exc_info=error)

    async def _page(self, number: int, *, now: datetime) -> bool:
        """One page of people for one tip. True when nobody is left."""
        mark = f"withdrawn {number}"
        async with self._database.read() as db:
            if await marks.find(db, mark) == _DONE:
                return True
        async with self._database.write("withdrawn") as db:
            # Two replicas that look at once take turns here.
            await marks.put(db, "withdrawn", now.isoformat())
            known = await marks.find(db, mark)
            if known == _DONE:
                return True
            since, after = (now - REMEMBERED).date(), int(known or 0)
            seen = await shown_tips.saw(db, number, since=since, after=after, limit=PAGE)
            await outbox.owe(db, [_word(person, told, number, now=now) for person, told in seen.people])
            await marks.put(db, mark, _DONE if seen.last is None else str(seen.last))
        return seen.last is None


def _word(person: Person, told: Night | None, number: int, *, now: datetime) -> planning.Message:
    """By day; of several tips one each day."""
    night = now.date() if told is None else max(now.date(), told + _DAY)
    then = now + (night - now.date())
    at = then if person.schedule is None else run.tell_at(person.schedule, now=then)
    until = at + _TOLD_WITHIN
    return planning.Message(
        person.id, Kind.TAKEN_BACK, night, due_at=at, until_at=until, bed_at=until, close_at=until, tip=number
    )
