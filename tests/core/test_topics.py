"""Switching topics on and off."""

from __future__ import annotations

from bot.core import topics

ALL = ("rhythm", "food", "care")


def test_a_topic_goes_off_and_on_again() -> None:
    off = topics.switched(frozenset(), "food", on=False, topics=ALL)
    assert off == {"food"}

    assert topics.switched(off, "food", on=True, topics=ALL) == frozenset()


def test_switching_a_topic_to_where_it_is_changes_nothing() -> None:
    assert topics.switched({"food"}, "food", on=False, topics=ALL) == {"food"}
    assert topics.switched({"food"}, "care", on=True, topics=ALL) == {"food"}


def test_the_last_topic_cannot_go_off() -> None:
    assert topics.switched({"food", "care"}, "rhythm", on=False, topics=ALL) is None


def test_a_topic_that_is_no_more_does_not_count_as_one_that_is_on() -> None:
    assert topics.switched({"food", "care", "gone"}, "rhythm", on=False, topics=ALL) is None
    assert topics.switched({"gone"}, "rhythm", on=False, topics=ALL) == {"rhythm"}


def test_a_topic_can_go_on_after_the_others_are_no_more() -> None:
    assert topics.switched({"food"}, "food", on=True, topics=("food",)) == frozenset()
