"""A self-experiment under way: what tonight is, which nights count, when it is over, and what is kept of it. Pure.

1. Until the end nothing here gives a person their arms together with their ratings.
2. In the blind mode an evening that was taken is stored as a bag. At the end each bag becomes taken or skipped, as planned.
3. A night counts if it is in the plan, was not left out, and its reminder certainly arrived.
4. Only a rating that was given in time counts, even if a later one replaced it in the diary.
5. A pause moves the rest of the plan by whole weeks, and begins with the first night whose arm was not shown.
6. A test is over once every answer that counts is in: the last morning was answered, or its time has passed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from bot.core import schedule as times
from bot.core.experiment import design
from bot.core.experiment.design import Arm, AssignedNight, Plan, RunIn, Void
from bot.core.experiment.seed import seed_of
from bot.core.model import Delivery, Intake, Night, Rating, Reason, Schedule
from bot.core.model import NightRecord as DiaryNight

LOOK_AGAIN = timedelta(minutes=1)
"""How long to wait before looking again whether the last morning was answered."""

_DAY = timedelta(days=1)
_MORNING_AFTER = timedelta(hours=9)


class Tonight(StrEnum):
    """What a self-experiment says about an evening, as its reminder shows it."""

    WITH = "with"
    WITHOUT = "without"
    BAG = "bag"  # the content of the numbered bag, which nobody here may know
    FREE = "free"  # a night that was left out: the person decides


@dataclass(frozen=True, slots=True)
class Assignment:
    """Tonight's part in a self-experiment; `bag` is the number of the bag in the blind mode."""

    tonight: Tonight
    bag: int | None = None


@dataclass(frozen=True, slots=True)
class Halves:
    """What a seed was made of: the bot's random bytes and the person's word, or one that the bot drew for them."""

    bots_seed: bytes = field(repr=False)  # sealed until the end
    word: str = field(repr=False)
    drawn: bool

    @property
    def seed(self) -> bytes:
        """The seed of the plan."""
        return seed_of(self.bots_seed, self.word)


GUESSES: Mapping[str, Arm | None] = {"-": None, "1": Arm.ON, "0": Arm.OFF}
"""How a guess at a week's bags is written."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A self-experiment as it is stored. While `paused_since` is set, nobody knows yet when it goes on.

    Of version 2 alone: `halves` are what the seed was made of; `looks` says after how many whole fortnights the bot has
    looked last; `over_after` is the last night of a test that is over and waits for the guess at its bags; `guess` has a
    letter for each week (`GUESSES`); `packed` says that the helper has packed and counted them.
    """

    id: int
    user_id: int
    plan: Plan
    blind: bool
    begun_at: datetime
    bags_code: str | None = None
    paused_since: Night | None = None
    stopped_after: Night | None = None
    ended_at: datetime | None = None
    report: str | None = None
    halves: Halves | None = None
    looks: int = 0
    over_after: Night | None = None
    guess: str | None = None
    packed: bool = False

    @property
    def version(self) -> int:
        """Which version it was begun with, and ends with."""
        return 1 if self.halves is None else 2

    @property
    def lived_out(self) -> bool:
        """Whether no further night is part of it: it was stopped, or is over and waits for a guess."""
        return self.stopped_after is not None or self.over_after is not None

    @property
    def sealed(self) -> bool:
        """Whether it is still under way, so that its arms must not be shown."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Lived:
    """Everything known about one night of a test.

    `revealed`: its reminder arrived, so the person knows its arm. `void`: why the person left it out. `in_time`: the rating
    that was given in time, if a late one has replaced it in the diary.
    """

    diary: DiaryNight
    revealed: bool
    void: Void | None = None
    in_time: Rating | None = None

    @property
    def rated_in_time(self) -> bool:
        """Whether the night has a rating that counts."""
        return self.in_time is not None or (self.diary.rating is not None and not self.diary.late)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a test is, without its arms. `night` counts from 1 after the run-in and is 0 during it."""

    run_in: int
    night: int
    mornings: int
    answered: int
    left_out: int


def assignment(trial: Experiment, night: Night, *, void: bool) -> Assignment | None:
    """What a night's reminder says about the test; None for an ordinary night. `void`: the person left the night out."""
    what = _lived_as(trial, night)
    if what is None or trial.ended_at is not None:
        return None
    if void:
        return Assignment(Tonight.FREE)
    if isinstance(what, RunIn):
        return Assignment(Tonight.WITHOUT)
    if trial.blind:
        return Assignment(Tonight.BAG, design.bag_on(trial.plan, night))
    return Assignment(Tonight.WITH if what is Arm.ON else Tonight.WITHOUT)


def _lived_as(trial: Experiment, night: Night) -> Arm | RunIn | None:
    """The night's arm or run-in day; None outside the plan, in a pause, and after an early stop."""
    resting = trial.paused_since is not None and night >= trial.paused_since
    ended = any(last is not None and night > last for last in (trial.stopped_after, trial.over_after))
    return None if resting or ended else design.arm_on(trial.plan, night)


# -- evenings with a bag -----------------------------------------------------------------------------------------------


