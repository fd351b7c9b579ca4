"""Fail at every named point on the way of a reminder and of an answer: nothing lost, at most three copies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.crash import town as towns

NIGHT = date(2026, 3, 26)
EVENING = datetime(2026, 3, 26, 21, 14, 50, tzinfo=UTC)

OUTGOING = [
    *("before_owe", "after_owe:2", "before_look_back", "after_look_back", "before_claim", "after_claim"),
    *("before_start", "after_start:2", "before_send:3", "after_send", "before_settle:2", "after_settle:3"),
]
INCOMING = ["before_store", "after_store", "before_handle", "after_handle", "before_reply"]


async def dies_and_goes_on(town: towns.Town, point: str) -> None:
    """Start a bot that is to die at that point, wait for its death, and start one that is not."""
    await town.bot.start(FAIL_POINT=point)
    assert await town.died() == -9, f"it did not die at {point}"
    await town.start()


async def all_answered(town: towns.Town) -> None:
    """Everybody has a reminder on the screen."""
    people = [town.telegram.person(person.id) for person in town.people]
    await town.wait(lambda: all(person.chat for person in people))


async def test_a_death_at_any_point_of_sending_loses_no_reminder(tmp_path: Path) -> None:
    """A night for each point; every night dies once at its own."""
    points = OUTGOING
    async with towns.founded(tmp_path, begin=EVENING - timedelta(hours=1), speed=240) as town:
        await town.settle(6, beds=[22 * 60])
        for number, point in enumerate(points):
            town.clock.set(EVENING + timedelta(days=number))
            await dies_and_goes_on(town, point)
            # Copies that may not have arrived go again after two minutes.
            town.jump(max(town.clock.now(), EVENING + timedelta(days=number, minutes=6)))
            tonight = (NIGHT - date(1970, 1, 1)).days + number
            sent = f"outbox WHERE kind = 'reminder' AND state = 'sent' AND night = {tonight}"
            await town.wait(lambda sent=sent: towns.count(town.database_url, sent) == 6)
            await town.kill()
        verdict = await town.judge(NIGHT, NIGHT + timedelta(days=len(points) - 1))

    assert verdict.broken == []
    assert verdict.sent == 6 * len(points)
    assert verdict.most() <= 2
    assert "Traceback" not in town.bot.log


@pytest.mark.parametrize("point", INCOMING)
async def test_a_death_at_any_point_of_taking_in_loses_no_tap_and_takes_none_twice(tmp_path: Path, point: str) -> None:
    async with towns.founded(tmp_path, begin=EVENING, speed=30) as town:
        await town.settle(3, beds=[22 * 60])
        await town.start()
        await all_answered(town)
        await town.kill()
        for person in town.people:
            await town.telegram.person(person.id).press("Taken")

        await dies_and_goes_on(town, point)

        await town.wait(lambda: towns.taps(town.database_url) == 3)
        assert town.telegram.world.updates.pending == 0 or await town.telegram.idle()
        assert await town.stop() == 0
    assert "Traceback" not in town.bot.log
