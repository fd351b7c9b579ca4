"""The promise, checked: what Telegram accepted and what the database says, for every person and every night."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.core import schedule as times
from bot.core.model import Delivery, Intake, Kind, Night, Person, State
from bot.fake_telegram.telegram import Call
from db import tables
from db.engine import Database

Key = tuple[int, Night]
Span = tuple[datetime, datetime]

AGAIN = "(again, in case the first did not arrive"
TOLD = {
    State.EXPIRED: "reminder was not sent",
    State.UNKNOWN: "could not find out whether last night",
}
LEAST_APART = (timedelta(minutes=2), timedelta(minutes=5))
A_MINUTE = timedelta(minutes=1)

_BUTTON = re.compile(r"v1:(taken|rate):(\d{4}-\d\d-\d\d)")
_AFTER = {"status_after"}
"""Faults whose answer hides that the call took effect."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One message that Telegram accepted."""

    at: datetime
    text: str
    silent: bool
    heard: bool = True  # whether the bot was told that it was accepted

    @property
    def labelled(self) -> bool:
        return AGAIN in self.text


@dataclass(frozen=True, slots=True)
class Record:
    """What the database says of a night's reminder: its state, how many copies it counts, why, and whether it was answered."""

    state: State | None = None
    copies: int | None = None
    reason: str | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one person's night."""

    user_id: int
    due: times.Due
    copies: tuple[Copy, ...]
    check_ins: tuple[Copy, ...]
    record: Record
    ran: timedelta  # how long the service ran inside the window
    ran_mornings: timedelta  # and inside the check-in's

    @property
    def doubled(self) -> bool:
        return len(self.copies) > 1

    @property
    def told(self) -> bool:
        said = TOLD.get(self.record.state) if self.record.state is not None else None
        return said is not None and any(said in one.text for one in self.check_ins)

    def broken(self, slack: timedelta) -> list[str]:
        """In what ways the promise was broken; empty when it was kept. `slack` is what simulated time blurs."""
        found = [*self._lost(), *self._repeats(slack), *self._moments(slack)]
        # The question goes a second time only for the news that it brings.
        if len(self.check_ins) > (2 if self.told else 1):
            found.append(f"{len(self.check_ins)} check-ins")
        return [f"{self.user_id} on {self.due.night}: {what}" for what in found]

    def _lost(self) -> list[str]:
        if self.copies or self.ran < A_MINUTE or self.record.state is State.GONE:
            return []
        if self.record.state not in TOLD:
            return [f"lost, though the service ran for {self.ran} ({self.record})"]
        if self.record.copies is not None and self.record.reason is None:
            return [f"{self.record.state} without a reason"]
        return (
            [] if self.told or self.ran_mornings < A_MINUTE else [f"{self.record.state}, and not told in the morning"]
        )

    def _repeats(self, slack: timedelta) -> list[str]:
        found = [f"{len(self.copies)} copies"] if len(self.copies) > 3 else []
        for number, one in enumerate(self.copies[1:3]):
            if not one.labelled or not one.silent:
                found.append(f"copy {number + 2} is not labelled and silent")
            if (apart := one.at - self.copies[number].at) < LEAST_APART[number] - slack:
                found.append(f"copy {number + 2} came after {apart}")
        counted = self.record.copies
        if counted is not None and self.record.state is not State.CANCELLED and counted < len(self.copies):
            found.append(f"{len(self.copies)} copies arrived, {counted} are counted")
        return found

    def _moments(self, slack: timedelta) -> list[str]:
        latest = self.due.bed_at - times.NEVER_BEFORE_BED + slack
        earliest = self.due.remind_at - timedelta(minutes=15) - slack
        return [f"sent at {one.at}" for one in self.copies if not earliest <= one.at <= latest]


@dataclass(frozen=True, slots=True)
class Verdict:
    """All nights of a run."""

    fates: tuple[Fate, ...]
    stray: tuple[Key, ...] = ()  # reminders that nobody's plan asked for
    slack: timedelta = timedelta(0)

    @property
    def broken(self) -> list[str]:
        return [what for fate in self.fates for what in fate.broken(self.slack)] + [
            f"stray: {key}" for key in self.stray
        ]

    @property
    def doubled(self) -> int:
        return sum(fate.doubled for fate in self.fates)

    @property
    def sent(self) -> int:
        return sum(bool(fate.copies) for fate in self.fates)

    @property
    def untold(self) -> list[Fate]:
        """Nights within the promise without a message: recorded as unknown or expired, or the service did not run."""
        return [fate for fate in self.fates if not fate.copies]

    def most(self) -> int:
        return max((len(fate.copies) for fate in self.fates), default=0)


