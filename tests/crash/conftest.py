"""What a row of the table is given to play with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.soak.row import Play


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A small sample of a row, always the same."""
    return Play(tmp_path, seed=1)
