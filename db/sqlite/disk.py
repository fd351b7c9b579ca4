"""What a SQLite file stands on: a folder that can be written, on a disk of this machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "9p", "ceph", "glusterfs"})
_MOUNTS = Path("/proc/mounts")


class Unfit(Exception):  # noqa: N818 - named for what it reports
    """The file cannot be used there; the message is one sentence for the operator."""


def prepare(path: Path, *, allow_network: bool = False, mounts: Path = _MOUNTS) -> None:
    """Make the folder of a SQLite file and see that it can be used; the file is for its owner alone. Raises Unfit."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unfit(
            f"The folder {path.parent} cannot be made ({error.strerror}); make it, or set DATABASE_URL."
        ) from None
    wanted = [path.parent, *(file for file in (path, _lock_of(path)) if file.exists())]
    for place in wanted:
        if os.access(place, os.W_OK):
            continue
        if os.statvfs(place).f_flag & os.ST_RDONLY:
            raise Unfit(f"{place} is on a disk that is mounted read-only; mount it writable, or set DATABASE_URL.")
        raise Unfit(f"{place} cannot be written; give it to the user that runs the bot, or set DATABASE_URL.")
    if not allow_network:
        refuse_network(path, mounts=mounts)
    for file in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", ".lock"))):
        # SQLite gives its log the rights of its file. One that belongs to somebody else stays as its owner wants it.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            file.chmod(file.stat().st_mode & 0o700)


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def refuse_network(path: Path, *, mounts: Path = _MOUNTS) -> None:
    """Raise Unfit for a file on NFS, SMB or FUSE, whose locks and syncs SQLite cannot rely on."""
    kind = file_system(path, mounts=mounts)
    if kind in _NETWORK or kind.startswith("fuse"):
        raise Unfit(
            f"{path.parent} is on a network disk ({kind}), where SQLite can lose data; use a local disk or PostgreSQL, "
            "or set ALLOW_NETWORK_DISK=true if you know that its locks work."
        )


def file_system(path: Path, *, mounts: Path = _MOUNTS) -> str:
    """The type of the file system that holds `path`, as Linux names it; empty where that is not to be known."""
    whole, best, kind = path.resolve(), -1, ""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    for line in lines:
        _, point, found, *_ = line.split(" ")
        folder = Path(_unescaped(point))
        # If several file systems are mounted at one place, the last one hides the others.
        if whole.is_relative_to(folder) and len(folder.parts) >= best:
            best, kind = len(folder.parts), found
    return kind


def _unescaped(text: str) -> str:
    # The kernel writes blanks, tabs, line ends and backslashes as octal numbers.
    for sign in (" ", "\t", "\n", "\\"):
        text = text.replace(f"\\{ord(sign):03o}", sign)
    return text
