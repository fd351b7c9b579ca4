"""Pictures and the Sunday digest through the real process, over real HTTP."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import SharedClock
from bot.fake_telegram.people import Person
from bot.fake_telegram.telegram import Telegram
from bot.texts import content
from tests.conftest import Process

SATURDAY = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


async def settled(ada: Person, telegram: Telegram) -> None:
    """Set up with a bedtime of 22:30 in Berlin."""
    await ada.send("/start")
    message = await ada.next(timeout=30)
    for label in ("I understand", "22:30", "Berlin", "Citrate"):
        before = message.text
        await ada.press(next(b.text for row in message.buttons for b in row if b.text.startswith(label)))
        message = await ada.until(lambda seen, before=before: seen.text != before, timeout=30)


def came_a_month_ago(lull: Process) -> None:
    """As if she had come a month before, with some nights told."""
    connection = sqlite3.connect(lull.folder / "lull.db", timeout=10)
    with connection:
        (created,) = connection.execute("SELECT created_at FROM users").fetchone()
        connection.execute("UPDATE users SET created_at = ?", (created - 30 * 86400,))
        night = (datetime(2026, 3, 20, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
        for shift in range(6):
            connection.execute(
                "INSERT INTO nights (user_id, night, intake, intake_at, rating) VALUES (77, ?, 1, ?, 1)",
                (night + shift, created),
            )
    connection.close()


async def test_a_picture_is_drawn_once_and_then_sent_by_its_file_id(lull: Process, telegram: Telegram) -> None:
    ada = telegram.person(77, first_name="Ada", language_code="de")
    await settled(ada, telegram)
    came_a_month_ago(lull)
    ada.catch_up()

    await ada.send("/diary")
    await ada.next(timeout=30)
    await ada.press("Pictures")
    first = await ada.next(timeout=30)
    assert first.media == "photo"
    assert first.content[:4] == b"\x89PNG"
    assert "Taken on 6 of" in first.text

    await ada.press("Pictures")
    again = await ada.next(timeout=30)
    assert again.media == "photo"
    sent = [call for call in telegram.since(0) if call.method == "sendPhoto"]
    assert len(sent) == 2
    (kept,) = lull.rows("SELECT file_id FROM pictures")
    assert kept[0] in str(sent[1].given)


@pytest.mark.long
async def test_after_three_pictures_in_a_row_there_is_a_word_and_then_silence(
    lull: Process, telegram: Telegram
) -> None:
    ada = telegram.person(77, first_name="Ada", language_code="de")
    await settled(ada, telegram)
    came_a_month_ago(lull)
    await ada.send("/diary")
    await ada.until(lambda seen: "March 2026" in seen.text, timeout=30)
    ada.catch_up()

    for _ in range(9):
        await ada.press("Pictures")
    await ada.send("/help")

    told = [await ada.next(timeout=30)]
    while not told[-1].text.startswith("I remind you"):
        told.append(await ada.next(timeout=30))
    assert [one.media for one in told[:3]] == ["photo"] * 3
    # On a slow machine a fourth may be due again by then: one in twenty seconds is.
    words = [one for one in told[3:-1] if not one.media]
    assert words
    assert all(one.text.startswith("Three pictures a minute") for one in words)
    assert len(told) <= 9


@pytest.mark.long
async def test_on_sunday_the_week_comes_with_the_check_in(
    lull: Process, telegram: Telegram, clock: SharedClock
) -> None:
    ada = telegram.person(77, first_name="Ada", language_code="de")
    await settled(ada, telegram)
    came_a_month_ago(lull)
    for evening in (datetime(2026, 3, 26, 20, 44, 58, tzinfo=UTC) + timedelta(days=shift) for shift in range(3)):
        clock.set(evening)
        ada.catch_up()
        await ada.next(timeout=30)
    ada.catch_up()

    # The clocks went forward in the night: 07:30 is nine hours after 22:30 no more, but the nine hours hold.
    clock.set(datetime(2026, 3, 29, 6, 29, 58, tzinfo=UTC))
    told = [await ada.next(timeout=30), await ada.next(timeout=30)]

    picture = next(one for one in told if one.media == "photo")
    assert any(f"\n{strength} · " in picture.text for strength in content.load().strengths)
    assert any(one.text.endswith("How was your sleep, compared with your usual?") for one in told)
    assert picture.text.startswith("Your week, 21 Mar – 27 Mar\nTaken on 5 of 7 nights.")
    assert picture.silent

    await ada.press("No more of these", message=picture.message_id)
    await ada.until(lambda seen: seen.message_id == picture.message_id and seen.labels == ["Diary"], timeout=30)
    assert lull.rows("SELECT no_digest FROM users") == [(1,)]
