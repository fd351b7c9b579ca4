"""The sealed self-experiment: its plan, its nights, and its report once it is over."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from bot.core.experiment import design, report, run
from bot.core.experiment.design import Design, Plan, Shift, Void
from bot.core.experiment.report import AnyReport, Told
from bot.core.experiment.run import Assignment, Experiment, Halves, Lived, Tested
from bot.core.experiment.seed import PACKED, code_of
from bot.core.model import Delivery, Kind, Night, NightRecord, Person, Rating, State
from db import nights, tables, upserts, users
from db.engine import Connection
from db.sqlite.prepared import Prepared

_trials, _extra, _box = tables.experiments, tables.experiment_nights, tables.outbox
_diary, _drafts = tables.nights, tables.experiment_drafts
_OPEN = Prepared(
    lambda _: sa.select(_trials).where(_trials.c.user_id == sa.bindparam("user"), _trials.c.ended_at.is_(None))
)


# -- one self-experiment -----------------------------------------------------------------------------------------------


async def begin(
    db: Connection, user_id: int, plan: Plan, halves: Halves, *, blind: bool, bags_code: str | None, now: datetime
) -> Experiment | None:
    """A new one; None where one is under way already."""
    if await open_of(db, user_id) is not None:
        return None
    # Nights that an earlier one had left out in advance are this one's now.
    await db.execute(_extra.delete().where(_extra.c.user_id == user_id, _extra.c.night >= plan.start))
    # What is asked and told at an end is owed under the first night: that of one stopped today must not stand in this one's way.
    told = sa.and_(
        _box.c.kind.in_([Kind.RESULT, Kind.GUESS]), _box.c.state.not_in([State.DUE, State.CLAIMED, State.SENDING])
    )
    await db.execute(_box.delete().where(_box.c.user_id == user_id, _box.c.night == plan.start, told))
    values = {
        "user_id": user_id,
        "start": plan.start,
        "length": plan.length,
        "design": plan.design.value,
        "seed": plan.seed,
        "bots_seed": halves.bots_seed,
        "word": halves.word,
        "word_drawn": halves.drawn,
        "blind": blind,
        "bags_code": bags_code,
        "begun_at": now,
        "look_at": run.look_at(Experiment(0, user_id, plan, blind=blind, begun_at=now, halves=halves)),
    }
    await db.execute(_trials.insert().values(values))
    await db.execute(_drafts.delete().where(_drafts.c.user_id == user_id))
    return await open_of(db, user_id)


@dataclass(frozen=True, slots=True)
class Draft:
    """A test that waits for the person's word. The fingerprint of the bot's half was shown."""

    bots_seed: bytes = field(repr=False)
    length: int
    design: Design
    blind: bool


async def draft(db: Connection, user_id: int, new: Draft) -> Draft:
    """Keep it, and give it back with the bot's half that was shown first: a second look at the page must not draw another."""
    values = {"length": new.length, "design": new.design.value, "blind": new.blind}
    insert = upserts.into(_drafts, on=db).values(user_id=user_id, bots_seed=new.bots_seed, **values)
    await db.execute(insert.on_conflict_do_update(index_elements=["user_id"], set_=values))
    return await draft_of(db, user_id) or new


async def draft_of(db: Connection, user_id: int) -> Draft | None:
    """The test that waits for this person's word."""
    row = (await db.execute(sa.select(_drafts).where(_drafts.c.user_id == user_id))).mappings().first()
    if row is None:
        return None
    return Draft(bytes(row["bots_seed"]), row["length"], Design(row["design"]), bool(row["blind"]))


async def open_of(db: Connection, user_id: int) -> Experiment | None:
    """The one under way, if there is one."""
    row = await _OPEN.first(db, {"user": user_id})
    return None if row is None else _trial(row)


async def sealed_from(db: Connection, user_id: int) -> Night | None:
    """The first night of the test under way. From it on nothing shows ratings together with what was taken; None without a test."""
    one = await open_of(db, user_id)
    return None if one is None else one.plan.start


async def every(db: Connection, user_id: int) -> list[Experiment]:
    """All of a person's, oldest first."""
    query = sa.select(_trials).where(_trials.c.user_id == user_id).order_by(_trials.c.id)
    return [_trial(row) for row in (await db.execute(query)).mappings()]


async def last_ended(db: Connection, user_id: int) -> Experiment | None:
    """The one that ended last."""
    query = (
        sa.select(_trials)
        .where(_trials.c.user_id == user_id, _trials.c.ended_at.is_not(None))
        .order_by(_trials.c.id.desc())
        .limit(1)
    )
    row = (await db.execute(query)).mappings().first()
    return None if row is None else _trial(row)


