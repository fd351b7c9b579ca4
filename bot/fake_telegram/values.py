"""Reads the parameters of a call as strictly as the Bot API documents them; a refusal says which one is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import cast

Fields = dict[str, object]
"""A JSON object as it came or goes."""


class Refused(Exception):  # noqa: N818 - it is an answer of the stand-in, not a failure of it
    """An answer with `ok: false`: its HTTP status, description and `parameters`."""

    def __init__(self, description: str, *, code: int = 400, **parameters: int) -> None:
        super().__init__(description)
        prefix = {400: "Bad Request: ", 403: "Forbidden: ", 409: "Conflict: "}.get(code, "")
        self.code = code
        self.description = prefix + description
        self.parameters = parameters

    def answer(self) -> Fields:
        body: Fields = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = dict(self.parameters)
        return body


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a multipart body."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Field:
    """One declared parameter: its kind, whether it must be there, its bounds (length of a text, size of a number)."""

    kind: str
    required: bool
    low: int | None = None
    high: int | None = None


_ITEM = re.compile(r"(\w+)(!?) ([\[\w\]]+)(?:\((-?\d+)\.\.(-?\d+)\))?")


def declare(*tables: str) -> dict[str, Field]:
    """Reads `name! kind(low..high)` items, comma separated; `!` marks a required one.

    Kinds: int, float, flag, text, chat (a number or @name), file (an upload or a text), any (any JSON object), the name
    of a shape in `SHAPES`, and any of these in brackets for a list.
    """
    fields: dict[str, Field] = {}
    for item in (part.strip() for table in tables for part in table.split(",")):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"not a declaration: {item!r}")
        name, required, kind, low, high = match.groups()
        fields[name] = Field(kind, bool(required), int(low) if low else None, int(high) if high else None)
    return fields


SHAPES: dict[str, dict[str, Field]] = {}
"""Objects inside parameters; filled by `tables`."""


class Params:
    """The parameters of one call after they were checked, read by type."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def number(self, name: str, default: int = 0) -> int:
        return cast("int", self.values.get(name, default))

    def text(self, name: str) -> str | None:
        return cast("str | None", self.values.get(name))

    def flag(self, name: str) -> bool:
        return cast("bool", self.values.get(name, False))

    def chat(self, name: str = "chat_id") -> int | str:
        return cast("int | str", self.values[name])

    def record(self, name: str) -> Fields | None:
        return cast("Fields | None", self.values.get(name))

    def records(self, name: str) -> list[Fields] | None:
        return cast("list[Fields] | None", self.values.get(name))

    def texts(self, name: str) -> list[str] | None:
        return cast("list[str] | None", self.values.get(name))

    def file(self, name: str) -> Upload | str | None:
        return cast("Upload | str | None", self.values.get(name))


def read(table: Mapping[str, Field], given: Mapping[str, object], *, form: Collection[str] = ()) -> Fields:
    """The parameters as Python values. `form` names those from a query or a form, where numbers, flags and objects are
    written as texts; an empty text there counts as absent for all but texts."""
    checked: Fields = {}
    for name, value in given.items():
        if name not in table:
            raise Refused(f'unknown parameter "{name}"')
        field = table[name]
        if value is None or (name in form and value == "" and field.kind not in ("text", "chat")):
            continue
        checked[name] = _value(field, _parsed(field, value, name) if name in form else value, name)
    for name, field in table.items():
        if field.required and name not in checked:
            raise Refused("message text is empty" if name == "text" else f'parameter "{name}" is required')
    return checked


