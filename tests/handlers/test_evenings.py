"""The evening: the reminder at its minute, every button, every change before and after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.fake_telegram.faults import Fault
from bot.fake_telegram.people import Person, Seen
from tests.handlers.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

DUE = datetime(2026, 3, 26, 20, 45, tzinfo=UTC)
"""The reminder's moment for a bedtime of 22:30 in Berlin."""
NIGHT = 20538
"""26 March 2026, in days since 1970."""
ASKS = ["Taken", "Snooze", "Skip tonight"]


def begins(house: House, hour: int = 17, minute: int = 30) -> None:
    house.at(datetime(2026, 3, 26, hour, minute, tzinfo=UTC))


async def at_home(house: House, **schedule: str) -> Person:
    begins(house)
    person = await house.settled(**schedule)
    person.catch_up()
    return person


async def reminded(house: House, person: Person) -> Seen:
    """The reminder of the evening, once its minute has come."""
    house.at(DUE - timedelta(seconds=5))
    seen = await person.next()
    assert seen.text.startswith("Bedtime 22:30 · 45 minutes left.\nTime for your magnesium (citrate)."), seen.text
    return seen


async def silent_until(house: House, person: Person, moment: datetime) -> None:
    """Nothing comes to this person up to that moment: a question asked there is the next thing answered."""
    house.at(moment)
    answer = await house.says(person, "zzz")
    assert answer.text.startswith("I did not understand")


async def test_the_reminder_comes_at_its_minute_with_three_buttons(house: House) -> None:
    person = await at_home(house)

    seen = await reminded(house, person)

    assert DUE <= seen.at < DUE + timedelta(minutes=1)
    assert seen.labels == ASKS
    assert not seen.silent


async def test_taken_turns_the_message_into_its_record_and_a_second_press_adds_nothing(house: House) -> None:
    person = await at_home(house)
    seen = await reminded(house, person)

    await house.taps(person, "Taken", becomes="✓ Taken 21:4")
    again = await house.noticed(person, data="v1:taken:2026-03-26")

    assert again.startswith("Noted already: taken 21:4")
    assert person.last.text.startswith("✓ Taken 21:4")
    assert person.last.text.endswith("· bedtime 22:30")
    assert person.last.labels == ["Undo"]
    assert person.last.message_id == seen.message_id
    assert house.nights(person, "night", "intake") == [(NIGHT, 1)]


async def test_undo_works_for_ten_minutes(house: House) -> None:
    person = await at_home(house)
    await reminded(house, person)
    await house.taps(person, "Taken", becomes="✓ Taken")

    await house.taps(person, "Undo", becomes="Bedtime 22:30")
    assert person.last.labels == ASKS
    assert house.nights(person, "intake", "intake_at") == [(None, None)]
    await house.taps(person, "Taken", becomes="✓ Taken")
    house.at(DUE + timedelta(minutes=20))
    assert "ten minutes" in await house.noticed(person, button="Undo")

    await person.until(lambda one: one.text.startswith("✓ Taken") and not one.labels)
    assert house.nights(person, "intake") == [(1,)]


@pytest.mark.parametrize(
    ("choice", "minutes"), [("10 min", 10), ("20 min", 20), ("30 min", 30), ("Just before bed", 39)]
)
async def test_a_snooze_brings_it_back_and_keeps_what_was_planned(house: House, choice: str, minutes: int) -> None:
    person = await at_home(house)
    first = await reminded(house, person)
    await house.taps(person, "Snooze")
    await person.until(lambda seen: "Just before bed" in seen.labels)

    snoozed = await house.taps(person, choice, becomes="Snoozed until ")

    assert snoozed.message_id == first.message_id
    assert snoozed.text.endswith("Planned 21:45 · bedtime 22:30")
    assert snoozed.labels == ["Taken", "Skip tonight"]
    house.at(DUE + timedelta(minutes=minutes))
    back = await person.next()
    assert back.text.startswith("Bedtime 22:30 · ")
    assert DUE + timedelta(minutes=minutes) <= back.at < DUE + timedelta(minutes=minutes + 3)
    await house.taps(person, "Taken", message=back.message_id, becomes="✓ Taken")
    assert house.lull.rows("SELECT state FROM outbox WHERE user_id = ? AND kind = 'reminder'", person.id) == [("sent",)]


async def test_a_snooze_can_be_thought_better_of_and_can_be_too_late(house: House) -> None:
    person = await at_home(house)
    await reminded(house, person)
    await house.taps(person, "Snooze")
    await person.until(lambda seen: "Just before bed" in seen.labels)
    await house.taps(person, "‹ Back")
    await person.until(lambda seen: seen.labels == ASKS)

    house.at(DUE + timedelta(minutes=41))
    assert "too close to bedtime" in await house.noticed(person, data="v1:snz:2026-03-26:10")