@dataclass(slots=True)
class History:
    """What is judged: who lives here, what the bot called, what the database holds, and when the service ran."""

    people: Sequence[Person]
    calls: Iterable[Call]
    records: Mapping[Key, Record] = field(default_factory=dict)
    up: Sequence[Span] = ()
    slack: timedelta = timedelta(0)

    def judge(self, first: Night, last: Night) -> Verdict:
        """Every night from `first` to `last`, both included."""
        reminders, check_ins = accepted(self.calls)
        nights = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        fates = [self._fate(person, night, reminders, check_ins) for person in self.people for night in nights]
        known = {(fate.user_id, fate.due.night) for fate in fates}
        return Verdict(tuple(fates), tuple(key for key in reminders if key not in known), self.slack)

    def _fate(
        self,
        person: Person,
        night: Night,
        reminders: Mapping[Key, Sequence[Copy]],
        check_ins: Mapping[Key, Sequence[Copy]],
    ) -> Fate:
        assert person.schedule is not None
        due, key = times.plan(person.schedule, night), (person.id, night)
        morning = times.check_in_at(person.schedule, night), times.check_in_until(person.schedule, night)
        return Fate(
            user_id=person.id,
            due=due,
            copies=tuple(reminders.get(key, ())),
            check_ins=tuple(check_ins.get(key, ())),
            record=self.records.get(key, Record()),
            ran=self._ran(due.remind_at, due.bed_at - times.NEVER_BEFORE_BED),
            ran_mornings=self._ran(*morning),
        )

    def _ran(self, begin: datetime, end: datetime) -> timedelta:
        parts = (min(end, until) - max(begin, since) for since, until in self.up)
        return sum((part for part in parts if part > timedelta(0)), timedelta(0))


def accepted(calls: Iterable[Call]) -> tuple[dict[Key, list[Copy]], dict[Key, list[Copy]]]:
    """The reminders and the check-ins that Telegram accepted, whatever the bot got to hear, oldest first."""
    found: dict[str, dict[Key, list[Copy]]] = {"taken": defaultdict(list), "rate": defaultdict(list)}
    for call in calls:
        button = _BUTTON.search(json.dumps(call.given.get("reply_markup", ""))) if took_effect(call) else None
        if button is not None:
            key = int(str(call.given["chat_id"])), Night.fromisoformat(button[2])
            silent = str(call.given.get("disable_notification", "")).lower() == "true"
            at = datetime.fromtimestamp(call.at, times.UTC)
            copy = Copy(at, str(call.given["text"]), silent, heard=not call.fault)
            found[button[1]][key].append(copy)
    return found["taken"], found["rate"]


def took_effect(call: Call) -> bool:
    """Whether Telegram did what was asked."""
    return call.method == "sendMessage" and (call.answer.get("ok") is True or call.fault in _AFTER)


_STATES = {
    Delivery.SENT: State.SENT,
    Delivery.UNKNOWN: State.UNKNOWN,
    Delivery.EXPIRED: State.EXPIRED,
    Delivery.UNREACHABLE: State.GONE,
    Delivery.NOT_FOUND: State.GONE,
    Delivery.CANCELLED: State.CANCELLED,
}


async def records(database: Database) -> dict[Key, Record]:
    """What the database says of every reminder: of open nights in the outbox, of closed ones in the diary."""
    box, diary = tables.outbox, tables.nights
    found: dict[Key, Record] = {}
    async with database.read() as db:
        nights = {(row.user_id, row.night): row for row in await db.execute(sa.select(diary))}
        answered = {key for key, row in nights.items() if row.intake not in (None, Intake.MISSED)}
        for key, row in nights.items():
            if row.reminder is not None:
                found[key] = Record(_STATES[Delivery(row.reminder)], answered=key in answered)
        for row in await db.execute(sa.select(box).where(box.c.kind == Kind.REMINDER)):
            key = row.user_id, row.night
            found[key] = Record(State(row.state), row.copies, row.reason, key in answered)
    return found
