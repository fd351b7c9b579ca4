"""`python -m bot claim`: the one-time link by which the first admin is made."""

from __future__ import annotations

import asyncio
import sys

from bot.cli import stats
from bot.clock import open_clock
from config import settings
from config.settings import Settings
from db import admin_claim, broadcasts
from db.engine import Database


def main() -> int:
    """Print a fresh link, which makes older ones void; refuse where somebody is an admin already."""
    found = settings.load()
    if found.admin_ids:
        print("ADMIN_IDS says who is an admin; add the number of another there.", file=sys.stderr)
        return 1
    code, name = asyncio.run(_offer(found))
    if code is None:
        print("Somebody is an admin already; put the number of another into ADMIN_IDS.", file=sys.stderr)
        return 1
    print("Good for one person and one hour; whoever uses it becomes the admin.")
    print(f"Open {admin_claim.link(name, code)}" if name else f"Send the bot: /start claim_{code}")
    return 0


async def _offer(found: Settings) -> tuple[str | None, str | None]:
    """The code, None where there is an admin; and what the bot is called in Telegram, if it ran once."""
    database = Database(found.database_url.get_secret_value())
    try:
        await stats.expect_head(database)
        async with database.write("offer_claim") as db:
            if await broadcasts.admins(db):
                return None, None
            code = await admin_claim.offer(db, now=open_clock(found.clock_file).now())
            return code, await admin_claim.bot_name(db)
    finally:
        await database.close()
