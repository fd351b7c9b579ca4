"""An update from what Telegram sent: as the library reads it, and a press in a third of its time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from telegram import Bot, CallbackQuery, Chat, MaybeInaccessibleMessage, Update, User

from bot.views.message import Button, Keyboard


class Pressed(MaybeInaccessibleMessage):
    """The message whose button was pressed: its text and buttons, and of the hundred other fields none."""

    __slots__ = ("reply_markup", "text")
    text: str | None
    reply_markup: Keyboard | None

    def __init__(
        self, chat: Chat, message_id: int, date: datetime, text: str | None, keyboard: Keyboard | None
    ) -> None:
        # The library's objects are frozen once they are made.
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "reply_markup", keyboard)
        super().__init__(chat, message_id, date)


def update_of(raw: Any, bot: Bot) -> Update:
    """The update. Raises whatever the library raises for one of another shape than Telegram's."""
    update = _press(raw, bot)
    return Update.de_json(raw, bot) if update is None else update


def _press(raw: Any, bot: Bot) -> Update | None:
    """A press of a button under a message in a private chat; None for anything else, also for one of an odd shape."""
    # Most of what a bot of buttons is sent is this. The library's way makes of the message a hundred values that nobody
    # looks at, a seventh of all that a press costs.
    try:
        query = raw["callback_query"]
        message = query["message"]
        chat, text, date = message["chat"], message.get("text"), message["date"]
        plain = type(message["message_id"]) is int and type(date) is int and date > 0 and chat["type"] == "private"
        if not plain or type(query["data"]) is not str or not isinstance(text, str | None):
            return None
        pressed = Pressed(
            Chat(chat["id"], chat["type"]),
            message["message_id"],
            datetime.fromtimestamp(date, UTC),
            text,
            _keyboard(message.get("reply_markup")),
        )
        sender = User.de_json(query["from"], bot)
        return Update(
            raw["update_id"],
            callback_query=CallbackQuery(
                query["id"], sender, query["chat_instance"], message=pressed, data=query["data"]
            ),
        )
    except Exception:  # what is wrong with it the library says
        return None


def _keyboard(markup: Any) -> Keyboard | None:
    if markup is None:
        return None
    return Keyboard(
        tuple(
            tuple(Button(one["text"], one.get("callback_data"), one.get("url")) for one in row)
            for row in markup["inline_keyboard"]
        )
    )
