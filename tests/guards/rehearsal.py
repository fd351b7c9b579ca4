"""Runs the guards in copies of the tree: a process that has read what the bot is made of forks a pytest for each of them.

Reading the libraries takes more than a second, the guards themselves less than one. A line in is the folder of a copy; a line
out is pytest's exit code. What it wrote is in `guards.log` in that folder.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from pathlib import Path

OURS = ("bot", "db", "config", "tests")


def read_the_libraries() -> None:
    """Import all of the bot, and forget what is ours: a copy has its own."""
    for name in ("bot.app", "alembic.autogenerate", "alembic.command", "alembic.config", "babel.messages.pofile"):
        importlib.import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()


def run(folder: str) -> None:
    """What the child does instead of returning."""
    log = os.open(Path(folder) / "guards.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for standard in (1, 2):
        os.dup2(log, standard)
    os.chdir(folder)
    sys.path[:] = [folder, *(entry for entry in sys.path if entry not in ("", os.environ["PYTHONPATH"]))]
    import pytest

    code = pytest.main(["tests/guards", "-x", "-p", "no:xdist", "-p", "no:pytest_cov", "-p", "no:unraisableexception"])
    sys.stdout.flush()
    os._exit(code)


def main() -> None:
    """One copy after the other, until there are no more."""
    read_the_libraries()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run(line.strip())
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
