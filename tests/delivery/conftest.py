"""The transports and bots of tests/telegram, for messages that are sent over them."""

from __future__ import annotations

from tests.telegram.conftest import connect, transports

__all__ = ["connect", "transports"]
