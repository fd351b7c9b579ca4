"""Which topics a person's tips may be about."""

from __future__ import annotations

from collections.abc import Collection


def switched(muted: Collection[str], topic: str, *, on: bool, topics: Collection[str]) -> frozenset[str] | None:
    """The muted topics once `topic` is on or off; None when that would leave no topic on.

    `topics` are all there are. Topics that no longer exist are dropped.
    """
    after = (set(muted) - {topic} if on else {*muted, topic}) & set(topics)
    return None if after >= set(topics) else frozenset(after)
