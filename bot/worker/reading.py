"""Reading what somebody sent, confined. A question is a line of JSON, the zone and the last night that is over; then the file."""

from __future__ import annotations

import codecs
import json
import typing
from datetime import date
from zoneinfo import ZoneInfo

from bot.core import diary_import
from bot.core.model import Night
from bot.core.plain_values import plain, restored
from bot.worker import limits

_ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp437", "latin-1", "cp1252")
"""Those that a file may be in; Python reads the code of each from the disk when it first meets it."""

_ANSWER = typing.get_type_hints(diary_import.read)["return"]


def question(data: bytes, *, zone: str, last: Night) -> bytes:
    """For a file from somebody who sleeps in that zone; `last` is the last night that is over."""
    return json.dumps([zone, last.isoformat()]).encode() + b"\n" + data


def confined(asked: bytes) -> bytes:
    """The answer to a question. From here on the process can open nothing; a second question finds it just so."""
    about, _, data = asked.partition(b"\n")
    zone, last = json.loads(about)
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
    ZoneInfo(zone).utcoffset(None)
    limits.confine()
    found = diary_import.read(data, zone=zone, last=date.fromisoformat(last))
    return json.dumps(plain(found), ensure_ascii=False, separators=(",", ":")).encode()


def answer(said: bytes) -> typing.Any:
    """What `diary_import.read` gave there. Raises ValueError."""
    return restored(_ANSWER, json.loads(said))
