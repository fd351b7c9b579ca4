"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = sorted(path for folder in ("bot", "db", "config") for path in (ROOT / folder).rglob("*.py"))
NO_NAMES = {"utils", "helpers", "common", "services", "manager"}


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(parsed(path)))


def calls(path: Path) -> list[ast.Call]:
    return [node for node in nodes(path) if isinstance(node, ast.Call)]


def test_imports_go_one_way() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_every_module_is_named_for_its_subject_and_says_what_it_is() -> None:
    for path in OURS:
        if path.stat().st_size == 0:
            continue
        assert path.stem not in NO_NAMES
        assert ast.get_docstring(parsed(path)), f"{path.name} has no docstring"


def test_sentences_are_literals_so_that_they_can_be_extracted() -> None:
    for path in OURS:
        for call in calls(path):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in ("words", "plural") and call.args:
                assert not isinstance(call.args[0], ast.JoinedStr | ast.BinOp), f"{path.name}:{call.lineno}"


@pytest.mark.parametrize("banned", ["pickle", "PicklePersistence", "SQLAlchemyJobStore"])
def test_nothing_is_unpickled(banned: str) -> None:
    for path in OURS:
        names = {node.id for node in nodes(path) if isinstance(node, ast.Name)}
        assert banned not in names


def test_only_the_settings_and_the_entry_points_read_the_environment() -> None:
    # dumps.py hands PATH on to the programs it calls.
    allowed = {"settings.py", "envfile.py", "__main__.py", "demo.py", "dumps.py"}
    for path in OURS:
        if path.name not in allowed:
            assert "os.environ" not in path.read_text(encoding="utf-8"), path.name


def test_which_database_it_is_one_module_knows() -> None:
    """And `Database.is_sqlite`, which asks it; the migrations stay as they were written."""
    asked = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "db").rglob("*.py")
        if "migrations" not in path.parts
        for node in nodes(path)
        if (isinstance(node, ast.Compare) and '"sqlite"' in ast.unparse(node).replace("'", '"'))
        or (isinstance(node, ast.Attribute) and node.attr == "get_backend_name")
        or (isinstance(node, ast.Attribute) and ast.unparse(node).endswith("dialect.name"))
    ]
    assert set(asked) == {"db/dialect.py"}
