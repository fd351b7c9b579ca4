"""Broadcasts in the database: who gets a copy, that nobody gets two, and what is known of each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.core.broadcast import Broadcast, BroadcastReport, Fate, Phase
from bot.core.model import Status
from db import broadcasts, erase, tables, users
from db.broadcasts import CopySettled
from db.engine import Database
from tests.db import evenings

NOON = datetime(2026, 3, 26, 11, 0, tzinfo=UTC)
NIGHT = datetime(2026, 3, 26, 23, 0, tzinfo=UTC)
WAKING = datetime(2026, 3, 27, 6, 30, tzinfo=UTC)
ADMIN = 500


async def running(database: Database, *, language: str | None = None, awake_only: bool = True) -> Broadcast:
    """A broadcast that has begun."""
    async with database.write() as db:
        number = await broadcasts.draft(db, admin_id=ADMIN, message_id=7, now=NOON)
        await broadcasts.choose(db, number, language=language, awake_only=awake_only)
        assert await broadcasts.begin(db, number, total=await broadcasts.audience(db, language), panel_id=9)
    return await fresh(database, number)


async def fresh(database: Database, number: int) -> Broadcast:
    async with database.read() as db:
        found = await broadcasts.find(db, number)
    assert found is not None
    return found


async def fed(database: Database, cast: Broadcast, *, now: datetime = NOON, limit: int = 100) -> int:
    async with database.write() as db:
        return await broadcasts.feed(db, await broadcasts.find(db, cast.id) or cast, now=now, limit=limit)


async def turns(database: Database, cast: Broadcast, *, now: datetime = NOON, limit: int = 100) -> list[int]:
    async with database.write() as db:
        return sorted((await broadcasts.turns(db, cast, now=now, limit=limit, but=())).ready)


async def started(database: Database, cast: Broadcast, *user_ids: int, now: datetime = NOON) -> set[int]:
    async with database.write() as db:
        return await broadcasts.start(db, cast.id, user_ids, now=now)


async def settled(database: Database, cast: Broadcast, fate: Fate, *user_ids: int, reason: str | None = None) -> None:
    async with database.write() as db:
        await broadcasts.settle(db, [CopySettled(cast.id, user_id, fate, reason) for user_id in user_ids])


async def fates(database: Database, cast: Broadcast) -> dict[Fate, int]:
    async with database.read() as db:
        return await broadcasts.fates(db, cast.id)


async def changed(database: Database, user_id: int, **values: object) -> None:
    async with database.write() as db:
        before = await users.find(db, user_id)
        assert before is not None
        await users.save(db, before, replace(before, **values))  # type: ignore[arg-type]


async def test_it_goes_to_those_who_can_be_reached_and_have_not_said_no(database: Database) -> None:
    reachable = [evenings.person(1), evenings.person(2, status=Status.PAUSED)]
    others = [
        evenings.person(3, status=Status.STOPPED),
        evenings.person(4, status=Status.GONE),
        evenings.person(5, status=Status.SETTING_UP),
        evenings.person(6, no_news=True),
    ]
    await evenings.settle_in(database, *reachable, *others)

    cast = await running(database)
    await fed(database, cast)

    assert cast.total == 2
    assert await turns(database, cast) == [1, 2]


async def test_a_language_takes_its_variants_along_and_no_other(database: Database) -> None:
    codes = {1: "de", 2: "de-AT", 3: "en", 4: None, 5: "den"}
    await evenings.settle_in(database, *(evenings.person(user_id, language=code) for user_id, code in codes.items()))

    cast = await running(database, language="de")
    await fed(database, cast)

    assert await turns(database, cast) == [1, 2]
    async with database.read() as db:
        assert (await broadcasts.languages(db))[0] == "de"


async def test_people_are_taken_up_page_by_page_and_who_joins_meanwhile_is_among_them(database: Database) -> None:
    await evenings.settle_in(database, *(evenings.person(user_id) for user_id in (1, 2, 3)))
    cast = await running(database)

    first = await fed(database, cast, limit=2)
    await evenings.settle_in(database, evenings.person(9))
    second = await fed(database, cast, limit=3)

    assert (first, second) == (2, 2)
    assert (await fresh(database, cast.id)).fed
    assert await turns(database, cast) == [1, 2, 3, 9]


async def test_who_sleeps_gets_it_in_the_morning_unless_all_are_woken(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1), evenings.person(2, zone="Asia/Tokyo"))
    cast = await running(database)

    await fed(database, cast, now=NIGHT)

    assert await turns(database, cast, now=NIGHT) == [2]
    assert await turns(database, cast, now=WAKING - timedelta(seconds=1)) == [2]
    assert 1 in await turns(database, cast, now=WAKING)


async def test_also_at_night_means_at_once(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1))
    cast = await running(database, awake_only=False)

    await fed(database, cast, now=NIGHT)

    assert await turns(database, cast, now=NIGHT) == [1]


async def test_who_fell_asleep_over_a_pause_is_put_off_to_the_morning(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1))
    cast = await running(database)
    await fed(database, cast, now=NOON)

    assert await turns(database, cast, now=NIGHT) == []
    async with database.read() as db:
        assert not await broadcasts.anything_due(db, cast.id, now=NIGHT)
        assert await broadcasts.anything_pending(db, cast.id)
    assert await turns(database, cast, now=WAKING) == [1]


async def test_who_says_no_after_being_taken_up_is_struck_out_and_holds_up_nobody(database: Database) -> None:
    await evenings.settle_in(database, *(evenings.person(user_id) for user_id in (1, 2, 3, 4)))
    cast = await running(database)
    await fed(database, cast)
    await changed(database, 1, status=Status.STOPPED)
    await changed(database, 2, no_news=True)
    async with database.write() as db:
        await erase.person(db, 3, now=NOON)

    assert await turns(database, cast) == [4]
    assert await fates(database, cast) == {Fate.PENDING: 1}


async def test_who_says_no_while_the_copy_waits_for_its_turn_gets_none(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1), evenings.person(2))
    cast = await running(database)
    await fed(database, cast)
    await turns(database, cast)
    await changed(database, 1, status=Status.STOPPED)

    assert await started(database, cast, 1, 2) == {2}


async def test_a_copy_is_begun_once_whoever_asks(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1))
    cast = await running(database)
    await fed(database, cast)

    both = await asyncio.gather(started(database, cast, 1), started(database, cast, 1))

    assert sorted(map(len, both)) == [0, 1]


async def test_nothing_is_begun_once_it_is_paused_and_everything_goes_on_when_it_is_resumed(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1))
    cast = await running(database)
    await fed(database, cast)

    async with database.write() as db:
        assert await broadcasts.move(db, cast.id, to=Phase.PAUSED, now=NOON)
    assert await started(database, cast, 1) == set()
    async with database.write() as db:
        assert await broadcasts.move(db, cast.id, to=Phase.RUNNING, now=NOON, among=[Phase.PAUSED])
    assert await started(database, cast, 1) == {1}


async def test_one_that_was_stopped_stays_stopped(database: Database) -> None:
    cast = await running(database)
    async with database.write() as db:
        assert await broadcasts.move(db, cast.id, to=Phase.STOPPED, now=NOON)
        assert not await broadcasts.move(db, cast.id, to=Phase.RUNNING, now=NOON)
        assert await broadcasts.active(db) is None


async def test_what_was_on_its_way_when_a_process_died_is_unknown_and_never_begun_again(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1), evenings.person(2))
    cast = await running(database)
    await fed(database, cast)
    await started(database, cast, 1)

    async with database.write() as db:
        assert await broadcasts.recover(db) == 1

    assert await fates(database, cast) == {Fate.UNKNOWN: 1, Fate.PENDING: 1}
    assert await started(database, cast, 1) == set()
    assert await turns(database, cast) == [2]


async def test_a_leader_that_lives_still_says_what_became_of_its_copies_after_another_took_over(
    database: Database,
) -> None:
    await evenings.settle_in(database, *(evenings.person(user_id) for user_id in (1, 2)))
    cast = await running(database)
    await fed(database, cast)
    await started(database, cast, 1, 2)
    async with database.write() as db:
        await broadcasts.recover(db)

    await settled(database, cast, Fate.DELIVERED, 1)
    await settled(database, cast, Fate.PENDING, 2)

    assert await fates(database, cast) == {Fate.DELIVERED: 1, Fate.UNKNOWN: 1}


async def test_only_copies_begun_long_ago_are_given_up_while_their_process_may_live(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1), evenings.person(2))
    cast = await running(database)
    await fed(database, cast)
    await started(database, cast, 1)
    await started(database, cast, 2, now=NOON + timedelta(minutes=5))

    async with database.write() as db:
        assert await broadcasts.recover(db, before=NOON + timedelta(minutes=1)) == 1

    assert await fates(database, cast) == {Fate.UNKNOWN: 1, Fate.SENDING: 1}


async def test_what_certainly_did_not_leave_goes_again(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1))
    cast = await running(database)
    await fed(database, cast)
    await started(database, cast, 1)

    await settled(database, cast, Fate.PENDING, 1)

    assert await turns(database, cast) == [1]


async def test_it_is_done_only_when_everybody_was_taken_up_and_has_their_fate(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1))
    cast = await running(database)

    async def done() -> bool:
        async with database.write() as db:
            return await broadcasts.end(db, cast.id, now=NOON)

    assert not await done()
    await fed(database, cast)
    assert not await done()
    await started(database, cast, 1)
    assert not await done()
    await settled(database, cast, Fate.DELIVERED, 1)
    assert await done()
    assert (await fresh(database, cast.id)).phase is Phase.DONE
    assert not await done()


async def test_two_admins_at_once_begin_one(database: Database) -> None:
    async with database.write() as db:
        drafts = [await broadcasts.draft(db, admin_id=admin, message_id=7, now=NOON) for admin in (500, 501)]

    async def begin(number: int) -> bool:
        async with database.write() as db:
            return await broadcasts.begin(db, number, total=1, panel_id=9)

    begun = await asyncio.gather(*map(begin, drafts))

    assert sorted(begun) == [False, True]
    async with database.read() as db:
        assert await broadcasts.active(db) is not None


async def test_a_draft_begins_once_and_an_older_one_of_the_same_admin_never(database: Database) -> None:
    async with database.write() as db:
        old = await broadcasts.draft(db, admin_id=ADMIN, message_id=7, now=NOON)
        new = await broadcasts.draft(db, admin_id=ADMIN, message_id=8, now=NOON)

        assert not await broadcasts.begin(db, old, total=1, panel_id=9)
        assert await broadcasts.begin(db, new, total=1, panel_id=9)
        assert not await broadcasts.begin(db, new, total=1, panel_id=9)
        await broadcasts.move(db, new, to=Phase.DONE, now=NOON)
        assert not await broadcasts.begin(db, new, total=1, panel_id=9)
        assert [cast.id for cast in await broadcasts.latest(db, limit=5)] == [new]


async def test_reasons_are_those_of_what_was_not_delivered_the_most_common_first(database: Database) -> None:
    await evenings.settle_in(database, *(evenings.person(user_id) for user_id in (1, 2, 3, 4, 5)))
    cast = await running(database)
    await fed(database, cast)
    await started(database, cast, 1, 2, 3, 4, 5)
    await settled(database, cast, Fate.FAILED, 1, reason="Chat not found")
    await settled(database, cast, Fate.UNKNOWN, 5, reason="no answer in time")
    await settled(database, cast, Fate.FAILED, 2, 3, reason="VOICE_MESSAGES_FORBIDDEN" + "!" * 100)
    await settled(database, cast, Fate.BLOCKED, 4, reason="Forbidden: bot was blocked by the user")

    async with database.read() as db:
        found = await broadcasts.reasons(db, cast.id, limit=3)

    assert found == [
        (Fate.FAILED, ("VOICE_MESSAGES_FORBIDDEN" + "!" * 100)[:80], 2),
        (Fate.FAILED, "Chat not found", 1),
        (Fate.UNKNOWN, "no answer in time", 1),
    ]


async def test_who_got_an_old_broadcast_is_forgotten_and_its_report_is_kept(database: Database) -> None:
    await evenings.settle_in(database, evenings.person(1), evenings.person(2))
    old = await running(database)
    await fed(database, old)
    await started(database, old, 1, 2)
    await settled(database, old, Fate.DELIVERED, 1)
    await settled(database, old, Fate.FAILED, 2, reason="Chat not found")
    async with database.write() as db:
        await broadcasts.move(db, old.id, to=Phase.STOPPED, now=NOON)
    new = await running(database)
    await fed(database, new)

    async with database.write() as db:
        assert await broadcasts.prune(db, before=NOON) == 0
        assert await broadcasts.prune(db, before=NOON + timedelta(seconds=1)) == 2
        assert await broadcasts.prune(db, before=NOON + timedelta(seconds=1)) == 0

    assert await fates(database, old) == {}
    assert await fates(database, new) == {Fate.PENDING: 2}
    async with database.read() as db:
        report = await broadcasts.report(db, old.id)
    assert report == BroadcastReport({Fate.DELIVERED: 1, Fate.FAILED: 1}, ((Fate.FAILED, "Chat not found", 1),))


async def test_the_next_copies_are_found_by_the_index_of_pending_ones(database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL reads a small table as a whole, whatever the indexes")
    cast = await running(database)
    due = sa.select(tables.recipients.c.user_id).where(broadcasts._due(cast.id, NOON))
    query = due.order_by(tables.recipients.c.due_at).limit(25)

    async with database.read() as db:
        plan = " ".join(
            str(row)
            for row in await db.execute(
                sa.text(
                    f"EXPLAIN QUERY PLAN {query.compile(db.sync_connection, compile_kwargs={'literal_binds': True})}"
                )
            )
        )

    assert "ix_recipients_due" in plan
    assert "TEMP B-TREE" not in plan
