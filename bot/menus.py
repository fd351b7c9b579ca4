"""The command menu and the profile texts, as Telegram shows them, in every language that has a catalogue."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from telegram import BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat
from telegram.error import BadRequest, TelegramError
from telegram.ext import ExtBot

from bot import language
from bot.language import Words
from config import logs
from db import marks
from db.engine import Database, Unavailable

_log = logs.logger(__name__)


def commands(words: Words) -> list[tuple[str, str]]:
    """The menu: command and what it does."""
    return [
        ("tonight", words("Tonight at a glance")),
        ("diary", words("Your nights, month by month")),
        ("insight", words("What your own nights say")),
        ("experiment", words("Does it help you? A fair test")),
        ("tips", words("One more tip, and the topics")),
        ("settings", words("Bedtime, zone, form and the rest")),
        ("pause", words("Rest for some nights")),
        ("export", words("All I hold about you, as a file")),
        ("delete", words("Erase everything")),
        ("privacy", words("What is kept, and who runs this bot")),
        ("help", words("What I can do, and all shortcuts")),
        ("start", words("Set up, or see tonight")),
    ]


async def publish(bot: ExtBot[Any], database: Database, admin_ids: Sequence[int]) -> None:
    """Tell Telegram the menus if they are not what was told last. What fails is told again at the next start."""
    try:
        wanted = {code: commands(language.words(code)) for code in language.available()}
        mark = hashlib.sha256(json.dumps([wanted, sorted(admin_ids)], sort_keys=True).encode()).hexdigest()
        async with database.read() as db:
            if await marks.find(db, "menus") == mark:
                return
        for code, menu in wanted.items():
            await _publish(bot, code, menu)
        await _publish_to_admins(bot, admin_ids)
        async with database.write() as db:
            await marks.put(db, "menus", mark)
    except (TelegramError, Unavailable) as error:
        _log.warning("the command menu could not be published", kind=type(error).__name__)


async def _publish(bot: ExtBot[Any], code: str, menu: list[tuple[str, str]]) -> None:
    # English is what everybody sees whose language has no menu of its own; Telegram takes two-letter codes only.
    short = None if code == language.SOURCE else code[:2]
    words = language.words(code)
    await bot.set_my_commands(
        [BotCommand(*entry) for entry in menu], BotCommandScopeAllPrivateChats(), language_code=short
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


async def _publish_to_admins(bot: ExtBot[Any], admin_ids: Sequence[int]) -> None:
    """Admins see two commands more. A menu of one chat replaces the general one, so it repeats it."""
    words = language.words(None)
    own = [("broadcast", words("Write to everyone")), ("admin", words("How things stand"))]
    menu = [BotCommand(*entry) for entry in [*commands(words), *own]]
    for admin_id in admin_ids:
        # Telegram answers 400 for a chat whose owner never pressed Start.
        with contextlib.suppress(BadRequest):
            await bot.set_my_commands(menu, BotCommandScopeChat(admin_id))
