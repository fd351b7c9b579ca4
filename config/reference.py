"""The settings as the documentation shows them: tables, and each default as it is written in `.env`."""

from __future__ import annotations

from pydantic_core import PydanticUndefined

from config import addresses, settings


def for_developers(name: str) -> bool:
    """Whether this setting is for tests and the demo, and so in no table for operators."""
    return settings.Settings.model_fields[name.lower()].json_schema_extra is settings.FOR_DEVELOPERS


def table(*, developers: bool = False) -> str:
    """A Markdown table of the settings for operators; with `developers`, of those for tests and the demo."""
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for key, field in settings.Settings.model_fields.items():
        name = key.upper()
        if for_developers(name) is not developers:
            continue
        meaning = field.description or ""
        if name in settings.secret_names():
            meaning += f" Or `{name}_FILE`, the path of a file that holds it."
        shown = "*required*" if field.is_required() else f"`{default(name)}`" if default(name) else ""
        rows.append(f"| `{name}` | {shown} | {meaning} |")
    return "\n".join(rows) + "\n"


def default(name: str) -> str:
    """A setting's default as it is written in `.env`; empty if it has none."""
    value = settings.Settings.model_fields[name.lower()].default
    if value is PydanticUndefined or value is None or value == ():
        return ""
    return str(value).lower() if isinstance(value, bool) else addresses.plain(value)
