"""What PostgreSQL's error codes (SQLSTATE) mean: try again later, or the statement is wrong and stays so."""

from __future__ import annotations

NO_MORE_CONNECTIONS = "53300"

_DAMAGED = ("XX001", "XX002")

_LATER = {
    "08": "the connection: refused, broken, a protocol out of step",
    "25006": "a server that only reads: a standby, until it is promoted",
    "25P0": "a transaction that the server had ended, for idling or for lasting too long",
    "28": "the login: a password or a certificate that is being changed",
    "3D": "a database that is not there: not yet, or not any more during a restore",
    "40": "deadlocks, and transactions that cannot be put in an order",
    "53": "resources: disk, memory, connections, or a limit that was set",
    "55": "an object in use, or a lock that did not come in time",
    "57": "an operator: a shutdown, a start, a statement that was cancelled or took too long",
    "58": "the system beneath: a read or a write that failed",
    "72": "a snapshot that was too old",
    "XX": "the server itself: a fault in it, or in what it has stored",
}
"""By their beginning, the states after which the same statement may succeed. With all others it is the statement, or what it
was given, that is wrong: syntax, rights, constraints, values, limits of the program."""


def is_transient(state: str) -> bool:
    """Whether the same may succeed later. An empty state, for an error that is not the server's, is not transient."""
    return state.startswith(tuple(_LATER))


def is_damage(state: str) -> bool:
    """Whether what is stored cannot be read any more."""
    return state in _DAMAGED
