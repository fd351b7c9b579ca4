"""The protocol of a reminder's row, as one pure function: what each action makes of the world, or that it cannot happen.

Two workers (or one alone), the stored row, what each task of a worker believes, what the person said, and what Telegram took.
Times are whole seconds after the reminder's moment. The model knows nothing of the code that it describes: another test
compares the two. `RULES` say what must never be seen; `Wrong` are the mistakes that a search must find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum
from typing import NamedTuple

from bot.core.model import State

MINUTE = 60
LEASE = 2 * MINUTE
BACK_OFF = 2
REPEAT_AFTER = {1: 2 * MINUTE, 2: 5 * MINUTE}
SNOOZE = 10 * MINUTE

_WAITING = (State.DUE, State.CLAIMED)
_IN_HAND = (State.CLAIMED, State.SENDING)
OPEN = (*_WAITING, State.SENDING)
_LEFT_ALONE = State.SENDING, State.SENT, State.EXPIRED, State.GONE, State.CANCELLED


class Stage(IntEnum):
    """How far a task has come with the row it claimed, and what became of the message."""

    CLAIMED = 0
    BEGUN = 1  # the copy is counted; the socket has not been written
    TAKEN = 2  # Telegram accepted it
    DROPPED = 3  # it did not arrive, and nobody will say so
    REFUSED = 4  # it certainly did not arrive, and Telegram says so
    BLOCKED = 5  # the person does not want to hear from us
    UNWANTED = 6  # it may not begin
    LATE = 7  # withdrawn at the socket


FATES = (Stage.TAKEN, Stage.DROPPED, Stage.REFUSED, Stage.BLOCKED)


class Standing(IntEnum):
    ACTIVE = 0
    PAUSED = 1
    GONE = 2
    ERASED = 3


# Tuples, because these are hashed and compared a million times.
class Box(NamedTuple):
    """The stored row."""

    number: int
    due: int
    until: int
    state: State = State.DUE
    copies: int = 0
    numbered: bool = False  # a message of it is known by its number
    worker: int | None = None
    lease: int | None = None
    sent_at: int = 0


class Hand(NamedTuple):
    """A task of a worker with the row that it claimed, as it was then. `owns`: nobody took the row away since."""

    worker: int
    number: int
    stage: Stage
    copies: int
    until: int
    lease: int
    round: int
    owns: bool = True

    @property
    def labelled(self) -> bool:
        """Whether the message says that it comes again, and comes silently: it was written when the row was claimed."""
        return self.copies > 0


class World(NamedTuple):
    """Everything at one instant. The copies that were taken are those since the row was owed or snoozed last."""

    now: int
    row: Box | None = None
    hands: tuple[Hand, ...] = ()
    planned: bool = True  # the night is still to be owed
    answered: bool = False
    standing: Standing = Standing.ACTIVE
    round: int = 0  # how often it was snoozed
    owed: int = 0  # how often it was owed: once, and again after a change of plans
    taken: int = 0
    taken_at: int = 0
    proof: bool = False  # a copy was taken, or the person answered, at any time


class Do(Enum):
    OWE = "owe"
    CLAIM = "claim"
    START = "start"
    WRITE = "write"
    SETTLE = "settle"
    DIE = "die"
    GIVE_BACK = "give back"
    BURY = "bury"
    RECLAIM = "reclaim"
    EXPIRE = "expire"
    CLOSE = "close"
    TAP = "tap"
    NOTE = "note"
    UNDO = "undo"
    SNOOZE = "snooze"
    WITHDRAW = "withdraw"
    PAUSE = "pause"
    RESUME = "resume"
    ERASE = "erase"
    PASS = "time passes"


OF_PEOPLE = frozenset({Do.TAP, Do.NOTE, Do.UNDO, Do.SNOOZE, Do.WITHDRAW, Do.PAUSE, Do.RESUME, Do.ERASE})


class Action(NamedTuple):
    """What happens. `who` is a worker, or the place of a task among the hands; `fate` what becomes of a message that is
    written; `heard` whether the answer comes; `to` the instant to which time passes."""

    do: Do
    who: int = 0
    fate: Stage = Stage.TAKEN
    heard: bool = True
    to: int = 0


class Wrong(StrEnum):
    """Deliberate mistakes."""

    START_UNFENCED = "a worker begins a row that another has"
    SETTLE_UNFENCED = "a worker ends a row that another has"
    NO_LEASE = "rows are taken back from the living"
    KEEP_NOTHING = "the only process takes back what it has in hand"
    NO_DEADLINE_AT_START = "a row is begun after the end of its window"
    NO_DEADLINE_AT_SOCKET = "the deadline is not looked at before the socket is written"
    STALE = "a message leaves however long ago it was written"
    NO_LOOK_AT_ANSWER = "a row is begun although the night was answered"
    NO_LOOK_AT_PERSON = "a row is begun although the person rests"
    UNCOUNTED = "a copy is not counted before it leaves"
    UNCOUNTS_UNKNOWN = "a copy that may have arrived is not counted any more"
    NO_LIMIT = "it goes again however many copies left"
    AT_ONCE = "it goes again at once"
    UNKNOWN_IS_UNSENT = "a lost answer is taken for a refusal"
    UNKNOWN_IS_SENT = "a lost answer is taken for a yes"
    SETTLES_TWICE = "an answer is written twice"
    SETTLE_REVIVES = "a worker ends a row that has ended"
    SETTLE_INSERTS = "a worker writes back a row that was erased"
    ANSWER_REPEATS = "what ends unknown goes again although the night was answered"
    ANSWER_IS_LOST = "an answer does not end what waits"
    WITHDRAWS_SENT = "a change of plans forgets a row that has left"
    SNOOZE_KEEPS_WORKER = "a snooze leaves the row with its worker"
    EXPIRES_SENT = "what may have arrived is called expired"
    CLOSES_IN_HAND = "a night is closed while its row is being sent"
    NEVER_RECLAIMS = "nobody takes back what the dead had"
    NEVER_EXPIRES_NOR_CLOSES = "windows and nights do not end"
    GIVES_BACK_AT_ONCE = "what may not begin is due again in the same instant"


@dataclass(frozen=True, slots=True)
class Rules:
    """The night and what is assumed of the machines.

    - `bed`, `close`: bedtime and the end of the night.
    - `alone`: there is one process, and a start takes back everything.
    - `asleep`: a machine may sleep with a row in hand, between the note and the socket and beyond its lease. Else no time passes
      there, and in a world of two nobody outlives a lease; the clock of one alone may jump.
    - `again`: a worker may claim a row that an older task of its own still has.
    - `fresh`: so long after it was claimed a message may leave.
    - `labels`: whether every later copy must have its label.
    - `people`: what they may do.
    - `early`, `slack`: for histories of a real clock, which blurs.
    """

    bed: int = 45 * MINUTE
    close: int = 15 * 60 * MINUTE
    alone: bool = False
    asleep: bool = False
    again: bool = True
    hands: int = 2
    snoozes: int = 1
    plans: int = 2
    early: int = 0
    slack: int = 0
    fresh: int = 5 * MINUTE
    labels: bool = True
    people: frozenset[Do] = OF_PEOPLE
    wrong: frozenset[Wrong] = frozenset()

    @property
    def until(self) -> int:
        return self.bed - 5 * MINUTE

    @property
    def last_snooze(self) -> int:
        return self.bed - 6 * MINUTE


def step(world: World, action: Action, rules: Rules) -> World | None:
    """The world after the action, or None where it cannot happen."""
    if action.do in OF_PEOPLE and (world.standing is Standing.ERASED or action.do not in rules.people):
        return None
    return _STEPS[action.do](world, action, rules)


# -- what the only or the leading process does -----------------------------------------------------------------------------


def _owe(world: World, _action: Action, rules: Rules) -> World | None:
    if not world.planned or world.standing is not Standing.ACTIVE or world.now < -rules.early:
        return None
    state = State.CANCELLED if world.answered else State.DUE
    row = Box(world.owed, due=0, until=rules.until, state=state)
    return world._replace(row=row, planned=False, owed=world.owed + 1, taken=0)


def _claim(world: World, action: Action, rules: Rules) -> World | None:
    row, now = world.row, world.now
    if row is None or row.state is not State.DUE or len(world.hands) >= rules.hands or action.who > (not rules.alone):
        return None
    if not rules.again and any(hand[:2] == (action.who, row.number) for hand in world.hands):
        return None
    early = rules.early if row.copies == 0 and not row.numbered else 0
    if not (row.due - early <= now + rules.slack and now < row.until + rules.slack):
        return None
    claimed = row._replace(state=State.CLAIMED, worker=action.who, lease=now + LEASE)
    until = row.until if Wrong.STALE in rules.wrong else min(row.until, now + rules.fresh)
    hand = Hand(action.who, row.number, Stage.CLAIMED, row.copies, until, now + LEASE, world.round)
    return world._replace(row=claimed, hands=_sorted((*world.hands, hand)))


def _bury(world: World, _action: Action, rules: Rules) -> World | None:
    row = world.row
    if rules.alone or row is None or row.state is not State.CLAIMED or _live(world, row):
        return None
    return _taken_away(world, row._replace(state=State.DUE, worker=None, lease=None))


def _reclaim(world: World, action: Action, rules: Rules) -> World | None:
    row = world.row
    if row is None or row.lease is None or Wrong.NEVER_RECLAIMS in rules.wrong:
        return None
    kept = any(hand.worker == action.who and hand.number == row.number for hand in world.hands)
    if kept and not (rules.wrong & {Wrong.KEEP_NOTHING, Wrong.NO_LEASE}):
        return None
    everything = rules.alone and not world.hands
    if not everything and row.lease > world.now + rules.slack and Wrong.NO_LEASE not in rules.wrong:
        return None
    if row.state is State.CLAIMED:
        return _taken_away(world, row._replace(state=State.DUE, worker=None, lease=None))
    return _taken_away(world, _after_unknown(row, world, row.copies, row.sent_at, rules))


def _expire(world: World, _action: Action, rules: Rules) -> World | None:
    row = world.row
    if row is None or row.state is not State.DUE or row.due > world.now or row.until > world.now + rules.slack:
        return None
    if Wrong.NEVER_EXPIRES_NOR_CLOSES in rules.wrong:
        return None
    left = row.copies > 0 and Wrong.EXPIRES_SENT not in rules.wrong
    return world._replace(row=row._replace(state=State.UNKNOWN if left else State.EXPIRED))


def _close(world: World, _action: Action, rules: Rules) -> World | None:
    row = world.row
    if row is None or world.now < rules.close or Wrong.NEVER_EXPIRES_NOR_CLOSES in rules.wrong:
        return None
    if row.state in _IN_HAND and Wrong.CLOSES_IN_HAND not in rules.wrong:
        return None
    return world._replace(row=None)


# -- what a worker does with what it has -------------------------------------------------------------------------------


def _start(world: World, action: Action, rules: Rules) -> World | None:
    hand, row = _hand(world, action), world.row
    if hand is None or hand.stage is not Stage.CLAIMED:
        return None
    refused = _with(world, action.who, hand._replace(stage=Stage.UNWANTED))
    if row is None or row.number != hand.number or row.state is not State.CLAIMED:
        return refused
    if row.worker != hand.worker and Wrong.START_UNFENCED not in rules.wrong:
        return refused
    answered = world.answered and Wrong.NO_LOOK_AT_ANSWER not in rules.wrong
    rests = world.standing is not Standing.ACTIVE and Wrong.NO_LOOK_AT_PERSON not in rules.wrong
    if answered or rests:
        end = _proven(row) if answered else State.CANCELLED
        return _taken_away(refused, row._replace(state=end, worker=None, lease=None))
    if row.until + rules.slack <= world.now and Wrong.NO_DEADLINE_AT_START not in rules.wrong:
        return refused
    counted = row.copies + (Wrong.UNCOUNTED not in rules.wrong)
    lease = world.now + LEASE
    begun = row._replace(state=State.SENDING, copies=counted, sent_at=world.now, lease=lease)
    return _with(world._replace(row=begun), action.who, hand._replace(stage=Stage.BEGUN, lease=lease))


def _write(world: World, action: Action, rules: Rules) -> World | None:
    hand = _hand(world, action)
    if hand is None or hand.stage is not Stage.BEGUN:
        return None
    late = world.now >= hand.until + rules.slack and Wrong.NO_DEADLINE_AT_SOCKET not in rules.wrong
    stage = Stage.LATE if late else action.fate
    if late and action.fate is not Stage.TAKEN:
        return None
    after = _with(world, action.who, hand._replace(stage=stage))
    if stage is not Stage.TAKEN:
        return after
    # What was in the air when it was snoozed or withdrawn is of the time before.
    if hand.round == world.round and hand.number == world.owed - 1:
        after = after._replace(taken=world.taken + 1, taken_at=world.now)
    return after._replace(proof=True)


def _settle(world: World, action: Action, rules: Rules) -> World | None:
    hand, row = _hand(world, action), world.row
    if hand is None or hand.stage <= Stage.BEGUN:
        return None
    if not action.heard and hand.stage is not Stage.TAKEN:
        return None
    twice = Wrong.SETTLES_TWICE in rules.wrong and hand.owns
    after = _once_more(world, action.who) if twice else _without(world, action.who)
    if hand.stage is Stage.BLOCKED:
        after = after._replace(standing=max(after.standing, Standing.GONE))
    if row is None and Wrong.SETTLE_INSERTS in rules.wrong and hand.stage is Stage.TAKEN:
        return after._replace(row=Box(hand.number, world.now, hand.until, State.SENT, 1, numbered=True))
    if row is None or row.number != hand.number or not _may_settle(row, hand, rules):
        return _cancelled(after) if hand.stage is Stage.BLOCKED else after
    after = _taken_away(after, _ended(row, hand, world, heard=action.heard, rules=rules))
    return _cancelled(after) if hand.stage is Stage.BLOCKED else after


def _once_more(world: World, place: int) -> World:
    """The mistake of writing an answer twice: the task keeps its answer, and no longer knows the row as its own."""
    return _with(world, place, world.hands[place]._replace(owns=False))


def _may_settle(row: Box, hand: Hand, rules: Rules) -> bool:
    if row.worker != hand.worker and not (rules.wrong & {Wrong.SETTLE_UNFENCED, Wrong.SETTLES_TWICE}):
        return Wrong.SETTLE_REVIVES in rules.wrong and row.state not in OPEN
    if hand.stage is Stage.UNWANTED:
        return row.state is State.CLAIMED
    return row.state in _IN_HAND or Wrong.SETTLES_TWICE in rules.wrong


def _ended(row: Box, hand: Hand, world: World, *, heard: bool, rules: Rules) -> Box:
    """The row with what became of its message."""
    free = row._replace(worker=None, lease=None)
    if hand.stage is Stage.TAKEN and (heard or Wrong.UNKNOWN_IS_SENT in rules.wrong):
        return free._replace(state=State.SENT, numbered=True, sent_at=world.now)
    if hand.stage is Stage.DROPPED and Wrong.UNKNOWN_IS_SENT in rules.wrong:
        return free._replace(state=State.SENT, sent_at=world.now)
    if hand.stage in (Stage.TAKEN, Stage.DROPPED) and Wrong.UNKNOWN_IS_UNSENT not in rules.wrong:
        return _after_unknown(row, world, hand.copies + 1, world.now, rules)
    uncount = row.state is State.SENDING and hand.stage is not Stage.UNWANTED
    free = free._replace(copies=max(0, row.copies - uncount))
    if hand.stage is Stage.BLOCKED:
        return free._replace(state=State.GONE)
    if world.answered:
        return free._replace(state=_proven(free))
    wait = 0 if Wrong.GIVES_BACK_AT_ONCE in rules.wrong else BACK_OFF
    return free._replace(state=State.DUE, due=min(world.now + wait, row.until))


def _after_unknown(row: Box, world: World, copies: int, sent_at: int, rules: Rules) -> Box:
    """A copy may have arrived: it goes again after a while, up to three, unless the night was answered."""
    free = row._replace(worker=None, lease=None)
    if Wrong.UNCOUNTS_UNKNOWN in rules.wrong:
        free = free._replace(copies=max(0, row.copies - 1))
    wait = REPEAT_AFTER.get(copies, 5 * MINUTE if Wrong.NO_LIMIT in rules.wrong else None)
    if wait is None:
        return free._replace(state=State.UNKNOWN)
    if world.answered and Wrong.ANSWER_REPEATS not in rules.wrong:
        return free._replace(state=_proven(free))
    at = world.now if Wrong.AT_ONCE in rules.wrong else sent_at + wait
    return free._replace(state=State.DUE, due=min(at, row.until))


def _die(world: World, action: Action, _rules: Rules) -> World | None:
    left = tuple(hand for hand in world.hands if hand.worker != action.who)
    return world._replace(hands=left) if left != world.hands else None


def _give_back(world: World, action: Action, _rules: Rules) -> World | None:
    """An orderly end, once nothing is in the air."""
    row, mine = world.row, [hand for hand in world.hands if hand.worker == action.who]
    if not mine or any(hand.stage is not Stage.CLAIMED for hand in mine):
        return None
    after = world._replace(hands=tuple(hand for hand in world.hands if hand.worker != action.who))
    if row is not None and row.state is State.CLAIMED and row.worker == action.who:
        return _taken_away(after, row._replace(state=State.DUE, worker=None, lease=None))
    return after


# -- what people do ----------------------------------------------------------------------------------------------------


def _tap(world: World, _action: Action, rules: Rules) -> World | None:
    if world.answered or world.now >= rules.close:
        return None
    after, row = world._replace(answered=True, proof=True), world.row
    if row is None or row.state in _LEFT_ALONE or Wrong.ANSWER_IS_LOST in rules.wrong:
        return after
    return _taken_away(after, row._replace(state=_proven(row), worker=None, lease=None))


def _note(world: World, _action: Action, rules: Rules) -> World | None:
    """An answer that comes to the diary alone, from an imported file say."""
    return None if world.answered or world.now >= rules.close else world._replace(answered=True, proof=True)


def _undo(world: World, _action: Action, _rules: Rules) -> World | None:
    return world._replace(answered=False) if world.answered else None


def _snooze(world: World, _action: Action, rules: Rules) -> World | None:
    """Pressed under a message that arrived."""
    row = world.row
    if row is None or world.answered or not world.taken or world.round >= rules.snoozes:
        return None
    if world.now >= rules.last_snooze:
        return None
    at = min(world.now + SNOOZE, rules.last_snooze)
    again = row._replace(state=State.DUE, due=at, copies=0, numbered=True, until=rules.until)
    if Wrong.SNOOZE_KEEPS_WORKER not in rules.wrong:
        again = again._replace(worker=None, lease=None)
    elif row.state in OPEN:
        again = again._replace(state=row.state)
    return _taken_away(world._replace(round=world.round + 1, taken=0), again)


def _withdraw(world: World, _action: Action, rules: Rules) -> World | None:
    """Another bedtime or lead: the night is planned again if nothing of it ever left."""
    row = world.row
    if row is None or world.standing is not Standing.ACTIVE or world.owed >= rules.plans:
        return None
    return _taken_away(world._replace(planned=True), None) if _withdrawable(row, rules) else None


def _withdrawable(row: Box, rules: Rules) -> bool:
    if Wrong.WITHDRAWS_SENT in rules.wrong:
        return True
    return row.copies == 0 and not row.numbered and row.state in (*_WAITING, State.EXPIRED)


def _pause(world: World, _action: Action, rules: Rules) -> World | None:
    if world.standing is not Standing.ACTIVE:
        return None
    after, row = world._replace(standing=Standing.PAUSED, planned=False), world.row
    if row is None or not _withdrawable(row, rules):
        return _cancelled(after)
    return _taken_away(after, None)


def _resume(world: World, _action: Action, _rules: Rules) -> World | None:
    if world.standing not in (Standing.PAUSED, Standing.GONE):
        return None
    planned = world.row is None and world.now < 0
    return world._replace(standing=Standing.ACTIVE, planned=planned)


def _erase(world: World, _action: Action, _rules: Rules) -> World | None:
    return _taken_away(world._replace(standing=Standing.ERASED, planned=False, answered=False), None)


def _pass(world: World, action: Action, rules: Rules) -> World | None:
    if action.to <= world.now or (not rules.asleep and any(_hurries(hand, action.to, rules) for hand in world.hands)):
        return None
    return world._replace(now=action.to)


def _hurries(hand: Hand, to: int, rules: Rules) -> bool:
    """Whether this task is done with its work before then. The clock of one alone may jump over its lease."""
    return hand.stage is Stage.BEGUN or (to >= hand.lease and not rules.alone)


_STEPS: dict[Do, Callable[[World, Action, Rules], World | None]] = {
    Do.OWE: _owe,
    Do.CLAIM: _claim,
    Do.START: _start,
    Do.WRITE: _write,
    Do.SETTLE: _settle,
    Do.DIE: _die,
    Do.GIVE_BACK: _give_back,
    Do.BURY: _bury,
    Do.RECLAIM: _reclaim,
    Do.EXPIRE: _expire,
    Do.CLOSE: _close,
    Do.TAP: _tap,
    Do.NOTE: _note,
    Do.UNDO: _undo,
    Do.SNOOZE: _snooze,
    Do.WITHDRAW: _withdraw,
    Do.PAUSE: _pause,
    Do.RESUME: _resume,
    Do.ERASE: _erase,
    Do.PASS: _pass,
}


# -- small parts -------------------------------------------------------------------------------------------------------


def _sorted(hands: Iterable[Hand]) -> tuple[Hand, ...]:
    return tuple(sorted(hands))


def _hand(world: World, action: Action) -> Hand | None:
    return world.hands[action.who] if action.who < len(world.hands) else None


def _with(world: World, place: int, hand: Hand) -> World:
    return world._replace(hands=_sorted((*world.hands[:place], hand, *world.hands[place + 1 :])))


def _without(world: World, place: int) -> World:
    return world._replace(hands=world.hands[:place] + world.hands[place + 1 :])


def _taken_away(world: World, row: Box | None) -> World:
    """The row is in nobody's hand any more, whatever tasks believe."""
    hands = _sorted(hand._replace(owns=False) for hand in world.hands) if world.hands else ()
    return world._replace(row=row, hands=hands)


