"""Back to the version before an upgrade, as docs/backup.md says it: old version first, then restore the copy with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from db import engine
from tests.conftest import ROOT, TOKEN

NEXT = f"""
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{engine.head()}"


def upgrade() -> None:
    op.add_column("users", sa.Column("something_new", sa.Text(), nullable=True))
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The next version of this one: the same with one change of the schema more."""
    tree = tmp_path / "newer"
    for package in ("bot", "config", "db"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "db" / "migrations" / "versions" / "9999_next.py").write_text(NEXT, encoding="utf-8")
    return tree


def call(tree: Path, folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "BOT_TOKEN": TOKEN}
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.long
def test_the_copy_before_a_change_is_restored_with_the_old_version(
    tmp_path: Path, newer: Path, migrated_file: Path
) -> None:
    folder = tmp_path / "home"
    (folder / "data").mkdir(parents=True)
    shutil.copy(migrated_file, folder / "data" / "lull.db")
    assert call(newer, folder, "migrate").stdout.endswith("Schema is now 9999.\n")
    (copy,) = (folder / "data" / "backups").glob("*-before-9999.db")
    refused = call(ROOT, folder, "check")
    assert "written by a newer Lull" in refused.stdout + refused.stderr

    restored = call(ROOT, folder, "restore", copy)

    assert restored.returncode == 0, restored
    assert f"(schema {engine.head()}, now {engine.head()})" in restored.stdout
    assert call(ROOT, folder, "check").returncode == 0
    assert call(ROOT, folder, "migrate").stdout == f"Schema {engine.head()}, up to date.\n"


@pytest.mark.long
def test_restored_with_the_new_version_the_copy_is_of_no_use_to_the_old(
    tmp_path: Path, newer: Path, migrated_file: Path
) -> None:
    folder = tmp_path / "home"
    (folder / "data").mkdir(parents=True)
    shutil.copy(migrated_file, folder / "data" / "lull.db")
    call(newer, folder, "migrate")
    (copy,) = (folder / "data" / "backups").glob("*-before-9999.db")

    assert "now 9999" in call(newer, folder, "restore", copy).stdout
    assert call(ROOT, folder, "check").returncode == 2
