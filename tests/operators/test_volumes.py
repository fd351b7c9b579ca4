"""Volumes that are not as they should be: mounted read-only, somebody else's, or nearly full."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bot.fake_telegram.telegram import Telegram
from tests.conftest import ROOT, TOKEN

MOUNTED = """
mount -t tmpfs -o size=8m tmpfs "$FOLDER" && cp "$FROM" "$FOLDER/lull.db" && mount -o remount,ro "$FOLDER" && exec "$@"
"""


def _may_mount() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


mounts = pytest.mark.skipif(not _may_mount(), reason="only root with namespaces of its own may mount a volume")
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may run something as somebody else")


def call(*command: str, folder: Path, source: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": "http://127.0.0.1:9",
        "DATABASE_URL": f"sqlite:///{folder / 'lull.db'}",
        "BACKUP_DIR": str(folder / "backups"),
        "FOLDER": str(folder),
        "FROM": str(source),
    }
    return subprocess.run(
        command, cwd="/", env=given | environment, capture_output=True, text=True, check=False, timeout=120
    )


def sentence(ended: subprocess.CompletedProcess[str]) -> str:
    assert (ended.returncode, ended.stdout) == (2, ""), ended
    (line,) = ended.stderr.splitlines()
    return line


@mounts
@pytest.mark.parametrize("command", ["run", "migrate"])
def test_a_volume_that_is_mounted_read_only_is_one_sentence(tmp_path: Path, migrated_file: Path, command: str) -> None:
    bot = (sys.executable, "-m", "bot", command)
    ended = call("unshare", "--mount", "sh", "-c", MOUNTED, "sh", *bot, folder=tmp_path, source=migrated_file)
    expected = f"{tmp_path} is on a disk that is mounted read-only; mount it writable, or set DATABASE_URL."
    assert sentence(ended) == expected


@mounts
def test_a_backup_to_a_read_only_volume_is_one_sentence(tmp_path: Path, migrated_file: Path) -> None:
    bot = (sys.executable, "-m", "bot", "backup")
    ended = call("unshare", "--mount", "sh", "-c", MOUNTED, "sh", *bot, folder=tmp_path, source=migrated_file)
    assert sentence(ended) == f"No backup can be kept in {tmp_path / 'backups'}: Read-only file system."


@mounts
def test_a_check_reads_what_it_can_from_a_read_only_volume(tmp_path: Path, migrated_file: Path) -> None:
    bot = (sys.executable, "-m", "bot", "check")
    ended = call("unshare", "--mount", "sh", "-c", MOUNTED, "sh", *bot, folder=tmp_path, source=migrated_file)
    assert "Traceback" not in ended.stderr
    assert "settings" in ended.stdout


SMALL = 'mount -t tmpfs -o size=64m tmpfs "$FOLDER" && exec "$@"'


@mounts
@pytest.mark.long
async def test_of_a_disk_with_little_room_the_log_warns_and_the_bot_goes_on(tmp_path: Path, telegram: Telegram) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    given = {"PATH": os.environ["PATH"], "BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, "FOLDER": str(folder)}
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--mount", "sh", "-c", SMALL, "sh", sys.executable, "-m", "bot", "run"),
        cwd=ROOT,
        env=given | {"DATABASE_URL": f"sqlite:///{folder / 'lull.db'}"},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(60):
            while b"the disk is nearly full" not in (line := await process.stderr.readline()):
                assert line, "it ended"
        assert b"free_mb=" in line
        ann = telegram.person(7)
        await ann.send("/start")
        await ann.next()
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


@root
@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_volume_of_somebody_else_is_one_sentence(migrated_file: Path, what: str) -> None:
    other = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    if subprocess.run([*other, sys.executable, "-c", ""], capture_output=True, check=False).returncode != 0:
        pytest.skip("another user may not run this Python: its folder is closed to others")
    place = Path(tempfile.mkdtemp(prefix="lull-"))  # not below tmp_path, which only its owner may enter
    folder = place / "data"
    try:
        folder.mkdir()
        code = open_to_all(place / "code")
        place.chmod(0o755)
        shutil.copy(migrated_file, folder / "lull.db")
        (folder / "lull.db").chmod(0o444)
        folder.chmod(0o755 if what == "folder" else 0o777)
        bot = (*other, sys.executable, "-m", "bot", "run")
        ended = call(*bot, folder=folder, source=migrated_file, PYTHONPATH=str(code))
        refused = folder if what == "folder" else folder / "lull.db"
        assert sentence(ended) == (
            f"{refused} cannot be written; give it to the user that runs the bot, or set DATABASE_URL."
        )
    finally:
        shutil.rmtree(place)


def open_to_all(place: Path) -> Path:
    """A copy of the code that everybody may read: the clone may lie where only its owner may, such as root's home."""
    for package in ("bot", "config", "db"):
        shutil.copytree(ROOT / package, place / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (place, *place.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return place
