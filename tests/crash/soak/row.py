"""What a row of the table is: what it does to the bot, what must hold, and what was found."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests import postgres

Show = Callable[[float, str], None]


def _nothing(_share: float, _what: str) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class Play:
    """What a row is given to play with. `quick` asks for a small sample; `show` is told how much is done."""

    folder: Path
    seed: int
    quick: bool = True
    show: Show = _nothing
    server: postgres.Server | None = None  # None where no PostgreSQL can be started

    @property
    def chance(self) -> random.Random:
        """The row's own dice, the same for the same seed."""
        return random.Random(self.seed)

    def place(self, name: str) -> Path:
        """A folder of its own for one part of the row."""
        folder = self.folder / name
        folder.mkdir()
        return folder

    def postgres(self) -> postgres.Server:
        """The server. Raises NoServer where there is none: a row that needs it has then failed, not passed."""
        if self.server is None:
            raise postgres.NoServer("no PostgreSQL can be started here")
        return self.server


@dataclass(slots=True)
class Found:
    """What a row saw. Nothing broken is a pass."""

    size: str
    seen: str
    broken: list[str] = field(default_factory=list)

    def must(self, holds: object, complaint: str) -> None:
        """Note the complaint unless it holds."""
        if not holds:
            self.broken.append(complaint)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `limit` is the real seconds after which its full size counts as failed."""

    name: str
    what: str
    must: str
    play: Callable[[Play], Awaitable[Found]]
    limit: float
    postgres: bool = False
