"""Changes of the plan: every change of bedtime, zone, lead, form or rest goes through here, so that all treat tonight alike."""

from __future__ import annotations

from datetime import datetime

from bot.core import message_kinds, planning
from bot.core import schedule as times
from bot.core.experiment import run
from bot.core.experiment.design import Plan
from bot.core.message_kinds import KINDS
from bot.core.model import Kind, Night, Person, State, Status
from bot.telegram.turn import Turn
from db import experiments
from db.outbox import changes

_NOT_WHILE_PAUSED = message_kinds.having(lambda policy: not policy.while_paused)


async def replan(turn: Turn) -> None:
    """Plan the next reminder anew. Tonight again, if tonight's has not been sent; else from tomorrow."""
    turn.person = planning.replan(turn.person, now=turn.now, tonight_open=await _tonight_open(turn))
    await changes.forget_early(turn.db, turn.person.id)


async def pause(turn: Turn, nights: int | None, *, back: Night | None = None) -> None:
    """Rest for so many nights, or until the night `back`, or with neither until the person returns. The morning question of a
    night already begun stays.
    """
    tonight_open = await _tonight_open(turn)
    turn.person = planning.pause(turn.person, nights=nights, back=back, now=turn.now, tonight_open=tonight_open)
    await changes.cancel(turn.db, turn.person.id, kinds=_NOT_WHILE_PAUSED, reason="paused")
    await _hold_trial(turn)


async def stop(turn: Turn) -> None:
    """Send nothing more until /resume."""
    turn.person = planning.stop(turn.person)
    await changes.cancel(turn.db, turn.person.id, kinds=tuple(KINDS), reason="stopped")
    await _hold_trial(turn)


async def come_back(turn: Turn) -> None:
    """The end of a pause, a stop or a block."""
    was = turn.person
    turn.person = planning.resume(turn.person, now=turn.now)
    await changes.forget_early(turn.db, turn.person.id)
    await _carry_on(turn, was)


async def back_from_block(turn: Turn) -> None:
    """A person who is heard of again after a block is active again, unless they had said /stop before."""
    if turn.person.status is Status.GONE:
        await come_back(turn)


async def _tonight_open(turn: Turn) -> bool:
    """Whether the night owed last may be planned again: it is still ahead, and no copy of its reminder ever left."""
    person, night = turn.person, turn.person.reminded_night
    if night is None or person.status not in (Status.ACTIVE, Status.PAUSED):
        return False
    row = await changes.find(turn.db, person.id, Kind.REMINDER, night)
    return row is not None and row.bed_at > turn.now and await changes.withdraw(turn.db, person.id, night)


async def put_off(
    turn: Turn, night: Night, *, until: datetime, bed_at: datetime, message_id: int | None = None
) -> None:
    """Tonight's reminder comes (again) at `until`, and a nudge that waits comes after it.

    `message_id`: the message under which that was pressed.
    """
    last = bed_at - times.NEVER_BEFORE_BED
    await changes.again(turn.db, turn.person.id, night, at=until, until=last, bed_at=bed_at, message_id=message_id)
    waiting = await changes.find(turn.db, turn.person.id, Kind.NUDGE, night)
    if waiting is None or waiting.state != State.DUE:
        return
    nudge = planning.nudges(turn.sleeper, sent_at=until, night=night, bed_at=bed_at, done=waiting.tries)
    if nudge is None:
        await changes.cancel(turn.db, turn.person.id, kinds=[Kind.NUDGE], reason="snoozed", first_night=night)
    else:
        await changes.again(
            turn.db,
            turn.person.id,
            night,
            kind=Kind.NUDGE,
            at=nudge.due_at,
            until=nudge.until_at,
            bed_at=bed_at,
            tries=waiting.tries,
        )


async def switched_off(turn: Turn, switch: str) -> None:
    """Withdraw messages that are owed already and that this setting switches off."""
    kinds = message_kinds.switched_off_by(switch)
    await changes.cancel(turn.db, turn.person.id, kinds=kinds, reason="not wanted")


async def move_check_in(turn: Turn) -> None:
    """A morning question that is already owed comes at the new time too."""
    night = turn.person.reminded_night
    if turn.person.no_check_in:
        await switched_off(turn, "no_check_in")
    elif night is not None and (window := planning.check_in(turn.schedule, night, now=turn.now)) is not None:
        await changes.move_check_in(turn.db, turn.person.id, night, at=window.at, until=window.until_at)


# -- a self-experiment under way ---------------------------------------------------------------------------------------


async def first_unrevealed(turn: Turn, since: Night | None = None) -> Night:
    """The first night from now on, or from `since`, of which the person does not know yet what it is."""
    first = since or run.next_night(turn.schedule, turn.now)
    return run.first_unrevealed(first, await experiments.revealed_from(turn.db, turn.person.id, first))


async def _hold_trial(turn: Turn) -> None:
    """Pause the self-experiment along with the reminders: by whole weeks, or without a known end."""
    one = await experiments.open_of(turn.db, turn.person.id)
    if one is None or one.lived_out:
        return
    match run.rest(one, await first_unrevealed(turn), back=turn.person.paused_until):
        case run.OnHold(since):
            await experiments.hold(turn.db, one, since)
        case Plan() as plan:
            await experiments.move(turn.db, one, plan)


async def _carry_on(turn: Turn, was: Person) -> None:
    """Back from a rest without a known end, or from a block: the plan goes on, whole weeks later."""
    one = await experiments.open_of(turn.db, turn.person.id)
    if one is None or one.lived_out or (one.paused_since is None and was.status is not Status.GONE):
        return
    since = await first_unrevealed(turn, one.paused_since or was.reminded_night or one.plan.start)
    await experiments.move(turn.db, one, run.carry_on(one, since, back=turn.person.remind_night))
