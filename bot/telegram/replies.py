"""Answers to people: what a handler said, done on the wires in the lane that goes first."""

from __future__ import annotations

from typing import Any

from telegram import BotCommand, BotCommandScopeChat, InputFile
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.clock import Clock, RealClock
from bot.core.flood import Manner
from bot.telegram import api_call, sender, transport
from bot.telegram.late_edits import LateEdits
from bot.telegram.picture_process import NotDrawn
from bot.telegram.pictures import Pictures
from bot.telegram.turn import Answer, Attach, CopyOf, Edit, EditButtons, Later, OwnMenu, Reply, Say, Show
from bot.texts import language
from bot.views.message import View
from config import logs

_log = logs.logger(__name__)
_PATIENCE = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between the tries of an answer that certainly did not arrive."""

# These say that there is nothing left to do: the message is gone or already so, the press is too old to be answered.
_HARMLESS = (
    "not modified",
    "query is too old",
    "query id is invalid",
    "message to edit not found",
    "message can't be edited",
)


async def perform(
    bot: ExtBot[Any],
    reply: Reply,
    *,
    chat_id: int,
    clock: Clock | None = None,
    pictures: Pictures | None = None,
    late: LateEdits | None = None,
) -> None:
    """Do one reply. What fails is logged, never raised: its update is done and must not be handled again.

    Without a pictures a picture's caption goes alone; without `late` an edit that Telegram refuses for now is not done.
    """
    clock = clock or RealClock()
    if isinstance(reply, Show):
        hung = _hung(reply, chat_id, pictures)
        if hung is None:
            return
        reply = hung
    if late is not None and isinstance(reply, Edit | EditButtons):
        await _edited(bot, reply, late, chat_id=chat_id, clock=clock)
        return
    error = await _insist(bot, reply, chat_id=chat_id, clock=clock, pictures=pictures)
    await _go_on(bot, reply, error, chat_id=chat_id, clock=clock)


async def _edited(bot: ExtBot[Any], edit: Edit | EditButtons, late: LateEdits, *, chat_id: int, clock: Clock) -> None:
    """Do an edit now, or later where Telegram asks for a wait: nothing else of this person waits for it."""

    async def do(chat_id: int, edit: Edit | EditButtons) -> TelegramError | None:
        return await _insist(bot, edit, chat_id=chat_id, clock=clock, pictures=None)

    if late.replaces(chat_id, edit):
        return
    error = await do(chat_id, edit)
    if isinstance(error, RetryAfter):
        late.put(chat_id, edit, error, do)


async def _insist(
    bot: ExtBot[Any], reply: Reply, *, chat_id: int, clock: Clock, pictures: Pictures | None
) -> TelegramError | None:
    """Send the reply, trying again where that helps. Returns the last error, logged; None if it was sent, or failed oddly."""
    for wait in (*_PATIENCE, None):
        try:
            await _once(bot, reply, chat_id, pictures)
        except NotDrawn:
            # Its caption says in words what it would have shown.
            reply = Say(reply.view) if isinstance(reply, Show) else reply
        except TelegramError as error:
            if wait is None or not _worth_another(error, reply):
                _note(error, reply)
                return error
            await clock.sleep(wait)
        except Exception as error:  # an answer of another shape than the Bot API's
            _log.warning("an answer ended oddly", reply=type(reply).__name__, kind=type(error).__name__)
            return None
        else:
            return None
    return None


async def _go_on(bot: ExtBot[Any], reply: Reply, error: TelegramError | None, *, chat_id: int, clock: Clock) -> None:
    """The replies to send below a copy. Only a refusal means that there is no copy; after silence it may have arrived."""
    if isinstance(reply, CopyOf):
        view = reply.otherwise if isinstance(error, BadRequest) else reply.then
        await perform(bot, Say(view), chat_id=chat_id, clock=clock)


def _hung(reply: Show, chat_id: int, pictures: Pictures | None) -> Reply | None:
    """The reply for a picture: itself, or after too many in a minute one warning, then nothing."""
    if pictures is None:
        return Say(reply.view)
    match pictures.admit(chat_id):
        case Manner.WELCOME:
            return reply
        case Manner.WARN:
            return Say(View(language.words(None)("Three pictures a minute is all I can draw. Give me a moment.")))
    return None


async def _once(bot: ExtBot[Any], reply: Reply, chat_id: int, pictures: Pictures | None) -> None:
    match reply:
        case Show(drawing, view) if pictures is not None:
            await pictures.send(bot, chat_id, drawing, view)
        case Say(view, elsewhere):
            await _send(bot, elsewhere or chat_id, view)
        case CopyOf(message_id):
            await api_call.call(bot, "copyMessage", chat_id=chat_id, from_chat_id=chat_id, message_id=message_id)
        case Edit(message_id, view):
            await api_call.call(
                bot,
                "editMessageText",
                text=view.text,
                chat_id=chat_id,
                message_id=message_id,
                parse_mode="HTML",
                link_preview_options=sender.NO_PREVIEW,
                reply_markup=api_call.buttons(view.keyboard),
            )
        case EditButtons(message_id, keyboard):
            await api_call.call(
                bot,
                "editMessageReplyMarkup",
                chat_id=chat_id,
                message_id=message_id,
                reply_markup=api_call.buttons(keyboard),
            )
        case Attach(name, content, caption):
            await bot.send_document(
                chat_id, InputFile(content, filename=name), caption=caption or None, parse_mode=ParseMode.HTML
            )
        case OwnMenu(entries):
            await bot.set_my_commands([BotCommand(*entry) for entry in entries], BotCommandScopeChat(chat_id))
        case Later():
            raise TypeError("work is not a message")
        case Answer(callback_id, text, alert):
            await api_call.call(
                bot,
                "answerCallbackQuery",
                callback_query_id=callback_id,
                text=text or None,
                show_alert=alert or None,
            )


async def _send(bot: ExtBot[Any], chat_id: int, view: View) -> None:
    await api_call.call(
        bot,
        "sendMessage",
        chat_id=chat_id,
        text=view.text,
        parse_mode="HTML",
        link_preview_options=sender.NO_PREVIEW,
        disable_notification=view.silent,
        reply_markup=api_call.buttons(view.keyboard) if view.below is None else view.below.to_dict(),
    )


def _worth_another(error: TelegramError, reply: Reply) -> bool:
    """Whether to try again: if it certainly did not arrive, or if a second time changes nothing."""
    if isinstance(error, RetryAfter):
        return not isinstance(reply, Edit | EditButtons)  # it would only be overtaken
    if isinstance(error, transport.NotSent):
        return True
    if isinstance(error, BadRequest | Forbidden):
        return False
    return isinstance(error, NetworkError) and (
        not isinstance(reply, Say | CopyOf | Attach | Show) or not isinstance(error, transport.Unclear)
    )


def _note(error: TelegramError, reply: Reply) -> None:
    text = str(error).lower()
    late = isinstance(error, RetryAfter) and isinstance(reply, Edit | EditButtons)
    if late or any(sign in text for sign in _HARMLESS):
        return
    _log.warning(
        "an answer was not delivered", reply=type(reply).__name__, kind=type(error).__name__, why=str(error)[:120]
    )
