"""What follows from an outcome: how the row ends or goes on, and what else changes."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.core import planning
from bot.core.model import Delivery, Kind, State, Status
from bot.core.outcome import Gone, NotFound, Outcome, Rejected, Sent, TokenRefused, Unknown, Unsent, Why, Withdrawn
from bot.core.owed import Owed
from db import experiments, nights, users
from db.engine import Connection
from db.outbox import changes
from db.outbox import rows as outbox
from db.outbox.rows import Settled

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(seconds=60)

Change = Callable[[Connection], Awaitable[None]]


def settle(row: Owed, outcome: Outcome, *, now: datetime) -> Settled:
    """The row's end, or when it goes again."""
    match outcome:
        case Sent(message_id):
            return Settled(row.id, State.SENT, message_id=message_id, sent_at=now)
        case Unsent(reason, retry_after):
            wait = timedelta(seconds=retry_after) if retry_after else back_off(row.tries)
            return Settled(row.id, State.DUE, due_at=now + wait, reason=reason, uncount=True)
        case Withdrawn(Why.UNWANTED | Why.SHUTTING_DOWN):
            # The row was not ours to begin any more: it may be in other hands, or in ours anew.
            return Settled(row.id, State.DUE, due_at=now + back_off(row.tries), begun=False)
        case Withdrawn(why):
            return Settled(row.id, State.DUE, due_at=now + back_off(row.tries), reason=why, uncount=True)
        case TokenRefused(reason):
            return Settled(row.id, State.DUE, due_at=now + _LONGEST_WAIT, reason=reason, uncount=True)
        case Gone(reason):
            return Settled(row.id, State.GONE, reason=reason, uncount=True)
        case NotFound():
            return Settled(row.id, State.GONE, reason="not found", uncount=True)
        case Rejected(reason):
            return Settled(row.id, State.DUE, due_at=now + outbox.PUSHED_ON, reason=reason, uncount=True)
        case Unknown(reason):
            news = row.reminder in outbox.NEWS
            return outbox.after_unknown(
                row.id, kind=row.kind, copies=row.copies + 1, sent_at=now, reason=reason, news=news
            )


def back_off(tries: int) -> timedelta:
    """How long to wait after so many tries that certainly did not arrive: two seconds, doubling, at most a minute."""
    return min(_FIRST_WAIT * (1 << min(tries, 10)), _LONGEST_WAIT)


def pushed_on(row: Owed, *, now: datetime) -> Settled:
    """A row that could not be rendered."""
    return Settled(row.id, State.DUE, due_at=now + outbox.PUSHED_ON, reason="could not be rendered", begun=False)


def follow(row: Owed, outcome: Outcome, *, now: datetime) -> Change | None:
    """What else an outcome changes, as something to write; None for nothing."""
    match outcome:
        case Sent() if row.trial is not None and row.kind is Kind.REMINDER:
            return functools.partial(_revealed, row=row, now=now)
        case Sent() if row.person.nudges and row.kind in (Kind.REMINDER, Kind.NUDGE):
            return functools.partial(_nudge, row=row, now=now)
        case Gone():
            return functools.partial(_rest, row=row)
        case NotFound():
            return functools.partial(_rest_if_again, row=row)
    return None


async def _revealed(db: Connection, *, row: Owed, now: datetime) -> None:
    """The person knows what tonight is: it can no longer be left out of the self-experiment."""
    await experiments.reveal(db, row.person.id, row.night, at=now)
    if row.person.nudges:
        await _nudge(db, row=row, now=now)


async def _nudge(db: Connection, *, row: Owed, now: datetime) -> None:
    if (await nights.find(db, row.person.id, row.night)).intake is not None:
        return  # answered before we could note that it was sent
    if row.kind is Kind.REMINDER:
        message = planning.nudges(row.person, sent_at=now, night=row.night, bed_at=row.bed_at, done=0)
        if message is not None:
            await outbox.owe(db, [message])
        return
    # The second nudge is the same row again; its first sending is known by the message id it has.
    message = planning.nudges(row.person, sent_at=now, night=row.night, bed_at=row.bed_at, done=1)
    if message is not None and row.tries == 0:
        await changes.again(
            db,
            row.person.id,
            row.night,
            kind=Kind.NUDGE,
            at=message.due_at,
            until=message.until_at,
            bed_at=row.bed_at,
            tries=1,
        )


async def _rest(db: Connection, *, row: Owed) -> None:
    await users.rest(db, row.person.id, status=Status.GONE)
    await changes.cancel(db, row.person.id, kinds=tuple(Kind), reason="unreachable")


async def _rest_if_again(db: Connection, *, row: Owed) -> None:
    """Telegram says "chat not found" of living chats too when it is unwell: two nights make it true."""
    before = await nights.between(db, row.person.id, row.night - timedelta(days=7), row.night - timedelta(days=1))
    if any(record.delivery is Delivery.NOT_FOUND for record in before):
        await _rest(db, row=row)
