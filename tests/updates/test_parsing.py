"""A press read the short way is what the library makes of it; whatever is not quite one is the library's."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
from telegram import Bot, Message, Update

from bot.updates.parsing import Pressed, update_of
from bot.views import shown
from bot.views.message import View, button, keyboard, link
from tests.conftest import TOKEN
from tests.crash.soak.incoming import mutated

BOT = Bot(TOKEN)
BUTTONS = [
    [
        {"text": "Taken", "callback_data": "v1:taken:2026-03-26", "style": "success"},
        {"text": "More", "url": "https://a.example/"},
    ]
]


def press(**changes: Any) -> dict[str, Any]:
    """A press as Telegram delivers it."""
    person = {"id": 7, "is_bot": False, "first_name": "Ada", "language_code": "de"}
    message = {
        "message_id": 10,
        "date": 1774559700,
        "chat": {"id": 7, "type": "private", "first_name": "Ada"},
        "from": {"id": 123456, "is_bot": True, "first_name": "Lull", "username": "lull_bot"},
        "text": "Bedtime 22:30",
        "entities": [{"type": "bold", "offset": 0, "length": 7}],
        "reply_markup": {"inline_keyboard": BUTTONS},
    }
    query = {
        "id": "9",
        "from": person,
        "message": message | changes,
        "chat_instance": "1",
        "data": "v1:taken:2026-03-26",
    }
    return {"update_id": 5, "callback_query": query}


def both(raw: dict[str, Any]) -> tuple[Update, Update]:
    return update_of(copy.deepcopy(raw), BOT), Update.de_json(copy.deepcopy(raw), BOT)


@pytest.mark.parametrize("changes", [{}, {"reply_markup": None}, {"text": None}, {"from": None}])
def test_a_press_is_what_the_library_makes_of_it(changes: dict[str, Any]) -> None:
    ours, theirs = both(press(**changes))

    assert ours.callback_query is not None
    assert theirs.callback_query is not None
    mine, message = ours.callback_query.message, theirs.callback_query.message
    assert isinstance(mine, Pressed)
    assert isinstance(message, Message)
    assert ours.update_id == theirs.update_id
    assert ours.effective_user == theirs.effective_user
    assert ours.effective_user is not None
    assert ours.effective_user.language_code == "de"
    assert ours.effective_chat == theirs.effective_chat
    assert ours.callback_query.data == theirs.callback_query.data
    assert ours.callback_query.id == theirs.callback_query.id
    assert (mine.message_id, mine.chat.type, mine.date, mine.is_accessible, mine.text) == (
        message.message_id,
        message.chat.type,
        message.date,
        message.is_accessible,
        message.text,
    )
    assert shown._named(mine.reply_markup) == shown._named(message.reply_markup)


def test_what_is_on_the_screen_is_known_from_the_press() -> None:
    query = update_of(press(), BOT).callback_query
    assert query is not None
    assert isinstance(query.message, Pressed)
    buttons = keyboard([button("Taken", "taken", "2026-03-26"), link("More", "https://a.example/")])

    assert shown.shows(query.message, View("<b>Bedtime</b> 22:30", buttons))
    assert not shown.shows(query.message, View("<b>Bedtime</b> 22:30"))
    assert not shown.shows(query.message, View("✓ Taken", buttons))


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw["callback_query"]["message"].update(date=0),
        lambda raw: raw["callback_query"]["message"]["chat"].update(type="group", title="All of us"),
        lambda raw: raw["callback_query"].pop("message"),
        lambda raw: raw["callback_query"].pop("data"),
    ],
)
def test_other_presses_are_read_by_the_library(change: Callable[[dict[str, Any]], object]) -> None:
    raw = press()
    change(raw)

    ours, theirs = both(raw)

    assert ours.to_dict() == theirs.to_dict()


def _whose(update: Update) -> tuple[str, ...]:
    user, chat = update.effective_user, update.effective_chat
    return repr(update.update_id), repr(user and user.id), repr(chat and (chat.id, chat.type))


def _theirs(raw: dict[str, Any]) -> Update | None:
    with contextlib.suppress(Exception):
        return Update.de_json(copy.deepcopy(raw), BOT)
    return None


def test_of_a_thousand_wrong_shapes_all_are_read_that_the_library_reads() -> None:
    chance, read = random.Random(3), 0
    for number in range(1000):
        raw = mutated(chance, number) | {"update_id": number}
        # Where the library fails ours may read it all the same: a field that nobody looks at may be of any shape.
        theirs = _theirs(raw)
        if theirs is not None:
            read += 1
            assert _whose(update_of(copy.deepcopy(raw), BOT)) == _whose(theirs)
    assert 100 < read < 900
