"""Chats that are not a person's: groups hear once that this is for private chats; people who block the bot get nothing more."""

from __future__ import annotations

from dataclasses import replace

from telegram import ChatMember, Message, Update

from bot.core import planning
from bot.core.model import Status
from bot.handlers import plans
from bot.telegram.turn import Turn
from bot.views.message import View
from db import marks


async def group(update: Update, turn: Turn) -> None:
    """A group: one line, once, to whoever called or brought this bot and not another."""
    message = update.effective_message
    if message is None or not _for_us(message, turn):
        return
    mark = f"group {message.chat.id}"
    if await marks.find(turn.db, mark) is None:
        await marks.put(turn.db, mark, "told")
        turn.say_to(message.chat.id, View(turn.words("I work in private chats: tap my name and press Start.")))


def _for_us(message: Message, turn: Turn) -> bool:
    if message.new_chat_members:
        return any(member.id == turn.bot.id for member in message.new_chat_members)
    called = (message.text or message.caption or "").split(maxsplit=1)[0].partition("@")[2]
    return called.lower() in ("", turn.bot.username.lower())


async def membership(update: Update, turn: Turn) -> None:
    """Somebody blocked the bot, or let it in again."""
    change = update.my_chat_member
    if change is None or change.chat.type != "private" or turn.before is None:
        return
    if change.new_chat_member.status != ChatMember.BANNED:
        await plans.back_from_block(turn)
    elif turn.person.status is not Status.STOPPED:
        turn.person = planning.unplanned(replace(turn.person, status=Status.GONE))
