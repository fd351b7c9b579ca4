"""Databases of every earlier schema: the bot migrates them at its start, also when it was killed half-way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from db import engine as engines
from db.engine import Database
from tests.crash import town as towns
from tests.crash.soak.row import Found, Play

NIGHT = date(2026, 3, 26)
EVENING = datetime(2026, 3, 26, 21, 14, tzinfo=UTC)
PEOPLE = 20


async def every_schema(play: Play) -> Found:
    """From each earlier revision, on both databases; killed before the commit, after it, and at random moments."""
    revisions = engines.revisions()[:-1]
    stores = ("sqlite", "postgresql")
    if play.quick:
        revisions, stores = revisions[:1], stores[:1]
    found, kills = Found(f"schemas {', '.join(revisions)} on {' and '.join(stores)}", ""), 0
    for number, revision in enumerate(revisions):
        for store in stores:
            play.show(number / len(revisions), f"{revision} on {store}")
            kills += await _one(play, revision, store, found)
    found.seen = (
        f"all at {engines.head()} after {kills} kills, with all {PEOPLE} people, who were reminded that evening"
    )
    if found.broken:
        found.seen = f"{len(found.broken)} of them did not come through"
    return found


@contextlib.asynccontextmanager
async def _town(play: Play, revision: str, store: str) -> AsyncIterator[towns.Town]:
    place, begin = play.place(f"{store}{revision}"), EVENING - timedelta(hours=1)
    async with contextlib.AsyncExitStack() as stack:
        url = ""
        if store == "postgresql":
            url = await stack.enter_async_context(play.postgres().database(migrated=False))
        town = await stack.enter_async_context(towns.founded(place, begin=begin, speed=60, database_url=url))
        town.bot.environment |= {"TMPDIR": str(place), "BACKUP_DIR": str(place / "backups")}
        yield town


async def _one(play: Play, revision: str, store: str, found: Found) -> int:
    """Gives how often it was killed."""
    chance = play.chance
    async with _town(play, revision, store) as town:
        await _age(town, revision)
        kills = 0
        for _ in range(1 if play.quick else 5):
            await town.bot.start()
            await asyncio.sleep(chance.uniform(0.0, 0.4))
            await town.bot.end()
            kills += 1
            if await _revision(town) == engines.head():
                await _age(town, revision)
        for point in ("before_migrate", "after_migrate"):
            await town.bot.start(FAIL_POINT=point)
            found.must(await town.died() == -9, f"{revision}, {store}: it did not die at {point}")
            kills += 1
            expected = revision if point == "before_migrate" else engines.head()
            at = await _revision(town)
            found.must(at == expected, f"{revision}, {store}: at {at} after {point}")
        await town.start()
        town.jump(EVENING)
        await town.wait(lambda: all(town.telegram.person(one.id).chat for one in town.people))
        verdict = await town.judge(NIGHT, NIGHT)
        found.must(await _revision(town) == engines.head(), f"{revision}, {store}: not at head")
        found.must(await town.stop() == 0, f"{revision}, {store}: no clean end")
    found.broken += [f"{revision}, {store}: {line}" for line in verdict.broken]
    found.must(verdict.sent == PEOPLE, f"{revision}, {store}: {verdict.sent} of {PEOPLE} were reminded")
    return kills


async def _revision(town: towns.Town) -> str | None:
    database = Database(towns.async_url(town.database_url))
    try:
        return await database.revision()
    finally:
        await database.close()


async def _age(town: towns.Town, revision: str) -> None:
    """The database as the release with that schema would have it: its tables, and the people in them."""
    if not town.people:
        await town.settle(PEOPLE, beds=[22 * 60])
    database = Database(towns.async_url(town.database_url))
    try:
        async with database.write() as db:
            await db.run_sync(_turn_back, revision)
    finally:
        await database.close()


def _turn_back(db: sa.Connection, revision: str) -> None:
    people = [dict(row) for row in db.execute(sa.text("SELECT * FROM users")).mappings()]
    everything = sa.MetaData()
    everything.reflect(db)
    everything.drop_all(db)
    config = Config()
    config.set_main_option("script_location", str(engines._MIGRATIONS))
    config.attributes["connection"] = db
    command.upgrade(config, revision)
    users = sa.Table("users", sa.MetaData(), autoload_with=db)
    known = set(users.c.keys())
    rows: list[dict[str, Any]] = [{name: value for name, value in row.items() if name in known} for row in people]
    db.execute(users.insert(), rows)
