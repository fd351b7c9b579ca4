"""The image and the compose file, as far as they can be judged without a container engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import envfile, settings

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")

every_service = pytest.mark.parametrize("name", SERVICES)


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_hadolint_finds_nothing_to_say_about_the_dockerfile() -> None:
    result = run(BIN / "hadolint", "Dockerfile")
    assert result.returncode == 0, result.stdout


def test_the_compose_file_keeps_to_the_compose_specification() -> None:
    result = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")
    assert result.returncode == 0, result.stdout


@every_service
def test_every_service_is_locked_down(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "network_mode" not in service
    assert not any("docker.sock" in volume for volume in service.get("volumes", []))


@every_service
def test_every_service_has_limits_rotated_logs_and_time_to_end(name: str) -> None:
    service = SERVICES[name]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["mem_limit"]
    assert service["pids_limit"] > 0
    assert service["stop_grace_period"] in ("30s", "60s")
    assert service["restart"] == "unless-stopped"


def test_only_caddy_keeps_a_capability_and_only_the_port_that_needs_it() -> None:
    added = {name: service["cap_add"] for name, service in SERVICES.items() if "cap_add" in service}
    assert added == {"caddy": ["NET_BIND_SERVICE"]}


def test_nothing_is_published_but_caddy_and_a_loopback_grafana() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"caddy": ["80:80", "443:443", "443:443/udp"], "grafana": ["127.0.0.1:3000:3000"]}


def test_plain_up_starts_the_bot_alone_with_one_volume() -> None:
    plain = [name for name, service in SERVICES.items() if "profiles" not in service]
    assert plain == ["bot"]
    assert SERVICES["bot"]["volumes"] == ["data:/data"]
    assert SERVICES["bot"]["env_file"] == ".env"
    assert SERVICES["bot"]["user"] == "10001:10001"
    assert SERVICES["bot"]["depends_on"]["db"]["required"] is False


@every_service
def test_every_volume_network_secret_and_file_that_is_named_exists(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert set(service.get("depends_on", [])) <= set(SERVICES)
    for source in (volume.split(":")[0] for volume in service.get("volumes", [])):
        assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], source


@every_service
def test_a_service_that_others_are_behind_a_profile_for_names_its_image_by_version(name: str) -> None:
    assert re.fullmatch(r"(\$\{LULL_IMAGE:-lull\}|[a-z/]+:v?\d[\w.-]*)", SERVICES[name]["image"])


def test_no_secret_stands_in_the_compose_file() -> None:
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN", key):
                assert key.endswith("_FILE"), key
                assert "/run/secrets/" in value


def test_every_secret_setting_may_come_from_a_file() -> None:
    bot = SERVICES["bot"]

    for name in settings.secret_names():
        assert bot["environment"][f"{name}_FILE"] == f"${{LULL_{name}_FILE:+/run/secrets/{name.lower()}}}"
        assert name.lower() in bot["secrets"]


def test_an_unset_secret_file_is_an_empty_device_so_that_plain_up_needs_none() -> None:
    for name in SERVICES["bot"]["secrets"]:
        assert COMPOSE["secrets"][name]["file"] == f"${{LULL_{name.upper()}_FILE:-/dev/null}}"


def test_what_the_compose_file_reads_from_env_is_no_typo_to_the_bot(tmp_path: Path) -> None:
    names = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    (tmp_path / ".env").write_text("".join(f"{name}=x\n" for name in sorted(names)), encoding="utf-8")
    problems: list[str] = []
    envfile.read(tmp_path / ".env", settings.Settings.model_fields.keys() | {"LISTEN"}, problems)
    assert problems == []


def test_the_image_runs_as_a_user_who_owns_nothing_but_the_volume() -> None:
    assert "USER 10001:10001" in DOCKERFILE
    assert DOCKERFILE.count("FROM ${PYTHON}") == 2
    assert "--owner=lull --group=lull --mode=0700 /data" in DOCKERFILE
    assert "VOLUME /data" in DOCKERFILE
    assert not re.search(r"build-essential|\bgcc\b|-dev\b", DOCKERFILE)
    assert re.findall(r"apt-get install .*", DOCKERFILE) == [
        "apt-get install --yes --no-install-recommends postgresql-client-17 \\"
    ]


def test_the_image_installs_only_what_has_its_hash() -> None:
    assert "--require-hashes --no-deps --only-binary :all:" in DOCKERFILE
    assert "--chown" not in DOCKERFILE  # the code belongs to root


def test_only_code_and_pins_reach_the_builder() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert lines[0] == "*"
    assert {line for line in lines if line.startswith("!")} == {
        "!bot",
        "!config",
        "!db",
        "!LICENSE",
        "!requirements/run.txt",
    }
    copied = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE)
    assert {f"!{source}" for source in copied} == {line for line in lines if line.startswith("!")}


def test_every_process_ends_by_itself_on_the_signal_that_is_sent() -> None:
    assert "STOPSIGNAL SIGTERM" in DOCKERFILE
    assert 'ENTRYPOINT ["python", "-m", "bot"]' in DOCKERFILE  # no shell in between that would swallow it
    assert 'CMD ["python", "-m", "bot", "healthcheck"]' in DOCKERFILE


def test_only_the_webhook_path_leads_from_the_internet_to_the_bot() -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    assert caddy.count("reverse_proxy") == 1
    assert re.search(r"@telegram \{\s*method POST\s*path /telegram\s*\}", caddy)
    assert re.search(r"handle \{\s*respond 404\s*\}", caddy)
    assert "max_size 1MiB" in caddy


def test_caddy_is_one_that_tries_the_next_replica_with_the_whole_request() -> None:
    version = re.fullmatch(r"caddy:(\d+)\.(\d+)", SERVICES["caddy"]["image"])
    assert version is not None
    assert (int(version[1]), int(version[2])) >= (2, 11)
    caddy = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    assert not re.search(r"^\s*request_buffers", caddy, re.MULTILINE)


@pytest.mark.skipif(shutil.which("caddy") is None, reason="no caddy here")
def test_caddy_takes_the_file_as_it_stands(tmp_path: Path) -> None:
    where = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    result = subprocess.run(
        ["caddy", "validate", "--config", "deploy/Caddyfile", "--adapter", "caddyfile"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LULL_DOMAIN": "lull.example.org"} | where,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
