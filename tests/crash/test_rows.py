"""Small samples of rows of the table that `python -m tests.crash.soak` plays in full, and the report that it writes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.crash.soak import announcing, away, deaths, incoming, report, upgrade
from tests.crash.soak.__main__ import ROWS
from tests.crash.soak.days import Death
from tests.crash.soak.report import Line
from tests.crash.soak.row import Found, Play, Row
from tests.crash.test_promise import DUE, THREE, asked, judged


async def test_a_thousand_mutated_updates_hold_up_nobody_and_are_kept_for_the_operator(play: Play) -> None:
    assert (await incoming.wrong_shapes(play)).broken == []


async def test_taps_that_arrive_while_the_bot_dies_are_each_taken_in_once(play: Play) -> None:
    assert (await incoming.taps(play)).broken == []


async def test_a_storm_of_429_halts_the_reminders_and_not_the_answers(play: Play) -> None:
    assert (await away.storm(play)).broken == []


@pytest.mark.long
async def test_a_broadcast_whose_sender_dies_reaches_nobody_twice_and_holds_up_no_reminder(play: Play) -> None:
    assert (await announcing.broadcast(play)).broken == []


async def test_a_start_that_was_killed_in_the_middle_of_a_migration_is_made_good_by_the_next(play: Play) -> None:
    assert (await upgrade.every_schema(play)).broken == []


def line(row: Row, *broken: str) -> Line:
    return Line(row, Found("much", "a lot", list(broken)), 12.0, 1, (0.5, 1.5))


def test_the_report_has_a_line_for_each_row_and_keeps_those_that_were_not_played_anew() -> None:
    names = [row.name for row in ROWS]
    first = report.table([line(ROWS[0]), line(ROWS[1], "one was lost")], names)

    second = report.table([line(ROWS[1])], names, first)

    kept, new = second.splitlines()[-2:]
    assert kept in first
    assert "| pass | 12 | 1 | 0.5, 1.5 |" in new
    assert "**FAIL**" in first
    assert "**FAIL**" not in second


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_says_what_must_hold_and_when_it_is_over(row: Row) -> None:
    assert row.must
    assert 0 < row.limit <= 1500


@pytest.mark.parametrize(
    ("death", "owed"),
    [
        (Death(DUE + timedelta(seconds=3), crowded=True), True),
        (Death(DUE + timedelta(seconds=3), crowded=False), False),
        (Death(DUE + timedelta(minutes=1), crowded=True), False),
        (Death(DUE - timedelta(seconds=3), crowded=True), False),
    ],
)
def test_a_repeat_is_owed_to_a_crowded_death_that_soon_followed_the_first_copy(death: Death, owed: bool) -> None:
    (fate,) = judged([*THREE, asked()]).fates

    assert deaths._crowded(fate, [death]) is owed
