"""The report of sources that nobody has looked at for long."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.cli import sources
from bot.core.model import Source
from bot.texts import content

TODAY = date(2026, 11, 28)
BOOK = Source("book", "A book", "Cook", 2020, None, checked=TODAY)


def test_sources_older_than_a_year_are_listed_the_oldest_first() -> None:
    never, old, older = (
        replace(BOOK, id="never", checked=None),
        replace(BOOK, id="old", checked=TODAY - timedelta(days=366)),
        replace(BOOK, id="older", checked=TODAY - timedelta(days=900)),
    )
    fresh = replace(BOOK, id="fresh", checked=TODAY - timedelta(days=365))

    assert sources.stale([fresh, old, older, never, BOOK], today=TODAY) == [never, older, old]


def test_every_source_of_ours_says_when_it_was_looked_at() -> None:
    known = content.load().sources

    assert all(source.checked is not None for source in known)
    assert len(sources.stale(known, today=date(2100, 1, 1))) == len(known)


def test_the_report_is_a_line_a_source(capsys: pytest.CaptureFixture[str]) -> None:
    code = sources.main()
    lines = capsys.readouterr().out.splitlines()

    assert lines
    assert (code == 0) is (lines == ["Every source was looked at within a year."])
