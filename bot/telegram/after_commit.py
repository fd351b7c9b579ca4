"""Sends replies, and does the work that a handler left for after the commit, whose result is replies again."""

from __future__ import annotations

from typing import Protocol

from bot.telegram.turn import AfterCommit, Later, Reply
from config import logs

_log = logs.logger(__name__)


class Do(Protocol):
    """Sends one reply."""

    async def __call__(self, reply: Reply, /, *, chat_id: int) -> None: ...


async def perform(do: Do, after: AfterCommit, reply: Reply, chat_id: int) -> None:
    """Do one reply, or the work and then its replies. Never raises."""
    if not isinstance(reply, Later):
        await do(reply, chat_id=chat_id)
        return
    try:
        more = await reply.work(after)
    except Exception as error:  # its update is done and must not be handled again
        _log.error("work after an answer failed", kind=type(error).__name__, exc_info=error)
        return
    for said in more:
        await perform(do, after, said, chat_id)
