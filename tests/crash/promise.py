"""The promise, checked: what Telegram accepted and what the database says, for every person and every night.

A message that does not come, or comes again, needs a cause that the history knows of: a fault of the network, a death, a block,
a store that was away. Without one it is broken, however well it was recorded.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.core import planning
from bot.core import schedule as times
from bot.core.model import Delivery, Intake, Kind, Night, Person, State
from bot.fake_telegram.telegram import Call
from db import tables
from db.engine import Database

Key = tuple[int, Night]
Span = tuple[datetime, datetime]

AGAIN = "(again, in case the first did not arrive"
LATE = "(late: I could not send it earlier)"
QUESTION = "How was your sleep"
TOLD = {
    State.EXPIRED: "reminder was not sent",
    State.UNKNOWN: "could not find out whether last night",
}
LEAST_APART = (timedelta(minutes=2), timedelta(minutes=5))
A_MINUTE = timedelta(minutes=1)
MOST_BLUR = timedelta(seconds=15)
"""However fast the simulated time: so much is the way from the last look at the clock to Telegram, and the deadline no later."""

ON_THE_WIRE = timedelta(seconds=10)
"""So long after the clock was set messages leave that were written before."""

_BUTTON = re.compile(r"v1:(taken|rate):(\d{4}-\d\d-\d\d)")
_LEFT = re.compile(r"(\d+) minutes? left")
_UNCLEAR = {"drop_before", "drop_after", "silent", "bad_json", "status", "status_after"}
"""Faults after which the bot cannot know whether the call took effect."""

_AFTER = {"status_after"}
"""Faults whose answer hides that the call took effect."""

_NOT_THERE = ("chat not found", "deactivated", "user not found")
_MISSED = (None, Intake.MISSED)


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
    """What the database says of a night: its reminder's state, how many copies it counts, and why; and what was answered when."""

    state: State | None = None
    copies: int | None = None
    reason: str | None = None
    intake: Intake | None = None
    answered_at: datetime | None = None

    @property
    def answered(self) -> bool:
        """Whether the person said what became of it."""
        return self.intake not in _MISSED


@dataclass(frozen=True, slots=True)
class Tap:
    """Somebody pressed [Taken] on a copy of that night's reminder."""

    user_id: int
    night: Night
    at: datetime


