"""Frozen dataclasses as JSON values and back again, by the types of their fields: for what goes from one process to another."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import cache

_KIND = "="
"""Where a dataclass's name stands among its fields: no field can be called so."""


def plain(value: object) -> object:
    """The value as JSON values. Fields that have their default are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        given = {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if getattr(value, field.name) != field.default
        }
        return {_KIND: type(value).__name__, **given}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{type(value).__name__} has no plain form")


def restored(kind: typing.Any, data: object) -> typing.Any:
    """The value of that type which `plain` made these JSON values of. Raises ValueError where they are none of it."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _one_of(typing.get_args(kind), data)
    if origin is tuple and isinstance(data, list):
        return _tuple(typing.get_args(kind), data)
    if dataclasses.is_dataclass(kind):
        return _object(kind, data)
    return _scalar(kind, data)


def _one_of(kinds: tuple[typing.Any, ...], data: object) -> typing.Any:
    if data is None and types.NoneType in kinds:
        return None
    name = data.get(_KIND) if isinstance(data, dict) else None
    for kind in kinds:
        if kind is not types.NoneType and (name is None or name == kind.__name__):
            return restored(kind, data)
    raise ValueError(f"no {name} is expected here")


def _tuple(kinds: tuple[typing.Any, ...], data: list[object]) -> tuple[typing.Any, ...]:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(restored(kinds[0], one) for one in data)
    return tuple(restored(kind, one) for kind, one in zip(kinds, data, strict=True))


def _object(kind: typing.Any, data: object) -> typing.Any:
    if not isinstance(data, dict) or data.get(_KIND) != kind.__name__:
        raise ValueError(f"a {kind.__name__} is expected here")
    hints = _hints(kind)
    if unknown := data.keys() - hints.keys() - {_KIND}:
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return kind(**{name: restored(hints[name], value) for name, value in data.items() if name != _KIND})


@cache
def _hints(kind: type) -> Mapping[str, typing.Any]:
    return typing.get_type_hints(kind)


def _scalar(kind: typing.Any, data: object) -> typing.Any:
    if kind is datetime or kind is date or kind is time:
        if not isinstance(data, str):
            raise ValueError("a moment is expected here")
        return kind.fromisoformat(data)
    if kind is timedelta and isinstance(data, int | float):
        return timedelta(seconds=data)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    # A boolean is an int to Python, and a whole number may stand for a float.
    if type(data) is kind or (kind is float and type(data) is int):
        return data
    raise ValueError(f"a {getattr(kind, '__name__', kind)} is expected here")
