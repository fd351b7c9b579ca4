"""The self-experiment: the way in, the evening's word, progress without a hint of the result, and the result."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import InlineKeyboardMarkup

from bot.core import experiment
from bot.core.experiment import Arm, Effect, Label, Lack, Plan, Tally, Verdict, Void
from bot.core.model import Night
from bot.core.trial import Assignment, Progress, Report, Tonight, Trial
from bot.language import Words
from bot.views.message import Row, View, button, keyboard, lines, link

# -- the evening -------------------------------------------------------------------------------------------------------


def tonight(words: Words, assignment: Assignment, usual: str, *, discreet: bool) -> str:
    """What it is time for. `usual` is an ordinary evening's line, and that of a night with it."""
    match assignment.tonight:
        case Tonight.WITHOUT:
            return words("Tonight without. Same routine.")
        case Tonight.BAG:
            return words("Tonight bag {number}. Same routine.", number=assignment.bag)
        case Tonight.FREE:
            return words("Tonight is not part of your test: with or without, as you like.")
        case Tonight.WITH:
            return words("Tonight with. Same routine.") if discreet else usual


def buttons(words: Words, night: Night, assignment: Assignment) -> InlineKeyboardMarkup | None:
    """What can be answered to it."""
    if assignment.tonight is Tonight.WITHOUT:
        anyway = button(words("Took it anyway"), "taken", night)
        return keyboard([button(words("OK"), "without", night, style="success"), anyway])
    return keyboard(
        [
            button(words("Taken"), "taken", night, style="success"),
            button(words("Snooze"), "snooze", night),
            button(words("Couldn't"), "skip", night),
        ]
    )


# -- the way in --------------------------------------------------------------------------------------------------------


def intro(words: Words) -> View:
    """What it is, in short."""
    text = lines(
        words("<b>Does it help you?</b>"),
        words("Chance picks the nights with and without. You only say each morning how you slept."),
        words("At the end I compare them fairly. Until then the result is sealed, also for you."),
        words("It can end with “can't tell”, and often does."),
    )
    return View(text, keyboard([button(words("Go on"), "exp_gates", style="primary")]))


def gates(words: Words) -> View:
    """Who may not start. One question; the answer is not kept."""
    text = lines(
        words("<b>Is any of this true for you?</b>"),
        words("• kidney disease"),
        words("• pregnant"),
        words("• a doctor prescribed your magnesium"),
        words("• you take a medicine that magnesium interferes with"),
    )
    answers = [button(words("Yes"), "exp_gate", "yes"), button(words("No, none of it"), "exp_gate", "no")]
    return View(text, keyboard(answers, [button(words("The medicines") + " ›", "safety")]))


def refused(words: Words) -> View:
    """A yes at the gate."""
    text = lines(
        words("Then please ask your clinician instead: leaving it out on some nights is not for a bot to suggest."),
        words("I keep reminding you as before. I have not noted your answer."),
    )
    return View(text)


def lengths(words: Words) -> View:
    """How long, and how much each length can find."""
    power = [
        words(
            "{nights} nights: clearly found in about {share} of 100 people",
            nights=nights,
            share=experiment.POWER[nights],
        )
        for nights in experiment.LENGTHS
    ]
    text = lines(
        words("<b>How long?</b>"),
        words("Suppose it truly gives you {gain} more better nights per 100. Then this is", gain=experiment.POWER_GAIN),
        *power,
        words("Before that come {n} nights without, to start from.", n=experiment.RUN_IN),
    )
    usual = experiment.DEFAULT_LENGTH
    choices = [
        button(words("{n} nights", n=nights), "exp_len", nights, style="primary" if nights == usual else None)
        for nights in experiment.LENGTHS
    ]
    return View(text, keyboard(choices))


def confirm(words: Words, *, length: int, first: Night) -> View:
    """The rules, before the start."""
    text = lines(
        words("<b>{n} nights, from {night}</b>", n=length, night=words.night(first)),
        words(
            "Each evening my reminder says: with or without. Do as it says, and answer each morning, before the next evening."
        ),
        words("Ill, a night shift, or travel over two time zones? Leave that night out here, before the reminder."),
        words("You may stop at any time."),
    )
    plain = [button(words("Start"), "exp_start", length, "open", style="success")]
    blind = [button(words("Start with numbered bags"), "exp_start", length, "bags")]
    about = [button(words("What are the bags?"), "exp_bags", length)]
    return View(text, keyboard(plain, blind, about))


