"""Chats that are not a person's: groups hear once that this is for private chats; who blocks the bot rests."""

from __future__ import annotations

from telegram import ChatMember, Update

from bot.context import Turn
from bot.core.model import Status
from bot.views.message import View
from db import marks, users


async def group(update: Update, turn: Turn) -> None:
    """A group: one line, once."""
    chat = update.effective_chat
    if chat is None or await marks.find(turn.db, f"group {chat.id}") is not None:
        return
    await marks.put(turn.db, f"group {chat.id}", "told")
    turn.say_to(chat.id, View(turn.words("I work in private chats: tap my name and press Start.")))


async def membership(update: Update, turn: Turn) -> None:
    """Somebody blocked the bot, or let it in again."""
    change = update.my_chat_member
    if change is None or change.chat.type != "private" or turn.before is None:
        return
    if change.new_chat_member.status == ChatMember.BANNED:
        turn.change(status=Status.GONE, remind_at=None, remind_night=None)
        await users.rest(turn.db, turn.person.id, status=Status.GONE)
