"""The process that starts bots quickly, one for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash import town


@pytest.fixture(scope="session", autouse=True)
def cradle() -> Iterator[None]:
    """Bots can be started."""
    with town.cradle():
        yield
