"""Set-up, reminder, answer, morning: one whole night of one person, through the real process over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from bot.texts import content
from tests.conftest import Process, both_engines

CONTENT = content.load()


@pytest.fixture
def anew() -> bool:
    return True


@both_engines
async def test_a_person_sets_up_takes_it_and_says_how_the_sleep_was(
    lull: Process, telegram: Telegram, clock: SharedClock
) -> None:
    ada = telegram.person(77, first_name="Ada", language_code="de")
    await ada.send("/start")
    message = await ada.next()
    assert "not medical advice" in message.text

    for label in ("I understand", "22:30", "Berlin", "Citrate"):
        before = message.text
        await ada.press(next(b.text for row in message.buttons for b in row if b.text.startswith(label)))
        message = await ada.until(lambda seen, before=before: seen.text != before)
    assert message.text.startswith("All set.\nNext reminder: Thursday 26 March, 21:45")

    clock.set(datetime(2026, 3, 26, 20, 44, 58, tzinfo=UTC))
    reminder = await ada.next()
    assert reminder.text.startswith("Bedtime 22:30 · 45 minutes left.\nTime for your magnesium (citrate).")
    assert (reminder.at - datetime(2026, 3, 26, 20, 45, tzinfo=UTC)).total_seconds() < 2

    await ada.press("Taken")
    await ada.until(lambda seen: seen.text.startswith("✓ Taken 21:45 · bedtime 22:30"))

    clock.set(datetime(2026, 3, 27, 6, 29, 58, tzinfo=UTC))
    check_in = await ada.next()
    assert check_in.text == "How was your sleep, compared with your usual?"
    assert check_in.silent
    await ada.press("Better", message=check_in.message_id)
    await ada.until(lambda seen: seen.text == "Sleep: Better.\nTaken: yes.")

    nights = lull.rows("SELECT user_id, intake, rating FROM nights")
    assert nights == [(77, 1, 1)]
    (number,) = lull.rows("SELECT tip FROM outbox WHERE kind = 'reminder'")[0]
    shown = CONTENT.tip(CONTENT.tip_id(number) or "")
    assert shown is not None
    assert shown.text.split(" ")[0] in reminder.text
