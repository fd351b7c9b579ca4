"""Drops edits that would change nothing on the screen, because Telegram refuses them."""

from __future__ import annotations

from collections import OrderedDict

from telegram import Message, Update

from bot.telegram.turn import Edit, EditButtons, Reply
from bot.views import shown

_REMEMBERED = 4096
_FRESH = 10.0
"""Seconds for which an edit of ours counts more than what a press says was there: it may have been made meanwhile."""


class UnchangedEdits:
    """Remembers recent edits in memory. After a restart only the pressed message itself shows what is on the screen."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[int, int], tuple[Reply, float]] = OrderedDict()

    def changes(self, update: Update, reply: Reply, *, chat_id: int, now: float) -> bool:
        """Whether this reply, about to be done at `now` (monotonic seconds), changes what is seen."""
        if not isinstance(reply, Edit | EditButtons):
            return True
        key = (chat_id, reply.message_id)
        last, at = self._last.get(key, (None, 0.0))
        pressed = _pressed(update, reply.message_id)
        # Of other messages we know only our own last edit. Of the pressed one, the press knows more than an old edit.
        ours = last is not None and (pressed is None or now - at < _FRESH)
        if last == reply if ours else pressed is not None and _shows(pressed, reply):
            return False
        self._last[key] = (reply, now)
        self._last.move_to_end(key)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        return True


def _pressed(update: Update, message_id: int) -> Message | None:
    """The message of that number, where it is the one whose button was pressed."""
    message = None if update.callback_query is None else update.callback_query.message
    return message if isinstance(message, Message) and message.message_id == message_id else None


def _shows(message: Message, reply: Edit | EditButtons) -> bool:
    """Whether a message is as the edit would make it."""
    if isinstance(reply, EditButtons):
        return shown.has_buttons(message, reply.keyboard)
    return shown.shows(message, reply.view)
