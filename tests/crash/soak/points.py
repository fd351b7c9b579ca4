"""A death at every named point, on the way of a reminder and on the way of an answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from tests.crash import town as towns
from tests.crash.soak.row import Found, Play
from tests.model import trace

NIGHT = date(2026, 3, 26)
EVENING = datetime(2026, 3, 26, 21, 14, 50, tzinfo=UTC)

OUTGOING = (
    *("before_owe", "after_owe", "before_look_back", "after_look_back", "before_claim", "after_claim"),
    *("before_start", "after_start", "before_send", "after_send", "before_settle", "after_settle"),
)
INCOMING = ("before_store", "after_store", "before_handle", "after_handle", "before_reply")
PASSINGS = (1, 2, 3, 5)
ONCE = ("owe", "look_back")
"""An evening of few people passes these once: a tick does only what there is to do."""
PEOPLE = 6


async def every_point(play: Play) -> Found:
    """Each point at its first passing or, in full, at several."""
    passings = PASSINGS[:1] if play.quick else PASSINGS
    outgoing = [
        f"{point}:{passing}" for point in OUTGOING for passing in (passings[:1] if point.endswith(ONCE) else passings)
    ]
    # Three people press: their presses are stored together, and handled one by one.
    incoming = [f"{point}:{n}" for point in INCOMING for n in passings if n <= (1 if "store" in point else 3)]
    deaths = len(outgoing) + len(incoming)
    found = Found(f"{len(OUTGOING) + len(INCOMING)} points, {deaths} deaths", "")
    sent, most = await sending(play, outgoing, found)
    for number, point in enumerate(incoming):
        play.show((len(outgoing) + number) / deaths, point)
        await taking_in(play, point, found)
    found.seen = (
        f"{sent} of {PEOPLE * len(outgoing)} reminders arrived, at most {most} copies of one; "
        f"taps recorded once at {len(incoming)} deaths; {len(found.broken)} broken"
    )
    return found


async def dies_and_goes_on(town: towns.Town, point: str) -> None:
    """Start a bot that is to die at that point, wait for its death, and start one that is not."""
    await town.bot.start(FAIL_POINT=point)
    code = await town.died()
    assert code == -9, f"it did not die at {point}, but ended with {code}"
    await town.start()


async def sending(play: Play, points: list[str], found: Found) -> tuple[int, int]:
    """A night for each point; every night dies once at its own. Gives the reminders sent, and the most copies of one."""
    async with towns.founded(play.place("sending"), begin=EVENING - timedelta(hours=1), speed=240) as town:
        await town.settle(PEOPLE, beds=[22 * 60])
        for number, point in enumerate(points):
            play.show(number / (len(points) + 5), point)
            town.clock.set(EVENING + timedelta(days=number))
            await dies_and_goes_on(town, point)
            # Copies that may not have arrived go again after two minutes.
            town.jump(max(town.clock.now(), EVENING + timedelta(days=number, minutes=6)))
            tonight = (NIGHT - date(1970, 1, 1)).days + number
            sent = f"outbox WHERE kind = 'reminder' AND state = 'sent' AND night = {tonight}"
            await town.wait(lambda sent=sent: towns.count(town.database_url, sent) == PEOPLE)
            await _press_every_copy(town, number)
            await town.kill()
        verdict = await town.judge(NIGHT, NIGHT + timedelta(days=len(points) - 1))
    found.broken += verdict.broken + trace.impossible(verdict.fates, alone=True, slack=verdict.slack)
    found.must(verdict.sent == PEOPLE * len(points), f"only {verdict.sent} reminders arrived")
    found.must(len(town.taps) >= len(points), f"{len(town.taps)} copies were pressed")
    found.must(verdict.most() <= 3, f"{verdict.most()} copies")
    found.must("Traceback" not in town.bot.log, "a traceback in the log")
    return verdict.sent, verdict.most()


async def _press_every_copy(town: towns.Town, number: int) -> None:
    """One of them, another each evening, presses [Taken] on every copy of tonight's, the newest first."""
    night, person = NIGHT + timedelta(days=number), town.telegram.person(town.people[number % PEOPLE].id)
    tonight = [seen for seen in person.chat if seen.from_bot and seen.at >= EVENING + timedelta(days=number)]
    for seen in reversed(tonight):
        await town.take(person.id, night, message=seen.message_id)
        await town.until(town.clock.now() + timedelta(seconds=5))


async def taking_in(play: Play, point: str, found: Found) -> None:
    """Three people press Taken while the bot is down; it dies at that point and is started again."""
    async with towns.founded(play.place(point), begin=EVENING, speed=30) as town:
        await town.settle(3, beds=[22 * 60])
        await town.start()
        people = [town.telegram.person(person.id) for person in town.people]
        await town.wait(lambda: all(person.chat for person in people))
        await town.kill()
        for person in people:
            await person.press("Taken")
        await dies_and_goes_on(town, point)
        await town.wait(lambda: towns.taps(town.database_url) == 3)
        found.must(await town.telegram.idle(), f"{point}: updates were left")
        found.must(await town.stop() == 0, f"{point}: no clean end")
    found.must("Traceback" not in town.bot.log, f"{point}: a traceback in the log")