async def test_a_snoozed_reminder_leaves_one_message_which_says_when_the_first_came(house: House) -> None:
    person = await at_home(house)
    first = await reminded(house, person)
    await house.taps(person, "Snooze")
    await person.until(lambda seen: "Just before bed" in seen.labels)
    await house.taps(person, "10 min", becomes="Snoozed until ")

    house.at(DUE + timedelta(minutes=10))
    second = await person.next()

    assert "First reminder 21:45." in second.text.splitlines()
    await person.gone(first.message_id)
    assert second.message_id in [seen.message_id for seen in person.chat]


async def test_a_change_of_the_settings_does_not_lose_a_snoozed_reminder(house: House) -> None:
    person = await at_home(house)
    await reminded(house, person)
    await house.taps(person, "Snooze")
    await person.until(lambda seen: "Just before bed" in seen.labels)
    await house.taps(person, "20 min", becomes="Snoozed until ")

    await house.says(person, "/form glycinate")
    house.at(DUE + timedelta(minutes=20))

    back = await person.next()
    assert "Time for your magnesium (glycinate)." in back.text


async def test_a_first_message_that_cannot_be_deleted_loses_its_buttons(house: House) -> None:
    person = await at_home(house)
    first = await reminded(house, person)
    await house.taps(person, "Snooze")
    await person.until(lambda seen: "Just before bed" in seen.labels)
    await house.taps(person, "10 min", becomes="Snoozed until ")
    text = "Bad Request: message can't be deleted for everyone"
    house.telegram.fault(Fault("status", "deleteMessage", person.id, code=400, count=1, description=text))

    house.at(DUE + timedelta(minutes=10))
    await person.next()

    await person.until(lambda seen: seen.message_id == first.message_id and seen.labels == [])
    house.provoked |= {call.number for call in house.telegram.calls if call.method == "deleteMessage" and call.fault}


@pytest.mark.parametrize(
    ("said", "pressed", "asks", "change"),
    [
        ("Taken", "skip", "Taken 21:4", "Change to not taken"),
        ("Skip tonight", "taken", "“Not taken” is noted.", "Change to taken"),
    ],
)
async def test_a_contrary_press_on_an_old_copy_asks_before_it_changes_anything(
    house: House, said: str, pressed: str, asks: str, change: str
) -> None:
    person = await at_home(house)
    seen = await reminded(house, person)
    glance = await house.says(person, "/tonight")
    await house.taps(person, said, message=seen.message_id, becomes="✓ Taken" if said == "Taken" else "Skipped.")
    answer = house.nights(person, "intake")

    await person.press(data=f"v1:{pressed}:2026-03-26", message=glance.message_id)
    asked = await person.until(lambda one: one.message_id == glance.message_id and one.text.startswith(asks))

    assert asked.text.endswith("is noted. Change it?")
    assert asked.labels == [change, "Keep"]
    assert house.nights(person, "intake") == answer
    await house.taps(person, "Keep", message=glance.message_id)
    await person.until(lambda one: one.message_id == glance.message_id and "Keep" not in one.labels)
    assert house.nights(person, "intake") == answer
    await person.press(data=f"v1:{pressed}:2026-03-26", message=glance.message_id)
    await person.until(lambda one: one.message_id == glance.message_id and one.labels == [change, "Keep"])
    await house.taps(person, change, message=glance.message_id)
    await person.until(lambda one: one.message_id == glance.message_id and change not in one.labels)
    assert house.nights(person, "intake") != answer


@pytest.mark.parametrize("reason", ["ran out", "forgot it", "upset stomach", "alcohol", "other"])
async def test_a_skip_is_recorded_at_once_and_its_reason_is_a_second_tap(house: House, reason: str) -> None:
    person = await at_home(house)
    await reminded(house, person)

    skipped = await house.taps(person, "Skip tonight", becomes="Skipped.")
    assert skipped.text == "Skipped.\nWhy? (You need not say.)"
    assert house.nights(person, "intake", "reason") == [(2, None)]
    await house.taps(person, reason, becomes=f"Skipped: {reason}.")

    ((intake, stored),) = house.nights(person, "intake", "reason")
    assert (intake, stored is not None) == (2, True)


async def test_took_before_the_reminder_silences_it(house: House) -> None:
    person = await at_home(house)

    answer = await house.says(person, "/took")

    assert answer.text.startswith("✓ Taken 18:3")
    await silent_until(house, person, DUE + timedelta(minutes=5))