def about_bags(words: Words, *, length: int) -> View:
    """The blind mode, explained."""
    text = lines(
        words("<b>Numbered bags</b>"),
        words(
            "Somebody you trust fills bags, some with your magnesium and some with a look-alike, from a list that only they see."
        ),
        words("I tell you each evening which bag. So hoping for a good night cannot sway you."),
    )
    blind = [button(words("Start with numbered bags"), "exp_start", length, "bags", style="success")]
    return View(text, keyboard(blind, [button("‹ " + words("Back"), "exp_len", length)]))


def begun(words: Words, plan: Plan) -> View:
    """The start, with the fingerprint."""
    text = lines(
        words(
            "<b>It is on.</b> {n} nights without first, from {night}.",
            n=experiment.RUN_IN,
            night=words.night(plan.start),
        ),
        words("Chance has drawn the plan. Its fingerprint, to check later that nobody changed it:"),
        f"<code>{experiment.fingerprint(plan.seed)}</code>",
        words("/experiment shows how far it is."),
    )
    return View(text)


def helper_link(words: Words, url: str) -> View:
    """To be forwarded to the helper."""
    text = lines(
        words("<b>For your helper: please forward this message.</b>"),
        words("The link shows, once, which bags hold magnesium and which a look-alike. Do not open it yourself."),
    )
    return View(text, keyboard([link(words("Show me the list"), url)]))


def helpers_list(words: Words, arms: Sequence[Arm]) -> View:
    """What goes into which bag, for the helper's eyes."""
    numbers = {
        arm: ", ".join(str(number) for number, one in enumerate(arms, 1) if one is arm) for arm in (Arm.ON, Arm.OFF)
    }
    text = lines(
        words("<b>The list for {n} bags</b>", n=len(arms)),
        words("You help with a fair test. Please keep this to yourself until it is over."),
        "",
        words("With the magnesium: {numbers}", numbers=numbers[Arm.ON]),
        "",
        words("With a look-alike: {numbers}", numbers=numbers[Arm.OFF]),
        "",
        words("One usual portion to a bag, the number outside. This list is shown once: keep this message."),
    )
    return View(text)


def own_link(words: Words) -> View:
    """The participant opened the helper's link."""
    return View(words("This link is for your helper: if you saw the list, the test would be spoiled. It still works."))


def used_link(words: Words) -> View:
    """A link that was opened already, or never was one."""
    return View(
        words("This list was opened already, or its test is over. Whoever sent you the link can make a new one.")
    )


# -- under way ---------------------------------------------------------------------------------------------------------


def progress(words: Words, trial: Trial, done: Progress, *, voidable: Night | None, until: Night) -> View:
    """How far it is. Nothing here tells one arm from the other."""
    if done.night == 0:
        head = words("Run-in night {n} of {all}", n=done.run_in, all=experiment.RUN_IN)
    else:
        head = words("Night {n} of {all}", n=done.night, all=trial.plan.length)
    text = lines(
        f"<b>{head}</b>",
        words("Mornings answered: {n} of {all}", n=done.answered, all=done.mornings),
        words.plural("{n} night does not count", "{n} nights do not count", done.left_out) if done.left_out else None,
        words("Paused. It goes on when you are back: /resume") if trial.paused_since is not None else None,
        words("Sealed until {night}.", night=words.night(until)),
        words("Your helper has not opened the list of bags yet.") if trial.bags_code is not None else None,
    )
    out = [button(words("Leave tonight out"), "exp_out", voidable)] if voidable is not None else []
    again: Row = [button(words("The helper's link again"), "exp_link")] if trial.bags_code is not None else []
    rest = [button(words("Pause the test"), "exp_rest"), button(words("Stop the test"), "exp_stop")]
    return View(text, keyboard(out, again, [] if trial.paused_since is not None else rest[:1], rest[1:]))


def why_out(words: Words, night: Night) -> View:
    """For which reasons a night may be left out."""
    names = {
        Void.TRAVEL: words("Travel over 2 zones"),
        Void.FEVER: words("Fever"),
        Void.NIGHT_SHIFT: words("Night shift"),
    }
    text = lines(
        words("<b>Leave {night} out?</b>", night=words.night(night)),
        words("Only for one of these, and only before you know what the night is. It cannot be taken back."),
    )
    return View(
        text, keyboard([button(name, "exp_void", night, why.value) for why, name in names.items()], _back(words))
    )


