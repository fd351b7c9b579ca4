"""The baseline for presses: a stock python-telegram-bot application that answers and edits, and writes nothing."""

from __future__ import annotations

import os

from telegram import Update
from telegram.ext import ApplicationBuilder, CallbackQueryHandler, ContextTypes


async def pressed(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
    query = update.callback_query
    assert query is not None
    await query.answer("Noted.")
    await query.edit_message_text("✓ Taken 22:17 · bedtime 23:00")


def main() -> None:
    builder = ApplicationBuilder().token(os.environ["BOT_TOKEN"]).base_url(os.environ["TELEGRAM_API_URL"] + "/bot")
    application = builder.concurrent_updates(True).build()
    application.add_handler(CallbackQueryHandler(pressed))
    application.run_polling()


main()
