"""One call to Telegram through the limiter, as bare JSON values both ways: how messages, edits and answers leave."""

from __future__ import annotations

import logging

from telegram import InlineKeyboardMarkup
from telegram.ext import ExtBot

from bot.telegram.rate_limiter import Passage
from bot.telegram.transport import Transport
from bot.views.message import Keyboard

_LOG = logging.getLogger(__name__)

# The library's own methods, such as `send_message`, cost twice the call itself: every value becomes an object on the way
# out, and so does the whole answer on the way back, although only a number of it is needed. Files still use them.


async def call(bot: ExtBot[Passage], method: str, passage: Passage | None = None, **parameters: object) -> object:
    """The `result` of a Bot API method. What is None is left out. Raises the exceptions of `telegram.error`."""
    request, limiter = bot.request, bot.rate_limiter
    assert isinstance(request, Transport)  # noqa: S101 - app and tests build no other
    _LOG.debug("%s", method)
    given = {name: value for name, value in parameters.items() if value is not None}
    if limiter is None:
        return await request.bare(method, given)
    return await limiter.process_request(request.bare, (method, given), {}, method, given, passage)


def number_of(message: object) -> int | None:
    """The id of a message that Telegram gave back; None for anything else."""
    number = message.get("message_id") if isinstance(message, dict) else None
    return number if isinstance(number, int) else None


def buttons(keyboard: Keyboard | None) -> dict[str, object] | None:
    """The buttons under a message as a parameter of `call`."""
    return None if keyboard is None else keyboard.as_json()


def markup(keyboard: Keyboard | None) -> InlineKeyboardMarkup | None:
    """The same for the library, which sends the files."""
    return None if keyboard is None else InlineKeyboardMarkup.de_json(keyboard.as_json(), None)
