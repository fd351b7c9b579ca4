"""Whether a message already looks like a view. Telegram refuses edits that change nothing, so they are not sent."""

from __future__ import annotations

import html
import re

from telegram import InlineKeyboardMarkup, Message

from bot.views.message import Keyboard, View

_TAG = re.compile(r"</?[a-z][^<>]*>")


def shows(message: Message, view: View) -> bool:
    """Whether the message reads like the view and has its buttons. Bold type, links and colours are not compared."""
    return message.text == plain(view.text) and has_buttons(message, view.keyboard)


def has_buttons(message: Message, keyboard: Keyboard | None) -> bool:
    """Whether the message has these buttons."""
    return _named(message.reply_markup) == _named(keyboard)


def plain(text: str) -> str:
    """Telegram's HTML as it reads on the screen."""
    return html.unescape(_TAG.sub("", text)).strip()


def _named(keyboard: InlineKeyboardMarkup | Keyboard | None) -> list[list[tuple[str, object]]]:
    rows = () if keyboard is None else keyboard.inline_keyboard
    return [[(button.text, button.callback_data or button.url) for button in row] for row in rows]
