"""The baselines for reminders: python-telegram-bot's bare `send_message`, and a job of `JobQueue.run_daily` for each user."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import resource
import sys
import time
import warnings

from telegram import Bot
from telegram.error import TelegramError
from telegram.ext import Application, ApplicationBuilder, ContextTypes

TEXT = "<b>Bedtime 22:30 · 45 minutes left.</b>\nTime for your magnesium (citrate)."


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def bare(bot: Bot, number: int) -> dict[str, float]:
    """`number` messages, 32 in flight."""
    places = asyncio.Semaphore(32)

    async def one(chat_id: int) -> None:
        async with places:
            await bot.send_message(chat_id, TEXT, parse_mode="HTML")

    await one(1)
    before, began = cpu(), time.monotonic()
    await asyncio.gather(*(one(chat_id) for chat_id in range(1, number + 1)))
    return {"sent": number, "seconds": time.monotonic() - began, "cpu": cpu() - before}


async def daily(application: Application, number: int) -> dict[str, float]:  # type: ignore[type-arg]  # a baseline
    """A daily job a user, all due at the same moment; what was sent within a while."""
    sent = lost = 0

    async def remind(context: ContextTypes.DEFAULT_TYPE) -> None:
        nonlocal sent, lost
        try:
            await context.bot.send_message(context.job.chat_id, TEXT, parse_mode="HTML")  # type: ignore[union-attr, arg-type]  # a baseline
            sent += 1
        except TelegramError:
            lost += 1

    queue = application.job_queue
    assert queue is not None
    before = cpu()
    at = (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=3 + number / 1500)).timetz()
    for chat_id in range(1, number + 1):
        queue.run_daily(remind, at, chat_id=chat_id)
    await queue.start()
    began, seen = time.monotonic(), -1
    while time.monotonic() - began < 90 and (sent + lost != seen or time.monotonic() - began < 12 + number / 1500):
        seen = sent + lost
        await asyncio.sleep(3)
    return {"sent": sent, "seconds": 0.0, "cpu": cpu() - before}


async def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable()  # thousands of lines about missed jobs
    kind, number = sys.argv[1], int(sys.argv[2])
    url = os.environ["TELEGRAM_API_URL"] + "/bot"
    if kind == "bare":
        async with Bot(os.environ["BOT_TOKEN"], base_url=url) as bot:
            print(json.dumps(await bare(bot, number)))
        return
    async with ApplicationBuilder().token(os.environ["BOT_TOKEN"]).base_url(url).build() as application:
        print(json.dumps(await daily(application, number)))
        os._exit(0)  # thousands of jobs are left


sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a real file
asyncio.run(main())
