"""The one-time link by which the first admin is made: one use, one hour; only its hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from db import broadcasts, marks
from db.engine import Connection

LASTS = timedelta(hours=1)


async def offer(db: Connection, *, now: datetime) -> str:
    """A fresh code, good for an hour and for one person; an older one is void."""
    code = secrets.token_urlsafe(12)
    await marks.put(db, "claim", f"{int((now + LASTS).timestamp())} {_hash(code)}")
    return code


def link(bot_name: str, code: str) -> str:
    """What is to be opened in Telegram."""
    return f"https://t.me/{bot_name}?start=claim_{code}"


async def name_bot(db: Connection, name: str) -> None:
    """Note what the bot is called in Telegram, for links that are made while nobody asks Telegram."""
    if await bot_name(db) != name:
        await marks.put(db, "bot_name", name)


async def bot_name(db: Connection) -> str | None:
    """What it was called when it ran last."""
    return await marks.find(db, "bot_name")


async def redeem(db: Connection, code: str, *, user_id: int, now: datetime) -> bool:
    """Make this person an admin if the code is good; it is used up by that."""
    noted = await marks.find(db, "claim")
    until, _, known = (noted or "0 ").partition(" ")
    if not known or now.timestamp() >= int(until) or not hmac.compare_digest(known, _hash(code)):
        return False
    await marks.put(db, "claim", "0 ")
    await broadcasts.make_admin(db, user_id, now=now)
    return True


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
