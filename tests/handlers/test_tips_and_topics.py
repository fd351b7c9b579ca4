"""The pages' handlers on the real database: what is said, what is stored, and what no button can change."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from telegram import Update
from telegram.ext import ApplicationBuilder

from bot import handlers
from bot.core import callback_data, tips
from bot.core.model import Person
from bot.handlers import pages
from bot.telegram.turn import Answer, Edit, Reply, Say, Turn
from bot.texts import content as contents
from bot.texts.content import Content
from bot.views.message import View
from config.settings import Settings
from db import tables, users
from db import tips as retired_tips
from db.engine import Connection, Database

NOW = datetime(2026, 11, 20, 20, 15, tzinfo=UTC)
CONTENT = contents.load()
ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "language_code": "en"}
CHAT = {"id": 7, "type": "private", "first_name": "Ann"}
APPLICATION = ApplicationBuilder().token("123456:TEST").build()


@dataclass(frozen=True, slots=True)
class Desk:
    settings: Settings
    content: Content


DESK = Desk(Settings.model_validate({"bot_token": "123456:TEST", "operator_contact": "@somebody"}), CONTENT)
TIP = CONTENT.tips[0]
Ask = Callable[[str], Awaitable[list[Reply]]]


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Connection]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}")
    async with database.write() as connection:
        await connection.run_sync(tables.metadata.create_all)
        yield connection
    await database.close()


@pytest.fixture
def ask(db: Connection) -> Ask:
    """Ann types a command ("/tips") or presses a button with such data ("tip_more:x"); what the bot says to it."""

    async def asked(what: str) -> list[Reply]:
        update = _update(what)
        turn = Turn(APPLICATION)
        await turn.begin(update, db=db, now=NOW, services=DESK)
        if what.startswith("/"):
            await handlers.COMMANDS[what[1:]].handler(update, turn)
        else:
            turn.press = callback_data.parse(f"v1:{what}") or callback_data.Press("")
            await handlers.PRESSES[turn.press.verb].handler(update, turn)
        await turn.end(update)
        return turn.replies

    return asked


def _update(what: str) -> Update:
    message = {"message_id": 5, "date": int(NOW.timestamp()), "chat": CHAT, "text": what}
    if what.startswith("/"):
        return Update.de_json({"update_id": 1, "message": {**message, "from": ANN}}, None)
    query = {"id": "99", "from": ANN, "chat_instance": "1", "data": f"v1:{what}", "message": message}
    return Update.de_json({"update_id": 1, "callback_query": query}, None)


async def ann(db: Connection, **values: object) -> None:
    """Ann as somebody the bot knows."""
    before = await users.create(db, 7, now=NOW, language="en")
    stored = {name: getattr(before, name) for name in Person.__slots__} | values
    await users.save(db, before, Person(**stored))  # type: ignore[arg-type]


def answer(replies: list[Reply]) -> str:
    """What the press was answered with. Every press is answered, once."""
    answers = [reply for reply in replies if isinstance(reply, Answer)]
    assert len(answers) == 1
    return answers[0].text


def page(replies: list[Reply]) -> View:
    """The one message that was sent or changed."""
    (view,) = views(replies)
    return view


def views(replies: list[Reply]) -> list[View]:
    return [reply.view for reply in replies if isinstance(reply, Say | Edit)]


def buttons(view: View) -> dict[str, str]:
    """The buttons' labels and what they say, without the leading version."""
    rows = view.keyboard.inline_keyboard if view.keyboard is not None else ()
    return {button.text: str(button.callback_data).removeprefix("v1:") for row in rows for button in row}


@pytest.mark.parametrize("command", ["/help", "/privacy", "/tips"])
async def test_a_command_is_answered_with_one_message(ask: Ask, command: str) -> None:
    assert page(await ask(command)).text


