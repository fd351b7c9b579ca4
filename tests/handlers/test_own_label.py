"""What a person calls what they take: typed by them, shown to them, and otherwise left alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.core.model import Awaiting
from bot.texts import language
from bot.views import evening
from db.engine import Database
from tests.handlers.one_person import Ann, buttons

NOON = datetime(2026, 1, 12, 14, 0, tzinfo=UTC)


@pytest.fixture
async def ann(database: Database) -> Ann:
    person = Ann(database, NOON)
    await person.moves_in()
    return person


async def types_label(ann: Ann, text: str) -> None:
    await ann.types("/settings")
    await ann.taps(buttons(ann.page)["Form"])
    await ann.taps(buttons(ann.page)["In your own words"])
    await ann.types(text)


async def test_what_was_typed_is_what_the_reminder_calls_it(ann: Ann) -> None:
    await types_label(ann, "1 tablet <blue> & co")

    assert ann.page.text == "The reminder will call it: 1 tablet &lt;blue&gt; &amp; co"
    person = await ann.person()
    assert person.label == "1 tablet <blue> & co"
    reminder = evening.prompt(language.words("en"), person, "citrate")
    assert reminder == "Time for your magnesium (1 tablet &lt;blue&gt; &amp; co)."
    await ann.types("/settings")
    assert "Form Citrate" in ann.page.text
    assert "Called: 1 tablet &lt;blue&gt; &amp; co" in ann.page.text


async def test_control_characters_go_and_length_is_cut_and_said(ann: Ann) -> None:
    await types_label(ann, "\u202eone\x00\n" + "tablet " * 20)

    label = (await ann.person()).label
    assert label == "one tablet tablet tablet tablet tablet t"
    assert "I kept the first 40 characters." in ann.page.text


@pytest.mark.parametrize("blank", ["\u202e", " \n ", "\x07"])
async def test_what_is_no_text_asks_again(ann: Ann, blank: str) -> None:
    await types_label(ann, blank)

    assert ann.page.text.startswith("What shall the reminder call it?")
    assert (await ann.person()).label is None
    assert (await ann.person()).awaiting is Awaiting.LABEL


async def test_a_label_can_be_removed(ann: Ann) -> None:
    await types_label(ann, "two drops")
    await ann.types("/form")
    await ann.taps(buttons(ann.page)["In your own words"])
    assert "Now: two drops" in ann.page.text
    await ann.taps(buttons(ann.page)["Remove it"])

    assert (await ann.person()).label is None
    assert ann.page.text == "Removed. The reminder names the form again."


async def test_a_word_of_illness_is_a_fine_label(ann: Ann) -> None:
    await types_label(ann, "2 tablets from the box for my kidneys")

    assert (await ann.person()).label == "2 tablets from the box for my kidneys"
    assert "The reminder will call it" in ann.page.text


async def test_a_time_in_a_label_is_no_bedtime(ann: Ann) -> None:
    await types_label(ann, "22:30")

    assert (await ann.person()).label == "22:30"
    assert (await ann.person()).bedtimes == (23 * 60,) * 7


async def test_another_form_takes_the_label_away(ann: Ann) -> None:
    await types_label(ann, "citrate powder")
    await ann.taps("form:glycinate")

    assert (await ann.person()).label is None


async def test_during_the_set_up_nobody_is_asked_for_words_of_their_own(ann: Ann) -> None:
    await ann.taps("label")
    assert (await ann.person()).awaiting is Awaiting.LABEL
    async with ann.database.write() as db:
        await db.exec_driver_sql("UPDATE users SET form = NULL, awaiting = NULL")
    await ann.taps("label")
    assert "out of date" in ann.answer


async def test_discreet_reminders_do_not_show_it_and_that_is_said(ann: Ann) -> None:
    await ann.taps("toggle:discreet")
    await types_label(ann, "1 tablet")
    assert "Your reminders are discreet, so it does not show there." in ann.page.text
