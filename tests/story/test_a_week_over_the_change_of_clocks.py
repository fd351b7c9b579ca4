"""Seven people, ten nights, three changes of clocks and one death: every reminder, question, answer and row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.fake_telegram.people import Person, Seen
from tests.handlers.house import House, open_house

BEGINS = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
DIES = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
ENDS = datetime(2026, 4, 6, 12, 0, tzinfo=UTC)
TO_CHECK_IN = timedelta(minutes=45 + 9 * 60)
"""From the reminder to the morning question: elapsed time, whatever the clocks on the wall do."""
RATINGS = ["Much better", "Better", "Same", "Worse", "Much worse"]


@dataclass(slots=True)
class Sleeper:
    """One person's life: `reminded` is the civil time at which each night's reminder must come."""

    name: str
    zone: str
    bedtime: str
    reminded: str
    first: date = date(2026, 3, 27)
    person: Person = field(init=False)
    read: int = 0
    reminders: list[Seen] = field(default_factory=list)
    questions: list[Seen] = field(default_factory=list)
    weeks: list[Seen] = field(default_factory=list)

    def civil(self, seen: Seen) -> str:
        return seen.at.astimezone(ZoneInfo(self.zone)).strftime("%d %b %H:%M")

    def promised(self) -> Iterator[str]:
        """The civil moments of the reminders, night by night, told from the calendar alone."""
        night = self.first
        while True:
            hour, minute = map(int, self.reminded.split(":"))
            # A reminder before noon belongs to the evening before.
            day = night + timedelta(days=hour < 12)
            moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(self.zone))
            if moment >= ENDS:
                return
            yield moment.strftime("%d %b %H:%M")
            night += timedelta(days=1)

    def takes_it(self, number: int) -> bool:
        """Every third night nobody answers."""
        return number % 3 != 2

    def rates_it(self, number: int) -> bool:
        return number % 4 != 3


def everybody() -> list[Sleeper]:
    return [
        Sleeper("Berlin", "Europe/Berlin", "2230", "21:45"),  # a gap on 29 March
        Sleeper("the baker", "Europe/Berlin", "0230", "01:45"),  # whose bedtime does not exist that night
        Sleeper("New York", "America/New_York", "2300", "22:15"),
        Sleeper("Lord Howe", "Australia/Lord_Howe", "2215", "21:30", date(2026, 3, 28)),  # half an hour back on 5 April
        Sleeper("Beirut", "Asia/Beirut", "0030", "23:45"),  # a gap at midnight on 29 March
        Sleeper("Kolkata", "Asia/Kolkata", "2200", "21:15"),
        Sleeper("the night shift", "Europe/London", "0800", "07:15"),
    ]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, begins=BEGINS) as opened:
        yield opened


@pytest.mark.long
async def test_everybody_is_reminded_and_asked_once_a_night_at_the_right_minute(house: House) -> None:
    people = everybody()
    for one in people:
        one.person = await house.settled(bedtime=one.bedtime, zone=one.zone)
        one.read = max(one.person.room.messages)

    await live(house, people, until=DIES)
    await house.restart(at=next_moment(house) - timedelta(minutes=20))
    await live(house, people, until=ENDS)

    for one in people:
        assert_evenings_and_mornings(one)
        assert_diary(house, one)


async def live(house: House, people: list[Sleeper], *, until: datetime) -> None:
    """From one moment at which something is due to the next; everybody answers what they get."""
    while (moment := next_moment(house)) < until:
        house.at(max(moment, house.clock.now()))
        await nothing_due(house, moment)
        for one in people:
            await reads(house, one)


def next_moment(house: House) -> datetime:
    query = "SELECT MIN(at) FROM (SELECT remind_at AS at FROM users UNION ALL SELECT due_at FROM outbox WHERE state = 'due')"
    return datetime.fromtimestamp(int(str(house.lull.rows(query)[0][0])), UTC)


async def nothing_due(house: House, moment: datetime) -> None:
    """Until what was due by then has been sent and settled."""
    query = (
        "SELECT (SELECT COUNT(*) FROM users WHERE remind_at <= ?) + (SELECT COUNT(*) FROM outbox"
        " WHERE (state = 'due' AND due_at <= ?) OR state IN ('claimed', 'sending'))"
    )
    instant = int(moment.timestamp())
    for _ in range(1000):
        if house.lull.rows(query, instant, instant) == [(0,)]:
            return
        await house.telegram.idle(quiet=0.01)
    raise AssertionError(house.lull.log)


async def reads(house: House, one: Sleeper) -> None:
    """What is new on the phone, and the answer to it."""
    new = [seen for seen in one.person.chat if seen.from_bot and seen.message_id > one.read]
    for seen in new:
        one.read = seen.message_id
        if seen.text.startswith("Bedtime "):
            one.reminders.append(seen)
            if one.takes_it(len(one.reminders)):
                await house.taps(one.person, "Taken", message=seen.message_id, becomes="✓ Taken ")
        elif seen.text.startswith("Your week, "):
            one.weeks.append(seen)
        else:
            one.questions.append(seen)
            if one.rates_it(len(one.questions)):
                rating = RATINGS[len(one.questions) % 5]
                await house.taps(one.person, rating, message=seen.message_id, becomes=f"Sleep: {rating}.")


def assert_evenings_and_mornings(one: Sleeper) -> None:
    assert [one.civil(seen) for seen in one.reminders] == list(one.promised()), one.name
    assert all("45 minutes left" in seen.text for seen in one.reminders), one.name
    assert not any("(late" in seen.text or "(again" in seen.text for seen in one.reminders), one.name
    # Sunday's picture comes with that morning's question: once a week, for who told something of it.
    assert all(seen.media == "photo" and seen.silent for seen in one.weeks), one.name
    assert len({seen.text.splitlines()[0] for seen in one.weeks}) == len(one.weeks) in (1, 2), one.name
    asked = [seen.at for seen in one.questions]
    due = [seen.at + TO_CHECK_IN for seen in one.reminders]
    assert len(asked) == sum(moment < ENDS - timedelta(minutes=1) for moment in due), one.name
    for moment, promised in zip(asked, due, strict=False):
        assert abs(moment - promised) < timedelta(minutes=1), one.name
    assert all(seen.silent and "How was your sleep" in seen.text for seen in one.questions), one.name
    # Whose evening is answered is not asked again; who kept silent is.
    for number, seen in enumerate(one.questions, start=1):
        assert ("Took it" in seen.labels) == (not one.takes_it(number)), (one.name, number)


def assert_diary(house: House, one: Sleeper) -> None:
    rows = house.nights(one.person, "night", "intake", "rating", "late")
    first = (one.first - date(1970, 1, 1)).days
    assert [row[0] for row in rows] == list(range(first, first + len(rows))), one.name
    # The last two nights may still be open.
    for number, (_, intake, rating, late) in enumerate(rows[:-2], start=1):
        assert intake == (1 if one.takes_it(number) else 3), (one.name, number)
        assert rating == (2 - number % 5 if one.rates_it(number) else None), (one.name, number)
        assert not late, (one.name, number)
    assert len(rows) >= len(one.reminders) - 2, one.name
