"""Two real processes on PostgreSQL: one polls and beats, the other takes over when it is killed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from tests import postgres
from tests.conftest import Process


@pytest.fixture
async def pair(
    tmp_path: Path, telegram: Telegram, clock: SharedClock, postgres_server: postgres.Server
) -> AsyncIterator[list[Process]]:
    """Two processes on one new database; the first leads, the second stands by."""
    del clock
    async with postgres_server.database() as url:
        made = []
        for name in ("first", "second"):
            folder = tmp_path / name
            folder.mkdir()
            environment = {"CLOCK_FILE": str(tmp_path / "clock"), "TMPDIR": str(folder)}
            made.append(Process(folder, telegram.url, url, environment))
        try:
            await made[0].start()
            await logged(made[0], "leads now")
            await made[1].start()
            await logged(made[1], "lull is awake")
            yield made
        finally:
            for process in made:
                if process.running is not None and process.running.returncode is None:
                    await process.kill()


async def logged(process: Process, text: str, *, within: float = 20.0) -> None:
    """Until the process has said this."""
    async with asyncio.timeout(within):
        while text not in process.log:
            await asyncio.sleep(0.02)


async def set_up(telegram: Telegram, number: int) -> None:
    """A person in Berlin who goes to bed at 22:30."""
    person = telegram.person(number, language_code="de")
    await person.send("/start")
    message = await person.next()
    for label in ("I understand", "22:30", "Berlin", "Citrate"):
        before = message.text
        await person.press(next(b.text for row in message.buttons for b in row if b.text.startswith(label)))
        message = await person.until(lambda seen, before=before: seen.text != before)


async def test_the_stand_by_takes_over_a_killed_leader_within_ten_seconds(
    pair: list[Process], telegram: Telegram, clock: SharedClock
) -> None:
    first, second = pair
    await set_up(telegram, 77)
    assert "leads now" not in second.log
    assert not [call for call in telegram.called_with("getUpdates") if call.status == 409]

    await first.kill()
    await logged(second, "leads now", within=10.0)

    clock.set(datetime(2026, 3, 26, 20, 44, 58, tzinfo=UTC))
    reminder = await telegram.person(77).next()
    assert reminder.text.startswith("Bedtime 22:30")
    await telegram.person(77).press("Taken")
    await telegram.person(77).until(lambda seen: seen.text.startswith("✓ Taken"))
    assert await second.stop() == 0
    assert "Traceback" not in second.log


async def test_an_orderly_end_hands_over_and_nothing_is_sent_twice(
    pair: list[Process], telegram: Telegram, clock: SharedClock
) -> None:
    first, second = pair
    await set_up(telegram, 77)

    assert await first.stop() == 0
    await logged(second, "leads now", within=10.0)
    await first.start()
    await logged(first, "lull is awake")
    clock.set(datetime(2026, 3, 26, 20, 44, 58, tzinfo=UTC))
    await telegram.person(77).next()
    await telegram.idle()

    reminders = [seen for seen in telegram.person(77).chat if seen.text.startswith("Bedtime 22:30")]
    assert len(reminders) == 1


async def test_a_leader_that_loses_the_database_leads_again_or_hands_over(
    pair: list[Process], telegram: Telegram, postgres_server: postgres.Server, clock: SharedClock
) -> None:
    await set_up(telegram, 77)

    postgres_server.stop()
    await logged(pair[0], "leads no more")
    postgres_server.start()
    clock.set(datetime(2026, 3, 26, 20, 44, 58, tzinfo=UTC))

    assert (await telegram.person(77).next(timeout=20)).text.startswith("Bedtime 22:30")
    for process in pair:
        with contextlib.suppress(ProcessLookupError):
            assert await process.stop() == 0
        assert "Traceback" not in process.log, process.log
