"""A second baseline for presses: a stock aiogram bot. A message is echoed, a press answered and edited; nothing is written.

Run by a Python of its own that has aiogram (`BENCH_AIOGRAM=path/to/python`): what it pins does not go with what we pin.
"""

from __future__ import annotations

import asyncio
import os

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import CallbackQuery, Message

dispatcher = Dispatcher()


@dispatcher.message()
async def echo(message: Message) -> None:
    await message.answer(message.text or "…")


@dispatcher.callback_query()
async def pressed(query: CallbackQuery) -> None:
    await query.answer("Noted.")
    if isinstance(query.message, Message):
        await query.message.edit_text("✓ Taken 22:17 · bedtime 23:00")


async def main() -> None:
    server = TelegramAPIServer.from_base(os.environ["TELEGRAM_API_URL"])
    bot = Bot(os.environ["BOT_TOKEN"], session=AiohttpSession(api=server))
    await dispatcher.start_polling(bot)


asyncio.run(main())
