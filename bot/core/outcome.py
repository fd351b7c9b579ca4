"""What became of one attempt to send: values, so that the outbox decides what follows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Sent:
    """Telegram accepted it and gave it a number."""

    message_id: int


@dataclass(frozen=True, slots=True)
class Unsent:
    """Certainly not delivered, so it may go again. `retry_after` is in seconds, where Telegram asked for a wait."""

    reason: str
    retry_after: float | None = None


class Why(StrEnum):
    """Why we did not send something ourselves."""

    UNWANTED = "no longer wanted"
    SHUTTING_DOWN = "shutting down"
    NOT_NOTED = "could not be noted"
    TOO_LATE = "too late"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Certainly not delivered, because we decided not to send it; Telegram was not asked."""

    why: Why


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been delivered: the request was written and no readable answer came back."""

    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The person blocked the bot or deleted the account."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """Telegram does not know the chat. During outages it says so of existing chats too; a person is gone only after two nights."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Telegram refused the request itself. The mistake is ours, and the same request would be refused again."""

    reason: str


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """Telegram does not accept our token or address: nothing can be sent to anybody until that is put right."""

    reason: str


Outcome = Sent | Unsent | Withdrawn | Unknown | Gone | NotFound | Rejected | TokenRefused
