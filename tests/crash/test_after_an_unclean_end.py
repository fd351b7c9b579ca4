"""The start after a process that was killed goes carefully: a row that kills again then costs one row, not a batch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.fake_telegram.faults import Fault
from tests.crash import town as towns

DUE = datetime(2026, 3, 26, 21, 15, tzinfo=UTC)
IN_HAND = "outbox WHERE kind = 'reminder' AND state IN ('claimed', 'sending')"


@pytest.mark.parametrize(("killed", "in_hand"), [(True, 1), (False, 4)])
async def test_after_a_kill_reminders_go_one_at_a_time(tmp_path: Path, *, killed: bool, in_hand: int) -> None:
    async with towns.founded(tmp_path, begin=DUE - timedelta(minutes=5), speed=1) as town:
        await town.settle(4, beds=[22 * 60])
        await town.start()
        await (town.kill() if killed else town.stop())
        town.telegram.fault(Fault("silent", "sendMessage"))
        town.jump(DUE + timedelta(seconds=1))

        await town.start()
        await town.wait(lambda: town.telegram.counts.methods["sendMessage"] >= 1)
        found = towns.count(town.database_url, IN_HAND)
        await town.kill()

    assert found == in_hand
