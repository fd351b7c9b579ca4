"""Put each seeded fault into a copy of the code and see that the tests notice. Ends with 1 when one is not noticed."""

from __future__ import annotations

import argparse
import queue
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.mutants import report, seeded
from tests.mutants.mutant import Mutant
from tests.mutants.running import Copy, Fate, Played

_SAID = 30


def main() -> int:
    """Play them, print a line for each, keep the table when asked to."""
    given = _arguments()
    mutants = [one for one in seeded.MUTANTS if not given.only or one.name in given.only]
    if given.list:
        print(*(f"{one.name:36} {one.what}" for one in mutants), sep="\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="lull-mutants-") as folder:
        copies = [Copy.of_the_tree(Path(folder) / str(number)) for number in range(given.workers)]
        if not given.trust and not _healthy(copies[0], mutants):
            return 2
        played = _all_played(copies, mutants, write=given.write)
    survivors = [one for one in played if one.fate is not Fate.CAUGHT]
    print(f"{len(played) - len(survivors)} of {len(played)} mutants were caught")
    return 1 if survivors else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    names = [one.name for one in seeded.MUTANTS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help="this one; may be given again")
    parser.add_argument("--list", action="store_true", help="say which there are")
    parser.add_argument("--workers", type=int, default=2, help="how many at once")
    parser.add_argument("--trust", action="store_true", help="do not first see that the tests pass without any fault")
    parser.add_argument("--write", action="store_true", help=f"put the table into docs/{report.PAGE.name}")
    return parser.parse_args()


def _healthy(copy: Copy, mutants: Sequence[Mutant]) -> bool:
    """Whether all tests that are to fail pass without a fault: else they would say nothing."""
    tests = sorted({test for one in mutants for test in one.catchers})
    _bar(0.0, "the same tests without a fault")
    code, said = copy.run(tests)
    if code != 0:
        print("the tests fail without any fault:", *said.splitlines()[-_SAID:], sep="\n", file=sys.stderr)
    return code == 0


def _all_played(copies: Sequence[Copy], mutants: Sequence[Mutant], *, write: bool) -> list[Played]:
    """Each mutant in whichever copy is free."""
    left: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for one in mutants:
        left.put(one)
    done: queue.SimpleQueue[Played | BaseException] = queue.SimpleQueue()
    for copy in copies:
        threading.Thread(target=_play, args=(copy, left, done), daemon=True).start()
    played: list[Played] = []
    order = [one.name for one in seeded.MUTANTS]
    while len(played) < len(mutants):
        one = done.get()
        if isinstance(one, BaseException):
            raise one
        played.append(one)
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        print(f"{one.fate.value:9} {one.mutant.name:36} {one.seconds:5.0f} s  {one.by}", flush=True)
        if write:  # after each, so that an end half-way keeps what was found
            report.write(played, order)
        _bar(len(played) / len(mutants), f"{len(played)} of {len(mutants)}")
    return played


def _play(copy: Copy, left: queue.SimpleQueue[Mutant], done: queue.SimpleQueue[Played | BaseException]) -> None:
    while True:
        try:
            mutant = left.get_nowait()
        except queue.Empty:
            return
        try:
            done.put(copy.play(mutant))
        except BaseException as error:
            done.put(error)
            raise


def _bar(share: float, what: str) -> None:
    """A progress bar where somebody looks."""
    if sys.stderr.isatty():
        full = int(30 * share)
        print(f"\r\033[Kmutants    [{'#' * full}{'.' * (30 - full)}] {what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
