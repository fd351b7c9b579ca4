"""Somebody in need is answered in every state, before everything else; and everything else is left as it was."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from telegram import Update

from bot.core.model import Awaiting
from bot.handlers import routes
from bot.telegram.turn import Say
from bot.texts import language
from bot.views import need as views
from bot.views.message import View
from db import diary as details
from db import users
from db.engine import Database
from tests.handlers import one_person
from tests.handlers.one_person import ANN, CHAT, DESK, Ann, buttons

NOON = datetime(2026, 11, 14, 13, 0, tzinfo=UTC)
NIGHT = date(2026, 11, 13)

CRISIS = "I want to die"
URGENT = "my chest hurts"
WORDS_OF_THE_PRODUCT = (
    "magnesium|supplements?|mg|dose|tablets?|capsules?|pills?|forms?|sleep|slept|bed|bedtime|evening|morning|tonight|reminders?"
    "|remind|tips?|diary|insight|experiment|settings|lull|bot|medicine|medicines|tablet|taken|skipped|note|kept"
)


@pytest.fixture
def stranger(database: Database) -> Ann:
    return Ann(database, NOON)


@pytest.fixture
async def ann(stranger: Ann) -> Ann:
    await stranger.moves_in()
    return stranger


def is_crisis(view: View) -> bool:
    return view.text.startswith("<b>I am glad you wrote that.")


def is_urgent(view: View) -> bool:
    return view.text.startswith("<b>This can be urgent.")


async def said_before_consent(ann: Ann) -> None:
    """She wrote before, and has not accepted the safety text."""
    async with ann.database.write() as db:
        await users.create(db, 7, now=NOON, language="en")


async def routed(ann: Ann, **fields: object) -> bool:
    """A message of any kind, through the bot's routes: whether any of them has it."""
    message = {"message_id": 9, "date": int(ann.now.timestamp()), "chat": CHAT, "from": ANN, **fields}
    update = Update.de_json({"update_id": 1, "message": message}, None)
    route = next((found for found in routes.routes() if found.check_update(update)), None)
    if route is None:
        return False
    await ann._turn(update, route.callback, [])
    return True


# -- the answers -------------------------------------------------------------------------------------------------------


def test_the_answer_to_a_crisis_is_what_was_agreed() -> None:
    view = views.answer(language.words("en"), DESK.content.answers["crisis"], line="Our line: 0800 <1> & 2")

    assert view.text == (
        "<b>I am glad you wrote that. Please do not stay alone with it.</b>\n"
        "If you might act on it, call your emergency number now: 112 works across Europe.\n"
        "To talk with somebody: findahelpline.com lists lines for your country, many of them day and night.\n"
        "Go to someone near you, or ask them to come, and stay together.\n"
        "No person reads this chat, so please reach one.\n"
        "Our line: 0800 &lt;1&gt; &amp; 2"
    )
    assert view.keyboard is not None
    ((only,),) = view.keyboard.inline_keyboard
    assert (only.text, only.url, only.callback_data) == (
        "Find somebody to talk to",
        "https://findahelpline.com",
        None,
    )


def test_the_operators_line_stands_under_no_other_answer() -> None:
    for kind, fixed in DESK.content.answers.items():
        assert ("0800" in views.answer(language.words("en"), fixed, line="0800").text) == (kind == "crisis")


