"""Whether the bot is well: one judgement for /healthz, for `healthcheck`, and for ending a sick process.

Imports nothing heavy: `python -m bot healthcheck` runs every half minute.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LIMITS = {"telegram": 90.0, "tick": 15.0, "leader": 30.0, "writing": 30.0}
"""Real seconds for which each part may be silent. A long poll alone takes 30."""

LASTING = frozenset({"clock", "file", "flood"})
"""Parts that a fresh process would find in the same state: no reason to end this one."""

SILENT = 20.0
"""Real seconds after which a state file is too old to say that the bot is well: it is written every few seconds."""

SICK = 300.0
"""Real seconds of red health after which the process ends, so that a fresh one is started."""

DEFAULT_DATABASE = "sqlite:///data/lull.db"


@dataclass(slots=True)
class Health:
    """What was last found, part by part; nothing in it is about a person. Not well before the first look."""

    red: dict[str, str] = field(default_factory=lambda: {"start": "not looked at yet"})
    red_since: float | None = None

    def judge(self, ages: Mapping[str, float], faults: Mapping[str, str], *, now: float) -> None:
        """Take note of how long ago each watched part was good, and of what is known to be wrong, at `now` (monotonic)."""
        late = {part: f"not good for {age:.0f} seconds" for part, age in ages.items() if age > LIMITS[part]}
        self.red = late | dict(faults)
        if not self.red.keys() - LASTING:
            self.red_since = None
        elif self.red_since is None:
            self.red_since = now

    def sick(self, *, now: float) -> bool:
        """Whether it has been red for so long that the process should be replaced."""
        return self.red_since is not None and now - self.red_since > SICK

    def report(self) -> dict[str, object]:
        """For /healthz."""
        return {"healthy": not self.red, "red": self.red}


def state_file(database_url: str) -> Path:
    """Where the bot that uses this database says how it is: next to a SQLite file, else in the folder for temporary files."""
    scheme, _, rest = database_url.partition("://")
    if scheme.startswith("sqlite"):
        path = Path(rest.removeprefix("/").partition("?")[0])
        return path.with_name(path.name + ".health")
    # Neither the password nor the options: they are spelt in several ways.
    place = rest.rpartition("@")[2].partition("?")[0]
    key = hashlib.sha256(place.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"lull-{os.getuid()}-{key}.health"


def write(path: Path, health: Health) -> None:
    """Put the state in its file, whole. Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"at": time.time(), **health.report()}, file)
        # Replacing the name, so that a reader sees the old or the new, and a link planted there is not followed.
        Path(name).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def forget(path: Path) -> None:
    """At an orderly end: there is nothing to be said any more."""
    with contextlib.suppress(OSError):
        path.unlink()


def check(path: Path) -> tuple[bool, str]:
    """Whether the bot that writes this file is well, and one line about it."""
    try:
        if path.stat().st_uid != os.getuid():
            return False, f"{path} belongs to somebody else"
        state = json.loads(path.read_bytes())
        age, red = time.time() - float(state["at"]), dict(state["red"])
    except FileNotFoundError:
        return False, "not running, or not yet up"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return False, f"its state cannot be read ({type(error).__name__})"
    if not -SILENT < age < SILENT:
        return False, f"silent for {age:.0f} seconds"
    if red:
        return False, "; ".join(f"{part}: {why}" for part, why in red.items())
    return True, "healthy"