async def test_took_after_the_reminder_shows_on_it_too_and_twice_is_once(house: House) -> None:
    person = await at_home(house)
    seen = await reminded(house, person)

    first = await house.says(person, "/took")
    await person.until(lambda one: one.message_id == seen.message_id and one.text.startswith("✓ Taken"))
    house.at(DUE + timedelta(minutes=15))
    second = await house.says(person, "/took")

    assert first.text == second.text
    assert second.labels == []


async def test_took_in_the_morning_light_says_from_when_it_counts(house: House) -> None:
    person = await at_home(house)
    house.at("2026-03-27T13:00")

    answer = await house.says(person, "/took")

    assert answer.text == "It is early: I can note it from 18:00 on. Your reminder stays as planned."


@pytest.mark.parametrize("answer", ["Taken already", "Skip tonight"])
async def test_tonight_can_be_answered_before_the_reminder(house: House, answer: str) -> None:
    person = await at_home(house)
    glance = await house.says(person, "/tonight")
    assert glance.text.startswith("Thursday 26 March\nBedtime 22:30\nNext reminder: Thursday 26 March, 21:45")
    assert glance.labels == ["Taken already", "Later tonight", "Skip tonight"]

    await house.taps(person, answer, becomes="✓ Taken" if answer == "Taken already" else "Skipped.")

    await silent_until(house, person, DUE + timedelta(minutes=5))


@pytest.mark.parametrize("sent", [False, True], ids=["before the reminder", "after the reminder"])
async def test_later_tonight_moves_tonight_alone(house: House, *, sent: bool) -> None:
    person = await at_home(house)
    if sent:
        await reminded(house, person)
    await house.says(person, "/tonight")
    await house.taps(person, "Later tonight", becomes="Later tonight: when")

    await house.taps(person, "23:30", becomes="Thursday 26 March\nBedtime 23:30")

    house.at(DUE + timedelta(minutes=60))
    back = await person.next()
    assert back.text.startswith("Bedtime 23:30 · 45 minutes left.")
    tomorrow = await house.says(person, "/lead 45")
    assert "Friday 27 March, 21:45" in tomorrow.text


async def test_later_tonight_leads_back_and_refuses_what_is_past(house: House) -> None:
    person = await at_home(house)
    await house.says(person, "/tonight")
    await house.taps(person, "Later tonight", becomes="Later tonight: when")
    refused = await house.says(person, "18:00")
    assert refused.text.startswith("That is too soon")

    await house.taps(person, "‹ Back", becomes="Thursday 26 March\nBedtime 22:30")


@pytest.mark.parametrize(
    ("line", "tonight_at"),
    [
        ("/bedtime 23:00", "22:15"),
        ("/bedtime thu 23:15", "22:30"),
        ("/lead 30", "22:00"),
        ("/timezone Europe/Athens", "21:45"),
        ("/form oxide", "21:45"),
    ],
)
async def test_a_change_before_the_reminder_counts_tonight(house: House, line: str, tonight_at: str) -> None:
    person = await at_home(house)

    answer = await house.says(person, line)

    assert f"Next reminder: Thursday 26 March, {tonight_at}" in answer.text


@pytest.mark.parametrize(
    ("line", "tomorrow_at"),
    [
        ("/bedtime 23:00", "22:15"),
        ("/lead 30", "22:00"),
        ("/timezone America/New_York", "21:45"),
        ("/form oxide", "21:45"),
    ],
)
async def test_a_change_after_the_reminder_counts_from_tomorrow(house: House, line: str, tomorrow_at: str) -> None:
    person = await at_home(house)
    await reminded(house, person)

    answer = await house.says(person, line)

    assert f"Next reminder: Friday 27 March, {tomorrow_at}" in answer.text
    reminders = house.lull.rows("SELECT night FROM outbox WHERE user_id = ? AND kind = 'reminder'", person.id)
    assert reminders == [(NIGHT,)]


async def test_a_change_that_puts_tonight_into_the_past_starts_tomorrow(house: House) -> None:
    person = await at_home(house)

    answer = await house.says(person, "/bedtime 18:45")

    assert "Next reminder: Friday 27 March, 18:00" in answer.text


async def test_a_journey_ends_by_itself(house: House) -> None:
    person = await at_home(house)
    asked = await house.says(person, "/timezone Asia/Tokyo")
    assert asked.text.startswith("Tokyo, Japan. It is ")
    assert asked.labels == ["For good", "Until a date", "Another place"]
    await house.taps(person, "Until a date", becomes="Until when?")

    answer = await house.says(person, "28 Mar")

    assert answer.text.startswith("I am with you over there until 28 Mar, then back to Berlin.")
    assert house.row(person, "zone", "away_zone") == ("Europe/Berlin", "Asia/Tokyo")
    house.at("2026-03-27T12:44:50")
    assert (await person.next()).at.hour == 12
    house.at("2026-03-28T20:44:50")
    later = await person.until(lambda seen: seen.at > datetime(2026, 3, 28, 20, tzinfo=UTC))
    assert later.text.startswith("Bedtime 22:30 · 45 minutes left.")
    assert house.row(person, "zone", "away_zone") == ("Europe/Berlin", None)


