"""The pages for operators, the workflows and the lists: what they say must be so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import VERSION
from bot import __main__ as command_line
from bot.texts import content
from config import settings

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


# -- pages -------------------------------------------------------------------------------------------------------------


def test_the_page_of_commands_names_every_command() -> None:
    shown = set(re.findall(r"`python -m bot ([a-z]+)", text("docs/admin.md")))
    assert set(command_line.COMMANDS) <= shown


def test_the_licence_is_named_wherever_one_looks_for_it() -> None:
    assert text("LICENSE").startswith("MIT License\n\nCopyright (c) 2026 Lull contributors\n")
    assert '\nlicense = "MIT"\n' in text("pyproject.toml")
    assert "[MIT](LICENSE)" in text("README.md")
    assert "MIT licence" in text("docs/licences.md")
    assert 'org.opencontainers.image.licenses="MIT"' in text("Dockerfile")


def test_the_version_is_written_down_in_one_place() -> None:
    assert re.findall(r'^VERSION = "(.*)"$', text("bot/__init__.py"), re.MULTILINE) == [VERSION]
    for name in ("pyproject.toml", "Dockerfile", "docker-compose.yml", "mkdocs.yml"):
        assert VERSION not in re.findall(r"[\w.]+", text(name)), name


def test_no_page_promises_new_zone_rules_every_week() -> None:
    for page in (*PAGES, ROOT / "README.md", ROOT / "SECURITY.md"):
        for sentence in page.read_text(encoding="utf-8").replace("\n", " ").split(". "):
            assert not ("every week" in sentence and "zone rules" in sentence), page.name


def test_the_page_of_licences_lists_every_pin() -> None:
    pins = set(re.findall(r"^([\w.-]+)==([\w.]+)", text("requirements/run.txt"), re.MULTILINE))
    rows = set(re.findall(r"^\| ([\w.-]+) \| (\d[\w.]*) \| \S", text("docs/licences.md"), re.MULTILINE))
    assert rows == pins
    assert "| python-telegram-bot | 22.8 | LGPL-3.0-only |" in text("docs/licences.md")


def test_the_example_of_tips_is_taken_as_it_stands(tmp_path: Path) -> None:
    tips, sources = re.findall(r"```toml\n(.*?)```", text("docs/tips.md"), re.DOTALL)
    (tmp_path / "tips.toml").write_text(tips, encoding="utf-8")
    (tmp_path / "sources.toml").write_text(sources, encoding="utf-8")
    loaded = content.load(tmp_path)
    assert "Warm nights" in loaded.topics.values()
    assert next(tip for tip in loaded.tips if tip.id == "same_rising_time").sources == ("house_2026",)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_page_is_in_the_navigation_and_the_other_way_round() -> None:
    named = set(re.findall(r"([a-z]+\.md)", text("mkdocs.yml")))
    assert named == {page.name for page in PAGES}


def test_every_setting_that_a_page_writes_exists() -> None:
    known = {name.upper() for name in settings.Settings.model_fields}
    for page in PAGES:
        for name in re.findall(r"^([A-Z][A-Z_]+)=", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert name in known or name.startswith(("COMPOSE_", "LULL_")), f"{page.name}: {name}"


def test_the_pages_ask_no_other_server_for_letters_or_scripts() -> None:
    built = yaml.load(text("mkdocs.yml"), Loader=yaml.SafeLoader)
    assert built["theme"]["font"] is False
    assert not built.keys() & {"extra_javascript", "extra_css", "hooks"}


# -- workflows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_keeps_to_the_schema(workflow: Path) -> None:
    result = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)
    assert result.returncode == 0, result.stdout


def test_no_workflow_gives_more_away_than_it_must() -> None:
    result = run(BIN / "zizmor", "--offline", "--no-progress", "-q", "--config", ".github/zizmor.yml", ".github")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_named_by_its_commit_and_says_which_version_that_is(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_every_python_from_the_oldest_on_is_tested() -> None:
    jobs: dict[str, Any] = yaml.safe_load(text(".github/workflows/test.yml"))["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert 'requires-python = ">=3.11"' in text("pyproject.toml")


def test_images_are_made_weekly_for_both_machines_from_a_digest_and_only_after_the_audit() -> None:
    workflow = text(".github/workflows/image.yml")
    publish: dict[str, Any] = yaml.safe_load(workflow)["jobs"]["publish"]
    assert publish["needs"] == "audit"
    assert "schedule: [{cron:" in workflow
    (push,) = (step["with"] for step in publish["steps"] if "build-push-action" in step.get("uses", ""))
    assert push["platforms"] == "linux/amd64,linux/arm64"
    assert push["build-args"].startswith("PYTHON=${{ steps.base.outputs.image }}")
    assert "$tag@$digest" in workflow


def test_every_target_that_a_workflow_makes_exists() -> None:
    makefile = text("Makefile")
    for workflow in WORKFLOWS:
        for target in re.findall(r"make ([a-z-]+)", workflow.read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


# -- the audit ---------------------------------------------------------------------------------------------------------


def audited(folder: Path, words: str) -> subprocess.CompletedProcess[str]:
    """`make audit` with a stand-in for pip-audit, which needs a network."""
    (folder / "python").symlink_to(sys.executable)
    for name, said in (("cyclonedx-py", "true"), ("pip-audit", words)):
        (folder / name).write_text(f"#!/usr/bin/env bash\n{said}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return run("bash", "requirements/audit", folder, folder / "sbom.json")


def report(*, weak: str = "") -> str:
    """pip-audit's report of every pin, one of them perhaps weak."""
    pins = re.findall(r"^([\w.-]+)==([\w.]+) ", text("requirements/run.txt"), re.MULTILINE)
    vulns = {weak: [{"id": "PYSEC-2026-1", "fix_versions": ["99.0"]}]}
    entries = [{"name": name, "version": version, "vulns": vulns.get(name, [])} for name, version in pins]
    return json.dumps({"dependencies": entries})


def writing(content: str, *, ends: int = 0) -> str:
    return f"""while [ $# -gt 0 ]; do [ "$1" = --output ] && echo '{content}' > "$2"; shift; done; exit {ends}"""


def test_an_audit_that_looked_at_nothing_is_no_good_audit(tmp_path: Path) -> None:
    """pip-audit itself ends with 0 then; a stand-in for it shows that ours does not."""
    result = audited(tmp_path, writing('{"dependencies": []}'))
    assert result.returncode == 1
    assert result.stderr.startswith("not audited: ")
    assert "sqlalchemy" in result.stderr


def test_an_audit_without_a_network_says_that_nothing_was_audited(tmp_path: Path) -> None:
    result = audited(tmp_path, "echo 'ERROR: aiohttp: Dependency not found and could not be audited' >&2; exit 1")
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("Nothing was audited: ")


def test_a_good_audit_says_how_many_packages_it_looked_at(tmp_path: Path) -> None:
    result = audited(tmp_path, writing(report()))
    pins = len(set(re.findall(r"^[\w.-]+(?===)", text("requirements/run.txt"), re.MULTILINE)))
    assert (result.returncode, result.stdout) == (0, f"audited {pins} packages, none with a known weakness\n")


def test_a_weakness_is_named_with_the_version_that_mends_it(tmp_path: Path) -> None:
    result = audited(tmp_path, writing(report(weak="aiohttp"), ends=1))
    assert result.returncode == 1
    assert re.search(r"^aiohttp [\d.]+: PYSEC-2026-1, mended in 99.0$", result.stderr, re.MULTILINE)
