"""Who was shown a tip that has since been withdrawn is told so, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core import tips
from bot.texts.content import Content
from db import marks
from db import tips as shown_tips
from db.engine import Connection, Database

REMEMBERED = timedelta(days=90)
"""So long ago a tip is still worth taking back."""

PAGE = 500
"""People that are looked through in one transaction."""

_DONE = "done"


@dataclass(frozen=True, slots=True)
class TakenBack:
    """One person who is to be told of one tip."""

    user_id: int
    tip_id: str
    why: str


Owe = Callable[[Connection, list[TakenBack]], Awaitable[None]]
"""Owes them the word, in the transaction that is given: who has been owed it is not looked at again."""


async def look(database: Database, content: Content, owe: Owe, *, now: datetime) -> None:
    """Go through everybody for each tip that was withdrawn and not told of yet. A death on the way goes on where it was."""
    for tip_id, why in content.withdrawn.items():
        while not await _page(database, tip_id, why, owe, now=now):
            pass


async def _page(database: Database, tip_id: str, why: str, owe: Owe, *, now: datetime) -> bool:
    """One page of people for one tip. True when nobody is left."""
    number = tips.number(tip_id)
    mark = f"withdrawn {number}"
    async with database.write("withdrawn") as db:
        known = await marks.find(db, mark)
        if known == _DONE:
            return True
        since, after = (now - REMEMBERED).date(), int(known or 0)
        seen = await shown_tips.saw(db, [number], since=since, after=after, limit=PAGE)
        if seen.people:
            await owe(db, [TakenBack(user_id, tip_id, why) for user_id, _ in seen.people])
        await marks.put(db, mark, _DONE if seen.last is None else str(seen.last))
    return seen.last is None
