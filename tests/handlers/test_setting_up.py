"""Set-up by buttons and by typing, in every order, over restarts: four taps, nothing forgotten, nothing asked twice."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

import pytest

from bot.fake_telegram.people import Person, Seen
from tests.handlers.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHORTCUTS = {"bedtime": "/bedtime 22:45", "zone": "/timezone Europe/Berlin", "form": "/form glycinate"}
WELCOME = "Hello, I am Lull."


async def consenting(house: House) -> Person:
    person = house.someone()
    await house.says(person, "/start")
    await house.taps(person, "I understand", becomes="When do you go to bed?")
    return person


async def test_the_welcome_fits_a_small_screen_and_says_what_matters(house: House) -> None:
    welcome = await house.says(house.someone(), "/start")

    assert welcome.text.startswith(WELCOME)
    assert "not medical advice" in welcome.text
    assert welcome.text.count("\n") < 6
    assert welcome.labels[:2] == ["I understand", "Read more"]


async def test_four_taps_set_up_and_the_card_tells_the_moment_in_the_readers_own_zone(house: House) -> None:
    person = await consenting(house)

    await house.taps(person, "22:30", becomes="Where do you sleep?")
    await house.taps(person, "London", becomes="Which magnesium do you take?")
    card = await house.taps(person, "Glycinate", becomes="All set.")

    assert card.text == "All set.\nNext reminder: Thursday 26 March, 21:45\nIs that the right hour?"
    assert '<tg-time unix="1774561500"' in card.html
    assert house.row(person, "status", "zone", "bedtimes", "form", "remind_at") == (
        "active",
        "Europe/London",
        "1350",
        "glycinate",
        1774561500,
    )
    right = await house.taps(person, "Yes", becomes="All set.\nNext reminder: Thursday 26 March, 21:45\nSleep well")
    assert right.labels == []


@pytest.mark.parametrize("order", list(itertools.permutations(SHORTCUTS)), ids="-".join)
async def test_typed_shortcuts_set_up_in_any_order(house: House, order: tuple[str, ...]) -> None:
    person = await consenting(house)

    for step in order:
        answer = await house.says(person, SHORTCUTS[step])

    assert answer.text.startswith("All set.")
    assert house.row(person, "status", "zone", "bedtimes", "form") == ("active", "Europe/Berlin", "1365", "glycinate")


@pytest.mark.parametrize("line", ["/lead 60", "/checkin 07:30", "/checkin off"])
async def test_lead_and_check_in_may_come_first_and_the_set_up_goes_on(house: House, line: str) -> None:
    person = await consenting(house)

    answer = await house.says(person, line)

    assert answer.text.startswith("When do you go to bed?")
    assert house.row(person, "lead") == ((60,) if "lead" in line else (None,))


@pytest.mark.parametrize(
    "line", [*SHORTCUTS.values(), "/lead 60", "/checkin 07:30", "/took", "/tonight", "22:30", "hi"]
)
async def test_before_the_safety_text_is_accepted_everything_shows_it_and_nothing_is_kept(
    house: House, line: str
) -> None:
    person = house.someone()

    answer = await house.says(person, line)

    assert answer.text.startswith(WELCOME)
    assert house.row(person, "consent", "bedtimes", "zone", "form", "lead", "check_ins") == (None,) * 6


@pytest.mark.parametrize("line", ["/tonight", "/took", "/pause 7", "/resume", "/settings", "/start"])
async def test_halfway_through_every_other_command_goes_on_with_the_set_up(house: House, line: str) -> None:
    person = await consenting(house)

    answer = await house.says(person, line)

    assert answer.text.startswith("When do you go to bed?")
    assert house.row(person, "status") == ("setting_up",)


async def test_a_stop_halfway_is_kept_until_the_set_up_is_taken_up_again(house: House) -> None:
    person = await consenting(house)
    stopped = await house.says(person, "/stop")
    assert "/start" in stopped.text

    for line in SHORTCUTS.values():
        answer = await house.says(person, line)

    assert answer.text.startswith("All set.")
    assert house.row(person, "status") == ("active",)


@pytest.mark.long
async def test_every_step_survives_a_kill(house: House) -> None:
    person = house.someone()
    await house.says(person, "/start")
    expected = [
        ("I understand", "When do you go to bed?"),
        ("22:30", "Where do you sleep?"),
        ("London", "Which magnesium do you take?"),
        ("Citrate", "All set."),
    ]

    for button, becomes in expected:
        await house.restart()
        await house.taps(person, button, becomes=becomes)

    assert house.row(person, "status") == ("active",)


@pytest.mark.parametrize(
    ("payload", "bedtimes"),
    [
        ("bed_2230", "1350"),
        ("bed_0030", "30"),
        ("bed_2575", None),
        ("bed_", None),
        ("bed_22301", None),
        ("' OR 1=1 --", None),
        ("A" * 64, None),
        ("../../etc/passwd", None),
    ],
)
async def test_a_link_may_bring_a_bedtime_and_nothing_else(house: House, payload: str, bedtimes: str | None) -> None:
    person = house.someone()

    welcome = await house.says(person, f"/start {payload}")

    assert welcome.text.startswith(WELCOME)
    assert house.row(person, "bedtimes", "consent") == (bedtimes, None)


async def test_a_link_with_a_language_that_is_not_there_is_answered_once_and_goes_on(house: House) -> None:
    person = house.someone(language="de")

    sentence = await house.says(person, "/start lang_de")
    welcome = await person.next()

    assert sentence.text == "I only speak English so far."
    assert welcome.text.startswith(WELCOME)
    assert house.row(person, "language", "consent") == ("de", None)


async def test_a_language_is_not_offered_where_there_is_only_one(house: House) -> None:
    person = await house.settled()

    settings = await house.says(person, "/settings")
    typed = [(await house.says(person, text)).text for text in ("/language", "/language de")]
    await house.noticed(person, data="v1:panel:language")

    assert "Language" not in settings.labels
    assert typed == ["I only speak English so far."] * 2
    await person.until(lambda seen: seen.labels == ["‹ Back"])


async def test_a_link_changes_nothing_for_somebody_who_has_a_bedtime(house: House) -> None:
    person = await house.settled()

    await house.says(person, "/start bed_0100")

    assert house.row(person, "bedtimes") == ("1350",)


async def test_the_quarters_are_one_tap_away_and_lead_back(house: House) -> None:
    person = await consenting(house)

    quarters = await house.taps(person, "+15 min")
    quarters = await person.until(lambda seen: "22:45" in seen.labels)
    assert "22:30" not in quarters.labels
    await house.taps(person, "−15 min")
    await person.until(lambda seen: "22:30" in seen.labels)
    await house.taps(person, "+15 min")
    await person.until(lambda seen: "22:45" in seen.labels)
    await house.taps(person, "22:45", becomes="Where do you sleep?")

    assert house.row(person, "bedtimes") == ("1365",)


@pytest.mark.parametrize("typed", [False, True], ids=["tapped", "typed"])
async def test_weekends_may_differ(house: House, *, typed: bool) -> None:
    person = await consenting(house)
    week = await house.taps(person, "Different at weekends", becomes="First the week")
    assert "22:30" in week.labels

    if typed:
        weekend = await house.says(person, "22:30")
        assert weekend.text.startswith("And on Friday and Saturday?")
        answer = await house.says(person, "0:30")
    else:
        await house.taps(person, "22:30", becomes="And on Friday and Saturday?")
        answer = await house.taps(person, "00:30", becomes="Where do you sleep?")

    assert answer.text.startswith("Where do you sleep?")
    assert house.row(person, "bedtimes") == ("1350,1350,1350,1350,30,30,1350",)


@pytest.mark.parametrize(
    ("typed", "bedtimes"),
    [("22:45", "1365"), ("10.15 pm", "1335"), ("22h30", "1350"), ("٢٢:٣٠", "1350"), ("0:30", "30")],
)
async def test_a_bedtime_may_be_typed_as_people_type_it(house: House, typed: str, bedtimes: str) -> None:
    person = await consenting(house)

    answer = await house.says(person, typed)

    assert answer.text.startswith("Where do you sleep?")
    assert house.row(person, "bedtimes") == (bedtimes,)


async def test_an_hour_with_two_meanings_is_asked_about(house: House) -> None:
    person = await consenting(house)

    question = await house.says(person, "10")
    assert (question.text, question.labels) == ("Morning or evening?", ["22:00", "10:00"])
    await house.taps(person, "22:00", becomes="Where do you sleep?")

    assert house.row(person, "bedtimes") == ("1320",)


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Berlin", "Europe/Berlin"),
        ("München", "Europe/Berlin"),
        ("Москва", "Europe/Moscow"),
        ("東京", "Asia/Tokyo"),
        ("القاهرة", "Africa/Cairo"),
        ("दिल्ली", "Asia/Kolkata"),
        ("America/New_York", "America/New_York"),
        ("europe/berlin", "Europe/Berlin"),
        ("+2", "Etc/GMT-2"),
        ("UTC+5:30", "Asia/Kolkata"),
    ],
)
async def test_a_place_may_be_typed_in_any_script(house: House, typed: str, zone: str) -> None:
    person = house.someone()
    await house.says(person, "/start bed_2230")
    await house.taps(person, "I understand", becomes="Where do you sleep?")

    answer = await house.says(person, typed)

    assert answer.text.startswith("Which magnesium do you take?")
    assert house.row(person, "zone") == (zone,)


async def test_a_shared_location_becomes_a_zone_and_is_nowhere_to_be_found(house: House) -> None:
    person = house.someone()
    await house.says(person, "/start bed_2230")
    await house.taps(person, "I understand", becomes="Where do you sleep?")
    person.catch_up()
    await house.taps(person, "Share my location")
    asked = await person.next()
    assert any(button.asks_location for row in asked.buttons for button in row)

    await person.send_location(48.137154, 11.576124)
    assert (await person.next()).text == "Got it."
    assert (await person.next()).text.startswith("Which magnesium do you take?")

    assert house.row(person, "zone") == ("Europe/Berlin",)
    for path in house.lull.folder.iterdir():
        content = path.read_bytes()
        # Long enough that no time of day in the log is taken for it.
        assert b"48.13715" not in content, path.name
        assert b"11.57612" not in content, path.name


async def test_the_location_may_be_refused_after_all(house: House) -> None:
    person = house.someone()
    await house.says(person, "/start bed_2230")
    await house.taps(person, "I understand", becomes="Where do you sleep?")
    person.catch_up()
    await house.taps(person, "Share my location")
    await person.next()

    answer = await house.says(person, "No, I will type my city")
    assert answer.text.startswith("All right. Type your city")
    answer = await house.says(person, "Wien")

    assert answer.text.startswith("Which magnesium do you take?")
    assert house.row(person, "zone") == ("Europe/Vienna",)


async def test_a_wrong_hour_is_put_right_without_talk_of_travel(house: House) -> None:
    person = await house.settled()

    await house.taps(person, "No, fix my time zone", becomes="Where do you sleep?")
    card = await house.says(person, "Tokyo")

    assert card.text.startswith("All set.\nTokyo, Japan. It is ")
    assert house.row(person, "zone", "away_zone") == ("Asia/Tokyo", None)


async def test_buttons_of_long_ago_do_no_harm(house: House) -> None:
    person = await house.settled()
    before = house.row(person, "status", "bedtimes", "zone", "form", "consent")

    for data in ("v1:consent", "v1:lang:en"):
        await house.noticed(person, data=data)
    seen: Seen = await person.until(lambda one: "Bedtime 22:30" in one.text)

    assert "Later tonight" in seen.labels
    assert house.row(person, "status", "bedtimes", "zone", "form", "consent") == before


async def test_a_bedtime_typed_like_ten_thirty_can_be_put_right_on_the_last_card(house: House) -> None:
    house.at("2026-03-26 12:00")
    person = house.someone()
    await house.says(person, "/start")
    await house.taps(person, "I understand", becomes="When do you go to bed?")
    await house.says(person, "10:30")
    await house.noticed(person, data="v1:zone:Europe/Berlin")
    await person.until(lambda seen: seen.text.startswith("Which magnesium"))
    card = await house.taps(person, "Citrate", becomes="All set.")
    assert card.labels == ["Yes", "No, fix my time zone", "I meant 22:30"]

    seen = await house.taps(person, "I meant 22:30", becomes="Bedtime: 22:30.")

    assert "Thursday 26 March, 21:45" in seen.text


async def test_what_was_understood_is_said_with_country_and_hour_and_can_be_taken_back(house: House) -> None:
    person = house.someone()
    await house.says(person, "/start bed_2230")
    await house.taps(person, "I understand", becomes="Where do you sleep?")

    asked = await house.says(person, "Paris")
    assert re.search(r"\nParis, France\. It is \d\d:\d\d there now\.$", asked.text)
    assert asked.labels[-1] == "Another place"
    await house.taps(person, "Another place", becomes="Where do you sleep?")
    assert house.row(person, "zone") == (None,)

    asked = await house.says(person, "Bogota, New Jersey")
    assert asked.text.startswith("I am not sure which place you mean.")
    assert house.row(person, "zone") == (None,)
    asked = await house.taps(person, "New Jersey (NJ), United States", becomes="Which magnesium do you take?")
    assert house.row(person, "zone") == ("America/New_York",)
    assert "New Jersey (NJ), United States. It is" in asked.text


async def test_a_wrong_place_of_today_is_taken_back_and_one_of_long_ago_is_only_asked_about(house: House) -> None:
    person = await house.settled()
    wrong = await house.says(person, "/timezone Lima")
    assert "Lima, Peru. It is" in wrong.text
    await house.taps(person, "Another place", becomes="Where do you sleep?")
    assert house.row(person, "zone") == ("Europe/Berlin",)
    assert (await house.says(person, "Athens, Ruritania")).text.startswith("I am not sure which place you mean.")
    assert house.row(person, "zone") == ("Europe/Berlin",)

    old = await house.says(person, "/timezone Lima")
    house.at(house.clock.now() + timedelta(days=2))
    await house.taps(person, "Another place", message=old.message_id, becomes="Where do you sleep?")
    assert house.row(person, "zone") == ("America/Lima",)


@pytest.mark.parametrize(
    "typed",
    [
        "\u200b/bedtime 23:10",
        "／bedtime 23:10",
        "/Ｂｅｄｔｉｍｅ 23:10。",
        "/ bedtime 23:10",
        "/bedtime 23\u200b:\u200f10",
    ],
)
async def test_marks_that_nobody_sees_and_wide_letters_are_no_hindrance(house: House, typed: str) -> None:
    person = await house.settled()
    assert (await house.says(person, typed)).text.startswith("Bedtime: 23:10.")


async def test_of_two_bedtimes_one_has_to_be_chosen(house: House) -> None:
    person = await house.settled()
    asked = await house.says(person, "/bedtime between 10 and 11")
    assert (asked.text, asked.labels) == ("I need one time. Which one?", ["22:00", "23:00"])
    await house.taps(person, "23:00", becomes="Bedtime: 23:00.")


async def test_a_date_with_slashes_that_may_be_two_is_asked_about(house: House) -> None:
    person = await house.settled()
    house.at("2026-03-26 12:00")
    asked = await house.says(person, "/pause until 4/5")
    assert (
        asked.text == "Is that 5 Apr or 4 May? Type it with the month's name."
        or "Is that 4 May or 5 Apr?" in asked.text
    )
    assert "Paused." in (await house.says(person, "/pause until monday")).text
