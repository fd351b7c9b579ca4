"""Backups: `python -m bot backup`, `restore` and `migrate`, and the job that makes them while the bot runs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock import Clock
from bot.metrics import Metrics
from config import logs, settings
from config.settings import Settings
from db import engine, upkeep
from db.engine import Database, DatabaseError, Unavailable

_log = logs.logger(__name__)

LOOK_EVERY = timedelta(minutes=5)
"""How often the job looks whether a backup is due: after a failed one, the time until the next try."""


# -- on the command line -----------------------------------------------------------------------------------------------


def back_up(to: Path | None, *, keep: int | None) -> int:
    """Make one backup now, also while the bot runs."""
    found = settings.load()
    folder, now = to or found.backup_dir, datetime.now(UTC)
    made = asyncio.run(upkeep.back_up(found.database_url.get_secret_value(), folder, now=now))
    removed = upkeep.prune(folder, keep=keep or found.backup_keep, now=now)
    print(f"Backup: {made} ({made.stat().st_size / 1024:,.0f} KiB, checked). Removed {len(removed)} old ones.")
    return 0


def restore(source: Path, *, trusted: bool = False) -> int:
    """Put a backup in the database's place."""
    found = settings.load()
    url = found.database_url.get_secret_value()
    done = asyncio.run(upkeep.restore(url, source, found.backup_dir, now=datetime.now(UTC), trusted=trusted))
    print(f"Restored {source} (schema {done.revision}, now {engine.head()}).")
    if done.aside is not None:
        print(f"What was there before is kept as {done.aside} for 30 days.")
    if done.erased is None:
        print("Nothing told who was erased after this backup was made: whoever was has to be erased again.")
    elif done.erased:
        print(f"People who were erased after this backup was made, and are again: {done.erased}.")
    return 0


def migrate(*, copy: bool) -> int:
    """Bring the schema to head without starting the bot."""
    return asyncio.run(_migrate(settings.load(), copy=copy))


async def _migrate(found: Settings, *, copy: bool) -> int:
    database = Database(found.database_url.get_secret_value())
    try:
        database.lock()
        before = await database.revision()
        kept = await upkeep.migrate(database, found.backup_dir, now=datetime.now(UTC), copy=copy)
    finally:
        await database.close()
    if kept is not None:
        print(f"A copy of the database as it was is kept as {kept}.")
    print(f"Schema {engine.head()}, up to date." if before == engine.head() else f"Schema is now {engine.head()}.")
    return 0


# -- while the bot runs ------------------------------------------------------------------------------------------------


async def open_database(database: Database, found: Settings, *, clock: Clock) -> None:
    """The database at head; where that changes its schema, after a copy."""
    kept = await upkeep.migrate(database, found.backup_dir, now=clock.now())
    if kept is not None:
        _log.info("the schema is new; the database as it was is kept", copy=str(kept))


async def when_due(found: Settings, metrics: Metrics, *, clock: Clock) -> None:
    """Make a backup when the newest is old enough, and let old copies go. Never raises: the next look comes."""
    now, folder = clock.now(), found.backup_dir
    try:
        if found.backup_every and _due(upkeep.latest(folder), now, found.backup_every):
            made = await upkeep.back_up(found.database_url.get_secret_value(), folder, now=now)
            _log.info("backup made", file=made.name, bytes=made.stat().st_size)
        await asyncio.to_thread(upkeep.prune, folder, keep=found.backup_keep, now=now)
        if (latest := upkeep.latest(folder)) is not None:  # one made by hand counts too
            metrics.backed_up(latest)
    except (DatabaseError, Unavailable, OSError) as error:
        _log.error("the backup failed; the next try is in five minutes", why=str(error))


def _due(latest: datetime | None, now: datetime, every: int) -> bool:
    # One from the future, of a clock that was wrong, is no reason to wait for that future.
    return latest is None or not now - timedelta(hours=every) < latest <= now
