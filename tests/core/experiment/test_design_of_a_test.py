"""What is fixed before the first night of a test of version 2."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.experiment import design
from bot.core.experiment.design import RUN_IN, Arm, Design, Plan, RunIn
from bot.core.experiment.seed import WordFault, drawn_word, read_word, seed_of

START = date(2026, 11, 23)
SEED = bytes(range(32))

seeds = st.binary(min_size=32, max_size=32)


def letters(plan: design.Plan) -> str:
    return "".join("x" if arm is Arm.ON else "." for arm in design.schedule(plan))


def test_a_fortnight_has_exactly_a_hundred_schedules_and_a_pair_of_weeks_two() -> None:
    assert len(design.patterns(Design.NIGHTLY)) == 100
    assert len(design.patterns(Design.WEEKLY)) == 2


@given(seeds)
def test_nights_of_the_nightly_design_are_those_of_version_1(seed: bytes) -> None:
    assert design.schedule(Plan(START, 56, seed)) == design.schedule(design.Plan(START, 56, seed))
    assert design.schedule(design.Plan(START, 28, seed)) == design.schedule(design.Plan(START, 28, seed))


@given(seeds)
def test_weeks_with_and_without_come_in_six_pairs_by_the_lowest_bit_of_one_byte_each(seed: bytes) -> None:
    weeks = letters(Plan(START, 84, seed, design=Design.WEEKLY))

    for number in range(6):
        bit = hmac.new(seed, f"pair/{number + 1}".encode(), hashlib.sha256).digest()[0] & 1
        pair = weeks[14 * number : 14 * number + 14]
        assert pair == ("xxxxxxx......." if bit else ".......xxxxxxx")


def test_all_64_orders_of_weeks_are_drawn() -> None:
    drawn = Counter(
        letters(Plan(START, 84, bytes([a, b] + [0] * 30), design=Design.WEEKLY)) for a in range(4) for b in range(256)
    )

    assert len(drawn) == 64


def test_plans_of_today_stay_as_they_are() -> None:
    """Running tests depend on it."""
    assert letters(Plan(START, 28, SEED)) == letters(Plan(START, 84, SEED))[:28]
    assert letters(Plan(START, 84, SEED, design=Design.WEEKLY)) == (
        "xxxxxxx..............xxxxxxx.......xxxxxxxxxxxxxx..............xxxxxxxxxxxxxx......."
    )


def test_weeks_with_and_without_have_one_length() -> None:
    with pytest.raises(ValueError, match="take 84 nights, not 56"):
        Plan(START, 56, SEED, design=Design.WEEKLY)
    with pytest.raises(ValueError, match="not 30"):
        Plan(START, 30, SEED)


def test_a_seed_does_not_show_in_a_plans_words() -> None:
    assert SEED.hex() not in repr(Plan(START, 28, SEED))
    assert "seed" not in repr(Plan(START, 28, SEED))


@pytest.mark.parametrize("question", Design)
def test_every_night_has_its_arm_and_the_run_in_its_days(question: Design) -> None:
    plan = Plan(START, 84, SEED, design=question)
    moved = design.postpone(plan, START + timedelta(days=20), back=START + timedelta(days=30))
    assert isinstance(moved, Plan)
    nights = [design.night_at(moved, place) for place in range(RUN_IN + 84)]

    assert [design.arm_on(moved, night) for night in nights[:RUN_IN]] == [RunIn(day) for day in range(1, 8)]
    assert tuple(design.arm_on(moved, night) for night in nights[RUN_IN:]) == design.schedule(plan)
    assert design.arm_on(moved, START + timedelta(days=22)) is None
    assert all(night.weekday() == (START + timedelta(days=place)).weekday() for place, night in enumerate(nights))


@pytest.mark.parametrize("question", Design)
def test_each_bag_holds_what_its_night_was_drawn(question: Design) -> None:
    plan = Plan(START, 84, SEED, design=question)
    held = design.bags(plan)

    for place in range(RUN_IN, RUN_IN + 84):
        night = design.night_at(plan, place)
        number = design.bag_on(plan, night)
        assert number is not None
        assert held[number - 1] is design.arm_on(plan, night)
    assert len(held) == 84


def test_bags_of_the_nightly_design_are_those_of_version_1() -> None:
    assert design.bags(Plan(START, 56, SEED)) == design.bags(design.Plan(START, 56, SEED))


# The seed of two parties


def test_the_seed_is_the_bots_seed_keyed_with_the_word() -> None:
    word = read_word("  Gru\u0308n  ")

    assert word == "Gr\u00fcn"
    assert seed_of(SEED, "Gr\u00fcn") == hmac.new(SEED, "Grün".encode(), hashlib.sha256).digest()
    assert seed_of(SEED, "Gr\u00fcn") != seed_of(SEED, "Grun")


@given(st.text())
def test_a_word_is_composed_trimmed_and_has_1_to_60_characters_or_is_refused_with_a_reason(text: str) -> None:
    word = read_word(text)

    if isinstance(word, WordFault):
        assert word is not WordFault.EMPTY or not text.strip()
        return
    assert 1 <= len(word) <= 60
    assert word == word.strip() == unicodedata.normalize("NFC", word) == read_word(word)
    assert len(seed_of(SEED, word)) == 32


@pytest.mark.parametrize(
    ("text", "fault"),
    [("", WordFault.EMPTY), (" \n", WordFault.EMPTY), ("x" * 61, WordFault.TOO_LONG), ("\ud83d", WordFault.NOT_TEXT)],
)
def test_what_is_no_word_is_refused(text: str, fault: WordFault) -> None:
    assert read_word(text) is fault


def test_a_word_of_60_characters_is_one() -> None:
    assert read_word("e\u0301" * 60) == "\u00e9" * 60


@given(st.binary(min_size=10, max_size=10))
def test_a_drawn_word_is_one_that_could_have_been_typed(noise: bytes) -> None:
    assert read_word(drawn_word(noise)) == drawn_word(noise)
    assert len(drawn_word(noise)) == 16


def test_a_drawn_word_needs_ten_bytes() -> None:
    with pytest.raises(ValueError, match="10 bytes, not 3"):
        drawn_word(b"abc")


# Looks


@pytest.mark.parametrize(
    ("plan", "bounds"),
    [
        (Plan(START, 28, SEED), {2: 0.05}),
        (Plan(START, 56, SEED), {2: 0.0071, 3: 0.0227, 4: 0.0416}),
        (Plan(START, 84, SEED), {2: 0.0011, 3: 0.0063, 4: 0.0153, 5: 0.0266, 6: 0.0388}),
        (Plan(START, 84, SEED, design=Design.WEEKLY), {6: 0.05}),
    ],
)
def test_the_bot_looks_after_each_fortnight_from_the_second_and_at_weeks_only_at_the_end(
    plan: Plan, bounds: dict[int, float]
) -> None:
    assert design.bounds(plan) == bounds
    assert design.look_night(plan, max(bounds)) == design.last_night(plan)
    assert design.look_night(plan, 2) == START + timedelta(days=RUN_IN + 27)


def test_a_look_moves_with_a_pause() -> None:
    plan = design.postpone(Plan(START, 28, SEED), START + timedelta(days=10), back=START + timedelta(days=12))
    assert isinstance(plan, Plan)

    assert design.look_night(plan, 2) == START + timedelta(days=RUN_IN + 27 + 7)
    assert design.look_night(replace(plan, shifts=()), 2) == START + timedelta(days=RUN_IN + 27)
