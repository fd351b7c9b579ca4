"""Places in the code at which a test may end the process, as the power would (SIGKILL to itself), or stop it (SIGSTOP)."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Callable

_FORM = re.compile(r"((?:before|after)_[a-z_]{1,20})(?::([1-9][0-9]{0,5}))?(=stop)?")


def _nothing(name: str) -> None:
    """What passing a fail point does in every life but a test's: nothing."""


reach: Callable[[str], None] = _nothing
"""Passes the fail point of that name. Call it as `failpoints.reach(...)`, so that `arm` can put another in its place."""


def good(spec: str) -> bool:
    """Whether it names fail points: `after_claim`, or `after_settle:3` for the third passing; several with commas.

    The process dies there, or with `=stop` behind the name stands still, as in a suspended machine, until it is woken.
    """
    return all(_FORM.fullmatch(part) for part in spec.split(","))


def arm(spec: str | None) -> None:
    """Switch on the fail points of a `good` spec; with None this changes nothing."""
    global reach
    if spec is not None:
        reach = _deadly(dict(_read(part) for part in spec.split(",")))


def _read(part: str) -> tuple[str, tuple[int, signal.Signals]]:
    found = _FORM.fullmatch(part)
    if found is None:
        raise ValueError(f"not a fail point: {part!r}")
    return found[1], (int(found[2] or 1), signal.SIGSTOP if found[3] else signal.SIGKILL)


def _deadly(wanted: dict[str, tuple[int, signal.Signals]]) -> Callable[[str], None]:
    passed: Counter[str] = Counter()

    def deadly(name: str) -> None:
        passed[name] += 1
        passing, how = wanted.get(name, (0, signal.SIGKILL))
        if passed[name] == passing:
            os.kill(os.getpid(), how)

    return deadly