def _cancelled(world: World) -> World:
    row = world.row
    if row is None or row.state not in _WAITING:
        return world
    return _taken_away(world, row._replace(state=State.CANCELLED, worker=None, lease=None))


def _proven(row: Box) -> State:
    return State.SENT if row.copies or row.numbered else State.CANCELLED


def _live(world: World, row: Box) -> bool:
    return any(hand.worker == row.worker for hand in world.hands)


# -- what must never be seen -------------------------------------------------------------------------------------------


def breaks(before: World, action: Action, after: World, rules: Rules) -> str:
    """Which rule the step breaks; empty where it keeps all."""
    for rule in RULES:
        if why := rule(before, action, after, rules):
            return why
    return ""


def _written(before: World, action: Action, after: World, rules: Rules) -> str:
    if action.do is not Do.WRITE or after.proof is False:
        return ""
    hand = before.hands[action.who]
    if Stage.TAKEN not in (one.stage for one in after.hands) or action.fate is not Stage.TAKEN:
        return ""
    late = [one for one in after.hands if one.stage is Stage.LATE]
    if before.now >= rules.until and len(late) == sum(one.stage is Stage.LATE for one in before.hands):
        return "sent after the deadline"
    if after.taken > 3:
        return "a fourth copy"
    if after.taken < 2 or after.taken == before.taken:
        return ""
    if not hand.labelled and rules.labels:
        return "a later copy without its label"
    soon = before.now < before.taken_at + _apart(after.taken)
    return "too soon after the copy before" if soon and not rules.asleep else ""


