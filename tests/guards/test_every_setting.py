"""A setting stands in the example, in the README and on its page, and something reads it."""

from __future__ import annotations

import re

import pytest

from config import reference, settings
from tests.guards import reading
from tests.guards.reading import ROOT

NAMES = list(settings.Settings.model_fields)


@pytest.mark.parametrize(
    ("page", "developers"), [("README.md", False), ("docs/settings.md", False), ("docs/developing.md", True)]
)
def test_the_table_of_settings_is_that_of_the_code(page: str, developers: bool) -> None:
    """`python -c "from config import reference; print(reference.table())"` writes it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    table = reference.table(developers=developers).strip()

    assert text.split("<!-- settings -->")[1].split("<!-- /settings -->")[0].strip() == table


def test_the_example_names_every_setting_with_its_meaning_and_default() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    matches = [(re.match(r"(?:# )?([A-Z_]+)=", line), number) for number, line in enumerate(lines)]
    written = {match[1]: number for match, number in matches if match}

    fields = {key: field for key, field in settings.Settings.model_fields.items() if not reference.for_developers(key)}
    for name, field in fields.items():
        key = name.upper()
        off = "" if key in ("BOT_TOKEN", "ADMIN_IDS") else "# "
        assert lines[written[key]] == f"{off}{key}={reference.default(key)}"
        assert lines[written[key] - 1] == f"# {field.description}"
    assert list(written)[:2] == ["BOT_TOKEN", "ADMIN_IDS"]
    assert len(written) == len(fields)


def test_every_setting_is_read() -> None:
    """By a part of the bot, or by the settings themselves for another one."""
    read = {name for path in reading.modules("bot") for name in re.findall(r"\.([a-z_]+)\b", reading.text(path))}
    themselves = (ROOT / "config/settings.py").read_text(encoding="utf-8")

    unread = [name for name in NAMES if name not in read and not re.search(rf'self\.{name}\b|"{name}"', themselves)]
    assert unread == []