def _trial(row: Mapping[str, Any] | sa.RowMapping) -> Experiment:
    plan = Plan(row["start"], row["length"], bytes(row["seed"]), _shifts(row["shifts"]), Design(row["design"]))
    halves = None
    if row["bots_seed"] is not None:
        halves = Halves(bytes(row["bots_seed"]), row["word"], drawn=bool(row["word_drawn"]))
    return Experiment(
        id=row["id"],
        user_id=row["user_id"],
        plan=plan,
        blind=bool(row["blind"]),
        begun_at=row["begun_at"],
        bags_code=row["bags_code"],
        paused_since=row["paused_since"],
        stopped_after=row["stopped_after"],
        ended_at=row["ended_at"],
        report=row["report"],
        halves=halves,
        looks=row["looks"],
        over_after=row["over_after"],
        guess=row["guess"],
        packed=bool(row["packed"]),
    )


def _shifts(text: str) -> tuple[Shift, ...]:
    parts = [part.split("+") for part in text.split(",") if part]
    return tuple(Shift(date.fromisoformat(night), int(weeks)) for night, weeks in parts)


async def move(db: Connection, one: Experiment, plan: Plan) -> Experiment:
    """The rest of the plan happens later; a pause without an end has found it."""
    shifts = ",".join(f"{shift.night.isoformat()}+{shift.weeks}" for shift in plan.shifts)
    moved = replace(one, plan=plan, paused_since=None)
    await _update(db, one.id, shifts=shifts, paused_since=None, look_at=run.look_at(moved))
    return moved


async def hold(db: Connection, one: Experiment, since: Night) -> None:
    """A pause from this night on, nobody knows until when. An earlier one stays."""
    if one.paused_since is None:
        await _update(db, one.id, paused_since=since)


async def stop(db: Connection, one: Experiment, *, after: Night, now: datetime) -> None:
    """Stopped early, after this night; it is judged as soon as somebody looks."""
    await _update(db, one.id, stopped_after=after, look_at=now)


async def pack(db: Connection, trial_id: int, code: str, *, helper: int) -> Experiment | None:
    """The helper has packed and counted the bags; the test as it was before. None for a code that is not this test's, or from
    the participant.
    """
    row = (
        await db.execute(sa.select(_trials).where(_trials.c.id == trial_id, _trials.c.ended_at.is_(None)))
    ).mappings()
    found = row.first()
    one = None if found is None else _trial(found)
    if one is None or not one.blind or one.user_id == helper:
        return None
    if not hmac.compare_digest(code_of(one.plan.seed, PACKED).encode(), code.encode()):
        return None
    await _update(db, one.id, packed=True)
    return one


async def _update(db: Connection, trial_id: int, **values: object) -> None:
    await db.execute(_trials.update().where(_trials.c.id == trial_id, _trials.c.ended_at.is_(None)).values(**values))


async def open_list(db: Connection, code: str) -> Experiment | None:
    """The test whose helper opens the list with this code; None for a code that was used or never existed."""
    query = sa.select(_trials).where(_trials.c.bags_code == code, _trials.c.ended_at.is_(None))
    row = (await db.execute(query)).mappings().first()
    return None if row is None else _trial(row)


async def use_up(db: Connection, one: Experiment) -> bool:
    """The list was opened: its code works no more. False when somebody was faster."""
    used = await db.execute(
        _trials.update().where(_trials.c.id == one.id, _trials.c.bags_code == one.bags_code).values(bags_code=None)
    )
    return used.rowcount == 1


async def new_code(db: Connection, one: Experiment, code: str) -> None:
    """A fresh code for the helper's list; an older one works no more."""
    await _update(db, one.id, bags_code=code)


# -- its nights --------------------------------------------------------------------------------------------------------


async def leave_out(db: Connection, user_id: int, night: Night, why: Void) -> None:
    """This night does not count."""
    await _put(db, user_id, night, {"void": why.value}, keep=False)


async def reveal(db: Connection, user_id: int, night: Night, *, at: datetime) -> None:
    """The night's reminder reached the person: from here on it can no longer be left out."""
    await _put(db, user_id, night, {"revealed_at": at}, keep=True)


async def _put(db: Connection, user_id: int, night: Night, values: dict[str, object], *, keep: bool) -> None:
    """Write one night's values; with `keep` those that are there already stay."""
    insert = upserts.into(_extra, on=db)
    new = {
        name: sa.func.coalesce(_extra.c[name], insert.excluded[name]) if keep else value
        for name, value in values.items()
    }
    await db.execute(
        insert.values(user_id=user_id, night=night, **values).on_conflict_do_update(
            index_elements=["user_id", "night"], set_=new
        )
    )


