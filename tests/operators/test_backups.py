"""Backups made under load, kept for a while, and put back; and what happens to files that are not backups."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from db import engine, erase, tables, upkeep
from db.engine import Database, DatabaseError
from db.sqlite import files

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


pytestmark = pytest.mark.usefixtures("pg_tools")


async def put(database: Database, number: int) -> None:
    async with database.write() as db:
        await db.execute(tables.marks.insert().values(name=f"n{number}", value="x"))


async def numbers(url: str) -> set[int]:
    database = Database(url)
    async with database.read() as db:
        rows = (await db.execute(sa.select(tables.marks.c.name).where(tables.marks.c.name.like("n%")))).scalars()
    await database.close()
    return {int(name[1:]) for name in rows}


async def destroy(url: str) -> None:
    """The database is gone, as after a dead disk."""
    if url.startswith("sqlite"):
        for file in Path(str(make_url(url).database)).parent.glob("lull.db*"):
            file.unlink()
        return
    database = Database(url)
    async with database.write() as db:
        await db.run_sync(tables.metadata.drop_all)
        await db.execute(sa.text("DROP TABLE alembic_version"))
    await database.close()


class Writer:
    """Commits numbered rows as fast as it can; `done` is how many are committed."""

    def __init__(self, database: Database) -> None:
        self.database, self.done, self.stopping = database, 0, False
        self.more = asyncio.Event()

    async def run(self) -> None:
        while not self.stopping:
            await put(self.database, self.done)
            self.done += 1
            self.more.set()

    async def reach(self, number: int) -> None:
        while self.done < number:
            self.more.clear()
            await asyncio.wait_for(self.more.wait(), 30)


# -- the drill ---------------------------------------------------------------------------------------------------------


async def test_nothing_committed_before_a_backup_under_load_is_missing_after_the_disk_died(
    database_url: str, folder: Path
) -> None:
    database = Database(database_url)
    writer = Writer(database)
    load = asyncio.create_task(writer.run())
    await writer.reach(50)
    before = writer.done
    backup = await upkeep.back_up(database_url, folder, now=NOW)
    await writer.reach(writer.done + 5)  # the writer was not locked out for good
    writer.stopping = True
    await load
    await database.close()

    await destroy(database_url)
    await upkeep.restore(database_url, backup, folder, now=NOW + DAY)

    restored = await numbers(database_url)
    assert restored >= set(range(before))
    assert restored == set(range(len(restored)))  # one instant's view: no hole, no later row without an earlier one


async def test_what_a_restore_replaces_is_kept_and_can_itself_be_restored(database_url: str, folder: Path) -> None:
    database = Database(database_url)
    await put(database, 1)
    old = await upkeep.back_up(database_url, folder, now=NOW)
    await put(database, 2)
    await database.close()

    done = await upkeep.restore(database_url, old, folder, now=NOW + DAY)
    assert await numbers(database_url) == {1}
    assert done.aside is not None
    await upkeep.restore(database_url, done.aside, folder, now=NOW + 2 * DAY)
    assert await numbers(database_url) == {1, 2}


async def test_a_restore_is_refused_while_the_bot_runs(database_url: str, folder: Path) -> None:
    database = Database(database_url)
    database.lock()
    await put(database, 1)
    backup = await upkeep.back_up(database_url, folder, now=NOW)
    with pytest.raises(DatabaseError, match=r"stop (it|the bot) first"):
        await upkeep.restore(database_url, backup, folder, now=NOW)
    await database.close()
    assert await numbers(database_url) == {1}


async def test_a_newer_backup_is_refused_and_nothing_is_changed(database_url: str, folder: Path) -> None:
    database = Database(database_url)
    await put(database, 1)
    async with database.write() as db:
        await db.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    newer = await upkeep.back_up(database_url, folder, now=NOW)
    async with database.write() as db:
        await db.execute(sa.text("UPDATE alembic_version SET version_num = :head"), {"head": engine.head()})
    await put(database, 2)
    await database.close()
    with pytest.raises(DatabaseError, match="written by a newer Lull"):
        await upkeep.restore(database_url, newer, folder, now=NOW + DAY)
    assert await numbers(database_url) == {1, 2}
    assert [copy.path for copy in upkeep.copies(folder)] == [newer]


# -- people who were erased --------------------------------------------------------------------------------------------


async def add_people(database: Database, *ids: int) -> None:
    async with database.write() as db:
        rows = [{"id": number, "status": "active", "created_at": NOW, "seen_at": NOW} for number in ids]
        await db.execute(tables.users.insert(), rows)


async def people(url: str) -> set[int]:
    database = Database(url)
    async with database.read() as db:
        found = set((await db.execute(sa.select(tables.users.c.id))).scalars())
    await database.close()
    return found


async def forget(database: Database, number: int) -> None:
    async with database.write() as db:
        await erase.person(db, number, now=NOW + timedelta(hours=1))


async def test_who_was_erased_after_the_backup_stays_erased(database_url: str, folder: Path) -> None:
    database = Database(database_url)
    await add_people(database, 7, 8)
    backup = await upkeep.back_up(database_url, folder, now=NOW)
    await forget(database, 7)
    await database.close()

    done = await upkeep.restore(database_url, backup, folder, now=NOW + DAY)

    assert done.erased == 1
    assert await people(database_url) == {8}
    # The list itself came along: restoring the same backup once more knows it still.
    assert (await upkeep.restore(database_url, backup, folder, now=NOW + 2 * DAY)).erased == 1


async def test_where_the_database_is_gone_the_newest_copy_tells_who_was_erased(sqlite_url: str, folder: Path) -> None:
    database = Database(sqlite_url)
    await add_people(database, 7, 8)
    backup = await upkeep.back_up(sqlite_url, folder, now=NOW)
    await forget(database, 7)
    newer = await upkeep.back_up(sqlite_url, folder, now=NOW + DAY)
    before = newer.read_bytes()
    await database.close()
    await destroy(sqlite_url)

    done = await upkeep.restore(sqlite_url, backup, folder, now=NOW + 2 * DAY)

    assert (done.erased, done.aside) == (1, None)
    assert await people(sqlite_url) == {8}
    assert newer.read_bytes() == before
    assert sorted(folder.iterdir()) == sorted([backup, newer])


async def test_where_nothing_tells_who_was_erased_that_is_said(sqlite_url: str, folder: Path, tmp_path: Path) -> None:
    backup = await upkeep.back_up(sqlite_url, folder, now=NOW)
    elsewhere = backup.rename(tmp_path / "from-another-machine.db")
    await destroy(sqlite_url)
    assert (await upkeep.restore(sqlite_url, elsewhere, folder, now=NOW)).erased is None


# -- files that are no backups -----------------------------------------------------------------------------------------


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:12288] = os.urandom(8192)
    path.write_bytes(content)


def other_database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title)")
    connection.close()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.unlink(), "is not a file"),
        (lambda path: path.write_text("hello"), "is not a SQLite database"),
        (spoil, "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:20000]), "is damaged"),
        (lambda path: (path.unlink(), other_database(path)), "but not one of Lull's"),
    ],
)
async def test_a_file_that_is_no_good_backup_is_refused_and_nothing_is_changed(
    sqlite_url: str, folder: Path, make: object, sentence: str
) -> None:
    database = Database(sqlite_url)
    await put(database, 1)
    backup = await upkeep.back_up(sqlite_url, folder, now=NOW)
    await database.close()
    make(backup)  # type: ignore[operator]
    with pytest.raises(DatabaseError, match=sentence):
        await upkeep.restore(sqlite_url, backup, folder, now=NOW + DAY)
    assert await numbers(sqlite_url) == {1}
    assert not list(folder.parent.glob(".lull*"))


# -- half-way ----------------------------------------------------------------------------------------------------------


async def test_a_replaced_database_with_an_unread_log_loses_nothing(
    sqlite_url: str, folder: Path, tmp_path: Path
) -> None:
    """As after a kill: the last rows are in the write-ahead log alone."""
    database = Database(sqlite_url)
    await put(database, 1)
    backup = await upkeep.back_up(sqlite_url, folder, now=NOW)
    await put(database, 2)
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"lull.db{suffix}", tmp_path / f"killed.db{suffix}")
    await database.close()
    killed = f"sqlite+aiosqlite:///{tmp_path / 'killed.db'}"

    done = await upkeep.restore(killed, backup, folder, now=NOW + DAY)

    assert await numbers(killed) == {1}
    assert await numbers(f"sqlite+aiosqlite:///{done.aside}") == {1, 2}


async def test_a_replaced_database_that_is_damaged_is_kept_as_it_was(
    sqlite_url: str, folder: Path, tmp_path: Path
) -> None:
    backup = await upkeep.back_up(sqlite_url, folder, now=NOW)
    (tmp_path / "lull.db").write_bytes(b"what the disk left")
    done = await upkeep.restore(sqlite_url, backup, folder, now=NOW + DAY)
    assert done.aside is not None
    assert done.aside.read_bytes() == b"what the disk left"
    assert files.verify(tmp_path / "lull.db") == engine.head()


async def test_a_backup_that_fails_leaves_nothing_behind(sqlite_url: str, folder: Path, tmp_path: Path) -> None:
    spoil(tmp_path / "lull.db")
    with pytest.raises(DatabaseError):
        await upkeep.back_up(sqlite_url, folder, now=NOW)
    assert list(folder.iterdir()) == []


async def test_a_backup_is_readable_for_its_owner_alone(database_url: str, folder: Path) -> None:
    backup = await upkeep.back_up(database_url, folder, now=NOW)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_folder_that_cannot_be_written_is_a_sentence(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="No backup can be kept in"):
        await upkeep.back_up(sqlite_url, tmp_path / "file" / "backups", now=NOW)


async def test_without_pg_dump_a_sentence_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DatabaseError, match="pg_dump is missing here; install PostgreSQL's client programs"):
        await upkeep.back_up("postgresql+asyncpg://lull@127.0.0.1/lull", folder, now=NOW)
    assert list(folder.iterdir()) == []


# -- how long they stay ------------------------------------------------------------------------------------------------


def named(folder: Path, moment: datetime, note: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"lull-{moment:%Y%m%dT%H%M%SZ}{note}.db"
    path.touch()
    return path


def test_the_newest_backups_stay_as_many_as_asked(folder: Path) -> None:
    made = [named(folder, NOW - days * DAY) for days in range(6)]
    removed = upkeep.prune(folder, keep=4, now=NOW)
    assert removed == sorted(made[4:])
    assert sorted(folder.iterdir()) == sorted(made[:4])


def test_no_copy_of_any_kind_gets_older_than_thirty_days(folder: Path) -> None:
    young = [named(folder, NOW - 30 * DAY), named(folder, NOW - 29 * DAY, "-replaced")]
    for note in ("", "-replaced", "-before-0003"):
        named(folder, NOW - 30 * DAY - timedelta(seconds=1), note)
    upkeep.prune(folder, keep=100, now=NOW)
    assert sorted(folder.iterdir()) == sorted(young)


def test_copies_made_before_something_do_not_push_out_backups(folder: Path) -> None:
    kept = [named(folder, NOW - DAY), *(named(folder, NOW, f"-before-{number:04}") for number in range(5))]
    upkeep.prune(folder, keep=1, now=NOW)
    assert sorted(folder.iterdir()) == sorted(kept)
    assert upkeep.latest(folder) == NOW - DAY


def test_other_files_in_the_folder_are_left_alone(folder: Path) -> None:
    folder.mkdir()
    for name in ("notes.txt", "lull.db", "lull-20200101.db", "my-lull-20200101T000000Z.db"):
        (folder / name).touch()
    assert upkeep.prune(folder, keep=1, now=NOW) == []
