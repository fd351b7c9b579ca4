"""One message to one chat; what became of it is an Outcome, never an exception."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Protocol

from telegram import Message
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.core.outcome import Gone, NotFound, Outcome, Rejected, Sent, TokenRefused, Unknown, Unsent, Withdrawn
from bot.telegram import api_call, rate_limiter, transport
from bot.telegram.rate_limiter import Passage
from bot.views.message import Keyboard

_LOG = logging.getLogger(__name__)
NO_PREVIEW = {"is_disabled": True}

# Telegram tells these apart only by their texts, all of them status 400.
_UNCHANGED = "message is not modified"
_NOT_FOUND = ("chat not found", "peer_id_invalid", "user not found")
_GONE = ("user_is_deactivated", "input_user_deactivated", "user is deactivated")


class Sendable(Protocol):
    """What a message says: `text` in Telegram's HTML, its buttons, and whether it arrives without a sound."""

    @property
    def text(self) -> str: ...

    @property
    def keyboard(self) -> Keyboard | None: ...

    @property
    def silent(self) -> bool: ...


async def send(
    bot: ExtBot[Passage], chat_id: int, message: Sendable, *, passage: Passage, photo: bytes | None = None
) -> Outcome:
    """Send a new message, or a photo with the message as its caption. Only cancellation is raised."""
    if photo is not None:
        return await _outcome(
            bot.send_photo(
                chat_id,
                photo,
                caption=message.text,
                parse_mode=ParseMode.HTML,
                disable_notification=message.silent,
                reply_markup=api_call.markup(message.keyboard),
                rate_limit_args=passage,
            )
        )
    return await _outcome(
        api_call.call(
            bot,
            "sendMessage",
            passage,
            chat_id=chat_id,
            text=message.text,
            parse_mode="HTML",
            link_preview_options=NO_PREVIEW,
            disable_notification=message.silent,
            reply_markup=api_call.buttons(message.keyboard),
            allow_paid_broadcast=passage.paid or None,
        )
    )


async def edit(bot: ExtBot[Passage], chat_id: int, message_id: int, message: Sendable, *, passage: Passage) -> Outcome:
    """Put new text and buttons in the place of a message's; one that says the same already counts as sent."""
    outcome = await _outcome(
        api_call.call(
            bot,
            "editMessageText",
            passage,
            text=message.text,
            chat_id=chat_id,
            message_id=message_id,
            parse_mode="HTML",
            link_preview_options=NO_PREVIEW,
            reply_markup=api_call.buttons(message.keyboard),
        )
    )
    unchanged = isinstance(outcome, Rejected) and _UNCHANGED in outcome.reason.lower()
    return Sent(message_id) if unchanged else outcome


async def _outcome(call: Awaitable[object]) -> Outcome:
    try:
        answer = await call
    except TelegramError as error:
        return classify(error)
    except Exception as error:  # an answer of another shape than the Bot API's
        _LOG.error("a send ended in %s", type(error).__name__)
        return Unknown(f"unreadable answer ({type(error).__name__})")
    number = answer.message_id if isinstance(answer, Message) else api_call.number_of(answer)
    return Unknown("answer without a message") if number is None else Sent(number)


def classify(error: TelegramError) -> Outcome:
    """What an exception of PTB or of our transport says about the message."""
    match error:
        case rate_limiter.KeptBack():
            return Withdrawn(error.why)
        case transport.NotSent():
            return Unsent(str(error))
        case RetryAfter():
            return Unsent("flood control", transport.seconds_of(error))
        case Forbidden():
            return Gone(str(error))
        case InvalidToken():
            return TokenRefused(str(error))
        case BadRequest() | ChatMigrated():  # a private chat never migrates
            return _refused(str(error))
    return Unknown(str(error))


def _refused(text: str) -> Outcome:
    lower = text.lower()
    if any(sign in lower for sign in _NOT_FOUND):
        return NotFound(text)
    return Gone(text) if any(sign in lower for sign in _GONE) else Rejected(text)


async def copy(bot: ExtBot[Passage], chat_id: int, *, from_chat_id: int, message_id: int, passage: Passage) -> Outcome:
    """Send a copy of a message, with its formatting and media and without its author."""
    return await _outcome(
        api_call.call(
            bot,
            "copyMessage",
            passage,
            chat_id=chat_id,
            from_chat_id=from_chat_id,
            message_id=message_id,
            allow_paid_broadcast=passage.paid or None,
        )
    )
