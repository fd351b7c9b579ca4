"""A self-experiment as JSON: what was written is read back, and nothing that was tampered with is believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.experiment import design
from bot.core.experiment.design import RUN_IN, Arm, AssignedNight, Plan, Shift
from bot.core.experiment.reading import Unreadable
from bot.core.experiment.version1 import analysis, earlier_report
from bot.core.experiment.version1.earlier_report import EarlierReport
from bot.core.model import Rating

START = date(2026, 1, 12)
Values = dict[str, object]


def report(plan: Plan, told: list[tuple[Rating | None, bool | None]]) -> EarlierReport:
    """A finished one, with as many nights told as there are answers."""
    records = []
    for place, (rating, taken) in enumerate(told):
        night = design.night_at(plan, place)
        what = design.arm_on(plan, night)
        arm = what if isinstance(what, Arm) else None
        records.append(AssignedNight(night, arm, taken, rating, late=place % 11 == 0, void=place % 13 == 0))
    verdict = analysis.analyse(plan, records)
    return EarlierReport(plan, False, None, tuple(records), left_out=1, not_sent=2, verdict=verdict)


def whole(length: int = 28) -> EarlierReport:
    plan = Plan(START, length, bytes(range(32)), (Shift(START + timedelta(days=14), 2),))
    return report(plan, [(Rating(place % 5 - 2), place % 2 == 0) for place in range(RUN_IN + length)])


def as_json(one: EarlierReport) -> Values:
    values: Values = json.loads(json.dumps(earlier_report.written(one)))
    return values


answers = st.tuples(st.sampled_from([None, *Rating]), st.sampled_from([None, True, False]))


@settings(deadline=None, max_examples=30)
@given(seed=st.binary(min_size=32, max_size=32), told=st.lists(answers, max_size=RUN_IN + 28))
def test_what_was_written_is_read_back(seed: bytes, told: list[tuple[Rating | None, bool | None]]) -> None:
    one = report(Plan(START, 28, seed), told)
    again = earlier_report.read(as_json(one))

    assert replace(again, verdict=one.verdict) == one
    # Fractions are cut to nine digits, so it is what is written that is the same.
    assert earlier_report.written(again) == earlier_report.written(one)


def test_a_test_stopped_early_is_read_back_with_its_pauses() -> None:
    one = replace(whole(), blind=True, stopped_after=START + timedelta(days=40))
    again = earlier_report.read(as_json(one))
    assert (again.blind, again.stopped_after, again.plan) == (True, one.stopped_after, one.plan)


def sets(**values: object) -> Callable[[Values], None]:
    return lambda test: test.update(values)


def in_night(**values: object) -> Callable[[Values], None]:
    return lambda test: test["nights"][9].update(values)  # type: ignore[index]


def in_verdict(**values: object) -> Callable[[Values], None]:
    return lambda test: test["verdict"].update(values)  # type: ignore[attr-defined]


TAMPERED = {
    "another version": sets(version=2),
    "no version": sets(version=None),
    "a version that is no number": sets(version=True),
    "a length of no plan of ours": sets(length=30),
    "a length as text": sets(length="28"),
    "a seed that is no hex": sets(seed="zz"),
    "a seed too short": sets(seed="00"),
    "a seed that is no text": sets(seed=7),
    "an endless seed": sets(seed="0" * 201),
    "another seed": sets(seed=bytes(32).hex()),
    "another fingerprint": sets(fingerprint="0" * 64),
    "a start that is no date": sets(start="2026-02-30"),
    "pauses that are no list": sets(pauses={}),
    "too many pauses": sets(pauses=[{}] * 101),
    "a pause that is no pause": sets(pauses=["x"]),
    "a pause of no weeks": sets(pauses=[{"night": "2026-01-26", "weeks": 0}]),
    "pauses that overlap": sets(pauses=[{"night": "2026-01-26", "weeks": 9}, {"night": "2026-01-27", "weeks": 1}]),
    "blind as a number": sets(blind=1),
    "nights beyond all tests": sets(nights=[{}] * 2001),
    "a night that is no night": sets(nights=[7]),
    "an arm that is none": in_night(arm="both"),
    "a rating beyond the steps": in_night(rating=3),
    "taken as text": in_night(taken="yes"),
    "a verdict that is none": sets(verdict=[]),
    "a label that is none": in_verdict(label="works"),
    "a lack that is none": in_verdict(lack="laziness"),
    "a negative count": in_verdict(missing=-1),
    "pairs that are none": in_verdict(pairs=3),
    "a tally that is none": in_verdict(on=None),
    "p as text": in_verdict(p="0.05"),
    "p as a flag": in_verdict(p=True),
    "p beyond all numbers": in_verdict(p=1e300),
    "an effect without its middle": in_verdict(effect={"low": 1.0, "high": 2.0}),
    "an effect that is none": in_verdict(effect=3),
    "one in too many": in_verdict(one_in=10**9),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED.keys())
def test_what_was_tampered_with_is_refused_in_one_sentence(tamper: Callable[[Values], None]) -> None:
    values = as_json(whole())
    tamper(values)

    with pytest.raises(Unreadable) as refused:
        earlier_report.read(values)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("values", [None, [], "test", 7])
def test_what_is_no_object_at_all_is_refused(values: object) -> None:
    with pytest.raises(Unreadable):
        earlier_report.read(values)


def test_a_file_does_not_say_whether_a_value_was_whole() -> None:
    values = as_json(whole())
    values["verdict"]["p"] = 1  # type: ignore[index]
    assert earlier_report.read(values).verdict.p == 1.0
