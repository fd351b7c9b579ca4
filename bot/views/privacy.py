"""What a person does with all that is kept of them: take it away, erase it, bring nights from elsewhere."""

from __future__ import annotations

from bot.core.diary_import import ImportProblem, ImportProblemKind, Preview
from bot.texts.language import Words
from bot.views.message import View, button, keyboard, lines

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
        words("<b>Send me a CSV file as a document.</b>"),
        words("• nights.csv from my own /export"),
        words("• Checkmarks.csv of Loop Habit Tracker"),
        words("• the CSV of Plees Tracker"),
        words("I show you first what would change. What you told me here is never overwritten."),
    )
    return View(text)


def fetching(words: Words) -> View:
    """A file came."""
    return View(words("Reading your file…"), silent=True)


def preview(words: Words, seen: Preview) -> View:
    """What would change."""
    text = lines(
        words.plural("<b>{n} night in this file</b>", "<b>{n} nights in this file</b>", seen.nights),
        words("From {first} to {last}.", first=words.night(seen.first), last=words.night(seen.last)),
        words(
            "New: {new}. Filled in: {filled}. Left as they are: {same}.",
            new=seen.new,
            filled=seen.filled,
            same=seen.same,
        ),
        words.plural("{n} nap was left out.", "{n} naps were left out.", seen.naps) if seen.naps else None,
    )
    if seen.new + seen.filled == 0:
        return View(lines(text, words("So there is nothing to import.")))
    yes, no = button(words("Import"), "imp", "yes", style="success"), button(words("Cancel"), "imp", "no")
    return View(text, keyboard([yes, no]))


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
    """Why a file could not be taken, and that nothing was changed."""
    return View(lines(_trouble(words, what), words("Nothing was changed.")))


def _trouble(words: Words, what: ImportProblem) -> str:
    line = what.line
    return {
        ImportProblemKind.TOO_LARGE: words("That file is too large: one megabyte is the most."),
        ImportProblemKind.NOT_FETCHED: words("I could not fetch that file from Telegram. Please send it again."),
        ImportProblemKind.NOT_TEXT: words("That is not a CSV file in UTF-8. A ZIP has to be unpacked first."),
        ImportProblemKind.NOT_KNOWN: words("I do not know this kind of CSV: its first line is none that I can read."),
        ImportProblemKind.EMPTY: words("There are no nights in this file."),
        ImportProblemKind.TOO_MANY: words("There are too many lines in this file."),
        ImportProblemKind.WHICH_HABIT: words(
            "There are several habits in this file and none is called magnesium. Send the Checkmarks.csv of that one."
        ),
        ImportProblemKind.BAD_LINE: words("I cannot read line {line}.", line=line),
        ImportProblemKind.COLUMNS: words(
            "Line {line} has more or fewer cells than the first line, so I cannot tell which is which. "
            "A comma in a name does that.",
            line=line,
        ),
        ImportProblemKind.FUTURE: words("Line {line} is about a night that is not over.", line=line),
        ImportProblemKind.TOO_OLD: words("Line {line} is about a night more than twenty years ago.", line=line),
        ImportProblemKind.TWICE: words("Line {line} is about a night that came before.", line=line),
        ImportProblemKind.ORDER: words(
            "On line {line} the sleep ends before it begins, or lasts longer than 16 hours.", line=line
        ),
        ImportProblemKind.IMPOSSIBLE: words("The times on line {line} cannot all be those of one night.", line=line),
    }[what.kind]
