"""Reads the whole SQLite file soon after the start and once a day, to find damage while backups are still good."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from bot.metrics import Metrics
from config import logs
from db.engine import Database
from db.sqlite.integrity import SOUND, Reading

_log = logs.logger(__name__)

EVERY = timedelta(days=1)


class IntegrityCheck:
    """One instance per process. Does nothing on PostgreSQL, which looks after its own files."""

    def __init__(self, database: Database, metrics: Metrics) -> None:
        self._database, self._metrics = database, metrics
        self._reading: Reading | None = None
        self._damage = ""

    async def look(self) -> None:
        """Read all of it once. Never raises: the next look comes."""
        if self._database.path is None:
            return
        self._reading = Reading(self._database.path)
        try:
            found = await self._reading.result()
        except (OSError, sqlite3.Error) as error:
            _log.warning("the database's file could not be read through", kind=type(error).__name__)
            return
        finally:
            self._reading = None
        if found:
            self._note("" if found == SOUND else found)

    def _note(self, damage: str) -> None:
        self._damage = damage
        self._metrics.damaged(bool(damage))
        if damage:
            _log.error("the database's file is damaged; put a backup in its place", what=damage)

    def faults(self) -> dict[str, str]:
        """What is known to be wrong with the file."""
        return {"file": f"damaged ({self._damage}); put a backup in its place"} if self._damage else {}

    def stop(self) -> None:
        """Cut a reading short."""
        if self._reading is not None:
            self._reading.stop()
