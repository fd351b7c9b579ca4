"""Fail at every named point on the way of a reminder and of an answer: nothing lost, at most three copies."""

from __future__ import annotations

import pytest

from tests.crash.soak import points
from tests.crash.soak.row import Found, Play

OUTGOING = [
    *("before_owe", "after_owe", "before_look_back", "after_look_back", "before_claim", "after_claim"),
    *("before_start", "after_start:2", "before_send:3", "after_send", "before_settle:2", "after_settle:3"),
]


async def test_a_death_at_any_point_of_sending_loses_no_reminder(play: Play) -> None:
    """A night for each point; every night dies once at its own."""
    found = Found("", "")

    _, most = await points.sending(play, OUTGOING, found)

    assert found.broken == []
    assert most <= 2


@pytest.mark.parametrize("point", points.INCOMING)
async def test_a_death_at_any_point_of_taking_in_loses_no_tap_and_takes_none_twice(play: Play, point: str) -> None:
    found = Found("", "")

    await points.taking_in(play, point, found)

    assert found.broken == []
