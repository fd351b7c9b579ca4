"""Three real processes on PostgreSQL behind one address: nothing lost, nothing twice, everybody in order, one that leads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from tests import postgres
from tests.conftest import Process
from tests.updates import front as fronts
from tests.updates.front import HEADERS, Front


@dataclass(slots=True)
class Fleet:
    """The replicas, all awake; the first leads."""

    front: Front
    processes: list[Process]

    def leader(self) -> Process:
        """Who rose last and has not fallen."""
        (found,) = [
            process
            for process in self.processes
            if process.running is not None
            and process.running.returncode is None
            and process.log.count("leads now") > process.log.count("leads no more")
        ]
        return found


@pytest.fixture
async def fleet(
    tmp_path: Path, telegram: Telegram, clock: SharedClock, postgres_server: postgres.Server
) -> AsyncIterator[Fleet]:
    """Three replicas on one new database, behind one address."""
    del clock
    async with fronts.front() as front, postgres_server.database() as url:
        made = [
            fronts.bot(name, folder=tmp_path, telegram_url=telegram.url, database_url=url, url=front.url)
            for name in ("one", "two", "three")
        ]
        try:
            front.ports.append(await fronts.started(made[0]))
            await fronts.logged(made[0], "leads now")
            front.ports += await asyncio.gather(*(fronts.started(process) for process in made[1:]))
            yield Fleet(front, made)
        finally:
            for process in made:
                if process.running is not None and process.running.returncode is None:
                    await process.kill()


async def set_up(telegram: Telegram, number: int) -> None:
    """A person in Berlin who goes to bed at 22:30."""
    person = telegram.person(number, language_code="de")
    await person.send("/start")
    message = await person.next()
    for label in ("I understand", "22:30", "Berlin", "Citrate"):
        before = message.text
        await person.press(next(b.text for row in message.buttons for b in row if b.text.startswith(label)))
        message = await person.until(lambda seen, before=before: seen.text != before)


@pytest.mark.long
async def test_a_killed_leader_is_followed_within_ten_seconds_and_no_tap_is_lost(
    fleet: Fleet, telegram: Telegram, clock: SharedClock
) -> None:
    for number in range(1, 7):
        await set_up(telegram, number)
    assert len(fleet.front.given) == 3

    leader = fleet.leader()
    await leader.kill()
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(ValueError):
                if fleet.leader() is not leader:
                    break
            await asyncio.sleep(0.02)

    clock.set(datetime(2026, 3, 26, 20, 44, 58, tzinfo=UTC))
    for number in range(1, 7):
        person = telegram.person(number)
        await person.until(lambda seen: seen.text.startswith("Bedtime 22:30"), timeout=20)
        await person.press("Taken")
    for number in range(1, 7):
        await telegram.person(number).until(lambda seen: seen.text.startswith("✓ Taken"), timeout=20)
        reminders = [seen for seen in telegram.person(number).chat if seen.text.startswith(("Bedtime", "✓ Taken"))]
        assert len(reminders) == 1
    nights = fleet.leader().rows("SELECT user_id, intake FROM nights ORDER BY user_id")
    assert nights == [(number, 1) for number in range(1, 7)]


@pytest.mark.long
async def test_two_hundred_messages_of_one_person_end_where_the_last_one_says(
    fleet: Fleet, telegram: Telegram, clock: SharedClock
) -> None:
    await set_up(telegram, 77)
    # One person is answered once a second and sixty times a minute.
    clock.set(clock.now(), speed=100.0)
    updates = telegram.world.updates
    first = updates.confirmed_up_to + 1000
    row = "SELECT lead FROM users WHERE id = 77"

    # Posted to three replicas as fast as they take them: each lead time replaces the one before.
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        for number in range(first, first + 200):
            async with session.post(fleet.front.url, json=_lead(number, 15 + number % 100)) as answer:
                assert answer.status == 200
    await settled(fleet)

    last = first + 199
    assert fleet.processes[0].rows(row) == [(15 + last % 100,)]
    assert not any("a lot at once" in seen.text for seen in telegram.person(77).chat)


async def settled(fleet: Fleet) -> None:
    """Until the inbox is empty."""
    async with asyncio.timeout(60):
        while fleet.processes[0].rows("SELECT update_id FROM inbox WHERE body IS NOT NULL"):
            await asyncio.sleep(0.1)


def _lead(number: int, minutes: int) -> dict[str, object]:
    person = {"id": 77, "is_bot": False, "first_name": "Ada"}
    text = f"/lead {minutes}"
    message = {
        "message_id": number,
        "date": int(datetime(2026, 3, 26, 12, tzinfo=UTC).timestamp()),
        "chat": {"id": 77, "type": "private"},
        "from": person,
        "text": text,
        "entities": [{"type": "bot_command", "offset": 0, "length": 5}],
    }
    return {"update_id": number, "message": message}
