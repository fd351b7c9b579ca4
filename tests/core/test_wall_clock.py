"""When a wall clock is believed: by what others say, three of them over a minute, and by its jumps."""

from __future__ import annotations

import pytest

from bot.core.wall_clock import APART, DOUBT, FORGET, WallClock

NOON = 1_774_526_400.0


def told(*offs: float, every: float = 30.0) -> WallClock:
    """A clock of which was said, one after the other, that it is so many seconds behind."""
    clock = WallClock()
    for count, off in enumerate(offs):
        at = count * every
        clock.look(wall=NOON + at, at=at)
        clock.hear(NOON + at + off, wall=NOON + at, at=at)
    return clock


@pytest.mark.parametrize(
    ("offs", "off", "warned", "held"),
    [
        ((), None, False, False),
        # One or two are no witness, however wrong they make it.
        ((9_000,), None, False, False),
        ((9_000, 9_000), None, False, False),
        ((0, 1, 2), 1, False, False),
        ((119, 120, 119), 119, False, False),
        ((130, 131, 130), 130, True, False),
        ((-130, -131, -130), -130, True, False),
        ((310, 311, 310), 310, True, True),
        ((-93_600, -93_600, -93_601), -93_600, True, True),
        # They must agree.
        ((0, 9_000, 0), None, False, False),
        ((9_000, 0, 9_000, 9_000), None, False, False),
        ((9_000, 0, 9_000, 9_000, 9_000), 9_000, True, True),
        # One answer that was long on its way changes nothing, nor does one that is forged.
        ((0, 0, 0, -400), 0, False, False),
        ((9_000, 9_000, 9_000, 0, 0), 9_000, True, True),
        ((9_000, 9_000, 9_000, 0, 0, 0), 0, False, False),
    ],
)
def test_three_over_a_minute_who_agree_are_believed(
    offs: tuple[float, ...], off: float | None, *, warned: bool, held: bool
) -> None:
    clock = told(*offs)

    assert clock.off == off
    assert clock.is_off() is warned
    assert clock.holds(at=len(offs) * 30.0) is held


def test_three_within_less_than_a_minute_are_not_enough() -> None:
    assert told(900, 900, 900, every=29.0).off is None


def test_many_of_one_moment_are_one_witness() -> None:
    assert told(*[900] * 20, every=APART - 1).off == 900
    assert told(*[900] * 12, every=APART - 1).off is None


def test_what_was_said_long_ago_counts_no_more() -> None:
    assert told(900, 900, 900, every=FORGET).off is None


def test_a_clock_that_jumps_is_in_doubt_until_others_agree() -> None:
    clock = told(0, 0, 0)
    assert clock.look(wall=NOON + 93_690, at=90)
    assert clock.off is None
    assert clock.holds(at=91)
    for at in (100.0, 130.0, 161.0):
        assert clock.holds(at=at)
        assert not clock.look(wall=NOON + 93_600 + at, at=at)
        clock.hear(NOON + 93_600 + at, wall=NOON + 93_600 + at, at=at)

    assert not clock.holds(at=161)


def test_the_doubt_ends_where_nobody_says_anything() -> None:
    clock = told(0, 0, 0)
    clock.look(wall=NOON - 9_000, at=90)

    assert clock.holds(at=90 + DOUBT - 1)
    assert not clock.holds(at=90 + DOUBT)


@pytest.mark.parametrize(("wall", "at"), [(NOON + 3_600, 3_600.0), (NOON + 299, 1.0), (NOON - 299, 1.0)])
def test_neither_sleep_nor_a_small_step_is_a_jump(wall: float, at: float) -> None:
    clock = WallClock()
    clock.look(wall=NOON, at=0)

    assert not clock.look(wall=wall, at=at)