def _apart(copies: int) -> int:
    return REPEAT_AFTER[copies - 1]


def _begun(before: World, action: Action, after: World, rules: Rules) -> str:
    if action.do is not Do.START or after.hands == before.hands:
        return ""
    hand = before.hands[action.who]
    begun = after.row is not None and after.row != before.row and after.row.state is State.SENDING
    if not begun:
        return ""
    if before.answered:
        return "begun although it was answered"
    if before.standing is not Standing.ACTIVE:
        return "begun for somebody who rests"
    if before.now >= rules.until:
        return "begun after the deadline"
    others = [one for one in before.hands if one is not hand and one.number == hand.number]
    air = any(one.stage in (Stage.BEGUN, Stage.TAKEN, Stage.DROPPED) and one.round == before.round for one in others)
    return "two copies in the air" if air and not rules.asleep else ""


def _fenced(before: World, action: Action, after: World, rules: Rules) -> str:
    if action.do not in (Do.START, Do.SETTLE) or after.row == before.row:
        return ""
    hand = before.hands[action.who]
    if before.row is None or before.row.worker != hand.worker:
        blocked = hand.stage is Stage.BLOCKED and after.row is not None and after.row.state is State.CANCELLED
        return "" if blocked else "a write to a row that another has, or nobody"
    return "a write to a row that was taken away" if not hand.owns and not rules.asleep else ""


