"""The command menu and the profile texts, as Telegram shows them, in every language that has a catalogue."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from telegram import BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot.texts import language
from bot.views import menu
from bot.views.menu import Menu
from config import logs
from db import broadcasts, marks, users
from db.engine import Connection, Database, Unavailable

_log = logs.logger(__name__)


async def publish(bot: ExtBot[Any], database: Database, admin_ids: Collection[int]) -> None:
    """Tell Telegram the menus if they are not what was told last. What fails is told again at the next start."""
    try:
        general = {code: menu.commands(language.words(code)) for code in language.available()}
        async with database.read() as db:
            admins = await _admins(db, admin_ids)
            told, _, before = (await marks.find(db, "menus") or "").partition(" ")
        texts = json.dumps([general, sorted(admins.items())], sort_keys=True)
        wanted = hashlib.sha256(texts.encode()).hexdigest()
        if told == wanted:
            return
        for code, entries in general.items():
            await _publish(bot, code, entries)
        await _publish_to_admins(bot, admins, before={int(admin_id) for admin_id in before.split(",") if admin_id})
        async with database.write() as db:
            await marks.put(db, "menus", f"{wanted} {','.join(str(admin_id) for admin_id in sorted(admins))}")
    except (TelegramError, Unavailable) as error:
        _log.warning("the command menu could not be published", kind=type(error).__name__)


async def _admins(db: Connection, named: Collection[int]) -> dict[int, Menu]:
    """The menus of admins, named or by the link. Telegram refuses a menu for a chat whose owner never pressed Start."""
    people = [await users.find(db, admin_id) for admin_id in {*named, *await broadcasts.admins(db)}]
    return {one.id: menu.for_admins(language.words(one.language)) for one in people if one is not None}


async def _publish(bot: ExtBot[Any], code: str, entries: Menu) -> None:
    # English is what everybody sees whose language has no menu of its own; Telegram takes two-letter codes only.
    short = None if code == language.SOURCE else code[:2]
    words = language.words(code)
    await bot.set_my_commands(
        [BotCommand(*entry) for entry in entries], BotCommandScopeAllPrivateChats(), language_code=short
    )
    await bot.set_my_short_description(
        words("A magnesium reminder at the right minute, one honest tip a night."), language_code=short
    )
    await bot.set_my_description(
        words(
            "I remind you of your magnesium a little before bed, give one honest tip a night, "
            "and ask in the morning how you slept. "
            "For adults; not medical advice."
        ),
        language_code=short,
    )


async def _publish_to_admins(bot: ExtBot[Any], admins: Mapping[int, Menu], *, before: Collection[int]) -> None:
    """Admins see two commands more, each in their own language; former admins no longer see them."""
    for admin_id, entries in admins.items():
        # Telegram answers 400 for a chat that it does not know any more.
        with contextlib.suppress(BadRequest):
            await bot.set_my_commands([BotCommand(*entry) for entry in entries], BotCommandScopeChat(admin_id))
    for admin_id in sorted(set(before) - admins.keys()):
        with contextlib.suppress(BadRequest):
            await bot.delete_my_commands(BotCommandScopeChat(admin_id))
