"""Which update goes to which handler, as python-telegram-bot handlers in order."""

from __future__ import annotations

import unicodedata
from typing import Any

from telegram import CallbackQuery, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, ChatMemberHandler, MessageHandler, filters

from bot import handlers
from bot.core import callback_data, parsing
from bot.handlers import chats, free_text, plans
from bot.telegram.turn import Handler, Needs, Turn

# Edited messages are ignored: the original was answered, and half of the edits correct typing errors.
_PRIVATE = filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE
_GROUP = filters.ChatType.GROUPS & filters.UpdateType.MESSAGE

_LONGEST_COMMAND = 4096


def routes() -> list[BaseHandler[Any, Turn, Any]]:
    """Every handler of the bot; the first that fits an update has it."""
    return [
        CallbackQueryHandler(pressed),
        # Not CommandHandler: a slash line that Telegram did not mark as a command, or whose name is unknown, is one as well.
        MessageHandler(
            _PRIVATE & filters.TEXT & filters.Regex(r"^[\s\u200b-\u200f\u2060\ufeff]*[/／]"), _from_home(command)
        ),
        MessageHandler(_PRIVATE & filters.LOCATION, _from_home(handlers.zones.location)),
        MessageHandler(_PRIVATE & filters.TEXT, _from_home(free_text.text)),
        MessageHandler(_PRIVATE & ~filters.StatusUpdate.ALL, _from_home(free_text.other)),
        MessageHandler(_GROUP & (filters.COMMAND | filters.StatusUpdate.NEW_CHAT_MEMBERS), chats.group),
        ChatMemberHandler(chats.membership, ChatMemberHandler.MY_CHAT_MEMBER),
    ]


def _from_home(handler: Handler) -> Handler:
    """Wrap a handler of private messages: a person who writes is active again, even if Telegram had reported a block."""

    async def handle(update: Update, turn: Turn) -> None:
        await plans.back_from_block(turn)
        await handler(update, turn)

    return handle


async def pressed(update: Update, turn: Turn) -> None:
    """A button: read strictly, then to the handler of its verb."""
    query = update.callback_query
    found = callback_data.parse(query.data if query is not None else None)
    route = handlers.PRESSES.get(found.verb) if found is not None else None
    if query is None or found is None or route is None or not _at_home(query):
        turn.out_of_date(update)
        return
    turn.press = found
    admins_own = found.verb in handlers.ADMIN_VERBS
    await plans.back_from_block(turn)
    if _has(turn, Needs.NOTHING if admins_own else route.needs):
        await route.handler(update, turn)
        return
    turn.answer(update)
    if turn.person.consent is None:
        await handlers.onboarding.start(update, turn)
    else:
        await handlers.onboarding.go_on(update, turn)


def _has(turn: Turn, needs: Needs) -> bool:
    """Whether the person has got as far as the command or button needs."""
    match needs:
        case Needs.NOTHING:
            return True
        case Needs.CONSENT:
            return turn.person.consent is not None
        case Needs.SET_UP:
            return turn.person.consent is not None and turn.person.set_up


def _at_home(query: CallbackQuery) -> bool:
    """Whether the button is in the presser's own chat with the bot. Buttons pressed elsewhere are ignored."""
    chat = None if query.message is None else query.message.chat
    return chat is not None and chat.type == "private" and chat.id == query.from_user.id


async def command(update: Update, turn: Turn) -> None:
    """A line that begins with a slash, however oddly it is written: to the handler of its name."""
    message = update.effective_message
    said = parsing.answer((message.text or "") if message is not None else "", _LONGEST_COMMAND)
    if (kind := free_text.heard(turn, said, asks=False)) is not None:
        free_text.answer(turn, kind)
        return
    name, *rest = said.lstrip("/／ ").split(maxsplit=1) or [""]
    name = unicodedata.normalize("NFKC", name).partition("@")[0].lower()
    turn.args = rest[0].split() if rest else []
    route = handlers.COMMANDS.get(name)
    if not _has(turn, Needs.CONSENT if route is None else route.needs):
        turn.args = []
        await handlers.onboarding.start(update, turn)
    elif route is None:
        await free_text.unknown_command(update, turn)
    else:
        await route.handler(update, turn)
