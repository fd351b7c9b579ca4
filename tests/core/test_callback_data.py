"""What a button carries is read strictly, because anybody can forge it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import callback_data
from bot.core.callback_data import Press


def test_what_a_button_says_is_read_back() -> None:
    assert callback_data.parse(callback_data.data("rate", date(2026, 11, 20), -2)) == Press(
        "rate", ("2026-11-20", "-2")
    )
    assert callback_data.parse(callback_data.data("consent")) == Press("consent")


@pytest.mark.parametrize(
    "forged",
    [
        None,
        "",
        "v1",
        "v1:",
        "v2:taken:2026-11-20",
        "v1:Taken",
        "v1:taken:2026-11-20:a:b:c",
        "v1:taken:\n",
        "taken",
        "v1:täken",
    ],
)
def test_data_that_no_button_ever_said_is_nothing(forged: str | None) -> None:
    assert callback_data.parse(forged) is None


def test_data_of_more_than_64_bytes_is_nothing() -> None:
    assert callback_data.parse("v1:form:" + "x" * 36 + ":" + "y" * 19) is not None
    assert callback_data.parse("v1:form:" + "x" * 36 + ":" + "y" * 20) is None


def test_a_button_that_could_not_be_read_back_is_never_made() -> None:
    with pytest.raises(ValueError, match="not a button"):
        callback_data.data("zone", "no spaces, please")


@pytest.mark.parametrize(
    ("text", "night"),
    [("2026-11-20", date(2026, 11, 20)), ("2026-02-30", None), ("20261120", None), ("2026-W47-5", None), ("", None)],
)
def test_only_a_real_date_is_a_night(text: str, night: date | None) -> None:
    assert Press("taken", (text,)).night == night


def test_a_press_without_arguments_has_no_night() -> None:
    assert Press("taken").night is None


@pytest.mark.parametrize(
    ("text", "number"), [("10", 10), ("-2", -2), ("1e3", None), ("9999999", None), ("", None), ("٣", None)]
)
def test_only_a_short_whole_number_is_a_number(text: str, number: int | None) -> None:
    assert Press("snz", ("2026-11-20", text)).number(1) == number


def test_an_argument_that_is_not_there_is_empty() -> None:
    assert Press("lead").arg(0) == ""


@given(st.text())
def test_nothing_that_is_forged_raises(text: str) -> None:
    found = callback_data.parse(text)
    if found is not None:
        assert (found.night, found.number(0), found.arg(3)) is not None
