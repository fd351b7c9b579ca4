"""Kill -9 at random points: nothing lost, no fourth copy, nothing after bedtime, the database whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.crash.soak import deaths
from tests.crash.soak.row import Play


@pytest.mark.long
async def test_deaths_at_random_lose_no_night(play: Play) -> None:
    found = await deaths.alone(play)

    assert found.broken == []
    assert "60 of 60 nights reminded" in found.seen


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    """One of its own: a server that is started in a thread ends with it."""
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(postgres.running())
        except postgres.NoServer as error:
            pytest.skip(f"no PostgreSQL here: {error}")
        yield started


@pytest.mark.long
async def test_replicas_that_die_under_faults_lose_no_night(tmp_path: Path, server: postgres.Server) -> None:
    found = await deaths.replicas(Play(tmp_path, seed=3, server=server))

    assert found.broken == []
    assert "30 of 30 nights reminded" in found.seen
