"""Telegram that says wait in a burst, and Telegram that is away over the evening."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime, timedelta

from bot.core import halting
from bot.fake_telegram.faults import Fault
from bot.fake_telegram.people import Person
from bot.fake_telegram.telegram import Call
from tests.crash import promise
from tests.crash import town as towns
from tests.crash.soak.row import Found, Play

NIGHT = date(2026, 3, 26)
EVENING = datetime(2026, 3, 26, 21, 14, 55, tzinfo=UTC)
STORM = 60
"""Seconds for which Telegram asks to wait."""

AWAY = datetime(2026, 3, 26, 21, 0, tzinfo=UTC)
FOR = timedelta(minutes=30)
SHAPES = {
    "connections close": {"kind": "drop_before"},
    "502": {"kind": "status", "code": 502, "html": True},
    "accepted and silent": {"kind": "silent"},
}


async def storm(play: Play) -> Found:
    """One 429 in the middle of a burst delays nobody but its chat; then one of another chat halts the reminders, and answers
    go on. What Telegram asks for plays no part: the halt is probed after half a minute."""
    people, skip = (60, 10) if play.quick else (2_000, 400)
    speed = 20.0 if play.quick else 10.0
    async with towns.founded(play.folder, begin=EVENING, speed=speed) as town:
        await town.settle(people, beds=[22 * 60])
        strangers = [town.telegram.person(77 + number) for number in range(4)]
        await town.start()
        town.telegram.fault(Fault("too_many", "sendMessage", skip=skip, count=1, retry_after=STORM))
        await town.wait(lambda: len(_refused(town)) == 1)
        await town.wait(lambda: len(_reminders(town, _refused(town)[0].at, 3.0, strangers)) > 1)
        town.telegram.fault(Fault("too_many", "sendMessage", count=1, retry_after=STORM))
        await town.wait(lambda: len(_refused(town)) == 2)
        halted = _refused(town)[1]
        answers = []
        for stranger in strangers:
            asked = town.clock.now()
            await stranger.send("/start")
            answer = await stranger.next()
            answers.append((town.clock.now() - asked).total_seconds())
            play.show(0.3, f"answered after {answers[-1]:.1f} s of the storm")
            await asyncio.sleep(5 / speed)
        await town.wait(lambda: towns.open_reminders(town.database_url) == 0, timeout=120)
        verdict = await town.judge(NIGHT, NIGHT)
        late = len(_reminders(town, halted.at + 2, halting.PROBES[0] - 4, strangers))
        code = await town.stop()
    found = Found(
        f"{people:,} reminders of one minute, two chats refused for {STORM} s",
        f"{verdict.sent:,} of {people:,} sent, {verdict.doubled} twice, {late} during the halt; "
        f"{len(answers)} answers meanwhile, the slowest after {max(answers):.1f} s",
        list(verdict.broken),
    )
    found.must(verdict.sent == people and verdict.doubled == 0, f"{verdict.sent} sent, {verdict.doubled} doubled")
    found.must(late == 0, f"{late} reminders during the halt")
    found.must(max(answers) < STORM / 2, f"an answer came after {max(answers):.1f} s")
    found.must(answer.at.timestamp() < halted.at + STORM, "the last answer came only after the storm")
    found.must(code == 0, f"exit code {code}")
    return found


def _refused(town: towns.Town) -> list[Call]:
    return [call for call in town.telegram.calls if call.status == 429]


def _reminders(town: towns.Town, begin: float, seconds: float, strangers: list[Person]) -> list[Call]:
    """Reminders asked for in these seconds."""
    ids = {one.id for one in strangers}
    calls = [call for call in town.telegram.called_with("sendMessage") if begin < call.at < begin + seconds]
    return [call for call in calls if int(str(call.given["chat_id"])) not in ids]


async def outage(play: Play) -> Found:
    """Half an hour without Telegram: some reminders are late, others come too late and are told of in the morning."""
    crowd, shapes = (6, ["502"]) if play.quick else (200, list(SHAPES))
    found, lines = Found(f"{len(shapes)} ways to be away, {crowd} people each", ""), []
    for number, shape in enumerate(shapes):
        play.show(number / len(shapes), shape)
        lines.append(await _one_outage(play, shape, crowd, found))
    found.seen = "; ".join(lines)
    return found


async def _one_outage(play: Play, shape: str, crowd: int, found: Found) -> str:
    """Half of the people have their whole window inside the outage (21:10 to 21:25), the others until 21:55."""
    begin, half = AWAY - timedelta(minutes=1), crowd // 2
    place = play.place(shape.replace(" ", "_"))
    async with towns.founded(place, begin=begin, speed=120) as town:
        await town.settle(half, beds=[21 * 60 + 30], lead=20)
        await town.settle(half, beds=[22 * 60], lead=45, first=5000)
        await town.start()
        await town.until(AWAY)
        town.telegram.fault(Fault(**SHAPES[shape], lasting=FOR.total_seconds()))  # type: ignore[arg-type]
        await town.until(AWAY + FOR + timedelta(minutes=26))
        town.jump(AWAY + timedelta(hours=9, minutes=29))
        # Asked at 06:30 and at 07:00.
        await town.until(AWAY + timedelta(hours=10, minutes=2))
        await town.wait(
            lambda: towns.count(town.database_url, "outbox WHERE kind = 'check_in' AND state = 'sent'") == crowd
        )
        verdict = await town.judge(NIGHT, NIGHT)
        code = await town.stop()
    late = [fate for fate in verdict.fates if fate.due.bed_at.hour == 22]
    lost = [fate for fate in verdict.fates if not fate.copies]
    arrived, told = sum(bool(fate.copies) for fate in late), sum(fate.told for fate in lost)
    found.broken += [f"{shape}: {what}" for what in verdict.broken]
    found.must(arrived == len(late), f"{shape}: {len(late) - arrived} could still be reminded and were not")
    early = [copy for fate in late for copy in fate.copies if copy.heard and copy.at <= AWAY + FOR]
    found.must(not early, f"{shape}: {len(early)} were answered while Telegram was away")
    wrong = sum(not _true_to_time(fate.copies[-1], fate.due.bed_at) for fate in late if fate.copies)
    found.must(not wrong, f"{shape}: {wrong} late reminders say another time than is left")
    found.must(told == len(lost), f"{shape}: {len(lost) - told} were not told")
    found.must(len(verdict.fates) == crowd, f"{shape}: {len(verdict.fates)} nights were judged")
    found.must(code == 0 and "Traceback" not in town.bot.log, f"{shape}: a traceback, or no clean end")
    return f"{shape}: {arrived} of {len(late)} late and arrived, {told} of {len(lost)} told in the morning"


def _true_to_time(copy: promise.Copy, bed_at: datetime) -> bool:
    """Whether a late reminder says how many minutes are left, give or take what simulated time blurs."""
    said = re.search(r"(\d+) minutes? left", copy.text)
    return said is not None and abs((bed_at - copy.at).total_seconds() / 60 - int(said[1])) < 1.5
