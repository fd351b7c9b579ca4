"""The news of a reminder that was not sent outlives a death in the middle of telling it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.fake_telegram.faults import Fault
from tests.crash import town as towns

NIGHT = date(2026, 3, 26)
MORNING = datetime(2026, 3, 27, 7, 0, 5, tzinfo=UTC)
TOLD = "outbox WHERE kind = 'check_in' AND state = 'sent'"


@pytest.mark.parametrize("how", ["before_send", "after_send", "silence"])
async def test_whoever_was_not_reminded_hears_of_it_although_the_telling_broke_off(tmp_path: Path, how: str) -> None:
    """Nobody was there in the evening; in the morning the question is cut off on its way to Telegram, or on the way back."""
    async with towns.founded(tmp_path, begin=MORNING - timedelta(hours=20), speed=120) as town:
        await town.settle(1, beds=[22 * 60])
        town.clock.set(MORNING)
        if how == "silence":
            town.telegram.fault(Fault("silent", "sendMessage", count=1))
            await town.start()
        else:
            await town.bot.start(FAIL_POINT=how)
            assert await town.died() == -9
            await town.start()
        await town.wait(lambda: towns.count(town.database_url, TOLD) == 1)
        verdict = await town.judge(NIGHT, NIGHT)
        assert await town.stop() == 0

    (fate,) = verdict.fates
    assert fate.told
    assert len(fate.check_ins) == (1 if how == "before_send" else 2)
    assert verdict.broken == []
