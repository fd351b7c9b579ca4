"""Phrases that are looked for in what people type: whole words in their order, however they are written.

A phrase is written as people would, with a few signs that stand alone or inside brackets:

    want/wanna         any one of these words
    (really/just)      one of these words, or nothing
    <die>              one of the entries of that list of words, each of one word or more
    *  **  ***         up to one, two, three words of any kind
    #  ##  ###  ####   a number of at least so many digits
    ^  $               the beginning and the end of the whole text
    =word              exactly these letters; without "=" the letters also fit where their accents are left out

Case, apostrophes, punctuation and invisible marks never count. In scripts that put no blanks between words every sign is
a word, so that a phrase is found wherever its signs stand side by side.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 4096
"""Characters of a text that are looked at: as many as a message can have."""

MOST_STEPS = 100_000
"""Steps that a finder remembers; with more it begins afresh, so that nobody can fill the memory by typing."""


class PhraseError(ValueError):
    """A phrase that cannot be read. The text says why."""


# -- text as words -----------------------------------------------------------------------------------------------------

# Marks that many people leave out: apostrophes, Arabic vowels and the stretching line, the dot under Hindi letters, the dot
# that casefolding leaves of a Turkish capital, and what picks the look of an emoji.
_DROPPED = "'`\u2018\u2019\u201a\u201b\u02bb\u02bc\u02bd\u02c8\u2032" + "\u0640\u0670\u093c\u0307\ufe0e\ufe0f"
_VOWELS = "".join(map(chr, range(0x064B, 0x0653)))
# Letters that are written for one another; a Turkish capital I becomes i, with its dot or without.
_SAME = {
    "أ": "ا",
    "إ": "ا",
    "آ": "ا",
    "ٱ": "ا",
    "ى": "ي",
    "ة": "ه",
    "ی": "ي",
    "ک": "ك",
    "ँ": "ं",
    "ё": "е",
    "ґ": "г",
    "ı": "i",
}
# Chinese, Japanese, Thai, Lao, Khmer and Burmese are written without blanks.
_UNSPACED = (
    "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# The vowel signs of the scripts of India are no letters to a regular expression.
_WORD = re.compile(rf"[{_UNSPACED}]|[0-9]+|(?:[^\W0-9_{_UNSPACED}]+|[\u0900-\u0963\u0970-\u0dff]+)+")
_ASCII_WORD = re.compile(r"[0-9]+|[a-z]+")
# The letters that have no accent to take off, and how they are typed without one.
_PLAIN_LETTERS = {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"}
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


class _Shapes(dict[int, str]):
    """What each character counts as, worked out when it is first seen: the table of `tokens`."""

    def __missing__(self, code: int) -> str:
        self[code] = shape = _shape(chr(code))
        return shape


def _shape(char: str) -> str:
    """The character, or one written for it; "" for a mark that does not count; digits of any script as 0-9."""
    if char in _DROPPED or char in _VOWELS or unicodedata.category(char) in ("Cf", "Cs"):
        return ""
    digit = unicodedata.decimal(char, None)
    return _SAME.get(char, char) if digit is None else str(digit)


_shapes = _Shapes()


def tokens(text: str) -> list[str]:
    """The text's words in small letters, numbers apart, without apostrophes; at most LONGEST characters are looked at."""
    text = text[:LONGEST]
    if text.isascii():  # most texts are, and this is five times as fast
        return _ASCII_WORD.findall(text.lower().replace("'", "").replace("`", ""))
    # The acute accent that stands alone would become a blank.
    folded = unicodedata.normalize("NFKC", text.replace("\u00b4", "'")).casefold()
    return _WORD.findall(unicodedata.normalize("NFC", folded.translate(_shapes)))


@lru_cache(maxsize=8192)
def spellings(word: str) -> tuple[str, ...]:
    """How a word is typed: as it is, without its accents, and with ae, oe and ue for umlauts."""
    if word.isascii():
        return (word,)
    return tuple(dict.fromkeys((word, "".join(map(_bare, word)), word.translate(_UMLAUTS))))


def _bare(char: str) -> str:
    """A Latin letter without its accent; another one as it is, for there the marks are letters."""
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() else _PLAIN_LETTERS.get(char, char)


