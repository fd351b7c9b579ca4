"""A broadcast whose sender is killed again and again while reminders are due."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot.fake_telegram.people import Person
from tests.crash import town as towns
from tests.crash.soak.row import Found, Play

NIGHT = date(2026, 3, 26)
EVENING = datetime(2026, 3, 26, 21, 14, 30, tzinfo=UTC)
ADMIN = 500
NEWS = "Lull moves to a new machine tonight."
_IN_HAND = 12
"""Copies that are on their way at once, and so may be unknown after a death."""

PROMPT = timedelta(minutes=1)
"""How soon after its minute a reminder leaves, deaths and restarts included; but not one that met a death on its way."""


async def broadcast(play: Play) -> Found:
    """To everybody, with deaths spread over its way; one in 25 of them is owed a reminder meanwhile."""
    crowd, kills, chance = (50, 2, play.chance) if play.quick else (5_000, 20, play.chance)
    few, speed = crowd // 25, 20.0 if play.quick else 5.0
    async with towns.founded(play.folder, begin=EVENING - timedelta(hours=3), speed=speed) as town:
        town.bot.environment["ADMIN_IDS"] = str(ADMIN)
        # Who goes to bed at ten in the morning is wide awake now; who goes at 22:00 gets the news in the morning.
        await town.settle(crowd - few, beds=[10 * 60], first=10_000)
        await town.settle(1, beds=[10 * 60], first=ADMIN)
        town.people.clear()
        await town.settle(few, beds=[22 * 60, 22 * 60 + 1])
        town.clock.set(EVENING - timedelta(seconds=20))
        await town.start()
        admin = town.telegram.person(ADMIN)
        await _begin(town, admin)
        busy = 0
        for number in range(kills):
            await town.wait(lambda number=number: _copies(town) >= (number + 0.5) * (crowd - few) / kills)
            await towns.after_a_message(town, chance, patience=0.3)
            await town.kill()
            busy += towns.count(town.database_url, "recipients WHERE fate = 'sending'") > 0
            await town.start()
            play.show((number + 1) / (kills + 2), f"death {number + 1} of {kills}")
        await town.wait(lambda: towns.count(town.database_url, "recipients WHERE fate = 'pending'") <= few, timeout=120)
        await town.until(EVENING + timedelta(minutes=2, seconds=30))
        await town.wait(lambda: towns.open_reminders(town.database_url) == 0, timeout=60)
        town.jump(datetime(2026, 3, 27, 6, 59, 50, tzinfo=UTC))
        await town.wait(lambda: towns.count(town.database_url, "broadcasts WHERE phase = 'done'") == 1, timeout=120)
        fates = _fates(town.database_url)
        verdict = await town.judge(NIGHT, NIGHT)
        verdict = replace(verdict, stray=())
        copies, code = _arrived(town), await town.stop()
    unknown = {user for user, fate in fates.items() if fate == "unknown"}
    twice = sum(number > 1 for number in copies.values())
    never = [user for user in fates if copies[user] == 0 and user not in unknown]
    first = [(fate.copies[0], fate.copies[0].at - fate.due.remind_at) for fate in verdict.fates if fate.copies]
    late = max((after for copy, after in first if not copy.labelled), default=timedelta())
    found = Found(
        f"{crowd + 1:,} people, {kills} kills",
        f"{busy} deaths with copies in the air; {sum(n == 1 for n in copies.values()):,} got it once, {twice} twice; "
        f"{len(unknown)} marked unknown, {sum(copies[user] == 0 for user in unknown)} of which got none; "
        f"{verdict.sent} of {few} reminders, the latest {late.total_seconds():.0f} s after its minute "
        f"but for {sum(copy.labelled for copy, _ in first)} that met a death and came again",
        list(verdict.broken),
    )
    found.must(len(fates) == crowd + 1, f"{len(fates)} recipients")
    found.must(twice == 0, f"{twice} got it twice")
    found.must(not never, f"{len(never)} got nothing and are not marked")
    found.must(set(fates.values()) <= {"delivered", "unknown"}, f"fates {Counter(fates.values())}")
    found.must(verdict.sent == few, f"{verdict.sent} of {few} reminders")
    most = _IN_HAND * kills
    found.must(len(unknown) <= most, f"{len(unknown)} marked unknown by {kills} deaths")
    found.must(late <= PROMPT, f"a reminder came {late} after its minute")
    found.must(code == 0 and "Traceback" not in town.bot.log, "a traceback, or no clean end")
    return found


async def _begin(town: towns.Town, admin: Person) -> None:
    """As an admin does it: write, reply with /broadcast, send, and yes."""
    original = await admin.send(NEWS)
    await admin.reply(original, "/broadcast")
    await admin.until(lambda seen: "Above is what people will see." in seen.text)
    await admin.press("Send…")
    question = await admin.until(lambda seen: seen.text.startswith("Send it to"))
    await admin.press(question.labels[0], message=question.message_id)
    await town.wait(lambda: towns.count(town.database_url, "recipients") > 0)


def _copies(town: towns.Town) -> int:
    return town.telegram.counts.methods["copyMessage"]


def _arrived(town: towns.Town) -> Counter[int]:
    """How many copies each person has in their chat. The admin saw it once before, as a preview."""
    found: Counter[int] = Counter()
    for person in town.telegram.people.values():
        found[person.id] = sum(seen.from_bot and seen.text == NEWS for seen in person.chat) - (person.id == ADMIN)
    return found


def _fates(url: str) -> dict[int, str]:
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as db:
        return dict(db.execute("SELECT user_id, fate FROM recipients").fetchall())
