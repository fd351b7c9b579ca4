"""What a person does with all that is kept of them: take it away, erase it, bring nights from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Sequence

from bot.core import diary
from bot.core.diary_import import ImportProblem, ImportProblemKind, Left, Odd, Preview
from bot.core.model import Night
from bot.texts.language import Words
from bot.views.message import View, button, grid, keyboard, lines

BACKUP_DAYS = 30
"""How long a backup may still hold what was erased."""


# -- erasing -----------------------------------------------------------------------------------------------------------


def word(words: Words) -> str:
    """The word that confirms an erasure."""
    return words("ERASE")


def ask_erase(words: Words) -> View:
    """What would go, and the word to type."""
    text = lines(
        words("<b>Erase everything?</b>"),
        words("Your settings, diary, tests and whatever waits to be sent. It cannot be taken back; /export first?"),
        words("To do it, type <b>{word}</b>. Anything else keeps everything.", word=word(words)),
    )
    return View(text)


def kept(words: Words) -> View:
    """Another word was typed."""
    return View(words("That was not the word, so nothing was erased. /delete asks again."))


def erased(words: Words) -> View:
    """It is done."""
    text = lines(
        words("Erased: I know nothing about you any more."),
        words("Backups may hold a copy for up to {n} days. It is erased again if one is brought back.", n=BACKUP_DAYS),
        words("This chat stays on your phone and on Telegram's servers until you delete it. Sleep well."),
    )
    return View(text)


def nothing_known(words: Words) -> View:
    """A stranger asks."""
    return View(words("I know nothing about you, so there is nothing to erase."))


def dormant(words: Words) -> View:
    """A warning after a long silence."""
    text = lines(
        words("I have not heard from you for a year and a half."),
        words("In 30 days I erase your diary and settings, and stop writing. One tap keeps them."),
    )
    return View(text, keyboard([button(words("Keep them"), "stay", style="success")]), silent=True)


def stays(words: Words) -> View:
    """Kept, after the warning."""
    return View(words("Good to hear from you. Everything stays."))


# -- taking away -------------------------------------------------------------------------------------------------------


def export_caption(words: Words) -> str:
    """Under the file."""
    return words("All I hold about you. README.txt says what is what.")


def export_wait(words: Words, minutes: int) -> View:
    """Too soon after the last one."""
    return View(
        words.plural(
            "Your last export is fresh. Try again in {n} minute.",
            "Your last export is fresh. Try again in {n} minutes.",
            minutes,
        )
    )


# -- bringing in -------------------------------------------------------------------------------------------------------


def ask_import(words: Words) -> View:
    """What can be sent."""
    text = lines(
        words("<b>Send me a file as a document.</b>"),
        *_kinds(words),
        words("I show you first what would change. What you told me here is never overwritten."),
    )
    return View(text)


def _kinds(words: Words) -> list[str]:
    """The kinds of file that can be read."""
    return [
        words("• nights.csv from my own /export, or its ZIP"),
        words("• Checkmarks.csv of Loop Habit Tracker, or its ZIP"),
        words("• the CSV of Plees Tracker"),
        words("• a CSV of your own: night,taken,rating – such as 2026-11-20,yes,better"),
    ]


def which_habit(words: Words, habits: Sequence[str]) -> View:
    """Several habits, none of which is called magnesium, or more than one."""
    choices = [button(name[:_LONGEST_BUTTON], "habit", number) for number, name in enumerate(habits)]
    text = words("Which of these habits is your magnesium?")
    return View(text, keyboard(*grid(choices, across=2), [button(words("None of these"), "imp", "no")]))


def fetching(words: Words) -> View:
    """A file came."""
    return View(words("Reading your file…"), silent=True)


def import_wait(words: Words, minutes: int) -> View:
    """Too many files in a short time."""
    return View(
        words.plural(
            "Three files in ten minutes are the most. Try again in {n} minute.",
            "Three files in ten minutes are the most. Try again in {n} minutes.",
            minutes,
        )
    )


def not_read(words: Words) -> View:
    """The reading came to no end."""
    return View(
        words("I did not get to the end of that file. Nothing was changed; please send it again in a few minutes.")
    )


def preview(words: Words, seen: Preview) -> View:
    """What would change."""
    text = lines(
        words.plural("<b>{n} night in this file</b>", "<b>{n} nights in this file</b>", seen.nights),
        words("From the habit “{habit}”.", habit=seen.habit) if seen.habit else None,
        words("From {first} to {last}.", first=_dated(words, seen.first), last=_dated(words, seen.last)),
        words(
            "New: {new}. Filled in: {filled}. Left as they are: {same}.",
            new=seen.new,
            filled=seen.filled,
            same=seen.same,
        ),
        words.plural("{n} nap was left out.", "{n} naps were left out.", seen.naps) if seen.naps else None,
        _left(words, [one for one in seen.left if one.why is not Odd.NUMBER]),
        _blank(words, [one for one in seen.left if one.why is Odd.NUMBER]),
    )
    if seen.new + seen.filled == 0:
        return View(lines(text, words("So there is nothing to import.")))
    yes, no = button(words("Import"), "imp", "yes", style="success"), button(words("Cancel"), "imp", "no")
    return View(text, keyboard([yes, no]))


def _dated(words: Words, night: Night) -> str:
    return f"{words.night(night)} {night.year}"


def _left(words: Words, odd: Sequence[Left]) -> str | None:
    """The nights that cannot be, the first of them with their lines."""
    why = {
        Odd.NO_LENGTH: words("no length"),
        Odd.NOT_OVER: words("not over yet"),
        Odd.TOO_OLD: words("over twenty years ago"),
        Odd.IMPOSSIBLE: words("times that cannot be"),
    }
    told = [
        words(
            "line {line}: {why}",
            line=one.line,
            why=why.get(one.why) or words.plural("{n} hour", "{n} hours", one.number),
        )
        for one in odd[:_NAMED]
    ]
    return words("Left out: {n} ({lines}).", n=len(odd), lines=_listed(told, odd)) if odd else None


def _blank(words: Words, odd: Sequence[Left]) -> str | None:
    """Numbers that cannot be."""
    told = [words("line {line}: {why}", line=one.line, why=one.number) for one in odd[:_NAMED]]
    return words("Numbers left blank: {n} ({lines}).", n=len(odd), lines=_listed(told, odd)) if odd else None


_NAMED = 3
_LONGEST_BUTTON = 40


def _listed(told: Sequence[str], odd: Sequence[Left]) -> str:
    return ", ".join([*map(html.unescape, told), *(["…"] if len(odd) > len(told) else [])])


def imported(words: Words, nights: int) -> View:
    """It was done, and where to see it."""
    text = words.plural("{n} night was imported.", "{n} nights were imported.", nights)
    return View(text, keyboard([button(words("Diary"), "diary"), button(words("What my nights say"), "insight")]))


def not_imported(words: Words) -> View:
    """It was not wanted."""
    return View(words("Nothing was changed."))


def import_gone(words: Words) -> View:
    """The nights that waited are not there any more."""
    return View(words("That file has waited too long. Send it again after /import."))


def trouble(words: Words, what: ImportProblem) -> View:
    """Why a file could not be taken, that nothing was changed, and what can be read."""
    kinds = [words("I can read:"), *_kinds(words)] if what.kind is not ImportProblemKind.NOT_FETCHED else []
    return View(lines(_trouble(words, what), words("Nothing was changed."), *kinds))


def _trouble(words: Words, what: ImportProblem) -> str:
    line = what.line
    if what.kind is ImportProblemKind.BAD_LINE and what.column:
        return words(
            "Line {line}, column {column}: I cannot read “{cell}”. {expected}",
            line=line,
            column=what.column,
            cell=what.cell,
            expected=html.unescape(_expected(words, what.column)),
        )
    if what.kind is ImportProblemKind.EMPTY and what.naps:
        return words.plural(
            "There are no nights in this file, only {n} nap.",
            "There are no nights in this file, only {n} naps.",
            what.naps,
        )
    return {
        ImportProblemKind.TOO_LARGE: words("That file is too large: one megabyte is the most."),
        ImportProblemKind.NOT_FETCHED: words("I could not fetch that file from Telegram. Please send it again."),
        ImportProblemKind.NOT_TEXT: words("I cannot read that file. Save it as CSV in UTF-8."),
        ImportProblemKind.NOT_KNOWN: words("I do not know this kind of file: its first line is none that I can read."),
        ImportProblemKind.EMPTY: words("There are no nights in this file."),
        ImportProblemKind.TOO_MANY: words(
            "There are too many lines in this file: 20,000 are the most, blank ones included."
        ),
        ImportProblemKind.TOO_WIDE: words("There are too many columns in this file: 64 are the most."),
        ImportProblemKind.TOO_MANY_NIGHTS: words(
            "There are more than 4,000 nights in this file. Send it in two parts."
        ),
        ImportProblemKind.WHICH_HABIT: words(
            "Two habits in this file have one name. Send the Checkmarks.csv of one of them."
        ),
        ImportProblemKind.BAD_LINE: words("I cannot read line {line}.", line=line),
        ImportProblemKind.COLUMNS: words(
            "Line {line} has more or fewer cells than the first line, so I cannot tell which is which. "
            "A comma in a name does that.",
            line=line,
        ),
        ImportProblemKind.SIBLING: words(
            "That is another of Loop's files. Send Checkmarks.csv from the same folder, or the whole ZIP."
        ),
        ImportProblemKind.DATES: words(
            "Line {line}: “{cell}” may have the day or the month first. Write it like 2026-11-20.",
            line=line,
            cell=what.cell,
        ),
        ImportProblemKind.FUTURE: words(
            "Line {line} is about a night that is not over: {cell}.", line=line, cell=what.cell
        )
        if what.cell
        else words("Line {line} is about a night that is not over.", line=line),
        ImportProblemKind.TOO_OLD: words("Line {line} is about a night more than twenty years ago.", line=line),
        ImportProblemKind.TWICE: words("Line {line} is about a night that came before.", line=line),
        ImportProblemKind.ORDER: words(
            "On line {line} the sleep ends before it begins, or lasts longer than 16 hours.", line=line
        ),
        ImportProblemKind.IMPOSSIBLE: words("The times on line {line} cannot all be those of one night.", line=line),
    }[what.kind]


def _expected(words: Words, column: str) -> str:
    """What a column takes."""
    if column in ("night", "Date"):
        return words("I need a date, such as 2026-11-20.")
    if column in ("start", "stop"):
        return words("I need a moment, such as 2026-11-20 23:00:00, or milliseconds.")
    if column in ("in_bed", "tried", "woke", "rose"):
        return words("I need a time, such as 22:30.")
    if column in ("intake", "taken"):
        return words("I need yes or no, or taken, skipped, missed.")
    if column == "rating":
        return words("I need much better, better, same, worse or much worse, or 1 to 5.")
    if column in diary.RANGES or column == "wakes":
        allowed = diary.RANGES.get(column, diary.RANGES["awakenings"])
        return words("I need a number from {first} to {last}.", first=allowed.start, last=allowed.stop - 1)
    return words("I need what my own export writes there.")
