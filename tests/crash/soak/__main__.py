"""Play the table of faults: every row at its full size, or a small sample of each, one after another."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
import traceback
import zoneinfo
from collections.abc import Callable
from pathlib import Path

from tests import bots, postgres
from tests.crash.soak import announcing, away, deaths, flat, incoming, machine, points, report, upgrade
from tests.crash.soak.report import Line
from tests.crash.soak.row import Found, Play, Row

ROWS = (
    Row(
        "kills",
        "SIGKILL, SQLite",
        "0 lost, 0 after bedtime, repeats labelled, at most 7 not owed to crowded deaths, file intact",
        deaths.alone,
        1200,
    ),
    Row(
        "replicas",
        "SIGKILL of three replicas on PostgreSQL, a faulty network",
        "0 lost, 0 after bedtime, at most 40 doubled for other reasons than crowded deaths",
        deaths.replicas,
        1500,
        postgres=True,
    ),
    Row("points", "SIGKILL at every named point", "0 lost, at most 3 copies", points.every_point, 600),
    Row("taps", "SIGKILL while taps arrive", "0 lost, 0 recorded twice", incoming.taps, 300),
    Row(
        "mutated",
        "Updates of wrong shapes",
        "0 crashes; a good one answered within 2 s; failures kept",
        incoming.wrong_shapes,
        300,
    ),
    Row("storm", "429 in a burst", "0 lost, nothing in the halted lane, answers flow", away.storm, 300),
    Row(
        "outage",
        "Telegram away for 30 minutes",
        "before bedtime: late and arrived; the others told",
        away.outage,
        500,
    ),
    Row(
        "stores",
        "Disk full; database stopped",
        "0 twice, recovers, /healthz red meanwhile",
        machine.stores,
        300,
        postgres=True,
    ),
    Row("clock", "Clock +2 h, -2 h, suspend", "0 lost, 0 doubled", machine.clock, 300),
    Row(
        "upgrade",
        "Every earlier schema, killed half-way",
        "migrates at the next start",
        upgrade.every_schema,
        400,
        postgres=True,
    ),
    Row(
        "broadcast",
        "SIGKILL in a broadcast",
        "once or marked unknown, never twice; reminders on time",
        announcing.broadcast,
        600,
    ),
    Row("day", "A day of work", "memory +5 %, handles and tasks +2 at most after the first hour", flat.day, 600),
)
_QUICK_LIMIT = 150.0


def main() -> int:
    """Play, print, and keep the report when asked to; 1 when a row failed."""
    given = _arguments()
    rows = [row for row in ROWS if not given.row or row.name in given.row]
    lines = []
    with contextlib.ExitStack() as stack:
        zoneinfo.reset_tzpath(to=())
        stack.enter_context(bots.nursery())
        for row in rows:
            lines.append(_played(row, given.seed, quick=given.quick))
            print(lines[-1].markdown(), flush=True)
            for what in lines[-1].found.broken[3:20]:
                print(f"    {what}", flush=True)
            if given.write:  # after each, so that an end half-way keeps what was found
                report.write(lines, [row.name for row in ROWS])
    return 0 if all(line.passed for line in lines) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.soak", description=__doc__)
    names = [row.name for row in ROWS]
    parser.add_argument("--row", action="append", choices=names, help="only this row; may be given several times")
    parser.add_argument("--quick", action="store_true", help="a small sample of each row")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--write", action="store_true", help=f"put the report into {report.PAGE.relative_to(report.ROOT)}"
    )
    return parser.parse_args()


def _played(row: Row, seed: int, *, quick: bool) -> Line:
    began, load = time.monotonic(), os.getloadavg()[0]
    limit = min(row.limit, _QUICK_LIMIT) if quick else row.limit
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lull-soak-"))
        server = None
        if row.postgres:  # one of its own: some stop it
            with contextlib.suppress(postgres.NoServer):
                server = stack.enter_context(postgres.running())
        play = Play(Path(folder), seed, quick, _bar(row.name), server)
        found = asyncio.run(_within(row, play, limit))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return Line(row, found, time.monotonic() - began, seed, (load, os.getloadavg()[0]))


async def _within(row: Row, play: Play, limit: float) -> Found:
    """What it found; that it did not come to its end is a finding too."""
    try:
        async with asyncio.timeout(limit):
            return await row.play(play)
    except TimeoutError as error:
        return Found("", "it did not come to its end", [f"out of time ({limit:.0f} s), or waited in vain{error}"])
    except Exception as error:
        traceback.print_exc()
        return Found("", "it broke off", [f"{type(error).__name__}: {error}"])


def _bar(name: str) -> Callable[[float, str], None]:
    """A progress bar where somebody looks."""

    def show(share: float, what: str) -> None:
        if sys.stderr.isatty():
            full = int(30 * min(1.0, share))
            print(f"\r\033[K{name:10} [{'#' * full}{'.' * (30 - full)}] {what}", end="", file=sys.stderr, flush=True)

    return show


if __name__ == "__main__":
    sys.exit(main())
