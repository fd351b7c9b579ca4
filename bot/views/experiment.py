"""The self-experiment until its end: the evening's word, the way in, and progress without a hint of the result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.core.experiment.design import DEFAULT_LENGTH, LENGTHS, RUN_IN, WEEKLY_LENGTH, Arm, Design, Void, bags
from bot.core.experiment.forecast import LARGE, POWER, SMALL, Forecast
from bot.core.experiment.run import Assignment, Experiment, Progress, Tonight, looks
from bot.core.experiment.seed import LONGEST_WORD, PACKED, WordFault, code_of, fingerprint
from bot.core.model import Night
from bot.texts.language import Words
from bot.views.message import Keyboard, Row, View, button, grid, keyboard, lines, link

# -- the evening -------------------------------------------------------------------------------------------------------


def tonight(words: Words, assignment: Assignment, *, discreet: bool) -> str:
    """What it is time for. With and without have the same length and shape, so that neither promises more."""
    match assignment.tonight:
        case Tonight.WITHOUT if discreet:
            return words("<b>Tonight: without.</b> All else as usual.")
        case Tonight.WITHOUT:
            return words("<b>Tonight: no magnesium.</b> All else as usual.")
        case Tonight.BAG:
            return words("<b>Tonight: bag {number}.</b> All else as usual.", number=assignment.bag)
        case Tonight.FREE:
            return words("Tonight is not part of your test: with or without, as you like.")
        case Tonight.WITH if discreet:
            return words("<b>Tonight: with.</b> All else as usual.")
        case Tonight.WITH:
            return words("<b>Tonight: with magnesium.</b> All else as usual.")


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
        words("<b>Does it help you?</b> This tests it with you, fairly."),
        words("Chance picks the nights with and without. You only say each morning how you slept."),
        words("At the end I compare them. Until then the result is sealed, also for you."),
        words("Most tests end without a clear answer."),
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


def questions(words: Words) -> View:
    """The two questions, told apart."""
    text = lines(
        words("<b>Which question?</b>"),
        words("<b>Tonight's effect:</b> does tonight's magnesium change tonight's sleep? Chance decides each night."),
        words(
            "<b>Weeks:</b> chance decides whole weeks, for 12 weeks. It can see what builds up over some nights, and less of "
            "a quick effect. All trials with any benefit ran for weeks."
        ),
    )
    choices = [
        button(words("Tonight's effect"), "exp_ask", Design.NIGHTLY.value, style="primary"),
        button(words("Weeks"), "exp_len", WEEKLY_LENGTH, Design.WEEKLY.value),
    ]
    return View(text, keyboard(choices))


def lengths(words: Words) -> View:
    """How long, and how much each length can find."""
    nights = [
        words("28 nights: a quick look. About 9 of 100 people end it with too few answers."),
        words("Up to 56, up to 84: I look every fortnight, and end it when it is clear or has become hopeless."),
    ]
    text = lines(words("<b>How long?</b>"), *nights, *_power(words, [(Design.NIGHTLY, length) for length in LENGTHS]))
    choices = [
        button(
            words("28 nights") if length == LENGTHS[0] else words("Up to {n} nights", n=length),
            "exp_len",
            length,
            style="primary" if length == DEFAULT_LENGTH else None,
        )
        for length in LENGTHS
    ]
    return View(text, keyboard(*grid(choices, across=1)))


def _power(words: Words, plans: Sequence[tuple[Design, int]]) -> list[str]:
    """Of 100 people, how many get a clear answer: for a large gain and for one as small as the best trial's."""

    def shares(gain: int) -> str:
        return " · ".join(str(POWER[plan][gain].clear) for plan in plans)

    return [
        words("Of 100 people, so many get a clear answer:"),
        words("• if it helps a lot ({n} of 100 pairs of nights won): {shares}", n=LARGE, shares=shares(LARGE)),
        words("• if it helps as in the best trial ({n} of 100): {shares}", n=SMALL, shares=shares(SMALL)),
        words("<b>Most tests end without a clear answer.</b>"),
    ]


