"""What polling fetched is confirmed to Telegram only once it is stored."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bot.clock import SharedClock
from bot.updates.polling import Polling, letter_of
from db import inbox
from db.engine import Database
from tests.updates.conftest import Replicas, noted

UPDATE = {
    "update_id": 41,
    "message": {
        "message_id": 1,
        "date": 0,
        "chat": {"id": 77, "type": "private"},
        "from": {"id": 77, "is_bot": False, "first_name": "Ada"},
        "text": "n 1",
    },
}


async def test_updates_that_could_not_be_stored_are_fetched_again(
    replica: Replicas, database: Database, clock: SharedClock
) -> None:
    one = await replica()
    clock.set(clock.now(), speed=100.0)
    offsets: list[object] = []

    async def get_updates(_method: str, **given: object) -> list[object]:
        """Telegram gives an update until a higher number is asked for. At first the database has no inbox."""
        offsets.append(given["offset"])
        if len(offsets) < 3:
            await _inbox(database, away=len(offsets) == 1)
            return [UPDATE]
        polling.stopping = True
        return []

    polling = Polling(get_updates, one.lull.database, one.lull.queues, clock=clock)
    await polling.run()
    await one.settle()

    assert offsets == [None, None, 42]
    assert await noted(database) == [1]


async def test_what_telegram_repeats_a_day_later_is_still_known(database: Database, clock: SharedClock) -> None:
    one = letter_of(UPDATE, now=clock.now())
    assert one is not None
    async with database.write() as db:
        await inbox.store(db, [one])
        await inbox.done(db, one.update_id)

        new = []
        for later in (timedelta(hours=25), timedelta(hours=49)):
            await inbox.prune(db, now=clock.now() + later)
            new.append(await inbox.store(db, [one]))

    assert new == [set(), {41}]


async def _inbox(database: Database, *, away: bool) -> None:
    old, new = ("inbox", "nowhere") if away else ("nowhere", "inbox")
    async with database.write() as db:
        await db.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}"))