# -- a phrase ----------------------------------------------------------------------------------------------------------

Label = str  # a word, or one of the signs
_NUMBERS = ("#", "##", "###", "####")
_BEGIN, _END = "^", "$"


@dataclass(frozen=True, slots=True)
class Part:
    """One place of a phrase: any of these ways to fill it, each a row of labels' spellings."""

    ways: tuple[tuple[tuple[Label, ...], ...], ...]
    optional: bool = False


Lists = Mapping[str, Part]
"""Named places for <name>."""

_GAP = Part(((("*",),),), optional=True)
_GAPS = {"*": [_GAP], "**": [_GAP] * 2, "***": [_GAP] * 3}


def any_of(entries: Sequence[str]) -> Part:
    """A place for one of the entries of a list. Raises PhraseError."""
    return Part(tuple(map(_way, entries)))


def parse(phrase: str, lists: Lists) -> tuple[Part, ...]:
    """The places of a phrase. Raises PhraseError."""
    parts: list[Part] = []
    for piece in phrase.split():
        if piece in _GAPS:
            parts += _GAPS[piece]
        elif piece[0] == "<":
            if piece[-1] != ">" or piece[1:-1] not in lists:
                raise PhraseError(f"there is no list of words for {piece}")
            parts.append(lists[piece[1:-1]])
        else:
            parts.append(_part(piece))
    if not parts or parts[0].optional or parts[-1].optional:
        # What may be left out at an end says nothing, and is most often a slip for what must be there.
        raise PhraseError("it must begin and end with something that is always there")
    return tuple(parts)


@lru_cache(maxsize=8192)
def _part(piece: str) -> Part:
    """A place for one word of several, which in brackets may be missing."""
    optional = len(piece) > 2 and piece[0] == "(" and piece[-1] == ")"
    return Part(tuple(map(_way, (piece[1:-1] if optional else piece).split("/"))), optional)


@lru_cache(maxsize=8192)
def _way(entry: str) -> tuple[tuple[Label, ...], ...]:
    """One way to fill a place: for each word its spellings."""
    if entry in (*_NUMBERS, _BEGIN, _END):
        return ((entry,),)
    way: list[tuple[Label, ...]] = []
    for written in entry.split():
        exact = written[0] == "="
        way += [(token,) if exact else spellings(token) for token in tokens(written)]
    if not way or set(entry) & set("*#<>()/^$"):
        raise PhraseError(f"no word fits {entry!r}")
    return tuple(way)


# -- finding -----------------------------------------------------------------------------------------------------------


