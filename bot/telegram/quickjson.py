"""JSON at the speed of a compiled library, and all the same whatever Python's own module takes."""

from __future__ import annotations

import json
from typing import Any

import orjson

# What is no JSON value is a mistake, not an object of its fields.
_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def loads(text: bytes | str) -> Any:
    """The value. Raises ValueError, or RecursionError for what is nested too deeply.

    JSON allows half characters as escapes, and Python numbers that are none: one such in an answer must not lose the rest.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def dumps(value: object) -> bytes:
    """The value as UTF-8; as ASCII where a text has half a character. Raises TypeError for what is no JSON value."""
    try:
        return orjson.dumps(value, option=_PLAIN)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
