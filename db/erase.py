"""Erasing a person everywhere, and the ledger that lets a restored backup be put right."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from bot.core.model import Person
from db import marks, tables, upserts, users
from db.engine import ERASED, Connection

_KEY = "erase_key"
_users, _inbox, _ledger = tables.users, tables.inbox, tables.erasures


@dataclass(frozen=True, slots=True)
class Ledger:
    """Who was erased and when, as keyed hashes and dates. The key reveals nobody unless one tries ids."""

    key: bytes
    entries: frozenset[tuple[str, date]]


def owners() -> list[tuple[sa.Table, sa.Column[int]]]:
    """Every table that holds something of a person, with the column that says whose it is."""
    named = [(table, table.c.user_id) for table in tables.metadata.sorted_tables if "user_id" in table.c]
    return [*named, (_users, _users.c.id)]


async def person(db: Connection, user_id: int, *, now: datetime, but_letter: int | None = None) -> None:
    """Forget this person in every table, in the caller's transaction, and note in the ledger that somebody was erased.

    `but_letter` is the update that asked for it: it leaves the inbox by itself, once it is handled.
    """
    await _forget(db, user_id, but_letter=but_letter)
    key = await _key(db)
    await _note(db, [(_who(key, user_id), now.date())])


async def _forget(db: Connection, user_id: int, *, but_letter: int | None = None) -> None:
    db.info[ERASED] = True
    for table, column in owners():
        if table is _inbox:
            # The bare number stays for two days, so that a repeated delivery is known.
            others = (column == user_id, _inbox.c.update_id != (-1 if but_letter is None else but_letter))
            await db.execute(_inbox.update().where(*others).values(body=None, user_id=None))
        else:
            await db.execute(table.delete().where(column == user_id))


async def _note(db: Connection, entries: Sequence[tuple[str, date]]) -> None:
    insert = upserts.into(_ledger, on=db)
    if entries:
        rows = [{"who": who, "erased_on": day} for who, day in entries]
        await db.execute(insert.on_conflict_do_nothing(), rows)


async def _key(db: Connection) -> bytes:
    """The key of this installation's ledger, made at the first erasure and stored in the same database."""
    known = await marks.find(db, _KEY)
    if known is not None:
        return bytes.fromhex(known)
    key = secrets.token_bytes(32)
    await marks.put(db, _KEY, key.hex())
    return key


def _who(key: bytes, user_id: int) -> str:
    return hmac.digest(key, str(user_id).encode(), "sha256").hex()


# -- after a restore ---------------------------------------------------------------------------------------------------


async def ledger(db: Connection) -> Ledger:
    """All that was erased so far: read it before a restore, from the database that is about to be replaced."""
    key = await marks.find(db, _KEY)
    rows = await db.execute(sa.select(_ledger.c.who, _ledger.c.erased_on))
    return Ledger(bytes.fromhex(key or ""), frozenset((row.who, row.erased_on) for row in rows))


async def replay(db: Connection, kept: Ledger) -> int:
    """Erase again, in a restored database, whoever was erased since the backup. Returns how many people that were.

    What the backup's own ledger holds was done before the backup. Somebody who came back after the erasure is kept.
    """
    if not kept.entries:
        return 0
    rows = await db.execute(sa.select(_ledger.c.who, _ledger.c.erased_on))
    since = kept.entries - {(row.who, row.erased_on) for row in rows}
    erased_on: dict[str, date] = {}
    for who, day in since:
        erased_on[who] = max(day, erased_on.get(who, day))
    people = (await db.execute(sa.select(_users.c.id, _users.c.created_at))).all() if since else []
    again = [row.id for row in people if row.created_at.date() <= erased_on.get(_who(kept.key, row.id), date.min)]
    for user_id in again:
        await _forget(db, user_id)
    await marks.put(db, _KEY, kept.key.hex())
    await _note(db, sorted(since))
    return len(again)


# -- people long silent ------------------------------------------------------------------------------------------------


async def silent(db: Connection, *, since: datetime, limit: int) -> list[Person]:
    """People who neither wrote nor tapped since then, and were not warned."""
    query = sa.select(_users).where(_users.c.seen_at < since, _users.c.warned_at.is_(None)).limit(limit)
    return [users.person_of(row) for row in (await db.execute(query)).mappings()]


async def warned(db: Connection, *, before: datetime, limit: int) -> list[int]:
    """People who were warned before then and have not been heard of since."""
    query = sa.select(_users.c.id).where(_users.c.warned_at < before, _users.c.seen_at < _users.c.warned_at)
    return list((await db.execute(query.limit(limit))).scalars())
