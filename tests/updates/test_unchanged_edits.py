"""An edit that would change nothing is not asked of Telegram, whichever message was pressed."""

from __future__ import annotations

from telegram import Message, Update

from bot.telegram.turn import Edit, Reply
from bot.updates.unchanged_edits import UnchangedEdits
from bot.views import shown
from bot.views.message import View, button, keyboard, link

TAKEN = Edit(10, View("✓ Taken"))


def press(message_id: int, text: str) -> Update:
    """Somebody presses a button under that message of ours."""
    chat = {"id": 7, "type": "private"}
    message = {"message_id": message_id, "date": 1, "chat": chat, "text": text}
    query = {"id": "9", "from": {"id": 7, "is_bot": False, "first_name": "A"}, "chat_instance": "1", "data": "v1:x"}
    return Update.de_json({"update_id": 1, "callback_query": query | {"message": message}}, None)


def changes(screens: UnchangedEdits, update: Update, reply: Reply, *, now: float) -> bool:
    return screens.changes(update, reply, chat_id=7, now=now)


def test_another_message_than_the_pressed_one_is_not_made_again_what_it_is() -> None:
    screens = UnchangedEdits()
    assert changes(screens, press(10, "Bedtime 22:30"), TAKEN, now=0)

    assert not changes(screens, press(12, "Tonight"), TAKEN, now=300)
    assert changes(screens, press(12, "Tonight"), Edit(10, View("Undone")), now=301)


def test_of_the_pressed_message_an_old_edit_tells_less_than_the_press() -> None:
    screens = UnchangedEdits()
    assert changes(screens, press(10, "Bedtime 22:30"), TAKEN, now=0)

    assert not changes(screens, press(10, "Bedtime 22:30"), TAKEN, now=5)
    assert changes(screens, press(10, "Bedtime 22:30"), TAKEN, now=300)
    assert not changes(UnchangedEdits(), press(10, "✓ Taken"), TAKEN, now=300)


def test_what_is_on_the_screen_is_known_from_the_press() -> None:
    raw = press(10, "Bedtime 22:30").to_dict()
    rows = [[{"text": "Taken", "callback_data": "v1:taken:2026-03-26"}, {"text": "More", "url": "https://a.example/"}]]
    raw["callback_query"]["message"]["reply_markup"] = {"inline_keyboard": rows}
    query = Update.de_json(raw, None).callback_query
    assert query is not None
    assert isinstance(query.message, Message)
    buttons = keyboard([button("Taken", "taken", "2026-03-26"), link("More", "https://a.example/")])

    assert shown.shows(query.message, View("<b>Bedtime</b> 22:30", buttons))
    assert not shown.shows(query.message, View("<b>Bedtime</b> 22:30"))
    assert not shown.shows(query.message, View("✓ Taken", buttons))
