"""The morning: the check-in, what it turns into, and the question for people who stopped answering."""

from __future__ import annotations

from bot.core.model import Intake, Night, NightRecord, Person, Rating, State
from bot.core.owed import Owed
from bot.texts.language import Words
from bot.views.message import Button, Keyboard, Row, View, button, keyboard, lines


def check_in(words: Words, owed: Owed) -> View:
    """One question, one tap, without a sound."""
    text = lines(_about_last_night(words, owed), words("How was your sleep, compared with your usual?"))
    return View(text, question(words, owed.record), silent=True)


def _about_last_night(words: Words, owed: Owed) -> str | None:
    """An honest word about a reminder that did not go out, or may not have arrived."""
    if owed.record.answered:
        return None
    if owed.reminder is State.EXPIRED:
        return words("Last night's reminder was not sent: I could not send it in time. Sorry.")
    if owed.reminder is State.UNKNOWN:
        return words("I could not find out whether last night's reminder reached you.")
    return None


def question(words: Words, record: NightRecord, *, can_ask: bool = True) -> Keyboard | None:
    """Five steps, and whether it was taken where that is not known and still can be noted."""
    names = rating_names(words)
    better = [
        button(names[rating], "rate", record.night, rating.value) for rating in (Rating.MUCH_BETTER, Rating.BETTER)
    ]
    same = [button(names[Rating.SAME], "rate", record.night, Rating.SAME.value)]
    worse = [button(names[rating], "rate", record.night, rating.value) for rating in (Rating.WORSE, Rating.MUCH_WORSE)]
    return keyboard(better, same, worse, took(words, record) if can_ask else [])


def took(words: Words, record: NightRecord) -> list[Button]:
    """Asked only while the night's intake is unknown."""
    if record.answered:
        return []
    return [button(words("Took it"), "took", record.night, 1), button(words("Didn't"), "took", record.night, 0)]


def answered(words: Words, person: Person, record: NightRecord, *, can_ask: bool) -> View:
    """What the check-in turns into. `can_ask`: the night is still open for the question whether it was taken."""
    if record.rating is None:
        text = lines(_intake(words, record), words("How was your sleep, compared with your usual?"))
        return View(text, question(words, record, can_ask=can_ask), silent=True)
    rated = words("Sleep: {rating}.", rating=rating_names(words)[record.rating])
    ask = took(words, record) if can_ask else []
    again: Row = [button(words("Undo"), "unrate", record.night), *_more(words, person, record.night)]
    text = lines(rated, words("And did you take it?") if ask else _intake(words, record))
    return View(text, keyboard(ask, again), silent=True)


def _more(words: Words, person: Person, night: Night) -> list[Button]:
    """What else can be said of the night, for those who want to."""
    detail = [button(words("Add detail"), "det", night)] if person.detail else []
    return [*detail, button(words("The evening"), "even", night)] if person.ask_evening else detail


def _intake(words: Words, record: NightRecord) -> str | None:
    if record.intake is Intake.TAKEN:
        return words("Taken: yes.")
    if record.intake is Intake.BAG:
        return words("Taken: the bag.")
    return words("Taken: no.") if record.intake is Intake.SKIPPED else None


def rating_names(words: Words) -> dict[Rating, str]:
    """The five steps in words."""
    return {
        Rating.MUCH_BETTER: words("Much better"),
        Rating.BETTER: words("Better"),
        Rating.SAME: words("Same"),
        Rating.WORSE: words("Worse"),
        Rating.MUCH_WORSE: words("Much worse"),
    }


def keep_going(words: Words, night: Night) -> View:
    """After a week without an answer: how to go on."""
    text = words("You have not answered my morning question for a week. That is fine. How shall we go on?")
    choices = [button(words("Keep asking"), "keep", "nightly"), button(words("Once a week"), "keep", "weekly")]
    return View(text, keyboard(choices, [button(words("Pause everything"), "keep", "pause")]), silent=True)


def kept(words: Words, choice: str) -> View:
    """What was chosen."""
    text = {
        "nightly": words("I will ask every morning."),
        "weekly": words("I will ask once a week. The evening reminder stays."),
        "pause": words("Paused until you return: /resume."),
    }[choice]
    return View(text, silent=True)
