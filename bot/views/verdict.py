"""What a self-experiment found: two lines, what goes with them, and behind a button all that they rest on."""

from __future__ import annotations

from bot.core.experiment.counts import Label, Lack
from bot.core.experiment.design import FEWEST_RATED, Design
from bot.core.experiment.ranges import of_100
from bot.core.experiment.report import Report, Told
from bot.core.experiment.seed import fingerprint
from bot.core.experiment.verdict import End, Missing, Size, Verdict
from bot.core.experiment.version1.earlier_report import EarlierReport
from bot.texts.language import Words
from bot.views import earlier_verdict
from bot.views.message import View, button, keyboard, lines

_LITTLE = range(40, 61)
"""Pairs of 100 between which a difference is a little one."""


def result(words: Words, told: Told) -> View:
    """What it found, and what that does not mean."""
    if isinstance(told.report, EarlierReport):
        return earlier_verdict.result(words, told.report)
    report = told.report
    first, *rest = in_words(words, report)
    # Of one test alone its own verdict says more.
    account = together(words, told) if told.together.tests > 1 else None
    text = lines(f"<b>{first}</b>", *rest, account, "", always(words, report))
    drawn = [button(words("Picture"), "exp_pic")] if report.verdict.size is not None else []
    details = button(words("Details"), "exp_details")
    return View(text, keyboard([details, *drawn, button(words("A new test"), "exp_again")]), silent=True)


def picture(words: Words, told: Told) -> View:
    """The words under the picture of the range; they say all that it shows."""
    if isinstance(told.report, EarlierReport):
        return earlier_verdict.picture(words, told.report)
    return View(lines(*in_words(words, told.report), always(words, told.report)), silent=True)


def range_of(verdict: Verdict) -> Size | None:
    """The range that is told: beside a clear verdict that of its bound, else the usual one."""
    return verdict.clear_size if verdict.clear else verdict.size


def in_words(words: Words, report: Report) -> list[str]:
    """The verdict, what luck does, and what belongs beside them. HTML without tags."""
    verdict = report.verdict
    said = [
        _verdict(words, report),
        _luck(words, report),
        _end(words, report),
        _blinding(words, verdict),
        _stomach(words, verdict),
    ]
    return [line for line in said if line is not None]


def _verdict(words: Words, report: Report) -> str:
    verdict, size = report.verdict, range_of(report.verdict)
    if size is None:
        return _no_verdict(words, verdict)
    pairs = {"n": of_100(size.won), "low": of_100(size.won_low), "high": of_100(size.won_high)}
    weeks = report.plan.design is Design.WEEKLY
    match verdict.label:
        case Label.CLEAR_HELP if weeks:
            text = words(
                "In weeks with magnesium you slept better: in {n} of 100 pairs of nights ({low} to {high}).",
                **pairs,
            )
        case Label.CLEAR_HELP:
            text = words(
                "On nights with magnesium you slept better: in {n} of 100 pairs of nights ({low} to {high}).",
                **pairs,
            )
        case Label.CLEAR_WORSE if weeks:
            text = words(
                "In weeks with magnesium you slept worse: better in {n} of 100 pairs of nights ({low} to {high}).",
                **pairs,
            )
        case Label.CLEAR_WORSE:
            text = words(
                "On nights with magnesium you slept worse: better in {n} of 100 pairs of nights ({low} to {high}).",
                **pairs,
            )
        case Label.LEANS_HELP | Label.LEANS_WORSE:
            text = words(
                "A hint, no more: the night with magnesium was better in {n} of 100 pairs ({low} to {high}).",
                **pairs,
            )
        case _:
            text = words(
                "Can't tell: between {low} and {high} of 100 pairs went to the night with magnesium; 50 is no difference.",
                **pairs,
            )
    return text


def _no_verdict(words: Words, verdict: Verdict) -> str:
    if verdict.lack is Lack.TOO_EARLY:
        return words("No verdict: the test was stopped before its second fortnight was over.")
    return words("No verdict: too few answered mornings.")


