"""Updates in: taps that arrive while the bot dies, and updates of every wrong shape."""

from __future__ import annotations

import copy
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.sandbox.values import Fields
from tests.crash import town as towns

EVENING = datetime(2026, 3, 26, 21, 14, 55, tzinfo=UTC)

GOOD: list[Fields] = [
    {
        "message": {
            "message_id": 5,
            "date": 1774559700,
            "chat": {"id": 5000, "type": "private", "first_name": "Eve"},
            "from": {"id": 5000, "is_bot": False, "first_name": "Eve", "language_code": "en"},
            "text": "/start",
            "entities": [{"type": "bot_command", "offset": 0, "length": 6}],
        }
    },
    {
        "callback_query": {
            "id": "77",
            "chat_instance": "1",
            "data": "v1:taken:2026-03-26",
            "from": {"id": 5000, "is_bot": False, "first_name": "Eve"},
            "message": {"message_id": 6, "date": 0, "chat": {"id": 5000, "type": "private"}},
        }
    },
    {
        "my_chat_member": {
            "date": 1774559700,
            "chat": {"id": 5000, "type": "private"},
            "from": {"id": 5000, "is_bot": False, "first_name": "Eve"},
            "old_chat_member": {"status": "member", "user": {"id": 123456, "is_bot": True, "first_name": "Lull"}},
            "new_chat_member": {
                "status": "kicked",
                "until_date": 0,
                "user": {"id": 1, "is_bot": True, "first_name": "x"},
            },
        }
    },
]
WRONG: list[Any] = [
    *(None, True, -1, 0, 2**31, 2**63, 10**300, 1e308, "", "x" * 5000, "\x00", "\ud800", "2026-13-45", "NaN"),
    *(
        [],
        {},
        [[[[[]]]]],
        {"a": {"b": {"c": [1, {}]}}},
        [None],
        "v1:taken:9999-99-99",
        "v1:" + ":" * 90,
        "/start@other x",
    ),
]


def mutated(chance: random.Random, number: int) -> Fields:
    """A good update of a person of its own, with one to three of its values replaced or gone."""
    update = copy.deepcopy(chance.choice(GOOD))
    payload: Any = next(iter(update.values()))
    payload["from"]["id"] = 10_000 + number
    for _ in range(chance.randint(1, 3)):
        place = update
        while True:
            key = chance.choice(list(place))
            inner = place[key]
            if not isinstance(inner, dict) or not inner or chance.random() < 0.3:
                break
            place = inner
        if chance.random() < 0.2 and len(place) > 1:
            del place[key]
        else:
            place[key] = chance.choice(WRONG)
    return update


async def test_a_thousand_mutated_updates_hold_up_nobody_and_are_kept_for_the_operator(tmp_path: Path) -> None:
    chance = random.Random(10_000)
    async with towns.founded(tmp_path, begin=EVENING, speed=20) as town:
        ada = town.telegram.person(77)
        await town.start()
        for number in range(1000):
            town.telegram.inject(mutated(chance, number))

        await ada.send("/start")
        answer = await ada.next(timeout=60)
        await town.wait(lambda: towns.count(town.database_url, "inbox WHERE body IS NOT NULL") == 0, timeout=60)
        dead = towns.count(town.database_url, "dead_letters WHERE error <> ''")
        assert town.bot.alive
        assert await town.stop() == 0

    assert "not medical advice" in answer.text
    assert dead > 50


async def test_taps_that_arrive_while_the_bot_dies_are_each_taken_in_once(tmp_path: Path) -> None:
    """Sixty people who tap Skip in five waves, a death in each, and Taken at the end."""
    chance = random.Random(600)
    async with towns.founded(tmp_path, begin=EVENING, speed=10) as town:
        await town.settle(60, beds=[22 * 60])
        await town.start()
        people = [town.telegram.person(person.id) for person in town.people]
        await town.wait(lambda: all(person.chat for person in people))
        await town.wait(lambda: towns.open_reminders(town.database_url) == 0)
        for _ in range(5):
            for person in chance.sample(people, 20):
                await person.press(data="v1:skip:2026-03-26")
            before = len(town.telegram.world.events)
            await town.wait(lambda before=before: len(town.telegram.world.events) > before + chance.randint(0, 12))
            await town.kill()
            await town.start()
        for person in people:
            await person.press(data="v1:taken:2026-03-26")
        await town.wait(lambda: towns.taps(town.database_url) == 60)
        await town.wait(lambda: town.telegram.world.updates.pending == 0)
        await town.wait(lambda: towns.count(town.database_url, "inbox WHERE body IS NOT NULL") == 0)
        handled = towns.count(town.database_url, "inbox")
        assert await town.stop() == 0

    assert handled == 5 * 20 + 60
    assert "Traceback" not in town.bot.log


async def test_a_database_that_is_full_for_a_while_costs_no_reminder_and_doubles_none(tmp_path: Path) -> None:
    """SQLite refuses to grow, as on a full disk, in the middle of a burst, and is let go again."""
    async with towns.founded(tmp_path, begin=EVENING, speed=20) as town:
        await town.settle(60, beds=[22 * 60])
        with towns.small_disk(tmp_path, town) as disk:
            await town.start()
            await town.wait(lambda: town.telegram.counts.methods["sendMessage"] >= 10)
            disk.fill()
            await town.wait(lambda: "the database is away" in town.bot.log)
            sent = town.telegram.counts.methods["sendMessage"]
            await town.until(town.clock.now() + timedelta(seconds=60))
            assert town.telegram.counts.methods["sendMessage"] <= sent + 12
            disk.free()
            await town.wait(
                lambda: towns.count(town.database_url, "outbox WHERE kind = 'reminder' AND state = 'sent'") == 60
            )
            verdict = await town.judge(EVENING.date(), EVENING.date())
            assert await town.stop() == 0

    assert (verdict.broken, verdict.sent, verdict.doubled) == ([], 60, 0)
