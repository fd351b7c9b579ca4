"""The drawing process: drawings come in on standard input, pictures go out on standard output, and after a while it ends.

matplotlib holds the interpreter's lock for tens of milliseconds at a time and 60 MB for good; in a process of its own neither
is felt by the one that answers people. A frame is a length of four bytes, big-endian, and as many bytes: JSON in; out, a byte
that is 1 for a picture or 0 for a fault, then the picture or the fault's name.
"""

from __future__ import annotations

import json
import os
import select
import struct
import sys
from typing import BinaryIO

from bot.charts import Drawing

IDLE = 120.0
"""Seconds without a drawing after which the process ends and gives its memory back."""

_LENGTH = struct.Struct(">I")


def serve(source: BinaryIO, sink: BinaryIO, *, idle: float = IDLE) -> None:
    """Draw until the input ends or nothing comes for `idle` seconds."""
    from bot.charts import drawing

    while select.select([source], [], [], idle)[0]:
        head = source.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return
        name, values = json.loads(source.read(_LENGTH.unpack(head)[0]))
        try:
            answer = b"\x01" + drawing.draw(Drawing(name, values))
        except Exception as error:  # one picture that cannot be drawn must not cost the others theirs
            answer = b"\x00" + type(error).__name__.encode()
        try:
            sink.write(_LENGTH.pack(len(answer)) + answer)
            sink.flush()
        except BrokenPipeError:  # the bot died meanwhile: there is nobody to draw for
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nor anything to complain of at the end
            return


if __name__ == "__main__":
    # Unbuffered, because `select` knows nothing of what a buffer has read ahead.
    with open(0, "rb", buffering=0, closefd=False) as pipe_in:
        serve(pipe_in, sys.stdout.buffer, idle=float(sys.argv[1]) if len(sys.argv) > 1 else IDLE)
