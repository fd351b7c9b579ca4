"""What an owed message says, from the row, the content and the person's language."""

from __future__ import annotations

from datetime import datetime

from bot.core import tips
from bot.core.experiment.run import ExperimentReport
from bot.core.model import Kind, Tip
from bot.core.owed import Owed
from bot.texts import language
from bot.texts.content import Content
from bot.texts.language import Words
from bot.views import evening, morning, pages, privacy, verdict
from bot.views.message import View


class Renderer:
    """Owed rows in, views out. `content` can be replaced while it runs."""

    def __init__(self, content: Content) -> None:
        self.content = content

    def renew(self, content: Content) -> None:
        """Take other content from now on."""
        self.content = content

    def render(self, row: Owed, *, now: datetime) -> View:
        """The message of a row."""
        words = language.words(row.person.language)
        match row.kind:
            case Kind.REMINDER:
                return evening.reminder(
                    words, row, now=now, product=self._product(words, row), tip=self._tip(words, row)
                )
            case Kind.NUDGE:
                return evening.nudge(words, row, now=now)
            case Kind.CHECK_IN:
                return morning.check_in(words, row)
            case Kind.KEEP_GOING:
                return morning.keep_going(words, row.night)
            case Kind.RESULT:
                return (
                    verdict.result(words, row.trial)
                    if isinstance(row.trial, ExperimentReport)
                    else verdict.no_report(words)
                )
            case Kind.DORMANT:
                return privacy.dormant(words)
            case Kind.DIGEST:
                raise ValueError("a digest is more than its row says")

    def _product(self, words: Words, row: Owed) -> str | None:
        form = self.content.form(row.person.form) if row.person.form else None
        return words(form.inline) if form is not None and form.inline else None

    def _tip(self, words: Words, row: Owed) -> str | None:
        tip = tonights(self.content, row)
        return None if tip is None else pages.tip_lines(tip, words, self.content)


def tonights(content: Content, row: Owed) -> Tip | None:
    """The night's tip."""
    return tips.tonights(row.person, row.night, content.tips, retired=row.retired_tips)