def expect(words: Words, design: Design, length: int, *, first: Night, like_you: Forecast | None) -> View:
    """The rules and what to expect, before the start. With bags is the way that is recommended."""
    last = first + timedelta(days=RUN_IN + length - 1)
    weeks = design is Design.WEEKLY
    if weeks:
        what = words("{run_in} nights without, then 12 weeks of which chance decides six.", run_in=RUN_IN)
    elif length == LENGTHS[0]:
        what = words("{run_in} nights without, then {n} that chance decides.", run_in=RUN_IN, n=length)
    else:
        what = words("{run_in} nights without, then up to {n} that chance decides.", run_in=RUN_IN, n=length)
    text = lines(
        words(
            "<b>Your test: from {first} to {last} at the latest.</b>", first=words.night(first), last=words.night(last)
        ),
        what,
        words("Each evening I say with or without, each morning you say how you slept. Sealed until the end."),
        words("Ill, a night shift, or travel over two zones? Leave that night out here, before the reminder."),
        words("You may stop at any time; then a hint is the most it can give."),
        "",
        *_power(words, [(design, length)]),
        None if like_you is None else _like_you(words, like_you),
        "",
        words("With numbered bags not even you know what a night is. Open, it tests magnesium and the belief in it."),
    )
    arguments = (length, "bags", design.value), (length, "open", design.value)
    blind = button(words("With numbered bags"), "exp_start", *arguments[0], style="success")
    about = button(words("What are the bags?"), "exp_bags", length, design.value)
    return View(
        text, keyboard([blind], [about], [button(words("Open: I know each night"), "exp_start", *arguments[1])])
    )


def _like_you(words: Words, found: Forecast) -> str:
    return words(
        "Of 100 people who answer as you do, if it helps a lot: {clear} clear, {leans} a hint, {rest} can't tell.",
        clear=found.clear,
        leans=found.leans,
        rest=found.cant_tell + found.no_verdict,
    )


def about_bags(words: Words, *, length: int, design: Design) -> View:
    """The blind mode, explained."""
    text = lines(
        words("<b>Numbered bags</b>"),
        words(
            "Somebody you trust fills bags, some with your magnesium and some with a look-alike, from a list that only they see."
        ),
        words("I tell you each evening which bag. So hoping for a good night cannot sway you."),
        words("No look-alike? Ask a pharmacist for capsules with nothing in them."),
    )
    blind = [button(words("With numbered bags"), "exp_start", length, "bags", design.value, style="success")]
    return View(text, keyboard(blind, [button("‹ " + words("Back"), "exp_len", length, design.value)]))


def ask_word(words: Words, fingerprint: str) -> View:
    """The bot's half is drawn, and shown by its fingerprint before the person's half is asked for."""
    text = lines(
        words("<b>Two halves draw the nights, so that neither of us can choose them.</b>"),
        words("Mine is drawn. Its fingerprint, to check later that I did not change it:"),
        f"<code>{fingerprint}</code>",
        words("Yours is any word, up to {n} characters. Type it now, or skip: then I draw it, too.", n=LONGEST_WORD),
    )
    return View(text, keyboard([button(words("Skip"), "exp_word"), *_back(words)]))


def bad_word(words: Words, fault: WordFault) -> View:
    """What was typed cannot be the person's half."""
    if fault is WordFault.TOO_LONG:
        return View(words("That is too long: up to {n} characters, please. Type a shorter one.", n=LONGEST_WORD))
    return View(words("I cannot use that as a word. Type letters or digits, up to {n}.", n=LONGEST_WORD))


def begun(words: Words, one: Experiment) -> View:
    """The start, with the fingerprint of the plan."""
    text = lines(
        words("<b>It is on.</b> {n} nights without first, from {night}.", n=RUN_IN, night=words.night(one.plan.start)),
        words("Both halves have drawn the plan. Its fingerprint, to check later that nobody changed it:"),
        f"<code>{fingerprint(one.plan.seed)}</code>",
        words("/experiment shows how far it is."),
    )
    return View(text, keyboard([button(words("Proof"), "exp_proof")]))


def proof(words: Words, one: Experiment) -> View:
    """What was shown before night 1, to be kept."""
    halves = one.halves
    parts = [
        None if halves is None else words("Fingerprint of my half, shown before your word:"),
        None if halves is None else f"<code>{fingerprint(halves.bots_seed)}</code>",
        words("Fingerprint of the plan, shown before night 1:"),
        f"<code>{fingerprint(one.plan.seed)}</code>",
        words("At the end I show what they are of."),
    ]
    return View(lines(*parts), keyboard(_back(words)))


def helper_link(words: Words, url: str) -> View:
    """To be forwarded to the helper."""
    text = lines(
        words("<b>For your helper: please forward this message.</b>"),
        words("The link shows, once, which bags hold magnesium and which a look-alike. Do not open it yourself."),
    )
    return View(text, keyboard([link(words("Show me the list"), url)]))


def helpers_list(words: Words, one: Experiment) -> View:
    """What goes into which bag, for the helper's eyes."""
    arms = bags(one.plan)
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
        words("All packed? Count them once more against the list, then tap."),
    )
    done = button(words("Packed and counted"), "exp_packed", one.id, code_of(one.plan.seed, PACKED), style="success")
    return View(text, keyboard([done]))


