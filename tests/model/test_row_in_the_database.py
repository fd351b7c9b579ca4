"""The model of a row against the code that it describes: the same actions on a real database leave the same row behind."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bot.core.model import Intake, Kind, NightRecord, Person, State, Status
from bot.core.outcome import Gone, Outcome, Sent, Unknown, Unsent, Why, Withdrawn
from bot.core.owed import Owed
from bot.delivery import settlement
from db import erase, nights, tables, users
from db.engine import Connection, Database
from db.outbox import changes, history, leases
from db.outbox import rows as outbox
from tests.db import evenings
from tests.db.evenings import BED, DUE, NIGHT, UNTIL
from tests.model import row
from tests.model.row import Action, Box, Do, Hand, Rules, Stage, Standing, World
from tests.model.search import FULL

RULES = Rules(bed=int((BED - DUE).total_seconds()), asleep=True, hands=3, snoozes=2, plans=3)
STEPS = (1, row.BACK_OFF, row.MINUTE, row.LEASE, 5 * row.MINUTE, row.SNOOZE)
NEVER = DUE + timedelta(days=9999)
LANDMARKS = (0, RULES.last_snooze, RULES.until, RULES.bed, RULES.close)
_WEIGHTS: dict[Do, float] = {
    Do.OWE: 60,
    Do.CLAIM: 60,
    Do.START: 60,
    Do.WRITE: 25,
    Do.SETTLE: 40,
    Do.SNOOZE: 10,
    Do.RECLAIM: 40,
    Do.BURY: 10,
    Do.DIE: 4,
    Do.PAUSE: 0.5,
    Do.WITHDRAW: 0.5,
    Do.ERASE: 0.1,
}
_VAIN, _TIME, _ITS_TIME = 0.2, 2.0, 30.0
"""How often a choice is made, for one of the rest: else hardly a history would come far."""

AT_ONCE = 8
"""Actions in one step of Hypothesis, whose steps cost more than the database's."""


def moment(seconds: int) -> datetime:
    """An instant of the model."""
    return DUE + timedelta(seconds=seconds)


def seconds(instant: datetime | None) -> int | None:
    return None if instant is None else int((instant - DUE).total_seconds())


def worker(who: int | None) -> str:
    return f"worker {who}"


ANN = evenings.person(1, no_check_in=True, no_digest=True)


