"""What a kind of message means, in one table. A new kind is a member of `Kind`, an entry here, a view and a test.

Lanes, orders, the SQL of the outbox, what an answer or a pause ends, and the planning of an evening are derived from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core import schedule as times
from bot.core.model import Cadence, Due, Kind, Person, Schedule
from bot.core.pacing import Lane

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Occasion:
    """The night whose messages are owed. `cadence`: how often this person is asked in the morning from now on."""

    person: Person
    schedule: Schedule
    due: Due
    cadence: Cadence | None


@dataclass(frozen=True, slots=True)
class Window:
    """When a message is sent: at `at`, or late until `until_at`; from `close_at` it is history. Aware UTC."""

    at: datetime
    until_at: datetime
    close_at: datetime


class Repeats(StrEnum):
    """Whether a message is sent again if it is unknown whether it arrived."""

    NEVER = "never"
    WITH_NEWS = "with_news"  # once, and only where it tells of a reminder that may not have arrived
    LABELLED = "labelled"  # until three copies have left, the later ones silent and labelled


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that differs between the kinds.

    - `lane`: who goes first, at the socket and when rows are claimed; within a lane the earliest end of a window.
    - `view`: the name under which the renderer knows what it says.
    - `when`: its window, for a kind that is owed together with its night; it gives None on nights that do not have it. None for
      a kind that something else owes: the sending of a reminder, or a job.
    - `ahead`: for a kind that is due before the reminder, how long before it its window can open, at most. So long before the
      reminder it is owed, to people of whom `early_bird` is true.
    - `ended_by_answer`: an answer to the night makes it superfluous.
    - `while_paused`, `while_stopped`: it goes to people who rest, or said /stop. Nothing goes to people who left.
    - `may_go_early`: it may go before its moment when the minutes ahead are too crowded.
    - `repeats`: what follows when nobody knows whether it arrived.
    - `hidden_by_seal`: it is not sent while a self-experiment is under way.
    - `switch`: the person's setting that switches it off.
    - `picture`: it is a picture with a caption, which takes a moment to draw.
    - `counts_as_quiet`: sent and not answered, it is one more quiet morning.
    """

    lane: Lane
    view: str
    when: Callable[[Occasion], Window | None] | None = None
    ahead: timedelta = timedelta()
    early_bird: Callable[[Person], bool] = lambda _: True
    ended_by_answer: bool = False
    while_paused: bool = True
    while_stopped: bool = False
    may_go_early: bool = False
    repeats: Repeats = Repeats.NEVER
    hidden_by_seal: bool = False
    switch: str | None = None
    picture: bool = False
    counts_as_quiet: bool = False


# -- when ----------------------------------------------------------------------------------------------------------------


def _before_bed(night: Occasion) -> Window:
    due = night.due
    return Window(due.remind_at, due.bed_at - times.NEVER_BEFORE_BED, times.cut_off(night.schedule, due.night))


def _morning(night: Occasion) -> Window | None:
    """At check-in time. None where two bedtimes are too close for a morning between them."""
    at, until = (ask(night.schedule, night.due.night) for ask in (times.check_in_at, times.check_in_until))
    return Window(at, until, until) if at < until else None


def _asks_how_to_go_on(night: Occasion) -> bool:
    return night.cadence is Cadence.WEEKLY and night.person.cadence is None


def _check_in(night: Occasion) -> Window | None:
    weekly = night.cadence is Cadence.WEEKLY and night.due.night.weekday() == _SATURDAY
    asked = night.cadence is None or weekly
    return _morning(night) if asked and not _asks_how_to_go_on(night) and not night.person.no_check_in else None


def _keep_going(night: Occasion) -> Window | None:
    return _morning(night) if _asks_how_to_go_on(night) and not night.person.no_check_in else None


def _digest(night: Occasion) -> Window | None:
    wanted = not night.person.no_digest and night.cadence in (None, Cadence.NIGHTLY)
    return _morning(night) if wanted and night.due.night.weekday() == _SATURDAY else None


# -- the table -----------------------------------------------------------------------------------------------------------

KINDS: dict[Kind, Policy] = {
    Kind.REMINDER: Policy(
        lane=Lane.REMINDER,
        view="reminder",
        when=_before_bed,
        ended_by_answer=True,
        while_paused=False,
        may_go_early=True,
        repeats=Repeats.LABELLED,
    ),
    # Owed when a reminder, or the nudge before, was sent.
    Kind.NUDGE: Policy(lane=Lane.REMINDER, view="nudge", ended_by_answer=True, while_paused=False),
    Kind.CHECK_IN: Policy(
        lane=Lane.CHECK_IN,
        view="check_in",
        when=_check_in,
        repeats=Repeats.WITH_NEWS,
        switch="no_check_in",
        counts_as_quiet=True,
    ),
    Kind.KEEP_GOING: Policy(lane=Lane.CHECK_IN, view="keep_going", when=_keep_going, switch="no_check_in"),
    # Owed by the job that judges a self-experiment.
    Kind.GUESS: Policy(lane=Lane.CHECK_IN, view="guess"),
    Kind.RESULT: Policy(lane=Lane.CHECK_IN, view="result"),
    # Owed by the job that looks for people long silent; also to those who wanted to hear nothing: their diary is about to go.
    Kind.DORMANT: Policy(lane=Lane.CHECK_IN, view="dormant", while_stopped=True),
    # Owed by the job that looks for people who were shown a tip since withdrawn.
    Kind.TAKEN_BACK: Policy(lane=Lane.DIGEST, view="taken_back"),
    # A week of ratings next to what was taken would reveal sealed results.
    Kind.DIGEST: Policy(
        lane=Lane.DIGEST, view="digest", when=_digest, hidden_by_seal=True, switch="no_digest", picture=True
    ),
}


def having(wanted: Callable[[Policy], bool]) -> tuple[Kind, ...]:
    """The kinds for whose policy the condition is true, in the table's order."""
    return tuple(kind for kind, policy in KINDS.items() if wanted(policy))


def switched_off_by(switch: str) -> tuple[Kind, ...]:
    """The kinds that this setting of a person switches off."""
    return having(lambda policy: policy.switch == switch)


def owe_at(person: Person, remind_at: datetime) -> datetime:
    """When something of that night must be owed: with the reminder, or earlier where a kind for this person is due before it."""
    ahead = max((policy.ahead for policy in KINDS.values() if policy.ahead and policy.early_bird(person)), default=None)
    return remind_at if ahead is None else remind_at - ahead
