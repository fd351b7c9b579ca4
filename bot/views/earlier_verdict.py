"""What a self-experiment of version 1 found: the verdict in words, what it rests on, and how to check it."""

from __future__ import annotations

from bot.core.experiment.counts import ArmTally, Label, Lack
from bot.core.experiment.seed import fingerprint
from bot.core.experiment.version1.analysis import EarlierVerdict, Effect
from bot.core.experiment.version1.earlier_report import EarlierReport
from bot.texts.language import Words
from bot.views.message import View, button, keyboard, lines


def result(words: Words, report: EarlierReport) -> View:
    """What it found, what that does not mean, and how to check it."""
    text = lines(
        words("<b>Your test is over.</b>"),
        *in_words(words, report),
        "",
        always(words),
        "",
        f"<blockquote expandable>{lines(*_details(words, report))}</blockquote>",
    )
    picture = [button(words("Picture"), "exp_pic")] if report.verdict.effect is not None else []
    return View(text, keyboard([*picture, button(words("A new test"), "exp_again")]), silent=True)


def picture(words: Words, report: EarlierReport) -> View:
    """The words under the picture of the interval; they say all that it shows."""
    leans = report.verdict.label in (Label.LEANS_HELP, Label.LEANS_WORSE)
    size = _size(words, report.verdict.effect) if leans else None
    return View(lines(*in_words(words, report), size, always(words)), silent=True)


def in_words(words: Words, report: EarlierReport) -> list[str]:
    """The verdict in words. HTML without tags."""
    verdict = report.verdict
    parts = [_verdict(words, report), _disagreement(words, verdict)]
    if report.stopped_after is not None:
        parts.append(
            words(
                "You stopped early: {n} of {all} nights counted, whole fortnights only.",
                n=verdict.nights,
                all=verdict.planned,
            )
        )
    return [part for part in parts if part is not None]


def _verdict(words: Words, report: EarlierReport) -> str:
    verdict = report.verdict
    match verdict.label:
        case Label.NO_VERDICT:
            return _no_verdict(words, verdict)
        case Label.CANT_TELL:
            return words("Can't tell.") + " " + _fits(words, verdict.effect)
        case Label.LEANS_HELP:
            return _leans(
                words("Leans towards helping, but luck alone does this in about 1 of {n}.", n=verdict.one_in), words
            )
        case Label.LEANS_WORSE:
            return _leans(
                words("Leans towards worse nights, but luck alone does this in about 1 of {n}.", n=verdict.one_in),
                words,
            )
        case Label.CLEAR_HELP:
            head = words(
                "On the nights you were assigned magnesium you slept better: {better} better nights of {all}, "
                "against {other} of {rest}.",
                better=verdict.on.better,
                all=verdict.on.nights,
                other=verdict.off.better,
                rest=verdict.off.nights,
            )
            return _clear(words, head, report)
        case Label.CLEAR_WORSE:
            head = words(
                "On the nights you were assigned magnesium you slept worse: {better} better nights of {all}, "
                "against {other} of {rest}.",
                better=verdict.on.better,
                all=verdict.on.nights,
                other=verdict.off.better,
                rest=verdict.off.nights,
            )
            return _clear(words, head, report)


def _no_verdict(words: Words, verdict: EarlierVerdict) -> str:
    if verdict.lack is Lack.NO_WHOLE_FORTNIGHT:
        return words("No verdict: not one whole fortnight was over.")
    return words(
        "No verdict: {on} rated nights with and {off} without are too few. Each side needs {least}.",
        on=verdict.on.nights,
        off=verdict.off.nights,
        least=10,
    )


def _leans(sentence: str, words: Words) -> str:
    return sentence + " " + words("Another 28 nights would tell more.")


