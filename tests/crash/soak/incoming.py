"""Updates in: taps that arrive while the bot dies, and updates of every wrong shape."""

from __future__ import annotations

import copy
import random
import time
from datetime import UTC, datetime
from typing import Any

from bot.fake_telegram.values import Fields
from tests.crash import town as towns
from tests.crash.soak.row import Found, Play

EVENING = datetime(2026, 3, 26, 21, 14, 55, tzinfo=UTC)
PROMPT = 2.0
"""Real seconds within which a good update is answered."""

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
WAITING = "inbox WHERE body IS NOT NULL"


def mutated(chance: random.Random, number: int) -> Fields:
    """A good update of a person of its own, with one to three of its values replaced or gone."""
    update = copy.deepcopy(chance.choice(GOOD))
    payload: Any = next(iter(update.values()))
    payload["from"]["id"] = 10_000 + number
    payload.get("message", payload)["chat"]["id"] = 10_000 + number
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


async def wrong_shapes(play: Play) -> Found:
    """Mutated updates, and good ones in the middle of them and after them, in real time."""
    number, chance = 1000 if play.quick else 10_000, play.chance
    # With a high rate, so that answers to those that came out well do not hold up the good one's.
    more = {"SEND_RATE": "1000", "PAID_BROADCASTS": "true"}
    async with towns.founded(play.folder, begin=EVENING, speed=1) as town:
        ada, eve = town.telegram.person(77), town.telegram.person(78)
        await town.start(**more)
        wrong = [mutated(chance, one) for one in range(number)]
        pid, began = town.bot.pid, time.monotonic()
        for update in wrong:
            town.telegram.inject(update)
        await ada.send("/start")
        first = await ada.next(timeout=120)
        behind = time.monotonic() - began
        await town.wait(lambda: towns.count(town.database_url, WAITING) == 0, timeout=120)
        play.show(0.9, "the good one")
        began = time.monotonic()
        await eve.send("/start")
        second = await eve.next(timeout=60)
        after = time.monotonic() - began
        dead = towns.count(town.database_url, "dead_letters WHERE error <> ''")
        alive = town.bot.alive and town.bot.pid == pid
        code = await town.stop()
    found = Found(
        f"{number:,} mutated updates",
        f"the good one behind them answered {behind:.1f} s after the first of them, the next after {after:.2f} s; "
        f"{dead} kept with their error",
    )
    found.must(alive and code == 0, "the process ended")
    found.must("not medical advice" in first.text and "not medical advice" in second.text, "a wrong answer")
    found.must(after <= PROMPT, f"answered after {after:.1f} s")
    if not play.quick:  # at a sample's size that says more of the machine than of the bot
        found.must(behind <= PROMPT, f"the one behind them answered after {behind:.1f} s")
    found.must(dead > number // 20, f"only {dead} dead letters")
    return found


async def taps(play: Play) -> Found:
    """People who tap Skip in waves, a death in each, and [Change to taken] at the end."""
    waves, each, crowd, chance = (5, 20, 60, play.chance) if play.quick else (11, 50, 60, play.chance)
    final = 50 if not play.quick else crowd
    async with towns.founded(play.folder, begin=EVENING, speed=10) as town:
        await town.settle(crowd, beds=[22 * 60])
        await town.start()
        people = [town.telegram.person(person.id) for person in town.people]
        await town.wait(lambda: all(person.chat for person in people))
        await town.wait(lambda: towns.open_reminders(town.database_url) == 0)
        for wave in range(waves):
            play.show(wave / waves, f"death {wave + 1} of {waves}")
            for person in chance.sample(people, each):
                await person.press(data="v1:skip:2026-03-26")
            target = len(town.telegram.world.events) + chance.randint(0, 12)
            await town.wait(lambda target=target: len(town.telegram.world.events) > target)
            await town.kill()
            await town.start()
        takers = chance.sample(people, final)
        for person in takers:
            await person.press(data="v1:change:2026-03-26:taken")
        await town.wait(lambda: town.telegram.world.updates.pending == 0)
        await town.wait(lambda: towns.count(town.database_url, WAITING) == 0)
        handled, taken = towns.count(town.database_url, "inbox"), towns.taps(town.database_url)
        nights = towns.count(town.database_url, "nights WHERE intake IS NOT NULL")
        code = await town.stop()
    total = waves * each + final
    found = Found(
        f"{total} taps, {waves} kills", f"{handled} updates handled, each once; {taken} of {final} nights taken"
    )
    found.must(handled == total, f"{handled} handled of {total}")
    found.must(taken == final, f"{taken} taken of {final}")
    found.must(nights <= crowd, f"{nights} nights of {crowd} people")
    found.must(code == 0 and "Traceback" not in town.bot.log, "a traceback, or no clean end")
    return found
