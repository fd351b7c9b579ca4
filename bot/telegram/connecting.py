"""Why a connection to Telegram did not come about."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why nothing came back from Telegram, as the log names it."""

    REFUSED = "refused"
    NAME = "name not found"
    TIMED_OUT = "timed out"
    UNTRUSTED = "certificate not trusted"
    CLOCK = "certificate not valid at this machine's time"
    PROXY = "proxy refused"
    OTHER = "other"
