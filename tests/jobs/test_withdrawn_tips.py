"""A tip that is withdrawn is told of once, by day, to who was shown it in the last ninety days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.clock import SharedClock
from bot.core import tips
from bot.core.message_kinds import KINDS
from bot.core.model import Kind, Night, Status
from bot.core.pacing import Lane
from bot.core.planning import Message
from bot.delivery.renderer import Renderer
from bot.jobs import withdrawn_tips
from bot.jobs.withdrawn_tips import Withdrawals
from bot.texts import content
from db import tables
from db.engine import Connection, Database
from db.outbox import rows as outbox
from tests.db import evenings
from tests.db.evenings import MINUTE, NIGHT, NOON

MIDNIGHT = datetime(2026, 3, 26, 23, 0, tzinfo=UTC)
WHY = "its trial was taken back."
CONTENT = content.load()
GONE, ALSO_GONE, STAYS = (tip.id for tip in CONTENT.tips[:3])
WITHDRAWN = replace(CONTENT, tips=CONTENT.tips[1:], withdrawn={GONE: WHY})
TWO = replace(CONTENT, tips=CONTENT.tips[2:], withdrawn={GONE: WHY, ALSO_GONE: "It was wrong."})


async def showed(database: Database, user_id: int, tip_id: str, night: Night = NIGHT) -> None:
    row = {"user_id": user_id, "night": night, "tip": tips.number(tip_id)}
    async with database.write() as db:
        await db.execute(tables.nights.insert().values(**row))


async def told(database: Database) -> Counter[tuple[int, int]]:
    box = tables.outbox
    async with database.read() as db:
        rows = await db.execute(sa.select(box.c.user_id, box.c.tip).where(box.c.kind == Kind.TAKEN_BACK))
        return Counter((row.user_id, row.tip) for row in rows)


@pytest.fixture
def noon(clock: SharedClock) -> SharedClock:
    clock.set(NOON)
    return clock


async def test_who_was_shown_it_lately_is_told_once(database: Database, noon: SharedClock) -> None:
    await evenings.settle_in(database, *(evenings.person(number) for number in range(1, 6)))
    await showed(database, 1, GONE)
    await showed(database, 1, GONE, NIGHT - timedelta(days=40))
    await showed(database, 2, GONE, NIGHT - timedelta(days=89))
    await showed(database, 3, GONE, NIGHT - timedelta(days=90))
    await showed(database, 4, STAYS)

    await Withdrawals(database, WITHDRAWN, clock=noon).look()
    first = await told(database)
    await showed(database, 5, GONE)  # by an older replica: too late for a word
    await Withdrawals(database, WITHDRAWN, clock=noon).look()

    number = tips.number(GONE)
    assert first == {(1, number): 1, (2, number): 1}
    assert await told(database) == first


async def test_a_tip_that_is_only_in_tonights_message_yet_counts_too(database: Database, noon: SharedClock) -> None:
    await evenings.settle_in(database, evenings.person())
    await evenings.owe(database, evenings.message(tip=tips.number(GONE)))

    await Withdrawals(database, WITHDRAWN, clock=noon).look()

    assert await told(database) == {(1, tips.number(GONE)): 1}


async def test_a_page_that_fails_is_done_whole_at_the_next_look(
    database: Database, noon: SharedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawn_tips, "PAGE", 2)
    await evenings.settle_in(database, *(evenings.person(number) for number in range(1, 6)))
    for user_id in range(1, 6):
        await showed(database, user_id, GONE)
    owe, pages = outbox.owe, 0

    async def dies(db: Connection, messages: Sequence[Message]) -> None:
        nonlocal pages
        pages += 1
        await owe(db, messages)
        if pages == 2:
            raise RuntimeError("dies after the rows and before the mark")

    monkeypatch.setattr(outbox, "owe", dies)
    job = Withdrawals(database, WITHDRAWN, clock=noon)

    await job.look()
    half_way = sorted(await told(database))
    await job.look()

    number = tips.number(GONE)
    assert half_way == [(1, number), (2, number)]
    assert await told(database) == {(user_id, number): 1 for user_id in range(1, 6)}


async def test_of_two_tips_one_is_told_each_day(database: Database, noon: SharedClock) -> None:
    await evenings.settle_in(database, evenings.person())
    await showed(database, 1, GONE)
    await showed(database, 1, ALSO_GONE, NIGHT - timedelta(days=1))
    job = Withdrawals(database, WITHDRAWN, clock=noon)
    await job.look()

    job.renew(TWO)
    await job.look()

    days = [NOON.date(), NOON.date() + timedelta(days=1)]
    rows = [await evenings.find(database, kind=Kind.TAKEN_BACK, night=day) for day in days]
    assert [row["tip"] for row in rows] == [tips.number(GONE), tips.number(ALSO_GONE)]
    assert [row["due_at"].date() for row in rows] == days
    assert {row["due_at"].hour for row in rows} == {NOON.hour}


async def test_at_night_it_waits_for_the_day(database: Database, clock: SharedClock) -> None:
    clock.set(MIDNIGHT)
    await evenings.settle_in(database, evenings.person())
    await showed(database, 1, GONE)

    await Withdrawals(database, WITHDRAWN, clock=clock).look()

    row = await evenings.find(database, kind=Kind.TAKEN_BACK, night=MIDNIGHT.date())
    assert row["due_at"] > MIDNIGHT + timedelta(hours=7)
    assert row["due_at"] < NOON


async def test_nobody_hears_of_it_who_left_or_said_stop(database: Database, noon: SharedClock) -> None:
    people = {1: Status.ACTIVE, 2: Status.STOPPED, 3: Status.GONE, 4: Status.PAUSED}
    await evenings.settle_in(database, *(evenings.person(number, status=status) for number, status in people.items()))
    for user_id in people:
        await showed(database, user_id, GONE)
    await Withdrawals(database, WITHDRAWN, clock=noon).look()

    rows = await evenings.claim(database, now=NOON + MINUTE)
    begun = await evenings.start(database, rows, now=NOON + MINUTE)

    assert sorted(row.person.id for row in rows if row.id in begun) == [1, 4]


@pytest.mark.parametrize(
    ("texts", "discreet", "text", "labels"),
    [
        (WITHDRAWN, None, f"A tip that I showed you no longer stands: {WHY}", []),
        (WITHDRAWN, True, "A tip that I showed you no longer stands.", ["Why?"]),
        (CONTENT, None, "A tip that I showed you no longer stands.", []),
    ],
    ids=["told", "discreet", "entry-gone"],
)
async def test_it_is_one_silent_line_in_the_lowest_lane(
    database: Database, texts: content.Content, discreet: bool | None, text: str, labels: list[str]
) -> None:
    await evenings.settle_in(database, evenings.person(discreet=discreet))
    await evenings.owe(database, evenings.message(kind=Kind.TAKEN_BACK, tip=tips.number(GONE), due_at=NOON))
    (row,) = await evenings.claim(database, now=NOON)

    view = Renderer(texts).render(row, now=NOON)

    rows = view.keyboard.inline_keyboard if view.keyboard is not None else ()
    assert (view.text, view.silent) == (text, True)
    assert [button.text for row in rows for button in row] == labels
    assert KINDS[Kind.TAKEN_BACK].lane is Lane.DIGEST
