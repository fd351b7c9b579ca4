"""Could the protocol have done this? A recorded night is looked for among the histories that the model allows.

What is recorded: each reminder that Telegram accepted, with its time and label and whether the bot was told, and how the row
ended. Everything between, claims and lost answers and deaths, is found by the search.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.core.model import State
from tests.crash.promise import Copy, Fate
from tests.model import row
from tests.model.row import Action, Do, Rules, Stage, World

_OPEN_STILL = (None, *row.OPEN)
_BETWEEN = {Do.OWE, Do.CLAIM, Do.START, Do.BURY, Do.RECLAIM, Do.EXPIRE, Do.GIVE_BACK, Do.DIE}


def impossible(fates: Iterable[Fate], *, alone: bool, slack: timedelta) -> list[str]:
    """Of each night that no history of the model explains: which, and where the search got stuck."""
    return [
        f"{fate.user_id} on {fate.due.night}: not of the protocol: {why}"
        for fate in fates
        if (why := unexplained(fate, alone=alone, slack=slack))
    ]


def unexplained(fate: Fate, *, alone: bool, slack: timedelta) -> str:
    """What of the night cannot be explained; empty where all can be."""
    rules = Rules(
        bed=int((fate.due.bed_at - fate.due.remind_at).total_seconds()),
        alone=alone,
        early=15 * row.MINUTE,
        slack=int(slack.total_seconds()),
    )
    times = [_since(copy.at, fate) for copy in fate.copies]
    worlds = {World(now=min([-row.MINUTE, *times]))}
    heard: tuple[bool, ...] = ()
    for number, (copy, at) in enumerate(zip(fate.copies, times, strict=True)):
        worlds = _arrives(_until(worlds, at, heard, fate, rules), copy, rules)
        heard = (*heard, copy.heard)
        if not worlds:
            return f"copy {number + 1} after {at} seconds"
    worlds = _until(worlds, max(rules.close, *times, 0), heard, fate, rules)
    return "" if any(_ends_so(world, fate) for world in worlds) else f"its end as {fate.record.state}"


def _since(at: datetime, fate: Fate) -> int:
    return int((at - fate.due.remind_at).total_seconds())


def _arrives(worlds: Iterable[World], copy: Copy, rules: Rules) -> set[World]:
    """One message is accepted: a copy with this label."""
    found = set[World]()
    for world in worlds:
        for place, hand in enumerate(world.hands):
            after = row.step(world, Action(Do.WRITE, place), rules) if hand.labelled is copy.labelled else None
            if after is not None and after.taken > world.taken:
                found.add(after)
    return found


def _until(worlds: Iterable[World], at: int, heard: Sequence[bool], fate: Fate, rules: Rules) -> set[World]:
    """All that may be so at that instant, before the next message is accepted."""
    now = _closure(worlds, heard, fate, rules)
    # A message may also leave and not arrive, at any time: its moments are those at which a repeat of it was due.
    for moment in sorted({at, *(due for due in _dues(now) if due < at)}):
        now = _closure(_at(now, moment, rules), heard, fate, rules)
    return now


def _dues(worlds: Iterable[World]) -> set[int]:
    ahead = {world.row.due for world in worlds if world.row is not None and world.row.due > world.now}
    return {*ahead, 0} if any(world.now < 0 for world in worlds) else ahead


def _at(worlds: Iterable[World], moment: int, rules: Rules) -> set[World]:
    """Those that can wait until then: nobody is between the note and the socket, or outlives a lease."""
    passing = Action(Do.PASS, to=moment)
    return {after for world in worlds if (after := _waits(world, passing, rules)) is not None}


def _waits(world: World, passing: Action, rules: Rules) -> World | None:
    return world if world.now >= passing.to else row.step(world, passing, rules)


def _closure(worlds: Iterable[World], heard: Sequence[bool], fate: Fate, rules: Rules) -> set[World]:
    known = set(worlds)
    waiting = list(known)
    while waiting:
        world = waiting.pop()
        for action in _unseen(world, heard, fate, rules):
            after = row.step(world, action, rules)
            if after is not None and after not in known:
                known.add(after)
                waiting.append(after)
    return known


def _unseen(world: World, heard: Sequence[bool], fate: Fate, rules: Rules) -> Iterable[Action]:
    """What may happen without a message that arrives."""
    for action in row.actions(world, rules):
        if action.do is Do.SETTLE:
            possible = _may_hear(world, action, heard)
        else:
            possible = action.do in _BETWEEN or (action.do is Do.WRITE and action.fate is not Stage.TAKEN)
        if possible:
            yield action
    if fate.record.answered:
        yield Action(Do.TAP)


def _may_hear(world: World, action: Action, heard: Sequence[bool]) -> bool:
    """Whether the bot may have got this answer: of an accepted copy, what was recorded."""
    if world.hands[action.who].stage is not Stage.TAKEN:
        return True
    # Of several copies in the air any may be meant.
    return action.heard in heard


def _ends_so(world: World, fate: Fate) -> bool:
    """Whether the row stands as it is recorded."""
    record, box = fate.record, world.row
    if record.state in _OPEN_STILL:
        return record.state is None or (box is not None and box.state in row.OPEN)
    if box is None or box.state is not record.state:
        return False
    return record.copies is None or record.state is State.CANCELLED or box.copies == record.copies
