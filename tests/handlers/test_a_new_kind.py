"""A kind of message that does not exist yet, due half an hour before the reminder: an entry, a view, and it works."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot.fake_telegram.people import Person
from tests.conftest import ROOT
from tests.handlers.house import House, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")

DUE = datetime(2026, 3, 26, 20, 45, tzinfo=UTC)
"""The reminder's moment for a bedtime of 22:30 in Berlin."""
HALF_AN_HOUR = timedelta(minutes=30)
TEXT = "In half an hour I remind you."

MEMBER = """    DIGEST = "digest"  # the week in one picture, on Sunday
"""
ENTRY = """

KINDS[Kind.WIND_DOWN] = Policy(
    lane=Lane.CHECK_IN,
    view="wind_down",
    when=lambda night: Window(night.due.remind_at - timedelta(minutes=30), night.due.remind_at, night.due.bed_at),
    ahead=timedelta(minutes=30),
    ended_by_answer=True,
    while_paused=False,
)
"""
VIEW = f"""

VIEWS["wind_down"] = lambda words, _: View(words("{TEXT}"), silent=True)
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code with one kind more."""
    tree = tmp_path_factory.mktemp("code")
    for package in ("bot", "config", "db"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    model = (tree / "bot/core/model.py").read_text(encoding="utf-8")
    assert MEMBER in model
    more = MEMBER + '    WIND_DOWN = "wind_down"\n'
    (tree / "bot/core/model.py").write_text(model.replace(MEMBER, more), encoding="utf-8")
    for name, text in (("bot/core/message_kinds.py", ENTRY), ("bot/delivery/renderer.py", VIEW)):
        with (tree / name).open("a", encoding="utf-8") as file:
            file.write(text)
    return tree


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, code: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path_factory.mktemp("house"), begins=DUE - timedelta(hours=4), code=code) as opened:
        yield opened


async def at_home(house: House) -> Person:
    house.at(DUE - timedelta(hours=3))
    person = await house.settled()
    person.catch_up()
    return person


async def silent_until(house: House, person: Person, moment: datetime) -> None:
    """Nothing comes to this person up to that moment: a question asked there is the next thing answered."""
    house.at(moment)
    assert (await house.says(person, "zzz")).text.startswith("I did not understand")


async def test_it_comes_half_an_hour_before_the_reminder_which_comes_at_its_minute(house: House) -> None:
    person = await at_home(house)
    house.at(DUE - HALF_AN_HOUR - timedelta(seconds=5))

    first = await person.next()
    glance = await house.says(person, "/tonight")
    house.at(DUE - timedelta(seconds=5))
    second = await person.next()

    assert (first.text, first.silent) == (TEXT, True)
    assert DUE - HALF_AN_HOUR <= first.at < DUE - HALF_AN_HOUR + timedelta(minutes=1)
    assert "Next reminder: Thursday 26 March, 21:45" in glance.text
    assert second.text.startswith("Bedtime 22:30 · 45 minutes left.")
    assert DUE <= second.at < DUE + timedelta(minutes=1)


async def test_it_comes_again_the_next_evening(house: House) -> None:
    person = await at_home(house)
    house.at(DUE - timedelta(seconds=5))
    await person.until(lambda seen: seen.text.startswith("Bedtime 22:30"))
    person.catch_up()
    house.at(DUE + timedelta(hours=11))
    await person.next()

    house.at(DUE - HALF_AN_HOUR + timedelta(days=1) - timedelta(seconds=5))

    assert (await person.next()).text == TEXT


async def test_an_answer_before_it_ends_it(house: House) -> None:
    person = await at_home(house)
    house.at(DUE - timedelta(hours=2))

    await house.says(person, "/took")

    await silent_until(house, person, DUE + timedelta(minutes=1))


async def test_a_pause_before_it_ends_it(house: House) -> None:
    person = await at_home(house)

    await house.says(person, "/pause 3")

    await silent_until(house, person, DUE + timedelta(minutes=1))


async def test_another_bedtime_moves_it_too(house: House) -> None:
    person = await at_home(house)
    await house.says(person, "/bedtime 23:00")

    await silent_until(house, person, DUE - HALF_AN_HOUR + timedelta(minutes=5))
    house.at(DUE - timedelta(seconds=5))

    assert (await person.next()).text == TEXT


async def test_a_change_after_it_moves_the_reminder_and_does_not_repeat_it(house: House) -> None:
    person = await at_home(house)
    house.at(DUE - HALF_AN_HOUR - timedelta(seconds=5))
    assert (await person.next()).text == TEXT

    await house.says(person, "/bedtime 23:00")
    house.at(DUE + HALF_AN_HOUR - timedelta(seconds=5))

    assert (await person.next()).text.startswith("Bedtime 23:00 · 45 minutes left.")
    assert [seen.text for seen in person.chat].count(TEXT) == 1


async def test_too_late_for_it_the_reminder_comes_alone(house: House) -> None:
    person = await at_home(house)

    await house.restart(DUE + timedelta(minutes=1))

    assert (await person.next()).text.startswith("Bedtime 22:30")
    states = house.lull.rows("SELECT kind, state FROM outbox WHERE user_id = ? AND kind = 'wind_down'", person.id)
    assert states == [("wind_down", "expired")]
