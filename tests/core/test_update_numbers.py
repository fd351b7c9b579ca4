"""Which updates are confirmed, when their numbers are not what they should be."""

from __future__ import annotations

import pytest

from bot.core.update_numbers import ALONE, FAR, next_offset

ODD = 2**62


@pytest.mark.parametrize(
    ("offset", "numbers", "then"),
    [
        (None, [], None),
        (7, [], 7),
        (None, [5], 6),
        (None, [5, 6, 9], 10),
        (7, [7, 8], 9),
        (7, [8, 7], 9),
        # A delivery that is repeated takes nothing back.
        (9, [7], 9),
        # One that is far from the others moves nothing, above or below them.
        (7, [7, ODD], 8),
        (7, [ODD], 7),
        (ODD, [5, ODD], ODD + 1),
        (ODD, [5], ODD),
        (None, [5, ODD], 6),
        (None, [ODD, ODD + 1, 5], ODD + 2),
        # Two of them show where the counting goes on.
        (7, [ODD, ODD + 1], ODD + 2),
        (ODD, [5, 6], 7),
        (7, [7 + FAR], 8 + FAR),
        (7, [8 + FAR], 7),
    ],
)
def test_the_offset_goes_with_the_counting(offset: int | None, numbers: list[int], then: int | None) -> None:
    assert next_offset(offset, numbers) == then


def test_one_that_stays_alone_for_an_hour_is_believed() -> None:
    assert next_offset(7, [ODD], alone=ALONE) == 7
    assert next_offset(7, [ODD], alone=ALONE + 1) == ODD + 1
