"""The command line: run, check, demo."""

from __future__ import annotations

import argparse
import os
import sys

# The tzdata wheel is newer than most systems' zone files; zoneinfo reads this before it looks for them.
os.environ["PYTHONTZPATH"] = ""
# RetryAfter speaks in timedeltas: the other way is deprecated and warns.
os.environ["PTB_TIMEDELTA"] = "1"

BAD_SETTING = 2

HOW_TO_GET_A_TOKEN = """\
Lull needs a bot token: open Telegram, write /newbot to @BotFather and answer its two questions.
Put the token it gives you into a file named .env here, as: BOT_TOKEN=123456:ABC…   Then: make run
No token at hand? make demo runs the bot against a stand-in Telegram in this terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Lull, a bedtime companion on Telegram.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="run the bot")
    commands.add_parser("check", help="say whether settings, database and content are good")
    commands.add_parser("healthcheck", help="say whether the bot that runs here is well")
    commands.add_parser("demo", help="chat with the bot in this terminal, against a stand-in Telegram")
    command = parser.parse_args(arguments).command
    return {"run": run, "check": check, "healthcheck": healthcheck, "demo": demo}[command]()


def run() -> int:
    """Run the bot until SIGTERM."""
    import asyncio

    from bot import app, content
    from config import logs, settings
    from config.addresses import CannotListen
    from db.engine import DatabaseError, Unavailable

    try:
        wanted = settings.load()
    except settings.SettingsError as error:
        return _refuse(
            HOW_TO_GET_A_TOKEN if error.token_missing else "", error.problems, token_missing=error.token_missing
        )
    logs.configure(wanted.log_level, wanted.log_format, secrets=wanted.secrets(), hash_key=os.urandom(16))
    try:
        return asyncio.run(app.run(wanted))
    except (DatabaseError, Unavailable, app.TokenRefused, CannotListen) as error:
        return _refuse("", (str(error),))
    except content.ContentError as error:
        return _refuse("", error.problems)


def _refuse(preface: str, problems: tuple[str, ...] | list[str], *, token_missing: bool = False) -> int:
    shown = [problem for problem in problems if not (token_missing and problem.startswith("BOT_TOKEN"))]
    print("\n".join([preface, *shown] if preface else shown), file=sys.stderr)
    return BAD_SETTING


def check() -> int:
    """Say whether the settings, the database and the content are good."""
    from bot import checking

    return checking.main()


def healthcheck() -> int:
    """Say in one line whether the bot that runs here is well; nothing heavy is imported."""
    from pathlib import Path

    from bot import health
    from config import envfile

    url = envfile.lookup("DATABASE_URL", Path(".env")) or health.DEFAULT_DATABASE
    well, line = health.check(health.state_file(url))
    print(line)
    return 0 if well else 1


def demo() -> int:
    """The bot against the stand-in, in this terminal."""
    from bot.sandbox import demo as sandbox_demo

    return sandbox_demo.main()


if __name__ == "__main__":
    sys.exit(main())
