"""What an owed message says, from the row, the content and the person's language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core import tips
from bot.core.experiment.report import Told
from bot.core.message_kinds import KINDS
from bot.core.model import Kind, Tip
from bot.core.owed import Owed
from bot.texts import language
from bot.texts.content import Content
from bot.texts.language import Words
from bot.views import evening, experiment, morning, pages, privacy, verdict
from bot.views.message import View, lines


class Renderer:
    """Owed rows in, views out. `content` can be replaced while it runs."""

    def __init__(self, content: Content) -> None:
        self.content = content

    def renew(self, content: Content) -> None:
        """Take other content from now on."""
        self.content = content

    def render(self, row: Owed, *, now: datetime) -> View:
        """The message of a row: what the view that its kind names says of it. Raises ValueError for a picture."""
        view = VIEWS.get(KINDS[row.kind].view)
        if view is None:
            raise ValueError(f"a {row.kind} is more than its row says")
        return view(language.words(row.person.language), Context(row, now, self.content))

    def tip_number(self, row: Owed) -> int | None:
        """The number of the tip that the row's message carries."""
        tip = tonights(self.content, row) if row.kind is Kind.REMINDER else None
        return None if tip is None else tips.number(tip.id)

    def with_tip_by_day(self, row: Owed, view: View) -> View:
        """The view with one of the tips below it that never come in the evening, where one fits."""
        tip = tips.by_day(row.person, row.night, self.content.tips, retired=row.retired_tips)
        if tip is None:
            return view
        told = pages.tip_lines(tip, language.words(row.person.language), self.content)
        return replace(view, text=lines(view.text, "", told))


@dataclass(frozen=True, slots=True)
class Context:
    """All that a view may need: the row, the instant (aware UTC), and the content as it is now."""

    row: Owed
    now: datetime
    content: Content


def _reminder(words: Words, about: Context) -> View:
    row, content = about.row, about.content
    form = content.form(row.person.form) if row.person.form else None
    product = words(form.inline) if form is not None and form.inline else None
    tip = tonights(content, row)
    tip_lines = None if tip is None else pages.tip_lines(tip, words, content)
    return evening.reminder(words, row, now=about.now, product=product, tip=tip_lines)


def _result(words: Words, about: Context) -> View:
    told = about.row.trial
    return verdict.result(words, told) if isinstance(told, Told) else verdict.no_report(words)


def _taken_back(words: Words, about: Context) -> View:
    """About a tip that was shown. Its entry may be gone by now: then the word goes without the reason."""
    tip_id = None if about.row.tip is None else about.content.tip_id(about.row.tip)
    why = about.content.withdrawn.get(tip_id or "")
    return pages.tip_taken_back(words, tip_id, why, discreet=bool(about.row.person.discreet))


VIEWS: dict[str, Callable[[Words, Context], View]] = {
    "reminder": _reminder,
    "nudge": lambda words, about: evening.nudge(words, about.row, now=about.now),
    "check_in": lambda words, about: morning.check_in(words, about.row),
    "keep_going": lambda words, about: morning.keep_going(words, about.row.night),
    "guess": lambda words, _: experiment.ask_guess(words),
    "result": _result,
    "taken_back": _taken_back,
    "dormant": lambda words, _: privacy.dormant(words),
}
"""Each view under the name that the table of kinds gives it; a picture has none, it is drawn."""


def tonights(content: Content, row: Owed) -> Tip | None:
    """The night's tip. In a self-experiment those are held back that would sway what a night feels like."""
    held = frozenset[str]() if row.trial is None else content.held_back
    return tips.tonights(row.person, row.night, content.tips, retired=row.retired_tips, held=held)
