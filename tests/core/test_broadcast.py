"""When a broadcast may reach somebody, how long it takes, and what its bar shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core import broadcast
from bot.core.broadcast import Broadcast, Phase
from bot.core.model import Schedule

BERLIN = Schedule("Europe/Berlin", (22 * 60 + 30,) * 7)
"""To bed at 22:30, up at 07:30: the check-in is nine hours after bedtime."""


def berlin(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant in March 2026 by Berlin's clocks, before they change."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("now", "reached_at"),
    [
        pytest.param(berlin(10, 12), berlin(10, 12), id="at noon at once"),
        pytest.param(berlin(10, 21, 29), berlin(10, 21, 29), id="a minute before the last hour"),
        pytest.param(berlin(10, 21, 30), berlin(11, 7, 30), id="in the last hour before bed"),
        pytest.param(berlin(10, 22, 30), berlin(11, 7, 30), id="at bedtime"),
        pytest.param(berlin(11, 3), berlin(11, 7, 30), id="in the middle of the night"),
        pytest.param(berlin(11, 7, 29), berlin(11, 7, 30), id="a minute before waking"),
        pytest.param(berlin(11, 7, 30), berlin(11, 7, 30), id="when awake"),
    ],
)
def test_nobody_is_reached_between_an_hour_before_bed_and_waking(now: datetime, reached_at: datetime) -> None:
    assert broadcast.may_reach_at(BERLIN, now) == reached_at


def test_who_sleeps_by_day_is_reached_in_the_evening() -> None:
    shifts = Schedule("Europe/Berlin", (8 * 60,) * 7)

    assert broadcast.may_reach_at(shifts, berlin(10, 12)) == berlin(10, 17)
    assert broadcast.may_reach_at(shifts, berlin(10, 20)) == berlin(10, 20)


def test_an_own_time_for_the_morning_question_is_when_they_wake() -> None:
    early = Schedule("Europe/Berlin", (22 * 60 + 30,) * 7, check_ins=(6 * 60,) * 7)

    assert broadcast.may_reach_at(early, berlin(11, 3)) == berlin(11, 6)


def test_who_has_no_bedtime_is_reached_at_once() -> None:
    assert broadcast.may_reach_at(None, berlin(11, 3)) == berlin(11, 3)


@pytest.mark.parametrize(
    ("people", "rate", "seconds"), [(0, 25, 0), (1, 25, 1), (25, 25, 1), (26, 25, 2), (100_000, 25, 4000), (3, 0, 3)]
)
def test_the_estimate_is_people_by_rate_rounded_up(people: int, rate: int, seconds: int) -> None:
    assert broadcast.takes(people, rate=rate) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("done", "total", "full"),
    [(0, 10, 0), (1, 100, 0), (50, 100, 5), (99, 100, 9), (100, 100, 10), (12, 10, 10), (0, 0, 10)],
)
def test_the_bar_is_full_only_at_the_end(done: int, total: int, full: int) -> None:
    assert broadcast.bar(done, total) == "▓" * full + "░" * (10 - full)


@pytest.mark.parametrize(
    ("reason", "lost"),
    [
        ("Message to copy not found", True),
        ("Message can't be copied", True),
        ("Chat not found", False),
        ("VOICE_MESSAGES_FORBIDDEN", False),
    ],
)
def test_a_refusal_about_the_message_itself_is_told_from_one_about_a_person(reason: str, lost: bool) -> None:
    assert broadcast.is_lost(reason) is lost


@pytest.mark.parametrize("phase", list(Phase))
def test_only_one_that_runs_or_is_paused_may_go_on(phase: Phase) -> None:
    cast = Broadcast(1, admin_id=2, message_id=3, phase=phase, created_at=berlin(10, 12))

    assert cast.active is (phase in {Phase.RUNNING, Phase.PAUSED})
