"""The layout: few modules lie loose, every folder has a sign, and a class name has one home."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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
    sign = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""

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
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    homes[node.name].append(str(path.relative_to(ROOT)))

    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_the_bot_package_itself_imports_nothing() -> None:
    tree = ast.parse((ROOT / "bot" / "__init__.py").read_text(encoding="utf-8"))

    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
