"""Logs: one line an event, secrets redacted, people as keyed hashes, control characters escaped."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import math
import re
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO
from urllib.parse import quote

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

HIDDEN = "[secret]"
"""What stands in the place of a secret."""

# No word boundary before the digits: in a request's path they follow `/bot` directly.
_BOT = r"[0-9]{6,}(?::|%3[Aa])[A-Za-z0-9_-]{30,}"
# C0, DEL, C1, line separators, marks that turn the direction of text, and halves of characters that no encoding takes.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_FRAMES = 15
_CAUSES = 5
# These repeat what people wrote at DEBUG: PTB whole messages, the database drivers the parameters of every statement.
_PRIVATE = ("sqlalchemy", "aiosqlite", "alembic")
_CHATTY = ("httpx", "httpcore", "telegram", "apscheduler", "aiohttp.access", "matplotlib", "PIL")


@dataclass(frozen=True, slots=True)
class _Keeping:
    """What must not be written, and the key under which people are."""

    secrets: re.Pattern[str]
    key: bytes


_keeping = _Keeping(re.compile(_BOT), b"not configured yet")


def _spellings(secret: str) -> set[str]:
    """A secret as it stands, in an address, in JSON and in a repr."""
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]}


@dataclass(frozen=True, slots=True)
class LoggedError:
    """One kind of error: where and what, without anything that an event said about a person. `count` since the start."""

    at: datetime
    what: str
    count: int


_troubles: dict[str, LoggedError] = {}
_KINDS_OF_TROUBLE = 50


def troubles() -> list[LoggedError]:
    """The kinds of errors since the start, the newest first."""
    return sorted(_troubles.values(), key=lambda trouble: trouble.at, reverse=True)


def last_trouble() -> tuple[datetime, str] | None:
    """The last error: when, and what."""
    newest = next(iter(troubles()), None)
    return None if newest is None else (newest.at, newest.what)


def _note_trouble(record: logging.LogRecord) -> None:
    # Only the fixed words of an event and the class of its exception: values may be about a person.
    event = record.msg if isinstance(record.msg, dict) else {"event": str(record.msg)}
    kind = event.get("kind") or event.get("error")
    what = redact(f"{record.name}: {event.get('event')}" + (f" ({kind})" if kind else ""))[:120]
    known = _troubles.get(what)
    if known is not None or len(_troubles) < _KINDS_OF_TROUBLE:
        count = 1 if known is None else known.count + 1
        _troubles[what] = LoggedError(datetime.fromtimestamp(record.created, UTC), what, count)


def redact(text: str) -> str:
    """The text without the secrets given to `configure`, and without anything that looks like a bot token."""
    return _keeping.secrets.sub(HIDDEN, text)


def clean(text: str) -> str:
    """The text redacted and on one line: control characters become escapes such as `\\n`."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), redact(text))


def person(user_id: int) -> str:
    """How a person is named in logs: eight hexadecimal digits that lead back to nobody without the key."""
    return hashlib.blake2b(str(user_id).encode(), key=_keeping.key, digest_size=4).hexdigest()


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that takes an event and its facts: `logger(__name__).info("sent", copies=1)`."""
    made: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return made


def trace(error: BaseException) -> str:
    """An exception on one line: what it is, where it came from (innermost last) and what caused it.

    Only the first line of its text: what libraries put on the others are SQL statements with their values.
    """
    return clean(_story(traceback.TracebackException.from_exception(error, limit=-_FRAMES, lookup_lines=False)))


def _story(told: traceback.TracebackException) -> str:
    parts = [_one(told)]
    while len(parts) < _CAUSES:
        if told.__cause__:
            told, link = told.__cause__, "caused by"
        elif told.__context__ and not told.__suppress_context__:
            told, link = told.__context__, "while handling"
        else:
            break
        parts.append(f"{link} {_one(told)}")
    return " ".join(parts)


def _one(told: traceback.TracebackException) -> str:
    # A SyntaxError begins with indented lines that quote the source.
    lines = "".join(told.format_exception_only()).splitlines()
    text = next((line for line in lines if not line.startswith("  ")), "an exception")
    places = [f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in told.stack]
    if places:
        text += f" ({' > '.join(places)})"
    if told.exceptions:
        text += f" of [{'; '.join(map(_story, told.exceptions[:_CAUSES]))}]"
    return text


def _add_trace(_logger: object, _method: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    if isinstance(given, tuple):
        given = given[1]
    elif given and not isinstance(given, BaseException):
        given = sys.exc_info()[1]
    if given:
        event["exception"] = trace(given)
    return event


def _clean_all(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {key: _value(value) for key, value in event.items()}


def _value(value: object) -> str | int | float | None:
    """The value if it can hold no secret, else its cleaned text."""
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return clean(str(value))


def _head(event: EventDict) -> dict[str, object]:
    """What every line begins with, taken out of the event."""
    return {key: event.pop(key, None) for key in ("timestamp", "level", "logger", "event")}


def _json(_logger: object, _method: str, event: EventDict) -> str:
    # ASCII only: a stream that cannot write a character would put an escape in its place that JSON does not know.
    return json.dumps(_head(event) | dict(event))


def _console(_logger: object, _method: str, event: EventDict) -> str:
    head = _head(event)
    facts = "".join(f" {key}={_quoted(value)}" for key, value in event.items())
    return f"{head['timestamp']} {head['level']:<8} {head['logger']}: {head['event']}{facts}"


def _quoted(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[^\s\"=]+", text) else json.dumps(text, ensure_ascii=False)


_RENDERERS: Mapping[str, Processor] = {"console": _console, "json": _json}
_STAMP: tuple[Processor, ...] = (
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
# At import, so that events logged before `configure` go the same way as the libraries', not straight to the terminal.
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.PositionalArgumentsFormatter(),
        *_STAMP,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Ours and the libraries' records alike, with one last look for secrets at the finished line."""

    def __init__(self, renderer: Processor) -> None:
        meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        super().__init__(foreign_pre_chain=_STAMP, processors=[meta, _add_trace, _clean_all, renderer])

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to whatever is the standard error stream at the time, which tests and supervisors replace."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        if record.levelno >= logging.ERROR:
            _note_trouble(record)
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Say what went wrong on a line of the usual form; logging itself would print the record's arguments."""
        error = sys.exc_info()[1]
        fields = {
            "name": record.name,
            "levelname": "ERROR",
            "levelno": logging.ERROR,
            "msg": f"the event at {record.filename}:{record.lineno} could not be logged",
        }
        # A stream that is closed or gone leaves nowhere to say so.
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(self.format(logging.makeLogRecord(fields | {"exc_info": error and _exc_info(error)})))
            self.stream.write(self.terminator)


