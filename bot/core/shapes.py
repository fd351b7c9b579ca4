"""The shape of a dead letter: its fields and the lengths of its texts, without anything that somebody wrote."""

from __future__ import annotations

import json
import re

MARK = "shape: "
"""How a shape begins, so that it can be told from an original text."""

_DEEPEST, _MOST = 20, 50
_FIELD = re.compile(r"[a-z_]{1,32}")


def of(text: str) -> str:
    """The fields of a JSON text with the lengths of its texts; of any other text its length."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return f"{MARK}no JSON, {len(text)} characters"
    return MARK + json.dumps(_shape(value, 0), separators=(",", ":"))


def _shape(value: object, depth: int) -> object:
    if isinstance(value, str):
        return f"{len(value)} characters"
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return 0
    if depth > _DEEPEST:
        return "deeper"
    if isinstance(value, list):
        return [_shape(item, depth + 1) for item in value[:_MOST]]
    if isinstance(value, dict):
        # A field that Telegram does not have could be called anything.
        named = list(value.items())[:_MOST]
        return {name if _FIELD.fullmatch(name) else "other": _shape(item, depth + 1) for name, item in named}
    return "other"
