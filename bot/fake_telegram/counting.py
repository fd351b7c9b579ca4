"""The fast mode: counters instead of chats, so that in a benchmark the stand-in is not what is measured."""

from __future__ import annotations

import re
import time
from array import array
from collections import Counter

from aiohttp import web

from bot.fake_telegram.values import Fields

_CHAT = re.compile(rb'chat_id"?[=:]\s*"?(-?\d+)')
_QUERY = re.compile(rb'callback_query_id"?[=:]\s*"?(\d+)')
_BOT = b'{"id":123456,"is_bot":true,"first_name":"Lull"}'


class Counts:
    """How many calls of which method, when they came (real seconds), and how long a press waited for its answer."""

    def __init__(self) -> None:
        self.methods: Counter[str] = Counter()
        self.polls = 0
        self.sent_at = array("d")
        self.waits = array("d")
        self.pressed_at: dict[bytes, float] = {}

    def pressed(self, query_id: object) -> None:
        self.pressed_at[str(query_id).encode()] = time.time()

    def report(self) -> Fields:
        """Counts, messages per second since the first, the fullest second anywhere, percentiles of the waits."""
        waits = sorted(self.waits)
        return {
            "methods": dict(self.methods),
            "histogram": self._histogram(),
            "fullest_second": fullest_second(self.sent_at),
            "span": self.sent_at[-1] - self.sent_at[0] if self.sent_at else 0.0,
            "waits": {str(part): waits[min(len(waits) - 1, len(waits) * part // 100)] for part in (50, 95, 99, 100)}
            if waits
            else {},
        }

    def _histogram(self) -> list[int]:
        if not self.sent_at:
            return []
        first = self.sent_at[0]
        found = Counter(int(at - first) for at in self.sent_at)
        return [found[second] for second in range(max(found) + 1)]


def fullest_second(moments: array[float]) -> int:
    """The most moments (ascending) in any stretch of one second."""
    most = low = 0
    for high, moment in enumerate(moments):
        while moment - moments[low] >= 1.0:
            low += 1
        most = max(most, high - low + 1)
    return most


METHODS = {"sendMessage", "editMessageText", "answerCallbackQuery"}


async def answer(request: web.Request, method: str, counts: Counts) -> web.Response:
    """Counts the call and answers as if it had been fine."""
    body = await request.read()
    now = time.time()
    counts.methods[method] += 1
    if method == "answerCallbackQuery":
        query = _QUERY.search(body)
        pressed = counts.pressed_at.pop(query.group(1), None) if query else None
        if pressed is not None:
            counts.waits.append(now - pressed)
        return _json(b'{"ok":true,"result":true}')
    chat = _CHAT.search(body)
    if chat is None:
        return _json(b'{"ok":false,"error_code":400,"description":"Bad Request: chat_id is empty"}', status=400)
    counts.sent_at.append(now)
    number = str(len(counts.sent_at)).encode()
    chat_json = b'{"id":' + chat.group(1) + b',"type":"private","first_name":"Ada"}'
    fields = b',"date":' + str(int(now)).encode() + b',"from":' + _BOT + b',"text":"-","chat":' + chat_json
    return _json(b'{"ok":true,"result":{"message_id":' + number + fields + b"}}")


def _json(body: bytes, *, status: int = 200) -> web.Response:
    return web.Response(body=body, content_type="application/json", status=status)
