"""What a button carries: `v1:verb:argument…`, never a user id, at most 64 bytes. Read strictly: anybody can forge it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

LIMIT = 64
"""Telegram's limit, in bytes."""

# No button names a night of another century, and near the ends of the calendar times of day cannot be computed.
_NIGHT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_FORM = re.compile(r"v1:([a-z_]{1,20})((?::[A-Za-z0-9_+./-]{0,40}){0,3})")


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed button: what to do, with which arguments."""

    verb: str
    args: tuple[str, ...] = ()

    @property
    def night(self) -> date | None:
        """The first argument as a night of this century, or None when it is not one."""
        if not _NIGHT.fullmatch(self.arg(0)):
            return None
        try:
            return date.fromisoformat(self.arg(0))
        except ValueError:
            return None

    def arg(self, position: int) -> str:
        """An argument, or "" where there is none."""
        return self.args[position] if position < len(self.args) else ""

    def number(self, position: int) -> int | None:
        """An argument as a whole number, or None when it is not one."""
        text = self.arg(position)
        return int(text) if re.fullmatch(r"-?[0-9]{1,6}", text) else None


def parse(data: object) -> Press | None:
    """The press that a callback's data stands for; None if no button of ours ever carried it."""
    found = _FORM.fullmatch(data) if isinstance(data, str) else None
    if found is None or len(found[0]) > LIMIT:
        return None
    return Press(found[1], tuple(found[2][1:].split(":")) if found[2] else ())


def data(verb: str, *args: object) -> str:
    """The data of a button. Raises ValueError for one that could not be read back."""
    text = ":".join(("v1", verb, *(str(arg) for arg in args)))
    if parse(text) is None:
        raise ValueError(f"not a button's data: {text!r}")
    return text
