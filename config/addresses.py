"""How the settings that are addresses are checked: the database, Telegram, the webhook, the port to listen on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TAKEN = ("/healthz", "/metrics")
_LISTEN = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):(?P<port>[0-9]{1,5})", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,256}")


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the web server listens; port 0 is any free one."""

    host: str
    port: int


class CannotListen(Exception):  # noqa: N818 - named for what it says
    """The address is taken or not this machine's; the message is one sentence for the operator."""


def plain(value: object) -> str:
    """The text of a value as it was given."""
    return value.get_secret_value().strip() if isinstance(value, SecretStr) else str(value).strip()


def database_url(value: object) -> SecretStr:
    """With the driver that the bot uses."""
    scheme, _, rest = plain(value).partition("://")
    driver = _DRIVERS.get(scheme.lower())
    if driver is None or not rest or not rest.isprintable() or " " in rest:
        raise ValueError("DATABASE_URL must begin with sqlite:/// or postgresql://, such as sqlite:///data/lull.db.")
    if driver.startswith("sqlite"):
        if not rest.startswith("/") or rest == "/":
            raise ValueError(
                "DATABASE_URL names no file; SQLite takes three slashes and a path, such as sqlite:///data/lull.db."
            )
    else:
        # Hosts hand out libpq's name of this option; asyncpg calls it ssl and takes the same values.
        rest = re.sub(r"([?&])sslmode=", r"\1ssl=", rest)
    return SecretStr(f"{driver}://{rest}")


def api_url(value: object) -> str:
    """The Bot API server, without a slash at the end."""
    text = plain(value).rstrip("/")
    if _parts(text) is None:
        raise ValueError(
            "TELEGRAM_API_URL must be an http:// or https:// address without user name or options, "
            "such as https://api.telegram.org."
        )
    return text


def _parts(text: str) -> SplitResult | None:
    """The parts of a plain web address; None when it is something else."""
    try:
        parts = urlsplit(text)
        # Reading the port is what checks it.
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if good and text.isprintable() and not any(mark in text for mark in " @?#") else None


def webhook_url(value: object) -> str | None:
    """Where Telegram posts updates: encrypted, unless it never leaves this machine."""
    if value is None:
        return None
    parts = _parts(plain(value))
    if parts is None or (parts.scheme == "http" and parts.hostname not in _LOOPBACK):
        raise ValueError(
            "WEBHOOK_URL must be an https:// address (http:// only on this machine) without user name or options, "
            "such as https://lull.example.org/telegram."
        )
    if parts.path in _TAKEN:
        raise ValueError(f"WEBHOOK_URL ends in {parts.path}, which is taken; give it a path of its own.")
    return plain(value)


def webhook_secret(value: object) -> SecretStr | None:
    """What Telegram shows with each update, so that nobody else can post one."""
    if value is None:
        return None
    if not _SECRET.fullmatch(plain(value)):
        raise ValueError(
            "WEBHOOK_SECRET must be 32 to 256 of the characters A-Z a-z 0-9 _ -; `openssl rand -hex 32` makes one."
        )
    return SecretStr(plain(value))


def listen(value: object) -> Listen | None:
    """A host and a port; no host is this machine only."""
    if value is None or isinstance(value, Listen):
        return value
    found = _LISTEN.fullmatch(plain(value))
    if found is None or int(found["port"]) > 65535:
        raise ValueError("LISTEN must be a host and a port, such as 127.0.0.1:8080 (0.0.0.0:8080 in a container).")
    return Listen(found["host"].strip("[]") or "127.0.0.1", int(found["port"]))