def packed(words: Words) -> View:
    """To the participant: the helper is done."""
    return View(words("Your helper has packed and counted the bags."), silent=True)


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
        head = words("Run-in night {n} of {all}", n=done.run_in, all=RUN_IN)
    else:
        head = (
            words("Night {n} of up to {all}", n=done.night, all=trial.plan.length)
            if len(looks(trial)) > 1
            else words("Night {n} of {all}", n=done.night, all=trial.plan.length)
        )
    text = lines(
        f"<b>{head}</b>",
        words("Mornings answered: {n} of {all}", n=done.answered, all=done.mornings),
        words.plural("{n} night does not count", "{n} nights do not count", done.left_out) if done.left_out else None,
        words("Paused. It goes on when you are back: /resume") if trial.paused_since is not None else None,
        words("Sealed until {night}.", night=words.night(until)),
        _bags_stand(words, trial),
    )
    out = [button(words("Leave tonight out"), "exp_out", voidable)] if voidable is not None else []
    again: Row = [button(words("The helper's link again"), "exp_link")] if trial.bags_code is not None else []
    rest = [button(words("Pause the test"), "exp_rest"), button(words("Stop the test"), "exp_stop")]
    labels = [button(words("Labels to print"), "exp_sheet")] if trial.version > 1 and trial.blind else []
    proof_ = [*labels, button(words("Proof"), "exp_proof")]
    return View(text, keyboard(out, again, [] if trial.paused_since is not None else rest[:1], rest[1:], proof_))


def _bags_stand(words: Words, trial: Experiment) -> str | None:
    if trial.bags_code is not None:
        return words("Your helper has not opened the list of bags yet.")
    return words("Your helper has not said yet that the bags are packed.") if _unpacked(trial) else None


def _unpacked(trial: Experiment) -> bool:
    return trial.version > 1 and trial.blind and not trial.packed


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


def ask_stop(words: Words, trial: Experiment) -> View:
    """Stop early?"""
    if trial.version == 1:
        price = words("You may, at any time. Only whole fortnights count then, and the result will say so.")
    else:
        price = words("You may, at any time. Only whole fortnights count then, and a hint is the most they can give.")
    text = lines(words("<b>Stop the test?</b>"), price)
    return View(text, keyboard([button(words("Stop it"), "exp_stop", "yes", style="danger"), *_back(words)]))


def stopped(words: Words) -> View:
    """Stopped early."""
    return View(words("Stopped. What your nights say comes in a moment."))


# -- before the seal breaks --------------------------------------------------------------------------------------------


def ask_guess(words: Words) -> View:
    """Of a blind test that is over: what does the person think?"""
    text = lines(
        words("<b>Your test is over. One question before the seal breaks.</b>"),
        words("Which weeks do you think had more magnesium in their bags? It tells how well they kept their secret."),
    )
    answers = [button(words("I'll guess"), "exp_guess", style="primary"), button(words("I can't say"), "exp_guessed")]
    return View(text, keyboard(answers), silent=True)


def guesses(words: Words, guess: str) -> View:
    """A button a week; each tap turns it on to the next answer."""
    text = lines(
        words("<b>What was more often in the bags of each week?</b>"),
        words("Tap a week until it says what you think; leave a ? where you cannot say."),
    )
    names = {"-": "?", "1": words("magnesium"), "0": words("look-alike")}
    weeks = [button(f"{n}: {names[letter]}", "exp_week", n) for n, letter in enumerate(guess, 1)]
    return View(text, keyboard(*grid(weeks, across=2), [button(words("Done"), "exp_guessed", "yes", style="success")]))


def guessed(words: Words) -> View:
    """The guess is in."""
    return View(words("Thank you. What your nights say comes in a moment."))


# -- a bag's label -----------------------------------------------------------------------------------------------------


def sheet(words: Words) -> View:
    """Under the sheet of labels."""
    text = lines(
        words("<b>Labels for your bags.</b> Print them; your helper sticks each on the bag with its number."),
        words("They tell neither what is in a bag nor for which night it is."),
        words("In the evening, scan the label of the bag you take: that notes it, once."),
    )
    return View(text)


def foreign_label(words: Words) -> View:
    """A label's code that is not of a test of this person under way."""
    return View(words("That label is not of a test of yours that is under way. Nothing was noted."))


def other_bag(words: Words, number: int) -> View:
    """A label of another night's bag."""
    return View(words("Tonight is bag {number}, not this one. Nothing was noted.", number=number))


def no_bag_tonight(words: Words) -> View:
    """A label on an evening that has no bag."""
    return View(words("There is no bag for tonight. Nothing was noted."))


def used_label(words: Words, number: int) -> View:
    """A label whose evening has its answer."""
    return View(words("Bag {number}: tonight is answered already. Nothing was changed.", number=number))


def _back(words: Words) -> Row:
    return [button("‹ " + words("Back"), "exp")]
