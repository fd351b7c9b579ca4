"""The self-experiment until its end: the evening's word, the way in, and progress without a hint of the result."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.experiment import design
from bot.core.experiment.design import Arm, Plan, Void
from bot.core.experiment.run import Assignment, Experiment, Progress, Tonight
from bot.core.experiment.seed import fingerprint
from bot.core.model import Night
from bot.texts.language import Words
from bot.views.message import Keyboard, Row, View, button, keyboard, lines, link

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


def buttons(words: Words, night: Night, assignment: Assignment) -> Keyboard | None:
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
        words("• kidney disease, heart block or a slow heart"),
        words("• myasthenia gravis, or a bowel disease"),
        words("• pregnant or breastfeeding, or under 18"),
        words("• a doctor prescribed your magnesium"),
        words("• you take a medicine that magnesium interferes with"),
        words("• you take it for something else: migraine, constipation, cramps, heartburn"),
    )
    answers = [button(words("Yes"), "exp_gate", "yes"), button(words("No, none of it"), "exp_gate", "no")]
    return View(text, keyboard(answers, [button(words("The medicines") + " ›", "safety")]))


def refused(words: Words) -> View:
    """A question before the start was answered with yes."""
    text = lines(
        words("Then please ask your clinician instead: leaving it out on some nights is not for a bot to suggest."),
        words("I keep reminding you as before. I have not noted your answer."),
    )
    return View(text)


def no_supplement(words: Words) -> View:
    """A person who takes no supplement has nothing to leave out."""
    text = lines(
        words("This test leaves a supplement out on some nights, and you told me that you take none."),
        words("Food is a full choice: please do not leave it out. If that has changed, /form comes first."),
    )
    return View(text)


def lengths(words: Words) -> View:
    """How long, and how much each length can find."""
    power = [
        words(
            "{nights} nights: clearly found in about {share} of 100 people",
            nights=nights,
            share=design.POWER[nights],
        )
        for nights in design.LENGTHS
    ]
    text = lines(
        words("<b>How long?</b>"),
        words("Suppose it truly gives you {gain} more better nights per 100. Then this is", gain=design.POWER_GAIN),
        *power,
        words("Before that come {n} nights without, to start from.", n=design.RUN_IN),
    )
    usual = design.DEFAULT_LENGTH
    choices = [
        button(words("{n} nights", n=nights), "exp_len", nights, style="primary" if nights == usual else None)
        for nights in design.LENGTHS
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
            n=design.RUN_IN,
            night=words.night(plan.start),
        ),
        words("Chance has drawn the plan. Its fingerprint, to check later that nobody changed it:"),
        f"<code>{fingerprint(plan.seed)}</code>",
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


def progress(words: Words, trial: Experiment, done: Progress, *, voidable: Night | None, until: Night) -> View:
    """How far it is. Nothing here tells one arm from the other."""
    if done.night == 0:
        head = words("Run-in night {n} of {all}", n=done.run_in, all=design.RUN_IN)
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
