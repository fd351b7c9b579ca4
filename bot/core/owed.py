"""What a message needs that is owed to a person: the outbox's row with the person, the night and the self-experiment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.core.experiment.report import Told
from bot.core.experiment.run import Assignment
from bot.core.model import Kind, Night, NightRecord, Person, Sleeper, State


@dataclass(frozen=True, slots=True)
class Owed:
    """One claimed outbox row with all that its message needs. Instants are aware UTC.

    `copies` is how many copies may have arrived before this one. `message_id` is the row's earlier message, such as a
    reminder's first one after a snooze. `record` is the night that the message is about; `reminder` and `reminder_reason` are
    the state of that night's reminder.
    """

    id: int
    kind: Kind
    night: Night
    planned_at: datetime
    until_at: datetime
    bed_at: datetime
    copies: int
    tries: int
    person: Person
    record: NightRecord
    retired_tips: frozenset[str] = frozenset()
    reminder: State | None = None
    reminder_reason: str | None = None
    message_id: int | None = None
    tip: int | None = None  # that the message was owed for, or that the reminder had, by core.tips.number
    trial: Assignment | Told | None = None  # of a person with a self-experiment: what tonight is, or what it found

    @property
    def sleeper(self) -> Sleeper:
        """The person with their bedtimes.

        Raises ValueError if bedtime or zone is unknown; such a person is owed nothing about a night.
        """
        found = self.person.sleeper
        if found is None:
            raise ValueError(f"a {self.kind} is owed to a person without a bedtime")
        return found
