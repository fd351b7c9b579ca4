"""An admin writes to everyone: preview, count, bar, pause, stop; nobody twice, nobody at night, nobody who said no."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.clock import SharedClock
from bot.fake_telegram.faults import Fault
from bot.fake_telegram.people import Person
from bot.fake_telegram.telegram import Telegram
from tests.conftest import START, Process, both_engines

ADMIN = 500


@pytest.fixture
async def bot(tmp_path: Path, telegram: Telegram, clock: SharedClock) -> AsyncIterator[Process]:
    clock.set(START, speed=20.0)  # a chat gets a message a second, a bar an edit in three: none of it in real time
    process = Process(tmp_path, telegram.url, environment={"ADMIN_IDS": str(ADMIN)})
    await process.start()
    yield process
    assert await process.stop() == 0, process.log
    assert "Traceback" not in process.log


async def settle_in(telegram: Telegram, user: int, *, zone: str = "Europe/Berlin", language: str = "en") -> Person:
    person = telegram.person(user, language_code=language)
    await person.send("/start bed_2230")
    await person.next()
    await person.press("I understand")
    await person.until(lambda seen: seen.text.startswith("Where do you sleep?"))
    await person.press(data=f"v1:zone:{zone}")
    await person.until(lambda seen: seen.text.startswith("Which magnesium"))
    await person.press("Citrate")
    await person.until(lambda seen: seen.text.startswith("All set."))
    person.catch_up()
    return person


async def drafted(admin: Person, text: str) -> None:
    """Write a message, reply to it with /broadcast, and see the preview and the draft."""
    original = await admin.send(text)
    await admin.reply(original, "/broadcast")
    # An earlier broadcast may reach the admin, too, in between.
    draft = await admin.until(lambda seen: seen.message_id > original and "Above is what people will see." in seen.text)
    assert any(
        seen.from_bot and seen.text == text and original < seen.message_id < draft.message_id for seen in admin.chat
    )
    admin.catch_up()


async def begun(admin: Person) -> None:
    await admin.press("Send…")
    question = await admin.until(lambda seen: seen.text.startswith("Send it to"))
    await admin.press(question.labels[0], message=question.message_id)


async def test_everyone_who_may_be_reached_gets_it_once(bot: Process, telegram: Telegram) -> None:
    admin = await settle_in(telegram, ADMIN)
    people = await asyncio.gather(*(settle_in(telegram, user) for user in (1, 2, 3)))
    stopped = await settle_in(telegram, 4)
    await stopped.send("/stop")
    await stopped.next()
    blocked = await settle_in(telegram, 5)
    await blocked.deactivate()

    await drafted(admin, "Lull moves to a new machine tonight.")
    await begun(admin)
    report = await admin.until(lambda seen: ": done" in seen.text)

    for person in people:
        assert (await person.next()).text == "Lull moves to a new machine tonight."
    assert [seen.text for seen in stopped.chat if "machine" in seen.text] == []
    assert "Delivered 4" in report.text
    assert "Blocked 1 · unknown 0 · failed 0" in report.text
    assert bot.rows("SELECT fate, count(*) FROM recipients GROUP BY fate") == [("blocked", 1), ("delivered", 4)]


async def test_people_asleep_get_it_when_they_wake(bot: Process, telegram: Telegram, clock: SharedClock) -> None:
    admin = await settle_in(telegram, ADMIN)
    sleeper = await settle_in(telegram, 1, zone="Asia/Tokyo")
    clock.set(datetime(2026, 3, 26, 15, 0, tzinfo=UTC))  # 00:00 in Tokyo
    await drafted(admin, "Good morning")
    await begun(admin)
    await admin.until(lambda seen: "Delivered 1" in seen.text)
    assert bot.rows("SELECT fate FROM recipients WHERE user_id = 1") == [("pending",)]
    clock.set(datetime(2026, 3, 26, 22, 30, 1, tzinfo=UTC))
    await sleeper.until(lambda seen: seen.text == "Good morning")
    await admin.until(lambda seen: ": done" in seen.text)


async def test_a_copy_that_may_have_arrived_is_counted_and_not_repeated(bot: Process, telegram: Telegram) -> None:
    admin = await settle_in(telegram, ADMIN)
    ada = await settle_in(telegram, 1)
    await drafted(admin, "Once only")
    telegram.fault(Fault("drop_after", method="copyMessage", chat_id=1, count=1))
    await begun(admin)
    report = await admin.until(lambda seen: ": done" in seen.text)
    assert "Delivered 1" in report.text
    assert "unknown 1" in report.text
    assert [seen.text for seen in ada.chat].count("Once only") == 1


@pytest.mark.long
async def test_a_death_in_the_middle_repeats_nothing_and_goes_on(bot: Process, telegram: Telegram) -> None:
    admin = await settle_in(telegram, ADMIN)
    people = await asyncio.gather(*(settle_in(telegram, user) for user in range(1, 9)))
    await drafted(admin, "Still here")
    await bot.stop()
    # The first of them: on a slow machine so few copies share all their settlements.
    await bot.start(FAIL_POINT="after_settle_copy:1")
    await begun(admin)
    assert bot.running is not None
    await asyncio.wait_for(bot.running.wait(), 60)
    await bot.start()
    await admin.until(lambda seen: ": done" in seen.text)
    copies = [sum(seen.text == "Still here" for seen in person.chat) for person in people]
    unknown = bot.rows("SELECT count(*) FROM recipients WHERE fate = 'unknown'")[0][0]
    assert max(copies) == 1
    assert isinstance(unknown, int)
    assert sum(copies) >= len(people) - unknown


async def test_two_broadcasts_cannot_run_at_once(bot: Process, telegram: Telegram) -> None:
    admin = await settle_in(telegram, ADMIN)
    await settle_in(telegram, 1)
    telegram.fault(Fault("delay", method="copyMessage", chat_id=1, count=1, seconds=60))
    await drafted(admin, "First")
    await begun(admin)
    first = (await admin.until(lambda seen: ": running" in seen.text)).message_id
    await drafted(admin, "Second")
    await begun(admin)
    await admin.until(lambda seen: "Another broadcast is under way" in seen.text)
    await admin.press("Stop", message=first)
    await admin.until(lambda seen: seen.message_id == first and ": stopped" in seen.text)


async def test_nobody_else_can_press_an_admins_buttons(bot: Process, telegram: Telegram) -> None:
    admin = await settle_in(telegram, ADMIN)
    mallory = await settle_in(telegram, 66)
    await mallory.send("/broadcast")
    assert "I do not know that command" in (await mallory.next()).text
    await mallory.send("/admin")
    assert "I do not know that command" in (await mallory.next()).text
    await drafted(admin, "Secret plans")
    for verb in ("bc_go:1:1", "bc_ask:1", "bc_stop:1", "adm", "adm_reload", "bc_cancel:1"):
        query = await mallory.press(data=f"v1:{verb}", message=mallory.last.message_id)
        assert "out of date" in (await mallory.answered(query)).text
    assert bot.rows("SELECT phase FROM broadcasts") == [("draft",)]
    assert "an admin's command or button from somebody else" in bot.log


async def test_whoever_said_no_to_news_gets_none(bot: Process, telegram: Telegram) -> None:
    admin = await settle_in(telegram, ADMIN)
    ada = await settle_in(telegram, 1)
    await ada.send("/settings")
    await ada.next()
    await ada.press("News: on")
    await ada.until(lambda seen: any(b.text == "News: off" for row in seen.buttons for b in row))
    await drafted(admin, "News")
    await begun(admin)
    await admin.until(lambda seen: ": done" in seen.text)
    assert [seen.text for seen in ada.chat].count("News") == 0


@both_engines
async def test_the_first_admin_is_made_by_the_one_time_link(lull: Process, telegram: Telegram) -> None:
    ada, eve = telegram.person(1), telegram.person(2)
    await ada.send("/start")
    await ada.next()
    code = await lull.claim()
    await ada.send(f"/start claim_{code}")
    assert "You are the admin now" in (await ada.next()).text
    await eve.send(f"/start claim_{code}")
    assert "used up or too old" in (await eve.next()).text
    await ada.send("/admin")
    panel = await ada.next()
    assert "fewer than 10" in panel.text
    await ada.press("Audit")
    assert "claimed with the one-time link" in (await ada.next()).text
