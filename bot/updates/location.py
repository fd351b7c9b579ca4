"""A shared location becomes the name of its time zone before it is stored: coordinates never reach the disk."""

from __future__ import annotations

from bot.texts import places

ZONE = "lull_zone"
"""The field beside a message's location that holds its zone's name; two with a blank between where two clocks are in use,
"" where there is none."""

_COORDINATES = ("latitude", "longitude")
_FIELDS = tuple(f'"{name}"'.encode() for name in (*_COORDINATES, ZONE))
_DEEPEST = 40


def may_be_in(body: bytes) -> bool:
    """Whether an update's JSON has a field that `forgotten` would change: few have, and to look costs less than to do it."""
    return any(field in body for field in _FIELDS)


def forgotten(raw: dict[str, object]) -> dict[str, object]:
    """The update without any coordinates. The location of a new message left its zone's name behind."""
    zone = _zone_of(raw.get("message"))
    kept = _without(raw, 0)
    message = kept.get("message") if isinstance(kept, dict) else None
    if zone is not None and isinstance(message, dict):
        message[ZONE] = zone
    return kept if isinstance(kept, dict) else raw


def _zone_of(message: object) -> str | None:
    shared = message.get("location") if isinstance(message, dict) else None
    if not isinstance(shared, dict):
        return None
    found = [shared.get(name) for name in _COORDINATES]
    numbers = [float(value) for value in found if isinstance(value, int | float)]
    return " ".join(places.at(numbers[0], numbers[1])) if len(numbers) == len(_COORDINATES) else ""


def _without(value: object, depth: int) -> object:
    """The same with every coordinate 0, and no zone's name that came from outside."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        return [_without(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: 0 if name in _COORDINATES else _without(item, depth + 1) for name, item in value.items() if name != ZONE
    }
