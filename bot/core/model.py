"""The values that all other modules take and return: people, nights, kinds of messages, and their states."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum

# A civil time of day is a whole number of minutes after midnight, 0 to 1439. A night is the civil date of its evening.
Minute = int
Night = date

DEFAULT_LEAD = 45
"""Minutes between reminder and bedtime when the person has not chosen."""


class Status(StrEnum):
    """Where a person stands with the bot."""

    NEW = "new"  # has not accepted the safety text
    SETTING_UP = "setting_up"  # accepted it; bedtime, zone or form still missing
    ACTIVE = "active"
    PAUSED = "paused"  # by /pause, until a night or until they return
    STOPPED = "stopped"  # by /stop, until /resume
    GONE = "gone"  # blocked the bot or deleted the account


class Kind(StrEnum):
    """What an owed message is."""

    REMINDER = "reminder"
    NUDGE = "nudge"
    CHECK_IN = "check_in"
    KEEP_GOING = "keep_going"  # in a check-in's place, after a week of mornings without an answer
    GUESS = "guess"  # what the person thinks the bags of a self-experiment held, before its seal breaks
    RESULT = "result"  # what a self-experiment found
    DORMANT = "dormant"  # eighteen silent months: the diary will be erased
    TAKEN_BACK = "taken_back"  # a tip that was shown has been withdrawn
    DIGEST = "digest"  # the week in one picture, on Sunday


class State(StrEnum):
    """The states of an outbox row."""

    DUE = "due"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    GONE = "gone"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Intake(IntEnum):
    """What became of the night's supplement, as the person said. MISSED is not said by anybody: the cut-off sets it.

    BAG: a self-experiment's numbered bag was taken. Nobody may know what was in it before the test ends; then BAG becomes
    TAKEN or SKIPPED, as planned.
    """

    TAKEN = 1
    SKIPPED = 2
    MISSED = 3
    BAG = 4


class Reason(StrEnum):
    """Why a night was skipped."""

    RAN_OUT = "ran_out"
    FORGOT = "forgot"
    STOMACH = "stomach"
    ALCOHOL = "alcohol"
    OTHER = "other"
    NONE = "none"
    TEST = "test"  # the self-experiment's night without


class Rating(IntEnum):
    """Sleep compared with the person's usual."""

    MUCH_WORSE = -2
    WORSE = -1
    SAME = 0
    BETTER = 1
    MUCH_BETTER = 2

    @property
    def better_night(self) -> bool:
        """A better night is one rated Better or Much better."""
        return self >= Rating.BETTER


class Cadence(StrEnum):
    """How often the morning question comes, for people who stopped answering it."""

    NIGHTLY = "nightly"
    WEEKLY = "weekly"
    SILENT = "silent"


class Awaiting(StrEnum):
    """Which question the next free text answers."""

    BEDTIME = "bedtime"
    WEEKEND = "weekend"
    LATER = "later"
    LEAD = "lead"
    ZONE = "zone"
    AWAY_UNTIL = "away_until"
    CHECK_IN = "check_in"
    LABEL = "label"
    DELETE = "delete"
    IMPORT = "import"
    NOTE = "note"
    DETAIL = "detail"
    STOCK = "stock"
    PACK = "pack"
    WORD = "word"  # the person's half of a self-experiment's seed


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a person goes to bed.

    `bedtimes` and `check_ins` hold seven minutes after midnight, Monday's night first. `check_ins` is None for bedtime + 9 h.
    `zone` is an IANA name. While `night < away_until` the zone is `away_zone`. On the night `later_night` the bedtime is
    `later_bedtime` instead of the weekday's.
    """

    zone: str
    bedtimes: tuple[Minute, ...]
    lead: int = DEFAULT_LEAD
    check_ins: tuple[Minute, ...] | None = None
    away_zone: str | None = None
    away_until: Night | None = None
    later_night: Night | None = None
    later_bedtime: Minute | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """One planned evening: the night, the reminder's instant and bedtime, both aware UTC."""

    night: Night
    remind_at: datetime
    bed_at: datetime


