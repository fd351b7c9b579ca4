"""The systemd unit, judged by systemd itself where it is there."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "lull.service"

systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def parsed() -> configparser.ConfigParser:
    # strict would refuse SystemCallFilter, which stands twice: what is allowed, then what is taken away from it.
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT, encoding="utf-8")
    return parser


@systemd
def test_systemd_accepts_every_line_of_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8").replace("/opt/lull/.venv/bin/python", sys.executable)
    (tmp_path / "lull.service").write_text(text, encoding="utf-8")
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / "lull.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "lull.service" not in result.stderr, result.stderr


@systemd
def test_systemd_calls_its_exposure_low() -> None:
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", UNIT], capture_output=True, text=True, check=False
    )
    level = re.search(r"Overall exposure level for lull.service: ([\d.]+)", result.stdout)
    assert level is not None, result.stderr
    assert float(level[1]) < 2.0


def test_the_unit_gives_the_bot_its_time_to_end_and_does_not_retry_a_wrong_setting() -> None:
    service = parsed()["Service"]
    assert service["KillSignal"] == "SIGTERM"
    assert int(service["TimeoutStopSec"]) >= 30
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2"


def test_the_unit_can_write_nothing_but_its_data() -> None:
    service = parsed()["Service"]
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == "lull"
    assert "ReadWritePaths" not in service
    assert service["CapabilityBoundingSet"] == ""
