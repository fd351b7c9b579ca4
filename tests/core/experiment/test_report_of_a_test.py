"""A test of version 2 as JSON: what was written is read back, and whatever was changed is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.experiment import design, report, verdict
from bot.core.experiment.design import RUN_IN, Arm, AssignedNight, Design, Plan, Shift
from bot.core.experiment.reading import Unreadable
from bot.core.experiment.report import Check, Report, ReportPart
from bot.core.experiment.seed import fingerprint, seed_of
from bot.core.experiment.version1 import analysis, earlier_report
from bot.core.experiment.version1.earlier_report import EarlierReport
from bot.core.model import Rating

START = date(2026, 1, 12)
BOTS_SEED = bytes(range(32))
Values = dict[str, object]


def finished(
    *,
    length: int = 28,
    question: Design = Design.NIGHTLY,
    gain: int = 1,
    guesses: bool = False,
    nights: int | None = None,
) -> Report:
    """A finished one, paused once; with `nights`, stopped after so many."""
    seed = seed_of(BOTS_SEED, "Grün")
    plan = Plan(START, length, seed, (Shift(START + timedelta(days=14), 2),), question)
    records = []
    for place in range(RUN_IN + (length if nights is None else nights)):
        night = design.night_at(plan, place)
        arm = design.arm_on(plan, night)
        on = arm is Arm.ON
        records.append(
            AssignedNight(
                night,
                arm if isinstance(arm, Arm) else None,
                taken=on,
                rating=None if place % 15 == 8 else Rating(place * 7 % 3 - 2 + gain * on),
                late=place == 18,
                void=place == 26,
                stomach=place % 10 == 9,
                guess=(Arm.ON if place % 3 else Arm.OFF) if guesses and isinstance(arm, Arm) else None,
            )
        )
    after = None if nights is None else records[-1].night
    found = verdict.analyse(plan, records, stopped_after=after)
    return Report(plan, BOTS_SEED, "Grün", False, guesses, after, tuple(records), 1, 2, found)


def as_json(one: Report) -> Values:
    values: Values = json.loads(json.dumps(report.written(one)))
    return values


KINDS = (
    finished(),
    finished(gain=2, guesses=True),
    finished(length=84, gain=0),
    finished(length=84, question=Design.WEEKLY, gain=2),
    finished(length=56, nights=20),
    finished(length=56, nights=33),
)


@pytest.mark.parametrize("one", KINDS)
def test_what_was_written_is_read_back_and_holds(one: Report) -> None:
    again = report.read(as_json(one))
    found = report.checked(as_json(one))

    assert replace(again, verdict=one.verdict) == one
    # Fractions are cut to nine digits, so it is what is written that is the same.
    assert report.written(again) == report.written(one)
    assert found.report == again
    assert found.holds
    assert [check.claim for check in found.checks] == list(ReportPart)


def test_the_kinds_differ_in_what_they_hold() -> None:
    assert {one.verdict.label.value for one in KINDS} >= {"clear_help", "no_verdict", "cant_tell"}
    assert any(one.verdict.as_taken for one in KINDS)
    assert any(one.verdict.blinding for one in KINDS)
    assert any(one.verdict.missing.undo for one in KINDS)


def test_neither_half_of_the_seed_shows_in_a_reports_words() -> None:
    assert BOTS_SEED.hex() not in repr(KINDS[0])
    assert "bots_seed" not in repr(KINDS[0])


def sets(**values: object) -> Callable[[Values], None]:
    return lambda test: test.update(values)


def at(*path: str | int, value: object) -> Callable[[Values], None]:
    def change(test: Values) -> None:
        inner: object = test
        for key in path[:-1]:
            inner = inner[key]  # type: ignore[index]
        inner[path[-1]] = value  # type: ignore[index]

    return change


OTHER = bytes(32)


@pytest.mark.parametrize(
    ("change", "claims"),
    [
        (sets(bots_fingerprint="0" * 64), [ReportPart.BOTS_FINGERPRINT]),
        (sets(word="grün"), [ReportPart.WORD]),
        (sets(bots_seed=OTHER.hex(), bots_fingerprint=fingerprint(OTHER)), [ReportPart.WORD]),
        (sets(fingerprint="0" * 64), [ReportPart.FINGERPRINT]),
        (sets(seed=OTHER.hex(), fingerprint=fingerprint(OTHER)), [ReportPart.WORD, ReportPart.NIGHTS]),
        (at("nights", 20, "arm", value=None), [ReportPart.NIGHTS]),
        (at("nights", 21, "night", value="2026-01-13"), [ReportPart.NIGHTS]),
        (sets(start="9999-12-01"), [ReportPart.NIGHTS]),
        (at("verdict", "label", value="clear_worse"), [ReportPart.VERDICT]),
        (at("verdict", "size", "low", value=0.5), [ReportPart.VERDICT]),
        (at("verdict", "size", value=None), [ReportPart.VERDICT]),
        (at("verdict", "missing", "undo", value=1), [ReportPart.VERDICT]),
        (at("nights", 20, "rating", value=-2), [ReportPart.VERDICT]),
    ],
)
def test_what_was_changed_is_noticed_by_name(change: Callable[[Values], None], claims: list[ReportPart]) -> None:
    values = as_json(KINDS[0])
    change(values)

    found = report.checked(values)

    assert [check.claim for check in found.checks if not check.agrees] == claims
    assert not found.holds


def test_a_changed_number_of_the_verdict_is_named_with_where_it_stands() -> None:
    values = as_json(KINDS[0])
    at("verdict", "size", "low", value=0.5)(values)
    at("verdict", "planned", value=6)(values)

    assert report.checked(values).checks[-1] == Check(ReportPart.VERDICT, ("planned", "size.low"))


def test_the_last_digits_of_another_machine_are_no_difference() -> None:
    values = as_json(KINDS[0])
    size = KINDS[0].verdict.size
    assert size is not None
    at("verdict", "size", "won", value=size.won + 1e-9)(values)

    assert report.checked(values).holds


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (sets(length=29), "plan is not one of ours"),
        (sets(design="weekly"), "plan is not one of ours"),
        (sets(design="daily"), "design of the test"),
        (sets(seed="zz"), "seed of the test"),
        (sets(seed="00" * 31), "seed of the test"),
        (sets(seed=7), "seed of the test"),
        (sets(bots_seed=None), "bots_seed of the test"),
        (sets(word=" x"), "The word in the test's file"),
        (sets(word="\ud83d"), "The word in the test's file"),
        (sets(word=""), "The word in the test's file"),
        (sets(word_drawn=None), "word_drawn of the test"),
        (sets(stopped_after=3), "stopped_after of the test"),
        (sets(nights=[3]), "a night is not what it should be"),
        (at("nights", 9, "guess", value="up"), "guess of a night"),
        (at("nights", 9, "stomach", value=None), "stomach of a night"),
        (sets(verdict=None), "the verdict is not what it should be"),
        (at("verdict", "bound", value=None), "bound of the verdict"),
        (at("verdict", "chances", value=3), "the chances is not"),
        (at("verdict", "size", value={}), "steps of a size"),
        (at("verdict", "stomach", value={"on": -1}), "on of a count"),
        (sets(pauses=[{"night": "2026-01-26", "weeks": 0}]), "weeks of a pause"),
    ],
)
def test_what_is_no_test_of_ours_is_refused_in_one_sentence(change: Callable[[Values], None], sentence: str) -> None:
    values = as_json(KINDS[0])
    change(values)

    with pytest.raises(Unreadable, match=sentence):
        report.checked(values)


def test_another_version_is_refused() -> None:
    values = as_json(KINDS[0])
    values["version"] = 3

    with pytest.raises(Unreadable, match="another version"):
        report.checked(values)
    with pytest.raises(Unreadable, match="version of the test"):
        report.read(values)
    with pytest.raises(Unreadable, match="is not what it should be"):
        report.checked([])


# Version 1


def report_of_version_1() -> Values:
    plan = design.Plan(START, 28, BOTS_SEED)
    records = [
        design.AssignedNight(design.night_at(plan, RUN_IN + n), arm, arm is Arm.ON, Rating(n * 7 % 5 - 2))
        for n, arm in enumerate(design.schedule(plan))
    ]
    found = analysis.analyse(plan, records)
    one = EarlierReport(plan, False, None, tuple(records), left_out=0, not_sent=0, verdict=found)
    values: Values = json.loads(json.dumps(earlier_report.written(one)))
    return values


def test_a_report_of_version_1_is_made_again_too() -> None:
    found = report.checked(report_of_version_1())

    assert found.holds
    assert [check.claim for check in found.checks] == [ReportPart.FINGERPRINT, ReportPart.NIGHTS, ReportPart.VERDICT]


@pytest.mark.parametrize(
    ("change", "claim"),
    [
        (at("nights", 3, "arm", value=None), ReportPart.NIGHTS),
        (at("nights", 3, "rating", value=-2), ReportPart.VERDICT),
        (at("verdict", "p", value=0.01), ReportPart.VERDICT),
        (at("verdict", "effect", value=None), ReportPart.VERDICT),
    ],
)
def test_a_changed_report_of_version_1_is_noticed(change: Callable[[Values], None], claim: ReportPart) -> None:
    values = report_of_version_1()
    change(values)

    found = report.checked(values)

    assert [check.claim for check in found.checks if not check.agrees] == [claim]


def test_a_report_written_by_an_earlier_release_still_holds() -> None:
    """Its numbers came from another library; they are the same to nine digits."""
    values = report_of_version_1()
    told = values["verdict"]
    assert isinstance(told, dict)

    assert {name: told[name] for name in ("label", "p", "effect", "as_taken")} == {
        "label": "cant_tell",
        "p": 0.3664,
        "effect": {"per_100": 4.54545455, "low": -14.0284077, "high": 23.0432931},
        "as_taken": 4.54545455,
    }


@settings(max_examples=25, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=5
    )
)
def test_any_value_in_place_of_another_is_refused_or_noticed(junk: object) -> None:
    for key in ("nights", "verdict", "start", "seed", "word", "pauses", "blind"):
        values = as_json(KINDS[0])
        values[key] = junk
        with suppress(Unreadable):
            report.checked(values)
