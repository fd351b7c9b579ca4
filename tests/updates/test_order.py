"""Letters of one person are handled once and in order, whichever process they came to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.clock import SharedClock
from bot.updates import queues
from bot.updates.polling import letter_of
from db import inbox
from db.engine import Database
from db.inbox import StoredUpdate
from tests.conftest import START
from tests.updates.conftest import Replicas, left, noted, stored

Message = Callable[..., StoredUpdate]


async def test_letters_spread_over_replicas_are_handled_in_order(
    replica: Replicas, database: Database, message: Message
) -> None:
    replicas = [await replica() for _ in range(1 if database.is_sqlite else 3)]
    stored_updates = [message(number) for number in range(1, 61)]
    await stored(database, stored_updates)

    for index, each in enumerate(replicas):
        each.lull.queues.add(stored_updates[index :: len(replicas)])
    await asyncio.gather(*(each.settle() for each in replicas))

    assert await noted(database) == list(range(1, 61))
    assert await left(database) == []


async def test_whoever_has_a_later_letter_handles_the_earlier_ones_of_a_dead_replica_first(
    replica: Replicas, database: Database, message: Message
) -> None:
    if database.is_sqlite:
        pytest.skip("one process has them all in its own queue")
    alive = await replica()
    await stored(database, [message(number) for number in (1, 2, 3)])

    alive.lull.queues.add([message(3)])
    await alive.settle()

    assert await noted(database) == [1, 2, 3]
    assert await left(database) == []


async def test_a_letter_in_two_hands_is_handled_once(replica: Replicas, database: Database, message: Message) -> None:
    first = await replica()
    second = first if database.is_sqlite else await replica()
    await stored(database, [message(5)])

    await asyncio.gather(first.lull.dispatcher.handle(message(5)), second.lull.dispatcher.handle(message(5)))

    assert await noted(database) == [5]
    assert await left(database) == []


async def test_a_letter_that_is_given_twice_waits_once(replica: Replicas, database: Database, message: Message) -> None:
    one = await replica()
    await stored(database, [message(1), message(2)])

    one.lull.queues.add([message(1), message(2), message(1)])

    assert len(one.lull.queues) == 2
    await one.settle()
    one.lull.queues.add([message(1)])
    await one.settle()
    assert await noted(database) == [1, 2]


async def test_people_do_not_wait_for_each_other(replica: Replicas, database: Database, message: Message) -> None:
    one = await replica()
    stored_updates = [message(number, user_id=number % 7 + 1) for number in range(70)]
    await stored(database, stored_updates)

    one.lull.queues.add(stored_updates)
    await one.settle()

    for user_id in range(1, 8):
        assert await noted(database, user_id) == [n for n in range(70) if n % 7 + 1 == user_id]


async def test_people_have_their_turn_in_the_order_of_their_coming(
    replica: Replicas, database: Database, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "AT_ONCE", 4)
    one = await replica()
    stored_updates = [message(number, user_id=number) for number in range(1, 41)]
    await stored(database, stored_updates)

    one.lull.queues.add(stored_updates)
    while not await noted(database, 1):
        await asyncio.sleep(0)

    assert 40 in await left(database)
    await one.settle()
    assert await left(database) == []


async def test_in_a_crowd_who_came_last_does_not_wait_for_all_the_others(
    replica: Replicas, database: Database, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "AT_ONCE", 4)
    monkeypatch.setattr(queues, "CROWDED", 10)
    one = await replica()
    stored_updates = [message(number, user_id=number) for number in range(1, 41)]
    await stored(database, stored_updates)

    one.lull.queues.add(stored_updates)
    while not await noted(database, 40):
        await asyncio.sleep(0)

    assert set(range(1, 25)) <= set(await left(database))
    await one.settle()
    assert await left(database) == []


async def test_one_who_sends_many_letters_into_a_crowd_has_no_more_turns_than_others(
    replica: Replicas, database: Database, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "AT_ONCE", 1)
    monkeypatch.setattr(queues, "CROWDED", 5)
    one = await replica()
    stored_updates = [message(number, user_id=number) for number in range(1, 21)]
    stored_updates += [message(number, user_id=99) for number in range(21, 31)]
    await stored(database, stored_updates)

    one.lull.queues.add(stored_updates)
    while not await noted(database, 10):
        await asyncio.sleep(0)

    assert await noted(database, 99) == [21]
    await one.settle()
    assert await noted(database, 99) == list(range(21, 31))


async def test_after_a_full_batch_the_next_is_taken_in_before_much_is_begun(
    replica: Replicas, database: Database, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "TAKE_IN", 1.0)
    one = await replica()
    await stored(database, [message(1), message(2, user_id=78)])

    one.lull.queues.more_to_come()
    one.lull.queues.add([message(1), message(2, user_id=78)])
    for _ in range(50):
        await asyncio.sleep(0)

    assert await left(database) == [1, 2]
    await one.settle()
    assert await left(database) == []


async def test_full_batches_without_end_do_not_keep_letters_from_being_begun(
    replica: Replicas, database: Database, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "TAKE_IN", 60.0)
    monkeypatch.setattr(queues, "LONGEST", 0.2)
    one = await replica()
    await stored(database, [message(1)])

    one.lull.queues.more_to_come()
    one.lull.queues.add([message(1)])
    while await left(database):
        one.lull.queues.more_to_come()
        await asyncio.sleep(0)

    assert await noted(database) == [1]


async def test_one_letter_that_cannot_be_put_aside_does_not_keep_the_others(
    replica: Replicas, database: Database, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    one = await replica()
    numbers = (1, 2, 2**70 if database.is_sqlite else 2**63)  # the last one no database takes
    stored_updates = [StoredUpdate(number, 7, "{}", message(1).received_at) for number in numbers]
    await stored(database, stored_updates[:2])

    await one.lull.dispatcher._bury_all(
        [inbox.Dead(stored_update, "ValueError: no") for stored_update in stored_updates]
    )

    assert await left(database) == []
    async with database.read() as db:
        assert await inbox.dead(db) == 2
    assert "an update could not even be put aside" in caplog.text


async def test_no_more_is_taken_in_than_there_is_room_for(
    replica: Replicas, database: Database, message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST", 3)
    one = await replica()
    stored_updates = [message(number, user_id=number) for number in range(1, 4)]
    await stored(database, stored_updates)

    await one.lull.queues.room()
    one.lull.queues.add(stored_updates)
    waiting = asyncio.create_task(one.lull.queues.room())
    await asyncio.sleep(0)
    full = not waiting.done()
    await waiting

    assert full
    assert len(one.lull.queues) < 3
    await one.settle()


async def test_unreadable_letters_are_put_aside_together(
    replica: Replicas, database: Database, clock: SharedClock, caplog: pytest.LogCaptureFixture
) -> None:
    one = await replica()
    stored_updates = [
        StoredUpdate(number, number, f'{{"update_id":{number},"message":7}}', clock.now()) for number in range(1, 31)
    ]
    await stored(database, stored_updates)

    one.lull.queues.add(stored_updates)
    await one.settle()

    assert await left(database) == []
    async with database.read() as db:
        assert await inbox.dead(db) == 30
    assert 0 < len([line for line in caplog.messages if "put aside" in line]) < 10


async def test_what_is_old_enough_and_nobody_handled_is_found(
    database: Database, message: Message, clock: SharedClock
) -> None:
    await stored(database, [message(1), message(2)])
    clock.skip(60)
    await stored(database, [message(3)])

    async with database.read() as db:
        found = await inbox.waiting(db, before=clock.now() - timedelta(seconds=30), limit=1)

    assert [stored_update.update_id for stored_update in found] == [1]


@pytest.mark.parametrize("text", ["\ud800 half a pair", "nul \0 in it", "straße 🌙"])
async def test_texts_that_databases_dislike_are_stored_and_come_back(database: Database, text: str) -> None:
    stored_update = letter_of({"update_id": 9, "message": {"text": text, "from": {"id": 4}}}, now=START)
    assert stored_update is not None

    await stored(database, [stored_update])
    async with database.write() as db:
        (found,) = await inbox.waiting(db)
        await inbox.bury(db, [inbox.Dead(found, f"ValueError: {text}")], now=START)

    assert (json.loads(found.body)["message"]["text"], found.user_id) == (text, 4)
    async with database.read() as db:
        assert await inbox.dead(db) == 1


AT = {"latitude": 52.5163, "longitude": 13.3777}


@pytest.mark.parametrize(
    "update",
    [
        {"message": {"location": AT}},
        {"message": {"venue": {"location": AT, "title": "here"}, "text": "\ud83d"}},
        {"edited_message": {"location": AT | {"live_period": 60, "heading": 1}}},
        {"message": {"reply_to_message": {"location": AT}}},
        {"message": {"external_reply": [{"location": AT}]}},
    ],
)
def test_where_somebody_is_reaches_no_letter(update: dict[str, object]) -> None:
    found = letter_of(
        json.loads(json.dumps({"update_id": 9} | update).replace("latitude", "\\u006catitude")), now=START
    )

    assert found is not None
    assert "52.5" not in found.body
    assert "13.3" not in found.body


def test_a_zone_that_comes_from_outside_is_not_believed() -> None:
    found = letter_of({"update_id": 9, "message": {"text": "hi", "lull_zone": "Asia/Tokyo"}}, now=START)

    assert found is not None
    assert "Tokyo" not in found.body


def test_an_update_that_is_nested_too_deeply_is_a_letter_all_the_same() -> None:
    deep: object = "the end"
    for _ in range(2000):
        deep = [deep]

    found = letter_of({"update_id": 9, "message": {"text": "hi", "more": deep}}, now=START)

    assert found is not None
    assert json.loads(found.body)["message"]["text"] == "hi"


@pytest.mark.parametrize("number", [None, True, "7", -1, 2**63, 1.5])
def test_an_update_without_a_usable_number_is_no_letter(number: object) -> None:
    assert letter_of({"update_id": number, "message": {}}, now=START) is None
