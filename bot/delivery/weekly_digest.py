"""Sunday's digest: the week's nights as a picture and three lines."""

from __future__ import annotations

from datetime import timedelta

from bot import charts
from bot.charts import Drawing
from bot.core import diary
from bot.core.owed import Owed
from bot.texts import language
from bot.texts.language import Words
from bot.views import insight
from bot.views.message import View
from db import nights
from db.engine import Connection

_NIGHTS = 7


async def prepare(db: Connection, row: Owed) -> tuple[View, Drawing] | None:
    """The digest of the seven nights before the row's own, whose morning has only begun; None when nothing was said."""
    first, last = row.night - timedelta(days=_NIGHTS), row.night - timedelta(days=1)
    records = await nights.between(db, row.person.id, first, last)
    tally = diary.tally(records, nights=_NIGHTS)
    if not tally.taken and not tally.rated:
        return None
    words = language.words(row.person.language)
    drawing = charts.week(
        diary.cells(records, first, last), first=first, calendar=calendar(words), light=bool(row.person.light)
    )
    return insight.digest(words, tally, first=first, last=last), drawing


def calendar(words: Words) -> charts.Calendar:
    """The person's calendar for pictures."""
    return charts.Calendar(*words.calendar)