@dataclass(frozen=True, slots=True)
class Tip:
    """One tip. `sources` are ids in sources, `unfit_forms` form ids to whose users it is not shown.

    `by_day`: nothing to read in bed, because it is about illness and danger. `tells`: it gives away what is taken.
    """

    id: str
    topic: str
    text: str
    strength: str
    sources: tuple[str, ...]
    claims: tuple[str, ...]
    unfit_forms: tuple[str, ...] = ()
    by_day: bool = False
    tells: bool = False

    def __hash__(self) -> int:
        # By the id alone, which is unique: every reminder looks up lists of a hundred tips.
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement comes from. `link` is an https address or a DOI address, or None where neither was verified.

    `checked` is the day on which somebody last looked whether it is still there and still says so.
    """

    id: str
    title: str
    authors: str
    year: int | None
    link: str | None
    checked: date | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """One supplement form, as the form guide shows it. Texts are English msgids.

    `inline` is how it reads in "Time for your magnesium (glycinate).", or empty where nothing is to stand there.
    """

    id: str
    name: str
    inline: str
    what: str
    known: str
    gut: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caution:
    """One line of the safety page: who should ask first, or a medicine that magnesium interferes with."""

    id: str
    text: str
    sources: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Person:
    """One person: everything stored about them except their nights. Its fields are the columns of the table `users`.

    - `bedtimes` is empty until chosen.
    - `remind_at` is when the next reminder is planned, for the night `remind_night`; None if none is planned.
    - `owe_at` is when messages that precede that reminder must be owed; None if there are none, or they are owed already.
    - `reminded_at` and `reminded_night` belong to the last reminder that was owed.
    - `stock` is for how many evenings the supply lasted before the night `stock_from`; `pack` is how many a new pack adds.

    Instants are aware UTC.
    """

    id: int
    status: Status
    created_at: datetime
    seen_at: datetime
    consent: int | None = None
    language: str | None = None
    zone: str | None = None
    bedtimes: tuple[Minute, ...] = ()
    lead: int | None = None
    check_ins: tuple[Minute, ...] | None = None
    form: str | None = None
    label: str | None = None
    remind_at: datetime | None = None
    remind_night: Night | None = None
    owe_at: datetime | None = None
    reminded_at: datetime | None = None
    reminded_night: Night | None = None
    away_zone: str | None = None
    away_until: Night | None = None
    later_night: Night | None = None
    later_bedtime: Minute | None = None
    paused_until: Night | None = None
    awaiting: Awaiting | None = None
    awaiting_for: str | None = None
    awaiting_until: datetime | None = None
    cadence: Cadence | None = None
    unanswered: int | None = None
    nudges: int | None = None
    snooze: int | None = None
    quiet: bool | None = None
    discreet: bool | None = None
    no_check_in: bool | None = None
    no_news: bool | None = None
    muted: frozenset[str] = frozenset()
    exported_at: datetime | None = None
    warned_at: datetime | None = None
    detail: int | None = None
    ask_evening: bool | None = None
    light: bool | None = None
    no_digest: bool | None = None
    stock: int | None = None
    stock_from: Night | None = None
    stock_told: bool | None = None
    pack: int | None = None

    @property
    def schedule(self) -> Schedule | None:
        """When they go to bed; None as long as bedtime or zone is missing."""
        if self.zone is None or not self.bedtimes:
            return None
        return Schedule(
            zone=self.zone,
            bedtimes=self.bedtimes,
            lead=DEFAULT_LEAD if self.lead is None else self.lead,
            check_ins=self.check_ins,
            away_zone=self.away_zone,
            away_until=self.away_until,
            later_night=self.later_night,
            later_bedtime=self.later_bedtime,
        )

    @property
    def sleeper(self) -> Sleeper | None:
        """The person as a Sleeper; None as long as bedtime or zone is missing."""
        schedule = self.schedule
        return None if schedule is None else Sleeper(self, schedule)

    @property
    def set_up(self) -> bool:
        """Whether everything is known that a reminder needs."""
        return self.consent is not None and self.schedule is not None and self.form is not None


@dataclass(frozen=True, slots=True)
class Sleeper:
    """A person whose bedtime and zone are known. Everything about an evening or a night takes one."""

    person: Person
    schedule: Schedule


class Delivery(IntEnum):
    """What became of a night's reminder, once the night is closed."""

    SENT = 1
    UNKNOWN = 2
    EXPIRED = 3
    UNREACHABLE = 4
    NOT_FOUND = 5
    CANCELLED = 6  # answered, skipped or paused before it was due


@dataclass(frozen=True, slots=True)
class NightRecord:
    """One night of the diary. None always means that there is no answer."""

    night: Night
    delivery: Delivery | None = None
    intake: Intake | None = None
    intake_at: datetime | None = None
    reason: Reason | None = None
    rating: Rating | None = None
    rated_at: datetime | None = None
    late: bool = False

    @property
    def answered(self) -> bool:
        """Whether the person said what became of the supplement."""
        return self.intake not in (None, Intake.MISSED)

    @property
    def took(self) -> bool:
        """Whether the person took something that evening, from a bag or otherwise."""
        return self.intake in (Intake.TAKEN, Intake.BAG)