class Evening:
    """The database's side of one history: every action as the bot writes it."""

    def __init__(self, db: Connection) -> None:
        self.db = db
        self.now = 0
        self.ids: dict[int, int] = {}  # by the model's number of the row
        self._message = 0

    async def person(self) -> Person | None:
        return await users.find(self.db, ANN.id)

    async def stands(self, **values: object) -> None:
        before = await self.person()
        assert before is not None
        await users.save(self.db, before, replace(before, **values))  # type: ignore[arg-type]

    async def box(self) -> sa.RowMapping | None:
        query = sa.select(tables.outbox).where(tables.outbox.c.kind == Kind.REMINDER)
        return (await self.db.execute(query)).mappings().one_or_none()

    # -- the bot ---------------------------------------------------------------------------------------------------

    async def owe(self, before: World, _action: Action) -> None:
        await outbox.owe_due(self.db, now=moment(self.now), until=moment(self.now), limit=5)
        found = await self.box()
        if found is not None and found["id"] not in self.ids.values():
            self.ids[before.owed] = found["id"]
            # SQLite gives the number of its last row again once that is deleted; in life others are owed meanwhile.
            other = replace(evenings.message(2, Kind.DORMANT), night=NIGHT + timedelta(days=before.owed))
            await outbox.owe(self.db, [replace(other, due_at=NEVER, until_at=NEVER, close_at=NEVER)])

    async def claim(self, _before: World, action: Action) -> list[Owed]:
        return await outbox.claim(self.db, worker=worker(action.who), now=moment(self.now), limit=5)

    async def start(self, before: World, action: Action) -> set[int]:
        hand = before.hands[action.who]
        mine = [self.ids[hand.number]]
        return await outbox.start(self.db, mine, worker=worker(hand.worker), now=moment(self.now))

    async def settle(self, before: World, action: Action) -> None:
        hand, now = before.hands[action.who], moment(self.now)
        owed, outcome = self._owed(hand), self._outcome(hand, heard=action.heard)
        await outbox.settle(self.db, [settlement.settle(owed, outcome, now=now)], worker=worker(hand.worker))
        change = settlement.follow(owed, outcome, now=now)
        if change is not None:
            await change(self.db)

    def _owed(self, hand: Hand) -> Owed:
        return Owed(
            self.ids[hand.number],
            Kind.REMINDER,
            NIGHT,
            planned_at=DUE,
            until_at=moment(hand.until),
            bed_at=BED,
            copies=hand.copies,
            tries=0,
            person=ANN,
            record=NightRecord(NIGHT),
        )

    def _outcome(self, hand: Hand, *, heard: bool) -> Outcome:
        if hand.stage is Stage.TAKEN and heard:
            self._message += 1
            return Sent(self._message)
        others: dict[Stage, Outcome] = {
            Stage.TAKEN: Unknown("the answer was lost"),
            Stage.DROPPED: Unknown("it timed out"),
            Stage.REFUSED: Unsent("500"),
            Stage.BLOCKED: Gone("blocked"),
            Stage.UNWANTED: Withdrawn(Why.UNWANTED),
            Stage.LATE: Withdrawn(Why.TOO_LATE),
        }
        return others[hand.stage]

    async def give_back(self, _before: World, action: Action) -> None:
        await leases.give_back(self.db, worker=worker(action.who))

    async def bury(self, before: World, _action: Action) -> None:
        assert before.row is not None
        await leases.give_back(self.db, worker=worker(before.row.worker))

    async def reclaim(self, before: World, action: Action) -> None:
        mine = {self.ids[hand.number] for hand in before.hands if hand.worker == action.who}
        await leases.reclaim(self.db, now=moment(self.now), keep=mine)

    async def expire(self, _before: World, _action: Action) -> None:
        await history.expire(self.db, now=moment(self.now))

    async def close(self, _before: World, _action: Action) -> None:
        await history.close(self.db, now=moment(self.now), limit=5)

    # -- the person ------------------------------------------------------------------------------------------------

    async def tap(self, before: World, action: Action) -> None:
        await self.note(before, action)
        await changes.answered(self.db, ANN.id, NIGHT)

    async def note(self, _before: World, _action: Action) -> None:
        await nights.record_intake(self.db, ANN.id, NIGHT, Intake.TAKEN, at=moment(self.now))

    async def undo(self, _before: World, _action: Action) -> None:
        await nights.record_intake(self.db, ANN.id, NIGHT, None, at=moment(self.now))

    async def snooze(self, _before: World, _action: Action) -> None:
        at = min(self.now + row.SNOOZE, RULES.last_snooze)
        await changes.again(self.db, ANN.id, NIGHT, at=moment(at), until=UNTIL, bed_at=BED, message_id=5)

    async def withdraw(self, _before: World, _action: Action) -> bool:
        if gone := await changes.withdraw(self.db, ANN.id, NIGHT):
            await self.stands(remind_at=DUE, remind_night=NIGHT)
        return gone

    async def pause(self, _before: World, _action: Action) -> None:
        await changes.withdraw(self.db, ANN.id, NIGHT)
        await self.stands(status=Status.PAUSED, remind_at=None, remind_night=None)
        await changes.cancel(self.db, ANN.id, kinds=[Kind.REMINDER], reason="paused")

    async def resume(self, before: World, _action: Action) -> None:
        tonight = before.row is None and before.now < 0
        plan = {"remind_at": DUE, "remind_night": NIGHT} if tonight else {}
        await self.stands(status=Status.ACTIVE, **plan)

    async def erase(self, _before: World, _action: Action) -> None:
        await erase.person(self.db, ANN.id, now=moment(self.now))

    async def nothing(self, _before: World, _action: Action) -> None:
        """What leaves no trace in the database: a message is written, a process dies."""


_DOES: dict[Do, Callable[[Evening, World, Action], Awaitable[object]]] = {
    Do.OWE: Evening.owe,
    Do.CLAIM: Evening.claim,
    Do.START: Evening.start,
    Do.WRITE: Evening.nothing,
    Do.SETTLE: Evening.settle,
    Do.DIE: Evening.nothing,
    Do.GIVE_BACK: Evening.give_back,
    Do.BURY: Evening.bury,
    Do.RECLAIM: Evening.reclaim,
    Do.EXPIRE: Evening.expire,
    Do.CLOSE: Evening.close,
    Do.TAP: Evening.tap,
    Do.NOTE: Evening.note,
    Do.UNDO: Evening.undo,
    Do.SNOOZE: Evening.snooze,
    Do.WITHDRAW: Evening.withdraw,
    Do.PAUSE: Evening.pause,
    Do.RESUME: Evening.resume,
    Do.ERASE: Evening.erase,
}
_TRIED_AT_ANY_TIME = {Do.OWE, Do.CLAIM, Do.RECLAIM, Do.EXPIRE, Do.CLOSE}
"""What the bot tries at any time, and the database refuses where it is not the time for it."""


