"""A person's own data: /export hands it out, /delete erases it, /import brings nights from elsewhere."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from datetime import datetime, timedelta

from telegram import Document, Update
from telegram.error import TelegramError

from bot import export
from bot.core import diary_import
from bot.core.diary_import import Choice, ImportProblem, ImportProblemKind
from bot.core.experiment import run
from bot.core.model import Awaiting
from bot.telegram.file_reader import NotRead
from bot.telegram.turn import AfterCommit, Attach, Handler, Needs, Reply, Route, Say, Turn
from bot.texts import language
from bot.texts.content import Content
from bot.texts.language import Words
from bot.views import privacy as views
from bot.views.message import View
from db import erase, imports, personal_data

EXPORT_EVERY = timedelta(minutes=10)
"""How often a person may take everything away."""


# -- taking away -------------------------------------------------------------------------------------------------------


async def take_away(_update: Update, turn: Turn) -> None:
    """/export"""
    if turn.before is None:
        turn.leave_no_trace = True
        turn.say(views.nothing_known(turn.words))
        return
    last = turn.person.exported_at
    if last is not None and turn.now < last + EXPORT_EVERY:
        left = (last + EXPORT_EVERY - turn.now).total_seconds()
        turn.say(views.export_wait(turn.words, max(1, -int(-left // 60))))
        return
    turn.change(exported_at=turn.now)
    turn.later(functools.partial(_pack, user_id=turn.person.id, texts=turn.content, now=turn.now))


async def _pack(after: AfterCommit, *, user_id: int, texts: Content, now: datetime) -> Sequence[Reply]:
    async with after.database.read() as db:
        everything = await personal_data.read(db, user_id)
    if everything is None:
        return []
    words = language.words(everything.person.language)
    # A tip that no longer exists is listed by its number.
    tips = {night: texts.tip_id(number) or f"#{number}" for night, number in everything.tips.items()}
    held = export.Held(everything.person, everything.lines, everything.trials, everything.rows, tips)
    wanted = await asyncio.to_thread(export.drawings, words, held)
    pictures = {name: await after.draw(drawing) for name, drawing in wanted.items()}
    content = await asyncio.to_thread(export.archive, words, held, pictures=pictures, now=now)
    return [Attach(export.name(now), content, views.export_caption(words))]


# -- erasing -----------------------------------------------------------------------------------------------------------


async def ask(_update: Update, turn: Turn) -> None:
    """/delete: a word is to be typed."""
    if turn.before is None:
        turn.leave_no_trace = True
        turn.say(views.nothing_known(turn.words))
        return
    turn.await_typed(Awaiting.DELETE)
    turn.say(views.ask_erase(turn.words))


async def typed_word(update: Update, turn: Turn, text: str) -> None:
    """The word, or another one."""
    turn.change(awaiting=None, awaiting_until=None)
    if text.strip().casefold() != views.word(turn.words).casefold():
        turn.say(views.kept(turn.words))
        return
    await erase.person(turn.db, turn.person.id, now=turn.now, but_letter=update.update_id)
    turn.leave_no_trace = True
    turn.say(views.erased(turn.words))


async def stay(update: Update, turn: Turn) -> None:
    """[Keep them], after a long silence. Any word or tap does the same."""
    turn.answer(update)
    turn.edit(update, views.stays(turn.words))


# -- bringing in -------------------------------------------------------------------------------------------------------


async def ask_import(_update: Update, turn: Turn) -> None:
    """/import"""
    if turn.person.schedule is None:
        turn.say(View(turn.words("Your set-up is not finished: /start goes on with it.")))
        return
    turn.await_typed(Awaiting.IMPORT)
    turn.say(views.ask_import(turn.words))


async def document(turn: Turn, file: Document) -> None:
    """The file came. It is fetched and read after the commit: Telegram may take its time."""
    if (file.file_size or 0) > diary_import.LARGEST:
        turn.say(views.trouble(turn.words, ImportProblem(ImportProblemKind.TOO_LARGE)))
        return
    turn.later(functools.partial(_bring_in, turn=turn, file_id=file.file_id))


async def _bring_in(after: AfterCommit, *, turn: Turn, file_id: str) -> Sequence[Reply]:
    words, schedule = turn.words, turn.schedule
    if wait := after.files.wait(turn.person.id):
        return [Say(views.import_wait(words, max(1, -int(-wait // 60))))]
    try:
        data = await after.fetch(file_id, diary_import.LARGEST)
    except TelegramError:
        return _said(words, ImportProblem(ImportProblemKind.NOT_FETCHED))
    if data is None:
        return _said(words, ImportProblem(ImportProblemKind.TOO_LARGE))
    last = run.through(schedule, now=turn.now)
    try:
        found = await after.files.read(turn.person.id, data, zone=schedule.zone, last=last)
    except NotRead:
        return [Say(views.not_read(words))]
    if isinstance(found, ImportProblem):
        return _said(words, found)
    if isinstance(found, Choice):
        await imports.keep_choice(after.database, turn.person.id, found, now=turn.now)
        return [Say(views.which_habit(words, [name for name, _ in found.habits]))]
    preview = await imports.keep(after.database, turn.person.id, found, now=turn.now)
    return [] if preview is None else [Say(views.preview(words, preview))]


def _said(words: Words, trouble: ImportProblem) -> Sequence[Reply]:
    return [Say(views.trouble(words, trouble))]


async def choose_habit(update: Update, turn: Turn) -> None:
    """A habit of several, tapped."""
    turn.answer(update)
    turn.later(functools.partial(_choose, turn=turn, update=update))


async def _choose(after: AfterCommit, *, turn: Turn, update: Update) -> Sequence[Reply]:
    number = turn.press.number(0) or 0
    preview = await imports.choose(after.database, turn.person.id, number, now=turn.now)
    turn.replies = []
    turn.edit(update, views.import_gone(turn.words) if preview is None else views.preview(turn.words, preview))
    return turn.replies


async def bring_in(update: Update, turn: Turn) -> None:
    """[Import] or [Cancel]"""
    turn.answer(update)
    turn.change(awaiting=None, awaiting_until=None)
    if turn.press.arg(0) != "yes":
        await imports.drop(turn.db, turn.person.id)
        turn.edit(update, views.not_imported(turn.words))
        return
    turn.later(functools.partial(_fill_in, turn=turn, update=update))


async def _fill_in(after: AfterCommit, *, turn: Turn, update: Update) -> Sequence[Reply]:
    """Not in the press's own transaction: that would be a long one. The buttons stay until it is done, so that whoever is
    not answered can press again."""
    count = await imports.take(after.database, turn.person.id, now=turn.now)
    turn.replies = []
    turn.edit(update, views.import_gone(turn.words) if count is None else views.imported(turn.words, count))
    return turn.replies


COMMANDS: dict[str, Handler | Route] = {
    "export": Route(take_away, Needs.NOTHING),
    "delete": Route(ask, Needs.NOTHING),
    "import": ask_import,
}
PRESSES: dict[str, Handler] = {"imp": bring_in, "habit": choose_habit, "stay": stay}
