"""The fixed answers to somebody in need, and to questions that are a doctor's."""

from __future__ import annotations

import html

from bot.texts.content import FixedAnswer
from bot.texts.language import Words
from bot.texts.need import CRISIS
from bot.views.message import Row, View, button, keyboard, lines, link
from bot.views.pages import READ, plain

HELPLINES = "https://findahelpline.com"
"""A list of crisis lines by country."""


def answer(words: Words, fixed: FixedAnswer, *, line: str = "") -> View:
    """What somebody is told. `line` is the operator's own, under the answer to somebody who thinks of dying."""
    text = lines(
        f"<b>{plain(words, fixed.title)}</b>",
        *(plain(words, one) for one in fixed.lines),
        html.escape(line, quote=False) if line and fixed.id == CRISIS else None,
        f"<i>{plain(words, fixed.strength)}</i>" if fixed.strength is not None else None,
    )
    return View(text, keyboard(_buttons(words, fixed.id)))


def _buttons(words: Words, kind: str) -> Row:
    ask_first = button(words("Who should ask first"), "safety")
    guide = button(words("Form guide"), "forms", READ)
    rows: dict[str, Row] = {
        CRISIS: [link(words("Find somebody to talk to"), HELPLINES)],
        "medicine": [ask_first, button(words("Medicines"), "safety_meds")],
        "double": [ask_first],
        "amount": [ask_first, guide],
        "form": [guide],
        "works": [button(words("A fair test"), "exp"), button(words("One tip more"), "tip_next")],
    }
    return rows.get(kind, ())
