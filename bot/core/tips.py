"""Which tip on which night: a pure function of person, night and list.

Every person has a shuffled deck of the tips that fit them, one of several hundred. Night number n (counted from EPOCH) shows
card n % len(deck) of deck n // len(deck), so a tip comes back only after all the others, and the same night always shows
the same tip.

When the deck changes - a thumbs-down, a muted topic, an operator's edit - there is no memory of what was shown, so a
repeat cannot be ruled out, only made rare and late:
- a card's place in the shuffle hangs on its own id, so taking one out leaves the others in the same order;
- EPOCH is near the first release, so the deck's number d is small; with one card fewer the place in the deck moves
  ahead by d cards, which then wait for the next deck. In what is left of this one at most a card or two come again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b

from bot.core.model import Night, Person, Tip

EPOCH = date(2026, 11, 1)

DECKS = 509
"""How many shuffled decks there are. People who share a deck get the same tips, which nobody notices."""


class Moment(IntEnum):
    """When a tip is shown, which decides what fits."""

    ASKED = 0  # whatever there is
    EVENING = 1  # nothing that frightens
    DISCREET = 2  # nor anything that tells what is taken


def tonights(
    person: Person, night: Night, tips: Sequence[Tip], *, retired: frozenset[str], held: frozenset[str] = frozenset()
) -> Tip | None:
    """The tip of this person's reminder. Topics that are `held` back, as in a self-experiment, count as muted."""
    moment = Moment.DISCREET if person.discreet else Moment.EVENING
    return pick(person.id, night, tips, form=person.form, retired=retired, muted=person.muted | held, moment=moment)


def by_day(
    person: Person, night: Night, tips: Sequence[Tip], *, retired: frozenset[str], held: frozenset[str] = frozenset()
) -> Tip | None:
    """The next of the tips that are never shown in the evening; none repeats before all were shown. None in discreet mode."""
    if person.discreet:
        return None
    wanted = [tip for tip in tips if tip.by_day]
    week = EPOCH + timedelta(days=(night - EPOCH).days // 7)
    return pick(person.id, week, wanted, form=person.form, retired=retired, muted=person.muted | held)


def number(tip_id: str) -> int:
    """What a night remembers of its tip: the id as a number of three bytes, always the same."""
    return int.from_bytes(blake2b(tip_id.encode(), digest_size=3).digest(), "big") >> 1


def pick(
    user_id: int,
    night: Night,
    tips: Sequence[Tip],
    *,
    form: str | None,
    retired: frozenset[str],
    muted: frozenset[str],
    moment: Moment = Moment.ASKED,
) -> Tip | None:
    """The night's tip; None when none fits. `retired` holds tip ids, `muted` topic ids, `form` the person's form id."""
    fitting = _fitting(tuple(tips), form, retired, muted, moment)
    if not fitting:
        return None
    number, place = divmod((night - EPOCH).days, len(fitting))
    return fitting[_deck(user_id % DECKS, number, tuple(fitting))[place]]


def more(
    user_id: int,
    night: Night,
    tips: Sequence[Tip],
    *,
    form: str | None,
    retired: frozenset[str],
    muted: frozenset[str],
    after: str | None,
) -> Tip | None:
    """One more tip for /tips, never the night's own; None when no other fits.

    `after` is the id of the tip shown last, or None. Asking on and on with it goes round all that fit before one comes
    again. The round is the night's own and runs through the whole list, so it goes on where it was after a thumbs-down.
    """
    tonight = pick(user_id, night, tips, form=form, retired=retired, muted=muted)
    fitting = _fitting(tuple(tips), form, retired, muted, Moment.ASKED)
    circle = _shuffled(f"{user_id}:more:{night}", tuple(tip.id for tip in tips))
    start = circle.index(after) + 1 if after in circle else 0
    candidates = (fitting.get(tip_id) for tip_id in circle[start:] + circle[:start])
    return next((tip for tip in candidates if tip is not None and tip != tonight), None)


# Most people have retired and muted nothing: one evening asks for a few of these again and again.
@lru_cache(maxsize=128)
def _fitting(
    tips: tuple[Tip, ...], form: str | None, retired: frozenset[str], muted: frozenset[str], moment: Moment
) -> dict[str, Tip]:
    return {
        tip.id: tip
        for tip in tips
        if tip.id not in retired
        and tip.topic not in muted
        and form not in tip.unfit_forms
        and not (moment >= Moment.EVENING and tip.by_day)
        and not (moment >= Moment.DISCREET and tip.tells)
    }


# Some hundreds of kilobytes, for which an evening's rush shuffles each deck once.
@lru_cache(maxsize=2 * DECKS)
def _deck(which: int, number: int, ids: tuple[str, ...]) -> tuple[str, ...]:
    """The cards of one deck in order. The last third of the deck before comes no earlier than in its second third."""
    third = len(ids) // 3
    if third == 0:  # of two cards the second would meet itself again: keep to one order
        return tuple(_shuffled(f"{which}:0", ids))
    cards = _shuffled(f"{which}:{number}", ids)
    just_shown = frozenset(_shuffled(f"{which}:{number - 1}", ids)[-third:])
    # The first two thirds hold at least one third of other cards to begin with; sorting is stable, and the last third,
    # on which the next deck depends in turn, stays as it was shuffled.
    first = sorted(cards[: 2 * third], key=just_shown.__contains__)
    return (*first, *cards[2 * third :])


def _shuffled(key: str, ids: tuple[str, ...]) -> list[str]:
    """The ids by a keyed hash of each, so that the order of two never depends on a third, nor on the list's order."""
    factor = _mark(key) * 2.0 + 1.0
    places = [mark * factor % _WORD for mark in _marks(ids)]
    return [ids[card] for card in sorted(range(len(ids)), key=places.__getitem__)]


# Multiplicative hashing: a card's mark times the deck's own odd factor, modulo a power of two. Every bit of both counts in
# the upper bits of the place. In floating point, where Python is fastest; 25 bits times 26 are exact there on any machine.
_WORD = 2.0**26


@lru_cache(maxsize=128)
def _marks(ids: tuple[str, ...]) -> tuple[float, ...]:
    return tuple(float(_mark(tip_id)) for tip_id in ids)


def _mark(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big") >> 7