@pytest.mark.parametrize("wanted", [0, 1, 2])
async def test_as_many_nudges_as_were_asked_for_the_last_just_before_bed(house: House, wanted: int) -> None:
    person = await at_home(house)
    await house.noticed(person, data=f"v1:nudges:{wanted}")
    await reminded(house, person)

    times = []
    for number in range(wanted):
        (due,) = await _nudge_due(house, person, number)
        house.at(due - timedelta(seconds=5))
        nudge = await person.next()
        assert nudge.text.endswith("minutes to bedtime. Taken yet?")
        assert nudge.labels == ASKS
        times.append(nudge.at)
    await silent_until(house, person, DUE + timedelta(minutes=44))

    assert all(at < DUE + timedelta(minutes=40) for at in times)
    assert wanted == 0 or times[-1] >= DUE + timedelta(minutes=39)


async def _nudge_due(house: House, person: Person, number: int) -> list[datetime]:
    for _ in range(200):
        rows = house.lull.rows(
            "SELECT due_at FROM outbox WHERE user_id = ? AND kind = 'nudge' AND state = 'due' AND tries = ?",
            person.id,
            number,
        )
        if rows:
            return [datetime.fromtimestamp(int(str(rows[0][0])), UTC)]
        await house.telegram.idle(quiet=0.02)
    raise AssertionError("no nudge is owed")


async def test_discreet_and_quiet_change_the_next_reminder(house: House) -> None:
    person = await at_home(house)
    for switch in ("discreet", "quiet"):
        await house.noticed(person, data=f"v1:toggle:{switch}")

    house.at(DUE - timedelta(seconds=5))
    seen = await person.next()

    assert "magnesium" not in seen.text.lower()
    assert "Time for your evening routine." in seen.text
    assert seen.silent


async def test_after_an_outage_it_is_late_and_says_so_or_is_told_next_morning(house: House) -> None:
    early, late = await at_home(house), await at_home(house, bedtime="2200")
    await house.restart(at=DUE + timedelta(minutes=20))

    seen = await early.next()
    assert seen.text.startswith("Bedtime 22:30 · 2")
    assert "(late: I could not send it earlier)" in seen.text
    house.at("2026-03-27T06:00:05")
    morning = await late.next()
    assert morning.text.startswith("Last night's reminder was not sent: I could not send it in time. Sorry.")
    assert "How was your sleep" in morning.text


async def test_a_pause_rests_and_ends_by_itself_or_by_hand(house: House) -> None:
    person = await at_home(house)

    paused = await house.says(person, "/pause 2")
    assert paused.text == "Paused. I am back on Saturday 28 March. /resume starts earlier."
    assert (await house.says(person, "/tonight")).text.startswith("Paused until Saturday 28 March.")
    assert "Next reminder: Thursday 26 March, 21:45" in (await house.says(person, "/resume")).text
    stopped = await house.says(person, "/stop")
    assert stopped.text.startswith("Stopped")
    assert "resting" in (await house.says(person, "/bedtime 22:45")).text
    assert (await house.says(person, "/start")).text.startswith("Thursday 26 March\nBedtime 22:45")


async def test_a_block_rests_and_a_return_takes_up_again(house: House) -> None:
    person = await at_home(house)

    await person.block()
    await house.quiet()
    assert house.row(person, "status", "remind_at") == ("gone", None)
    await person.unblock()
    await house.quiet()

    assert house.row(person, "status", "remind_at") == ("active", int(DUE.timestamp()))


async def test_tonights_tip_can_be_read_again_and_put_away_after_the_answer(house: House) -> None:
    person = await at_home(house)
    seen = await reminded(house, person)
    await house.taps(person, "Taken", becomes="✓ Taken")
    glance = await house.says(person, "/tonight")
    assert glance.labels == ["Undo", "Tonight's tip"]

    person.catch_up()
    await house.noticed(person, button="Tonight's tip")
    tip = await person.next()
    assert tip.text.splitlines()[1] in seen.text
    await house.taps(person, "Not for me", becomes="Fine, that tip will not come again.")
    assert len(house.lull.rows("SELECT tip FROM retired_tips WHERE user_id = ?", person.id)) == 1
