"""The fail points themselves: off they are nothing, on they kill, and no commit is without them."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config import failpoints

ROOT = Path(__file__).parents[2]
WRITERS = sorted([*(ROOT / "bot" / "delivery").glob("*.py"), *(ROOT / "bot" / "updates").glob("*.py")])


def commits() -> list[tuple[str, str | None]]:
    """Every transaction that delivery and updates open for writing: where, and what its fail points are called."""
    found = []
    for file in WRITERS:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("database.write"):
                name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
                found.append((f"{file.name}:{node.lineno}", name))
    return found


def test_every_commit_of_delivery_and_updates_has_fail_points_of_its_own_name() -> None:
    found = commits()

    assert [where for where, name in found if name is None] == []
    assert {"owe", "look_back", "claim", "start", "settle", "store", "handle"} <= {name for _, name in found}


def test_only_the_engine_commits_so_that_no_commit_is_without_a_fail_point() -> None:
    committing = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "db").rglob("*.py")  # nothing else may import SQLAlchemy
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("begin", "begin_nested", "commit", "autocommit")
    ]

    assert set(committing) == {"db/engine.py", "db/sqlite/shared_transactions.py"}


def test_switched_off_a_fail_point_is_an_empty_function() -> None:
    failpoints.arm(None)

    assert failpoints.reach is failpoints._nothing


@pytest.mark.parametrize("spec", ["after_claim", "before_settle:3", "after_start:2,before_send", "before_send:2=stop"])
def test_a_good_spec_names_points_and_passings(spec: str) -> None:
    assert failpoints.good(spec)


@pytest.mark.parametrize(
    "spec", ["", "claim", "after_claim:0", "after_claim:", "after claim", "after_claim,", "after_claim=go"]
)
def test_anything_else_is_refused(spec: str) -> None:
    assert not failpoints.good(spec)
    with pytest.raises(ValueError, match="not a fail point"):
        failpoints.arm(spec)


def test_the_third_passing_kills_as_the_power_would() -> None:
    script = (
        "from config import failpoints as f\nf.arm('after_settle:3')\n"
        "for n in range(5):\n    f.reach('after_claim'); f.reach('after_settle'); print(n, flush=True)"
    )

    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout.split()) == (-signal.SIGKILL, ["0", "1"])
