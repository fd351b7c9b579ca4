"""A process that has the bot's code loaded and forks a `python -m bot run` for every message it gets.

Reading the code takes more than a second of a start's time, and the tests have hundreds of starts. A message is a JSON
object of environment variables; two descriptors come with it: where the bot is to write, and a line on which its process
id is told at once and its exit code at its end, negative for a signal. `tests/bots.py` sends the messages.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterator

from bot import __main__ as bot_main

LATER = ("bot.app", "uvloop", "alembic.command", "alembic.config", "alembic.runtime.environment", "encodings.idna")
"""What a bot loads on its way; loaded here so that the children need not."""

SET = {"PYTHONTZPATH": "", "PTB_TIMEDELTA": "1"}
"""What `bot/__main__.py` sets when it is loaded, which here is before a child's environment is there."""

_lines: dict[int, socket.socket] = {}
"""The line of each child that lives, by its process id."""


def _say(line: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # whoever asked may have gone
        line.send(str(number).encode())


def _reap() -> None:
    while _lines:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with _lines.pop(pid) as line:
            _say(line, os.waitstatus_to_exitcode(status))


def _live(environment: dict[str, str], log: int) -> None:
    """What the child does instead of returning."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, standard)
    os.close(nothing)
    os.close(log)
    os.environ.clear()
    os.environ.update(environment | SET)
    code = 1
    try:
        code = bot_main.main(["run"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    gc.collect()  # what was left open says so now
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _messages(control: socket.socket, deaths: int) -> Iterator[tuple[bytes, int, socket.socket]]:
    """Environment, log and line as they come; meanwhile the dead are reported."""
    while True:
        ready, _, _ = select.select([control, deaths], [], [])
        if deaths in ready:
            os.read(deaths, 4096)
            _reap()
        if control in ready:
            message, files, _, _ = socket.recv_fds(control, 2**16, 2)
            if not message:
                return
            log, line = files
            yield message, log, socket.socket(fileno=line)


def main() -> None:
    """Fork until whoever sends the messages has gone."""
    for name in LATER:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    # A death wakes the wait for messages: a handler alone could run just before the wait begins, and be forgotten.
    deaths, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with socket.socket(fileno=os.dup(0)) as control:
        for message, log, line in _messages(control, deaths):
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for inherited in (control, line, *_lines.values()):
                    inherited.close()
                os.close(deaths)
                os.close(wake)
                _live(json.loads(message), log)
            os.close(log)
            _lines[pid] = line
            _say(line, pid)
    for pid, line in _lines.items():  # nobody is left to end them
        os.kill(pid, signal.SIGKILL)
        line.close()


if __name__ == "__main__":
    main()
