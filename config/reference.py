"""What the papers say of the settings: the table of all of them, and each default as one would write it."""

from __future__ import annotations

from pydantic_core import PydanticUndefined

from config import addresses, settings


def table() -> str:
    """The settings as a Markdown table, for the README."""
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for key, field in settings.Settings.model_fields.items():
        name = key.upper()
        meaning = field.description or ""
        if name in settings.secret_names():
            meaning += f" Or `{name}_FILE`, the path of a file that holds it."
        shown = "*required*" if field.is_required() else f"`{default(name)}`" if default(name) else ""
        rows.append(f"| `{name}` | {shown} | {meaning} |")
    return "\n".join(rows) + "\n"


def default(name: str) -> str:
    """A setting's default as one would write it in `.env`; empty where there is none."""
    value = settings.Settings.model_fields[name.lower()].default
    if value is PydanticUndefined or value is None or value == ():
        return ""
    return str(value).lower() if isinstance(value, bool) else addresses.plain(value)