async def is_left_out(db: Connection, user_id: int, night: Night) -> bool:
    """Whether the person left this night out."""
    query = sa.select(_extra.c.void).where(_extra.c.user_id == user_id, _extra.c.night == night)
    return await db.scalar(query) is not None


async def is_revealed(db: Connection, user_id: int, night: Night) -> bool:
    """Whether the person has, or may have, seen what this night is. A copy that may have arrived is enough to forbid a void."""
    return night in await revealed_from(db, user_id, night)


async def revealed_from(db: Connection, user_id: int, first: Night) -> frozenset[Night]:
    """The nights from `first` on whose arm the person has seen or may have seen: a handful at most."""
    left = sa.or_(_box.c.copies > 0, _box.c.message_id.is_not(None))
    seen = sa.select(_extra.c.night).where(
        _extra.c.user_id == user_id, _extra.c.night >= first, _extra.c.revealed_at.is_not(None)
    )
    sent = sa.select(_box.c.night).where(
        _box.c.user_id == user_id, _box.c.night >= first, _box.c.kind == Kind.REMINDER, left
    )
    closed = sa.select(_diary.c.night, _diary.c.reminder).where(
        _diary.c.user_id == user_id, _diary.c.night >= first, _diary.c.reminder.is_not(None)
    )
    arrived = {row.night for row in await db.execute(closed) if run.arrived(Delivery(row.reminder))}
    return frozenset({*await db.scalars(seen), *await db.scalars(sent), *arrived})


async def lived(db: Connection, one: Experiment, *, until: Night) -> list[Lived]:
    """What is known of every stored night from the plan's start to `until`, in order. Unknown nights are not there."""
    first = one.plan.start
    diary = {record.night: record for record in await nights.between(db, one.user_id, first, until)}
    query = sa.select(_extra).where(_extra.c.user_id == one.user_id, _extra.c.night.between(first, until))
    extra = {row["night"]: row for row in (await db.execute(query)).mappings()}
    sent = set(
        await db.scalars(
            sa.select(_box.c.night).where(
                _box.c.user_id == one.user_id,
                _box.c.kind == Kind.REMINDER,
                _box.c.night.between(first, until),
                _box.c.state == State.SENT,
            )
        )
    )
    every_night = sorted({*diary, *extra, *sent})
    return [_lived(night, diary.get(night), extra.get(night), sent=night in sent) for night in every_night]


def _lived(night: Night, diary: NightRecord | None, row: sa.RowMapping | None, *, sent: bool) -> Lived:
    record = diary or NightRecord(night)
    seen = row is not None and row["revealed_at"] is not None
    return Lived(
        diary=record,
        revealed=sent or seen or run.arrived(record.delivery),
        void=None if row is None or row["void"] is None else Void(row["void"]),
        in_time=None if row is None or row["rating"] is None else Rating(row["rating"]),
    )


async def left_out_between(db: Connection, user_id: int, first: Night, last: Night) -> set[Night]:
    """The nights from `first` to `last`, both included, that the person left out."""
    mine = (_extra.c.user_id == user_id, _extra.c.night.between(first, last), _extra.c.void.is_not(None))
    return set(await db.scalars(sa.select(_extra.c.night).where(*mine)))


async def has_bag(db: Connection, user_id: int, night: Night) -> bool:
    """Whether a numbered bag is that night's, in a self-experiment under way."""
    one = await open_of(db, user_id)
    if one is None or run.in_bag(one, night, void=False) is None:
        return False
    return not await is_left_out(db, user_id, night)


async def tested(db: Connection, user_id: int) -> Tested:
    """The nights of finished self-experiments."""
    return run.tested(night for one in await every(db, user_id) if not one.sealed for night in report_of(one).nights)


# -- what the reminders show -------------------------------------------------------------------------------------------


async def assignment(db: Connection, user_id: int, night: Night) -> Assignment | None:
    """What this night is for this person; None where it is an ordinary one."""
    one = await open_of(db, user_id)
    return None if one is None else run.assignment(one, night, void=await is_left_out(db, user_id, night))


async def assignments(db: Connection, wanted: Iterable[tuple[int, Night]]) -> dict[tuple[int, Night], Assignment]:
    """What these nights are for these people, as far as they are anything but ordinary."""
    pairs = list(wanted)
    ids = {user_id for user_id, _ in pairs}
    query = sa.select(_trials).where(_trials.c.user_id.in_(ids), _trials.c.ended_at.is_(None))
    open_trials = {row["user_id"]: _trial(row) for row in (await db.execute(query)).mappings()}
    query_void = sa.select(_extra.c.user_id, _extra.c.night).where(
        _extra.c.user_id.in_(open_trials), _extra.c.night.in_({night for _, night in pairs}), _extra.c.void.is_not(None)
    )
    void = {(row.user_id, row.night) for row in await db.execute(query_void)} if open_trials else set()
    found = {
        (user_id, night): run.assignment(open_trials[user_id], night, void=(user_id, night) in void)
        for user_id, night in pairs
        if user_id in open_trials
    }
    return {key: value for key, value in found.items() if value is not None}


