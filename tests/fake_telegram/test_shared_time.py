"""The shared clock under the demo's changes of speed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bot.clock import SharedClock

EVENING = datetime(2026, 11, 20, 20, tzinfo=UTC)


def test_another_speed_makes_monotonic_time_neither_leap_nor_run_backwards(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", origin=EVENING)

    before = clock.monotonic()
    clock.set(clock.now(), speed=1000.0)
    clock.set(clock.now(), speed=1.0)
    after = clock.monotonic()

    assert 0 <= after - before < 60


def test_a_skip_moves_the_wall_clock_of_every_process_and_not_the_monotonic_one(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", origin=EVENING)
    other = SharedClock(tmp_path / "clock")
    before = other.monotonic()

    clock.skip(8 * 3600)

    assert 8 * 3600 <= (other.now() - EVENING).total_seconds() < 8 * 3600 + 60
    assert 0 <= other.monotonic() - before < 60
