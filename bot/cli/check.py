"""`python -m bot check`: whether the settings, the database and the content are good, a line each."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from bot.texts import content
from config import settings
from config.settings import Settings
from db import engine
from db.engine import Database, DatabaseError, Unavailable


def main() -> int:
    """Print what was found; 0 when all is good, 2 when something is not."""
    try:
        found = settings.load()
    except settings.SettingsError as error:
        return _report([("settings", problem) for problem in error.problems], good=[])
    problems = [("settings", problem) for problem in _open_to_others(Path(".env"))]
    good = [] if problems else ["settings"]
    try:
        texts = content.load(found.content_dir)
        good.append(f"content: {len(texts.tips)} tips, {len(texts.forms)} forms")
    except content.ContentError as error:
        problems += [("content", problem) for problem in error.problems]
    try:
        good.append(asyncio.run(_database(found)))
    except (DatabaseError, Unavailable) as error:
        problems.append(("database", str(error)))
    return _report(problems, good=good)


async def _database(found: Settings) -> str:
    database = Database(found.database_url.get_secret_value())
    try:
        if database.path is not None and not database.path.exists():
            return f"database: {database.path} will be made at the first start"
        await database.examine(whole=True)
        connections = _connections(found.database_pool, await database.room())
        revision = await database.revision()
        if engine.is_head(revision):
            return f"database: schema {revision}, up to date{connections}"
        return f"database: schema {revision or 'none yet'}, will be brought to {engine.head()} at the next start"
    finally:
        await database.close()


def _open_to_others(file: Path) -> Iterator[str]:
    """A complaint if others may read the file that holds the token. If root owns it, the bot's own group may read it."""
    try:
        found = file.stat()
    except OSError:
        return
    others = stat.S_IRWXO | (stat.S_IRWXG if found.st_uid == os.getuid() else 0)
    if found.st_mode & others:
        yield f"{file} can be read by other users of this machine, and holds the token; run: chmod 600 {file}"


def _connections(wanted: int, room: int | None) -> str:
    """What there is to say of the connections that a process may hold. Raises DatabaseError where the server has too few."""
    if room is None:
        return ""
    if wanted > room:
        raise DatabaseError(
            f"DATABASE_POOL is {wanted}, but the server gives this role and database {room} connections at most; "
            "lower DATABASE_POOL, or raise the server's limit."
        )
    return f"; a process holds {wanted} of the server's {room} connections at most"


def _report(problems: list[tuple[str, str]], *, good: list[str]) -> int:
    for line in good:
        print(f"good      {line}")
    for area, problem in problems:
        print(f"not good  {area}: {problem}")
    return 2 if problems else 0
