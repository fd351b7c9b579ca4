"""Every history of a reminder's row within bounds: no rule is broken, an end is always near, and deliberate mistakes are found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model import State
from tests.model import row
from tests.model.row import Action, Do, Rules, Stage, World, Wrong
from tests.model.search import FULL, Explored, explore

QUICK = tuple(minute * row.MINUTE for minute in (-1, 0, 2, 7, 39, 40, 900))
"""Before the reminder, at it, when repeats are due, the last moment of a snooze, the end of the window, the end of the night."""

FINE = tuple(minute * row.MINUTE for minute in (-1, 0, 1, 2, 7, 30, 39, 40, 900))

CHANGING = frozenset({Do.TAP, Do.NOTE, Do.SNOOZE, Do.WITHDRAW, Do.ERASE})
TWO = Rules(people=row.OF_PEOPLE if FULL else CHANGING)
ALONE = replace(TWO, alone=True, again=False)
ASLEEP = Rules(asleep=True, again=False, labels=False, people=frozenset({Do.TAP}))
SNOOZING = replace(ASLEEP, people=frozenset({Do.SNOOZE}))
if FULL:
    ASLEEP = replace(ASLEEP, people=row.OF_PEOPLE - {Do.SNOOZE, Do.WITHDRAW, Do.UNDO})

WORLDS = {
    "two workers": (TWO, QUICK, FINE),
    "one worker": (ALONE, QUICK, FINE),
    "two that sleep": (ASLEEP, QUICK[1:4] + QUICK[5:], QUICK),
    "two that sleep, and a snooze": (SNOOZING, (0, QUICK[2], *QUICK[4:]), QUICK),
}
_OF_THE_BOT = {Do.OWE, Do.CLAIM, Do.START, Do.WRITE, Do.SETTLE, Do.GIVE_BACK, Do.BURY, Do.RECLAIM, Do.EXPIRE, Do.CLOSE}


def search(rules: Rules, instants: tuple[int, ...] = QUICK) -> Explored[World, Action]:
    return explore(
        World(now=instants[0]),
        lambda world: row.moves(world, rules, instants),
        breaks=lambda before, action, after: row.breaks(before, action, after, rules),
    )


@pytest.mark.parametrize("name", WORLDS)
def test_no_history_breaks_a_rule_and_every_one_can_come_to_an_end(name: str) -> None:
    rules, quick, fine = WORLDS[name]

    found = search(rules, fine if FULL else quick)

    assert found.broken == "", found.story
    # Nobody has to die, nothing has to fail, nobody has to help: from everywhere.
    assert found.without_end(ends=row.ended, harmless=row.harmless) == []
    # Without time passing nothing is done again and again.
    assert found.circles(among=lambda action: action.do in _OF_THE_BOT and action.do is not Do.GIVE_BACK) == []
    print(f"{name}: {len(found.states)} states")


def test_where_nothing_goes_wrong_exactly_one_copy_leaves_in_its_minute() -> None:
    found = explore(
        World(now=QUICK[0]),
        lambda world: ((action, after) for action, after in row.moves(world, TWO, QUICK) if _prompt(world, action)),
        breaks=lambda before, action, after: row.breaks(before, action, after, TWO),
    )

    closed = [world for world in found.states if row.ended(world)]
    assert {(world.taken, world.taken_at) for world in closed} == {(1, 0)}


def _prompt(world: World, action: Action) -> bool:
    """One of two bots that do at once what there is to do."""
    if not row.harmless(action):
        return False
    if action.do is not Do.PASS:
        return True
    waits = world.row is not None and world.row.state in row.OPEN and world.row.due <= world.now
    return not world.hands and not waits and not (world.planned and world.now >= 0)


MISTAKES: dict[Wrong, tuple[Rules, str]] = {
    Wrong.START_UNFENCED: (ASLEEP, "a write to a row that another has, or nobody"),
    Wrong.SETTLE_UNFENCED: (ASLEEP, "a write to a row that another has, or nobody"),
    Wrong.NO_LEASE: (TWO, "taken from the living"),
    Wrong.KEEP_NOTHING: (ALONE, "taken from the living"),
    Wrong.NO_DEADLINE_AT_START: (TWO, "begun after the deadline"),
    Wrong.NO_DEADLINE_AT_SOCKET: (ASLEEP, "sent after the deadline"),
    Wrong.STALE: (replace(ASLEEP, labels=True, fresh=row.LEASE), "a later copy without its label"),
    Wrong.NO_LOOK_AT_ANSWER: (TWO, "begun although it was answered"),
    Wrong.NO_LOOK_AT_PERSON: (replace(TWO, people=frozenset({Do.NOTE, Do.PAUSE})), "begun for somebody who rests"),
    Wrong.UNCOUNTED: (TWO, "uncounted"),
    Wrong.UNCOUNTS_UNKNOWN: (TWO, "uncounted"),
    Wrong.NO_LIMIT: (replace(TWO, people=frozenset()), "a fourth copy"),
    Wrong.AT_ONCE: (TWO, "too soon after the copy before"),
    Wrong.UNKNOWN_IS_UNSENT: (TWO, "uncounted"),
    Wrong.UNKNOWN_IS_SENT: (TWO, "called sent, and nothing arrived"),
    Wrong.SETTLES_TWICE: (TWO, "a write to a row that another has, or nobody"),
    Wrong.SETTLE_REVIVES: (TWO, "a write to a row that another has, or nobody"),
    Wrong.SETTLE_INSERTS: (TWO, "a write to a row that another has, or nobody"),
    Wrong.ANSWER_REPEATS: (TWO, "still to be sent although it was answered"),
    Wrong.ANSWER_IS_LOST: (TWO, "still to be sent although it was answered"),
    Wrong.WITHDRAWS_SENT: (TWO, "forgotten although it left"),
    Wrong.SNOOZE_KEEPS_WORKER: (TWO, "a write to a row that was taken away"),
    Wrong.EXPIRES_SENT: (TWO, "called expired although it arrived"),
    Wrong.CLOSES_IN_HAND: (TWO, "closed while it is in hand"),
    Wrong.NEVER_RECLAIMS: (TWO, "no end"),
    Wrong.NEVER_EXPIRES_NOR_CLOSES: (TWO, "no end"),
    Wrong.GIVES_BACK_AT_ONCE: (TWO, "a circle"),
}


@pytest.mark.parametrize("mistake", Wrong)
def test_every_deliberate_mistake_is_found(mistake: Wrong) -> None:
    rules, why = MISTAKES[mistake]
    if why in ("no end", "a circle"):  # the whole world is searched, so it is a small one
        rules = replace(rules, people=frozenset(), hands=1)

    found = search(replace(rules, wrong=frozenset({mistake})))

    if why == "no end":
        assert found.broken == ""
        assert found.without_end(ends=row.ended, harmless=row.harmless)
    elif why == "a circle":
        assert found.circles(among=lambda action: action.do in _OF_THE_BOT and action.do is not Do.GIVE_BACK)
    else:
        assert why in found.broken, found.broken or "nothing was found"


def test_a_machine_that_sleeps_may_send_a_copy_without_its_label_where_messages_stay_fresh_for_longer_than_a_lease() -> (
    None
):
    found = search(replace(ASLEEP, labels=True), WORLDS["two that sleep"][1])

    assert found.broken == "a later copy without its label"


@pytest.mark.skipif(not FULL, reason="takes half a minute; set FULL=1 for the wider searches")
def test_it_could_not_where_they_stay_fresh_for_no_longer_than_a_lease() -> None:
    assert search(replace(ASLEEP, labels=True, fresh=row.LEASE), WORLDS["two that sleep"][1]).broken == ""


def test_a_worker_that_takes_a_row_again_beside_an_older_task_of_its_own_could_send_a_fourth_copy() -> None:
    # The fence is the worker's name: it does not part two tasks of one worker. That needs a process which slept with an
    # answer in the air beyond its lease, lost the row to another, and claims it again before the old answer is written.
    rules = replace(ASLEEP, again=True)

    world, story = World(now=0), [
        Action(Do.OWE),
        Action(Do.CLAIM),
        Action(Do.START),
        Action(Do.WRITE),
        Action(Do.SETTLE, heard=False),
        Action(Do.PASS, to=2 * row.MINUTE),
        Action(Do.CLAIM),
        Action(Do.START),
        Action(Do.WRITE),
        Action(Do.PASS, to=7 * row.MINUTE),
        Action(Do.RECLAIM, 1),
    ]  # fmt: skip
    for action in story:
        after = row.step(world, action, rules)
        assert after is not None, action
        world = after

    assert (world.taken, [hand.stage for hand in world.hands]) == (2, [Stage.TAKEN])
    assert row.step(world, Action(Do.CLAIM), ASLEEP) is None
    again = row.step(world, Action(Do.CLAIM), rules)
    assert again is not None
    assert again.row is not None
    assert (again.row.state, again.row.worker) == (State.CLAIMED, again.hands[0].worker)