def _parsed(field: Field, value: object, name: str) -> object:
    """A text of a form as the JSON value that it stands for."""
    if not isinstance(value, str):
        return value
    if field.kind == "flag":
        return {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
    if field.kind in ("int", "chat", "float", "text", "file"):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise Refused(f'can\'t parse {name} JSON object: "{error}"') from error


def _value(field: Field, value: object, name: str) -> object:
    kind = field.kind
    if kind.startswith("["):
        return _list(field, value, name)
    if kind in _READERS:
        found = _READERS[kind](value, name)
        _within(field, found, name)
        return found
    if kind == "KeyboardButton" and isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise Refused(f'parameter "{name}" must be of type Object')
    return value if kind == "any" else _shaped(kind, cast("Fields", value), name)


def _shaped(kind: str, value: Fields, name: str) -> Fields:
    kind = _ALTERNATIVES[kind](value, name) if kind in _ALTERNATIVES else kind
    shape, found = SHAPES[kind], Fields()
    for key, inner in value.items():
        if key not in shape:
            raise Refused(f'unknown field "{key}" in {name} ({kind})')
        if inner is not None:
            found[key] = _value(shape[key], inner, f"{name}.{key}")
    for key, field in shape.items():
        if field.required and key not in found:
            raise Refused(f'can\'t find field "{key}" in {name} ({kind})')
    return found


def _list(field: Field, value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise Refused(f'parameter "{name}" must be of type Array')
    if field.high is not None and len(value) > field.high:
        raise Refused(f'parameter "{name}" has more than {field.high} items')
    inner = Field(field.kind[1:-1], required=True)
    return [_value(inner, item, f"{name}[{index}]") for index, item in enumerate(value)]


def _within(field: Field, found: object, name: str) -> None:
    size = utf16(found) if isinstance(found, str) else found
    if not isinstance(size, (int, float)):
        return
    if (field.low is not None and size < field.low) or (field.high is not None and size > field.high):
        what = "must have a length" if isinstance(found, str) else "must be"
        raise Refused(f'parameter "{name}" {what} from {field.low} to {field.high}')


def utf16(text: str) -> int:
    """Its length as Telegram counts: in UTF-16 code units."""
    return len(text) + sum(character > "\uffff" for character in text)


def _int(value: object, name: str) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(f'parameter "{name}" must be of type Integer')
    return value


def _float(value: object, name: str) -> float:
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused(f'parameter "{name}" must be of type Float')
    return value


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise Refused(f'parameter "{name}" must be of type Boolean')
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise Refused(f'parameter "{name}" must be of type String')
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Refused("strings must be encoded in UTF-8") from error
    return value


def _chat(value: object, name: str) -> int | str:
    if value == "":
        raise Refused(f"{name} is empty")
    if isinstance(value, str) and re.fullmatch(r"@\w{4,32}", value):
        return value
    if isinstance(value, str) and not re.fullmatch(r"-?\d{1,19}", value):
        raise Refused("chat not found")
    return _int(value, name)


def _file(value: object, name: str) -> Upload | str:
    return value if isinstance(value, Upload) else _text(value, name)


_READERS = {"int": _int, "float": _float, "flag": _flag, "text": _text, "chat": _chat, "file": _file}


def _markup(value: Fields, name: str) -> str:
    kinds = {
        "inline_keyboard": "InlineKeyboardMarkup",
        "keyboard": "ReplyKeyboardMarkup",
        "remove_keyboard": "ReplyKeyboardRemove",
        "force_reply": "ForceReply",
    }
    found = [kind for key, kind in kinds.items() if key in value]
    if len(found) != 1:
        raise Refused(f"object expected as reply markup: {name} has {len(found)} of {', '.join(kinds)}")
    return found[0]


def _by_type(prefix: str, value: Fields, name: str) -> str:
    kind = value.get("type")
    words = kind.split("_") if isinstance(kind, str) else []
    shape = prefix + "".join(word.capitalize() for word in words)
    if not words or shape not in SHAPES:
        raise Refused(f"unsupported type {kind!r} in {name}")
    return shape


_ALTERNATIVES: dict[str, Callable[[Fields, str], str]] = {
    "Markup": _markup,
    "BotCommandScope": lambda value, name: _by_type("BotCommandScope", value, name),
    "ReactionType": lambda value, name: _by_type("ReactionType", value, name),
    "InputMedia": lambda value, name: _by_type("InputMedia", value, name),
}
