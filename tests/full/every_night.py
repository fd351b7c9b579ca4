"""What must hold for every night of a zone, checked without the arithmetic of the code under test."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core import schedule
from bot.core.model import Minute, Night, Schedule

DAY = timedelta(days=1)
FIRST, LAST = date(2024, 1, 1), date(2037, 12, 31)
# Rotated from zone to zone, so that every bedtime meets the week-ends on which most zones change.
WEEK: tuple[Minute, ...] = (22 * 60 + 30, 23 * 60 + 30, 30, 90, 150, 195, 135)


def civil(night: Night, bedtime: Minute) -> datetime:
    """The civil time that was asked for, without a zone."""
    day = night if bedtime >= 720 else night + DAY
    return datetime.combine(day, datetime.min.time()) + timedelta(minutes=bedtime)


def expected(asked: datetime, zone: ZoneInfo) -> datetime:
    """The first instant that a clock on the wall shows `asked`; in a gap, `asked` on a clock nobody moved forward."""
    offsets = {(asked.replace(tzinfo=UTC) + hours).astimezone(zone).utcoffset() for hours in (-DAY, DAY)}
    guesses = sorted(asked.replace(tzinfo=UTC) - offset for offset in offsets if offset is not None)
    shown = [guess for guess in guesses if guess.astimezone(zone).replace(tzinfo=None) == asked]
    # In a gap the offset before it is the smaller one, and so gives the later instant.
    return shown[0] if shown else guesses[-1]


def changes(zone: ZoneInfo, first: date = FIRST, last: date = LAST) -> Iterable[date]:
    """The UTC dates on which the zone's offset changes."""
    moment = datetime(first.year, first.month, first.day, tzinfo=UTC)
    before = moment.astimezone(zone).utcoffset()
    while moment.date() <= last:
        moment += DAY
        after = moment.astimezone(zone).utcoffset()
        if after != before:
            yield moment.date() - DAY
        before = after


def check_changes(name: str, bedtimes: Iterable[Minute], *, lead: int = 45) -> int:
    """Every night around every change of a zone, at each of the bedtimes; how many were looked at."""
    zone, seen = ZoneInfo(name), 0
    asked_for = tuple(bedtimes)
    for day in changes(zone):
        for night in (day - 2 * DAY, day - DAY, day, day + DAY):
            for bedtime in asked_for:
                due = schedule.plan(Schedule(name, (bedtime,) * 7, lead), night)
                assert due.bed_at == expected(civil(night, bedtime), zone), (name, night, bedtime)
                assert due.bed_at - due.remind_at == timedelta(minutes=lead)
                seen += 1
    return seen


def check_chain(plan: Schedule, first: Night = FIRST, last: Night = LAST) -> int:
    """Following `next_due` from night to night: each exactly once, later and later, at the bedtime asked for."""
    zone, night = ZoneInfo(plan.zone), first
    due = schedule.next_due(plan, after=schedule.plan(plan, first).remind_at - timedelta(seconds=1))
    while night <= last:
        assert due.night == night, (plan, night)
        assert due.bed_at - due.remind_at == timedelta(minutes=plan.lead)
        asked = civil(night, plan.bedtimes[night.weekday()])
        if due.bed_at.astimezone(zone).replace(tzinfo=None) != asked:
            assert due.bed_at == expected(asked, zone), (plan, night)
        following = schedule.next_due(plan, after=due.remind_at)
        assert following.remind_at > due.remind_at
        due, night = following, night + DAY
    return (last - first).days + 1


def week_of(index: int) -> tuple[Minute, ...]:
    """The weekly bedtimes of the zone with that number."""
    return WEEK[index % 7 :] + WEEK[: index % 7]