@dataclass(frozen=True, slots=True)
class Causes:
    """What went wrong for one person, in simulated time: moments, and spans in which nothing could be sent or stored."""

    doubts: tuple[datetime, ...] = ()  # calls whose outcome nobody could know
    deaths: tuple[datetime, ...] = ()  # of a process, or of its database
    troubles: tuple[datetime, ...] = ()  # calls of any kind, for anybody, that a fault struck or a limit refused
    away: tuple[Span, ...] = ()
    leaps: tuple[datetime, ...] = ()  # where a clock that was set anew landed
    left: bool = False  # blocked the bot, or Telegram said that there is nobody

    def uncertain(self, begin: datetime, end: datetime) -> bool:
        """Whether a message may have been lost or repeated between two moments."""
        return any(begin <= at <= end for at in (*self.doubts, *self.deaths))

    def out_of_time(self, at: datetime) -> bool:
        """Whether a message of this moment was written before the clock was set: it says what was true then."""
        return any(landed <= at <= landed + ON_THE_WIRE for landed in self.leaps)

    def held_up(self, begin: datetime, end: datetime) -> bool:
        """Whether something kept messages from leaving in this time."""
        absent = any(since < end and until > begin for since, until in self.away)
        return absent or any(begin <= at <= end for at in (*self.doubts, *self.deaths, *self.troubles))


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one person's night."""

    person: Person
    due: times.Due
    copies: tuple[Copy, ...]
    check_ins: tuple[Copy, ...]
    record: Record
    ran: timedelta  # how long the service ran inside the window
    ran_mornings: timedelta  # and inside the check-in's
    morning: Span
    asked_before: int = 0  # questions of earlier mornings, none of which was answered
    causes: Causes = Causes()
    taps: tuple[Tap, ...] = ()

    @property
    def user_id(self) -> int:
        return self.person.id

    @property
    def doubled(self) -> bool:
        return len(self.copies) > 1

    @property
    def told(self) -> bool:
        said = TOLD.get(self.record.state) if self.record.state is not None else None
        return said is not None and any(said in one.text for one in self.check_ins)

    @property
    def until(self) -> datetime:
        return self.due.bed_at - times.NEVER_BEFORE_BED

    def broken(self, slack: timedelta) -> list[str]:
        """In what ways the promise was broken; empty when it was kept. `slack` is what simulated time blurs."""
        found = [
            *self._lost(slack),
            *self._wrongly_recorded(slack),
            *self._repeats(slack),
            *self._messages(slack),
            *self._moments(slack),
            *self._mornings(slack),
            *self._answers(slack),
        ]
        return [f"{self.user_id} on {self.due.night}: {what}" for what in found]

    # -- whether it came -----------------------------------------------------------------------------------------------

    def _lost(self, slack: timedelta) -> list[str]:
        state = self.record.state
        if state is State.GONE:
            return [] if self.causes.left else ["gone, though Telegram never said so"]
        if self.copies or self.ran < A_MINUTE:
            return []
        if state not in TOLD:
            return [f"lost, though the service ran for {self.ran} ({self.record})"]
        if self.record.copies is not None and self.record.reason is None:
            return [f"{state} without a reason"]
        if not self.causes.held_up(self.due.remind_at - slack, self.until + slack):
            return [f"{state} without a cause: the service ran for {self.ran} and nothing was in its way"]
        return [] if self.told or self.ran_mornings < A_MINUTE else [f"{state}, and not told in the morning"]

    def _wrongly_recorded(self, slack: timedelta) -> list[str]:
        state, copies = self.record.state, self.record.copies
        if self.copies and state in (None, State.EXPIRED):
            return [f"recorded as {state}, though {len(self.copies)} arrived"]
        if state is not State.UNKNOWN:
            return []
        if copies == 0:
            return ["unknown, though no copy is counted"]
        first = self.copies[0].at if self.copies else self.due.remind_at
        if self.copies and not self.causes.uncertain(first - slack, self.until + slack):
            return ["recorded as unknown, though Telegram's answer was heard"]
        return []

    # -- copies --------------------------------------------------------------------------------------------------------

    def _repeats(self, slack: timedelta) -> list[str]:
        found = [f"{len(self.copies)} copies"] if len(self.copies) > 3 else []
        for number, one in enumerate(self.copies[1:3]):
            before = self.copies[number].at
            if not one.labelled or not one.silent:
                found.append(f"copy {number + 2} is not labelled and silent")
            elif not self.causes.uncertain(before - slack, one.at + slack):
                found.append(f"copy {number + 2} has no cause: nothing went wrong since the one before")
            if (apart := one.at - before) < LEAST_APART[number] - slack:
                found.append(f"copy {number + 2} came after {apart}")
        first = self.copies[0] if self.copies else None
        if first is not None and first.labelled:
            begin = self.due.remind_at - times.BETWEEN_REMINDERS
            if not self.causes.uncertain(begin, first.at + slack):
                found.append("the first copy says that it is not the first, without a cause")
        counted = self.record.copies
        if counted is not None and self.record.state is not State.CANCELLED and counted < len(self.copies):
            found.append(f"{len(self.copies)} copies arrived, {counted} are counted")
        return found

    def _messages(self, slack: timedelta) -> list[str]:
        return [f"{what}: sent at {one.at}" for one in self.copies for what in self._wrong_with(one, slack)]

    def _wrong_with(self, one: Copy, slack: timedelta) -> list[str]:
        schedule = self.person.schedule
        assert schedule is not None
        zone = ZoneInfo(times.zone_on(schedule, self.due.night))
        bed = f"Bedtime {self.due.bed_at.astimezone(zone):%H:%M} "
        product = f"({self.person.label or self.person.form})"
        found = []
        if not one.text.startswith(bed) or product not in one.text:
            found.append(f"the words are not this person's: {one.text.splitlines()[0]!r}")
        if not one.labelled and self._wrong_sound(one, slack):
            found.append("a first copy without a sound" if one.silent else "a late copy with a sound")
        return found if self.causes.out_of_time(one.at) else [*found, *self._wrong_times(one, slack)]

    def _wrong_times(self, one: Copy, slack: timedelta) -> list[str]:
        """Whether it was true when it was written: before it was noted, and waited for its turn."""
        found, slack = [], 3 * slack
        left, said = (self.due.bed_at - one.at).total_seconds() / 60, _LEFT.search(one.text)
        if said is None or abs(left - int(said[1])) > 1.5 + slack.total_seconds() / 60:
            found.append(f"it does not say that {left:.0f} minutes are left")
        on_time_until = self.due.remind_at + times.ON_TIME_FOR
        if LATE in one.text and one.at < on_time_until - slack:
            found.append("it calls itself late and is not")
        if not one.labelled and LATE not in one.text and one.at > on_time_until + slack:
            found.append("it is late and does not say so")
        return found

    def _wrong_sound(self, one: Copy, slack: timedelta) -> bool:
        """Whether a first copy is heard in the last quarter of an hour, though late, or silent before."""
        late = LATE in one.text
        quiet_from = self.due.bed_at - times.SILENT_BEFORE_BED
        if one.silent:
            return not self.person.quiet and not (late and one.at >= quiet_from - slack)
        return late and one.at > quiet_from + slack

    def _moments(self, slack: timedelta) -> list[str]:
        latest = self.until + min(slack, MOST_BLUR)
        earliest = self.due.remind_at - timedelta(minutes=15) - slack
        return [f"at the wrong time: sent at {one.at}" for one in self.copies if not earliest <= one.at <= latest]

    # -- the morning ---------------------------------------------------------------------------------------------------

    def _mornings(self, slack: timedelta) -> list[str]:
        begin, until = self.morning
        found = []
        for one in self.check_ins:
            if not begin - slack <= one.at <= until + slack:
                found.append(f"a check-in at {one.at}")
            if not one.silent:
                found.append("a check-in with a sound")
            if QUESTION not in one.text:
                found.append(f"a check-in that asks nothing: {one.text!r}")
            found += [f"told as {state}, which it was not" for state in self._told_wrongly(one)]
        return found + self._number_of_check_ins(slack)

    def _told_wrongly(self, one: Copy) -> list[State]:
        return [state for state, words in TOLD.items() if words in one.text and state is not self.record.state]

    def _number_of_check_ins(self, slack: timedelta) -> list[str]:
        begin, until = self.morning
        number = len(self.check_ins)
        if number > (2 if self.told else 1):  # it goes a second time only for the news that it brings
            return [f"{number} check-ins"]
        if number == 2 and not self.causes.uncertain(self.check_ins[0].at - slack, self.check_ins[1].at + slack):
            return ["a second check-in without a cause"]
        if number or not self._asks or self.ran_mornings < A_MINUTE + slack:
            return []
        return [] if self.causes.held_up(begin - slack, until) else ["no check-in, and nothing was in its way"]

    @property
    def _asks(self) -> bool:
        """Whether this morning has its question: who never answers is asked in another way after a while."""
        there = self.record.state not in (None, State.GONE, State.CANCELLED)
        wanted = self.person.cadence is None and not self.person.no_check_in
        return there and wanted and self.asked_before < planning.QUIET_MORNINGS and self.morning[0] < self.morning[1]

    # -- answers -------------------------------------------------------------------------------------------------------

    def _answers(self, slack: timedelta) -> list[str]:
        """The buttons of all copies act on the same night, once."""
        intake, at = self.record.intake, self.record.answered_at
        if not self.taps:
            return [] if not self.record.answered else [f"answered ({intake!r}), though nobody pressed"]
        if intake is not Intake.TAKEN or at is None:
            return [f"{len(self.taps)} times [Taken] was pressed, and recorded is {intake!r}"]
        found = []
        if at < self.taps[0].at - slack - timedelta(seconds=1):
            found.append(f"answered at {at}, before anybody pressed")
        if len(self.taps) > 1 and at >= self.taps[1].at.replace(microsecond=0):
            found.append(f"the press at {self.taps[0].at} was answered, and another one acted again")
        return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """All nights of a run."""

    fates: tuple[Fate, ...]
    stray: tuple[Key, ...] = ()  # reminders and check-ins that nobody's plan asked for
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
    """What is judged: who lives here, what the bot called, what the database holds, when the service ran, and all that went
    wrong. Faults are read from the calls. `deaths` are those of processes and databases, `away` the times in which there was no
    database or disk, `leaps` the moments at which a clock that was set landed, `blocked` those who cannot be written to, and
    `taps` the presses of [Taken].
    """

    people: Sequence[Person]
    calls: Iterable[Call]
    records: Mapping[Key, Record] = field(default_factory=dict)
    up: Sequence[Span] = ()
    slack: timedelta = timedelta(0)
    deaths: Sequence[datetime] = ()
    away: Sequence[Span] = ()
    leaps: Sequence[datetime] = ()
    blocked: Collection[int] = ()
    taps: Sequence[Tap] = ()

    def judge(self, first: Night, last: Night) -> Verdict:
        """Every night from `first` to `last`, both included."""
        calls = list(self.calls)
        reminders, check_ins = accepted(calls)
        nights = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        causes = self._causes(calls)
        fates = [
            self._fate(person, night, reminders, check_ins, causes[person.id])
            for person in self.people
            for night in nights
        ]
        known = {(fate.user_id, fate.due.night) for fate in fates}
        sent = dict.fromkeys([*reminders, *check_ins])
        return Verdict(tuple(fates), tuple(key for key in sent if key not in known), self.slack)

    def _causes(self, calls: Sequence[Call]) -> dict[int, Causes]:
        doubts: dict[int, list[datetime]] = defaultdict(list)
        left, troubles = set(self.blocked), list[datetime]()
        for call in calls:
            chat = str(call.given.get("chat_id", ""))
            user_id = int(chat) if chat.isdigit() else 0
            if call.fault or call.status == 429:
                troubles.append(_moment(call))
            if call.fault in _UNCLEAR:
                doubts[user_id].append(_moment(call))
            if not call.fault and any(words in str(call.answer.get("description", "")) for words in _NOT_THERE):
                left.add(user_id)
        common = Causes((), tuple(self.deaths), tuple(troubles), tuple(self.away), tuple(self.leaps))
        return {
            person.id: replace(common, doubts=tuple(doubts[person.id]), left=person.id in left)
            for person in self.people
        }

    def _fate(
        self,
        person: Person,
        night: Night,
        reminders: Mapping[Key, Sequence[Copy]],
        check_ins: Mapping[Key, Sequence[Copy]],
        causes: Causes,
    ) -> Fate:
        assert person.schedule is not None
        due, key = times.plan(person.schedule, night), (person.id, night)
        morning = times.check_in_at(person.schedule, night), times.check_in_until(person.schedule, night)
        return Fate(
            person=person,
            due=due,
            copies=tuple(reminders.get(key, ())),
            check_ins=tuple(check_ins.get(key, ())),
            record=self.records.get(key, Record()),
            ran=self._ran(due.remind_at, due.bed_at - times.NEVER_BEFORE_BED),
            ran_mornings=self._ran(*morning),
            morning=morning,
            asked_before=sum(user_id == person.id and asked < night for user_id, asked in check_ins),
            causes=causes,
            taps=tuple(sorted((tap for tap in self.taps if (tap.user_id, tap.night) == key), key=lambda tap: tap.at)),
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
            copy = Copy(_moment(call), _plain(str(call.given["text"])), silent, heard=not call.fault)
            found[button[1]][key].append(copy)
    return found["taken"], found["rate"]


def _moment(call: Call) -> datetime:
    return datetime.fromtimestamp(call.at, times.UTC)


def _plain(html: str) -> str:
    return re.sub(r"</?[a-z]+>", "", html)


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
    """What the database says of every night: of open ones in the outbox, of closed ones in the diary, which has the answers."""
    box, diary = tables.outbox, tables.nights
    found: dict[Key, Record] = {}
    async with database.read() as db:
        for row in await db.execute(sa.select(diary)):
            state = None if row.reminder is None else _STATES[Delivery(row.reminder)]
            intake = None if row.intake is None else Intake(row.intake)
            found[row.user_id, row.night] = Record(state, intake=intake, answered_at=row.intake_at)
        for row in await db.execute(sa.select(box).where(box.c.kind == Kind.REMINDER)):
            said = found.get((row.user_id, row.night), Record())
            found[row.user_id, row.night] = Record(
                State(row.state), row.copies, row.reason, said.intake, said.answered_at
            )
    return found
