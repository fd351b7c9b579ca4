"""The command menus that are told Telegram at the start: everybody's, and one for each admin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from telegram.ext import ExtBot

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from bot.telegram import command_menus
from bot.telegram.transport import Transport
from db import broadcasts
from db.engine import Database
from tests.conftest import TOKEN
from tests.db import evenings

NAMED, CLAIMED, STRANGER = 1, 2, 3
EVERYBODY = ("all_private_chats", "")


async def test_named_and_claimed_admins_have_a_menu_while_they_are_admins(
    database: Database,
    telegram: Telegram,
    clock: SharedClock,
    transports: Callable[..., Awaitable[Transport]],
) -> None:
    for admin in (NAMED, CLAIMED):
        await telegram.person(admin).send("/start")
    await evenings.settle_in(database, evenings.person(NAMED), evenings.person(CLAIMED))
    async with database.write() as db:
        await broadcasts.make_admin(db, CLAIMED, now=clock.now())
    transport = await transports(telegram.url, clock=clock)
    bot = ExtBot(TOKEN, base_url=f"{telegram.url}/bot", request=transport, get_updates_request=transport)
    shown = telegram.world.commands

    await command_menus.publish(bot, database, [NAMED, STRANGER])

    assert {scope for scope, _ in shown} == {"all_private_chats", f"chat {NAMED}", f"chat {CLAIMED}"}
    assert [entry["command"] for entry in shown[f"chat {CLAIMED}", ""]][-2:] == ["broadcast", "admin"]
    assert not {entry["command"] for entry in shown[EVERYBODY]} & {"broadcast", "admin"}

    calls = telegram.made
    await command_menus.publish(bot, database, [NAMED, STRANGER])
    assert telegram.made == calls

    await command_menus.publish(bot, database, [])
    assert {scope for scope, _ in shown} == {"all_private_chats", f"chat {CLAIMED}"}


async def test_a_chat_that_telegram_does_not_know_keeps_nobody_else_from_their_menu(
    database: Database,
    telegram: Telegram,
    clock: SharedClock,
    transports: Callable[..., Awaitable[Transport]],
) -> None:
    await telegram.person(CLAIMED).send("/start")
    await evenings.settle_in(database, evenings.person(NAMED), evenings.person(CLAIMED))
    transport = await transports(telegram.url, clock=clock)
    bot = ExtBot(TOKEN, base_url=f"{telegram.url}/bot", request=transport, get_updates_request=transport)

    await command_menus.publish(bot, database, [NAMED, CLAIMED])

    assert f"chat {NAMED}" not in {scope for scope, _ in telegram.world.commands}
    assert (f"chat {CLAIMED}", "") in telegram.world.commands
