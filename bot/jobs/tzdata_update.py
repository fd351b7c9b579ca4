"""New zone rules: if the version of tzdata has changed since the last start, plan every future instant again."""

from __future__ import annotations

from datetime import datetime

from bot.core import planning
from config import logs
from db import marks, users
from db.engine import Database

_log = logs.logger(__name__)
_PAGE = 500


async def after_new_zone_rules(database: Database, *, tzdata: str, now: datetime) -> None:
    """Plan everybody again, in pages, if the rules are new; then note them."""
    async with database.read() as db:
        known = await marks.find(db, "tzdata")
    if known == tzdata:
        return
    if known is not None:
        moved = await _replan_all(database, now)
        _log.info("planned again under new zone rules", tzdata=tzdata, before=known, moved=moved)
    async with database.write() as db:
        await marks.put(db, "tzdata", tzdata)


async def _replan_all(database: Database, now: datetime) -> int:
    last, moved = 0, 0
    while True:
        async with database.write() as db:
            page = await users.planned_page(db, after=last, limit=_PAGE)
            for person in page:
                # What is due already keeps its instant: the sweep has it next.
                if person.remind_at is not None and person.remind_at > now:
                    planned = planning.replan(person, now=now)
                    moved += planned.remind_at != person.remind_at
                    await users.save(db, person, planned)
        if len(page) < _PAGE:
            return moved
        last = page[-1].id