async def test_every_button_of_the_pages_leads_somewhere(ask: Ask, db: Connection) -> None:
    await ann(db, consent=1)
    await retired_tips.retire(db, 7, TIP.id)
    pressed: dict[str, str] = {}
    waiting = ["/help", "/tips", "forms"]

    while waiting:
        what = waiting.pop()
        replies = await ask(what)
        assert what.startswith("/") or "out of date" not in answer(replies)
        for said in (said for view in views(replies) for said in buttons(view).values()):
            verb = said.split(":")[0]
            # One button of a verb stands for all of its kind.
            if verb not in pressed:
                pressed[verb] = said
                waiting += [said] if verb in pages.PRESSES else []

    assert pressed.keys() - pages.PRESSES.keys() == {"form"}
    assert pages.PRESSES.keys() - pressed.keys() == {"tip_now", "tip_why"}  # which are in messages


FORGED_TIPS = ("tip_more", "tip_more:none", "tip_down:none", "tip_down:none:page", "tip_up:none")
FORGED = (*FORGED_TIPS, "topic:none:off", "topic:care", "topic:care:maybe", "form_card:none", "form_card")


@pytest.mark.parametrize("forged", FORGED)
async def test_a_forged_button_changes_nothing(ask: Ask, db: Connection, forged: str) -> None:
    await ann(db, consent=1)

    replies = await ask(forged)

    assert answer(replies).startswith("That button is out of date.")
    assert len(replies) == 1
    assert await retired_tips.retired(db, 7) == frozenset()
    person = await users.find(db, 7)
    assert person is not None
    assert person.muted == frozenset()


# -- tips --------------------------------------------------------------------------------------------------------------


async def test_another_tip_is_a_different_one_until_all_were_shown(ask: Ask) -> None:
    shown = [buttons(page(await ask("/tips")))["Another"]]

    for _ in CONTENT.tips[2:]:
        shown.append(buttons(page(await ask(shown[-1])))["Another"])

    # All but tonight's own.
    assert len(set(shown)) == len(CONTENT.tips) - 1


async def test_a_tip_that_is_not_wanted_is_put_away_and_can_be_brought_back(ask: Ask, db: Connection) -> None:
    gone = page(await ask(f"tip_down:{TIP.id}:page"))
    assert await retired_tips.retired(db, 7) == {TIP.id}

    back = page(await ask(buttons(gone)["Bring it back"]))
    assert await retired_tips.retired(db, 7) == frozenset()
    assert TIP.text in back.text.replace("&amp;", "&")


async def test_a_tip_that_was_put_away_does_not_come_again(ask: Ask) -> None:
    first = buttons(page(await ask("/tips")))["Another"]
    gone = first.removeprefix("tip_more:")
    next_one = buttons(page(await ask(f"tip_down:{gone}:page")))["Another"]

    for _ in CONTENT.tips:
        next_one = buttons(page(await ask(next_one)))["Another"]
        assert next_one != first


async def test_a_tip_put_away_under_a_reminder_leaves_the_reminder_as_it_is(ask: Ask, db: Connection) -> None:
    replies = await ask(f"tip_down:{TIP.id}")

    assert "will not come again" in answer(replies)
    assert len(replies) == 1
    assert await retired_tips.retired(db, 7) == {TIP.id}


async def test_with_nothing_left_the_tips_can_be_brought_back(ask: Ask, db: Connection) -> None:
    for tip in CONTENT.tips:
        await retired_tips.retire(db, 7, tip.id)

    empty = page(await ask("/tips"))
    again = page(await ask(buttons(empty)["Bring the tips back"]))

    assert "Another" not in buttons(empty)
    assert "Another" in buttons(again)
    assert await retired_tips.retired(db, 7) == frozenset()


async def test_the_only_tip_left_is_not_shown_as_another(ask: Ask, db: Connection) -> None:
    # Two are left: tonight's own, which /tips never shows, and one more.
    for tip in CONTENT.tips[2:]:
        await retired_tips.retire(db, 7, tip.id)
    only = buttons(page(await ask("/tips")))["Another"]

    replies = await ask(only)

    assert "only one left" in answer(replies)
    assert len(replies) == 1


