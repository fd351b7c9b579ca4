"""Checks keyboards as Telegram does, and reads them as a person sees them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from bot.fake_telegram.formatting import URL
from bot.fake_telegram.values import Fields, Refused

STYLES = ("danger", "success", "primary")
_LABEL = {"text", "icon_custom_emoji_id", "style"}
_MOST_IN_A_ROW = 8
_MOST_BUTTONS = 100
_MOST_ROWS = 100


@dataclass(frozen=True, slots=True)
class Button:
    """A button as a person sees it; one with neither data nor url belongs to the keyboard under the input field."""

    text: str
    data: str | None = None
    url: str | None = None
    style: str | None = None
    asks_location: bool = False


def checked(markup: Fields, *, private: bool) -> Fields:
    """The markup, or a refusal in Telegram's words."""
    if "inline_keyboard" in markup:
        _rows(markup, "inline_keyboard", _inline)
    elif "keyboard" in markup:
        _rows(markup, "keyboard", _reply)
        if not private and any(button.asks_location for row in buttons(markup) for button in row):
            raise Refused("location can be requested in private chats only")
        if not cast("list[object]", markup["keyboard"]):
            raise Refused("reply keyboard must have at least one button")
    elif not (markup.get("remove_keyboard") or markup.get("force_reply")):
        raise Refused("remove_keyboard and force_reply must be True")
    return markup


def buttons(markup: Fields | None) -> tuple[tuple[Button, ...], ...]:
    """Rows of buttons, none for no keyboard."""
    rows = (markup or {}).get("inline_keyboard") or (markup or {}).get("keyboard") or []
    return tuple(tuple(_button(fields) for fields in row) for row in cast("list[list[Fields]]", rows))


def _button(fields: Fields) -> Button:
    return Button(
        text=str(fields["text"]),
        data=cast("str | None", fields.get("callback_data")),
        url=cast("str | None", fields.get("url")),
        style=cast("str | None", fields.get("style")),
        asks_location=bool(fields.get("request_location")),
    )


def _rows(markup: Fields, name: str, check: Callable[[Fields], None]) -> None:
    rows = cast("list[list[Fields]]", markup[name])
    if len(rows) > _MOST_ROWS or sum(map(len, rows)) > _MOST_BUTTONS:
        raise Refused("REPLY_MARKUP_TOO_LONG")
    for row in rows:
        if not row:
            raise Refused(f"an empty row in {name}")
        if len(row) > _MOST_IN_A_ROW:
            raise Refused(f"more than {_MOST_IN_A_ROW} buttons in a row of {name}")
        for button in row:
            _label(button)
            check(button)


def _label(button: Fields) -> None:
    if not str(button["text"]).strip():
        raise Refused("button text must be non-empty")
    if "style" in button and button["style"] not in STYLES:
        raise Refused(f'invalid button style "{button["style"]}" specified')


def _inline(button: Fields) -> None:
    actions = set(button) - _LABEL
    if not actions:
        raise Refused("text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise Refused(f"a button must have exactly one action, this has {', '.join(sorted(actions))}")
    data, url = button.get("callback_data"), button.get("url")
    if data is not None and not 1 <= len(str(data).encode()) <= 64:
        raise Refused("BUTTON_DATA_INVALID")
    if url is not None and not _is_link(str(url)):
        raise Refused(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    if "web_app" in button and not str(cast("Fields", button["web_app"])["url"]).startswith("https://"):
        raise Refused("BUTTON_URL_INVALID: only HTTPS links are allowed")


def _is_link(url: str) -> bool:
    return bool(URL.fullmatch(url)) and bool(re.match(r"(https?://[^\s/.]+\.[^\s/]+|tg://.)", url))


def _reply(button: Fields) -> None:
    if len(set(button) - _LABEL) > 1:
        raise Refused("a keyboard button can have at most one action")


def is_inline(markup: Fields | None) -> bool:
    """Whether there are buttons under the message itself."""
    return bool(markup and markup.get("inline_keyboard"))
