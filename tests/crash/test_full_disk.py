"""A database that is full for a while, in the middle of a burst."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.crash import town as towns

EVENING = datetime(2026, 3, 26, 21, 14, 55, tzinfo=UTC)


async def test_a_database_that_is_full_for_a_while_costs_no_reminder_and_doubles_none(tmp_path: Path) -> None:
    """SQLite refuses to grow, as on a full disk, in the middle of a burst, and is let go again."""
    async with towns.founded(tmp_path, begin=EVENING, speed=20) as town:
        await town.settle(60, beds=[22 * 60])
        with towns.small_disk(tmp_path, town) as disk:
            await town.start()
            await town.wait(lambda: town.telegram.counts.methods["sendMessage"] >= 10)
            disk.fill()
            await town.wait(lambda: "the database is away" in town.bot.log)
            sent = town.telegram.counts.methods["sendMessage"]
            await town.until(town.clock.now() + timedelta(seconds=60))
            assert town.telegram.counts.methods["sendMessage"] <= sent + 12
            disk.free()
            await town.wait(
                lambda: towns.count(town.database_url, "outbox WHERE kind = 'reminder' AND state = 'sent'") == 60
            )
            verdict = await town.judge(EVENING.date(), EVENING.date())
            assert await town.stop() == 0

    assert (verdict.broken, verdict.sent, verdict.doubled) == ([], 60, 0)
