"""The page about the self-experiment: its programs give what the bot gives, and its sentences what its tables hold."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.experiment import design, exact, ranges, together
from bot.core.experiment.design import RUN_IN, Arm, AssignedNight, Design, Plan, Shift
from bot.core.experiment.exact import Nights
from bot.core.experiment.seed import fingerprint, seed_of
from bot.core.experiment.version1 import analysis
from bot.core.model import Rating

PAGE = (Path(__file__).parents[3] / "docs" / "experiment.md").read_text(encoding="utf-8")
BOTS_SEED = bytes(range(32))
SEED, NIGHTS, CHANCES, RANGE, TOGETHER, FIRST_VERSION = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
PAUSE = Shift(date(2026, 12, 24), 2)

Scope = dict[str, object]


def run(*programs: str, scope: Scope | None = None) -> tuple[list[str], Scope]:
    """Run programs of the page one after another; what was printed, and what they left."""
    scope = {} if scope is None else scope
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for program in programs:
            exec(program, scope)  # noqa: S102 - it is our own page
    return printed.getvalue().split("\n"), scope


def with_plan(length: int, *, weeks: bool) -> str:
    return NIGHTS.replace("2026, 11, 23), 56", f"2026, 11, 23), {length}").replace("weeks = False", f"weeks = {weeks}")


def plan_of(length: int, question: Design) -> Plan:
    return Plan(date(2026, 11, 23), length, seed_of(BOTS_SEED, "moon"), (PAUSE,), question)


def ratings_of(plan: Plan) -> list[Rating | None]:
    """Drawn evenly, one in eleven missing; the same ones on every machine. The first nights of each of weeks are out."""
    drawn = hashlib.shake_256(b"page").digest(plan.length)
    arms = design.schedule(plan)
    told = [
        None if byte % 11 == 10 else Rating(max(-2, min(2, byte % 11 % 5 - 2 + (arm is Arm.ON) * (byte % 2))))
        for byte, arm in zip(drawn, arms, strict=True)
    ]
    return [None if design.settling(plan.design, index) else one for index, one in enumerate(told)]


def test_the_fingerprints_are_those_that_the_bot_shows() -> None:
    printed, scope = run(SEED)

    assert printed[0].split() == [
        fingerprint(BOTS_SEED),
        fingerprint(plan_of(56, Design.NIGHTLY).seed),
    ]
    assert scope["seed"] == plan_of(56, Design.NIGHTLY).seed


PLANS = [(28, Design.NIGHTLY), (56, Design.NIGHTLY), (84, Design.NIGHTLY), (84, Design.WEEKLY)]


@pytest.mark.parametrize(("length", "question"), PLANS)
def test_the_nights_are_those_that_the_bot_lives(length: int, question: Design) -> None:
    plan = plan_of(length, question)

    printed, _ = run(with_plan(length, weeks=question is Design.WEEKLY), scope=run(SEED)[1])

    assert printed[:-1] == [
        f"{design.night_at(plan, RUN_IN + index)} {arm.upper()}" for index, arm in enumerate(design.schedule(plan))
    ]


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_the_nights_of_any_seed_are_those_that_the_bot_lives(seed: bytes) -> None:
    printed, _ = run(with_plan(84, weeks=False), scope={"hmac": __import__("hmac"), "seed": seed})

    arms = [arm.upper() for arm in design.schedule(design.Plan(date(2026, 11, 23), 84, seed))]
    assert [line.split()[1] for line in printed[:-1]] == arms


@pytest.mark.parametrize(("length", "question"), [(28, Design.NIGHTLY), (56, Design.NIGHTLY), (84, Design.WEEKLY)])
def test_p_range_pairs_and_evidence_are_those_that_the_bot_finds(length: int, question: Design) -> None:
    plan = plan_of(length, question)
    ratings = ratings_of(plan)
    nights = Nights(question, tuple(arm is Arm.ON for arm in design.schedule(plan)), tuple(ratings))
    scope = run(SEED, with_plan(length, weeks=question is Design.WEEKLY))[1]

    printed, left = run(CHANCES, RANGE, TOGETHER, scope={**scope, "ratings": ratings})

    chances, pool = exact.chances(nights), ranges.pool(nights)
    assert [float(part) for part in printed[0].split()] == pytest.approx([chances.better, chances.worse])
    within = ranges.shifts(nights).range(ranges.USUAL_TAIL)
    shares = [100 * pool.won(shift) for shift in (nights.difference, within.low, within.high)]
    assert [float(part) for part in printed[1].split()] == pytest.approx([within.low, within.high, *shares])
    records = [
        AssignedNight(design.night_at(plan, RUN_IN + index), arm, rating=rating)
        for index, (arm, rating) in enumerate(zip(design.schedule(plan), ratings, strict=True))
    ]
    both = left["E"]
    assert isinstance(both, Mapping)
    mixed = [sum(both[sign * rate] for rate in together.RATES) / 5 for sign in (1, -1)]
    assert together.together([together.evidence(plan, records)]).e == pytest.approx(max(mixed) / 2)


def test_p_of_the_first_version_is_what_it_told() -> None:
    plan = design.Plan(date(2026, 11, 23), 56, BOTS_SEED)
    ratings = ratings_of(plan_of(56, Design.NIGHTLY))
    scope = run(SEED)[1] | {"seed": BOTS_SEED, "ratings": ratings}

    printed, _ = run(with_plan(56, weeks=False), CHANCES, FIRST_VERSION, scope=scope)

    on = [arm is Arm.ON for arm in design.schedule(plan)]
    expected = analysis.chances(on, ratings, seed=BOTS_SEED)
    assert [float(part) for part in printed[-2].split()] == pytest.approx(list(expected))


def test_the_bounds_on_the_page_are_those_of_the_bot() -> None:
    for length in design.LENGTHS:
        name = "28 nights" if length == 28 else f"up to {length}"
        row = re.search(rf"^\| {name}: clear at p up to \|(.*)\|$", PAGE, re.MULTILINE)

        assert row is not None
        told = [float(cell) for cell in row[1].split("|") if cell.strip()]
        assert told == list(design.bounds(plan_of(length, Design.NIGHTLY)).values())


# The tables


def rows(effect: str) -> list[tuple[str, float]]:
    """Plan and clear help in % of the first table's rows with this true effect."""
    found = re.findall(rf"^\| ([^|]+) \| {re.escape(effect)} \| ([\d.]+) % \(", PAGE, re.MULTILINE)
    return [(plan, float(share)) for plan, share in found]


def test_a_useless_pill_is_a_clear_help_to_at_most_5_3_of_100_where_nothing_but_chance_plays() -> None:
    assert [plan for plan, _ in rows("none")] == ["28", "up to 56", "up to 84", "weeks"]
    assert all(share <= 5.3 for _, share in rows("none"))


def test_the_page_says_nowhere_that_it_is_so_by_design() -> None:
    assert "by design" not in PAGE
