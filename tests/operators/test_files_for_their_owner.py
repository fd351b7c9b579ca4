"""What lies on the disk: readable for its owner alone, without names, and without a word of somebody who was erased."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from bot import health
from bot.fake_telegram.people import Person, Seen
from bot.fake_telegram.telegram import Telegram
from db.sqlite import disk
from tests.conftest import Process
from tests.operators.test_bad_days import until
from tests.operators.test_command_line import call

OPEN = 0o022
"""The umask of most machines: what is made may be read by everybody."""


@pytest.fixture(autouse=True)
def usual_umask() -> object:
    before = os.umask(OPEN)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def set_up(person: Person) -> None:
    await person.send("/start")
    message = await person.next()
    for label in ("I understand", "22:30", "Berlin", "Citrate"):
        before = message.text
        await person.press(next(text for text in message.labels if text.startswith(label)))
        message = await person.until(lambda seen, before=before: seen.text != before)  # type: ignore[misc]


async def test_what_the_bot_makes_is_for_its_owner_alone(tmp_path: Path, telegram: Telegram) -> None:
    process = Process(tmp_path, telegram.url, f"sqlite:///{tmp_path / 'made' / 'lull.db'}", anew=True)
    await process.start()
    try:
        await telegram.person(7).send("/start")
        await telegram.person(7).next()
        state = tmp_path / "made" / "lull.db.health"
        await until(state.exists, lambda: process.log)
        files = list((tmp_path / "made").iterdir())
        assert {"lull.db", "lull.db-wal", "lull.db-shm", "lull.db.lock", "lull.db.health"} <= {x.name for x in files}
        assert {mode(file) for file in files} == {0o600}
        assert mode(tmp_path / "made") == 0o700
        assert await process.stop() == 0
    finally:
        if process.running is not None and process.running.returncode is None:
            await process.kill()


def test_a_file_from_before_is_closed_to_others_at_the_next_start(migrated_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "lull.db"
    shutil.copy(migrated_file, path)
    path.chmod(0o664)

    disk.prepare(path)

    assert mode(path) == 0o600


@pytest.mark.parametrize(("rights", "code"), [(0o600, 0), (0o640, 2), (0o604, 2)])
def test_check_complains_of_a_token_that_others_can_read(tmp_path: Path, rights: int, code: int) -> None:
    (tmp_path / ".env").write_text("SEND_RATE=5\n")
    (tmp_path / ".env").chmod(rights)

    done = call("check", cwd=tmp_path)

    assert done.returncode == code
    said = (
        "not good  settings: .env can be read by other users of this machine, and holds the token; run: chmod 600 .env"
    )
    assert (said in done.stdout.splitlines()) is (code != 0)


LABEL, NOTE, WORDS, NAME = "zebrafish powder", "dreamt of an okapi", "and also narwhal drops", "Wilhelmina"


def on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.glob("lull.db*")))


def _is_next(seen: Seen, page: Seen) -> bool:
    return seen.message_id == page.message_id and seen.text != page.text


async def test_of_an_erased_person_not_a_byte_is_left(tmp_path: Path, telegram: Telegram) -> None:
    process = Process(tmp_path, telegram.url)
    await process.start()
    try:
        ada = telegram.person(77, first_name=NAME, language_code="de")
        await set_up(ada)
        ada.catch_up()
        await ada.send("/settings")
        page = await ada.next()
        for answer in ("Form", "In your own words"):
            await ada.press(next(text for text in page.labels if answer in text), message=page.message_id)
            page = await ada.until(lambda seen, page=page: _is_next(seen, page))  # type: ignore[misc]
        for text in (LABEL, f"I take {WORDS}", f"/note {NOTE}"):
            await ada.send(text)
            await ada.next()
        assert await telegram.idle()
        kept = on_disk(tmp_path)
        assert LABEL.encode() in kept
        assert NAME.encode() not in kept

        await ada.send("/delete")
        await ada.next()
        await ada.send("ERASE")
        await ada.next()

        def gone() -> bool:
            return not any(word.encode() in on_disk(tmp_path) for word in (LABEL, NOTE, WORDS, NAME))

        await until(gone, lambda: process.log)
        assert (tmp_path / "lull.db-wal").exists()
        assert await process.stop() == 0
    finally:
        if process.running is not None and process.running.returncode is None:
            await process.kill()


@pytest.mark.parametrize(("suffix", "part"), [("", "file"), ("-wal", "log")])
@pytest.mark.long
async def test_a_file_that_is_taken_away_under_the_bot_is_red(
    tmp_path: Path, telegram: Telegram, suffix: str, part: str
) -> None:
    process = Process(tmp_path, telegram.url)
    await process.start()
    try:
        ada = telegram.person(77)
        await ada.send("/start")
        await ada.next()
        state = tmp_path / "lull.db.health"
        await until(lambda: health.check(state)[0], lambda: process.log)

        (tmp_path / f"lull.db{suffix}").rename(tmp_path / "elsewhere")

        await until(lambda: health.check(state)[1].startswith(f"{part}: "), lambda: health.check(state)[1])
    finally:
        await process.kill()
    if part == "log":  # what it held was saved
        assert process.rows("SELECT id FROM users") == [(77,)]