def in_bag(trial: Experiment, night: Night, *, void: bool) -> Arm | None:
    """The content of that night's bag; None for a night without a bag."""
    what = _lived_as(trial, night) if trial.blind and not void else None
    return what if isinstance(what, Arm) else None


def as_kept(record: DiaryNight, arm: Arm | None, *, sealed: bool) -> DiaryNight:
    """The night as the diary may store it, given the content `arm` of its bag (None: no bag).

    A taken night is stored as a bag while the test is sealed, and afterwards as what the bag held. Other nights stay.
    """
    if arm is None or not record.took:
        return record
    if sealed:
        return replace(record, intake=Intake.BAG, reason=None)
    if arm is Arm.ON:
        return replace(record, intake=Intake.TAKEN, reason=None)
    return replace(record, intake=Intake.SKIPPED, reason=Reason.TEST)


def unsealed(trial: Experiment, record: DiaryNight, *, void: bool) -> DiaryNight:
    """A night of a finished self-experiment, its bag replaced by what it held."""
    if record.intake is not Intake.BAG or not trial.blind:
        return as_kept(record, in_bag(trial, record.night, void=void), sealed=False)
    # The reminder had named the bag before the test was stopped or paused, or the night left out: it held what was planned.
    planned = design.arm_on(trial.plan, record.night)
    return as_kept(record, planned if isinstance(planned, Arm) else Arm.ON, sealed=False)


def brought(trials: Iterable[Experiment], record: DiaryNight, *, void: bool) -> DiaryNight:
    """A night from an imported file, as the diary may store it given the person's self-experiments `trials`."""
    for one in trials:
        record = as_kept(record, in_bag(one, record.night, void=void), sealed=one.sealed)
    return record


@dataclass(frozen=True, slots=True)
class Tested:
    """Nights of finished self-experiments: those whose arm was drawn by chance, and those of the run-in."""

    by_chance: frozenset[Night] = frozenset()
    run_in: frozenset[Night] = frozenset()


def tested(nights: Iterable[AssignedNight]) -> Tested:
    """Those of finished self-experiments that counted."""
    counted = [one for one in nights if not one.void]
    return Tested(
        by_chance=frozenset(one.night for one in counted if one.arm is not None),
        run_in=frozenset(one.night for one in counted if one.arm is None),
    )


# -- what counts -------------------------------------------------------------------------------------------------------


def whole(trial: Experiment, lived: Iterable[Lived], *, until: Night) -> list[Lived]:
    """`lived` completed to every night of the plan up to `until`, in order.

    A night of which nothing is stored had no reminder: the bot was away for longer than it looks back, or the night was
    lost between two zones or bedtimes.
    """
    known = {one.diary.night: one for one in lived}
    for place in range(design.RUN_IN + trial.plan.length):
        night = design.night_at(trial.plan, place)
        if night <= until and night not in known:
            known[night] = Lived(DiaryNight(night), revealed=False)
    return [known[night] for night in sorted(known)]


def records(trial: Experiment, lived: Iterable[Lived]) -> list[AssignedNight]:
    """The plan's nights as the analysis needs them. A night whose reminder did not certainly arrive is void."""
    return [_record(trial, one) for one in lived if design.place_of(trial.plan, one.diary.night) is not None]


def _record(trial: Experiment, one: Lived) -> AssignedNight:
    what = design.arm_on(trial.plan, one.diary.night)
    arm = what if isinstance(what, Arm) else None
    return AssignedNight(
        night=one.diary.night,
        arm=arm,
        taken=_taken(unsealed(trial, one.diary, void=one.void is not None)),
        rating=one.diary.rating if one.in_time is None else one.in_time,
        late=one.diary.late and one.in_time is None,
        void=one.void is not None or not one.revealed,
        stomach=one.diary.reason is Reason.STOMACH,
        guess=None if arm is None else _guess(trial, one.diary.night),
    )


def _guess(trial: Experiment, night: Night) -> Arm | None:
    """What the person thought that the bags of the night's week held."""
    place = design.place_of(trial.plan, night)
    week = None if place is None else (place - design.RUN_IN) // design.WEEK
    return None if trial.guess is None or week is None else GUESSES[trial.guess[week : week + 1] or "-"]


def _taken(record: DiaryNight) -> bool | None:
    """Whether magnesium was taken; None if the person did not say."""
    return {Intake.TAKEN: True, Intake.SKIPPED: False}.get(record.intake) if record.intake is not None else None


def arrived(delivery: Delivery | None) -> bool:
    """Whether a closed night's reminder certainly reached the person."""
    return delivery is Delivery.SENT


def uncounted(trial: Experiment, lived: Iterable[Lived], *, nights: int) -> tuple[int, int]:
    """Of the first so many nights after the run-in: those the person left out, and those whose reminder did not arrive."""
    within = range(design.RUN_IN, design.RUN_IN + nights)
    counted = [one for one in lived if design.place_of(trial.plan, one.diary.night) in within]
    left_out = sum(one.void is not None for one in counted)
    return left_out, sum(one.void is None and not one.revealed for one in counted)


