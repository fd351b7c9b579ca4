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
SPEED = 60.0
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


async def run(wanted: Wanted, folder: Path) -> tuple[int, promise.Verdict]:
    """Evenings and mornings with deaths in both; the dull hours between are skipped. Gives the deaths and the verdict."""
    chance, done = random.Random(wanted.seed), 0
    async with towns.founded(folder, begin=EVENING - timedelta(hours=9), speed=SPEED) as town:
        await town.settle(wanted.people, beds=[22 * 60 + minute for minute in range(11)])
        await town.start()
        for day in range(wanted.days):
            share = (wanted.kills - done) // (wanted.days - day)
            begin = EVENING + timedelta(days=day)
            for start, minutes, part in (
                (begin, 52, share * 4 // 5),
                (begin + timedelta(hours=9, minutes=45), 14, share // 5),
            ):
                town.jump(start)
                end = start + timedelta(minutes=minutes)
                done += await towns.haunted(town, chance, until=end, kills=part, aimed=wanted.aimed)
                show(day + 1, wanted.days, done)
        verdict = await town.judge(FIRST, FIRST + timedelta(days=wanted.days - 1))
        await town.stop()
    return done, verdict


def show(day: int, days: int, done: int) -> None:
    """A bar, where somebody looks."""
    if sys.stderr.isatty():
        filled = 30 * day // days
        print(f"\r[{'#' * filled}{'.' * (30 - filled)}] day {day} of {days}, {done} deaths", end="", file=sys.stderr)


def report(wanted: Wanted, done: int, verdict: promise.Verdict, seconds: float) -> str:
    """A Markdown list of what was found."""
    copies = Counter(len(fate.copies) for fate in verdict.fates)
    how = f"{wanted.days} simulated days at {SPEED:g} times the speed of life, seed {wanted.seed}"
    lines = [
        f"- {done} deaths by SIGKILL, {wanted.people} people, {how}; {seconds / 60:.0f} minutes.",
        f"- {wanted.aimed:.0%} of the deaths were aimed at a message in the air, the others came at any time.",
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
    parser.add_argument("--aimed", type=float, default=0.0, help="share of the deaths that follow a message at once")
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
