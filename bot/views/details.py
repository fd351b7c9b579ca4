"""The questions about a night, one at a time, and what the diary asks for."""

from __future__ import annotations

from bot.core import diary
from bot.core.diary import Detail, Inconsistency
from bot.core.model import Minute, Person
from bot.texts.language import Words
from bot.views.diary import onset_name
from bot.views.message import Button, View, button, grid, keyboard, lines

_MINUTES = (5, 10, 15, 20, 30, 45, 60, 90)


def question(words: Words, detail: Detail, name: str, *, bedtime: Minute, trouble: Inconsistency | None = None) -> View:
    """One question. `bedtime` is where the times to tap begin; `trouble` is what was wrong with the answer before."""
    text = lines(
        words("<b>{night}</b>", night=words.night(detail.night)),
        None if trouble is None else trouble_line(words, trouble),
        _asked(words, name),
    )
    choices = [
        button(label, "det_set", detail.night, name, value) for value, label in _choices(words, detail, name, bedtime)
    ]
    across = 2 if name in ("onset", "rested", "quality") else 4
    after: list[Button] = [
        button(words("Leave blank"), "det_next", detail.night, name),
        button(words("That is all"), "night", detail.night),
    ]
    return View(text, keyboard(*grid(choices, across=across), after), silent=True)


def _asked(words: Words, name: str) -> str:
    return {
        "onset": words("How long did it take to fall asleep?"),
        "rested": words("How rested do you feel?"),
        "in_bed": words("When did you get into bed? Tap, or type it: 23:10"),
        "tried": words("When did you try to go to sleep? Tap, or type it: 23:10"),
        "latency": words("How many minutes did it take to fall asleep? Tap, or type them."),
        "awakenings": words("How often did you wake up, not counting the last time? Tap, or type it."),
        "awake": words("How many minutes were you awake in between, all together? Tap, or type them."),
        "woke": words("When did you wake up for the last time? Tap, or type it: 06:50"),
        "rose": words("When did you get out of bed for the day? Tap, or type it: 07:10"),
        "quality": words("How good was your sleep?"),
    }[name]


def _choices(words: Words, detail: Detail, name: str, bedtime: Minute) -> list[tuple[int, str]]:
    match name:
        case "onset":
            return [(step, onset_name(words, step)) for step in diary.RANGES["onset"]]
        case "rested":
            return list(enumerate(_rested(words), start=1))
        case "quality":
            return list(enumerate(_qualities(words), start=1))
        case "awakenings":
            return [(number, str(number)) for number in range(8)]
        case "latency" | "awake":
            return [(minutes, words("{n} min", n=minutes)) for minutes in _MINUTES]
    return [(minute, words.minute(minute)) for minute in _times(detail, name, bedtime)]


def _times(detail: Detail, name: str, bedtime: Minute) -> list[Minute]:
    """Eight likely times, around what was said before."""
    in_bed = bedtime if detail.in_bed is None else detail.in_bed
    match name:
        case "in_bed":
            return [(bedtime + shift) % 1440 for shift in (-45, -30, -15, 0, 15, 30, 45, 60)]
        case "tried":
            return [(in_bed + shift) % 1440 for shift in (0, 5, 10, 15, 20, 30, 45, 60)]
        case "woke":
            return [(in_bed + shift) % 1440 for shift in (330, 360, 390, 420, 450, 480, 510, 540)]
    woke = in_bed + 480 if detail.woke is None else detail.woke
    return [(woke + shift) % 1440 for shift in (0, 5, 10, 15, 20, 30, 45, 60)]


def _rested(words: Words) -> list[str]:
    return [
        words("1 · not at all"),
        words("2 · slightly"),
        words("3 · somewhat"),
        words("4 · well rested"),
        words("5 · very well rested"),
    ]


def _qualities(words: Words) -> list[str]:
    return [words("1 · very poor"), words("2 · poor"), words("3 · fair"), words("4 · good"), words("5 · very good")]


def trouble_line(words: Words, trouble: Inconsistency) -> str:
    """Why an answer was not taken, in one sentence."""
    return {
        Inconsistency.TOO_LONG: words("That would be more than 16 hours in bed, so I changed nothing."),
        Inconsistency.ORDER: words("That is earlier than what came before it that night, so I changed nothing."),
        Inconsistency.NO_ROOM: words("That is more time awake than the night had, so I changed nothing."),
        Inconsistency.FUTURE: words("That time is still to come, so I changed nothing."),
    }[trouble]


def not_understood(words: Words, name: str) -> View:
    """A typed answer that could not be read."""
    if name in ("in_bed", "tried", "woke", "rose"):
        return View(words("I did not understand that time. Type it like 23:10 or 06:50."))
    return View(words("I need a number here, such as 20."))


# -- what the diary asks for -------------------------------------------------------------------------------------------


def choices(words: Words, person: Person) -> View:
    """How much the diary asks, and how its pictures look."""
    level = person.detail or 0
    names = {
        diary.TAP_ONLY: words("One tap"),
        diary.TWO_QUESTIONS: words("Two more questions"),
        diary.SLEEP_DIARY: words("A sleep diary"),
    }
    levels = [button(f"✓ {name}" if level == at else name, "detail", at) for at, name in names.items()]
    on = {True: words("on"), False: words("off")}
    text = lines(
        words("<b>Diary</b>"),
        words("How much to tell in the morning: one tap; also how fast you fell asleep and how rested you are;"),
        words("or a whole sleep diary with times, asked one by one. Every question can stay blank."),
    )
    ground = words("light") if person.light else words("dark")
    switches = [
        button(words("Evening questions: {state}", state=on[bool(person.ask_evening)]), "diary_set", "evening"),
        button(words("Sunday's picture: {state}", state=on[not person.no_digest]), "diary_set", "digest"),
        button(words("Pictures: {ground}", ground=ground), "diary_set", "ground"),
        button(words("Stock"), "panel", "stock"),
    ]
    return View(
        text,
        keyboard(*grid(levels, across=1), *grid(switches, across=2), [button("‹ " + words("Back"), "panel", "top")]),
    )
