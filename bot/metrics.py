"""Counters and gauges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from bot.core.model import Kind, Owed, State
from bot.core.outcome import Outcome


class Counts:
    """What became of messages since the start, by kind and outcome."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.repeated = 0

    def outcome(self, row: Owed, outcome: Outcome, *, now: datetime) -> None:
        """One attempt to send."""
        del now
        self.outcomes[row.kind.value, type(outcome).__name__.lower()] += 1
        self.repeated += row.copies > 0

    def expired(self, rows: Iterable[tuple[Kind, State]]) -> None:
        """Rows whose window closed."""
        self.outcomes.update((kind.value, state.value) for kind, state in rows)

    def reclaimed(self, rows: Iterable[tuple[Kind, State]]) -> None:
        """Rows that a dead process was sending."""
        self.outcomes.update((kind.value, "reclaimed") for kind, _ in rows)
