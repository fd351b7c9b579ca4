"""The first call to Telegram: can it be reached, does it accept the token, and what is the bot's name."""

from __future__ import annotations

import asyncio
import contextlib

from telegram.error import InvalidToken, TelegramError

from bot.updates.dispatcher import App
from config import logs
from config.settings import SettingsError

_log = logs.logger(__name__)


class WrongToken(SettingsError):  # noqa: N818 - named for what Telegram did
    """Telegram does not accept the token."""


async def greet(app: App, stop: asyncio.Event) -> bool:
    """Learn who we are, waiting for a Telegram that is away. False when stopped before that; a bad token raises."""
    wait = 0.5
    while not stop.is_set():
        try:
            await app.initialize()
        except InvalidToken:
            raise WrongToken(["Telegram does not accept BOT_TOKEN; copy it again from @BotFather."]) from None
        except TelegramError as error:
            why = str(getattr(error, "cause", type(error).__name__))
            _log.warning("Telegram is not reachable yet", why=why, kind=type(error).__name__, retry_in=wait)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)
            wait = min(wait * 2, 30.0)
        else:
            return True
    return False
