"""Where copies of a database go, and a database to copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def pg_tools(request: pytest.FixtureRequest) -> None:
    if "postgresql" in request.node.name and shutil.which("pg_dump") is None:
        pytest.skip("PostgreSQL's client programs are not installed here")


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    shutil.copy(migrated_file, tmp_path / "lull.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}"