def progress(trial: Experiment, lived: Sequence[Lived], *, tonight: Night, slept: Night) -> Progress:
    """How far the test is: nights up to `tonight`, and mornings that could have been answered, up to the night `slept`."""
    places = [place for one in lived if (place := design.place_of(trial.plan, one.diary.night)) is not None]
    past = [
        one for one in lived if one.diary.night <= slept and design.place_of(trial.plan, one.diary.night) is not None
    ]
    place = design.place_of(trial.plan, tonight)
    reached = max([*places, -1] if place is None else [place])
    return Progress(
        run_in=min(reached + 1, design.RUN_IN),
        night=max(0, reached + 1 - design.RUN_IN),
        mornings=len(past),
        answered=sum(one.rated_in_time for one in past),
        left_out=sum(one.void is not None or not one.revealed for one in past),
    )


# -- a rest ------------------------------------------------------------------------------------------------------------


def next_night(schedule: Schedule, now: datetime) -> Night:
    """The first night whose bedtime is still ahead."""
    return through(schedule, now=now) + _DAY


def first_unrevealed(since: Night, revealed: Container[Night]) -> Night:
    """The first night from `since` on that is not among those `revealed` to the person."""
    while since in revealed:
        since += _DAY
    return since


@dataclass(frozen=True, slots=True)
class OnHold:
    """The test rests from the night `since` on, without a known end."""

    since: Night


def rest(one: Experiment, since: Night, *, back: Night | None) -> OnHold | Plan | None:
    """What a pause of the reminders does to a test.

    `since` is the first night that was not revealed, `back` the night on which reminders resume, or None if unknown. With an
    unknown end the test is on hold; with a known one its plan moves by whole weeks; None if the pause costs no night. A
    hold that is in force already keeps its beginning.
    """
    since = one.paused_since or since
    if back is None:
        return OnHold(since)
    return design.postpone(one.plan, since, back=back) if back > since else None


def carry_on(one: Experiment, since: Night, *, back: Night | None) -> Plan:
    """The plan after a hold: moved by whole weeks, or unchanged if no night was lost.

    `since` is the first night of the hold that was not revealed, `back` the next planned night, or None if there is none.
    """
    moved = back is not None and back > since
    return design.postpone(one.plan, since, back=back) if back is not None and moved else one.plan


# -- its end -----------------------------------------------------------------------------------------------------------


def looks(trial: Experiment) -> tuple[int, ...]:
    """After how many whole fortnights the bot looks; at a test of version 1 at its end alone."""
    return tuple(design.bounds(trial.plan)) if trial.version > 1 else (trial.plan.length // design.FORTNIGHT,)


def next_look(trial: Experiment) -> int:
    """After how many whole fortnights it looks next."""
    every = looks(trial)
    return next((fortnights for fortnights in every if fortnights > trial.looks), every[-1])


def looked_at(trial: Experiment) -> Night:
    """The last night that the next look rests on."""
    return design.look_night(trial.plan, next_look(trial))


def look_at(trial: Experiment) -> datetime:
    """The first instant (UTC) at which that night could be over anywhere on Earth."""
    return datetime.combine(looked_at(trial), time(), UTC) - timedelta(hours=14)


def over(trial: Experiment, schedule: Schedule, *, last_is_rated: bool, now: datetime) -> bool:
    """Whether every answer that the next look needs is in: the last morning is answered, or its time has passed."""
    last = looked_at(trial)
    if trial.lived_out:
        return True
    if trial.paused_since is not None and trial.paused_since <= last:
        return False
    if now < times.plan(schedule, last).bed_at:
        return False
    return last_is_rated or now >= times.plan(schedule, last + _DAY).remind_at


def last_lived(trial: Experiment) -> Night:
    """The last night that can count as things stand."""
    ends = (trial.stopped_after, trial.over_after, looked_at(trial))
    return min(night for night in ends if night is not None)


def weeks_lived(trial: Experiment) -> int:
    """How many whole weeks after the run-in were lived: those that can be guessed at."""
    last = last_lived(trial)
    nights = sum(
        design.night_at(trial.plan, place) <= last for place in range(design.RUN_IN, design.RUN_IN + trial.plan.length)
    )
    return nights // design.WEEK


def is_to_guess(trial: Experiment) -> bool:
    """Whether the person is asked what the bags held before the seal breaks. A test of version 1 ends as it began."""
    return trial.version > 1 and trial.blind and trial.over_after is None and weeks_lived(trial) > 0


def tell_at(schedule: Schedule, *, now: datetime) -> datetime:
    """When to send the result (aware UTC): at once by day, otherwise in the morning, so that nobody reads it at bedtime."""
    tonight = times.tonight(schedule, now)
    # Somebody who goes to bed in the morning may still sleep when the next night has begun.
    for night in (tonight - _DAY, tonight):
        due = times.plan(schedule, night)
        if due.remind_at - times.ON_TIME_FOR <= now < due.bed_at + _MORNING_AFTER:
            return due.bed_at + _MORNING_AFTER
    return now


def through(schedule: Schedule, *, now: datetime) -> Night:
    """The last night whose bedtime has passed."""
    night = times.tonight(schedule, now)
    return night if times.plan(schedule, night).bed_at <= now else night - _DAY