def _final(before: World, action: Action, after: World, _rules: Rules) -> str:
    if before.row is None or before.row.state in OPEN or action.do in (Do.SNOOZE, Do.WITHDRAW):
        return ""
    back = after.row is not None and after.row.number == before.row.number and after.row.state in OPEN
    return "what had ended goes on" if back else ""


def _erased(_before: World, _action: Action, after: World, _rules: Rules) -> str:
    return "an erased row came back" if after.standing is Standing.ERASED and after.row is not None else ""


def _honest(before: World, action: Action, after: World, _rules: Rules) -> str:
    row = after.row
    if row is None:
        forgot = action.do is Do.WITHDRAW and before.taken
        in_hand = action.do is Do.CLOSE and before.row is not None and before.row.state in _IN_HAND
        return "forgotten although it left" if forgot else "closed while it is in hand" if in_hand else ""
    if row.state is State.SENT and not after.proof:
        return "called sent, and nothing arrived"
    if row.state is State.EXPIRED and after.taken:
        return "called expired although it arrived"
    return "a copy left uncounted" if row.copies < after.taken and row.state in OPEN else ""


def _living(before: World, action: Action, after: World, rules: Rules) -> str:
    takes = action.do in (Do.RECLAIM, Do.BURY) and after.row != before.row and not rules.asleep
    return "taken from the living" if takes and any(hand.owns for hand in before.hands) else ""


