"""A person's evening through the bot's own handlers: whatever is pressed, typed or fails, no answer is lost or invented."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bot.core import planning
from bot.core import schedule as times
from bot.core.message_kinds import KINDS
from bot.core.model import Intake, Kind, Night, State
from bot.core.outcome import Outcome, Sent, Unknown, Unsent
from bot.delivery import settlement
from db import erase, nights, tables, users
from db.engine import Database
from db.outbox import history, leases
from db.outbox import rows as outbox
from tests.handlers.one_person import Ann
from tests.model.search import FULL

BEGINS = datetime(2026, 1, 12, 19, 0, tzinfo=UTC)
"""Eight in the evening in Berlin; she goes to bed at eleven."""

NIGHTS = (date(2026, 1, 12), date(2026, 1, 13))
PRESSES = (
    *("taken", "skip", "undo", "snooze", "unsnooze", "leave", "why:forgot", "change:taken", "change:skip"),
    *("snz:10", "snz:0", "late:1430", "late:30"),
)
WORDS = (
    "/took",
    "/took",
    "/tonight",
    "/pause 1",
    "/pause",
    "/resume",
    "/stop",
    "/start",
    "/bedtime 22:30",
    "/bedtime 0:15",
)
STEPS = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=11), timedelta(minutes=40), timedelta(hours=3))
AT_ONCE = 6
"""Actions in one step of Hypothesis, whose steps cost more than the bot's."""

Answers = dict[Night, Intake | None]
ANSWERS = (Intake.TAKEN, Intake.SKIPPED)


class Evening:
    """Ann, her database, and a bot that beats when told to."""

    def __init__(self, ann: Ann, dice: random.Random) -> None:
        self.ann, self.dice = ann, dice
        self.said = ""
        self._number = 100

    @property
    def database(self) -> Database:
        return self.ann.database

    async def begin(self) -> None:
        await self.ann.moves_in(nudges=2)
        person = planning.replan(await self.ann.person(), now=self.ann.now)
        async with self.database.write() as db:
            await users.save(db, await self.ann.person(), person)

    async def presses(self, verb: str, night: Night) -> None:
        name, _, rest = verb.partition(":")
        self.said = f"{name}:{rest}"
        await self.ann.taps(f"{name}:{night}" + (f":{rest}" if rest else ""))

    async def types(self, text: str) -> None:
        self.said = text
        await self.ann.types(text)

    async def beats(self) -> None:
        """A tick: owe, look back, claim, and send with whatever outcome; sometimes the process dies with a copy in the air."""
        now = self.ann.now
        async with self.database.write() as db:
            page = await outbox.owe_due(db, now=now, until=now, limit=5)
            assert page.trouble == []
            await leases.reclaim(db, now=now)
            await history.expire(db, now=now)
            await history.close(db, now=now, limit=50)
            rows = await outbox.claim(db, worker="me", now=now, limit=5)
            begun = await outbox.start(db, [row.id for row in rows], worker="me", now=now)
        answers = await self.answers()
        for row in (row for row in rows if row.id in begun):
            assert now < row.until_at
            if KINDS[row.kind].ended_by_answer:
                assert now < row.bed_at - times.NEVER_BEFORE_BED
                assert answers.get(row.night) not in ANSWERS, f"a {row.kind} for {row.night}, which was answered"
            outcome = self._outcome()
            if outcome is None:
                continue
            async with self.database.write() as db:
                await outbox.settle(db, [settlement.settle(row, outcome, now=now)], worker="me")
                change = settlement.follow(row, outcome, now=now)
                if change is not None:
                    await change(db)

    def _outcome(self) -> Outcome | None:
        self._number += 1
        return self.dice.choice((Sent(self._number), Sent(self._number), Unknown("lost"), Unsent("500"), None))

    async def restarts(self) -> None:
        async with self.database.write() as db:
            await leases.reclaim(db, now=self.ann.now, everything=True)

    # -- what must hold ------------------------------------------------------------------------------------------------

    async def answers(self) -> Answers:
        async with self.database.read() as db:
            return {night: (await nights.find(db, 7, night)).intake for night in NIGHTS}

    async def complaints(self) -> list[str]:
        """What is owed and must not be."""
        box = tables.outbox
        async with self.database.read() as db:
            rows = (await db.execute(sa.select(box))).all()
        evening = [row for row in rows if KINDS[Kind(row.kind)].ended_by_answer]
        nights_of = [row.night for row in rows if row.kind == Kind.REMINDER]
        found = [f"two reminders for {night}" for night in set(nights_of) if nights_of.count(night) > 1]
        found += [
            f"a {row.kind} may go until {row.until_at}, bedtime is {row.bed_at}"
            for row in evening
            if row.until_at > row.bed_at - times.NEVER_BEFORE_BED
            or (row.state == State.DUE and row.due_at > row.until_at)
        ]
        return found

    def may_become(self, before: Intake | None, after: Intake | None) -> bool:
        """Whether what was said last may have made this of a night."""
        if before == after:
            return True
        if after is None:
            return self.said == "undo:"
        if after is Intake.MISSED:
            return before is None and self.said == ""
        confirmed = f"change:{'taken' if after is Intake.TAKEN else 'skip'}"
        if before in ANSWERS:  # what is typed out in full is its own confirmation
            return self.said == confirmed or (after is Intake.TAKEN and self.said == "/took")
        plain = ("taken:", "/took") if after is Intake.TAKEN else ("skip:",)
        return self.said in (*plain, confirmed)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module")
