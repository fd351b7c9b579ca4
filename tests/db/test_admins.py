"""Who claimed with the one-time link, the audit of what admins did, and what /admin counts as late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from db import admin_claim, broadcasts, counts
from db.engine import Database
from tests.db import evenings

NOON = datetime(2026, 3, 26, 11, 0, tzinfo=UTC)
ADMIN = 500


async def test_the_claim_makes_one_admin_within_an_hour(database: Database) -> None:
    async with database.write() as db:
        code = await admin_claim.offer(db, now=NOON)
        assert not await admin_claim.redeem(db, code + "x", user_id=6, now=NOON)
        assert not await admin_claim.redeem(db, code, user_id=6, now=NOON + timedelta(hours=1))
        assert await admin_claim.redeem(db, code, user_id=7, now=NOON + timedelta(minutes=59))
        assert not await admin_claim.redeem(db, code, user_id=8, now=NOON + timedelta(minutes=59))
        assert await broadcasts.admins(db) == {7}


async def test_a_claim_that_was_never_offered_is_no_good(database: Database) -> None:
    async with database.write() as db:
        assert not await admin_claim.redeem(db, "", user_id=6, now=NOON)
        assert await broadcasts.admins(db) == set()


async def test_the_audit_is_told_newest_first_and_no_line_is_endless(database: Database) -> None:
    async with database.write() as db:
        for number in range(3):
            await broadcasts.note(db, admin_id=ADMIN, action=f"{number}" + "x" * 300, now=NOON)
        trail = await broadcasts.trail(db, limit=2)

    assert [action[0] for _, _, action in trail] == ["2", "1"]
    assert len(trail[0][2]) == 200


async def test_a_reminder_is_late_when_it_left_more_than_ten_minutes_after_its_moment(database: Database) -> None:
    late_by = {1: 0, 2: 10, 3: 11}
    for user_id, minutes in late_by.items():
        await evenings.settle_in(database, evenings.person(user_id))
        await evenings.owe(database, evenings.message(user_id))
        await evenings.sent(database, now=evenings.DUE + minutes * evenings.MINUTE)

    async with database.read() as db:
        found = await counts.tonight(db, now=evenings.DUE + timedelta(hours=1))

    assert (found.late, found.reminders, found.people) == (1, {"sent": 3}, {"active": 3})
