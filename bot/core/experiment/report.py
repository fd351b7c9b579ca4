"""A self-experiment of version 2 as JSON: written when it is over, read back strictly, and made again to check it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.core.experiment import run, verdict
from bot.core.experiment.counts import Count, Label, Lack, Pairs
from bot.core.experiment.design import FORTNIGHT, SEED_BYTES, Arm, AssignedNight, Design, Plan, bounds
from bot.core.experiment.exact import Chances
from bot.core.experiment.reading import LONGEST_TEST, Unreadable, Values, read_pauses, read_tally, rounded
from bot.core.experiment.run import Experiment, Lived
from bot.core.experiment.seed import LONGEST_WORD, fingerprint, read_word, seed_of
from bot.core.experiment.together import Together, evidence, together
from bot.core.experiment.verdict import Blinding, Call, End, Missing, Size, Verdict
from bot.core.experiment.version1 import analysis, earlier_report
from bot.core.experiment.version1.earlier_report import EarlierReport
from bot.core.model import Night, Rating

VERSION = 2
_NEAR = 1e-6  # numbers closer than this are the same on another machine


@dataclass(frozen=True, slots=True)
class Report:
    """A finished self-experiment, as it stood at its end.

    `plan.seed` follows from `bots_seed` and `word`; `word_drawn` says that the bot drew the word, too. `left_out` are the
    nights the person voided, `not_sent` those whose reminder did not demonstrably arrive; both count as void.
    """

    plan: Plan
    bots_seed: bytes = field(repr=False)
    word: str
    word_drawn: bool
    blind: bool
    stopped_after: Night | None
    nights: tuple[AssignedNight, ...]
    left_out: int
    not_sent: int
    verdict: Verdict


AnyReport = Report | EarlierReport


@dataclass(frozen=True, slots=True)
class Told:
    """What is told at the end: what the last test found, and all of the person's tests together."""

    report: AnyReport
    together: Together


def ends(trial: Experiment, lived: Sequence[Lived]) -> bool:
    """Whether the next look ends the test: it is the last one, or one up to it was clear or hopeless. Takes milliseconds."""
    last, plan = run.next_look(trial), trial.plan
    if trial.lived_out or last == plan.length // FORTNIGHT:
        return True
    records = run.records(trial, run.whole(trial, lived, until=run.last_lived(trial)))
    looks = (verdict.look(plan, records, fortnights) for fortnights in bounds(plan) if fortnights <= last)
    return any(look.call is not Call.GO_ON for look in looks)


def judged(trial: Experiment, lived: Sequence[Lived]) -> AnyReport:
    """The verdict with all that it rests on, by the version that the test began with. Takes some tens of milliseconds."""
    every = run.whole(trial, lived, until=run.last_lived(trial))
    records = run.records(trial, every)
    if trial.halves is None:
        return earlier_report.of(trial, every, analysis.analyse(trial.plan, records, through=trial.stopped_after))
    found = verdict.analyse(trial.plan, records, stopped_after=trial.stopped_after)
    left_out, not_sent = run.uncounted(trial, every, nights=FORTNIGHT * found.fortnights)
    return Report(
        plan=trial.plan,
        bots_seed=trial.halves.bots_seed,
        word=trial.halves.word,
        word_drawn=trial.halves.drawn,
        blind=trial.blind,
        stopped_after=trial.stopped_after,
        nights=tuple(records),
        left_out=left_out,
        not_sent=not_sent,
        verdict=found,
    )


def told(reports: Sequence[AnyReport]) -> Told:
    """The last of a person's finished tests, with all of them together. There is at least one."""
    return Told(reports[-1], together([evidence(one.plan, one.nights) for one in reports]))


class ReportPart(StrEnum):
    """The claims of a file that can be computed again."""

    BOTS_FINGERPRINT = "bots_fingerprint"  # shown before the word was asked for
    WORD = "word"  # the seed follows from both parties' halves
    FINGERPRINT = "fingerprint"  # shown before night 1
    NIGHTS = "nights"  # the arms are those that the seed draws
    VERDICT = "verdict"


@dataclass(frozen=True, slots=True)
class Check:
    """One claim computed again; `differs` names the values that came out differently."""

    claim: ReportPart
    differs: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether it came out the same."""
        return not self.differs


@dataclass(frozen=True, slots=True)
class Checked:
    """A report of either version and its claims computed again, in the order of `ReportPart`."""

    report: Report | EarlierReport
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether all of it came out the same."""
        return all(check.agrees for check in self.checks)


