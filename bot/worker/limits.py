"""What a process may no longer do once it reads what a stranger sent: limits that it cannot lift again."""

from __future__ import annotations

import resource

MEMORY = 256 * 2**20
"""Bytes of address space. The largest file that is taken needs a third of it."""

SECONDS = 20
"""Seconds of processor time: several times what the largest file takes."""


def confine() -> None:
    """No more memory, time, files, sockets, children or core dumps than these. The pipes to the bot stay open."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        # With no number left for a descriptor neither a file nor a connection can be opened.
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(kind, (most, most))
