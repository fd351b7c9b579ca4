"""Towns of more than 15,000 people, by any of their names: GeoNames' data, under CC BY 4.0 (https://www.geonames.org).

The file is read when it is first asked for and stays in memory as it is, five megabytes; a name is found in it by bisection.
"""

from __future__ import annotations

import gzip
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from bot.texts.places.folding import fold

_FILE = Path(__file__).parents[1] / "towns.tsv.gz"
_SHORTEST = 3
"""The fewest Latin letters of a name that is searched. Shorter ones belong to villages that nobody means."""


@dataclass(frozen=True, slots=True)
class Town:
    """One town. `state` is empty where regions.toml has none for the country; `own`: it was found by its own name."""

    name: str
    country: str
    state: str
    zone: str
    thousands: int
    own: bool = True


@dataclass(frozen=True, slots=True)
class _Data:
    towns: bytes
    starts: array[int]
    names: bytes


@lru_cache(maxsize=1)
def _data() -> _Data:
    towns, _, names = gzip.decompress(_FILE.read_bytes()).partition(b"\n\n")
    starts = array("I", [0, *(found.end() for found in re.finditer(b"\n", towns))])
    return _Data(towns, starts, names)


def find(name: str) -> list[Town]:
    """The towns of exactly this name, most people first."""
    key = fold(name)
    if not key or (key.isascii() and len(key) < _SHORTEST):
        return []
    line = _line(key.encode())
    return [] if line is None else _towns(line)


def beginning(name: str, *, most: int) -> list[Town]:
    """The towns with a name that begins like this, most people first; none where there are more than so many names."""
    key = fold(name).encode()
    names, found = _data().names, []
    start = _place(key)
    while start < len(names) and names.startswith(key, start):
        end = names.index(b"\n", start)
        found.append(names[start:end])
        if len(found) > most:
            return []
        start = end + 1
    return sorted((town for line in found for town in _towns(line)), key=lambda town: -town.thousands)


@lru_cache(maxsize=256)
def of_state(country: str, state: str) -> tuple[Town, ...]:
    """The largest town of each zone of a state, with the thousands of all its towns in that zone, most people first."""
    pattern = re.compile(
        rf"^([^\t\n]+)\t{re.escape(country)}\t{re.escape(state)}\t([^\t]+)\t(\d+)$".encode(), re.MULTILINE
    )
    zones: dict[str, Town] = {}
    for found in pattern.finditer(_data().towns):
        name, zone, thousands = found[1].decode(), found[2].decode(), int(found[3])
        known = zones.setdefault(zone, Town(name, country, state, zone, 0))
        zones[zone] = replace(known, thousands=known.thousands + thousands)
    return tuple(sorted(zones.values(), key=lambda town: -town.thousands))


def _place(key: bytes) -> int:
    """The position of the first name that does not come before the key."""
    names = _data().names
    low, high = 0, len(names)
    while low < high:
        start = names.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = names.index(b"\n", start)
        if names[start : names.index(b"\t", start)] < key:
            low = end + 1
        else:
            high = start
    return low


def _line(key: bytes) -> bytes | None:
    names, start = _data().names, _place(key)
    if not names.startswith(key + b"\t", start):
        return None
    return names[start : names.index(b"\n", start)]


def _towns(line: bytes) -> list[Town]:
    _, own, other = line.decode().split("\t")
    found = [*_numbered(own, own=True), *_numbered(other, own=False)]
    return sorted(found, key=lambda town: -town.thousands)


def _numbered(numbers: str, *, own: bool) -> Iterator[Town]:
    data = _data()
    for number in map(int, numbers.split()):
        end = data.starts[number + 1] - 1 if number + 1 < len(data.starts) else len(data.towns)
        name, country, state, zone, thousands = data.towns[data.starts[number] : end].decode().split("\t")
        yield Town(name, country, state, zone, int(thousands), own)
