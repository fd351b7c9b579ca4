"""The process that starts bots quickly, one for the whole run, and what a row of the table is given to play with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash import town
from tests.crash.soak.row import Play


@pytest.fixture(scope="session", autouse=True)
def cradle() -> Iterator[None]:
    """Bots can be started."""
    with town.cradle():
        yield


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A small sample of a row, always the same."""
    return Play(tmp_path, seed=1)
