"""The layout: few modules lie loose, every folder has a sign, and a class name has one home."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.guards import reading
from tests.guards.reading import ROOT

TOP = ("bot", "db", "config")
FOLDERS = sorted(path.parent for top in TOP for path in (ROOT / top).rglob("*.py") if path.name == "__init__.py")
SIGNED = [folder for folder in FOLDERS if folder != ROOT / "bot"]


def loose(folder: str) -> list[str]:
    return sorted(path.name for path in (ROOT / folder).glob("*.py") if path.name not in ("__init__.py", "__main__.py"))


@pytest.mark.parametrize(("folder", "most"), [("bot", 10), ("db", 20), ("config", 10)])
def test_few_modules_lie_loose(folder: str, most: int) -> None:
    assert len(loose(folder)) <= most, loose(folder)


def test_every_folder_with_code_is_a_package() -> None:
    for top in TOP:
        for path in (ROOT / top).rglob("*.py"):
            if "migrations" not in path.parts:
                assert (path.parent / "__init__.py").exists(), path.parent


@pytest.mark.parametrize("folder", SIGNED, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_folder_says_what_lives_there_where_to_start_and_what_it_may_import(folder: Path) -> None:
    sign = ast.get_docstring(reading.tree(folder / "__init__.py")) or ""

    assert "Start reading at" in sign
    assert "May import" in sign
    assert 4 <= len(sign.splitlines()) <= 14


def test_a_public_class_name_has_one_home() -> None:
    homes = defaultdict(list)
    for top in TOP:
        for path in sorted((ROOT / top).rglob("*.py")):
            # The stand-in copies Telegram's own words: a message, a button, a person.
            if "fake_telegram" in path.parts or "migrations" in path.parts:
                continue
            for name in re.findall(r"^class ([A-Za-z]\w*)", reading.text(path), re.MULTILINE):
                homes[name].append(str(path.relative_to(ROOT)))

    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_the_bot_package_itself_imports_nothing() -> None:
    tree = reading.tree(ROOT / "bot" / "__init__.py")

    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
