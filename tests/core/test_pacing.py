"""Rates, reserves and the look-ahead, alone and in a small simulation of crowded minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import pacing
from bot.core.pacing import Lane

NOW = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_answers_go_before_reminders_and_broadcasts_last() -> None:
    assert sorted(Lane) == [Lane.ANSWER, Lane.REMINDER, Lane.CHECK_IN, Lane.DIGEST, Lane.BROADCAST]
    assert [lane for lane in Lane if not lane.bulk] == [Lane.ANSWER]


def test_a_burst_passes_at_once_and_the_next_waits_an_interval() -> None:
    arrival, waits = 0.0, []
    for _ in range(5):
        wait, arrival = pacing.step(arrival, 100.0, interval=1.0, burst=3.0)
        waits.append(wait)

    assert waits == [0.0, 0.0, 0.0, 1.0, 2.0]


def test_a_rest_gives_the_whole_burst_back_and_no_more() -> None:
    arrival = 0.0
    for _ in range(3):
        _, arrival = pacing.step(arrival, 100.0, interval=1.0, burst=3.0)
    waits = []
    for _ in range(4):
        wait, arrival = pacing.step(arrival, 1000.0, interval=1.0, burst=3.0)
        waits.append(wait)

    assert waits == [0.0, 0.0, 0.0, 1.0]


@given(
    gaps=st.lists(st.floats(0, 0.2), min_size=1, max_size=200),
    rate=st.integers(1, 50),
    burst=st.integers(1, 5),
)
def test_no_second_holds_more_than_the_rate_and_the_burst(gaps: list[float], rate: int, burst: int) -> None:
    now = arrival = 0.0
    sent: list[float] = []
    for gap in gaps:
        now += gap
        wait, arrival = pacing.step(arrival, now, interval=1 / rate, burst=burst)
        now += wait
        sent.append(now)

    fullest = max(sum(1 for other in sent if moment <= other <= moment + 1 - 1e-6) for moment in sent)
    assert fullest <= rate + burst


def test_a_count_fades_to_a_third_in_its_span_and_to_nothing_in_the_end() -> None:
    assert pacing.faded(10, 0, span=5) == 10
    assert pacing.faded(10, 5, span=5) == pytest.approx(3.679, abs=0.001)
    assert pacing.faded(10, float("inf"), span=5) == 0


@given(rate=st.floats(1, 1000), answers=st.floats(0, 2000))
def test_the_reserve_covers_the_answers_but_leaves_bulk_half_of_the_rate(rate: float, answers: float) -> None:
    kept = pacing.reserve(rate, answers)

    assert rate / 100 <= kept <= rate / 2
    assert kept >= min(answers, rate / 2)


@pytest.mark.parametrize(
    ("backlog", "ahead", "opens"),
    [(0, 0, False), (0, 22_500, False), (0, 22_501, True), (22_500, 0, False), (10_000, 12_501, True)],
)
def test_rows_may_go_early_only_when_the_quarter_of_an_hour_is_too_full(backlog: int, ahead: int, opens: bool) -> None:
    until = pacing.release_until(NOW, backlog=backlog, due_within_lookahead=ahead, rate=25)

    assert until == (NOW + pacing.LOOKAHEAD if opens else NOW)


@dataclass(frozen=True)
class Row:
    """A reminder that went: how many minutes after its minute (negative: before), and in which minute."""

    due: int
    sent: int

    @property
    def late(self) -> int:
        return self.sent - self.due


def evening(due: dict[int, int], *, per_minute: int, early: bool) -> list[Row]:
    """Send rows minute by minute, earliest first. `due`: rows for each minute. Pages are ten to the minute."""
    left, sent, minute = dict(due), [], min(due) - 20
    while any(left.values()):
        for _ in range(10):
            backlog = sum(number for moment, number in left.items() if moment <= minute)
            ahead = sum(number for moment, number in left.items() if minute < moment <= minute + 15)
            until = pacing.release_until(NOW, backlog=backlog, due_within_lookahead=ahead, rate=per_minute / 60)
            reach = minute + (until - NOW) // MINUTE if early else minute
            sent += _page(left, minute, reach, per_minute // 10)
        minute += 1
    return sent


def _page(left: dict[int, int], minute: int, reach: int, room: int) -> list[Row]:
    sent = []
    for moment in sorted(left):
        number = min(room, left[moment]) if moment <= reach else 0
        left[moment] -= number
        room -= number
        sent += [Row(moment, minute)] * number
    return sent


evenings = st.dictionaries(st.integers(0, 12).map(lambda quarter: quarter * 15), st.integers(0, 900), min_size=1)


@settings(max_examples=40, deadline=None)
@given(due=evenings)
def test_early_release_makes_nobody_later_and_nobody_more_than_a_quarter_of_an_hour_early(due: dict[int, int]) -> None:
    on_time = evening(due, per_minute=30, early=False)
    released = evening(due, per_minute=30, early=True)

    assert len(released) == sum(due.values())
    assert min((row.late for row in released), default=0) >= -15
    assert max((row.late for row in released), default=0) <= max((row.late for row in on_time), default=0)
    assert all(row.late >= 0 for row in on_time)


@settings(max_examples=40, deadline=None)
@given(due=st.dictionaries(st.integers(0, 12).map(lambda quarter: quarter * 15), st.integers(0, 225), min_size=1))
def test_below_what_the_rate_can_send_nothing_goes_before_its_minute(due: dict[int, int]) -> None:
    # Two quarters of an hour meet in one look-ahead, and together they fit into the 450 rows of fifteen minutes.
    rows = evening(due, per_minute=30, early=True)

    assert all(0 <= row.late <= 15 for row in rows)


def test_a_minute_of_twice_the_quarters_worth_stays_within_a_quarter_of_an_hour_on_either_side() -> None:
    rows = evening({60: 900}, per_minute=30, early=True)

    assert min(row.late for row in rows) == -15
    assert max(row.late for row in rows) == 14
    assert max(row.late for row in evening({60: 900}, per_minute=30, early=False)) == 29


def test_only_the_surplus_leaves_early() -> None:
    rows = evening({60: 600}, per_minute=30, early=True)

    assert 150 <= sum(1 for row in rows if row.late < 0) <= 153
