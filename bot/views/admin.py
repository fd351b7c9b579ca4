"""What an admin sees: how things stand, never whose nights they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.model import State, Status
from bot.texts.language import Words
from bot.views.message import View, button, keyboard, lines

_FEW = 10


def panel(
    words: Words,
    people: Mapping[str, int],
    reminders: Mapping[str, int],
    *,
    about: Sequence[str],
) -> View:
    """Users, tonight's reminders, and the machine. `about`: finished lines on version, database, disk, last error."""
    everyone = sum(people.values())
    text = lines(
        words("<b>How things stand</b>"),
        words(
            "People {all} · active {active}",
            all=some(words, everyone),
            active=some(words, people.get(Status.ACTIVE, 0)),
        ),
        words("Reminders of the last 18 hours:"),
        words(
            "sent {sent} · late {late}",
            sent=some(words, reminders.get(State.SENT, 0)),
            late=some(words, reminders.get("late", 0)),
        ),
        words(
            "due {due} · unknown {unknown} · expired {expired}",
            due=some(words, reminders.get(State.DUE, 0)),
            unknown=some(words, reminders.get(State.UNKNOWN, 0)),
            expired=some(words, reminders.get(State.EXPIRED, 0)),
        ),
        *about,
    )
    first = [button(words("Refresh"), "adm"), button(words("Reload tips"), "adm_reload")]
    second = [button(words("Broadcasts"), "adm_casts"), button(words("Audit"), "adm_trail")]
    return View(text, keyboard(first, second))


def some(words: Words, number: int) -> str:
    """A count; small groups are not counted out."""
    return str(number) if number == 0 or number >= _FEW else words("fewer than 10")


def claimed(words: Words) -> View:
    """The first admin."""
    return View(words("You are the admin now. /admin shows how things stand, /broadcast writes to everyone."))


def not_reloaded(words: Words, problems: Sequence[str]) -> View:
    """The operator's tips have a mistake; the old ones go on."""
    shown = [words("• {problem}", problem=problem) for problem in problems[:10]]
    return View(lines(words("Not reloaded; the old tips go on."), *shown))


def trail(words: Words, entries: Sequence[tuple[datetime, int, str]]) -> View:
    """What admins did."""
    if not entries:
        return View(words("No admin has done anything yet."))
    rows = [
        words("{time} UTC · {admin} · {action}", time=f"{at:%Y-%m-%d %H:%M}", admin=admin, action=action)
        for at, admin, action in entries
    ]
    return View(lines(words("<b>Audit</b>"), *rows))


def about(words: Words, *, version: str, database: str, free_mb: int, dead: int) -> list[str]:
    """The machine, and what nobody could read."""
    return [
        words("Lull {version} · {database} · {free} MB free", version=version, database=database, free=free_mb),
        words("Updates put aside: {n}", n=dead),
    ]


def trouble(words: Words, last: tuple[datetime, str] | None) -> str:
    """The last error, without personal data."""
    if last is None:
        return words("No error since the start.")
    return words("Last error {time} UTC: {what}", time=f"{last[0]:%Y-%m-%d %H:%M}", what=last[1])


def digest(words: Words, fresh: Sequence[tuple[str, int]]) -> View:
    """Errors since the last digest, by kind."""
    rows = [words("• {what}: {n}", what=what, n=count) for what, count in fresh[:10]]
    return View(
        lines(words("<b>Errors since the last word from me</b>"), *rows, words("The log says more.")), silent=True
    )
