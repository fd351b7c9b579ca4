"""A self-experiment of 28 nights, lived from the gates to the verdict in jumps of simulated time, with the power cut in between."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.clock import SharedClock
from bot.core.experiment import design
from bot.core.experiment.design import Arm, Plan, RunIn
from bot.core.experiment.seed import fingerprint
from bot.fake_telegram.people import Person
from bot.fake_telegram.telegram import Telegram
from tests.conftest import ROOT, Process

FIRST = date(2026, 1, 12)
BED = 22  # UTC, in winter in Berlin 23:00
FAST = 60.0


def at(night: date, hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    return datetime(night.year, night.month, night.day, hour, minute, tzinfo=UTC) + timedelta(days=days)


async def moved_in(lull: Process, telegram: Telegram, clock: SharedClock) -> Person:
    """Ada, set up, bed at 23:00 in Berlin; the bot restarted so that it beats at the clock's new speed."""
    await lull.kill()
    clock.set(at(FIRST, 12), speed=FAST)
    await lull.start()
    ada = telegram.person(77, language_code="de")
    await ada.send("/start")
    message = await ada.next()
    for label in ("I understand", "23:00", "Berlin", "Citrate"):
        before = message.text
        await ada.press(next(b.text for row in message.buttons for b in row if b.text.startswith(label)))
        message = await ada.until(lambda seen, before=before: seen.text != before)
    return ada


async def begin(ada: Person, *labels: str) -> str:
    """Through the gates; what the last page says."""
    await ada.send("/experiment")
    page = await ada.until(lambda seen: "Does it help you?" in seen.text)
    for label in ("Go on", "No, none of it", "Tonight's effect", "28 nights", *labels):
        await ada.press(label, message=page.message_id)
        text = page.text
        page = await ada.until(lambda seen, text=text, n=page.message_id: seen.message_id == n and seen.text != text)
    return page.text


def drawn(lull: Process) -> Plan:
    ((start, length, seed),) = lull.rows("SELECT start, length, seed FROM experiments")
    return Plan(date(1970, 1, 1) + timedelta(days=int(str(start))), int(str(length)), bytes(seed))  # type: ignore[arg-type]


async def live(ada: Person, clock: SharedClock, plan: Plan, night: date) -> None:
    """One evening and one morning, as the reminder says and with a rating that follows it."""
    ada.catch_up()
    clock.set(at(night, BED - 1, 14))
    reminder = await ada.next()
    arm = design.arm_on(plan, night)
    without = isinstance(arm, RunIn) or arm is Arm.OFF
    assert ("Tonight: no magnesium. All else as usual." in reminder.text) is without, (night, reminder.text)
    assert ("Tonight: with magnesium. All else as usual." in reminder.text) is not without
    assert reminder.labels == (["OK", "Took it anyway"] if without else ["Taken", "Snooze", "Couldn't"])
    await ada.press(reminder.labels[0], message=reminder.message_id)
    await ada.until(lambda seen: seen.message_id == reminder.message_id and "✓" in seen.text)
    clock.set(at(night, 7, 59, days=1))
    question = await ada.next()
    rating = "Same" if isinstance(arm, RunIn) else "Worse" if without else "Better"
    await ada.press(rating, message=question.message_id)
    await ada.until(lambda seen: seen.message_id == question.message_id and seen.text.startswith("Sleep:"))


@pytest.mark.long
async def test_a_whole_test_ends_in_a_verdict_that_anybody_can_check(
    lull: Process, telegram: Telegram, clock: SharedClock
) -> None:
    ada = await moved_in(lull, telegram, clock)
    halves = await begin(ada, "Open: I know each night")
    await ada.send("moonlight")
    begun = (await ada.until(lambda seen: "It is on." in seen.text)).text
    plan = drawn(lull)
    ((bots_seed, word),) = lull.rows("SELECT bots_seed, word FROM experiments")
    assert fingerprint(bytes(bots_seed)) in halves  # type: ignore[arg-type]
    assert word == "moonlight"
    assert plan.start == FIRST
    assert fingerprint(plan.seed) in begun
    assert plan.seed.hex() not in begun

    nights = [FIRST + timedelta(days=n) for n in range(design.RUN_IN + plan.length)]
    for number, night in enumerate(nights):
        if number in (3, 15, 30):
            await lull.kill()
            await lull.start()
        if number == 20:
            # The power is away for a whole evening: nobody knows what that night was, so it does not count.
            await lull.kill()
            clock.set(at(night, BED + 1))
            await lull.start()
            clock.set(at(night, 7, 59, days=1))
            question = await ada.until(lambda seen: "was not sent" in seen.text)
            await ada.press("Better", message=question.message_id)
            await ada.until(lambda seen, n=question.message_id: seen.message_id == n and "Sleep" in seen.text)
            continue
        await live(ada, clock, plan, night)
        if number == 17:
            await ada.send("/experiment")
            page = await ada.until(lambda seen: "Sealed until" in seen.text)
            assert "Night 11 of 28" in page.text
            assert "Mornings answered: 18 of 18" in page.text

    result = await ada.until(lambda seen: "you slept better" in seen.text)
    assert "On nights with magnesium you slept better: in 100 of 100 pairs of nights" in result.text
    assert "One person, own rating, not a medical test." in result.text
    await ada.press("Details", message=result.message_id)
    details = await ada.until(lambda seen: "Details of your test" in seen.text)
    assert "1 night does not count, because its reminder did not reach you in time." in details.text
    assert plan.seed.hex() in details.text
    assert "Your word: moonlight" in details.text

    await ada.press("Picture", message=result.message_id)
    picture = await ada.until(lambda seen: seen.media == "photo")
    assert "you slept better" in picture.text

    await ada.send("/export")
    file = await ada.until(lambda seen: seen.media == "document")
    assert file.file_name.endswith(".zip")
    path = lull.folder / file.file_name
    path.write_bytes(file.content)
    # Nothing in its surroundings: neither a token nor a database.
    checked = subprocess.run(
        [sys.executable, "-m", "bot", "experiment", "verify", path],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "On nights with magnesium you slept better" in checked.stdout
    assert "Word:        moonlight" in checked.stdout
    assert fingerprint(plan.seed) in checked.stdout