class Finder:
    """Many phrases, looked for in one pass. `phrases` are pairs of a mark and a phrase; marks tell what was found.

    The phrases become one automaton; its steps are worked out when a text first needs them and then remembered.
    """

    def __init__(self, phrases: Iterable[tuple[str, tuple[Part, ...]]]) -> None:
        self._edges: list[dict[Label, list[int]]] = [{}]
        self._skips: dict[int, list[int]] = {}
        self._marks: dict[int, set[str]] = {}
        every = list(phrases)  # all of them live while identities are told apart
        built: dict[tuple[int, int], int] = {}
        for mark, parts in every:
            self._marks.setdefault(self._chain(parts, built), set()).add(mark)
        self._vocabulary = {_BEGIN, _END} | {label for edges in self._edges for label in edges} - {"*", *_NUMBERS}
        self._openers = {label for state in self._reach({0}) for label in self._edges[state]}
        self._walks: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._begin()

    def find(self, said: Sequence[str]) -> frozenset[str]:
        """The marks of all phrases in the text, which is given as `tokens` makes it; "" is a word that fits no phrase."""
        state, found = 0, frozenset[str]()
        steps, marks, vocabulary = self._steps, self._found, self._vocabulary
        for token in (_BEGIN, *said, _END):
            key = token if token in vocabulary else _kind(token)
            following = steps[state].get(key)
            if following is None:
                following = self._step(state, key)
                steps, marks = self._steps, self._found
            state = following
            if marks[state]:
                found |= marks[state]
        return found

    def without(self, said: Sequence[str]) -> list[str]:
        """The text with "" in the place of each word that belongs to one of the phrases: the longest from each word on."""
        kept = list(said)
        for start, token in enumerate(said):
            if not self._openers.isdisjoint(_labels(token)):
                end = self._end(said, start)
                kept[start:end] = [""] * (end - start)
        return kept

    def _end(self, said: Sequence[str], start: int) -> int:
        """Where the longest phrase that begins at `start` ends; `start` itself when none does."""
        states, end = self._sets[0], start
        for place in range(start, len(said)):
            states = self._walk(states, said[place])
            if not states:
                break
            if not self._marks.keys().isdisjoint(states):
                end = place + 1
        return end

    def _walk(self, states: frozenset[int], token: str) -> frozenset[int]:
        """The states that follow from these alone, remembered."""
        key = (states, token if token in self._vocabulary else _kind(token))
        if key not in self._walks:
            if len(self._walks) >= MOST_STEPS:
                self._walks.clear()
            self._walks[key] = self._follow(*key)
        return self._walks[key]

    def _chain(self, parts: Sequence[Part], built: dict[tuple[int, int], int]) -> int:
        """Add a phrase's states after the first one, and give the last. Those of an equal beginning are used again.

        `built` knows the state after a place by the state before it and the place's identity: equal places are one object.
        """
        state = 0
        for part in parts:
            target = built.get((state, id(part)))
            if target is None:
                target = built[state, id(part)] = self._place(state, part)
            state = target
        return state

    def _place(self, state: int, part: Part) -> int:
        """Add the states of one place, and give the one after it."""
        target = self._new()
        for way in part.ways:
            here = state
            for labels in way[:-1]:
                here = self._join(here, labels, self._new())
            self._join(here, way[-1], target)
        if part.optional:
            self._skips.setdefault(state, []).append(target)
        return target

    def _new(self) -> int:
        self._edges.append({})
        return len(self._edges) - 1

    def _join(self, state: int, labels: Sequence[Label], target: int) -> int:
        for label in labels:
            self._edges[state].setdefault(label, []).append(target)
        return target

    def _begin(self) -> None:
        """Forget every step worked out so far."""
        self._sets: list[frozenset[int]] = [self._reach({0})]
        self._numbers = {self._sets[0]: 0}
        self._steps: list[dict[str, int]] = [{}]
        self._found: list[frozenset[str]] = [frozenset()]
        self._remembered = 0

    def _step(self, state: int, key: str) -> int:
        """Work out the state after `key`, and remember it."""
        before = self._sets[state]
        if self._remembered >= MOST_STEPS:
            self._begin()
            state = self._number(before)
        following = self._number(self._follow(before, key) | self._sets[0])
        self._steps[state][key] = following
        self._remembered += 1
        return following

    def _number(self, states: frozenset[int]) -> int:
        if states not in self._numbers:
            self._numbers[states] = len(self._sets)
            self._sets.append(states)
            self._steps.append({})
            self._found.append(frozenset(mark for state in states for mark in self._marks.get(state, ())))
        return self._numbers[states]

    def _follow(self, states: Iterable[int], token: str) -> frozenset[int]:
        labels = _labels(token)
        return self._reach({one for state in states for label in labels for one in self._edges[state].get(label, ())})

    def _reach(self, states: set[int]) -> frozenset[int]:
        """The states, and all states that can be reached from them without reading a word."""
        reached, open_ = set(states), list(states)
        while open_:
            fresh = [state for state in self._skips.get(open_.pop(), ()) if state not in reached]
            reached.update(fresh)
            open_ += fresh
        return frozenset(reached)


def _kind(token: str) -> Label:
    """What an unknown word is to a finder: a number, any word, or "" for a place to step over."""
    if token.isdecimal():
        return _NUMBERS[min(len(token), len(_NUMBERS)) - 1]
    return "*" if token else ""


def _labels(token: str) -> tuple[Label, ...]:
    """Every label that a word answers to."""
    if token in ("", _BEGIN, _END):
        return (token,)
    if token[0] == "#":
        return (*_NUMBERS[: len(token)], "*")
    kind = _kind(token)
    return (token, "*") if kind == "*" else (token, *_labels(kind))
