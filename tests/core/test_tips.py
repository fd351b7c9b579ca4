"""The night's tip: every one that fits once a deck, no neighbours alike, the same night the same tip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import tips
from bot.core.model import Person, Status, Tip

NOBODY: frozenset[str] = frozenset()
TOPICS = ("food", "light", "myths")
people = st.integers(min_value=1, max_value=2**52)
nights = st.dates(min_value=date(2024, 1, 1), max_value=date(2060, 1, 1))
sizes = st.integers(min_value=1, max_value=40)


def tip(number: int, *, unfit: tuple[str, ...] = ()) -> Tip:
    return Tip(f"t{number}", TOPICS[number % 3], f"Text {number}.", "Small studies only", ("book",), ("f001",), unfit)


def some(count: int) -> list[Tip]:
    return [tip(number) for number in range(count)]


def shown(person: int, first: date, count: int, every: Sequence[Tip], retired: frozenset[str] = NOBODY) -> list[str]:
    """The ids of so many nights' tips."""
    picked = [
        tips.pick(person, first + timedelta(days=n), every, form=None, retired=retired, muted=NOBODY)
        for n in range(count)
    ]
    return [each.id for each in picked if each is not None]


def deck_start(size: int, number: int) -> date:
    return tips.EPOCH + timedelta(days=size * number)


@given(people, sizes, st.integers(min_value=-20, max_value=200))
def test_a_deck_shows_every_tip_once(person: int, size: int, number: int) -> None:
    ids = shown(person, deck_start(size, number), size, some(size))

    assert sorted(ids) == sorted(each.id for each in some(size))


@given(people, st.integers(min_value=2, max_value=40), nights)
def test_no_tip_follows_itself(person: int, size: int, first: date) -> None:
    ids = shown(person, first, 3 * size, some(size))

    assert all(one != other for one, other in pairwise(ids))


