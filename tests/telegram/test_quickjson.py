"""JSON as Python's own module reads and writes it, only faster."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.telegram import quickjson
from bot.views.message import View


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, -2.5, true, null, "größer 🌙"]}',
        '{"half": "\\ud83d"}',  # one half of a character, as an escape
        '{"nul": "\\u0000"}',
        '{"number": NaN}',
        "[" * 600 + "]" * 600,
    ],
)
def test_it_reads_whatever_pythons_own_module_reads(text: str) -> None:
    assert repr(quickjson.loads(text)) == repr(json.loads(text))
    assert repr(quickjson.loads(text.encode())) == repr(json.loads(text))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe\xfd", b"<html>"])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError):
        quickjson.loads(text)


def test_what_is_nested_too_deeply_is_a_recursion_error() -> None:
    with pytest.raises(RecursionError):
        quickjson.loads("[" * 100_000)


@pytest.mark.parametrize("value", [{"text": "größer 🌙"}, {"half": "\ud83d"}, {"big": 2**80}, [1.5, None, "\0"]])
def test_what_it_writes_python_reads_back(value: object) -> None:
    assert json.loads(quickjson.dumps(value)) == value


def test_what_it_writes_can_be_stored_anywhere() -> None:
    text = quickjson.dumps({"half": "\ud83d", "nul": "\0"}).decode()

    assert "\0" not in text
    assert text.encode()


@pytest.mark.parametrize("value", [object(), datetime(2026, 3, 26, tzinfo=UTC), View("a message"), {1, 2}])
def test_what_is_no_json_value_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        quickjson.dumps({"a": value})