def stored(found: sa.RowMapping) -> tuple[object, ...]:
    """A row of the database in the model's words; when it is due matters only while it is."""
    state = State(found["state"])
    due = seconds(found["due_at"]) if state is State.DUE else None
    rest = (found["copies"], found["message_id"] is not None, found["worker"], seconds(found["lease_until"]))
    return (state, due, seconds(found["until_at"]), *rest)


def expected(box: Box) -> tuple[object, ...]:
    due = box.due if box.state is State.DUE else None
    name = None if box.worker is None else worker(box.worker)
    return (box.state, due, box.until, box.copies, box.numbered, name, box.lease)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module")
def database(
    runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory, migrated_file: Path
) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("rows") / "lull.db"
    path.write_bytes(migrated_file.read_bytes())
    opened = Database(f"sqlite+aiosqlite:///{path}")
    runner.run(evenings.settle_in(opened, ANN))
    yield opened
    runner.run(opened.close())


class _Undone(Exception):  # noqa: N818 - named for what it does
    """Ends a history's transaction, so that the next one finds the evening as it was."""


class SameRow(RuleBasedStateMachine):
    """One history, in one transaction that is never committed."""

    database: Database
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self._transaction = self.database.write()
        self._evening = Evening(self.runner.run(self._transaction.__aenter__()))
        self._world = World(now=-1)

    def teardown(self) -> None:
        with contextlib.suppress(_Undone):
            self.runner.run(self._transaction.__aexit__(_Undone, _Undone(), None))

    @initialize(seed=st.integers(0, 2**63))
    def dice(self, seed: int) -> None:
        # Hypothesis itself prefers the first of many choices.
        self._dice = random.Random(seed)

    @rule()
    def something_happens(self) -> None:
        for _ in range(0 if row.ended(self._world) else AT_ONCE):
            choices, weights = zip(*self._choices(), strict=True)
            (action,) = self._dice.choices(choices, weights)
            note(f"at {self._world.now} s {action}")
            if action.do is Do.PASS:
                self._world = self._world._replace(now=action.to)
            else:
                self._do(action, row.step(self._world, action, RULES) or self._world)

    def _choices(self) -> Iterator[tuple[Action, float]]:
        """What the bot or a person could do now, and what the bot would try in vain; each with its weight."""
        now, box = self._world.now, self._world.row
        for action in row.actions(self._world, RULES):
            after = row.step(self._world, action, RULES)
            if after is not None and after != self._world:
                yield action, _WEIGHTS.get(action.do, 1.0)
            elif after is None and action.do in _TRIED_AT_ANY_TIME and len(self._world.hands) < RULES.hands:
                yield action, _VAIN
        for at in (*(now + step for step in STEPS), *[at for at in LANDMARKS if at > now][:1]):
            yield Action(Do.PASS, to=at), _TIME if at - now <= row.SNOOZE else _VAIN
        for moment_of_row in () if box is None else (box.due, box.lease or now):
            if moment_of_row > now:
                yield Action(Do.PASS, to=moment_of_row), _ITS_TIME

    async def _does(self, action: Action) -> object:
        return await _DOES[action.do](self._evening, self._world, action)

    def _do(self, action: Action, after: World) -> None:
        self._evening.now = self._world.now
        said = self.runner.run(self._does(action))
        if action.do is Do.CLAIM:
            assert bool(said) == (after is not self._world)
        if action.do is Do.START:
            begun = sum(hand.stage is Stage.BEGUN for hand in after.hands)
            assert bool(said) == (begun > sum(hand.stage is Stage.BEGUN for hand in self._world.hands))
        found = self.runner.run(self._evening.box())
        assert (None if found is None else stored(found)) == (None if after.row is None else expected(after.row))
        assert (self.runner.run(self._evening.person()) is None) == (after.standing is Standing.ERASED)
        self._world = after


def test_the_database_does_with_a_row_what_the_model_says(database: Database, runner: asyncio.Runner) -> None:
    run_state_machine_as_test(
        type("On", (SameRow,), {"database": database, "runner": runner}),
        settings=settings(
            max_examples=2_000 if FULL else 50,
            stateful_step_count=20,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # dice do not shrink
        ),
    )