@given(people, st.integers(min_value=3, max_value=40), st.integers(min_value=-20, max_value=200))
def test_a_tip_stays_away_for_a_third_of_a_deck(person: int, size: int, number: int) -> None:
    ids = shown(person, deck_start(size, number), 4 * size, some(size))

    for place, tip_id in enumerate(ids):
        assert tip_id not in ids[max(0, place - size // 3) : place]


@given(people, sizes, nights, st.randoms(use_true_random=False))
def test_the_same_night_shows_the_same_tip_however_the_list_is_ordered(
    person: int, size: int, night: date, luck: Random
) -> None:  # type: ignore[no-untyped-def]
    every = some(size)
    once = shown(person, night, 1, every)
    luck.shuffle(every)

    assert shown(person, night, 1, every) == once


def test_people_get_different_decks_and_decks_differ() -> None:
    every = some(30)
    first = shown(1, deck_start(30, 0), 30, every)

    assert shown(2, deck_start(30, 0), 30, every) != first
    assert shown(1, deck_start(30, 1), 30, every) != first


def test_every_tip_comes_first_for_about_as_many_people() -> None:
    firsts = [shown(person, tips.EPOCH, 1, some(10))[0] for person in range(2000)]

    counts = [firsts.count(each.id) for each in some(10)]
    assert min(counts) > 140  # 200 expected; four standard deviations below is 146, less a little
    assert max(counts) < 260


def test_the_order_is_the_same_on_every_machine_and_day() -> None:
    assert shown(7, date(2026, 11, 20), 6, some(6)) == ["t2", "t1", "t3", "t5", "t4", "t1"]


@given(
    people,
    nights,
    st.frozensets(st.sampled_from(TOPICS)),
    st.frozensets(st.sampled_from([each.id for each in some(9)])),
    st.sampled_from([None, "oxide", "citrate"]),
)
def test_only_tips_that_fit_are_shown(
    person: int, night: date, muted: frozenset[str], retired: frozenset[str], form: str | None
) -> None:
    every = [tip(number, unfit=("oxide",) if number % 2 else ()) for number in range(9)]
    fit = {
        each.id
        for each in every
        if each.id not in retired and each.topic not in muted and not (form == "oxide" and each.unfit_forms)
    }

    picked = [
        tips.pick(person, night + timedelta(n), every, form=form, retired=retired, muted=muted)
        for n in range(2 * len(every))
    ]

    assert {each.id for each in picked if each is not None} == fit
    assert (None in picked) == (not fit)


@pytest.mark.parametrize(
    ("every", "retired", "muted"),
    [
        ([], NOBODY, NOBODY),
        ([tip(0)], frozenset({"t0"}), NOBODY),
        ([tip(0)], NOBODY, frozenset({"food"})),
        ([tip(0, unfit=("oxide",))], NOBODY, NOBODY),
    ],
)
def test_where_nothing_fits_nothing_is_shown(every: list[Tip], retired: frozenset[str], muted: frozenset[str]) -> None:
    night = date(2026, 11, 20)

    assert tips.pick(1, night, every, form="oxide", retired=retired, muted=muted) is None
    assert tips.more(1, night, every, form="oxide", retired=retired, muted=muted, after=None) is None


@given(people, st.integers(min_value=0, max_value=4), st.integers(min_value=0, max_value=60))
def test_a_thumbs_down_hardly_disturbs_what_is_left_of_the_deck(person: int, number: int, place: int) -> None:
    every, start = some(80), deck_start(80, number)
    before = shown(person, start, place + 1, every)
    left = 79 * (number + 1) - (80 * number + place + 1)  # nights until the smaller deck of this number ends

    after = shown(person, start + timedelta(place + 1), left, every, frozenset(before[-1:]))

    assert left == 78 - place - number  # as many cards as the deck's number wait for the next one
    assert before[-1] not in after
    assert len(set(before) & set(after)) <= 2


def circle(person: int, night: date, every: Sequence[Tip], times: int, retired: frozenset[str] = NOBODY) -> list[str]:
    """What asking again and again for one more shows."""
    ids: list[str] = []
    for _ in range(times):
        after = ids[-1] if ids else None
        another = tips.more(person, night, every, form=None, retired=retired, muted=NOBODY, after=after)
        assert another is not None
        ids.append(another.id)
    return ids


@given(people, nights, st.integers(min_value=2, max_value=30))
def test_one_more_goes_round_all_others_and_never_shows_tonights(person: int, night: date, size: int) -> None:
    every = some(size)
    tonight = shown(person, night, 1, every)[0]

    ids = circle(person, night, every, 2 * (size - 1))

    assert sorted([*ids[: size - 1], tonight]) == sorted(each.id for each in every)
    assert ids[size - 1 :] == ids[: size - 1]


def test_one_more_goes_on_where_it_was_after_a_thumbs_down() -> None:
    every, night = some(20), date(2026, 11, 20)
    first, second = circle(5, night, every, 2)

    another = tips.more(5, night, every, form=None, retired=frozenset({second}), muted=NOBODY, after=second)

    assert another is not None
    assert another.id not in (first, second)


def test_there_is_no_more_than_the_only_tip() -> None:
    assert tips.more(5, date(2026, 11, 20), [tip(0)], form=None, retired=NOBODY, muted=NOBODY, after="t0") is None


def test_an_unknown_last_tip_begins_the_round() -> None:
    every, night = some(5), date(2026, 11, 20)

    begun = tips.more(5, night, every, form=None, retired=NOBODY, muted=NOBODY, after="gone")

    assert begun is not None
    assert [begun.id] == circle(5, night, every, 1)


CAME = datetime(2026, 1, 1, tzinfo=UTC)


def somebody(**values: object) -> Person:
    return Person(7, Status.ACTIVE, created_at=CAME, seen_at=CAME, **values)  # type: ignore[arg-type]


def test_what_frightens_is_for_the_day_and_for_who_asks() -> None:
    calm, grave = tip(0), replace(tip(1), by_day=True)
    nights = [tips.EPOCH + timedelta(days=shift) for shift in range(6)]

    assert {tips.tonights(somebody(), night, [calm, grave], retired=NOBODY) for night in nights} == {calm}
    assert tips.tonights(somebody(), nights[0], [grave], retired=NOBODY) is None
    assert tips.by_day(somebody(), nights[0], [calm, grave], retired=NOBODY) == grave
    assert tips.more(7, nights[0], [calm, grave], form=None, retired=NOBODY, muted=NOBODY, after=None) is not None


def test_by_day_every_one_comes_once_a_round_one_a_week() -> None:
    every = [replace(tip(number), by_day=True) for number in range(5)]
    sundays = [tips.EPOCH + timedelta(weeks=week) for week in range(5)]

    shown = [tips.by_day(somebody(), night, every, retired=NOBODY) for night in sundays]

    assert {one.id for one in shown if one is not None} == {one.id for one in every}
    assert tips.by_day(somebody(), sundays[0] + timedelta(days=3), every, retired=NOBODY) == shown[0]
    assert tips.by_day(somebody(discreet=True), sundays[0], every, retired=NOBODY) is None


def test_topics_that_are_held_back_rest_like_muted_ones() -> None:
    every = some(6)
    nights = [tips.EPOCH + timedelta(days=shift) for shift in range(12)]

    shown = {tips.tonights(somebody(), night, every, retired=NOBODY, held=frozenset({"myths"})) for night in nights}

    assert {one.topic for one in shown if one is not None} == {"food", "light"}


def test_a_discreet_reminder_has_a_tip_that_does_not_tell_what_it_is_about() -> None:
    loud, quiet = (
        Tip(name, "sleep", text, "", (), (), tells=tells)
        for name, text, tells in (("a", "The tablet …", True), ("b", "A dark room …", False))
    )
    person = somebody()
    nights = [tips.EPOCH + timedelta(days=shift) for shift in range(6)]

    def shown(one: Person, *, retired: frozenset[str] = frozenset()) -> set[Tip | None]:
        return {tips.tonights(one, night, [loud, quiet], retired=retired) for night in nights}

    assert shown(person) == {loud, quiet}
    assert shown(replace(person, discreet=True)) == {quiet}
    assert shown(replace(person, discreet=True), retired=frozenset({"b"})) == {None}
