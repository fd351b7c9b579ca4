"""A message as values: HTML text, keyboard, sound. Every view is made of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from telegram import ReplyKeyboardMarkup, ReplyKeyboardRemove

from bot.core import callback_data as core_callback_data


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: it comes back as a press, or opens a page. The names are the Bot API's."""

    text: str
    callback_data: str | None = None
    url: str | None = None
    style: str | None = None

    def as_json(self) -> dict[str, str]:
        named = {"text": self.text, "callback_data": self.callback_data, "url": self.url, "style": self.style}
        return {name: value for name, value in named.items() if value is not None}


Row = Sequence[Button]


@dataclass(frozen=True, slots=True)
class Keyboard:
    """The buttons under a message, in rows. The library's own would cost more than all else that a view is made of."""

    inline_keyboard: tuple[tuple[Button, ...], ...]

    def as_json(self) -> dict[str, object]:
        return {"inline_keyboard": [[one.as_json() for one in row] for row in self.inline_keyboard]}


TEXT_LIMIT = 4096
"""Telegram's limit for a message's text, in UTF-16 units after its tags are read."""


@dataclass(frozen=True, slots=True)
class View:
    """One message. `text` is Telegram's HTML; `below` is a keyboard in place of the phone's own."""

    text: str
    keyboard: Keyboard | None = None
    silent: bool = False
    below: ReplyKeyboardMarkup | ReplyKeyboardRemove | None = None


def button(label: str, verb: str, *args: object, style: str | None = None) -> Button:
    """A button that comes back as a press. `style`: success, danger or primary."""
    return Button(label, callback_data=core_callback_data.data(verb, *args), style=style)


def link(label: str, url: str) -> Button:
    """A button that opens a page."""
    return Button(label, url=url)


def keyboard(*rows: Row) -> Keyboard | None:
    """A keyboard of the rows that have buttons; None when none has."""
    full = tuple(tuple(row) for row in rows if row)
    return Keyboard(full) if full else None


def grid(buttons: Iterable[Button], *, across: int) -> list[list[Button]]:
    """Buttons in rows of so many."""
    every = list(buttons)
    return [every[start : start + across] for start in range(0, len(every), across)]


def lines(*parts: str | None) -> str:
    """The parts that are there, a line each; "" is an empty line."""
    return "\n".join(part for part in parts if part is not None)
