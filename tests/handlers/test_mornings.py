"""The morning: one question, one tap; what it turns into, and what follows when nobody answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.fake_telegram.people import Person, Seen
from tests.handlers.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "How was your sleep, compared with your usual?"
STEPS = {"Much better": 2, "Better": 1, "Same": 0, "Worse": -1, "Much worse": -2}


async def asked(house: House) -> tuple[Person, Seen]:
    """Somebody in the morning after a reminder that was not answered, with the question on the screen."""
    house.at("2026-03-26T17:30")
    person = await house.settled()
    person.catch_up()
    house.at("2026-03-26T20:44:55")
    await person.next()
    house.at("2026-03-27T06:29:55")
    question = await person.next()
    assert question.text == QUESTION
    return person, question


async def test_the_question_is_silent_and_asks_what_is_not_known(house: House) -> None:
    _, question = await asked(house)

    assert question.silent
    assert question.labels == [*STEPS, "Took it", "Didn't"]


@pytest.mark.parametrize("step", STEPS)
async def test_one_tap_is_an_answer_and_can_be_taken_back(house: House, step: str) -> None:
    person, question = await asked(house)

    await house.taps(person, step, becomes=f"Sleep: {step}.")
    assert house.nights(person, "rating", "late") == [(STEPS[step], None)]
    await house.taps(person, "Undo", message=question.message_id, becomes=QUESTION)

    assert house.nights(person, "rating", "rated_at") == [(None, None)]


@pytest.mark.parametrize(("answer", "intake"), [("Took it", 1), ("Didn't", 2)])
async def test_the_intake_is_asked_once_and_the_reminder_shows_it(house: House, answer: str, intake: int) -> None:
    person, question = await asked(house)

    await house.taps(person, answer)
    await person.until(lambda seen: seen.message_id == question.message_id and "Took it" not in seen.labels)

    assert house.nights(person, "intake") == [(intake,)]
    shown = "✓ Taken, noted 07:3" if intake == 1 else "Skipped."
    await person.until(lambda seen: seen.message_id < question.message_id and seen.text.startswith(shown))


async def test_after_noon_the_intake_is_closed_and_the_rating_is_not(house: House) -> None:
    person, _ = await asked(house)
    house.at("2026-03-27T11:30")

    assert "closed" in await house.noticed(person, button="Took it")
    rated = await house.taps(person, "Same", becomes="Sleep: Same.")

    assert "Took it" not in rated.labels
    assert house.nights(person, "rating") == [(0,)]


async def test_an_answer_after_the_next_reminder_is_kept_and_marked_late(house: House) -> None:
    person, _ = await asked(house)
    house.at("2026-03-27T20:46")

    await house.noticed(person, data="v1:rate:2026-03-26:1")

    assert house.nights(person, "night", "rating", "late")[0][1:] == (1, 1)


@pytest.mark.parametrize(
    ("line", "says", "check_ins", "off"),
    [
        ("/checkin 07:15", "Morning question: 07:15.", "435", 0),
        ("/checkin sat,sun 09:30", "Sat, Sun 09:30", "450,450,450,450,570,570,450", 0),
        ("/checkin weekends 09:30", "Sat, Sun 09:30", "450,450,450,450,570,570,450", 0),
        ("/checkin off", "Morning question: off.", None, 1),
        ("/checkin auto", "Morning question: 9 hours after bedtime.", None, 0),
    ],
)
async def test_the_time_of_the_question_is_the_persons_own(
    house: House, line: str, says: str, check_ins: str | None, off: int
) -> None:
    house.at("2026-03-26T17:30")
    person = await house.settled()

    answer = await house.says(person, line)

    assert says in answer.text
    assert house.row(person, "check_ins", "no_check_in") == (check_ins, off)


async def test_a_week_of_silence_brings_one_question_then_weekly_and_a_word_brings_everything_back(
    house: House,
) -> None:
    house.at("2026-03-01T17:30")
    person = await house.settled()
    texts: list[str] = []
    day = datetime(2026, 3, 1, tzinfo=UTC)

    while len(texts) < 8:
        person.catch_up()
        house.at(day.replace(hour=20, minute=44, second=55))
        assert (await person.next()).text.startswith("Bedtime 22:30")
        day += timedelta(days=1)
        house.at(day.replace(hour=6, minute=30))
        texts.append((await person.next()).text)
        house.at(day.replace(hour=14))
        await _history(house, person)

    assert [text.startswith(QUESTION) for text in texts] == [True] * 7 + [False]
    assert "for a week" in texts[-1]
    assert house.row(person, "cadence", "unanswered") == ("weekly", 7)
    await house.says(person, "hello")
    assert house.row(person, "cadence", "unanswered") == (None, None)


async def _history(house: House, person: Person) -> None:
    """Until nothing of the last evening is open any more."""
    open_rows = "SELECT COUNT(*) FROM outbox WHERE user_id = ?"
    for _ in range(400):
        if house.lull.rows(open_rows, person.id) == [(0,)]:
            return
        await house.telegram.idle(quiet=0.02)
    raise AssertionError(house.lull.rows("SELECT kind, state, close_at FROM outbox WHERE user_id = ?", person.id))
