"""What is typed or sent without a command: the answer to an open question, a time, or something the bot cannot read."""

from __future__ import annotations

from collections import deque

from telegram import Update

from bot import handlers
from bot.core import parsing
from bot.core import spoken as words
from bot.core.model import Awaiting
from bot.handlers import (
    admins,
    diary,
    onboarding,
    own_label,
    preferences,
    privacy,
)
from bot.telegram.turn import Say, Turn
from bot.texts import need, spoken
from bot.views import broadcast
from bot.views import need as views
from bot.views import settings as settings_views
from bot.views import setup as setup_views
from bot.views.message import View

_albums: deque[str | None] = deque(maxlen=256)
"""The albums that had their line. Only in memory: after a restart one line too many is no harm."""

LONGEST_ANSWER = 200
"""Longer texts are not read as the awaited answer: no such answer is longer."""


async def text(update: Update, turn: Turn) -> None:
    """Free text."""
    message = update.effective_message
    said = (message.text or "") if message is not None else ""
    short = parsing.answer(said, LONGEST_ANSWER) if len(said) <= LONGEST_ANSWER else ""
    awaited = onboarding.awaited(turn.person, turn)
    kept = turn.person.consent is not None and await _kept(update, turn, said, awaited)
    kind = heard(turn, said, asks=not kept and awaited is None)
    if kind is not None:
        answer(turn, kind)
        if turn.person.consent is None and kind not in (need.CRISIS, need.URGENT):
            await onboarding.start(update, turn)
    elif awaited is Awaiting.DELETE:
        await privacy.typed_word(update, turn, said[:LONGEST_ANSWER])
    elif turn.person.consent is None:
        await onboarding.start(update, turn)
    elif kept:
        return
    elif awaited in handlers.ANSWERS and short:
        await handlers.ANSWERS[awaited](update, turn, short)
    else:
        await _unasked(update, turn, short)


async def _kept(update: Update, turn: Turn, said: str, awaited: Awaiting | None) -> bool:
    """Whether the text is the person's own words, kept as they are: a note, or what the reminder calls it."""
    if await diary.take_note(update, turn, said):
        return True
    if awaited is Awaiting.LABEL:
        own_label.take(turn, said)
        return True
    return False


def heard(turn: Turn, said: str, *, asks: bool) -> str | None:
    """The kind of need in a text, or None. `asks`: look for questions too, which is done only if no answer is awaited."""
    return turn.content.need.kind(said, language=turn.words.code, asks=asks)


def answer(turn: Turn, kind: str) -> None:
    """Say the fixed answer to a need.

    In a crisis it stands alone: it does not mention that a note was kept, and a stranger is not recorded because of it.
    """
    if kind == need.CRISIS:
        turn.replies = [reply for reply in turn.replies if not isinstance(reply, Say)]
        turn.leave_no_trace = turn.before is None
    turn.say(views.answer(turn.words, turn.content.answers[kind], line=turn.settings.crisis_line))


async def _unasked(update: Update, turn: Turn, said: str) -> None:
    """Text that nobody asked for: a time may be a bedtime, a form's name the form; anything else gets one friendly line."""
    found = preferences.find_form(turn, said) if turn.person.form is None else None
    if found is not None:
        await preferences.set_form(update, turn, found)
        return
    match words.time_of_day(said, spoken.known(), usual="evening"):
        case parsing.Time(minute):
            turn.say(settings_views.suggest_bedtime(turn.words, minute))
        case parsing.Ambiguous(morning, late):
            turn.say(setup_views.ambiguous(turn.words, morning=morning, evening=late, verb="bed_set"))
        case _:
            turn.say(_friendly(turn))


def _friendly(turn: Turn) -> View:
    step = onboarding.next_step(turn)
    return step or View(turn.words("I did not understand that, sorry. /help shows what I can do."))


async def unknown_command(_update: Update, turn: Turn) -> None:
    """A command that the bot does not have."""
    turn.say(View(turn.words("I do not know that command. /help shows those I know.")))


async def other(update: Update, turn: Turn) -> None:
    """A photo, sticker, voice or anything else. An album comes as many messages and gets one line."""
    caption = (update.message.caption or "") if update.message is not None else ""
    if (kind := heard(turn, caption, asks=onboarding.awaited(turn.person, turn) is None)) is not None:
        answer(turn, kind)
        return
    file = None if update.message is None else update.message.document
    if file is not None and onboarding.awaited(turn.person, turn) is Awaiting.IMPORT:
        await privacy.document(turn, file)
        return
    album = None if update.message is None else update.message.media_group_id
    if album is not None and album in _albums:
        return
    _albums.append(album)
    if turn.person.consent is None:
        await onboarding.start(update, turn)
        return
    if await admins.is_one(turn):
        turn.say(broadcast.unread(turn.words))
        return
    turn.say(View(turn.words("I can read text and buttons only. /help shows what I can do.")))