def _luck(words: Words, report: Report) -> str | None:
    verdict, size = report.verdict, range_of(report.verdict)
    match verdict.label:
        case Label.NO_VERDICT if verdict.lack is Lack.FEW_RATED_NIGHTS:
            counts = {"on": verdict.on.nights, "off": verdict.off.nights}
            return words(
                "At least {least} on each side are needed; you had {on} and {off}.", least=FEWEST_RATED, **counts
            )
        case Label.CLEAR_HELP | Label.CLEAR_WORSE:
            luck = words("Luck alone does this in fewer than 1 of {n} such tests.", n=verdict.luck_under)
            return _with_hope(words, luck, report)
        case Label.LEANS_HELP | Label.LEANS_WORSE:
            if verdict.hint_in is None:
                luck = words("Close to clear, but not past the bound set before the start.")
            else:
                luck = words("Luck alone gives a hint this strong in about 1 of {n} tests.", n=verdict.hint_in)
            return _with_hope(words, luck, report)
        case Label.CANT_TELL if size is not None:
            if of_100(size.won_low) in _LITTLE and of_100(size.won_high) in _LITTLE:
                return words("Most tests end so: your nights fit a little help as well as a little harm.")
            return words("Most tests end so: your nights fit many answers.")
        case _:
            return None


def _with_hope(words: Words, luck: str, report: Report) -> str:
    """Who knows what they took also measures what they expect of it."""
    helps = report.verdict.label in (Label.CLEAR_HELP, Label.LEANS_HELP)
    hope = words("Expecting it to help is part of it.") if helps else words("What you expect of it is part of it.")
    return luck if report.blind else f"{luck} {hope}"


def _end(words: Words, report: Report) -> str | None:
    verdict = report.verdict
    counts = {"n": verdict.fortnights, "all": verdict.planned}
    match verdict.end:
        case End.CLEAR:
            return words("It was clear after {n} of {all} fortnights. Early ends look larger than they are.", **counts)
        case End.HOPELESS:
            return words("I ended it after {n} of {all} fortnights: a clear answer had become unlikely.", **counts)
        case End.STOPPED if verdict.chances is not None:
            return words(
                "Stopped early: {n} of {all} fortnights count, and a hint is the most they can give.", **counts
            )
        case _:
            return None


def _blinding(words: Words, verdict: Verdict) -> str | None:
    found = verdict.blinding
    if found is None:
        return None
    counts = {"right": found.right, "all": found.guessed}
    if found.kept:
        return words("You guessed right on {right} of {all} nights: the bags kept their secret.", **counts)
    return words("You guessed right on {right} of {all} nights: the bags did not keep their secret.", **counts)


def _stomach(words: Words, verdict: Verdict) -> str | None:
    found = verdict.stomach
    if found.on == found.off:
        return None
    return words("An upset stomach: on {on} nights with magnesium, on {off} without.", on=found.on, off=found.off)


def together(words: Words, told: Told) -> str:
    """The account of all tests of the person."""
    one_in = told.together.one_in
    if one_in is None:
        return words("All your tests together: nothing that luck would not do.")
    if told.together.helps:
        return words("All your tests together, for help: luck alone would do this in at most 1 of {n}.", n=one_in)
    return words("All your tests together, for harm: luck alone would do this in at most 1 of {n}.", n=one_in)


def always(words: Words, report: Report) -> str:
    """What stands under every result."""
    if report.plan.design is Design.WEEKLY:
        return words(
            "One person, own rating, not a medical test. It compares weeks; a small effect, or a slower one, it can miss."
        )
    return words(
        "One person, own rating, not a medical test. It sees what one night's magnesium does to that night; "
        "what builds up over several nights it can miss."
    )


# -- behind [Details] --------------------------------------------------------------------------------------------------


