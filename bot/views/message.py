"""A message as values: HTML text, keyboard, sound. Every view is made of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove

from bot.core import press

Button = InlineKeyboardButton
Row = Sequence[Button]

TEXT_LIMIT = 4096
"""Telegram's limit for a message's text, in UTF-16 units after its tags are read."""


@dataclass(frozen=True, slots=True)
class View:
    """One message. `text` is Telegram's HTML; `below` is a keyboard in place of the phone's own."""

    text: str
    keyboard: InlineKeyboardMarkup | None = None
    silent: bool = False
    below: ReplyKeyboardMarkup | ReplyKeyboardRemove | None = None


def button(label: str, verb: str, *args: object, style: str | None = None) -> Button:
    """A button that comes back as a press. `style`: success, danger or primary."""
    return InlineKeyboardButton(label, callback_data=press.data(verb, *args), style=style)


def link(label: str, url: str) -> Button:
    """A button that opens a page."""
    return InlineKeyboardButton(label, url=url)


def keyboard(*rows: Row) -> InlineKeyboardMarkup | None:
    """A keyboard of the rows that have buttons; None when none has."""
    full = [row for row in rows if row]
    return InlineKeyboardMarkup(full) if full else None


def grid(buttons: Iterable[Button], *, across: int) -> list[list[Button]]:
    """Buttons in rows of so many."""
    every = list(buttons)
    return [every[start : start + across] for start in range(0, len(every), across)]


def lines(*parts: str | None) -> str:
    """The parts that are there, a line each; "" is an empty line."""
    return "\n".join(part for part in parts if part is not None)
