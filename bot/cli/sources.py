"""`make sources`: which sources nobody has looked at for a year, the oldest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from bot.clock import RealClock
from bot.core.model import Source
from bot.texts import content

A_YEAR = timedelta(days=365)


def main() -> int:
    """Print a line for each; 0 when there is none."""
    found = stale(content.load().sources, today=RealClock().now().date())
    for source in found:
        print(f"{source.id}: last looked at {source.checked or 'never'}; {source.link or source.title}")
    if not found:
        print("Every source was looked at within a year.")
    return 1 if found else 0


def stale(sources: Iterable[Source], *, today: date) -> list[Source]:
    """Those that were last looked at more than a year ago, or never."""
    old = [source for source in sources if source.checked is None or today - source.checked > A_YEAR]
    return sorted(old, key=lambda source: (source.checked or date.min, source.id))


if __name__ == "__main__":
    raise SystemExit(main())