async def test_the_operators_line_comes_from_the_settings(ann: Ann, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = DESK.settings.model_copy(update={"crisis_line": "Our line: 0800 1"})
    monkeypatch.setattr(one_person, "DESK", replace(DESK, settings=settings))

    await ann.types(CRISIS)

    assert ann.page.text.endswith("\nOur line: 0800 1")


def test_no_number_is_named_that_has_no_source() -> None:
    for fixed in DESK.content.answers.values():
        numbers = re.findall(r"\d+", views.answer(language.words("en"), fixed).text)
        assert numbers == (["112"] if fixed.id == "crisis" else [])
    assert DESK.content.answers["crisis"].sources == ("eu_112", "find_a_helpline")


@pytest.mark.parametrize(
    ("said", "begins", "offered"),
    [
        ("can i take it with my medicine", "Please ask a pharmacist or doctor", {"safety", "safety_meds"}),
        ("can i take two", "Please do not double up.", {"safety"}),
        ("how many mg", "I never name an amount.", {"safety", "forms:read"}),
        ("which form is best?", "I do not rank them.", {"forms:read"}),
        ("does it work?", "Nobody knows for sure yet.", {"exp", "tip_next"}),
    ],
)
async def test_a_question_gets_the_line_and_the_buttons_that_belong_to_it(
    ann: Ann, said: str, begins: str, offered: set[str]
) -> None:
    await ann.types(said)

    assert ann.page.text.startswith(f"<b>{begins}")
    shown = buttons(ann.page)
    assert set(shown.values()) == offered
    for data in shown.values():
        await ann.taps(data)
        assert "out of date" not in ann.answer


async def test_an_urgent_answer_has_no_buttons(ann: Ann) -> None:
    await ann.types(URGENT)

    assert is_urgent(ann.page)
    assert ann.page.keyboard is None


# -- in every state ----------------------------------------------------------------------------------------------------


async def test_a_stranger_is_answered_before_the_welcome_and_not_written_down(stranger: Ann) -> None:
    await stranger.types(CRISIS)

    assert is_crisis(stranger.page)
    async with stranger.database.read() as db:
        assert await users.find(db, 7) is None


async def test_before_the_consent_need_alone_is_answered(stranger: Ann) -> None:
    await said_before_consent(stranger)

    await stranger.types(CRISIS)
    assert is_crisis(stranger.page)
    await stranger.types(URGENT)
    assert is_urgent(stranger.page)


async def test_before_the_consent_a_question_is_answered_and_the_welcome_follows(stranger: Ann) -> None:
    await stranger.types("how much should i take")

    fixed, welcome = stranger.pages
    assert fixed.text.startswith("<b>I never name an amount.")
    assert "Hello, I am Lull" in welcome.text


@pytest.mark.parametrize("awaiting", [one for one in Awaiting if one not in (Awaiting.LABEL, Awaiting.NOTE)])
async def test_whatever_is_asked_need_is_answered_and_the_question_stays_open(
    stranger: Ann, awaiting: Awaiting
) -> None:
    await stranger.moves_in(awaiting=awaiting, awaiting_until=datetime(2026, 11, 14, 20, 0, tzinfo=UTC))

    await stranger.types(CRISIS)
    assert is_crisis(stranger.page)
    await stranger.types(URGENT)
    assert is_urgent(stranger.page)
    assert (await stranger.person()).awaiting is awaiting


async def test_in_the_middle_of_the_set_up_need_is_answered(stranger: Ann) -> None:
    await stranger.moves_in()
    async with stranger.database.write() as db:
        before = await users.find(db, 7)
        assert before is not None
        await users.save(db, before, replace(before, bedtimes=(), zone=None, form=None))

    await stranger.types("can't breathe")

    assert is_urgent(stranger.page)


async def test_a_label_is_kept_and_a_crisis_is_answered_alone(ann: Ann) -> None:
    await ann.taps("label")
    await ann.types(CRISIS)

    assert (await ann.person()).label == CRISIS
    assert is_crisis(ann.page)


async def test_a_label_is_no_question(ann: Ann) -> None:
    await ann.taps("label")
    await ann.types("2 tablets, 400 mg")

    assert (await ann.person()).label == "2 tablets, 400 mg"
    assert "The reminder will call it" in ann.page.text


async def test_a_note_is_kept_and_a_crisis_is_answered_alone(ann: Ann) -> None:
    await ann.taps(f"note:{NIGHT}")
    await ann.types("awake all night, i dont want to live anymore")

    async with ann.database.read() as db:
        kept = await details.find(db, 7, NIGHT)
    assert kept.note == "awake all night, i dont want to live anymore"
    assert is_crisis(ann.page)


async def test_a_reply_to_a_check_in_is_kept_and_danger_is_answered(ann: Ann) -> None:
    await ann.taps(f"rate:{NIGHT}:1")
    await ann.types("my heart was racing", replying_to=ann.page)

    async with ann.database.read() as db:
        kept = await details.find(db, 7, NIGHT)
    assert kept.note == "my heart was racing"
    noted, answered = ann.pages
    assert not is_urgent(noted)
    assert is_urgent(answered)


async def test_a_note_is_no_question(ann: Ann) -> None:
    await ann.taps(f"note:{NIGHT}")
    await ann.types("took 2 tablets, 400 mg, with my medicine")

    assert "pharmacist" not in ann.page.text
    assert "amount" not in ann.page.text


async def test_a_caption_and_a_command_are_read_too(ann: Ann) -> None:
    photo = [{"file_id": "f", "file_unique_id": "f", "width": 1, "height": 1}]
    assert await routed(ann, photo=photo, caption=CRISIS)
    assert is_crisis(ann.page)
    assert await routed(ann, photo=photo, caption="can i take two")
    assert "double up" in ann.page.text
    assert await routed(ann, text="/help i want to die")
    assert is_crisis(ann.page)


async def test_over_several_lines_and_with_invisible_marks_it_is_heard(ann: Ann) -> None:
    await ann.types("so tired of it all.\n\ni want\nto\u200b d\u00adie")

    assert is_crisis(ann.page)


async def test_in_a_group_nobody_is_answered(ann: Ann) -> None:
    group = {"id": -1002, "type": "supergroup", "title": "Nights"}

    assert not await routed(ann, chat=group, text=CRISIS)


async def test_a_crisis_is_answered_without_a_word_of_the_product(ann: Ann) -> None:
    for state in ("", f"note:{NIGHT}", "label"):
        if state:
            await ann.taps(state)
        replies = await ann.types(CRISIS)
        (only,) = replies
        assert isinstance(only, Say)
        shown = [only.view.text, *buttons(only.view)]
        assert not re.findall(rf"\b(?:{WORDS_OF_THE_PRODUCT})\b", " ".join(shown).lower())