def database(
    runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory, migrated_file: Path
) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("evenings") / "lull.db"
    path.write_bytes(migrated_file.read_bytes())
    opened = Database(f"sqlite+aiosqlite:///{path}")
    yield opened
    runner.run(opened.close())


class AnEvening(RuleBasedStateMachine):
    database: Database
    runner: asyncio.Runner

    @initialize(seed=st.integers(0, 2**63))
    def she_is_there(self, seed: int) -> None:
        # Hypothesis itself prefers the first of many choices.
        self._dice = random.Random(seed)
        self._evening = Evening(Ann(self.database, BEGINS), self._dice)
        self.runner.run(self._evening.begin())

    def teardown(self) -> None:
        self.runner.run(self._forget())

    async def _forget(self) -> None:
        async with self.database.write() as db:
            await erase.person(db, 7, now=BEGINS)

    @rule()
    def something_happens(self) -> None:
        for _ in range(AT_ONCE):
            self.runner.run(self._one())

    async def _one(self) -> None:
        evening, before = self._evening, await self._evening.answers()
        evening.said = ""
        match self._dice.choices(("press", "type", "time", "beat", "restart"), (4, 1, 3, 3, 0.3)):
            case ["press"]:
                await evening.presses(self._dice.choice(PRESSES), self._dice.choice((NIGHTS[0], *NIGHTS)))
            case ["type"]:
                await evening.types(self._dice.choice(WORDS))
            case ["time"]:
                evening.ann.now += self._dice.choice(STEPS)
            case ["beat"]:
                await evening.beats()
            case ["restart"]:
                await evening.restarts()
        note(f"{evening.ann.now:%d %H:%M:%S} {evening.said or '(the bot, or time)'}")
        after = await evening.answers()
        for night in NIGHTS:
            assert evening.may_become(before[night], after[night]), (night, before, after)
        assert await evening.complaints() == []


def test_whatever_happens_in_an_evening_no_answer_is_lost_and_nothing_is_owed_after_bedtime(
    database: Database, runner: asyncio.Runner
) -> None:
    run_state_machine_as_test(
        type("On", (AnEvening,), {"database": database, "runner": runner}),
        settings=settings(
            max_examples=400 if FULL else 10,
            stateful_step_count=12,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # dice do not shrink
        ),
    )