async def test_tonights_tip_is_the_one_that_the_reminder_carried(ask: Ask, db: Connection) -> None:
    await ann(db, zone="Europe/Berlin", bedtimes=(1380,) * 7)
    night = NOW.date()
    would_be = page(await ask(f"tip_now:{night.isoformat()}"))
    carried = next(tip for tip in CONTENT.tips if tip.text not in would_be.text)
    await db.execute(tables.nights.insert().values(user_id=7, night=night, tip=tips.number(carried.id)))

    assert carried.text in page(await ask(f"tip_now:{night.isoformat()}")).text


async def test_why_a_tip_no_longer_stands_is_told_in_a_box(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = replace(CONTENT, withdrawn={"old_one": "Its trial was taken back."})
    monkeypatch.setattr(sys.modules[__name__], "DESK", replace(DESK, content=texts))

    (told,) = await ask("tip_why:old_one")
    (unknown,) = await ask("tip_why:light_dim")

    assert isinstance(told, Answer)
    assert (told.text, told.alert) == ("Its trial was taken back.", True)
    assert isinstance(unknown, Answer)
    assert "out of date" in unknown.text


# -- topics ------------------------------------------------------------------------------------------------------------


async def test_a_topic_that_is_off_brings_no_tips(ask: Ask, db: Connection) -> None:
    await ann(db, consent=1)
    for topic in list(CONTENT.topics)[1:]:
        await ask(f"topic:{topic}:off")
    allowed = {tip.id for tip in CONTENT.tips if tip.topic == next(iter(CONTENT.topics))}

    shown = buttons(page(await ask("/tips")))["Another"]
    for _ in range(len(allowed)):
        assert shown.removeprefix("tip_more:") in allowed
        shown = buttons(page(await ask(shown)))["Another"]


async def test_a_topic_switched_off_twice_is_off_and_switches_on_again(ask: Ask, db: Connection) -> None:
    await ann(db, consent=1)
    await ask("topic:care:off")
    off = page(await ask("topic:care:off"))
    assert buttons(off)["✕ Safety and care"] == "topic:care:on"

    on = page(await ask("topic:care:on"))
    assert buttons(on)["✓ Safety and care"] == "topic:care:off"


async def test_the_last_topic_stays_on(ask: Ask, db: Connection) -> None:
    first, *others = CONTENT.topics
    await ann(db, consent=1, muted=frozenset(others))

    replies = await ask(f"topic:{first}:off")

    assert answer(replies) == "At least one topic stays on."
    assert len(replies) == 1
    person = await users.find(db, 7)
    assert person is not None
    assert person.muted == frozenset(others)


# -- the form guide and the safety page --------------------------------------------------------------------------------


OPENED = [("forms", 1, True), ("forms:read", 1, False), ("forms", None, False)]


@pytest.mark.parametrize(("opened", "consent", "can_choose"), OPENED)
async def test_a_form_can_be_chosen_when_the_guide_was_opened_to_choose(
    ask: Ask, db: Connection, opened: str, consent: int | None, *, can_choose: bool
) -> None:
    await ann(db, consent=consent)

    listed = page(await ask(opened))
    card = page(await ask(buttons(listed)["Citrate"]))

    assert ("Choose this" in buttons(card)) is can_choose
    assert buttons(page(await ask(buttons(card)["‹ Back to the list"]))) == buttons(listed)


async def test_the_safety_text_leaves_the_welcome_where_it_is(ask: Ask) -> None:
    replies = await ask("safety")

    assert [type(reply) for reply in replies] == [Answer, Say]
    assert buttons(page(replies))["I understand"] == "consent"


async def test_turning_the_safety_text_s_pages_stays_in_its_message(ask: Ask) -> None:
    first = page(await ask("safety"))

    second = await ask(buttons(first)["Medicines ›"])
    back = await ask(buttons(page(second))["‹ Back"])

    assert [type(reply) for reply in (*second, *back)] == [Answer, Edit, Answer, Edit]
    assert page(back) == first


async def test_the_privacy_page_names_the_operator(ask: Ask) -> None:
    assert "@somebody" in page(await ask("/privacy")).text
