"""A process that has the bot's code loaded and forks a `python -m bot run` for every line it reads.

Reading the code takes a second of a start's time, and a test of five hundred deaths has five hundred starts. Each line of
input is a JSON object with `environment` and `log`; the lines of output are `started PID` and `ended PID CODE`, the code
negative for a signal.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from types import FrameType

from bot import __main__ as bot_main
from bot import app  # noqa: F401 - loaded here so that the children need not

_children: set[int] = set()


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _reap(_number: int, _frame: FrameType | None) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _children.discard(pid)
        _say(f"ended {pid} {os.waitstatus_to_exitcode(status)}")


def _live(environment: dict[str, str], log: str) -> None:
    """What the child does instead of returning."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
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


def main() -> None:
    """Fork until the input ends."""
    gc.freeze()
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        wanted = json.loads(line)
        # Held back, so that "ended" never comes before "started".
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        pid = os.fork()
        if pid == 0:
            _live(wanted["environment"], wanted["log"])
        _children.add(pid)
        _say(f"started {pid}")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    for pid in list(_children):  # whoever asked for them is gone
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
