"""An evening with a numbered bag is kept as that, until its self-experiment is over."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

from bot.core.experiment import design
from bot.core.experiment.design import Arm, Plan, Shift
from db import types

revision = "0006"
down_revision = "0005"

TAKEN, SKIPPED, BAG = 1, 2, 4

# The tables as they are at this revision, and not as a later one has them.
_trials = sa.table(
    "experiments",
    *(sa.column(name) for name in ("id", "user_id", "seed", "shifts", "length")),
    *(sa.column(name, types.Civil()) for name in ("start", "paused_since", "stopped_after")),
    sa.column("blind", sa.Boolean()),
    sa.column("ended_at", types.Utc()),
)
_nights = sa.table(
    "nights", *(sa.column(name) for name in ("user_id", "intake", "reason")), sa.column("night", types.Civil())
)
_extra = sa.table(
    "experiment_nights",
    *(sa.column(name) for name in ("user_id", "void")),
    sa.column("night", types.Civil()),
    sa.column("revealed_at", types.Utc()),
)


def upgrade() -> None:
    """Until now such an evening was stored as taken, whatever its bag held. Doing it twice changes nothing."""
    connection = op.get_bind()
    for one in connection.execute(sa.select(_trials).where(_trials.c.blind)).mappings().all():
        begun = set(connection.scalars(sa.select(_trials.c.start).where(_trials.c.user_id == one["user_id"])))
        plan = Plan(one["start"], one["length"], bytes(one["seed"]), _shifts(one["shifts"]))
        for night, on in _bags(plan, one, begun, _extra_of(connection, one["user_id"])):
            if one["ended_at"] is None:
                _retell(connection, one["user_id"], night, intake=BAG)
            elif not on:
                _retell(connection, one["user_id"], night, intake=SKIPPED, reason="test")


def _shifts(text: str) -> tuple[Shift, ...]:
    parts = [part.split("+") for part in text.split(",") if part]
    return tuple(Shift(date.fromisoformat(night), int(weeks)) for night, weeks in parts)


def _extra_of(connection: sa.Connection, user_id: int) -> dict[date, sa.RowMapping]:
    rows = connection.execute(sa.select(_extra).where(_extra.c.user_id == user_id)).mappings()
    return {row["night"]: row for row in rows}


def _bags(
    plan: Plan, one: sa.RowMapping, begun: Collection[date], extra: Mapping[date, sa.RowMapping]
) -> Iterable[tuple[date, bool]]:
    """The nights that had a bag, and whether magnesium was in it. `begun` are the first nights of the person's tests."""
    for place in range(design.RUN_IN, design.RUN_IN + plan.length):
        night = design.night_at(plan, place)
        known = extra.get(night)
        resting = one["paused_since"] is not None and night >= one["paused_since"]
        void = known is not None and known["void"] is not None
        shown = known is not None and known["revealed_at"] is not None and night not in begun
        if not (resting or void) and (
            one["stopped_after"] is None or night <= _last(one["stopped_after"], shown=shown)
        ):
            yield night, design.arm_on(plan, night) is Arm.ON


def _last(stopped_after: date, *, shown: bool) -> date:
    """The evening on which a test was stopped may have named its bag before that."""
    return stopped_after + timedelta(days=shown)


def _retell(connection: sa.Connection, user_id: int, night: date, **values: object) -> None:
    mine = (_nights.c.user_id == user_id, _nights.c.night == night, _nights.c.intake == TAKEN)
    connection.execute(_nights.update().where(*mine).values(**values))
