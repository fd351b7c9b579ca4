"""A tiny bot for the demo's tests: answers with buttons, edits on a press, and says when an hour has passed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update

from bot.clock import SharedClock

BUTTONS = InlineKeyboardMarkup(
    [
        [InlineKeyboardButton("Taken", callback_data="t"), InlineKeyboardButton("Snooze", callback_data="s")],
        [InlineKeyboardButton("Read", url="https://example.org/a")],
    ]
)


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    clock = SharedClock(Path(os.environ["CLOCK_FILE"]))
    async with Bot(os.environ["BOT_TOKEN"], base_url=os.environ["TELEGRAM_API_URL"] + "/bot") as bot:
        work = [asyncio.create_task(answer(bot)), asyncio.create_task(remind(bot, clock))]
        await stop.wait()
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    print("stopped well")


async def answer(bot: Bot) -> None:
    offset = 0
    while True:
        for update in await bot.get_updates(offset=offset, timeout=20):
            offset = update.update_id + 1
            await handle(bot, update)


async def handle(bot: Bot, update: Update) -> None:
    if update.callback_query is not None:
        await update.callback_query.answer("Noted")
        await update.callback_query.edit_message_text(f"You pressed {update.callback_query.data}")
    elif update.message is not None and update.message.text == "/crash":
        os._exit(3)
    elif update.message is not None:
        text = f"<b>You said</b> {update.message.text}"
        await bot.send_message(update.message.chat_id, text, parse_mode="HTML", reply_markup=BUTTONS)


async def remind(bot: Bot, clock: SharedClock) -> None:
    start = clock.now()
    while (clock.now() - start).total_seconds() < 3600:
        await clock.sleep(1)
    await bot.send_message(1001, "An hour has passed", disable_notification=True)
    await asyncio.Event().wait()


asyncio.run(main())
