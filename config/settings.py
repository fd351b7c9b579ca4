"""Every setting: its type, default, environment name and meaning. The only reader of the environment."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import unquote

from pydantic import BeforeValidator, Field, JsonValue, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config import addresses, envfile, failpoints, proxies
from config.addresses import Listen
from config.addresses import plain as _plain

MOST_A_SECOND = 30
"""Messages a second that Telegram lets a bot send without paying."""

MOST_A_SECOND_PAID = 1000
"""The same with paid broadcasts."""

FEWEST_CONNECTIONS, MOST_CONNECTIONS = 3, 200
"""Bounds for connections to PostgreSQL: at least one for the locks, one to read, one to write; more is a typing error."""

FOR_DEVELOPERS: dict[str, JsonValue] = {"for_developers": True}
"""Marks a setting that is for tests and the demo: operators' tables do not show it, docs/developing.md does."""

_TOKEN = re.compile(r"[0-9]{3,}:[A-Za-z0-9_-]{3,}")
_USER_ID = re.compile(r"[1-9][0-9]{0,15}")
# User and password as SQLAlchemy splits them, and the password that may stand among the options instead.
_PASSWORDS = re.compile(r"://[^:/]*:([^@]+)@|[?&]password=([^&]+)")
# Marks that turn the direction of the text after them. Joiners stay: Persian and many emoji need them.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TELEGRAM = "https://api.telegram.org"
_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_LARGEST_SECRET = 4096
_SECRETS = (SecretStr, SecretStr | None)


class SettingsError(Exception):
    """The settings cannot be used. `problems` holds one sentence for each problem; no sentence shows a secret."""

    def __init__(self, problems: Iterable[str], *, token_missing: bool = False) -> None:
        self.problems = tuple(problems)
        self.token_missing = token_missing
        super().__init__("\n".join(self.problems))


def _name(info: ValidationInfo) -> str:
    return (info.field_name or "").upper()


def _shown(value: object) -> str:
    """What was found, unless it could be a secret in the wrong place: those are long or have a colon."""
    text = _plain(value)
    return f"“{text}”" if len(text) <= 20 and ":" not in text and text.isprintable() else "something else"


def _token(value: object) -> SecretStr:
    if not _TOKEN.fullmatch(_plain(value)):
        raise ValueError(
            "BOT_TOKEN is not a bot token; copy all of it from @BotFather: digits, a colon, then letters and digits."
        )
    return SecretStr(_plain(value))


def _admin_ids(value: object) -> tuple[int, ...]:
    parts = re.split(r"[\s,]+", value) if isinstance(value, str) else value
    ids = [str(part) for part in parts if part != ""] if isinstance(parts, list | tuple) else [str(parts)]
    for part in ids:
        if not _USER_ID.fullmatch(part):
            raise ValueError(
                f"ADMIN_IDS holds {_shown(part)}; it must be numeric user ids, such as 12345678, 23456789."
            )
    return tuple(dict.fromkeys(int(part) for part in ids))


def _switch(value: object, info: ValidationInfo) -> bool:
    switch = _SWITCH.get(_plain(value).lower())
    if switch is None:
        raise ValueError(f"{_name(info)} is {_shown(value)}; it must be true or false.")
    return switch


def _maybe_switch(value: object, info: ValidationInfo) -> bool | None:
    return None if value is None else _switch(value, info)


def _send_rate(value: object, info: ValidationInfo) -> int:
    text = _plain(value)
    most = MOST_A_SECOND_PAID if info.data.get("paid_broadcasts") else MOST_A_SECOND
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= most:
        hint = "" if most == MOST_A_SECOND_PAID else f" (up to {MOST_A_SECOND_PAID} only with PAID_BROADCASTS=true)"
        raise ValueError(f"SEND_RATE is {_shown(value)}; it must be a whole number from 1 to {most}{hint}.")
    return int(text)


def _whole(value: object, info: ValidationInfo) -> int:
    """A whole number from 0 to 720: hours, or backups."""
    if not re.fullmatch(r"[0-9]{1,3}", _plain(value)) or int(_plain(value)) > 720:
        raise ValueError(f"{_name(info)} is {_shown(value)}; it must be a whole number from 0 to 720.")
    return int(_plain(value))


def _keep(value: object, info: ValidationInfo) -> int:
    if _plain(value) == "0":
        raise ValueError("BACKUP_KEEP is 0; keep at least one.")
    return _whole(value, info)


