"""The worker's side: questions come in on standard input, answers go out on standard output, and after a while it ends.

matplotlib holds the interpreter's lock for tens of milliseconds at a time and 60 MB for good, and a long CSV file keeps Python
busy for seconds; in a process of its own neither is felt by the one that answers people. A frame is a length of four bytes,
big-endian, and as many bytes: the question in; out, a byte that is 1 for an answer or 0 for a fault, then the answer or the
fault's name.
"""

from __future__ import annotations

import json
import os
import select
import struct
import sys
from collections.abc import Callable
from typing import BinaryIO

IDLE = 120.0
"""Seconds without a question after which the process ends and gives its memory back."""

_LENGTH = struct.Struct(">I")

Work = Callable[[bytes], bytes]


def drawing() -> Work:
    """Pictures: the name and values of a drawing as JSON, PNG or PDF back."""
    from bot.charts import Drawing
    from bot.charts import drawing as charts_drawing

    return lambda question: charts_drawing.draw(Drawing(*json.loads(question)))


def reading() -> Work:
    """Files that people send. From its first question on the process has lost what reading needs not."""
    from bot.worker import reading as files

    return files.confined


WORKS: dict[str, Callable[[], Work]] = {"draw": drawing, "read": reading}
"""What a worker can be started for; each gives what answers its questions."""


def serve(source: BinaryIO, sink: BinaryIO, work: Work, *, idle: float = IDLE) -> None:
    """Answer until the input ends or nothing comes for `idle` seconds."""
    while select.select([source], [], [], idle)[0]:
        head = _exactly(source, _LENGTH.size)
        if len(head) < _LENGTH.size:
            return
        try:
            answer = b"\x01" + work(_exactly(source, _LENGTH.unpack(head)[0]))
        except Exception as error:  # one that cannot be done must not cost the others theirs
            answer = b"\x00" + type(error).__name__.encode()
        try:
            sink.write(_LENGTH.pack(len(answer)) + answer)
            sink.flush()
        except BrokenPipeError:  # the bot died meanwhile: there is nobody to work for
            # Nor anything to complain of at the end. A confined process can open nothing, and needs not.
            os.dup2(0, 1)
            return


def _exactly(source: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer where the input ends: a pipe gives no more at a time than it holds."""
    parts = bytearray()
    while len(parts) < size and (part := source.read(size - len(parts))):
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    # Unbuffered, because `select` knows nothing of what a buffer has read ahead.
    with open(0, "rb", buffering=0, closefd=False) as pipe_in:
        serve(pipe_in, sys.stdout.buffer, WORKS[sys.argv[1]](), idle=float(sys.argv[2]))
