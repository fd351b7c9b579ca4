"""What a file may have at most, whatever is in it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.core import diary_import
from bot.core.diary_import import Arrived, Choice, ImportProblem, ImportProblemKind

LAST = date(2026, 3, 25)


def read(data: bytes) -> Arrived | Choice | ImportProblem:
    return diary_import.read(data, zone="Europe/Berlin", last=LAST)


def sheet(nights: int) -> bytes:
    rows = (f"{LAST - timedelta(days=back)},taken" for back in range(nights))
    return "\n".join(("night,intake", *rows)).encode()


@pytest.mark.parametrize("line", [b"\n", b"\r", b"\r\n", b",\n", b" \n"])
def test_lines_count_whatever_is_on_them(line: bytes) -> None:
    assert read(b"night,intake\n" + line * 20_000) == ImportProblem(ImportProblemKind.TOO_MANY)


@pytest.mark.parametrize("sign", [b",", b";"])
def test_a_table_has_sixty_four_columns_at_most(sign: bytes) -> None:
    habits = b"Date" + sign + sign.join(b"habit%d" % number for number in range(64))

    assert read(habits + b"\n") == ImportProblem(ImportProblemKind.TOO_WIDE)
    assert read(habits.rpartition(sign)[0] + b"\n") == ImportProblem(ImportProblemKind.EMPTY)


def test_a_file_has_four_thousand_nights_at_most() -> None:
    found = read(sheet(4_000))
    assert isinstance(found, Arrived)
    assert len(found.lines) == 4_000
    assert read(sheet(4_001)) == ImportProblem(ImportProblemKind.TOO_MANY_NIGHTS)
