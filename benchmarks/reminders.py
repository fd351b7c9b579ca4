"""Reminders: CPU of the whole path, ten thousand in a minute, and the fullest second as the server sees it."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from benchmarks import parts
from benchmarks.parts import Crowd, Figure, Remote, Running


async def burst(
    remote: Remote, bot: Running, folder: Path, *, number: int, first: int
) -> tuple[float, float, int, int]:
    """So many people due at once: seconds from first to last, CPU ms each, the fullest second, and how many were lost."""
    await remote.clear_counts()
    connection = parts.open_file(folder)
    bot.mark()
    parts.fill(connection, Crowd(number, datetime.now(UTC), first=first))
    connection.close()
    _, counts = await parts.until(
        remote, lambda counts: parts.called(counts, "sendMessage") >= number, bar=f"{number} reminders", goal=number
    )
    # The last ones are still to be settled.
    await asyncio.sleep(0.3)
    sent = parts.called(counts, "sendMessage")
    span = cast("float", counts["span"]) * number / max(1, sent - 1)
    return span, 1000 * bot.used / max(1, sent), cast("int", counts["fullest_second"]), number - sent


async def baseline(kind: str, number: int) -> dict[str, float]:
    """What the other way of sending gives."""
    async with parts.stand_in() as (remote, _):
        values = {"BOT_TOKEN": parts.TOKEN, "TELEGRAM_API_URL": remote.url}
        async with parts.running("-m", "benchmarks.bare_sends", kind, str(number), wait=True, **values) as process:
            return cast("dict[str, float]", json.loads(process.line))


async def at_rate(rate: int, number: int, *, warm: int = 0) -> tuple[float, float, int, int]:
    """A burst on a new database, at this SEND_RATE."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (await parts.fresh(folder)).close()
        async with parts.stand_in() as (remote, _), parts.lull(remote, folder, rate=rate) as bot:
            if warm:
                await burst(remote, bot, folder, number=warm, first=1)
            return await burst(remote, bot, folder, number=number, first=1_000_000)


async def run(*, number: int = 10_000) -> list[Figure]:
    """Bursts at 1,000/s and 25/s beside python-telegram-bot's own ways."""
    bare = await baseline("bare", min(2000, number))
    daily = await baseline("daily", number)
    each = 1000 * bare["cpu"] / bare["sent"]
    span, cpu, fullest, lost = await at_rate(1000, number, warm=200)
    few = min(500, number)
    slow_span, _, slow_fullest, slow_lost = await at_rate(25, few)
    most, _, most_fullest, _ = await at_rate(30, few // 2)
    jobs = 1000 * daily["cpu"] / max(1.0, daily["sent"])
    return [
        Figure("CPU of a reminder, all writes", cpu, "ms", "<= 0.6, <= 0.35 x", each, "bare send_message"),
        Figure("the same, beside daily jobs", cpu, "ms", "", jobs, f"run_daily, {daily['sent']:.0f} of {number} sent"),
        Figure(f"{number:,} due at once, 1,000/s", span, "s", f"<= {1.05 * number / 1000:.1f}"),
        Figure("lost of them", lost, "", "0", number - daily["sent"], "run_daily"),
        Figure("fullest second at 1,000/s", fullest, "", "<= 1010"),
        Figure(f"{few} due at once, 25/s", slow_span, "s", f"<= {1.02 * few / 25:.1f}"),
        Figure("lost of them", slow_lost, "", "0"),
        Figure("fullest second at 25/s", slow_fullest, "", "<= 26"),
        Figure(f"fullest second at 30/s ({most:.0f} s)", most_fullest, "", "<= 31"),
    ]


if __name__ == "__main__":
    print(parts.table(asyncio.run(run(number=int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))))
