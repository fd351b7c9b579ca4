"""The full figure of deaths at random: `python -m tests.crash.soak`. Its report goes into docs/reliability.md."""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.conftest import ROOT
from tests.crash import promise
from tests.crash import town as towns

FIRST = date(2026, 3, 26)
EVENING = datetime(2026, 3, 26, 21, 14, tzinfo=UTC)
SPEED = 100.0
PAGE = ROOT / "docs" / "reliability.md"
_REPORT = re.compile(r"(<!-- soak -->\n).*?(<!-- end of soak -->)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much of it."""

    kills: int
    people: int
    days: int
    seed: int
    aimed: float


BUSY = ((timedelta(0), timedelta(minutes=52)), (timedelta(hours=9, minutes=45), timedelta(hours=10, minutes=16)))
"""The busy parts of each day, after its EVENING: reminders and their repeats, then the morning's questions."""


async def run(wanted: Wanted, folder: Path) -> tuple[int, promise.Verdict]:
    """Deaths at random points of all those days; of the dull hours only the deaths are lived. Gives deaths and verdict."""
    chance = random.Random(wanted.seed)
    span = wanted.days * 86_400
    deaths = sorted(_death(chance, wanted, span) for _ in range(wanted.kills))
    async with towns.founded(folder, begin=EVENING - timedelta(hours=9), speed=SPEED) as town:
        await town.settle(wanted.people, beds=[22 * 60 + minute for minute in range(11)])
        await town.start()
        for number, seconds in enumerate(deaths):
            await live(town, EVENING + timedelta(seconds=seconds))
            await asyncio.sleep(chance.uniform(0.0, 0.05))
            await town.kill()
            await town.start()
            show(number + 1, wanted.kills)
        await live(town, EVENING + timedelta(seconds=span))
        verdict = await town.judge(FIRST, FIRST + timedelta(days=wanted.days - 1))
        await town.stop()
    return len(deaths), verdict


def _death(chance: random.Random, wanted: Wanted, span: int) -> float:
    """A moment in seconds after the first EVENING: anywhere, or (the share `aimed`) while reminders are due."""
    if chance.random() < wanted.aimed:
        return chance.randrange(wanted.days) * 86_400 + chance.uniform(60, 20 * 60)
    return chance.uniform(0, span)


async def live(town: towns.Town, end: datetime) -> None:
    """Live the busy parts until then, and skip the dull ones."""
    days = range((end - EVENING).days + 1)
    for begin, until in ((EVENING + timedelta(days=day) + at for at in part) for day in days for part in BUSY):
        if town.clock.now() < min(begin, end):
            town.jump(min(begin, end))
        await town.until(min(until, end))
    if town.clock.now() < end:
        town.jump(end)


def show(done: int, of: int) -> None:
    """A bar, where somebody looks."""
    if sys.stderr.isatty():
        filled = 30 * done // of
        print(f"\r[{'#' * filled}{'.' * (30 - filled)}] death {done} of {of}", end="", file=sys.stderr)


def report(wanted: Wanted, done: int, verdict: promise.Verdict, seconds: float) -> str:
    """A Markdown list of what was found."""
    copies = Counter(len(fate.copies) for fate in verdict.fates)
    how = f"{wanted.days} simulated days at {SPEED:g} times the speed of life, seed {wanted.seed}"
    lines = [
        f"- {done} deaths by SIGKILL, {wanted.people} people, {how}; {seconds / 60:.0f} minutes.",
        f"- {wanted.aimed:.0%} of the deaths fell in the minutes when reminders were due, the others at any time of the days.",
        f"- Nights: {len(verdict.fates)}; with a reminder: {verdict.sent}; unknown or expired: {len(verdict.untold)}.",
        f"- Broken promises (lost, a fourth copy, one unlabelled or early or after bedtime - 5 min): {len(verdict.broken)}.",
        f"- Nights with two copies: {copies[2]}; with three: {copies[3]}.",
        "- The database was whole at the end (`PRAGMA integrity_check`).",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run it, print the report, keep it in the page when `--write` says so; 1 when the promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--aimed", type=float, default=0.0, help="share of the deaths that fall when reminders are due")
    parser.add_argument("--write", action="store_true", help=f"put the report into {PAGE.relative_to(ROOT)}")
    given = vars(parser.parse_args())
    write = given.pop("write")
    wanted, began = Wanted(**given), time.monotonic()
    with tempfile.TemporaryDirectory() as folder, towns.cradle():
        done, verdict = asyncio.run(run(wanted, Path(folder)))
    text = report(wanted, done, verdict, time.monotonic() - began)
    print("\n" + text + "".join(f"  {what}\n" for what in verdict.broken), flush=True)
    if write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(_REPORT.sub(lambda found: found[1] + text + found[2], page), encoding="utf-8")
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