def checked(values: object) -> Checked:
    """Compute again everything that a test's JSON values claim, of version 1 or 2. Raises Unreadable."""
    if isinstance(values, Mapping) and values.get("version") == VERSION:
        return _checked_2(Values(values, "the test"))
    report = earlier_report.read(values)  # refuses a seed without the fingerprint
    checks = [Check(ReportPart.FINGERPRINT)]
    try:
        again = earlier_report.written_verdict(
            analysis.analyse(report.plan, report.nights, through=report.stopped_after)
        )
    except (ValueError, OverflowError) as error:
        return Checked(report, (*checks, Check(ReportPart.NIGHTS, (str(error),))))
    differs = _differences(earlier_report.written_verdict(report.verdict), again)
    return Checked(report, (*checks, Check(ReportPart.NIGHTS), Check(ReportPart.VERDICT, differs)))


def _checked_2(got: Values) -> Checked:
    report = read(got.values)
    plan = report.plan
    checks = [
        _same(ReportPart.BOTS_FINGERPRINT, got.text("bots_fingerprint"), fingerprint(report.bots_seed)),
        _same(ReportPart.WORD, plan.seed.hex(), seed_of(report.bots_seed, report.word).hex()),
        _same(ReportPart.FINGERPRINT, got.text("fingerprint"), fingerprint(plan.seed)),
    ]
    try:
        again = verdict.analyse(plan, report.nights, stopped_after=report.stopped_after)
    except (ValueError, OverflowError) as error:
        return Checked(report, (*checks, Check(ReportPart.NIGHTS, (str(error),))))
    differs = _differences(written_verdict(report.verdict), written_verdict(again))
    return Checked(report, (*checks, Check(ReportPart.NIGHTS), Check(ReportPart.VERDICT, differs)))


def _same(claim: ReportPart, told: str, again: str) -> Check:
    return Check(claim, () if told == again else (claim.value,))


def _differences(told: Mapping[str, object], again: Mapping[str, object], within: str = "") -> tuple[str, ...]:
    """The names of the values that are not the same, as in `size.low`; for numbers, up to their last digits."""
    return tuple(name for key, value in told.items() for name in _apart(within + key, value, again[key]))


def _apart(name: str, told: object, again: object) -> Iterator[str]:
    if isinstance(told, Mapping) and isinstance(again, Mapping):
        yield from _differences(told, again, f"{name}.")
    elif isinstance(told, float) and isinstance(again, float):
        if not math.isclose(told, again, rel_tol=_NEAR, abs_tol=_NEAR):
            yield name
    elif told != again:
        yield name


def written(report: AnyReport) -> dict[str, object]:
    """A finished self-experiment, both halves of its seed and all, as JSON values."""
    if isinstance(report, EarlierReport):
        return earlier_report.written(report)
    plan = report.plan
    return {
        "version": VERSION,
        "design": plan.design.value,
        "start": plan.start.isoformat(),
        "length": plan.length,
        "pauses": [{"night": shift.night.isoformat(), "weeks": shift.weeks} for shift in plan.shifts],
        "blind": report.blind,
        "stopped_after": None if report.stopped_after is None else report.stopped_after.isoformat(),
        "bots_fingerprint": fingerprint(report.bots_seed),
        "bots_seed": report.bots_seed.hex(),
        "word": report.word,
        "word_drawn": report.word_drawn,
        "fingerprint": fingerprint(plan.seed),
        "seed": plan.seed.hex(),
        "left_out": report.left_out,
        "not_sent": report.not_sent,
        "nights": [_night_written(record) for record in report.nights],
        "verdict": written_verdict(report.verdict),
    }


def written_verdict(found: Verdict) -> dict[str, object]:
    """A verdict as JSON values, its fractions cut to nine digits."""
    return {name: rounded(value) for name, value in dataclasses.asdict(found).items()}


def _night_written(record: AssignedNight) -> dict[str, object]:
    return {
        "night": record.night.isoformat(),
        "arm": record.arm,
        "taken": record.taken,
        "rating": None if record.rating is None else int(record.rating),
        "late": record.late,
        "void": record.void,
        "stomach": record.stomach,
        "guess": record.guess,
    }


def read_any(values: object) -> AnyReport:
    """A finished self-experiment of either version from JSON values; what it claims is not checked. Raises Unreadable."""
    second = isinstance(values, Mapping) and values.get("version") == VERSION
    return read(values) if second else earlier_report.read(values)


