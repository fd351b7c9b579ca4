"""Every seeded fault still fits the code and names tests that there are; what pytest says is read rightly."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.mutants import report, seeded
from tests.mutants.mutant import DoesNotApply, Mutant
from tests.mutants.running import Copy, Fate, Played, judged


@pytest.mark.parametrize("mutant", seeded.MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_the_code_and_is_code_itself(mutant: Mutant) -> None:
    ast.parse(mutant.applied(ROOT))


@pytest.mark.parametrize("mutant", seeded.MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_names_tests_that_there_are(mutant: Mutant) -> None:
    assert mutant.catchers
    for catcher in mutant.catchers:
        file, _, function = catcher.partition("::")
        assert (ROOT / file).exists(), catcher
        assert not function or f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), catcher


def test_no_two_mutants_have_one_name() -> None:
    assert max(Counter(one.name for one in seeded.MUTANTS).values()) == 1


MUTANT = Mutant("wrong-sum", "two and two are five", "sums.py", "2 + 2", "2 + 3", ("test_sums.py",))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    (tmp_path / "sums.py").write_text("four = 2 + 2\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    return Copy(tmp_path)


def test_a_fault_that_a_test_notices_is_caught_by_it_and_taken_out_again(copy: Copy) -> None:
    test = "from sums import four\n\n\ndef test_it_is_four():\n    assert four == 4\n"
    (copy.root / "test_sums.py").write_text(test, encoding="utf-8")

    played = copy.play(MUTANT)

    assert (played.fate, played.by) == (Fate.CAUGHT, "test_sums.py::test_it_is_four")
    assert (copy.root / "sums.py").read_text(encoding="utf-8") == "four = 2 + 2\n"


@pytest.mark.parametrize("text", ["4", "2 + 2 == 2 + 2"])
def test_a_fault_that_has_no_place_or_two_is_refused(copy: Copy, text: str) -> None:
    (copy.root / "sums.py").write_text(text, encoding="utf-8")

    with pytest.raises(DoesNotApply):
        copy.play(MUTANT)


@pytest.mark.parametrize(
    ("code", "said", "fate", "by"),
    [
        (0, "7 passed", Fate.SURVIVED, "nobody"),
        (0, "7 passed, 2 skipped", Fate.SURVIVED, "nobody (some tests were skipped here)"),
        (1, "FAILED tests/db/test_a.py::test_b[sqlite] - boom", Fate.CAUGHT, "test_a.py::test_b"),
        (1, "FAILED tests/db/test_a.py::test_b", Fate.CAUGHT, "test_a.py::test_b"),
        (1, "ERROR tests/db/test_a.py::test_b - boom", Fate.CAUGHT, "test_a.py::test_b"),
        (2, "ERROR tests/db/test_a.py\n1 error", Fate.BROKEN, "1 error"),
        (5, "no tests ran", Fate.BROKEN, "no tests ran"),
        (None, "", Fate.CAUGHT, "a test that then hangs"),
    ],
)
def test_only_a_test_that_fails_has_caught_anything(code: int | None, said: str, fate: Fate, by: str) -> None:
    assert judged(code, said) == (fate, by)


def test_the_report_keeps_the_lines_of_those_that_were_not_played_anew() -> None:
    other = Mutant("other", "another", "sums.py", "4", "5", ("test_sums.py",))
    first = report.table(
        [Played(MUTANT, Fate.SURVIVED, "nobody", 2.0), Played(other, Fate.CAUGHT, "a.py::b", 3.0)],
        ["wrong-sum", "other"],
    )

    second = report.table([Played(MUTANT, Fate.CAUGHT, "a.py::c", 2.0)], ["wrong-sum", "other"], first)

    assert "**SURVIVED**: nobody" in first
    assert "**SURVIVED**" not in second
    assert first.splitlines()[-1] == second.splitlines()[-1]
    assert second.startswith("2 of 2 mutants played")
