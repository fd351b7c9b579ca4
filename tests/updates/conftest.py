"""Replicas of the bot's dispatcher in this process: each with queues and connections of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from telegram import Update
from telegram.ext import MessageHandler, filters

from bot import app
from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from bot.telegram.turn import Turn
from bot.texts import content
from config.settings import Settings
from db import inbox, marks
from db.engine import Database
from db.inbox import StoredUpdate
from tests.conftest import TOKEN

CONTENT = content.load(None)


@dataclass(slots=True)
class Replica:
    """The parts of one bot, nothing of it polling. It notes the numbers of the messages `n 7` that it handles."""

    lull: app.Lull

    async def settle(self) -> None:
        """Until nothing waits here."""
        async with asyncio.timeout(30):
            while len(self.lull.queues):
                await asyncio.gather(*self.lull.queues._tasks)


async def _note(update: Update, turn: Turn) -> None:
    """What a message `n 7` does: its number is added to what is noted of the person, in the turn's transaction."""
    assert update.message is not None
    name = f"noted {turn.person.id}"
    before = await marks.find(turn.db, name) or ""
    await marks.put(turn.db, name, f"{before} {(update.message.text or '').removeprefix('n ')}")


async def noted(database: Database, user_id: int = 77) -> list[int]:
    """The numbers of this person's messages, in the order in which they were handled."""
    async with database.read() as db:
        return [int(number) for number in (await marks.find(db, f"noted {user_id}") or "").split()]


async def stored(database: Database, stored_updates: list[StoredUpdate]) -> None:
    """Store updates in the inbox as an update source would."""
    async with database.write() as db:
        await inbox.store(db, stored_updates)


async def left(database: Database) -> list[int]:
    """The numbers of those that nobody has handled."""
    async with database.read() as db:
        return [stored_update.update_id for stored_update in await inbox.waiting(db)]


Replicas = Callable[[], Awaitable[Replica]]


@pytest.fixture
async def replica(tmp_path: Path, telegram: Telegram, clock: SharedClock, database_url: str) -> AsyncIterator[Replicas]:
    """Makes one more replica on the same database."""
    del clock
    made: list[Replica] = []

    async def make() -> Replica:
        given = {"bot_token": TOKEN, "telegram_api_url": telegram.url, "database_url": database_url}
        settings = Settings.model_validate(given | {"clock_file": str(tmp_path / "clock")})
        found = Replica(app.build(settings, CONTENT))
        found.lull.app.handlers[0].insert(0, MessageHandler(filters.Regex(r"^n \d+$"), _note))
        await found.lull.transport.initialize()
        await found.lull.app.initialize()
        made.append(found)
        return found

    yield make
    for found in made:
        await found.lull.app.shutdown()
        await found.lull.transport.shutdown()
        await found.lull.database.close()


@pytest.fixture
def message(clock: SharedClock) -> Callable[..., StoredUpdate]:
    """Makes the letter of a message `n 7` with update number 7."""

    def make(number: int, *, user_id: int = 77) -> StoredUpdate:
        body = (
            f'{{"update_id":{number},"message":{{"message_id":{number},"date":{int(clock.now().timestamp())},'
            f'"chat":{{"id":{user_id},"type":"private"}},"from":{{"id":{user_id},"is_bot":false,"first_name":"Ada"}},'
            f'"text":"n {number}"}}}}'
        )
        return StoredUpdate(number, user_id, body, clock.now())

    return make
