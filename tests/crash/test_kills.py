"""Kill -9 at random points: nothing lost, no third copy, nothing after bedtime, the database whole."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.crash import town as towns

FIRST = date(2026, 3, 26)


async def days_of_deaths(town: towns.Town, chance: random.Random, *, nights: int, kills: int) -> int:
    """So many evenings and mornings, the deaths spread over them; the dull hours are skipped. Gives the deaths."""
    done = 0
    await town.start()
    for number in range(nights):
        evening = datetime(2026, 3, 26, 21, 14, tzinfo=UTC) + timedelta(days=number)
        share = (kills - done) // (nights - number)
        town.jump(evening)
        done += await towns.haunted(town, chance, until=evening + timedelta(minutes=48), kills=share * 4 // 5)
        town.jump(evening + timedelta(hours=9, minutes=44))
        done += await towns.haunted(
            town, chance, until=evening + timedelta(hours=9, minutes=56), kills=share - share * 4 // 5
        )
    return done


async def test_deaths_at_random_lose_no_night_and_send_no_third_copy(tmp_path: Path) -> None:
    chance = random.Random(20260326)
    begin = datetime(2026, 3, 26, 12, tzinfo=UTC)
    async with towns.founded(tmp_path, begin=begin, speed=400) as town:
        await town.settle(30, beds=[22 * 60 + minute for minute in range(6)])
        done = await days_of_deaths(town, chance, nights=2, kills=14)
        verdict = await town.judge(FIRST, FIRST + timedelta(days=1))
        assert await town.stop() == 0, town.bot.log

    assert done >= 10
    assert verdict.broken == []
    assert (verdict.sent, verdict.untold) == (60, [])
    assert verdict.most() <= 3
    assert "Traceback" not in town.bot.log
