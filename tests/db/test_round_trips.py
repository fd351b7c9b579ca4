"""What is written is what is read: every field of a person and a night, large ids, instants and dates, on both databases."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import get_type_hints

import pytest
import sqlalchemy as sa

from bot.core.model import Awaiting, Cadence, Intake, Kind, NightRecord, Person, Rating, Reason, State, Status
from db import inbox, marks, nights, tables, users
from db.engine import Database
from db.inbox import StoredUpdate
from db.outbox import rows as outbox
from tests.db import evenings
from tests.db.evenings import DUE, MINUTE, NIGHT

LARGE = 2**52 - 1
EVERYTHING = Person(
    LARGE,
    Status.PAUSED,
    created_at=DUE - timedelta(days=9),
    seen_at=DUE,
    consent=2,
    language="pt-br",
    zone="America/Argentina/ComodRivadavia",
    bedtimes=(1350, 1350, 1350, 1350, 0, 30, 1439),
    lead=15,
    check_ins=(435, 435, 435, 435, 435, 600, 600),
    form="glycinate",
    label="the white ones · ☾",
    remind_at=DUE,
    remind_night=NIGHT,
    reminded_at=DUE - timedelta(days=1),
    reminded_night=NIGHT - timedelta(days=1),
    away_zone="Asia/Kathmandu",
    away_until=date(2026, 4, 1),
    later_night=NIGHT,
    later_bedtime=0,
    paused_until=date(2026, 4, 2),
    awaiting=Awaiting.AWAY_UNTIL,
    awaiting_for="2026-03-26",
    awaiting_until=DUE + timedelta(hours=12),
    cadence=Cadence.NIGHTLY,
    unanswered=7,
    nudges=2,
    snooze=10,
    quiet=True,
    discreet=False,
    no_check_in=True,
    muted=frozenset({"light", "caffeine"}),
)


async def reread(database: Database, person: Person) -> Person | None:
    await evenings.settle_in(database, person)
    async with database.read() as db:
        return await users.find(db, person.id)


SAMPLES: dict[object, object] = {
    int | None: 3,
    bool | None: True,
    str | None: "x",
    date | None: NIGHT,
    datetime | None: DUE,
}


def filled(person: Person) -> Person:
    """With a value for every field that has none yet, by its type."""
    types = get_type_hints(Person)
    empty = [field.name for field in fields(Person) if getattr(person, field.name) is None]
    return replace(person, **{name: SAMPLES[types[name]] for name in empty})  # type: ignore[arg-type]


async def test_every_field_of_a_person_comes_back_as_it_was(database: Database) -> None:
    someone = filled(EVERYTHING)

    assert await reread(database, someone) == someone


async def test_a_person_of_whom_nothing_is_known_comes_back_as_that(database: Database) -> None:
    nobody = Person(1, Status.NEW, created_at=DUE, seen_at=DUE)

    assert await reread(database, nobody) == nobody


async def test_only_what_changed_is_written(database: Database) -> None:
    someone = evenings.person()
    await evenings.settle_in(database, someone)
    async with database.write() as db:
        await users.save(db, someone, replace(someone, form="oxide"))
        await users.save(db, someone, replace(someone, label="two"))
        found = await users.find(db, 1)

    assert found == replace(someone, form="oxide", label="two")


async def test_resting_plans_nothing_more(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(), evenings.person(2))
    async with database.write() as db:
        await users.rest(db, 1, status=Status.GONE)
        found = await users.find(db, 1)
        planned = await users.planned_page(db, after=0, limit=10)

    assert found == evenings.person(status=Status.GONE, remind_at=None, remind_night=None)
    assert [person.id for person in planned] == [2]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (tables.users.c.status, Status),
        (tables.users.c.awaiting, Awaiting),
        (tables.users.c.cadence, Cadence),
        (tables.outbox.c.kind, Kind),
        (tables.outbox.c.state, State),
        (tables.nights.c.reason, Reason),
    ],
)
def test_every_word_fits_its_column(column: sa.Column[str], words: type[StrEnum]) -> None:
    assert isinstance(column.type, sa.String)
    assert column.type.length is not None
    assert max(map(len, words)) <= column.type.length


async def test_a_naive_instant_is_refused(database: Database) -> None:
    with pytest.raises((sa.exc.StatementError, ValueError), match="a naive datetime cannot be stored"):
        await evenings.settle_in(database, evenings.person(remind_at=DUE.replace(tzinfo=None)))


@pytest.mark.parametrize("hours", [-12, 0, 5.75, 14])
async def test_an_instant_of_any_zone_comes_back_as_the_same_in_utc(database: Database, hours: float) -> None:
    moment = DUE.astimezone(timezone(timedelta(hours=hours)))

    found = await reread(database, evenings.person(remind_at=moment))

    assert found is not None
    assert found.remind_at == DUE
    assert found.remind_at is not None
    assert found.remind_at.tzinfo is UTC


@pytest.mark.parametrize("night", [date(1969, 12, 31), date(2000, 2, 29), date(2037, 12, 31)])
async def test_a_date_comes_back_as_a_date(database: Database, night: date) -> None:
    found = await reread(database, evenings.person(remind_night=night))

    assert found is not None
    assert found.remind_night == night
    assert type(found.remind_night) is date


async def test_a_night_keeps_the_last_of_each_answer(database: Database) -> None:
    async with database.write() as db:
        await nights.record_intake(db, LARGE, NIGHT, Intake.TAKEN, at=DUE)
        await nights.record_intake(db, LARGE, NIGHT, Intake.SKIPPED, at=DUE + MINUTE, reason=Reason.RAN_OUT)
        await nights.record_rating(db, LARGE, NIGHT, Rating.MUCH_WORSE, at=DUE + 2 * MINUTE, late=True)
        found = await nights.find(db, LARGE, NIGHT)
        await nights.record_intake(db, LARGE, NIGHT, None, at=DUE)
        await nights.record_rating(db, LARGE, NIGHT, None, at=DUE)
        taken_back = await nights.find(db, LARGE, NIGHT)

    assert (found.intake, found.intake_at, found.reason) == (Intake.SKIPPED, DUE + MINUTE, Reason.RAN_OUT)
    assert (found.rating, found.rated_at, found.late) == (Rating.MUCH_WORSE, DUE + 2 * MINUTE, True)
    assert taken_back == NightRecord(NIGHT)


async def test_nights_come_in_order_and_of_one_person(database: Database) -> None:
    async with database.write() as db:
        for user_id, back in ((1, 0), (1, 3), (1, 1), (2, 2)):
            await nights.record_intake(db, user_id, NIGHT - timedelta(days=back), Intake.TAKEN, at=DUE)
        found = await nights.between(db, 1, NIGHT - timedelta(days=2), NIGHT)

    assert [record.night for record in found] == [NIGHT - timedelta(days=1), NIGHT]


async def test_an_update_is_stored_once_also_within_one_batch_and_after_it_was_handled(database: Database) -> None:
    letters = [
        StoredUpdate(LARGE, 1, '{"☾": "\\u0000"}', DUE),
        StoredUpdate(LARGE, 1, "{}", DUE),
        StoredUpdate(3, None, "{}", DUE),
    ]
    async with database.write() as db:
        new = await inbox.store(db, letters)
        waiting = await inbox.waiting(db)
        await inbox.done(db, LARGE)
        again = await inbox.store(db, letters)

    assert (new, again) == ({LARGE, 3}, set())
    assert [(letter.update_id, letter.body) for letter in waiting] == [(3, "{}"), (LARGE, '{"☾": "\\u0000"}')]


async def test_numbers_and_dead_letters_are_forgotten_in_time(database: Database) -> None:
    letter = StoredUpdate(1, 7, "{}", DUE)
    async with database.write() as db:
        await inbox.store(db, [letter, StoredUpdate(2, 7, "{}", DUE)])
        await inbox.bury(db, [inbox.Dead(letter, "ValueError: no")], now=DUE)
        await inbox.prune(db, now=DUE + inbox.KEEP_DEAD)
        kept = await inbox.dead(db)
        known = await inbox.store(db, [letter])
        await inbox.prune(db, now=DUE + inbox.KEEP_DEAD + timedelta(seconds=1))
        gone = await inbox.dead(db)
        waiting = await inbox.waiting(db)

    assert (kept, known, gone) == (1, {1}, 0)
    assert {letter.update_id for letter in waiting} == {1, 2}


async def test_a_mark_is_the_last_that_was_put(database: Database) -> None:
    async with database.write() as db:
        before = await marks.find(db, "tzdata")
        await marks.put(db, "tzdata", "2026.5")
        await marks.put(db, "tzdata", "2026.6")

        assert (before, await marks.find(db, "tzdata")) == (None, "2026.6")


# -- the evening that is owed ------------------------------------------------------------------------------------------


async def owe_due(database: Database, *, now: datetime = DUE, limit: int = 100) -> outbox.OwedPage:
    async with database.write() as db:
        return await outbox.owe_due(db, now=now, until=now, limit=limit)


async def test_an_evening_is_owed_with_its_morning_and_the_next_one_planned(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(), evenings.person(2, remind_at=DUE + MINUTE))

    page = await owe_due(database)

    assert (page.size, page.trouble) == (1, [])
    assert await evenings.state(database) is await evenings.state(database, kind=Kind.CHECK_IN) is State.DUE
    assert await evenings.state(database, 2) is None
    async with database.read() as db:
        found = await users.find(db, 1)
    assert found is not None
    assert (found.reminded_night, found.remind_night) == (NIGHT, NIGHT + timedelta(days=1))


async def test_an_evening_that_was_owed_already_is_not_owed_again_but_the_plan_moves_on(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message())
    await evenings.sent(database)

    await owe_due(database)

    assert await evenings.state(database) is State.SENT
    assert (await owe_due(database)).size == 0


async def test_what_comes_before_a_reminder_is_owed_alone_and_the_reminder_stays_planned(database: Database) -> None:
    later = DUE + timedelta(hours=1)
    someone = evenings.person(remind_at=later, owe_at=DUE)
    await evenings.settle_in(database, someone, evenings.person(2, remind_at=later))

    assert (await owe_due(database)).size == 1

    assert await evenings.state(database) is None
    async with database.read() as db:
        assert await users.find(db, 1) == replace(someone, owe_at=None)
    assert (await owe_due(database)).size == 0


async def test_an_answered_evening_is_owed_as_called_off(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.answer(database)

    await owe_due(database)

    assert await evenings.state(database) is State.CANCELLED
    assert await evenings.state(database, kind=Kind.CHECK_IN) is State.DUE


async def test_somebody_who_cannot_be_planned_waits_an_hour_and_holds_nobody_up(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1, zone="Mars/Olympus"), evenings.person(2))

    page = await owe_due(database)

    assert [user_id for user_id, _ in page.trouble] == [1]
    assert await evenings.state(database, 2) is State.DUE
    async with database.read() as db:
        stuck = await users.find(db, 1)
    assert stuck is not None
    assert stuck.remind_at == DUE + outbox.PUSHED_ON


async def test_days_of_absence_are_not_made_up_for_night_by_night(database: Database) -> None:
    await evenings.settle_in(database, evenings.person())
    back = DUE + timedelta(days=10)

    owed = 0
    while (page := await owe_due(database, now=back)).size:
        owed += page.size

    assert owed <= 3
    async with database.read() as db:
        found = await users.find(db, 1)
    assert found is not None
    assert found.remind_at is not None
    assert back < found.remind_at <= back + timedelta(days=1)
