"""A process that has the bot's code loaded and forks a `python -m bot run` for every line it reads.

Reading the code takes a second of a start's time, and a test of five hundred deaths has five hundred starts. Each line of
input is a JSON object with `environment` and `log`; the lines of output are `started PID` and `ended PID CODE`, the code
negative for a signal.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Iterator

from bot import __main__ as bot_main
from bot import app  # noqa: F401 - loaded here so that the children need not

_children: set[int] = set()


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _reap() -> None:
    while _children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        _children.discard(pid)
        _say(f"ended {pid} {os.waitstatus_to_exitcode(status)}")


def _live(environment: dict[str, str], log: str) -> None:
    """What the child does instead of returning."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.clear()
    os.environ.update(environment)
    code = 70
    try:
        code = bot_main.main(["run"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _lines(deaths: int) -> Iterator[bytes]:
    """The lines of the input as they come; meanwhile the dead are reported."""
    rest = b""
    while True:
        ready, _, _ = select.select([0, deaths], [], [])
        if deaths in ready:
            os.read(deaths, 4096)
            _reap()
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                return
            *lines, rest = (rest + read).split(b"\n")
            yield from lines


def main() -> None:
    """Fork until the input ends."""
    gc.freeze()
    # A death wakes the wait for input: a handler alone could run just before the wait begins, and be forgotten.
    deaths, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for line in _lines(deaths):
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(wanted["environment"], wanted["log"])
        _children.add(pid)
        _say(f"started {pid}")
    for pid in list(_children):  # whoever asked for them is gone
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