def _pool(value: object) -> int:
    text = _plain(value)
    if not re.fullmatch(r"[0-9]{1,3}", text) or not FEWEST_CONNECTIONS <= int(text) <= MOST_CONNECTIONS:
        raise ValueError(
            f"DATABASE_POOL is {_shown(value)}; it must be a whole number from {FEWEST_CONNECTIONS} to {MOST_CONNECTIONS}."
        )
    return int(text)


def _log_level(value: object) -> str:
    level = _plain(value).upper()
    if level not in get_args(LogLevel):
        raise ValueError(f"LOG_LEVEL is {_shown(value)}; it must be DEBUG, INFO, WARNING or ERROR.")
    return level


def _log_format(value: object) -> str:
    form = _plain(value).lower()
    if form not in get_args(LogFormat):
        raise ValueError(f"LOG_FORMAT is {_shown(value)}; it must be console or json.")
    return form


def _line(value: object, info: ValidationInfo) -> str:
    text = _plain(value)
    if len(text) > 200:
        raise ValueError(f"{_name(info)} is {len(text)} characters long; it may be 200 at most.")
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") or sign in _DIRECTIONS for sign in text):
        raise ValueError(
            f"{_name(info)} holds a line break or an invisible control character; it must be one line of plain text."
        )
    return text


def _path(value: object) -> Path:
    # os.path, not pathlib: for an unknown ~user or an endless name it returns an answer where pathlib raises.
    return Path(os.path.expanduser(_plain(value)))


def _folder(value: object, info: ValidationInfo) -> Path | None:
    if value is None:
        return None
    path = _path(value)
    if not os.path.isdir(path):
        raise ValueError(f"{_name(info)} is not an existing folder; make the folder, or leave the setting out.")
    return path


def _file(value: object, info: ValidationInfo) -> Path | None:
    if value is None:
        return None
    path = _path(value)
    if not os.path.isfile(path):
        raise ValueError(f"{_name(info)} is not an existing file; leave it out unless a test or the demo made one.")
    return path


def _fail_point(value: object) -> str | None:
    if value is None:
        return None
    if not failpoints.good(_plain(value)):
        raise ValueError("FAIL_POINT is not the name of a fail point; leave it out, it is for tests of faults.")
    return _plain(value)


def _mode(value: object, info: ValidationInfo) -> str:
    mode = _plain(value).lower()
    if mode not in get_args(Mode):
        raise ValueError(f"MODE is {_shown(value)}; it must be polling or webhook.")
    # A value that is present and wrong is not among the data; it is reported by its own check.
    for name in ("webhook_url", "webhook_secret"):
        if mode == "webhook" and info.data.get(name, "wrong") is None:
            raise ValueError(f"MODE=webhook needs {name.upper()}; set it, or leave MODE out to poll.")
    return mode


