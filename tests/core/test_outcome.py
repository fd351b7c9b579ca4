"""Outcomes are values, and every one of them is named where all of them have to be dealt with."""

from __future__ import annotations

import dataclasses
import inspect
from datetime import UTC, date, datetime
from typing import get_args

import pytest

from bot.core import outcome
from bot.core.model import Kind, NightRecord, Person, Status
from bot.core.outcome import Sent, Unsent
from bot.core.owed import Owed


def test_every_outcome_is_one_of_those_that_are_matched() -> None:
    written = {kind for _, kind in inspect.getmembers(outcome, dataclasses.is_dataclass)}
    assert written == set(get_args(outcome.Outcome))


def test_an_outcome_is_a_value_and_cannot_be_changed_afterwards() -> None:
    assert Sent(5) == Sent(5) != Sent(6)
    assert Unsent("busy").retry_after is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sent(5).message_id = 6  # type: ignore[misc]


def test_a_message_that_is_owed_knows_of_no_test_and_no_retired_tip_unless_told() -> None:
    now = datetime(2026, 1, 12, tzinfo=UTC)
    person = Person(7, Status.ACTIVE, created_at=now, seen_at=now)
    night = date(2026, 1, 12)
    owed = Owed(1, Kind.REMINDER, night, now, now, now, 0, 0, person, NightRecord(night))
    assert (owed.trial, owed.reminder, owed.retired_tips) == (None, None, frozenset())
