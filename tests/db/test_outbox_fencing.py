"""Who may write what about a row in the outbox: the worker that has it, and the person who answers meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.model import Delivery, Intake, Kind, Person, State, Status
from bot.core.planning import Message
from db import inbox, nights, users
from db.engine import Connection, Database
from db.outbox import changes, due, history, leases
from db.outbox import rows as outbox
from db.outbox.rows import Settled

ADA, NIGHT = 77, date(2026, 3, 26)
DUE = datetime(2026, 3, 26, 20, 45, tzinfo=UTC)
BED = DUE + timedelta(minutes=45)
UNTIL = BED - timedelta(minutes=5)
CLOSE = datetime(2026, 3, 27, 11, tzinfo=UTC)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Connection]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}")
    await database.migrate()
    async with database.write() as connection:
        person = await users.create(connection, ADA, now=DUE, language="en")
        planned = Person(ADA, Status.ACTIVE, DUE, DUE, consent=1, language="en", zone="UTC", bedtimes=(1290,) * 7)
        await users.save(connection, person, planned)
        await outbox.owe(connection, [Message(ADA, Kind.REMINDER, NIGHT, DUE, UNTIL, BED, CLOSE)])
        yield connection
    await database.close()


async def claimed(db: Connection, *, now: datetime = DUE, worker: str = "me") -> int:
    rows = await outbox.claim(db, worker=worker, now=now, limit=5)
    return rows[0].id


async def sending(db: Connection) -> int:
    row = await claimed(db)
    assert await outbox.start(db, [row], worker="me", now=DUE) == {row}
    return row


async def state(db: Connection) -> tuple[str, int, int | None]:
    row = await changes.find(db, ADA, Kind.REMINDER, NIGHT)
    assert row is not None
    return row.state, row.copies, row.message_id


async def test_an_answer_to_a_copy_in_the_air_proves_it_and_its_late_end_adds_only_the_number(db: Connection) -> None:
    row = await sending(db)

    await changes.answered(db, ADA, NIGHT)
    await outbox.settle(db, [Settled(row, State.SENT, message_id=9, sent_at=DUE)], worker="me")

    assert await state(db) == (State.SENT, 1, 9)


async def test_an_answer_to_a_copy_that_ends_unknown_means_no_repeat(db: Connection) -> None:
    row = await sending(db)

    await nights.record_intake(db, ADA, NIGHT, Intake.TAKEN, at=DUE)
    await changes.answered(db, ADA, NIGHT)
    end = outbox.after_unknown(row, kind=Kind.REMINDER, copies=1, sent_at=DUE, reason="timed out")
    await outbox.settle(db, [end], worker="me")

    assert await state(db) == (State.SENT, 1, None)
    assert await outbox.claim(db, worker="me", now=DUE + timedelta(minutes=10), limit=5) == []


async def test_an_answer_between_two_copies_means_no_second(db: Connection) -> None:
    row = await sending(db)
    end = outbox.after_unknown(row, kind=Kind.REMINDER, copies=1, sent_at=DUE, reason="timed out")
    await outbox.settle(db, [end], worker="me")

    await changes.answered(db, ADA, NIGHT)

    assert await outbox.claim(db, worker="me", now=DUE + timedelta(minutes=10), limit=5) == []


async def test_a_snooze_of_a_copy_in_the_air_stands(db: Connection) -> None:
    row = await sending(db)
    later = DUE + timedelta(minutes=20)

    await changes.again(db, ADA, NIGHT, at=later, until=UNTIL, bed_at=BED)
    end = outbox.after_unknown(row, kind=Kind.REMINDER, copies=1, sent_at=DUE, reason="timed out")
    await outbox.settle(db, [end], worker="me")

    assert await outbox.claim(db, worker="me", now=later - timedelta(minutes=1), limit=5) == []
    assert [row.copies for row in await outbox.claim(db, worker="me", now=later, limit=5)] == [0]


async def test_a_row_whose_window_closed_while_it_waited_is_not_begun(db: Connection) -> None:
    row = await claimed(db)

    assert await outbox.start(db, [row], worker="me", now=UNTIL) == set()


async def test_a_withdrawn_row_does_not_end_what_another_task_of_the_worker_is_sending(db: Connection) -> None:
    row = await sending(db)

    await outbox.settle(db, [Settled(row, State.DUE, due_at=DUE, begun=False)], worker="me")

    assert await state(db) == (State.SENDING, 1, None)


async def test_another_worker_s_row_is_neither_begun_nor_ended(db: Connection) -> None:
    row = await claimed(db, worker="other")

    assert await outbox.start(db, [row], worker="me", now=DUE) == set()
    await outbox.settle(db, [Settled(row, State.SENT, message_id=9)], worker="me")

    assert await state(db) == (State.CLAIMED, 0, None)


async def test_rows_in_hand_are_not_reclaimed_when_the_clock_leaps(db: Connection) -> None:
    row = await sending(db)
    leapt = DUE + timedelta(hours=2)

    assert await leases.reclaim(db, now=leapt, keep={row}) == []
    assert await leases.reclaim(db, now=leapt) == [(Kind.REMINDER, State.DUE)]


async def test_a_row_put_off_beyond_its_night_still_has_a_fate(db: Connection) -> None:
    row = await claimed(db)
    await outbox.settle(db, [Settled(row, State.DUE, due_at=CLOSE + timedelta(hours=1), reason="refused")], worker="me")

    await history.close(db, now=CLOSE, limit=5)

    assert (await nights.find(db, ADA, NIGHT)).delivery is Delivery.EXPIRED


async def test_many_rows_end_in_one_write(db: Connection) -> None:
    row = await sending(db)
    await outbox.owe(db, [Message(ADA, Kind.CHECK_IN, NIGHT, DUE, UNTIL, BED, CLOSE)])
    other = await claimed(db)
    assert await outbox.start(db, [other], worker="me", now=DUE) == {other}

    ends = [Settled(one, State.SENT, message_id=one, sent_at=DUE) for one in (row, other)]
    await outbox.settle(db, ends, worker="me")

    assert await state(db) == (State.SENT, 1, row)
    assert await changes.state_of(db, ADA, Kind.CHECK_IN, NIGHT) is State.SENT


async def test_a_letter_is_done_once(db: Connection) -> None:
    await inbox.store(db, [inbox.StoredUpdate(5, ADA, "{}", DUE)])

    assert [await inbox.done(db, 5), await inbox.done(db, 5)] == [True, False]


async def test_rows_that_end_in_the_same_instant_are_settled_together(db: Connection) -> None:
    await outbox.owe(db, [Message(ADA, Kind.NUDGE, NIGHT, DUE, UNTIL, BED, CLOSE)])
    rows = [row.id for row in await outbox.claim(db, worker="me", now=DUE, limit=5)]
    await outbox.start(db, rows, worker="me", now=DUE)

    await outbox.settle(db, [Settled(row, State.SENT, message_id=row, sent_at=DUE) for row in rows], worker="me")

    assert len(rows) == 2
    for kind in (Kind.REMINDER, Kind.NUDGE):
        assert await changes.state_of(db, ADA, kind, NIGHT) is State.SENT


async def test_in_crowded_minutes_a_reminder_may_be_claimed_before_its_moment(db: Connection) -> None:
    quarter, before = timedelta(minutes=15), DUE - timedelta(minutes=10)

    found = await due.at(db, now=before, ahead=quarter)
    assert (found.due, found.ahead) == (0, 1)
    assert await outbox.claim(db, worker="me", now=before, limit=5) == []
    assert [row.planned_at for row in await outbox.claim(db, worker="me", now=before, limit=5, early=quarter)] == [DUE]


async def test_a_snoozed_reminder_never_goes_early(db: Connection) -> None:
    row = await sending(db)
    await outbox.settle(db, [Settled(row, State.SENT, message_id=9, sent_at=DUE)], worker="me")
    later = DUE + timedelta(minutes=10)
    await changes.again(db, ADA, NIGHT, at=later, until=UNTIL, bed_at=BED)

    assert await outbox.claim(db, worker="me", now=DUE, limit=5, early=timedelta(minutes=15)) == []
    assert len(await outbox.claim(db, worker="me", now=later, limit=5)) == 1
