"""Bedtime, zone and lead make a night's UTC instants; every rule about civil time and its gaps and folds lives here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.core.model import Due, Minute, Night, Schedule

NOON: Minute = 12 * 60
"""A civil time before noon belongs to the night of the date before."""

BETWEEN_REMINDERS = timedelta(hours=14)
"""Two reminders of one person are never closer than this. It matters after travel, edits and very uneven weeks."""

ON_TIME_FOR = timedelta(minutes=10)
"""How long after its moment a reminder still counts as on time."""

SILENT_BEFORE_BED = timedelta(minutes=15)
"""A late reminder makes no sound from here on."""

NEVER_BEFORE_BED = timedelta(minutes=5)
"""From here on nothing is sent."""

LAST_PLAN_BEFORE_BED = timedelta(minutes=6)
"""The latest moment to plan a snooze or nudge for: the minute up to NEVER_BEFORE_BED is for finding and sending it."""

SLEEP = timedelta(hours=9)
"""From bedtime to the check-in, where the person chose no time."""

CHECK_IN_WINDOW = timedelta(hours=6)

TO_ANSWER = timedelta(hours=3)
"""For at least this long after the check-in a night can still be answered."""

_EVENING: Minute = 18 * 60
_EARLY_BEDTIME: Minute = 19 * 60
_DAY = timedelta(days=1)
# In UTC a night's reminder lies between 16 hours before the noon of its date (zone +14, lead two hours) and 36 hours
# after it (zone -12, bedtime 11:59). So of an instant on date d only the nights d - 2 to d + 2 can hold the next one.
_NIGHTS_BACK = timedelta(days=2)
_NIGHTS_TRIED = 5


class Lateness(StrEnum):
    """What may still be done with a reminder."""

    ON_TIME = "on_time"
    LATE = "late"  # send it and say how many minutes are left
    LATE_SILENT = "late_silent"  # the same without a sound
    EXPIRED = "expired"  # never send it; the next check-in says so


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


# Most people of a zone share a few bedtimes, and each evening asks for the same six or seven instants of them.
@lru_cache(maxsize=8192)
def _instant(day: date, minute: Minute, zone: str) -> datetime:
    """The UTC instant of a civil time. In a gap: later by the gap's length. In a fold: the first of the two.

    That is what `fold=0` means to zoneinfo, see PEP 495.
    """
    hour, minute = divmod(minute, 60)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=_zone(zone)).astimezone(UTC)


def night_of(moment: datetime, zone: str) -> Night:
    """The night an instant (aware) belongs to: before noon, civil time in `zone`, it is the date before."""
    civil = moment.astimezone(_zone(zone))
    return civil.date() if civil.hour >= 12 else civil.date() - _DAY


def bedtime_at(night: Night, bedtime: Minute, zone: str) -> datetime:
    """The UTC instant of a bedtime: from 12:00 on the night's date, before 12:00 on the date after."""
    return _instant(night if bedtime >= NOON else night + _DAY, bedtime, zone)


def zone_on(schedule: Schedule, night: Night) -> str:
    """The zone the person sleeps in on that night."""
    if schedule.away_zone is not None and schedule.away_until is not None and night < schedule.away_until:
        return schedule.away_zone
    return schedule.zone


def zone_at(schedule: Schedule, now: datetime) -> str:
    """The zone the person is in at an instant: still away while it is a night before `away_until` over there."""
    if schedule.away_zone is None:
        return schedule.zone
    return zone_on(schedule, night_of(now, schedule.away_zone))


def tonight(schedule: Schedule, now: datetime) -> Night:
    """The night it is for the person: until noon still last evening's."""
    return night_of(now, zone_at(schedule, now))


def bedtime_on(schedule: Schedule, night: Night) -> Minute:
    """The civil bedtime of that night: the one put off by "Later tonight", else that of the night's weekday."""
    if night == schedule.later_night and schedule.later_bedtime is not None:
        return schedule.later_bedtime
    return schedule.bedtimes[night.weekday()]


def _bed_at(schedule: Schedule, night: Night) -> datetime:
    return bedtime_at(night, bedtime_on(schedule, night), zone_on(schedule, night))


def plan(schedule: Schedule, night: Night) -> Due:
    """The reminder and bedtime of one night. The lead is elapsed time, so it is subtracted in UTC."""
    bed_at = _bed_at(schedule, night)
    return Due(night, bed_at - timedelta(minutes=schedule.lead), bed_at)


