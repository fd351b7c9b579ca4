"""Claimed rows of the outbox, read with the person, the night and the self-experiment that their messages are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from bot.core.message_kinds import KINDS
from bot.core.model import Kind, State
from bot.core.owed import Owed
from bot.core.pacing import Lane
from db import experiments, nights, tables, types, users
from db.engine import Connection
from db.sqlite.prepared import Prepared, Statement, ValueRow

_box, _users, _nights, _retired = tables.outbox, tables.users, tables.nights, tables.retired_tips
_trials = tables.experiments

# The kinds of the ordinary lane are not named: the fewer there are to compare with, the faster rows are claimed.
ORDER = sa.case(
    {kind: policy.lane.value for kind, policy in KINDS.items() if policy.lane is not Lane.CHECK_IN},
    value=_box.c.kind,
    else_=Lane.CHECK_IN.value,
)
"""Who goes first, and within that the earliest end of a window: reminders, then questions, then the week's pictures."""


async def load(db: Connection, ids: Sequence[int]) -> list[Owed]:
    """These rows, each with all that its message needs, in the order of sending. A row whose person no longer exists is dropped."""
    retired = await _retired_by(db, ids)
    rows = await _LOAD.rows(db, {"ids": list(ids)})
    if len(rows) < len(ids):
        # The other rows belong to people who no longer exist.
        nobodys = set(ids) - {row["box_id"] for row in rows}
        await db.execute(_box.delete().where(_box.c.id.in_(nobodys)))
    return await _with_trials(db, [_owed(row, retired) for row in rows], {row["id"] for row in rows if row["in_trial"]})


_OF_NIGHT = tuple((name, f"night_{name}") for name in nights.COLUMNS)
_COLUMNS = ("id", "kind", "night", "planned_at", "until_at", "bed_at", "copies", "tries", "message_id", "tip")


def _load(dialect: str) -> Statement:
    reminder = _box.alias("reminder")
    same_night = sa.and_(_nights.c.user_id == _box.c.user_id, _nights.c.night == _box.c.night)
    its_reminder = sa.and_(
        reminder.c.user_id == _box.c.user_id, reminder.c.night == _box.c.night, reminder.c.kind == Kind.REMINDER
    )
    wanted = [_box.c[name].label(f"box_{name}") for name in _COLUMNS]
    wanted += [_nights.c[name].label(f"night_{name}") for name in nights.COLUMNS]
    in_trial = sa.exists().where(_trials.c.user_id == _box.c.user_id, _trials.c.ended_at.is_(None))
    return (
        sa.select(
            _users,
            *wanted,
            reminder.c.state.label("reminder_state"),
            reminder.c.reason.label("reminder_reason"),
            in_trial.label("in_trial"),
        )
        .select_from(
            _box.join(_users, _users.c.id == _box.c.user_id)
            .outerjoin(_nights, same_night)
            .outerjoin(reminder, its_reminder)
        )
        .where(types.among(_box.c.id, "ids", dialect=dialect))
        .order_by(ORDER, _box.c.until_at)
    )


_LOAD = Prepared(_load)


async def _with_trials(db: Connection, rows: list[Owed], in_trial: set[int]) -> list[Owed]:
    """Add what the self-experiments say to the rows of those few who have one."""
    told = {row.person.id for row in rows if row.kind is Kind.RESULT}
    if not in_trial and not told:
        return rows
    tonight = await experiments.assignments(
        db, [(row.person.id, row.night) for row in rows if row.person.id in in_trial]
    )
    found = await experiments.told_to(db, told)
    return [
        replace(
            row,
            trial=found.get(row.person.id) if row.kind is Kind.RESULT else tonight.get((row.person.id, row.night)),
        )
        for row in rows
    ]


async def _retired_by(db: Connection, ids: Sequence[int]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for row in await _RETIRED.rows(db, {"ids": list(ids)}):
        found.setdefault(row["user_id"], set()).add(row["tip"])
    return {user_id: frozenset(tips) for user_id, tips in found.items()}


_RETIRED = Prepared(
    lambda dialect: sa.select(_retired.c.user_id, _retired.c.tip).where(
        _retired.c.user_id.in_(sa.select(_box.c.user_id).where(types.among(_box.c.id, "ids", dialect=dialect)))
    )
)


def _owed(get: ValueRow, retired: dict[int, frozenset[str]]) -> Owed:
    record = nights.record_from(night=get["box_night"], values={name: get[label] for name, label in _OF_NIGHT})
    return Owed(
        id=get["box_id"],
        kind=Kind(get["box_kind"]),
        night=get["box_night"],
        planned_at=get["box_planned_at"],
        until_at=get["box_until_at"],
        bed_at=get["box_bed_at"],
        copies=get["box_copies"],
        tries=get["box_tries"],
        message_id=get["box_message_id"],
        tip=get["box_tip"],
        person=users.person_of(get),
        record=record,
        retired_tips=retired.get(get["id"], frozenset()),
        reminder=None if get["reminder_state"] is None else State(get["reminder_state"]),
        reminder_reason=get["reminder_reason"],
    )
