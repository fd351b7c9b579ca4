"""One TOML table at a time, read strictly: every fault becomes a sentence that names its file and entry."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

ID = re.compile(r"[a-z0-9_]{1,32}")
_MARKUP = re.compile(r"</?[a-z]|&(?:#\d+|#x[0-9a-f]+|[a-z]+);", re.IGNORECASE)
# Control characters, line breaks, and the invisible marks that turn the direction of what follows.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# An amount to take: a number with a unit, or a unit of weight that has no other use in a text about supplements.
_AMOUNT = re.compile(
    r"(?:\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half|double|hundred)\b(?: an?\b)?)"
    r"[\d.,'\u00a0]*[\s-]*"
    r"(?:mg|mcg|[µμu]g|g|grams?|grammes?|mmol|iu|tablets?|capsules?|caps|pills?|drops?|scoops?|sachets?"
    r"|(?:tea|table)?spoon(?:ful)?s?|мг|мкг|г|таблет\w*|tablett\w*|comprimid\w*|comprim[ée]s?|kapsel\w*)\b"
    r"|milligram|microgram|milligramm|miligram|миллиграмм|микрограмм|毫克|微克|ミリグラム|밀리그램",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Table:
    """One table of one file. What is wrong with it goes to the shared list of problems."""

    where: str
    values: dict[str, object]
    problems: list[str]
    operator: bool = False
    id: str = ""

    def refuse(self, sentence: str) -> None:
        self.problems.append(f"{self.where}: {sentence}.")

    def only(self, *keys: str) -> None:
        for key in self.values.keys() - set(keys):
            self.refuse(f"{key} is not a known field; known are {', '.join(keys)}")

    def text(self, key: str, longest: int) -> str:
        value = self.values.get(key)
        if not isinstance(value, str) or not value.strip():
            self.refuse(f"{key} is missing or is not a text")
            return ""
        self._check(key, value, longest)
        return value

    def _check(self, key: str, value: str, longest: int) -> None:
        if len(value) > longest:
            self.refuse(f"{key} has {len(value)} characters, {longest} is the most")
        if value != value.strip():
            self.refuse(f"{key} begins or ends with a space")
        if _UNPRINTABLE.search(value):
            self.refuse(f"{key} holds a control character, a line break or a direction mark")
        if _MARKUP.search(value):
            self.refuse(f"{key} holds HTML, but texts are plain and would show it as it stands")

    def prose(self, key: str, longest: int) -> str:
        """A text that a person reads, so that it must not name an amount to take."""
        value = self.text(key, longest)
        self.no_amount(key, value)
        return value

    def no_amount(self, key: str, value: str) -> None:
        if amount := _AMOUNT.search(unicodedata.normalize("NFKC", value)):
            self.refuse(f"{key} names an amount ({amount.group().strip()}), and no text here may read like a dose")

    def one_of(self, key: str, known: Collection[str]) -> str:
        value = self.text(key, 100)
        if value and value not in known:
            self.refuse(f"{key} {value!r} is not known")
        return value

    def flag(self, key: str, *, otherwise: bool = False) -> bool:
        """Yes or no; `otherwise` where it is not there."""
        value = self.values.get(key, otherwise)
        if not isinstance(value, bool):
            self.refuse(f"{key} is neither true nor false")
        return value is True

    def day(self, key: str) -> date | None:
        """A day such as 2026-11-28, without quotation marks; None where it is not there."""
        value = self.values.get(key)
        if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
            self.refuse(f"{key} is not a day such as 2026-11-28, without quotation marks")
            return None
        return value

    def texts(self, key: str, longest: int) -> tuple[str, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            self.refuse(f"{key} is not a list of texts")
            return ()
        for item in value:
            self._check(f"{key} {item!r}", item, longest)
        return tuple(value)

    def ids(self, key: str, known: Collection[str]) -> tuple[str, ...]:
        given = self.texts(key, 32)
        for item in given:
            if item not in known:
                self.refuse(f"{key} names {item!r}, which does not exist")
        if len(set(given)) < len(given):
            self.refuse(f"{key} names one id twice")
        return given

    def tables(self, key: str) -> list[Table]:
        """The entries of an array of tables, each with an id of its own."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.refuse(f"{key} is not a list of entries such as [[{key}]]")
            return []
        found: dict[str, Table] = {}
        for values in value:
            where = f"{self.where}: {key} {values.get('id')!r}"
            entry = Table(where, values, self.problems, self.operator, id=str(values.get("id")))
            if not ID.fullmatch(entry.text("id", 32)):
                entry.refuse("the id must be 1 to 32 of a-z, 0-9 and _")
            elif entry.id in found:
                entry.refuse("this id is given twice")
            found.setdefault(entry.id, entry)
        return list(found.values())

    def named_tables(self, key: str) -> list[Table]:
        """The entries of a table of tables, whose ids are their keys."""
        holder = self.table(key)
        wrong = [
            name for name, values in holder.values.items() if not (isinstance(values, dict) and ID.fullmatch(name))
        ]
        for name in wrong:
            holder.refuse(f"{name} is not an entry, or its id is not 1 to 32 of a-z, 0-9 and _")
        return [
            Table(f"{self.where}: {name!r}", values, self.problems, self.operator, id=name)
            for name, values in holder.values.items()
            if isinstance(values, dict)
        ]

    def table(self, key: str) -> Table:
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.refuse(f"{key} is not a table such as [{key}]")
            value = {}
        return Table(f"{self.where}: {key}", value, self.problems, self.operator)


def read(path: Path, problems: list[str], *, operator: bool = False, name: str = "") -> Table:
    """The whole file. `name` is what problems call it; the file's own name, or the operator's whole path, without one."""
    where = name or (str(path) if operator else path.name)
    try:
        values: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{where}: cannot be read: {error}.")
        values = {}
    return Table(where, values, problems, operator)


def overlay(ours: list[Table], theirs: list[Table]) -> list[Table]:
    """Ours with theirs laid over: a new id adds, a known id changes the given fields, `off = true` takes away."""
    merged = {entry.id: entry for entry in ours}
    for entry in theirs:
        off = entry.values.pop("off", False)
        if not isinstance(off, bool):
            entry.refuse("off is neither true nor false")
        elif off and merged.pop(entry.id, None) is None:
            entry.refuse("there is nothing of this id to switch off")
        elif not off:
            base = merged[entry.id].values if entry.id in merged else {}
            merged[entry.id] = replace(entry, values=base | entry.values)
    return list(merged.values())
