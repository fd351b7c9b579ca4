"""A self-experiment of version 1 as JSON, as it was written into the store and the export and is still read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.experiment import design, run
from bot.core.experiment.counts import Label, Lack, Pairs
from bot.core.experiment.design import Arm, AssignedNight, Plan
from bot.core.experiment.reading import LONGEST_TEST, Unreadable, Values, read_pauses, read_tally, rounded
from bot.core.experiment.run import Experiment, Lived
from bot.core.experiment.seed import fingerprint
from bot.core.experiment.version1.analysis import EarlierVerdict, Effect
from bot.core.model import Night, Rating

VERSION = 1


@dataclass(frozen=True, slots=True)
class EarlierReport:
    """A finished self-experiment, as it stood at its end.

    `left_out` are the nights the person voided, `not_sent` those whose reminder did not demonstrably arrive; both count as void.
    """

    plan: Plan
    blind: bool
    stopped_after: Night | None
    nights: tuple[AssignedNight, ...]
    left_out: int
    not_sent: int
    verdict: EarlierVerdict


def of(trial: Experiment, lived: Sequence[Lived], verdict: EarlierVerdict) -> EarlierReport:
    """What is kept of a finished self-experiment."""
    whole = trial.plan.length
    if trial.stopped_after is not None:
        whole = design.FORTNIGHT * design.whole_fortnights(trial.plan, trial.stopped_after)
    left_out, not_sent = run.uncounted(trial, lived, nights=whole)
    return EarlierReport(
        plan=trial.plan,
        blind=trial.blind,
        stopped_after=trial.stopped_after,
        nights=tuple(run.records(trial, lived)),
        left_out=left_out,
        not_sent=not_sent,
        verdict=verdict,
    )


def written(report: EarlierReport) -> dict[str, object]:
    """A finished self-experiment, seed and all, as JSON values."""
    return {
        "version": VERSION,
        "start": report.plan.start.isoformat(),
        "length": report.plan.length,
        "pauses": [{"night": shift.night.isoformat(), "weeks": shift.weeks} for shift in report.plan.shifts],
        "blind": report.blind,
        "stopped_after": None if report.stopped_after is None else report.stopped_after.isoformat(),
        "fingerprint": fingerprint(report.plan.seed),
        "seed": report.plan.seed.hex(),
        "left_out": report.left_out,
        "not_sent": report.not_sent,
        "nights": [_night_written(record) for record in report.nights],
        "verdict": written_verdict(report.verdict),
    }


def written_verdict(verdict: EarlierVerdict) -> dict[str, object]:
    """A verdict as JSON values, its fractions cut to nine digits: another machine may round the last ones otherwise."""
    return {name: rounded(value) for name, value in dataclasses.asdict(verdict).items()}


def _night_written(record: AssignedNight) -> dict[str, object]:
    return {
        "night": record.night.isoformat(),
        "arm": record.arm,
        "taken": record.taken,
        "rating": None if record.rating is None else int(record.rating),
        "late": record.late,
        "void": record.void,
    }


def read(values: object) -> EarlierReport:
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
    if got.text("fingerprint") != fingerprint(plan.seed):
        raise Unreadable("The seed does not have the fingerprint that was shown before night 1.")
    return EarlierReport(
        plan=plan,
        blind=got.flag("blind"),
        stopped_after=got.night("stopped_after") if got.get("stopped_after") is not None else None,
        nights=tuple(_night(item) for item in got.items("nights", LONGEST_TEST)),
        left_out=got.number("left_out", 0, LONGEST_TEST),
        not_sent=got.number("not_sent", 0, LONGEST_TEST),
        verdict=_verdict(Values(got.get("verdict"), "the verdict")),
    )


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


def _verdict(got: Values) -> EarlierVerdict:
    effect, pairs = got.get("effect"), Values(got.get("pairs"), "the pairs")
    return EarlierVerdict(
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


def _effect(got: Values) -> Effect:
    per_100, low, high = (got.real(name) for name in ("per_100", "low", "high"))
    if per_100 is None or low is None or high is None:
        raise Unreadable("The effect in the test's file lacks a number.")
    return Effect(per_100, low, high)