def details(words: Words, told: Told) -> View:
    """Everything that the two lines rest on."""
    if isinstance(told.report, EarlierReport):
        return earlier_verdict.result(words, told.report)
    report, verdict = told.report, told.report.verdict
    parts = [
        words("<b>Details of your test</b>"),
        _chance(words, verdict),
        _rated(words, verdict),
        words.plural(
            "Of {n} matched pair of nights, the one with magnesium was better {better}, worse {worse}, equal {equal}.",
            "Of {n} matched pairs of nights, the one with magnesium was better {better}, worse {worse}, equal {equal}.",
            verdict.pairs.total,
            better=verdict.pairs.better,
            worse=verdict.pairs.worse,
            equal=verdict.pairs.equal,
        ),
        _as_taken(words, verdict),
        *_missing(words, verdict),
        *_uncounted(words, report),
        _ranges(words, verdict),
        together(words, told),
        "",
        *proof(words, report),
    ]
    return View(lines(*parts), silent=True)


def _chance(words: Words, verdict: Verdict) -> str | None:
    if verdict.chances is None:
        return None
    better, worse, bound = (f"{p:.4f}" for p in (verdict.chances.better, verdict.chances.worse, verdict.bound))
    return words(
        "p for better {better}, for worse {worse}; clear up to {bound}.", better=better, worse=worse, bound=bound
    )


def _rated(words: Words, verdict: Verdict) -> str:
    return words(
        "Answered mornings: {on} with, {off} without, {base} of the run-in.",
        on=verdict.on.nights,
        off=verdict.off.nights,
        base=verdict.baseline.nights,
    )


def _as_taken(words: Words, verdict: Verdict) -> str | None:
    size = verdict.as_taken
    if size is None:
        return None
    won, low, high = of_100(size.won), of_100(size.won_low), of_100(size.won_high)
    return words("As taken, roughly: {n} of 100 pairs ({low} to {high}).", n=won, low=low, high=high)


def _missing(words: Words, verdict: Verdict) -> list[str]:
    missing = verdict.missing
    said = []
    if missing.mornings.total:
        said.append(
            words.plural(
                "{n} morning has no answer in time.", "{n} mornings have no answer in time.", missing.mornings.total
            )
        )
    if missing.unequal:
        said.append(_unequal(words, missing))
    if missing.undo is not None:
        said.append(words("It would take {n} of these going against it to undo this.", n=missing.undo))
    return said


def _unequal(words: Words, missing: Missing) -> str:
    def share(part: int, whole: int) -> int:
        return round(100 * (whole - part) / whole) if whole else 0

    on, off = (share(missing.mornings.on, missing.nights.on), share(missing.mornings.off, missing.nights.off))
    return words("You answered {on} of 100 mornings with and {off} without: that can bend the result.", on=on, off=off)


def _uncounted(words: Words, report: Report) -> list[str]:
    said = []
    if report.left_out:
        said.append(words.plural("You left {n} night out.", "You left {n} nights out.", report.left_out))
    if report.not_sent:
        said.append(
            words.plural(
                "{n} night does not count, because its reminder did not reach you in time.",
                "{n} nights do not count, because their reminder did not reach you in time.",
                report.not_sent,
            )
        )
    return said


def _ranges(words: Words, verdict: Verdict) -> str | None:
    if verdict.size is None:
        return None
    if verdict.clear:
        return words("The range is that of the bound: it leaves out 50 exactly when the verdict is clear.")
    return words("Over all tests, 4 of 5 such ranges hold the truth.")


def proof(words: Words, report: Report) -> list[str]:
    """What anybody can check it by."""
    word = (
        words("The word, drawn by me: {word}", word=report.word)
        if report.word_drawn
        else words("Your word: {word}", word=report.word)
    )
    return [
        words("Fingerprint of my half: {hash}", hash=fingerprint(report.bots_seed)),
        words("My half: {seed}", seed=report.bots_seed.hex()),
        word,
        words("Fingerprint of the plan: {hash}", hash=fingerprint(report.plan.seed)),
        words("Seed: {seed}", seed=report.plan.seed.hex()),
        words("/export holds all of it, to check it without trusting me."),
    ]


def no_report(words: Words) -> View:
    """The report is being made."""
    return View(words("The result comes in a moment."))