def _clear(words: Words, head: str, report: EarlierReport) -> str:
    luck = words("Luck alone does this in about 1 of {n} such tests.", n=report.verdict.one_in)
    hope = None if report.blind else words("This includes any effect of expecting it.")
    if not report.blind and report.verdict.label is Label.CLEAR_HELP:
        hope = words("This includes any effect of expecting it to help.")
    return " ".join(part for part in (head, luck, _size(words, report.verdict.effect), hope) if part)


def _size(words: Words, effect: Effect | None) -> str | None:
    if effect is None:
        return None
    low, high = round(effect.low), round(effect.high)
    if low >= 0:
        return words("Likely size: {low} to {high} more better nights per 100.", low=low, high=high)
    if high <= 0:
        return words("Likely size: {low} to {high} fewer better nights per 100.", low=-high, high=-low)
    return words("Likely size: from {low} fewer to {high} more better nights per 100.", low=-low, high=high)


def _fits(words: Words, effect: Effect | None) -> str:
    low, high = (0, 0) if effect is None else (round(effect.low), round(effect.high))
    if low >= 0:
        return words("Your nights fit anything from {low} to {high} more better nights per 100.", low=low, high=high)
    if high <= 0:
        return words("Your nights fit anything from {low} to {high} fewer better nights per 100.", low=-high, high=-low)
    return words("Your nights fit anything from {low} fewer to {high} more better nights per 100.", low=-low, high=high)


def _disagreement(words: Words, verdict: EarlierVerdict) -> str | None:
    """The test looks at the whole answers, the count only at the better nights; they may point different ways."""
    if verdict.label in (Label.NO_VERDICT, Label.CANT_TELL) or verdict.difference is None:
        return None
    if (_share(verdict.on) - _share(verdict.off)) * verdict.difference >= 0:
        return None
    return words("Your whole answers and your count of better nights point different ways.")


def _share(tally: ArmTally) -> float:
    return tally.better / tally.nights if tally.nights else 0.0


def always(words: Words) -> str:
    """What stands under every result."""
    return words("One person, own rating, not a medical test. It cannot see benefits that build up over weeks.")


def _details(words: Words, report: EarlierReport) -> list[str]:
    """What stands behind the verdict."""
    verdict, pairs = report.verdict, report.verdict.pairs
    parts = [
        words("With: {better} better nights of {all} rated.", better=verdict.on.better, all=verdict.on.nights),
        words("Without: {better} better nights of {all} rated.", better=verdict.off.better, all=verdict.off.nights),
        words(
            "Run-in: {better} better nights of {all} rated.",
            better=verdict.baseline.better,
            all=verdict.baseline.nights,
        ),
        words.plural(
            "Of {n} matched pair, magnesium nights were better {better}, worse {worse}, equal {equal}.",
            "Of {n} matched pairs, magnesium nights were better {better}, worse {worse}, equal {equal}.",
            pairs.total,
            better=pairs.better,
            worse=pairs.worse,
            equal=pairs.equal,
        ),
        _as_taken(words, verdict),
        *_gaps(words, report),
        words("Fingerprint: {hash}", hash=fingerprint(report.plan.seed)),
        words("Seed: {seed}", seed=report.plan.seed.hex()),
        words("/export holds all of it, to check it without trusting me."),
    ]
    return [part for part in parts if part is not None]


def _as_taken(words: Words, verdict: EarlierVerdict) -> str | None:
    if verdict.as_taken is None:
        return None
    size = round(verdict.as_taken)
    if size < 0:
        return words("As taken, roughly: {n} fewer better nights per 100.", n=-size)
    return words("As taken, roughly: {n} more better nights per 100.", n=size)


def _gaps(words: Words, report: EarlierReport) -> list[str]:
    verdict = report.verdict
    said = []
    if verdict.missing:
        said.append(
            words.plural("{n} morning has no answer in time.", "{n} mornings have no answer in time.", verdict.missing)
        )
    if verdict.missing_flips:
        said.append(words("Had those mornings been as unkind as can be, the direction would be the other one."))
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
