"""Long polling: a batch is stored before it is confirmed, whatever is in it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.clock import Clock
from bot.core import update_numbers
from bot.updates import location, nameless
from bot.updates.queues import Queues
from config import logs
from db import inbox
from db.engine import Database, Unavailable
from db.inbox import StoredUpdate

_log = logs.logger(__name__)

ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")
"""What Telegram is asked for. Edits are asked for although they are ignored."""

POLL = 30
"""Seconds that Telegram holds an empty answer back."""

FULL = 100
"""The most updates in one answer. An answer with this many means that more are waiting."""

_FEW = 20
"""Up to this many updates are stored on the event loop: that takes less time than asking a thread."""

_AGAIN = 1.0
"""Seconds until the next poll when the last brought nothing but what is known and cannot be confirmed."""

_BACK_OFF = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

Call = Callable[..., Awaitable[object]]

Wrote = Callable[[int], None]
"""Is told when what came in was written, in seconds since 1970."""


class Polling:
    """Fetches updates until told to stop. `last_good` says when Telegram last answered, in seconds of
    `clock.monotonic()`: a change of the wall clock must not make the bot look unwell."""

    def __init__(
        self, call: Call, database: Database, queues: Queues, *, clock: Clock, wrote: Wrote = lambda _: None
    ) -> None:
        self._call, self._database, self._queues, self._clock, self._wrote = call, database, queues, clock, wrote
        self._offset: int | None = None
        self._heard_at = self._moved_at = clock.monotonic()  # the last new update; the last that moved the offset
        self._failures = 0
        self.last_good: float | None = None
        self.fault = ""
        self.stopping = False

    async def run(self) -> None:
        """Poll for ever; every error is waited out."""
        while not self.stopping:
            try:
                await self._once()
            except Conflict as error:
                await (self._free() if "webhook" in str(error).lower() else self._wait_out(error))
            except (TelegramError, Unavailable) as error:
                await self._wait_out(error)
            except Exception as error:  # an answer of a shape that nobody foresaw must not end the polling
                _log.error("polling met something unforeseen", kind=type(error).__name__, exc_info=error)
                await self._wait_out(error)

    async def _once(self) -> None:
        await self._queues.room()
        if self._clock.monotonic() - self._heard_at > update_numbers.SILENT:
            self._offset, self._heard_at = None, self._clock.monotonic()
        answer = await self._call(
            "getUpdates",
            offset=self._offset,
            limit=FULL,
            timeout=POLL,
            allowed_updates=list(ALLOWED),
            read_timeout=POLL + 10.0,
        )
        batch = answer if isinstance(answer, list) else []
        for at in filter(None, map(moment_of, batch)):
            self._wrote(at)
        stored_updates = [
            stored_update for raw in batch if (stored_update := letter_of(raw, now=self._clock.now())) is not None
        ]
        if answer and not stored_updates:
            raise NetworkError("updates without a number, which cannot be confirmed")
        if len(batch) >= FULL:
            self._queues.more_to_come()
        new = await store(self._database, self._queues, stored_updates)
        self._failures, self.last_good = 0, self._clock.monotonic()
        # Only now: asking for what comes after them is what confirms them.
        await self._confirm([stored_update.update_id for stored_update in stored_updates], new=new)

    async def _confirm(self, numbers: Sequence[int], *, new: int) -> None:
        now = self._clock.monotonic()
        if new:
            self._heard_at = now
        if not numbers:
            self._moved_at = now
            return
        alone = now - self._moved_at
        before, self._offset = self._offset, update_numbers.next_offset(self._offset, numbers, alone=alone)
        if self._offset != before:
            self._moved_at = now
        elif not new:
            # One that is far from the others is not confirmed, and so comes again with every poll, at once.
            await self._clock.sleep(_AGAIN)

    async def _free(self) -> None:
        """Remove a webhook, because while one is set Telegram answers no poll. The updates that wait there are kept."""
        _log.warning("a webhook was set; it is removed, because MODE is polling")
        try:
            await self._call("deleteWebhook", drop_pending_updates=False)
        except TelegramError as error:
            await self._wait_out(error)
            return
        # Twice in a row means that somebody sets it again and again.
        if self._failures:
            await self._clock.sleep(_BACK_OFF[min(self._failures, len(_BACK_OFF) - 1)])
        self._failures += 1

    async def _wait_out(self, error: Exception) -> None:
        wait = _BACK_OFF[min(self._failures, len(_BACK_OFF) - 1)]
        self._failures += 1
        if isinstance(error, RetryAfter):
            wait = max(wait, float(getattr(error, "seconds", wait)))
        why = str(getattr(error, "cause", type(error).__name__))
        _log.warning(_sentence(error), why=why, kind=type(error).__name__, retry_in=wait)
        await self._clock.sleep(wait)


def _sentence(error: Exception) -> str:
    match error:
        case Conflict():
            return "another process polls with this token; only one may, so stop the other"
        case InvalidToken():
            return "Telegram does not accept the token; put a good one in BOT_TOKEN and start again"
        case Unavailable():
            return "the database is away; updates stay with Telegram"
    return "no updates from Telegram"


async def store(database: Database, queues: Queues, stored_updates: Sequence[StoredUpdate]) -> int:
    """Commit a batch, then queue those that are new. Gives their number."""
    if not stored_updates:
        return 0
    async with database.write("store", quick=len(stored_updates) <= _FEW) as db:
        new = await inbox.store(db, stored_updates)
    queues.add(stored_update for stored_update in stored_updates if stored_update.update_id in new)
    return len(new)


def letter_of(raw: object, *, now: datetime) -> StoredUpdate | None:
    """A raw update as a stored update; None if it has no number, so that it can be neither stored nor confirmed."""
    number = raw.get("update_id") if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or type(number) is not int or not 0 <= number < 2**63:
        return None
    # Half characters and NULs are legal in JSON, as escapes, and stay escapes: no database takes them.
    try:
        body = _body(raw)
    except RecursionError:  # without coordinates it is cut where it is too deep
        body = b""
    if not body or location.may_be_in(body):
        body = _body(location.forgotten(raw))
    return StoredUpdate(number, _sender(raw), nameless.blanked(body).decode(), now)


def moment_of(raw: object) -> int | None:
    """When what an update tells of happened, in seconds since 1970; None where it does not say. Buttons do not."""
    if not isinstance(raw, dict):
        return None
    for name in ("message", "edited_message", "my_chat_member"):
        part = raw.get(name)
        if isinstance(part, dict):
            moments = [at for at in (part.get("date"), part.get("edit_date")) if type(at) is int and at < 2**40]
            return max(moments, default=None)
    return None


def _body(raw: dict[str, object]) -> bytes:
    return json.dumps(raw, separators=(",", ":")).encode()


def _sender(raw: dict[str, object]) -> int | None:
    """The id in the `from` of whatever kind of update it is."""
    for name, part in raw.items():
        if name != "update_id" and isinstance(part, dict):
            sender = part.get("from")
            user_id = sender.get("id") if isinstance(sender, dict) else None
            # A value that could not be an id of Telegram's cannot be stored as one either.
            if isinstance(user_id, int) and not isinstance(user_id, bool) and 0 < user_id < 2**52:
                return user_id
    return None