def _exc_info(error: BaseException) -> ExcInfo:
    return type(error), error, error.__traceback__


def configure(level: str, fmt: str, *, secrets: Sequence[str], hash_key: bytes) -> None:
    """Send every log, warning and unhandled exception of this process through the one redacting formatter, to stderr.

    `level` and `fmt` are as in the settings, `secrets` exact texts never to be written, `hash_key` the key of `person`.
    May be called again.
    """
    global _keeping
    if not hash_key:
        raise ValueError("without a key anybody could find the person behind a hash")
    spelled = {spelling for secret in secrets if secret for spelling in _spellings(secret)}
    longest_first = sorted(spelled, key=len, reverse=True)
    pattern = re.compile("|".join([*map(re.escape, longest_first), _BOT]))
    _keeping = _Keeping(pattern, hashlib.blake2b(hash_key, digest_size=32).digest())
    handler = _Handler()
    handler.setFormatter(_Formatter(_RENDERERS[fmt]))
    root = logging.getLogger()
    root.handlers = [handler, *(other for other in root.handlers if not isinstance(other, _Handler))]
    _set_levels(logging.getLevelNamesMapping()[level])
    logging.captureWarnings(True)
    sys.excepthook = _on_crash
    sys.unraisablehook = _on_unraisable
    threading.excepthook = _on_thread_crash


def _set_levels(level: int) -> None:
    logging.getLogger().setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.INFO if level == logging.DEBUG else logging.WARNING))
    for name in _PRIVATE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _on_crash(kind: type[BaseException], error: BaseException, _place: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        logger("process").warning("interrupted")
    else:
        logger("process").critical("unhandled exception", exc_info=error)


def _on_thread_crash(args: threading.ExceptHookArgs) -> None:
    # SystemExit is how a thread ends itself; the standard hook says nothing of it either.
    if args.exc_type is not SystemExit:
        name = args.thread.name if args.thread else None
        logger("thread").error("unhandled exception", thread=name, exc_info=args.exc_value)


def _on_unraisable(args: sys.UnraisableHookArgs) -> None:
    logger("process").error(args.err_msg or "exception ignored", exc_info=args.exc_value)


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """Send what goes wrong in the loop's own callbacks and forgotten tasks to the logs."""
    loop.set_exception_handler(loop_exception_handler)


def loop_exception_handler(_loop: asyncio.AbstractEventLoop, context: Mapping[str, object]) -> None:
    """The loop's report as one event, without the reprs it brings: they hold whatever a callback was given, cut short.

    (A token that is cut short is no longer recognised as one.)
    """
    error = context.get("exception")
    task = context.get("task") or context.get("future")
    facts = {"task": task.get_name()} if isinstance(task, asyncio.Task) else {}
    # This one message has the callback's arguments inside.
    message = "exception in callback" if "handle" in context else str(context.get("message", "exception in the loop"))
    logger("loop").error(message, exc_info=error if isinstance(error, BaseException) else None, **facts)
