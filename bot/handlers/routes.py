"""Which update goes to which handler, as python-telegram-bot handlers in order."""

from __future__ import annotations

from typing import Any

from telegram import Update
from telegram.ext import BaseHandler, CallbackQueryHandler, ChatMemberHandler, CommandHandler, MessageHandler, filters

from bot import handlers
from bot.context import Turn
from bot.core import press
from bot.handlers import chats, typed

# Edited messages are silence: what was said is said, and half of the edits are typing errors.
_PRIVATE = filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE
_GROUP = filters.ChatType.GROUPS & filters.UpdateType.MESSAGE


def routes() -> list[BaseHandler[Any, Turn, Any]]:
    """Every handler of the bot; the first that fits an update has it."""
    commands: list[BaseHandler[Any, Turn, Any]] = [
        CommandHandler(name, handler, filters=_PRIVATE) for name, handler in handlers.COMMANDS.items()
    ]
    return [
        *commands,
        CallbackQueryHandler(pressed),
        MessageHandler(_PRIVATE & filters.LOCATION, handlers.zones.location),
        MessageHandler(_PRIVATE & filters.TEXT & filters.Regex(r"^/"), slash),
        MessageHandler(_PRIVATE & filters.TEXT, typed.text),
        MessageHandler(_PRIVATE & ~filters.StatusUpdate.ALL, typed.other),
        MessageHandler(_GROUP & (filters.COMMAND | filters.StatusUpdate.NEW_CHAT_MEMBERS), chats.group),
        ChatMemberHandler(chats.membership, ChatMemberHandler.MY_CHAT_MEMBER),
    ]


async def pressed(update: Update, turn: Turn) -> None:
    """A button: read strictly, then to the handler of its verb."""
    query = update.callback_query
    found = press.parse(query.data if query is not None else None)
    handler = handlers.PRESSES.get(found.verb) if found is not None else None
    in_private = query is not None and query.message is not None and query.message.chat.type == "private"
    if found is None or handler is None or not in_private:
        turn.out_of_date(update)
        return
    turn.press = found
    if turn.person.consent is None and found.verb not in handlers.onboarding.BEFORE_CONSENT:
        turn.answer(update)
        await handlers.onboarding.start(update, turn)
        return
    await handler(update, turn)


async def slash(update: Update, turn: Turn) -> None:
    """A line that begins with a slash and that no command took: written oddly, or unknown."""
    message = update.effective_message
    name, _, rest = ((message.text or "") if message is not None else "").lstrip("/").partition(" ")
    handler = handlers.COMMANDS.get(name.split("@")[0].lower())
    if handler is None:
        await typed.unknown_command(update, turn)
        return
    turn.args = rest.split()
    await handler(update, turn)
