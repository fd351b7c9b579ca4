"""The command line: a table of commands, each in a module of its own that is imported when it is called."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot import VERSION

# The tzdata wheel is newer than most systems' zone files; zoneinfo reads this before it looks for them.
os.environ["PYTHONTZPATH"] = ""
# RetryAfter speaks in timedeltas: the other way is deprecated and warns.
os.environ["PTB_TIMEDELTA"] = "1"

FAILED, BAD_SETTING = 1, 2

HOW_TO_GET_A_TOKEN = """\
Lull needs a bot token: open Telegram, write /newbot to @BotFather and answer its two questions.
Put the token it gives you into a file named .env here, as: BOT_TOKEN=123456:ABC…   Then: make run
No token at hand? make demo runs the bot against a stand-in Telegram in this terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 failed, 2 something must be put right first."""
    # Everything that is written is about people's health, so no other user of this machine may read it.
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m bot", description="Lull, a bedtime companion on Telegram.")
    parser.add_argument("--version", action="version", version=f"Lull {VERSION}", help="say which version this is")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (about, _, options) in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        for option, keywords in options.items():
            command.add_argument(option, **keywords)
    given = parser.parse_args(arguments)
    try:
        return COMMANDS[given.command][1](given)
    except Exception as error:  # what an operator can put right is a sentence; the rest is raised again
        return _refused(error)


def _refused(error: Exception) -> int:
    # Imported only now: the health check runs every half minute and should cost little.
    from bot.texts.content import ContentError
    from config.addresses import CannotListen
    from config.settings import SettingsError
    from db.engine import DatabaseError, Unavailable

    match error:
        case SettingsError():
            preface = HOW_TO_GET_A_TOKEN if error.token_missing else ""
            return _refuse(preface, error.problems, token_missing=error.token_missing)
        case ContentError():
            return _refuse("", error.problems)
        case DatabaseError() | CannotListen():
            return _refuse("", (str(error),))
        case Unavailable():
            # The database may come back by itself: with this exit code a service manager tries again.
            _refuse("", (f"The database is not reachable: {error}; look at DATABASE_URL and the server.",))
            return FAILED
    raise error


def _refuse(preface: str, problems: tuple[str, ...] | list[str], *, token_missing: bool = False) -> int:
    shown = [problem for problem in problems if not (token_missing and problem.startswith("BOT_TOKEN"))]
    print("\n".join([preface, *shown] if preface else shown), file=sys.stderr)
    return BAD_SETTING


def run(_: argparse.Namespace) -> int:
    """Run the bot until SIGTERM."""
    import asyncio

    import uvloop

    from bot import app
    from config import logs, settings

    wanted = settings.load()
    logs.configure(wanted.log_level, wanted.log_format, secrets=wanted.secrets(), hash_key=os.urandom(16))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(app.run(wanted))


def healthcheck(_: argparse.Namespace) -> int:
    """Print in one line whether the bot on this machine is well. Imports nothing heavy."""
    from bot import health
    from config import envfile

    url = envfile.lookup("DATABASE_URL", Path(".env")) or health.DEFAULT_DATABASE
    well, line = health.check(health.state_file(url))
    print(line)
    return 0 if well else 1


def demo(_: argparse.Namespace) -> int:
    from bot.fake_telegram import demo as sandbox_demo

    return sandbox_demo.main()


def check(_: argparse.Namespace) -> int:
    from bot.cli import check as cli_check

    return cli_check.main()


def migrate(given: argparse.Namespace) -> int:
    from bot.jobs import backup as jobs_backup

    return jobs_backup.migrate(copy=not given.without_copy)


def backup(given: argparse.Namespace) -> int:
    from bot.jobs import backup as jobs_backup

    return jobs_backup.back_up(given.to, keep=given.keep)


def experiment(given: argparse.Namespace) -> int:
    from bot.cli import verify_experiment

    return verify_experiment.main(given.file)


def restore(given: argparse.Namespace) -> int:
    from bot.jobs import backup as jobs_backup

    return jobs_backup.restore(given.file, trusted=given.trusted)


def stats(_: argparse.Namespace) -> int:
    from bot.cli import stats

    return stats.main()


def claim(_: argparse.Namespace) -> int:
    from bot.cli import claim as cli_claim

    return cli_claim.main()


def _number(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 720:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 720")
    return int(text)


Command = tuple[str, Callable[[argparse.Namespace], int], dict[str, dict[str, Any]]]

COMMANDS: dict[str, Command] = {
    "run": ("run the bot", run, {}),
    "demo": ("chat with the bot in this terminal, against a stand-in Telegram", demo, {}),
    "check": ("say whether settings, database and content are good", check, {}),
    "healthcheck": ("say whether the bot that runs here is well", healthcheck, {}),
    "claim": ("show a one-time link that makes the first admin", claim, {}),
    "stats": ("count people, messages and answers; nobody can be told from it", stats, {}),
    "migrate": (
        "bring the database's schema up to date without starting the bot",
        migrate,
        {
            "--without-copy": {
                "action": "store_true",
                "help": "do not copy the database before its schema changes: there is a copy already",
            }
        },
    ),
    "backup": (
        "copy the database, also while the bot runs",
        backup,
        {
            "--to": {"type": Path, "metavar": "DIR", "help": "the folder for the copy (default: BACKUP_DIR)"},
            "--keep": {"type": _number, "metavar": "N", "help": "how many backups stay there (default: BACKUP_KEEP)"},
        },
    ),
    "experiment": (
        "make the schedule and the verdict of an export again; needs no token",
        experiment,
        {
            "what": {"choices": ("verify",), "help": "verify"},
            "file": {"type": Path, "metavar": "FILE", "help": "the ZIP file of /export"},
        },
    ),
    "restore": (
        "put a backup in the database's place; the bot must be stopped",
        restore,
        {
            "file": {"type": Path, "metavar": "FILE", "help": "the backup"},
            "--trusted": {
                "action": "store_true",
                "help": "also as a superuser of PostgreSQL, who does whatever the file says",
            },
        },
    ),
}


if __name__ == "__main__":
    sys.exit(main())
