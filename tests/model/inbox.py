"""How updates come in, in small: stored before they are confirmed, handled in one transaction with what they change, in order.

Three updates of two people, two processes that both take updates in (one alone where `replicas` is off), and deaths.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

OWNERS = (0, 0, 1)
"""Whose each of the updates is, in the order in which they were sent."""

LAST = len(OWNERS)


class Intake(NamedTuple):
    """Telegram's offset (all before it are confirmed and forgotten), what the table holds, what was done, who has what in mind."""

    confirmed: int = 0
    stored: frozenset[int] = frozenset()
    numbers: frozenset[int] = frozenset()  # known numbers: a repeated delivery is dropped
    effects: tuple[int, ...] = ()
    fetched: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())
    queued: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    deaths: int = 0


class InboxMistake(StrEnum):
    CONFIRMS_FIRST = "an update is confirmed before it is stored"
    FORGETS_NUMBER = "a handled update's number is forgotten"
    TWO_TRANSACTIONS = "what an update changes is written before it leaves the inbox"
    ANY_ORDER = "of one person's updates any goes first"
    UNLOCKED = "two processes handle one update"
    LEAVES_THE_REST = "what the dead had taken in is not looked for"


@dataclass(frozen=True, slots=True)
class InboxRules:
    replicas: bool = True
    most_deaths: int = 2
    wrong: frozenset[InboxMistake] = frozenset()


class Happens(NamedTuple):
    what: str
    who: int = 0
    update: int = 0


def moves(intake: Intake, rules: InboxRules) -> Iterator[tuple[Happens, Intake]]:
    """All that can happen next."""
    for who in range(1 + rules.replicas):
        yield from _takes_in(intake, who, rules)
        yield from _handles(intake, who, rules)
        if intake.deaths < rules.most_deaths and (intake.fetched[who] or intake.queued[who]):
            dead = _mind(intake, who, fetched=frozenset(), queued=())
            yield Happens("dies", who), dead._replace(deaths=intake.deaths + 1)


def _takes_in(intake: Intake, who: int, rules: InboxRules) -> Iterator[tuple[Happens, Intake]]:
    there = frozenset(range(intake.confirmed, LAST))
    if there - intake.fetched[who] and not intake.queued[who]:
        got = _mind(intake, who, fetched=there)
        if InboxMistake.CONFIRMS_FIRST in rules.wrong:
            got = got._replace(confirmed=LAST)
        yield Happens("fetches", who), got
    if fetched := intake.fetched[who]:
        new = fetched - intake.numbers
        kept = intake._replace(stored=intake.stored | new, numbers=intake.numbers | new)
        yield Happens("stores", who), _mind(kept, who, fetched=frozenset(), queued=_in_order(intake, who, new))
    if intake.confirmed < LAST and frozenset(range(LAST)) <= intake.numbers | _done(intake):
        yield Happens("confirms", who), intake._replace(confirmed=LAST)
    left = intake.stored - set(intake.queued[who])
    if left and InboxMistake.LEAVES_THE_REST not in rules.wrong:
        yield Happens("looks for what is left", who), _mind(intake, who, queued=_in_order(intake, who, left))


def _handles(intake: Intake, who: int, rules: InboxRules) -> Iterator[tuple[Happens, Intake]]:
    """One update of each person, in parallel: its effect and its leaving the inbox are one."""
    queue = intake.queued[who]
    for update in queue:
        first = min((one for one in intake.stored if OWNERS[one] == OWNERS[update]), default=None)
        ours = update if InboxMistake.ANY_ORDER in rules.wrong else first
        rest = _mind(intake, who, queued=tuple(one for one in queue if one != update))
        if InboxMistake.TWO_TRANSACTIONS in rules.wrong and update in intake.stored:
            yield Happens("writes", who, update), intake._replace(effects=(*intake.effects, update))
            yield Happens("removes", who, update), rest._replace(stored=intake.stored - {update})
        elif update not in intake.stored and InboxMistake.UNLOCKED not in rules.wrong:
            yield Happens("finds it handled", who, update), rest
        elif ours is None or (update == ours or InboxMistake.UNLOCKED in rules.wrong):
            yield Happens("handles", who, update), _handled(rest, update, rules)
        else:
            # Another process has left an earlier one: that goes first, and this one stays.
            yield Happens("handles", who, ours), _handled(intake, ours, rules)


def _handled(intake: Intake, update: int, rules: InboxRules) -> Intake:
    numbers = intake.numbers - {update} if InboxMistake.FORGETS_NUMBER in rules.wrong else intake.numbers
    return intake._replace(stored=intake.stored - {update}, numbers=numbers, effects=(*intake.effects, update))


def _done(intake: Intake) -> frozenset[int]:
    return frozenset(intake.effects)


def _in_order(intake: Intake, who: int, more: frozenset[int]) -> tuple[int, ...]:
    return tuple(sorted({*intake.queued[who], *more}))


def _mind(
    intake: Intake, who: int, *, fetched: frozenset[int] | None = None, queued: tuple[int, ...] | None = None
) -> Intake:
    minds = list(intake.fetched), list(intake.queued)
    if fetched is not None:
        minds[0][who] = fetched
    if queued is not None:
        minds[1][who] = queued
    return intake._replace(fetched=(minds[0][0], minds[0][1]), queued=(minds[1][0], minds[1][1]))


def breaks(_before: Intake, _step: Happens, after: Intake) -> str:
    """Which rule the step breaks; empty where it keeps all."""
    if len(after.effects) > len(_done(after)):
        return "handled twice"
    for owner in set(OWNERS):
        mine = [update for update in after.effects if OWNERS[update] == owner]
        if mine != sorted(mine):
            return "out of order"
    kept = after.stored | _done(after)
    lost = [update for update in range(after.confirmed) if update not in kept]
    return "confirmed and lost" if lost else ""


def harmless(step: Happens) -> bool:
    return step.what != "dies"


def ended(intake: Intake) -> bool:
    """Whether everything that was sent has been handled."""
    return len(_done(intake)) == LAST and not intake.stored
