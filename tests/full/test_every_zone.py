"""Every zone of tzdata, every night from 2024 to 2037: about a minute on one core, so only on request."""

from __future__ import annotations

import os
import zoneinfo

import pytest

from bot.core import schedule
from bot.core.model import Schedule
from tests.full import every_night

pytestmark = pytest.mark.skipif(
    os.environ.get("FULL") != "1", reason="takes a minute; set FULL=1 to go through every zone and night"
)


@pytest.fixture(autouse=True)
def zones_of_the_wheel() -> None:
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    schedule._zone.cache_clear()


def test_every_zone_has_every_night_once_from_2024_to_2037() -> None:
    names = sorted(zoneinfo.available_timezones())
    nights = sum(
        every_night.check_chain(Schedule(name, every_night.week_of(index))) for index, name in enumerate(names)
    )
    assert nights == len(names) * 5114


def test_every_half_hour_around_every_change_of_every_zone_is_the_instant_asked_for() -> None:
    names = sorted(zoneinfo.available_timezones())
    assert sum(every_night.check_changes(name, range(0, 1440, 30)) for name in names) > 100_000
