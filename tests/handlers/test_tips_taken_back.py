"""An operator withdraws the tip of last night's reminder and restarts the bot: the person is told, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot.texts import content
from tests.handlers.house import House, open_house

DUE = datetime(2026, 3, 26, 20, 45, tzinfo=UTC)
NOON = datetime(2026, 3, 27, 11, 0, tzinfo=UTC)
TOLD = "A tip that I showed you no longer stands: its trial was taken back."


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, begins=DUE - timedelta(hours=3)) as opened:
        yield opened


@pytest.mark.long
async def test_who_had_it_last_night_is_told_after_the_restart(house: House, tmp_path: Path) -> None:
    person, other = await house.settled(), await house.settled(bedtime="2330")
    house.at(DUE - timedelta(seconds=2))
    await person.until(lambda seen: seen.text.startswith("Bedtime 22:30"))
    await house.quiet()
    ((number,),) = house.lull.rows("SELECT tip FROM outbox WHERE kind = 'reminder' AND state = 'sent'")
    withdraw(tmp_path / "content", int(str(number)))
    house.lull.environment["CONTENT_DIR"] = str(tmp_path / "content")

    await house.restart(NOON)
    told = await person.until(lambda seen: seen.text == TOLD)
    await house.restart(NOON + timedelta(hours=2))
    await house.says(other, "/tonight")

    assert told.silent
    assert [seen.text for seen in person.chat].count(TOLD) == 1
    assert TOLD not in [seen.text for seen in other.chat]


def withdraw(folder: Path, number: int) -> None:
    folder.mkdir()
    entry = f'[[tip]]\nid = "{content.load().tip_id(number)}"\nwithdrawn = "its trial was taken back."\n'
    (folder / "tips.toml").write_text(entry, encoding="utf-8")
