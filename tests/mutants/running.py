"""One mutant, played: put into a copy of the code, and whether the tests that it names fail."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.conftest import ROOT
from tests.mutants.mutant import Mutant

LIMIT = 400.0
"""Real seconds for one mutant's tests. Tests that hang have noticed it too; those of a healthy tree end long before."""

_TO_END = 20.0
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S*?([^/\s]+\.py::\S+?)(?:\[.*?\])?(?: - .*)?$", re.MULTILINE)
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "data", "site", "node_modules")


class Fate(StrEnum):
    """What became of a mutant."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    BROKEN = "broken"  # its tests could not be run at all, which says nothing


@dataclass(frozen=True, slots=True)
class Played:
    """A mutant's fate, who caught it (or what was said instead), and the real seconds that took."""

    mutant: Mutant
    fate: Fate
    by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the tree, in which one mutant after another lives."""

    root: Path

    @classmethod
    def of_the_tree(cls, root: Path) -> Copy:
        """A new one in a folder that does not exist yet."""
        shutil.copytree(ROOT, root, ignore=_LEFT_OUT)
        return cls(root)

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """With the fault in it, for a while. Raises DoesNotApply."""
        path = self.root / mutant.file
        whole, faulty = path.read_text(encoding="utf-8"), mutant.applied(self.root)
        path.write_text(faulty, encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(whole, encoding="utf-8")

    def run(self, tests: Sequence[str]) -> tuple[int | None, str]:
        """Run tests until one fails: pytest's exit code (None: they hung), and what was said."""
        command = [sys.executable, "-m", "pytest", "-x", "-rfE", "--tb=no", *tests]
        # Compiled files go by a time in seconds: one of the faulty code could outlive it.
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        with subprocess.Popen(
            command,
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=LIMIT)
            except subprocess.TimeoutExpired:
                return None, _ended(process)
            except BaseException:
                _ended(process)
                raise
            return process.returncode, said

    def play(self, mutant: Mutant) -> Played:
        """Put it in, run its catchers, take it out."""
        began = time.monotonic()
        with self.mutated(mutant):
            code, said = self.run(mutant.catchers)
        fate, by = judged(code, said)
        return Played(mutant, fate, by, time.monotonic() - began)


def _ended(process: subprocess.Popen[str]) -> str:
    """End pytest in order, so that it ends what it has started; else by force."""
    process.send_signal(signal.SIGINT)
    try:
        said, _ = process.communicate(timeout=_TO_END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
    return said


def judged(code: int | None, said: str) -> tuple[Fate, str]:
    """What pytest's exit code (None: it hung) and its words mean."""
    if code is None:
        return Fate.CAUGHT, "a test that then hangs"
    if code == 0:
        skipped = " (some tests were skipped here)" if re.search(r"\d+ skipped", said) else ""
        return Fate.SURVIVED, "nobody" + skipped
    named = _FAILED.search(said)
    if code == 1 and named is not None:
        return Fate.CAUGHT, named[1]
    return Fate.BROKEN, (said.strip().splitlines() or ["nothing was said"])[-1]
