"""What somebody in need may write, in every language: phrases read from content/need, a file a language, held ready at start."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.core import phrases
from bot.core.phrases import Finder, Part, PhraseError
from bot.texts import toml_table

CRISIS, URGENT = "crisis", "urgent"
ASKS = ("medicine", "double", "amount", "form", "works")
"""What people ask; where a text asks two things, the one that comes first here is answered."""

KINDS = (CRISIS, URGENT, *ASKS)
SOURCE = "en"

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:_[A-Z]{2})?")
_MOST_PHRASES = 3000  # of a language
_LONGEST_PHRASE = 200

Phrase = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """The phrases of one language: of each kind, and the idioms that only sound like one."""

    language: str
    kinds: Mapping[str, tuple[Phrase, ...]]
    harmless: tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """Every language's phrases, and the one place that looks for them."""

    languages: tuple[Heard, ...]
    _needs: Finder = field(compare=False, repr=False)
    _idioms: Finder = field(compare=False, repr=False)

    def kind(self, said: str, *, language: str, asks: bool) -> str | None:
        """The first of KINDS that the text holds, or None.

        Crisis and danger are looked for in every language; questions in the person's language and in English, and only
        where `asks`.
        """
        words = phrases.tokens(said)
        found = self._needs.find(words)
        if found:
            # A second look without the idioms, which are rare: most texts never come here.
            found = self._needs.find(self._idioms.without(words))
        for kind in KINDS if asks else (CRISIS, URGENT):
            if kind in found or f"{kind} {language}" in found or f"{kind} {SOURCE}" in found:
                return kind
        return None


def load(folder: Path, problems: list[str]) -> Need:
    """Every language file of the folder. What is wrong with one goes to `problems`, a sentence each."""
    languages = tuple(
        _language(path, problems) for path in sorted(folder.glob("*.toml")) if _named_well(path, problems)
    )
    if not any(one.language == SOURCE for one in languages):
        problems.append(f"{folder.name}/{SOURCE}.toml: is missing, and without it nobody in need would be heard.")
    marked = (
        (kind if kind in (CRISIS, URGENT) else f"{kind} {one.language}", phrase)
        for one in languages
        for kind, every in one.kinds.items()
        for phrase in every
    )
    idioms = (("harmless", phrase) for one in languages for phrase in one.harmless)
    return Need(languages, Finder(marked), Finder(idioms))


def _named_well(path: Path, problems: list[str]) -> bool:
    if _LANGUAGE.fullmatch(path.stem):
        return True
    problems.append(f"{path.parent.name}/{path.name}: its name is not the code of a language, such as de or pt_BR.")
    return False


def _language(path: Path, problems: list[str]) -> Heard:
    table = toml_table.read(path, problems, name=f"{path.parent.name}/{path.name}")
    table.only("words", CRISIS, URGENT, "ask", "harmless")
    words = _lists(table.table("words"))
    kinds = {kind: _phrases(table.table(kind), words) for kind in (CRISIS, URGENT)}
    asked = table.table("ask")
    asked.only(*ASKS)
    for name, lines in _groups(asked):
        kinds[name] = tuple(_parsed(asked, name, lines, words))
    missing = [kind for kind in (KINDS if path.stem == SOURCE else (CRISIS, URGENT)) if not kinds.get(kind)]
    if missing and table.values:
        table.refuse(f"there are no phrases for {', '.join(missing)}")
    if (count := sum(map(len, kinds.values()))) > _MOST_PHRASES:
        table.refuse(f"there are {count} phrases, {_MOST_PHRASES} is the most")
    return Heard(path.stem, kinds, _phrases(table.table("harmless"), words))


def _lists(table: toml_table.Table) -> dict[str, Part]:
    """The named lists of words."""
    lists = {}
    for name, entries in _groups(table):
        try:
            lists[name] = phrases.any_of(entries)
        except PhraseError as error:
            table.refuse(f"{name}: {error}")
    return lists


def _phrases(table: toml_table.Table, words: phrases.Lists) -> tuple[Phrase, ...]:
    """The phrases of all groups of a table."""
    return tuple(phrase for name, lines in _groups(table) for phrase in _parsed(table, name, lines, words))


def _groups(table: toml_table.Table) -> Iterator[tuple[str, list[str]]]:
    """A table's named groups, each a text with an entry a line."""
    for name, value in table.values.items():
        if not toml_table.ID.fullmatch(name):
            table.refuse(f"{name!r} must be 1 to 32 of a-z, 0-9 and _")
        elif not isinstance(value, str) or not value.strip():
            table.refuse(f"{name} is not a text with an entry a line")
        else:
            yield name, [line.strip() for line in value.splitlines() if line.strip()]


def _parsed(table: toml_table.Table, name: str, lines: list[str], words: phrases.Lists) -> Iterator[Phrase]:
    for line in lines:
        if len(line) > _LONGEST_PHRASE:
            table.refuse(f"{name}: a phrase has {len(line)} characters, {_LONGEST_PHRASE} is the most")
            continue
        try:
            yield phrases.parse(line, words)
        except PhraseError as error:
            table.refuse(f"{name}: {line!r}: {error}")