Mode = Literal["polling", "webhook"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LogFormat = Literal["console", "json"]


class Settings(BaseSettings):
    """What an operator can set. The environment name of a field is its name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bot_token: Annotated[SecretStr, BeforeValidator(_token)] = Field(
        description="The bot's token, from @BotFather on Telegram."
    )
    admin_ids: Annotated[tuple[int, ...], BeforeValidator(_admin_ids)] = Field(
        default=(),
        description="Telegram user ids of the administrators, with commas between; empty is nobody.",
    )
    database_url: Annotated[SecretStr, BeforeValidator(addresses.database_url)] = Field(
        default=SecretStr("sqlite:///data/lull.db"),
        description="Where everything is kept: sqlite:///path or postgresql://user:password@host/name.",
    )
    database_pool: Annotated[int, BeforeValidator(_pool)] = Field(
        default=8,
        description="Connections to PostgreSQL at most, 3 to 200, of each process; the server must have them to give.",
    )
    allow_network_disk: Annotated[bool, BeforeValidator(_switch)] = Field(
        default=False,
        description="true lets a SQLite file lie on NFS, SMB or FUSE, where it can be damaged.",
    )
    telegram_api_url: Annotated[str, BeforeValidator(addresses.api_url)] = Field(
        default=_TELEGRAM,
        description="The Bot API server, for those who run their own.",
    )
    proxy_url: Annotated[SecretStr | None, BeforeValidator(proxies.proxy_url)] = Field(
        default=None,
        description="The way to Telegram where it is blocked: an http://, https:// or socks5:// proxy; else HTTPS_PROXY.",
    )
    # Before `mode`, whose check reads these two.
    webhook_url: Annotated[str | None, BeforeValidator(addresses.webhook_url)] = Field(
        default=None,
        description="In webhook mode: the public https:// address at which Telegram delivers.",
    )
    webhook_secret: Annotated[SecretStr | None, BeforeValidator(addresses.webhook_secret)] = Field(
        default=None,
        description="In webhook mode: 32 or more of A-Z a-z 0-9 _ -, shown by Telegram with each update.",
    )
    mode: Annotated[Mode, BeforeValidator(_mode)] = Field(
        default="polling",
        description="polling asks Telegram for updates; webhook lets Telegram deliver them, to several replicas too.",
    )
    listen: Annotated[Listen | None, BeforeValidator(addresses.listen)] = Field(
        default=None,
        description="host:port for the webhook, /healthz and /metrics; 127.0.0.1:8080 in webhook mode, else off.",
    )
    # Before `send_rate`, whose check reads it.
    paid_broadcasts: Annotated[bool, BeforeValidator(_switch)] = Field(
        default=False,
        description=(
            "true when paid broadcasts are switched on at @BotFather; "
            "allows a SEND_RATE over 30, at 0.1 Telegram Stars a message."
        ),
    )
    send_rate: Annotated[int, BeforeValidator(_send_rate)] = Field(
        default=25,
        description="Messages a second at most, 1 to 30, or up to 1000 with PAID_BROADCASTS=true.",
    )
    log_level: Annotated[LogLevel, BeforeValidator(_log_level)] = Field(
        default="INFO",
        description="How much is logged: DEBUG, INFO, WARNING or ERROR.",
    )
    log_format: Annotated[LogFormat, BeforeValidator(_log_format)] = Field(
        default="console",
        description="console for people, json for log collectors; one line an event in both.",
    )
    backup_every: Annotated[int, BeforeValidator(_whole)] = Field(
        default=0,
        description="Hours between backups that the bot makes by itself; 0 is never.",
    )
    backup_dir: Annotated[Path, BeforeValidator(_path)] = Field(
        default=Path("data/backups"),
        description="The folder for backups, and for the copy that is made before a change of the schema.",
    )
    backup_keep: Annotated[int, BeforeValidator(_keep)] = Field(
        default=14,
        description="How many backups stay, 1 to 720; none gets older than 30 days.",
    )
    operator_contact: Annotated[str, BeforeValidator(_line)] = Field(
        default="",
        description="Who runs this bot and how to reach them, shown in /privacy; 200 characters at most.",
    )
    crisis_line: Annotated[str, BeforeValidator(_line)] = Field(
        default="",
        description="Your own last line for somebody who writes of dying, such as a local crisis line; 200 characters at most.",
    )
    content_dir: Annotated[Path | None, BeforeValidator(_folder)] = Field(
        default=None,
        description="A folder with your own tips, on top of the built-in ones.",
    )
    clock_file: Annotated[Path | None, BeforeValidator(_file)] = Field(
        default=None,
        description="A simulated clock, for the demo and tests.",
        json_schema_extra=FOR_DEVELOPERS,
    )
    clock_guard: Annotated[bool | None, BeforeValidator(_maybe_switch)] = Field(
        default=None,
        description="false trusts the machine's clock whatever Telegram says; without it only a simulated one is trusted.",
        json_schema_extra=FOR_DEVELOPERS,
    )
    fail_point: Annotated[str | None, BeforeValidator(_fail_point)] = Field(
        default=None,
        description="A point in the code at which to fail on purpose, for tests of faults.",
        json_schema_extra=FOR_DEVELOPERS,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_more: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: the stock sources know no *_FILE and read the environment unasked."""
        return (init_settings,)

    @property
    def address(self) -> Listen | None:
        """Where the web server listens; None for no web server."""
        return Listen("127.0.0.1", 8080) if self.listen is None and self.mode == "webhook" else self.listen

    @property
    def proxy(self) -> str | None:
        """The address of the proxy, password and all; None for no proxy."""
        return None if self.proxy_url is None else self.proxy_url.get_secret_value()

    def secrets(self) -> tuple[str, ...]:
        """The exact texts that must appear nowhere, for the redaction of logs."""
        token = self.bot_token.get_secret_value()
        urls = [self.database_url.get_secret_value(), self.proxy or ""]
        passwords = [first or second for url in urls for first, second in _PASSWORDS.findall(url)]
        pieces = [token.partition(":")[2], *passwords, *map(unquote, passwords)]
        pieces += [] if self.webhook_secret is None else [self.webhook_secret.get_secret_value()]
        # A piece of three letters occurs in half of all words; it is redacted only as a part of the whole token or address.
        whole = [token, *(url.partition("://")[2] for url in urls if _PASSWORDS.search(url))]
        return tuple(dict.fromkeys([*whole, *(piece for piece in pieces if len(piece) > 4)]))


def secret_names() -> list[str]:
    """The names of the secret settings. Each may come from a file."""
    return [name.upper() for name, field in Settings.model_fields.items() if field.annotation in _SECRETS]


def load(env_file: Path | None = Path(".env"), environ: MutableMapping[str, str] | None = None) -> Settings:
    """The settings from the environment and, for what is not there, from `env_file`, which need not exist.

    A secret may come from the file that NAME_FILE names. Secrets are removed from `environ`, so that no child process
    inherits them. Raises SettingsError with everything that is wrong.
    """
    problems: list[str] = []
    given = {} if env_file is None else envfile.read(env_file, _names(), problems)
    given |= _take(surroundings := os.environ if environ is None else environ)
    unread = _read_secret_files(given, problems)
    _find_proxy(given, surroundings, problems)
    values = {name.lower(): value for name, value in given.items() if name.lower() in Settings.model_fields}
    outcome = _check(values)
    if isinstance(outcome, Settings) and not problems:
        return outcome
    wrong = (
        {} if isinstance(outcome, Settings) else {name: text for name, text in outcome.items() if name not in unread}
    )
    missing = "BOT_TOKEN" in wrong and "BOT_TOKEN" not in given
    raise SettingsError([*problems, *wrong.values()], token_missing=missing)


def _take(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Our names out of the environment. Empty is as good as unset: compose files pass on what nobody has filled in."""
    secret = secret_names()
    given = {name: environ[name].strip() for name in _names() if name in environ}
    for name in secret:
        environ.pop(name, None)
    return {name: value for name, value in given.items() if value}


def _names() -> list[str]:
    return [*(name.upper() for name in Settings.model_fields), *(f"{name}_FILE" for name in secret_names())]


def _find_proxy(given: dict[str, str], environ: Mapping[str, str], problems: list[str]) -> None:
    """Where PROXY_URL names none, the proxy that the environment names for all programs."""
    if "PROXY_URL" in given:
        return
    found = proxies.of_environment(environ, given.get("TELEGRAM_API_URL", _TELEGRAM))
    if found is None:
        return
    if proxies.checked(found[1]) is None:
        problems.append(f"{found[0]} of the environment is not {proxies.GOOD}; unset it, or set PROXY_URL.")
    else:
        given["PROXY_URL"] = found[1]


def _read_secret_files(given: dict[str, str], problems: list[str]) -> set[str]:
    """Put what NAME_FILE holds in the place of NAME. Returns the names for which that went wrong."""
    unread = set()
    for name in secret_names():
        path = given.pop(f"{name}_FILE", None)
        if path is None:
            continue
        if name in given:
            problem: str | None = f"{name} and {name}_FILE are both set; keep one of them."
        else:
            given[name], problem = _read_secret(_path(path), f"{name}_FILE")
        if problem:
            problems.append(problem)
            unread.add(name)
    return unread


def _read_secret(path: Path, name: str) -> tuple[str, str | None]:
    """The content, and what is wrong with it. The path is not shown: a secret pasted in its place would be."""
    if not os.path.isfile(path):
        return "", f"{name} names no existing file; give the path of a file that holds only the secret."
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_SECRET + 1).decode("utf-8-sig").strip()
    except OSError as error:
        return (
            "",
            f"The file that {name} names cannot be read ({error.strerror}); let the user that runs the bot read it.",
        )
    except UnicodeDecodeError:
        return "", f"The file that {name} names is not UTF-8 text; it must hold only the secret."
    if not text or len(text) > _LARGEST_SECRET:
        return "", f"The file that {name} names is {'too long' if text else 'empty'}; it must hold only the secret."
    return text, None


def _check(values: Mapping[str, str]) -> Settings | dict[str, str]:
    """The settings, or a sentence for each name that is wrong. pydantic's error holds the values: it stops here."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        return {str(e["loc"][0]).upper(): _sentence(str(e["loc"][0]).upper(), e.get("ctx", {})) for e in error.errors()}


def _sentence(name: str, context: Mapping[str, object]) -> str:
    if "error" in context:
        return str(context["error"])
    return f"{name} is missing; get one from @BotFather on Telegram and write {name}=<the token> in .env."
