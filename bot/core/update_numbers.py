"""Which updates are confirmed: Telegram counts up, but after a silent week it may begin anew at any number. Pure."""

from __future__ import annotations

from collections.abc import Sequence

FAR = 1_000_000
"""Updates further apart are not of one counting."""

SILENT = 7 * 86_400.0
"""Seconds without an update after which the next one may have any number, as Telegram documents."""

ALONE = 3_600.0
"""Seconds after which a number that is far from the others is believed although it stayed alone."""


def next_offset(offset: int | None, numbers: Sequence[int], *, alone: float = 0.0) -> int | None:
    """The number from which updates are asked for next: what is below is confirmed, and never comes again.

    One that is far from where the counting stands is stored and handled but moves nothing: with it all that comes after the others
    would be confirmed unseen. A second one beside it shows that the counting has moved there; or that it was alone for `alone`
    seconds in which nothing else came.
    """
    if not numbers:
        return offset
    groups = _groups(sorted(set(numbers)))
    if offset is None:
        # The most of one counting; of two that are alike the lower, since the higher would hide it.
        return max(groups, key=len)[-1] + 1
    near = [number for number in numbers if abs(number - offset) <= FAR]
    if near:
        return max(offset, max(near) + 1)
    largest = max(groups, key=len)
    return largest[-1] + 1 if len(largest) > 1 or alone > ALONE else offset


def _groups(numbers: Sequence[int]) -> list[list[int]]:
    """Numbers in order, parted where they are far from each other."""
    groups: list[list[int]] = []
    for number in numbers:
        if not groups or number - groups[-1][-1] > FAR:
            groups.append([])
        groups[-1].append(number)
    return groups
