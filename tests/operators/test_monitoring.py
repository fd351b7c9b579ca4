"""Alert rules and the dashboard: well-formed, and every metric they name is one that the bot serves."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.metrics import Live, Metrics, QueriedGauges

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES: list[dict[str, Any]] = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboards" / "lull.json").read_text(encoding="utf-8"))

promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")


@pytest.fixture(scope="module")
def served() -> str:
    """A page of /metrics of a bot that has done a little of everything."""
    metrics = Metrics()
    nothing = Live(
        lanes=lambda: {"answer": 0},
        floods=lambda: 0,
        halts=lambda: 0,
        halted_seconds=lambda: 0.0,
        halted_for=lambda: 0.0,
        queued=lambda: 0,
        tasks=lambda: 2,
        leads=lambda: True,
    )
    metrics.watch(nothing)
    metrics.figures(QueriedGauges(active=1, oldest_due_seconds=0.0, inbox=0, dead_letters=0))
    metrics.disk_free(10**9)
    metrics.healthy(True)
    metrics.backed_up(datetime(2026, 11, 20, tzinfo=UTC))
    return metrics.page().decode()


def known(page: str) -> set[str]:
    """Families as they are declared, with what histograms and counters add to their names."""
    names = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    histograms = set(re.findall(r"^# TYPE (\S+) histogram", page, re.MULTILINE))
    return names | {f"{name}_{end}" for name in histograms for end in ("bucket", "count", "sum")}


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    yield from (target["expr"] for panel in BOARD["panels"] for target in panel["targets"])


def test_every_metric_that_a_rule_or_panel_names_is_served(served: str) -> None:
    named = {name for text in expressions() for name in re.findall(r"\blull_\w+", text)}
    assert len(named) > 12
    assert named <= known(served)


def test_every_label_that_is_chosen_by_exists(served: str) -> None:
    labels = set(re.findall(r"[{,](\w+)=", served)) | {"job", "instance", "le", "kind", "state", "outcome"}
    chosen = {
        label
        for text in expressions()
        for group in re.findall(r"by \(([^)]*)\)", text)
        for label in re.split(r",\s*", group)
    }
    assert chosen <= labels


@promtool
def test_prometheus_accepts_the_rules_and_its_configuration() -> None:
    for kind, file in (("rules", "alerts.yml"), ("config", "prometheus.yml")):
        result = subprocess.run(
            ["promtool", "check", kind, file], cwd=DEPLOY, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr


@promtool
def test_the_rules_that_matter_fire_and_are_quiet_on_a_good_night(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "alerts.yml", tmp_path)
    (tmp_path / "cases.yml").write_text(CASES, encoding="utf-8")
    result = subprocess.run(
        ["promtool", "test", "rules", "cases.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_there_is_a_rule_for_all_that_must_be_heard_of() -> None:
    names = {rule["alert"] for rule in RULES}
    assert names >= {
        "LullRemindersLate",
        "LullUnknown",
        "LullExpired",
        "LullOldestDue",
        "LullFloods",
        "LullDeadLetters",
        "LullDiskNearlyFull",
        "LullFileDamaged",
        "LullBackupOld",
        "LullNoLeader",
        "LullUnwell",
    }
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "warn")
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"].endswith(".")


def test_no_two_panels_of_the_dashboard_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_the_dashboard_reads_the_source_that_is_provisioned() -> None:
    sources = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))
    assert {panel["datasource"]["uid"] for panel in BOARD["panels"]} == {sources["datasources"][0]["uid"]}


CASES = """
rule_files: [alerts.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series: &good
      - {series: 'up{job="lull", instance="a"}', values: '1x30'}
      - {series: 'lull_healthy{instance="a"}', values: '1x30'}
      - {series: 'lull_leads{instance="a"}', values: '1x30'}
      - {series: 'lull_oldest_due_seconds{instance="a"}', values: '0x30'}
      - {series: 'lull_disk_free_bytes{instance="a"}', values: '5000000000x30'}
      - {series: 'lull_last_backup_timestamp_seconds{instance="a"}', values: '0x30'}
      - {series: 'lull_file_damaged{instance="a"}', values: '0x30'}
      - {series: 'lull_missed_total{instance="a", kind="reminder", state="expired"}', values: '0x30'}
    alert_rule_test:
      - {eval_time: 20m, alertname: LullDown, exp_alerts: []}
      - {eval_time: 20m, alertname: LullUnwell, exp_alerts: []}
      - {eval_time: 20m, alertname: LullNoLeader, exp_alerts: []}
      - {eval_time: 20m, alertname: LullOldestDue, exp_alerts: []}
      - {eval_time: 20m, alertname: LullDiskNearlyFull, exp_alerts: []}
      - {eval_time: 20m, alertname: LullFileDamaged, exp_alerts: []}
      - {eval_time: 20m, alertname: LullBackupOld, exp_alerts: []}
      - {eval_time: 20m, alertname: LullExpired, exp_alerts: []}
  - interval: 1m
    input_series:
      - {series: 'up{job="lull", instance="a"}', values: '0x30'}
    promql_expr_test:
      - {expr: 'count(ALERTS{alertname="LullDown", alertstate="firing"})', eval_time: 20m, exp_samples: [{value: 1}]}
  - interval: 1m
    input_series:
      - {series: 'lull_leads{instance="a"}', values: '0x30'}
      - {series: 'lull_leads{instance="b"}', values: '0x30'}
      - {series: 'lull_oldest_due_seconds{instance="a"}', values: '700x30'}
      - {series: 'lull_disk_free_bytes{instance="a"}', values: '100000000x30'}
      - {series: 'lull_healthy{instance="b"}', values: '0x30'}
      - {series: 'lull_file_damaged{instance="a"}', values: '0x10 1x20'}
      - {series: 'lull_missed_total{instance="a", kind="reminder", state="expired"}', values: '0x10 1x20'}
    promql_expr_test:
      - {expr: 'count(ALERTS{alertname="LullNoLeader", alertstate="firing"})', eval_time: 20m, exp_samples: [{value: 1}]}
      - {expr: 'count(ALERTS{alertname="LullOldestDue", alertstate="firing"})', eval_time: 20m, exp_samples: [{value: 1}]}
      - {expr: 'count(ALERTS{alertname="LullDiskNearlyFull", alertstate="firing"})', eval_time: 20m, exp_samples: [{value: 1}]}
      - {expr: 'count(ALERTS{alertname="LullFileDamaged", alertstate="firing"})', eval_time: 20m, exp_samples: [{value: 1}]}
      - {expr: 'count(ALERTS{alertname="LullUnwell", alertstate="firing"})', eval_time: 20m, exp_samples: [{value: 1}]}
      - {expr: 'count(ALERTS{alertname="LullExpired", alertstate="firing"})', eval_time: 20m, exp_samples: [{value: 1}]}
"""