def left_out(words: Words, night: Night) -> View:
    """A night was left out."""
    return View(words("{night} does not count. The test goes on the night after.", night=words.night(night)))


def too_late_to_leave_out(words: Words) -> str:
    """Its arm was shown."""
    return words("You know already what tonight is, so it stays in.")


def pauses(words: Words) -> View:
    """For how long the test rests. Reminders go on."""
    text = lines(
        words("<b>Pause the test for how long?</b>"),
        words(
            "It moves by whole weeks, so that weekdays stay matched. Reminders go on as usual; /pause stops those, too."
        ),
    )
    weeks = [button(words.plural("{n} week", "{n} weeks", n), "exp_rest", n) for n in (1, 2, 3, 4)]
    return View(text, keyboard(weeks, _back(words)))


def goes_on(words: Words, night: Night) -> str:
    """When a paused test goes on."""
    return words("Your test goes on on {night}.", night=words.night(night))


def ask_stop(words: Words) -> View:
    """Stop early?"""
    text = lines(
        words("<b>Stop the test?</b>"),
        words("You may, at any time. Only whole fortnights count then, and the result will say so."),
    )
    return View(text, keyboard([button(words("Stop it"), "exp_stop", "yes", style="danger"), *_back(words)]))


def stopped(words: Words) -> View:
    """Stopped early."""
    return View(words("Stopped. What your nights say comes in a moment."))


def _back(words: Words) -> Row:
    return [button("‹ " + words("Back"), "exp")]


# -- the result --------------------------------------------------------------------------------------------------------


def result(words: Words, report: Report) -> View:
    """What it found, what that does not mean, and how to check it."""
    text = lines(
        words("<b>Your test is over.</b>"),
        *verdict_lines(words, report),
        "",
        _always(words),
        "",
        f"<blockquote expandable>{lines(*detail_lines(words, report))}</blockquote>",
    )
    picture = [button(words("Picture"), "exp_pic")] if report.verdict.effect is not None else []
    return View(text, keyboard([*picture, button(words("A new test"), "exp_again")]), silent=True)


def picture(words: Words, report: Report) -> View:
    """The words under the picture of the interval; they say all that it shows."""
    leans = report.verdict.label in (Label.LEANS_HELP, Label.LEANS_WORSE)
    size = _size(words, report.verdict.effect) if leans else None
    return View(lines(*verdict_lines(words, report), size, always(words)), silent=True)


def verdict_lines(words: Words, report: Report) -> list[str]:
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


def _verdict(words: Words, report: Report) -> str:
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


def _no_verdict(words: Words, verdict: Verdict) -> str:
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


def _clear(words: Words, head: str, report: Report) -> str:
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


def _disagreement(words: Words, verdict: Verdict) -> str | None:
    """The test looks at the whole answers, the count only at the better nights; they may point different ways."""
    if verdict.label in (Label.NO_VERDICT, Label.CANT_TELL) or verdict.difference is None:
        return None
    if (_share(verdict.on) - _share(verdict.off)) * verdict.difference >= 0:
        return None
    return words("Your whole answers and your count of better nights point different ways.")


def _share(tally: Tally) -> float:
    return tally.better / tally.nights if tally.nights else 0.0


def _always(words: Words) -> str:
    return words("One person, own rating, not a medical test. It cannot see benefits that build up over weeks.")


def always(words: Words) -> str:
    """What stands under every result."""
    return _always(words)


def detail_lines(words: Words, report: Report) -> list[str]:
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
        words("Fingerprint: {hash}", hash=experiment.fingerprint(report.plan.seed)),
        words("Seed: {seed}", seed=report.plan.seed.hex()),
        words("/export holds all of it, to check it without trusting me."),
    ]
    return [part for part in parts if part is not None]


def _as_taken(words: Words, verdict: Verdict) -> str | None:
    if verdict.as_taken is None:
        return None
    size = round(verdict.as_taken)
    if size < 0:
        return words("As taken, roughly: {n} fewer better nights per 100.", n=-size)
    return words("As taken, roughly: {n} more better nights per 100.", n=size)


def _gaps(words: Words, report: Report) -> list[str]:
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


def no_report(words: Words) -> View:
    """The report is being made."""
    return View(words("The result comes in a moment."))
