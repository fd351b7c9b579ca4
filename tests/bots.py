"""Bots as processes of their own, forked by one that has read the code; see `nursery.py`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).parent.parent


class Forked:
    """A process of somebody else's, used like one that asyncio started."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._line, self._loop = line, asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._loop.add_reader(line, self._hear)

    def _hear(self) -> None:
        self._loop.remove_reader(self._line)
        with self._line as line:
            # Without a word the nursery has ended, and with it all that it forked.
            self.returncode = int(line.recv(16) or -signal.SIGKILL)
        self._ended.set_result(self.returncode)

    async def wait(self) -> int:
        """Its exit code, once it has one; negative for a signal."""
        return int(await asyncio.shield(self._ended))

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is not None:
            raise ProcessLookupError
        with contextlib.suppress(ProcessLookupError):  # it has ended, and we have not heard yet
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that forks bots; it is started for the first of them."""

    def __init__(self) -> None:
        self.forked: list[Forked] = []
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def fork(self, environment: dict[str, str], log: BinaryIO) -> Forked:
        """A new `python -m bot run` that writes to this file."""
        control = self._control or self._start()
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(control, [json.dumps(environment).encode()], [log.fileno(), theirs.fileno()])
        ours.setblocking(False)
        self.forked.append(Forked(int(await asyncio.get_running_loop().sock_recv(ours, 16)), ours))
        return self.forked[-1]

    def _start(self) -> socket.socket:
        self._control, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        # What is in force from an interpreter's start is in force in what is forked.
        environment = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error::ResourceWarning"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery"], cwd=ROOT, stdin=theirs, env=environment
            )
        return self._control

    def close(self) -> None:
        """End it, and all that it forked."""
        if self._control is not None and self._process is not None:
            self._control.close()
            self._process.wait()


_nurseries: list[Nursery] = []


@contextlib.contextmanager
def nursery() -> Iterator[None]:
    """Bots can be forked."""
    opened = Nursery()
    _nurseries.append(opened)
    try:
        yield
    finally:
        _nurseries.remove(opened)
        opened.close()


async def fork(environment: dict[str, str], log: BinaryIO) -> Forked:
    """A new `python -m bot run` that writes to this file."""
    return await _nurseries[-1].fork(environment, log)


@contextlib.asynccontextmanager
async def none_left() -> AsyncIterator[None]:
    """What is forked within the block has ended after it."""
    forked = _nurseries[-1].forked
    before = len(forked)
    try:
        yield
    finally:
        for one in forked[before:]:
            if one.returncode is None:
                one.kill()
                await one.wait()
