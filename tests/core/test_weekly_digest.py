"""When a digest is owed: on Sunday, with the check-in, to who wants it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core import planning
from bot.core.model import Cadence, Kind, Person, Status
from bot.core.planning import Message

SATURDAY = date(2026, 11, 14)
NOW = datetime(2026, 11, 14, 21, 15, tzinfo=UTC)
ANN = Person(
    7,
    Status.ACTIVE,
    created_at=NOW - timedelta(days=90),
    seen_at=NOW,
    consent=1,
    zone="Europe/Berlin",
    bedtimes=(23 * 60,) * 7,
    form="citrate",
    remind_at=NOW,
    remind_night=SATURDAY,
)


def owed(person: Person) -> dict[Kind, Message]:
    return {message.kind: message for message in planning.owe(person, answered=False, now=NOW).messages}


def test_saturdays_night_owes_a_digest_at_the_check_ins_moment() -> None:
    messages = owed(ANN)

    assert messages[Kind.DIGEST].due_at == messages[Kind.CHECK_IN].due_at
    assert messages[Kind.DIGEST].due_at.astimezone(UTC).weekday() == 6


@pytest.mark.parametrize("shift", [-1, 1, 2, 3, 4, 5])
def test_no_other_night_owes_one(shift: int) -> None:
    night = SATURDAY + timedelta(days=shift)

    assert Kind.DIGEST not in owed(replace(ANN, remind_night=night))


QUIET = [replace(ANN, cadence=cadence) for cadence in (Cadence.WEEKLY, Cadence.SILENT)]


@pytest.mark.parametrize("person", [replace(ANN, no_digest=True), *QUIET])
def test_who_does_not_want_it_or_fell_silent_gets_none(person: Person) -> None:
    assert Kind.DIGEST not in owed(person)


def test_who_is_not_asked_in_the_morning_still_gets_the_week() -> None:
    messages = owed(replace(ANN, no_check_in=True))

    assert Kind.CHECK_IN not in messages
    assert Kind.DIGEST in messages
