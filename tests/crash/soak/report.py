"""The report: a table between two markers of docs/reliability.md, a line for each row that was played."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.conftest import ROOT
from tests.crash.soak.row import Found, Row

PAGE = ROOT / "docs" / "reliability.md"
_BETWEEN = re.compile(r"(<!-- soak -->\n).*?(<!-- end of soak -->)", re.DOTALL)
_HEAD = (
    "| Row | Size | Must hold | Seen | | Seconds | Seed | Load | Day |",
    "|---|---|---|---|---|---|---|---|---|",
)
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One row, played. `load` is the machine's load average when it began and when it ended."""

    row: Row
    found: Found
    seconds: float
    seed: int
    load: tuple[float, float]

    @property
    def passed(self) -> bool:
        return not self.found.broken

    def markdown(self) -> str:
        cells = (
            f"`{self.row.name}` {self.row.what}",
            self.found.size,
            self.row.must,
            self.found.seen + self._complaints(),
            "pass" if self.passed else "**FAIL**",
            f"{self.seconds:.0f}",
            str(self.seed),
            "{:.1f}, {:.1f}".format(*self.load),
            f"{datetime.now(UTC):%Y-%m-%d}",
        )
        return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"

    def _complaints(self) -> str:
        broken = self.found.broken
        if not broken:
            return ""
        more = f"; and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
        return ". Broken: " + "; ".join(one[:160] for one in broken[:_SHOWN]) + more


def machine() -> str:
    """What it ran on."""
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def write(lines: Sequence[Line], order: Sequence[str]) -> None:
    """Put these lines into the page; rows that were not played now keep the line they have."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        _BETWEEN.sub(lambda found: found[1] + table(lines, order, found[0]) + found[2], page), encoding="utf-8"
    )


def table(lines: Sequence[Line], order: Sequence[str], before: str = "") -> str:
    """The table in the order of the rows."""
    known = {name: line for line in before.splitlines() for name in order if line.startswith(f"| `{name}` ")}
    known |= {line.row.name: line.markdown() for line in lines}
    body = [known[name] for name in order if name in known]
    return "\n".join([f"{machine()}.", "", *_HEAD, *body, ""])
