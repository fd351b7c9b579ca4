"""A machine whose clock is wrong: nobody is reminded by it, the admin hears of it, and with the right time all goes on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bot.clock import SharedClock
from bot.fake_telegram.people import Person
from bot.fake_telegram.telegram import Telegram
from bot.runtime.clock_guard import ClockGuard
from bot.updates.polling import moment_of
from tests.conftest import START, Process
from tests.handlers.house import House
from tests.updates.front import logged

SPEED = 60.0
WRONG = "nobody is reminded until it is right"


async def evening(folder: Path, telegram: Telegram, clock: SharedClock) -> tuple[House, Person, int]:
    """A bot that is guarded, and its admin, who goes to bed at 22:30 in Berlin: reminded at 20:45 UTC."""
    clock.set(START, speed=SPEED)
    process = Process(
        folder, telegram.url, environment={"CLOCK_GUARD": "true", "ADMIN_IDS": "1", "LISTEN": "127.0.0.1:0"}
    )
    house = House(telegram, clock, process)
    await process.start()
    port = int(await logged(process, r"listening\b.*?port=(\d+)"))
    person = await house.settled(telegram.person(1, language_code="en"))
    person.catch_up()
    return house, person, port


async def red(port: int) -> set[str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/healthz") as answer:
        return set((await answer.json())["red"])


async def turns(port: int, *, wrong: bool) -> None:
    """Health looks every two seconds."""
    async with asyncio.timeout(30):
        while ("clock" in await red(port)) is not wrong:
            await asyncio.sleep(0.1)


def reminders(person: Person) -> list[str]:
    return [seen.text for seen in person.chat if "Taken" in seen.labels]


@pytest.mark.parametrize("off", [600.0, pytest.param(-93_600.0, marks=pytest.mark.long)])
async def test_nobody_is_reminded_by_a_clock_that_is_wrong(
    tmp_path: Path, telegram: Telegram, clock: SharedClock, off: float
) -> None:
    telegram.date_shift = off
    house, person, port = await evening(tmp_path, telegram, clock)
    await logged(house.lull, WRONG)
    assert "machine&#x27;s clock is wrong" in (told := await person.next()).text or "clock is wrong" in told.text
    clock.set(datetime(2026, 3, 26, 20, 44, tzinfo=UTC), speed=SPEED)
    await turns(port, wrong=True)
    while clock.now() < datetime(2026, 3, 26, 20, 50, tzinfo=UTC):
        await asyncio.sleep(0.1)
    assert reminders(person) == []

    telegram.date_shift = 0.0
    await person.until(lambda seen: bool(reminders(person)))
    await turns(port, wrong=False)
    assert len(reminders(person)) == 1
    assert await house.lull.stop() == 0, house.lull.log
    assert "Traceback" not in house.lull.log


async def test_a_clock_that_was_put_right_by_a_jump_tells_of_no_outage(
    tmp_path: Path, telegram: Telegram, clock: SharedClock
) -> None:
    house, person, _ = await evening(tmp_path, telegram, clock)
    clock.set(datetime(2026, 3, 27, 6, 29, tzinfo=UTC), speed=SPEED)
    await logged(house.lull, "the machine's clock has jumped")
    morning = await person.until(lambda seen: "not sent" in seen.text)

    assert "offline" not in morning.text
    assert WRONG not in house.lull.log
    assert await house.lull.stop() == 0, house.lull.log


async def test_a_guard_that_is_off_says_that_all_is_well(clock: SharedClock) -> None:
    guard = ClockGuard(clock, on=False)
    guard.answered("Thu, 26 Mar 2020 12:00:00 GMT")
    clock.skip(9_000)

    assert not await guard.holds()
    assert guard.faults() == {}


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Mar 2026 12:00:00 GMT"])
async def test_a_date_that_cannot_be_read_says_nothing(clock: SharedClock, date: str) -> None:
    ClockGuard(clock, on=True).answered(date)


async def test_what_was_written_earlier_says_nothing_and_what_is_written_in_the_future_does(clock: SharedClock) -> None:
    guard = ClockGuard(clock, on=True)
    for shift, wrong in ((-9_000, False), (9_000, True)):
        for _ in range(4):
            clock.set(clock.now(), speed=1.0)
            guard.wrote(int(clock.now().timestamp()) + shift)
            # Both the wall clock and the elapsed seconds go on, as half a minute would let them.
            clock._write(*_later(clock, 30.0))
        assert await guard.holds() is wrong


def _later(clock: SharedClock, seconds: float) -> tuple[float, float, float, float]:
    origin, anchor, speed, passed = clock._read()
    return origin + seconds, anchor, speed, passed + seconds


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ({"message": {"date": 5}}, 5),
        ({"edited_message": {"date": 5, "edit_date": 9}}, 9),
        ({"my_chat_member": {"date": 7}}, 7),
        ({"callback_query": {"message": {"date": 5}}}, None),
        ({"message": {"date": "5"}}, None),
        ({"message": {"date": 2**50}}, None),
        ({"message": {"date": True}}, None),
        ({"message": []}, None),
        ([], None),
    ],
)
def test_when_an_update_was_written(raw: object, moment: int | None) -> None:
    assert moment_of(raw) == moment
