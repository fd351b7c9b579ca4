"""The `.env` file: its lines into names and values, and a sentence for each line that is not a known setting."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
# docker-compose reads the same file; these names are its own and the database container's.
_OTHERS = ("COMPOSE_", "LULL_", "POSTGRES_")


def lookup(name: str, env_file: Path) -> str | None:
    """One value, from the environment, its *_FILE or the file, without checking anything: for what must be fast."""
    names = (name, f"{name}_FILE")
    given = read(env_file, names, []) | {key: os.environ[key] for key in names if os.environ.get(key)}
    if names[1] in given and name not in given:
        with contextlib.suppress(OSError):
            given[name] = Path(given[names[1]]).expanduser().read_text(encoding="utf-8").strip()
    return given.get(name)


def read(path: Path, known: Collection[str], problems: list[str]) -> dict[str, str]:
    """The values in the file, without the empty ones; no values without a file. Mistakes are added to `problems`."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        problems.append(f"{path.name} is not UTF-8 text; save it again with that encoding.")
    except IsADirectoryError:
        problems.append(f"{path.name} is a folder; it must be a text file.")
    except OSError as error:
        problems.append(
            f"{path.name} cannot be read ({error.strerror}); make it readable for the user that runs the bot."
        )
    else:
        return _parse(text, path.name, known, problems)
    return {}


def _parse(text: str, file: str, known: Collection[str], problems: list[str]) -> dict[str, str]:
    # Nothing is substituted in values: a password with ${ in it is meant as it stands.
    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is None and not binding.error:
            continue  # a comment, or blank lines
        problem = _unreadable(binding, file, values) or _unknown(binding.key or "", file, known)
        if problem:
            problems.append(problem)
        values[binding.key or ""] = (binding.value or "").strip()
    return {name: value for name, value in values.items() if value and name in known}


def _unreadable(binding: Binding, file: str, before: Mapping[str, str]) -> str | None:
    """What is wrong with one line. It is named by its number: the text itself could be a secret."""
    source = binding.original.string
    line = binding.original.line + source[: len(source) - len(source.lstrip())].count("\n")
    if binding.key is None or binding.value is None or not _KEY.fullmatch(binding.key):
        return f"Line {line} of {file} cannot be read; write it as NAME=value."
    if binding.key in before:
        return f"{binding.key} stands twice in {file}, the second time on line {line}; keep one."
    return None


def _unknown(key: str, file: str, known: Collection[str]) -> str | None:
    if key in known or key.startswith(_OTHERS):
        return None
    close = difflib.get_close_matches(key.upper(), known, n=1)
    hint = f"did you mean {close[0]}?" if close else "remove it, or see .env.example for the names."
    return f"{key} in {file} is not a setting; {hint}"
