"""One bot, one Telegram and one clock for all tests of a module; every test brings people of its own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot.clock import SharedClock
from bot.fake_telegram import server
from bot.fake_telegram.people import Person, Seen
from bot.fake_telegram.telegram import Call, Telegram
from tests.conftest import TOKEN, Process

SPEED = 20.0
"""Simulated seconds in a real one: a chat may get one message a second, and no test waits for that."""

_ids = itertools.count(1001)


@dataclass(slots=True)
class House:
    """What the tests of a module share. `provoked` are the calls that a test means to be refused."""

    telegram: Telegram
    clock: SharedClock
    lull: Process
    provoked: set[int] = field(default_factory=set)

    def someone(self, *, language: str | None = "en") -> Person:
        """A person whom nobody knows yet."""
        person = self.telegram.person(next(_ids), "Ada", language_code=language or "en")
        if language is None:
            del person.user["language_code"]
        return person

    def at(self, moment: datetime | str) -> None:
        """It is this moment (UTC), give or take what passes meanwhile."""
        when = datetime.fromisoformat(moment).replace(tzinfo=UTC) if isinstance(moment, str) else moment
        self.clock.set(when, speed=SPEED)

    async def says(self, person: Person, text: str) -> Seen:
        """They type it; what the bot answers with a new message."""
        person.catch_up()
        await person.send(text)
        return await person.next()

    async def taps(self, person: Person, button: str, *, message: int | None = None, becomes: str = "") -> Seen:
        """They press it; the message as it is once it begins with `becomes`, or else once the press is answered."""
        query = await person.press(_label(person, button), message=message)
        await person.answered(query)
        return await person.until(lambda seen: seen.text.startswith(becomes)) if becomes else person.last

    async def noticed(self, person: Person, *, button: str = "", data: str | None = None) -> str:
        """They press a button, or forge the press of one: the line that the press is answered with."""
        query = await person.press(button, data=data)
        return (await person.answered(query)).text or ""

    async def settled(
        self, person: Person | None = None, *, bedtime: str = "2230", zone: str = "Europe/Berlin", form: str = "Citrate"
    ) -> Person:
        """Somebody who is set up, with the final card as the last message."""
        person = person or self.someone()
        await self.says(person, f"/start bed_{bedtime}")
        await self.taps(person, "I understand", becomes="Where do you sleep?")
        await self.noticed(person, data=f"v1:zone:{zone}")
        await person.until(lambda seen: seen.text.startswith("Which magnesium"))
        await self.taps(person, form, becomes="All set.")
        return person

    def row(self, person: Person, *columns: str) -> tuple[object, ...]:
        """What the database holds about them."""
        return self.lull.rows(f"SELECT {', '.join(columns)} FROM users WHERE id = ?", person.id)[0]  # noqa: S608 - names of columns that the tests write

    def nights(self, person: Person, *columns: str) -> list[tuple[object, ...]]:
        return self.lull.rows(f"SELECT {', '.join(columns)} FROM nights WHERE user_id = ? ORDER BY night", person.id)  # noqa: S608

    def refused(self) -> list[Call]:
        """The calls that Telegram did not accept and no test provoked."""
        # Status 0 is a connection that a kill cut.
        return [
            call
            for call in self.telegram.calls
            if call.status not in (0, 200) and call.method != "getUpdates" and call.number not in self.provoked
        ]

    async def restart(self, at: datetime | None = None) -> None:
        """The bot dies and comes up again, at that moment or now. Starting takes some simulated minutes."""
        await self.lull.kill()
        await self.wake(at or self.clock.now())

    async def wake(self, at: datetime) -> None:
        """Start the bot and wait until it asks for updates."""
        updates = self.telegram.world.updates
        before = updates.polls
        # At full speed from the start: the process takes its tick from the speed it finds.
        self.clock.set(at, speed=SPEED)
        await self.lull.start()
        assert await updates.changes.wait_for(lambda: updates.polls > before, timeout=60), self.lull.log

    async def quiet(self) -> None:
        """Everything that was sent to the bot has been dealt with."""
        assert await self.telegram.idle(quiet=0.3)


def _label(person: Person, beginning: str) -> str:
    """The newest button that begins like this, so that "Berlin" finds "Berlin · 21:40"; an exact one goes first."""
    labels = [label for seen in reversed(person.chat) for label in seen.labels]
    fits: Callable[[str], bool] = lambda label: label.startswith(beginning)  # noqa: E731
    return beginning if beginning in labels else next(filter(fits, labels), beginning)


@asynccontextmanager
async def open_house(folder: Path, *, begins: datetime, code: Path | None = None) -> AsyncIterator[House]:
    """A house for a module's tests, perhaps of other `code`.

    At its end no call was refused, no press is unanswered, nothing broke.
    """
    clock = SharedClock.create(folder / "clock", origin=begins, speed=SPEED)
    async with server.running(clock=clock, token=TOKEN) as telegram:
        lull = Process(folder, telegram.url) if code is None else Process(folder, telegram.url, anew=True, code=code)
        house = House(telegram, clock, lull)
        await house.wake(begins)
        house.at(begins)
        try:
            yield house
            await house.quiet()
            assert await lull.stop() == 0, lull.log
            assert "Traceback" not in lull.log, lull.log
            assert house.refused() == []
            assert [query for query in telegram.world.queries.values() if not query.answered] == []
        finally:
            if lull.running is not None and lull.running.returncode is None:
                await lull.kill()