# -- its end -----------------------------------------------------------------------------------------------------------


async def to_look_at(db: Connection, *, now: datetime, limit: int) -> list[tuple[Experiment, Person]]:
    """Those that may be over, with their people."""
    query = sa.select(_trials).where(_trials.c.look_at <= now).order_by(_trials.c.look_at).limit(limit)
    trials = [_trial(row) for row in (await db.execute(query)).mappings()]
    people = [(one, await users.find(db, one.user_id)) for one in trials]
    return [(one, person) for one, person in people if person is not None]


async def told_to(db: Connection, user_ids: Iterable[int]) -> dict[int, Told]:
    """What the last self-experiment of each of these people found, with all of theirs together."""
    found = {user_id: await told(db, user_id) for user_id in user_ids}
    return {user_id: one for user_id, one in found.items() if one is not None}


async def told(db: Connection, user_id: int) -> Told | None:
    """What this person's last self-experiment found, with all of theirs together; None where none is over."""
    reports = [report_of(one) for one in await every(db, user_id) if not one.sealed]
    return report.told(reports) if reports else None


def report_of(one: Experiment) -> AnyReport:
    """What a finished self-experiment found."""
    return report.read_any(json.loads(one.report or ""))


async def looked(db: Connection, one: Experiment) -> None:
    """The bot has looked, and the test goes on. What was looked at stays as it was."""
    await nights.keep_in_time(db, one.user_id, run.looked_at(one))
    after = replace(one, looks=run.next_look(one))
    values = {"looks": after.looks, "look_at": run.look_at(after)}
    # A pause that came in between has moved the plan, and with it the next look.
    await db.execute(_trials.update().where(_same(one)).values(**values))


async def ask_guess(db: Connection, one: Experiment, *, until: datetime) -> bool:
    """It is over, and the seal holds until the guess at the bags is in, at the latest until then. False if it was not as known."""
    if one.stopped_after is None:
        await nights.keep_in_time(db, one.user_id, run.looked_at(one))
    values = {"over_after": run.last_lived(one), "guess": "-" * run.weeks_lived(one), "look_at": until}
    return (await db.execute(_trials.update().where(_same(one)).values(**values))).rowcount == 1


def _same(one: Experiment) -> sa.ColumnElement[bool]:
    """Whether it still is as it was read, as far as looks go."""
    shifts = ",".join(f"{shift.night.isoformat()}+{shift.weeks}" for shift in one.plan.shifts)
    return sa.and_(
        _trials.c.id == one.id,
        _trials.c.ended_at.is_(None),
        _trials.c.looks == one.looks,
        _trials.c.shifts == shifts,
        _trials.c.stopped_after.is_not_distinct_from(one.stopped_after),
        _trials.c.over_after.is_not_distinct_from(one.over_after),
    )


async def guess(db: Connection, one: Experiment, guesses: str) -> None:
    """What the person thinks each week's bags held, so far."""
    await _update(db, one.id, guess=guesses)


async def guessed(db: Connection, one: Experiment, *, now: datetime) -> None:
    """The guess is in: the seal may break."""
    await _update(db, one.id, look_at=now)


async def look_later(db: Connection, trial_ids: Sequence[int], *, at: datetime) -> None:
    """Not over yet: look again then."""
    if trial_ids:
        await db.execute(
            _trials.update().where(_trials.c.id.in_(trial_ids), _trials.c.look_at.is_not(None)).values(look_at=at)
        )


async def finish(db: Connection, one: Experiment, found: AnyReport, *, now: datetime) -> bool:
    """The seal is broken, and every bag becomes what it held. False when that was done already."""
    # An answer that is being written now is written first, and then told apart with the others.
    await users.find(db, one.user_id, lock=True)
    ended = await db.execute(
        _trials.update()
        .where(_trials.c.id == one.id, _trials.c.ended_at.is_(None))
        .values(ended_at=now, report=json.dumps(report.written(found)), look_at=None, bags_code=None, paused_since=None)
    )
    if ended.rowcount != 1:
        return False
    if one.blind:
        await _unseal(db, one)
    return True


async def _unseal(db: Connection, one: Experiment) -> None:
    first, last = one.plan.start, design.last_night(one.plan)
    out = await left_out_between(db, one.user_id, first, last)
    for sealed in await nights.between(db, one.user_id, first, last):
        told = run.unsealed(one, sealed, void=sealed.night in out)
        if told != sealed:
            await nights.retell(db, one.user_id, told)
