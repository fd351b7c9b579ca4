"""Everything that is kept of one person, to be taken away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from bot.core.diary import Detail
from bot.core.diary_csv import Line
from bot.core.experiment.run import Experiment
from bot.core.model import Night, NightRecord, Person
from db import diary, erase, experiments, nights, tables, tips, users
from db.engine import Connection

_FIRST, _LAST = date(1970, 1, 1), date(9999, 12, 31)

ELSEWHERE = (tables.users, tables.nights, tables.night_details, tables.experiments)
"""Tables that have a form of their own in what is taken away; every other table is listed row by row."""

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Belongings:
    """All of it. `rows` are the rows of the other tables, as JSON values by column."""

    person: Person
    lines: tuple[Line, ...]
    trials: tuple[Experiment, ...]
    tips: dict[Night, int]  # each night's tip, by its number
    rows: dict[str, list[dict[str, Value]]]


async def read(db: Connection, user_id: int) -> Belongings | None:
    """All that is kept of this person; None for a stranger."""
    person = await users.find(db, user_id)
    if person is None:
        return None
    trials = await experiments.every(db, user_id)
    return Belongings(
        person, tuple(await lines(db, user_id)), tuple(trials), await tips.every(db, user_id), await _rows(db, user_id)
    )


async def lines(db: Connection, user_id: int, first: Night = _FIRST, last: Night = _LAST) -> list[Line]:
    """The nights of which anything is stored, in order."""
    records = {record.night: record for record in await nights.between(db, user_id, first, last)}
    details = {detail.night: detail for detail in await diary.between(db, user_id, first, last)}
    return [
        Line(records.get(night) or NightRecord(night), details.get(night) or Detail(night))
        for night in sorted({*records, *details})
    ]


async def _rows(db: Connection, user_id: int) -> dict[str, list[dict[str, Value]]]:
    found: dict[str, list[dict[str, Value]]] = {}
    for table, column in erase.owners():
        if table in ELSEWHERE:
            continue
        # Who knew the bot's half of a seed could choose the word for it.
        shown = [one for one in table.columns if one is not tables.experiment_drafts.c.bots_seed]
        rows = (await db.execute(sa.select(*shown).where(column == user_id))).mappings()
        if listed := [{name: _plain(value) for name, value in row.items()} for row in rows]:
            found[table.name] = listed
    return found


def _plain(value: object) -> Value:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
