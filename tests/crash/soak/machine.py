"""A disk that is full, a database that goes and comes back, a clock that jumps, and a machine that sleeps."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, date, datetime, timedelta

from bot import health
from tests.crash import promise
from tests.crash import town as towns
from tests.crash.soak import days as calendar
from tests.crash.soak.row import Found, Play

NIGHT = date(2026, 3, 26)
EVENING = datetime(2026, 3, 26, 21, 14, 55, tzinfo=UTC)
AWAY = timedelta(seconds=60)
_IN_HAND = 12
"""Messages that the bot has in hand at once, and so may have noted before its store went."""

_RED_WITHIN = 30.0
"""Real seconds in which the bot must have noticed."""

_WORDS = {"postgresql": "database restarted", "sqlite": "disk full"}


async def stores(play: Play) -> Found:
    """A full disk under SQLite, and an immediate stop of PostgreSQL; each for a minute in the middle of a burst."""
    found = Found("a minute each" + (", 60 people" if play.quick else ", 300 people"), "")
    lines = [await _one_store(play, engine, found) for engine in ("sqlite", "postgresql")]
    found.seen = "; ".join(lines)
    return found


async def _one_store(play: Play, engine: str, found: Found) -> str:
    if engine == "sqlite":
        async with towns.founded(play.place(engine), begin=EVENING, speed=2) as town:
            await town.settle(_crowd(play), beds=[22 * 60])
            with towns.small_disk(town.folder, town) as disk:
                return await _without(play, town, found, engine, disk.fill, disk.free)
    server = play.postgres()
    async with (
        server.database(migrated=False) as url,
        towns.founded(play.place(engine), begin=EVENING, speed=2, database_url=url) as town,
    ):
        town.bot.environment["TMPDIR"] = str(town.folder)
        await town.settle(_crowd(play), beds=[22 * 60])
        return await _without(play, town, found, engine, server.stop, server.start)


def _crowd(play: Play) -> int:
    return 60 if play.quick else 300


async def _without(play: Play, town: towns.Town, found: Found, engine: str, take: object, give: object) -> str:
    """Take the store away in the burst, look for the red light, give it back, wait for the end."""
    assert callable(take)
    assert callable(give)
    crowd, sends = _crowd(play), town.telegram.counts.methods
    await town.start()
    await town.wait(lambda: sends["sendMessage"] >= 10)
    play.show(0.3, _WORDS[engine])
    await asyncio.to_thread(take)
    gone, before = town.clock.now(), sends["sendMessage"]
    red = await _turns(town, red=True)
    await town.until(gone + AWAY)
    meanwhile = sends["sendMessage"] - before
    await asyncio.to_thread(give)
    town.away.append((gone, town.clock.now()))
    async with calendar.begun(town, calendar.Pace(2, 2)) as days:
        town.clock.set(town.clock.now(), speed=10)
        while await days.open():
            await asyncio.sleep(0.1)
    green = await _turns(town, red=False)
    verdict = await town.judge(NIGHT, NIGHT)
    code = await town.stop()
    what = _WORDS[engine]
    found.broken += [f"{what}: {line}" for line in verdict.broken]
    unlabelled = verdict.doubled if engine == "sqlite" else 0
    found.must(verdict.sent == crowd and not unlabelled, f"{what}: {verdict.sent} sent, {verdict.doubled} twice")
    found.must(meanwhile <= _IN_HAND, f"{what}: {meanwhile} left meanwhile")
    found.must(red is not None, f"{what}: health stayed green")
    found.must(green is not None, f"{what}: health stayed red")
    found.must(code == 0, f"{what}: exit code {code}")
    shown = "never" if red is None else f"after {red:.0f} s"
    return f"{what}: {verdict.sent} of {crowd} sent, {verdict.doubled} twice, {meanwhile} left meanwhile, red {shown}"


async def _turns(town: towns.Town, *, red: bool) -> float | None:
    """The real seconds until health has this colour; None when it never has."""
    file, loop = health.state_file(towns.async_url(town.database_url)), asyncio.get_running_loop()
    if town.database_url.startswith("postgresql"):
        file = town.folder / file.name
    began = loop.time()
    while loop.time() < began + _RED_WITHIN:
        if health.check(file)[0] is not red:
            return loop.time() - began
        await asyncio.sleep(0.1)
    return None


async def clock(play: Play) -> Found:
    """The wall clock is set two hours on and back in the middle of a burst; the machine is suspended for 20 minutes."""
    crowd = 40 if play.quick else 200
    found = Found(f"{crowd} reminders in the air, {crowd} to come", "")
    lines = []
    for hours in (2, -2):
        play.show(0.3, f"{hours:+} h")
        verdict = await _jump(play, hours, crowd, found)
        lines.append(f"{hours:+} h: {_fates(verdict)}")
    play.show(0.7, "suspended")
    lines.append(f"suspended: {_fates(await _suspended(play, crowd, found))}")
    found.seen = "; ".join(lines)
    return found


def _fates(verdict: promise.Verdict) -> str:
    told = sum(fate.told for fate in verdict.untold)
    return f"{verdict.sent} sent, {verdict.doubled} twice, {len(verdict.untold)} too late and {told} of them told"


async def _jump(play: Play, hours: int, crowd: int, found: Found) -> promise.Verdict:
    """Half of the reminders are being sent at 20:05 (bedtime 22:05), the other half is due at 22:15 (bedtime 23:00)."""
    begin = datetime(2026, 3, 26, 20, 4, 58, tzinfo=UTC)
    async with towns.founded(play.place(f"by{hours}"), begin=begin - timedelta(hours=3), speed=10) as town:
        await town.settle(crowd, beds=[22 * 60 + 5], lead=120)
        await town.settle(crowd, beds=[23 * 60], lead=45, first=5000)
        town.clock.set(begin)
        await town.start()
        await town.wait(lambda: town.telegram.counts.methods["sendMessage"] >= 10)
        landed = town.clock.now() + timedelta(hours=hours)
        town.jump(landed)
        async with calendar.begun(town, calendar.Pace(10, 10)) as days:
            while await days.in_hand():
                await asyncio.sleep(0.05)
        if hours < 0:
            # Two hours later it is the same evening again.
            town.jump(begin + timedelta(seconds=30))
            await town.until(town.clock.now() + timedelta(seconds=30))
            town.jump(begin + timedelta(hours=2, minutes=9))
        town.clock.set(town.clock.now(), speed=60)
        await town.until(datetime(2026, 3, 26, 22, 18, tzinfo=UTC))
        town.jump(datetime(2026, 3, 27, 7, 4, tzinfo=UTC))
        await town.until(datetime(2026, 3, 27, 7, 8, tzinfo=UTC))
        verdict = await town.judge(NIGHT, NIGHT)
        code = await town.stop()
    found.broken += [f"{hours:+} h: {line}" for line in verdict.broken if not _on_the_wire(line, landed)]
    later = [fate for fate in verdict.fates if fate.due.bed_at.hour == 23]
    found.must(verdict.doubled == 0, f"{hours:+} h: {verdict.doubled} doubled")
    found.must(all(fate.copies for fate in later), f"{hours:+} h: some were lost that were still to come")
    untold = [fate for fate in verdict.untold if not fate.told]
    found.must(not untold, f"{hours:+} h: {len(untold)} were too late and not told")
    found.must(hours > 0 or verdict.sent == 2 * crowd, f"{hours:+} h: only {verdict.sent} sent")
    found.must(code == 0 and "Traceback" not in town.bot.log, f"{hours:+} h: a traceback, or no clean end")
    return verdict


def _on_the_wire(complaint: str, landed: datetime) -> bool:
    """Whether it is about the moment of a message that was leaving while the clock was set, and has the new one's stamp."""
    _, found, stamp = complaint.partition("sent at ")
    return bool(found) and timedelta(0) <= datetime.fromisoformat(stamp) - landed < timedelta(seconds=10)


async def _suspended(play: Play, crowd: int, found: Found) -> promise.Verdict:
    async with towns.founded(play.place("suspended"), begin=EVENING, speed=10) as town:
        await town.settle(crowd, beds=[22 * 60])
        await town.start()
        await town.wait(lambda: town.telegram.counts.methods["sendMessage"] >= 5)
        os.kill(town.bot.pid, signal.SIGSTOP)
        town.jump(town.clock.now() + timedelta(minutes=20))
        os.kill(town.bot.pid, signal.SIGCONT)
        await town.wait(lambda: towns.open_reminders(town.database_url) == 0)
        verdict = await town.judge(NIGHT, NIGHT)
        code = await town.stop()
    found.broken += [f"suspended: {line}" for line in verdict.broken]
    found.must(
        verdict.sent == crowd and not verdict.doubled, f"suspended: {verdict.sent} sent, {verdict.doubled} twice"
    )
    found.must(code == 0, f"suspended: exit code {code}")
    return verdict