def next_due(
    schedule: Schedule,
    *,
    after: datetime,
    not_before_night: Night | None = None,
    last_remind_at: datetime | None = None,
) -> Due:
    """The night with the smallest reminder instant strictly after `after` (aware UTC).

    Called again and again with the instant it gave, it visits every night once and in order. Only where two nights fall
    on one instant or change places (a flight over the date line, a date that a country left out) is one passed over: of
    two nights on one instant the later is meant.

    `not_before_night`: nights before it are dealt with. After tonight's reminder pass tomorrow, and a changed bedtime
    starts tomorrow; before it pass tonight, and the change counts tonight if its moment is still ahead. A pause passes
    the night it ends on.
    `last_remind_at`: when the last reminder was planned or sent. Nights less than 14 hours after it are passed over.
    All three hold together: the smallest instant that satisfies every one of them.
    """
    rested = after if last_remind_at is None else last_remind_at + BETWEEN_REMINDERS
    first = max(after, rested).astimezone(UTC).date() - _NIGHTS_BACK
    if not_before_night is not None and not_before_night > first:
        first = not_before_night
    lead = timedelta(minutes=schedule.lead)
    best, best_night = None, first
    for ahead in range(_NIGHTS_TRIED):
        night = date.fromordinal(first.toordinal() + ahead)
        bed_at = _bed_at(schedule, night)
        if bed_at - lead > after and bed_at - lead >= rested and (best is None or bed_at <= best):
            best, best_night = bed_at, night
    assert best is not None  # noqa: S101 - see _NIGHTS_TRIED
    return Due(best_night, best - lead, best)


def check_in_at(schedule: Schedule, night: Night) -> datetime:
    """When to ask how the night was (UTC): at the person's own time for it, else nine hours after bedtime.

    The own time is the first instant after bedtime with that civil time. Where that is not before the next bedtime (a
    night that ended at 08:00, a check-in at 07:30) the nine hours hold.
    """
    bed_at = _bed_at(schedule, night)
    if schedule.check_ins is not None:
        own = _first_after(bed_at, schedule.check_ins[night.weekday()], zone_on(schedule, night))
        if own < _bed_at(schedule, night + _DAY):
            return own
    return bed_at + SLEEP


def _first_after(moment: datetime, minute: Minute, zone: str) -> datetime:
    today = moment.astimezone(_zone(zone)).date()
    at = _instant(today, minute, zone)
    return at if at > moment else _instant(today + _DAY, minute, zone)


def at_or_after(moment: datetime, minute: Minute, zone: str) -> datetime:
    """The first instant (UTC) with that civil time that is not before `moment`."""
    # A second earlier, because the other one wants it strictly after.
    return _first_after(moment - timedelta(seconds=1), minute, zone)


def check_in_until(schedule: Schedule, night: Night) -> datetime:
    """From here on (UTC) that check-in is not sent: six hours after its time, at the latest at the next bedtime.

    Not after `check_in_at` where two bedtimes are nine hours apart or less: then there is no check-in for that night.
    """
    return min(check_in_at(schedule, night) + CHECK_IN_WINDOW, _bed_at(schedule, night + _DAY))


def lateness(due: Due, now: datetime) -> Lateness:
    """What may be done with a reminder now. Being on time goes before silence, so a lead of 15 minutes is heard."""
    if now >= due.bed_at - NEVER_BEFORE_BED:
        return Lateness.EXPIRED
    if now <= due.remind_at + ON_TIME_FOR:
        return Lateness.ON_TIME
    return Lateness.LATE_SILENT if now >= due.bed_at - SILENT_BEFORE_BED else Lateness.LATE


def minutes_left(bed_at: datetime, now: datetime) -> int:
    """Whole minutes to bedtime, to the nearest, never negative."""
    return max(0, int((bed_at - now).total_seconds() + 30) // 60)


def snooze_until(now: datetime, bed_at: datetime, minutes: int | None) -> datetime | None:
    """When a snoozed reminder comes back: after `minutes`, or with None just before bed; never later than that.

    Just before bed is six minutes before, so that it is sent before the last five. None: it is too late for a snooze.
    """
    latest = bed_at - LAST_PLAN_BEFORE_BED
    if now >= latest:
        return None
    return latest if minutes is None else min(now + timedelta(minutes=minutes), latest)


def can_take_from(schedule: Schedule, night: Night) -> datetime:
    """From here on (UTC) "Taken" is accepted for the night: 18:00 civil time, or noon for bedtimes from noon to 19:00.

    Never later than the reminder, whose button must count.
    """
    bedtime = bedtime_on(schedule, night)
    opens = NOON if NOON <= bedtime < _EARLY_BEDTIME else _EVENING
    return min(_instant(night, opens, zone_on(schedule, night)), plan(schedule, night).remind_at)


def taken_until(night: Night, zone: str) -> datetime:
    """Until here (UTC, exclusive) "Taken" is accepted for the night: civil noon of the next date."""
    return _instant(night + _DAY, NOON, zone)


def cut_off(schedule: Schedule, night: Night) -> datetime:
    """From here on (UTC) a night without an answer is missed: civil noon, or three hours after a later check-in.

    Somebody who goes to bed at 08:00 is asked at 17:00 whether it was taken; by then noon has passed. Where
    even that is past the next reminder, the night ends with it.
    """
    noon = taken_until(night, zone_on(schedule, night))
    asked = min(check_in_at(schedule, night) + TO_ANSWER, plan(schedule, night + _DAY).remind_at)
    return max(noon, asked)


def night_to_take(schedule: Schedule, now: datetime) -> Night | None:
    """The night that "I took it" means: tonight's once it can be, else last night's until noon, else None."""
    night = tonight(schedule, now)
    for candidate in (night + _DAY, night):
        if can_take_from(schedule, candidate) <= now < cut_off(schedule, candidate):
            return candidate
    return None