def _waits_for_nothing(before: World, action: Action, after: World, _rules: Rules) -> str:
    row = after.row
    # What was answered behind its back is looked at when it is begun or ends.
    looked = action.do is Do.TAP or (before.row is not None and before.row.state is State.SENDING and row != before.row)
    stale = looked and after.answered and row is not None and row.state is State.DUE
    return "still to be sent although it was answered" if stale else ""


RULES = (_written, _begun, _fenced, _final, _erased, _honest, _living, _waits_for_nothing)


# -- everything that can happen ----------------------------------------------------------------------------------------

_SINGLE = tuple(
    Action(do)
    for do in (
        *(Do.OWE, Do.BURY, Do.EXPIRE, Do.CLOSE),
        *sorted(OF_PEOPLE, key=lambda do: do.value),
    )
)
_OF_WORKERS = tuple(Action(do, who) for do in (Do.CLAIM, Do.RECLAIM, Do.GIVE_BACK, Do.DIE) for who in (0, 1))
_OF_TASKS = tuple(
    (
        Action(Do.START, place),
        *(Action(Do.WRITE, place, fate) for fate in FATES),
        Action(Do.SETTLE, place),
        Action(Do.SETTLE, place, heard=False),
    )
    for place in range(3)
)


def actions(world: World, rules: Rules) -> Iterator[Action]:
    """All that may be tried at this instant, but that time passes."""
    yield from _SINGLE
    yield from _OF_WORKERS[::2] if rules.alone else _OF_WORKERS
    for place in range(len(world.hands)):
        yield from _OF_TASKS[place]


def moves(world: World, rules: Rules, instants: tuple[int, ...]) -> Iterator[tuple[Action, World]]:
    """All that can happen next, where time is looked at in these instants alone."""
    for action in actions(world, rules):
        after = step(world, action, rules)
        if after is not None and after != world:
            yield action, after
    later = next((at for at in instants if at > world.now), None)
    if later is not None:
        passing = Action(Do.PASS, to=later)
        after = step(world, passing, rules)
        if after is not None:
            yield passing, after


_HARMLESS = {Do.OWE, Do.CLAIM, Do.START, Do.BURY, Do.RECLAIM, Do.EXPIRE, Do.CLOSE, Do.PASS}


def harmless(action: Action) -> bool:
    """Whether the action is one of a bot that works, with a network that does, and nobody about."""
    if action.do is Do.WRITE:
        return action.fate is Stage.TAKEN
    return action.do in _HARMLESS or (action.do is Do.SETTLE and action.heard)


def ended(world: World) -> bool:
    """Whether the night is over, with nothing left to do."""
    return world.row is None and not world.planned and not world.hands
