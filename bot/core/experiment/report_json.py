"""A self-experiment as JSON: written into the store and the export, and read back strictly, because anybody may have edited it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import TypeVar

from bot.core.experiment import design
from bot.core.experiment.design import Arm, ArmTally, AssignedNight, Effect, Label, Lack, Pairs, Plan, Shift, Verdict
from bot.core.experiment.run import ExperimentReport
from bot.core.model import Night, Rating

VERSION = 1
LONGEST_TEST = 2000  # nights, pauses and all
_MOST_WEEKS = 600
_Choice = TypeVar("_Choice", bound=Enum)


class Unreadable(ValueError):  # noqa: N818 - named for what it says
    """This is not a self-experiment that we wrote; the message is one sentence."""


def written(report: ExperimentReport) -> dict[str, object]:
    """A finished self-experiment, seed and all, as JSON values."""
    return {
        "version": VERSION,
        "start": report.plan.start.isoformat(),
        "length": report.plan.length,
        "pauses": [{"night": shift.night.isoformat(), "weeks": shift.weeks} for shift in report.plan.shifts],
        "blind": report.blind,
        "stopped_after": None if report.stopped_after is None else report.stopped_after.isoformat(),
        "fingerprint": design.fingerprint(report.plan.seed),
        "seed": report.plan.seed.hex(),
        "left_out": report.left_out,
        "not_sent": report.not_sent,
        "nights": [_night_written(record) for record in report.nights],
        "verdict": written_verdict(report.verdict),
    }


def written_verdict(verdict: Verdict) -> dict[str, object]:
    """A verdict as JSON values, its fractions cut to nine digits: another machine may round the last ones otherwise."""
    return {name: rounded(value) for name, value in dataclasses.asdict(verdict).items()}


def rounded(value: object) -> object:
    """A JSON value with its fractions cut to nine digits."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    return float(f"{value:.9g}") if isinstance(value, float) else value


def _night_written(record: AssignedNight) -> dict[str, object]:
    return {
        "night": record.night.isoformat(),
        "arm": record.arm,
        "taken": record.taken,
        "rating": None if record.rating is None else int(record.rating),
        "late": record.late,
        "void": record.void,
    }


def read(values: object) -> ExperimentReport:
    """A finished self-experiment from JSON values. Raises Unreadable."""
    got = Values(values, "the test")
    if got.number("version", 1, 10**6) != VERSION:
        raise Unreadable("This test was written by another version of the bot.")
    shifts = read_pauses(got)
    try:
        seed = bytes.fromhex(got.text("seed"))
        plan = Plan(got.night("start"), got.number("length", 1, 1000), seed, shifts)
    except ValueError as error:
        raise error if isinstance(error, Unreadable) else Unreadable("The test's plan is not one of ours.") from None
    if got.text("fingerprint") != design.fingerprint(plan.seed):
        raise Unreadable("The seed does not have the fingerprint that was shown before night 1.")
    return ExperimentReport(
        plan=plan,
        blind=got.flag("blind"),
        stopped_after=got.night("stopped_after") if got.get("stopped_after") is not None else None,
        nights=tuple(_night(item) for item in got.items("nights", LONGEST_TEST)),
        left_out=got.number("left_out", 0, LONGEST_TEST),
        not_sent=got.number("not_sent", 0, LONGEST_TEST),
        verdict=_verdict(Values(got.get("verdict"), "the verdict")),
    )


def read_pauses(got: Values) -> tuple[Shift, ...]:
    """The pauses of a test. Raises Unreadable."""
    pauses = (Values(item, "a pause") for item in got.items("pauses", 100))
    return tuple(Shift(pause.night("night"), pause.number("weeks", 1, _MOST_WEEKS)) for pause in pauses)


def _night(values: object) -> AssignedNight:
    got = Values(values, "a night")
    rating = got.get("rating")
    return AssignedNight(
        night=got.night("night"),
        arm=None if got.get("arm") is None else got.choice("arm", Arm),
        taken=None if got.get("taken") is None else got.flag("taken"),
        rating=None if rating is None else Rating(got.number("rating", -2, 2)),
        late=got.flag("late"),
        void=got.flag("void"),
    )


def _verdict(got: Values) -> Verdict:
    effect, pairs = got.get("effect"), Values(got.get("pairs"), "the pairs")
    return Verdict(
        label=got.choice("label", Label),
        lack=None if got.get("lack") is None else got.choice("lack", Lack),
        nights=got.number("nights", 0, LONGEST_TEST),
        planned=got.number("planned", 0, LONGEST_TEST),
        on=read_tally(got.get("on")),
        off=read_tally(got.get("off")),
        baseline=read_tally(got.get("baseline")),
        pairs=Pairs(*(pairs.number(name, 0, LONGEST_TEST) for name in ("better", "worse", "equal"))),
        missing=got.number("missing", 0, LONGEST_TEST),
        missing_flips=got.flag("missing_flips"),
        p=got.real("p"),
        one_in=None if got.get("one_in") is None else got.number("one_in", 0, 10**6),
        difference=got.real("difference"),
        effect=None if effect is None else _effect(Values(effect, "the effect")),
        as_taken=got.real("as_taken"),
    )


def read_tally(values: object) -> ArmTally:
    """Better nights among rated ones. Raises Unreadable."""
    got = Values(values, "a count")
    return ArmTally(got.number("better", 0, LONGEST_TEST), got.number("nights", 0, LONGEST_TEST))


def _effect(got: Values) -> Effect:
    per_100, low, high = (got.real(name) for name in ("per_100", "low", "high"))
    if per_100 is None or low is None or high is None:
        raise Unreadable("The effect in the test's file lacks a number.")
    return Effect(per_100, low, high)


class Values:
    """A JSON object of which nothing is believed."""

    def __init__(self, values: object, what: str) -> None:
        if not isinstance(values, Mapping):
            raise Unreadable(f"In the test's file, {what} is not what it should be.")
        self.values, self._what = values, what

    def refusal(self, key: str) -> Unreadable:
        """What to raise where a value is missing or wrong."""
        return Unreadable(f"In the test's file, {key} of {self._what} is missing or wrong.")

    def get(self, key: str) -> object:
        return self.values.get(key)

    def number(self, key: str, least: int, most: int) -> int:
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.refusal(key)
        return value

    def real(self, key: str) -> float | None:
        value = self.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e6:
            raise self.refusal(key)
        return float(value)

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if not isinstance(value, bool):
            raise self.refusal(key)
        return value

    def text(self, key: str) -> str:
        value = self.get(key)
        if not isinstance(value, str) or len(value) > 200:
            raise self.refusal(key)
        return value

    def night(self, key: str) -> Night:
        try:
            return date.fromisoformat(self.text(key))
        except ValueError:
            raise self.refusal(key) from None

    def choice(self, key: str, kind: type[_Choice]) -> _Choice:
        try:
            return kind(self.get(key))
        except ValueError:
            raise self.refusal(key) from None

    def items(self, key: str, most: int) -> list[object]:
        value = self.get(key)
        if not isinstance(value, list) or len(value) > most:
            raise self.refusal(key)
        return value