def read(values: object) -> Report:
    """A finished self-experiment of version 2 from JSON values; what it claims is not checked. Raises Unreadable."""
    got = Values(values, "the test")
    got.number("version", VERSION, VERSION)
    return Report(
        plan=_plan(got),
        bots_seed=_bytes(got, "bots_seed"),
        word=_word(got),
        word_drawn=got.flag("word_drawn"),
        blind=got.flag("blind"),
        stopped_after=None if got.get("stopped_after") is None else got.night("stopped_after"),
        nights=tuple(_night(item) for item in got.items("nights", LONGEST_TEST)),
        left_out=got.number("left_out", 0, LONGEST_TEST),
        not_sent=got.number("not_sent", 0, LONGEST_TEST),
        verdict=_verdict(Values(got.get("verdict"), "the verdict")),
    )


def _plan(got: Values) -> Plan:
    start, length, seed = got.night("start"), got.number("length", 1, 1000), _bytes(got, "seed")
    shifts, question = read_pauses(got), got.choice("design", Design)
    try:
        return Plan(start, length, seed, shifts, question)
    except (ValueError, OverflowError):
        raise Unreadable("The test's plan is not one of ours.") from None


def _bytes(got: Values, key: str) -> bytes:
    try:
        data = bytes.fromhex(got.text(key))
    except ValueError as error:
        raise error if isinstance(error, Unreadable) else got.refusal(key) from None
    if len(data) != SEED_BYTES:
        raise got.refusal(key)
    return data


def _word(got: Values) -> str:
    word = got.text("word")
    if read_word(word) != word:
        raise Unreadable(
            f"The word in the test's file is not one that can have been given: 1 to {LONGEST_WORD} characters."
        )
    return word


def _night(values: object) -> AssignedNight:
    got = Values(values, "a night")
    rating = got.get("rating")
    return AssignedNight(
        night=got.night("night"),
        arm=_arm(got, "arm"),
        taken=None if got.get("taken") is None else got.flag("taken"),
        rating=None if rating is None else Rating(got.number("rating", -2, 2)),
        late=got.flag("late"),
        void=got.flag("void"),
        stomach=got.flag("stomach"),
        guess=_arm(got, "guess"),
    )


def _arm(got: Values, key: str) -> Arm | None:
    return None if got.get(key) is None else got.choice(key, Arm)


def _verdict(got: Values) -> Verdict:
    pairs, missing = Values(got.get("pairs"), "the pairs"), Values(got.get("missing"), "the missing mornings")
    chances, blinding = got.get("chances"), got.get("blinding")
    return Verdict(
        label=got.choice("label", Label),
        lack=None if got.get("lack") is None else got.choice("lack", Lack),
        end=got.choice("end", End),
        fortnights=got.number("fortnights", 0, LONGEST_TEST),
        planned=got.number("planned", 0, LONGEST_TEST),
        bound=_real(got, "bound"),
        on=read_tally(got.get("on")),
        off=read_tally(got.get("off")),
        baseline=read_tally(got.get("baseline")),
        pairs=Pairs(*(pairs.number(name, 0, LONGEST_TEST) for name in ("better", "worse", "equal"))),
        missing=Missing(
            _count(missing.get("mornings")),
            _count(missing.get("nights")),
            None if missing.get("undo") is None else missing.number("undo", 0, LONGEST_TEST),
        ),
        stomach=_count(got.get("stomach")),
        chances=None if chances is None else _chances(Values(chances, "the chances")),
        size=_size(got, "size"),
        clear_size=_size(got, "clear_size"),
        as_taken=_size(got, "as_taken"),
        blinding=None if blinding is None else _blinding(Values(blinding, "the guesses")),
        luck_under=None if got.get("luck_under") is None else got.number("luck_under", 1, 10**6),
    )


def _count(values: object) -> Count:
    got = Values(values, "a count")
    return Count(got.number("on", 0, LONGEST_TEST), got.number("off", 0, LONGEST_TEST))


def _chances(got: Values) -> Chances:
    return Chances(_real(got, "better"), _real(got, "worse"))


def _size(got: Values, key: str) -> Size | None:
    if got.get(key) is None:
        return None
    size = Values(got.get(key), "a size")
    return Size(*(_real(size, name) for name in ("steps", "low", "high", "won", "won_low", "won_high")))


def _blinding(got: Values) -> Blinding:
    return Blinding(got.number("right", 0, LONGEST_TEST), got.number("guessed", 0, LONGEST_TEST), _real(got, "p"))


def _real(got: Values, key: str) -> float:
    value = got.real(key)
    if value is None:
        raise got.refusal(key)
    return value
