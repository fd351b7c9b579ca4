"""The report: a table between two markers of docs/reliability.md, a line for each mutant that was played."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from tests.crash.soak.report import PAGE, machine
from tests.mutants.running import Fate, Played

_BETWEEN = re.compile(r"(<!-- mutants -->\n).*?(<!-- end of mutants -->)", re.DOTALL)
_HEAD = ("| Mutant | What was put in | In | Caught by | Seconds | Day |", "|---|---|---|---|---|---|")


def markdown(one: Played) -> str:
    """Its line of the table."""
    cells = (
        f"`{one.mutant.name}`",
        one.mutant.what,
        f"`{one.mutant.file}`",
        f"`{one.by}`" if one.fate is Fate.CAUGHT and "::" in one.by else _in_words(one),
        f"{one.seconds:.0f}",
        f"{datetime.now(UTC):%Y-%m-%d}",
    )
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def _in_words(one: Played) -> str:
    return one.by if one.fate is Fate.CAUGHT else f"**{one.fate.value.upper()}**: {one.by}"


def write(played: Sequence[Played], order: Sequence[str]) -> None:
    """Put these lines into the page; mutants that were not played now keep the line they have."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        _BETWEEN.sub(lambda found: found[1] + table(played, order, found[0]) + found[2], page), encoding="utf-8"
    )


def table(played: Sequence[Played], order: Sequence[str], before: str = "") -> str:
    """The table in the order of the mutants."""
    known = {name: line for line in before.splitlines() for name in order if line.startswith(f"| `{name}` ")}
    known |= {one.mutant.name: markdown(one) for one in played}
    body = [known[name] for name in order if name in known]
    return "\n".join([f"{len(body)} of {len(order)} mutants played; {machine()}.", "", *_HEAD, *body, ""])
