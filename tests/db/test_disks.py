"""Where a SQLite file may lie: what the mounts say of a path, and what an operator is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.sqlite import disk

MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
server:/share /mnt/nas nfs4 rw 0 0
//server/share /mnt/with\\040blank cifs rw 0 0
/dev/sdb1 /mnt/nas/local ext4 rw 0 0
sshfs#host: /home/me/far fuse.sshfs rw 0 0
tmpfs /over tmpfs rw 0 0
host /over 9p rw 0 0
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mounts"
    path.write_text(MOUNTS, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/lull/lull.db", "ext4"),
        ("/mnt/nas/lull.db", "nfs4"),
        ("/mnt/nas/local/lull.db", "ext4"),
        ("/mnt/nassau/lull.db", "ext4"),
        ("/mnt/with blank/lull.db", "cifs"),
        ("/home/me/far/away/lull.db", "fuse.sshfs"),
        ("/over/lull.db", "9p"),
    ],
)
def test_the_nearest_mount_says_what_a_file_is_on(path: str, kind: str, mounts: Path) -> None:
    assert disk.file_system(Path(path), mounts=mounts) == kind


@pytest.mark.parametrize("folder", ["/mnt/nas", "/mnt/with blank", "/home/me/far", "/over"])
def test_a_network_disk_is_refused_in_one_sentence(folder: str, mounts: Path) -> None:
    with pytest.raises(disk.Unfit, match=r"^\S.* is on a network disk \(.*\), .* ALLOW_NETWORK_DISK=true .*\.$"):
        disk.refuse_network(Path(folder) / "lull.db", mounts=mounts)


def test_a_network_disk_is_taken_on_the_operators_word(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("server:/share / nfs rw 0 0\n", encoding="utf-8")

    disk.prepare(tmp_path / "new" / "lull.db", allow_network=True, mounts=mounts)

    assert (tmp_path / "new").is_dir()
    with pytest.raises(disk.Unfit):
        disk.prepare(tmp_path / "new" / "lull.db", mounts=mounts)


def test_a_machine_that_does_not_tell_its_mounts_is_trusted(tmp_path: Path) -> None:
    assert disk.file_system(tmp_path, mounts=tmp_path / "none") == ""


def test_a_file_where_the_folder_should_be_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("", encoding="utf-8")

    with pytest.raises(disk.Unfit, match=r"^The folder .*data cannot be made \(.*\); make it, or set DATABASE_URL\.$"):
        disk.prepare(tmp_path / "data" / "lull.db")
