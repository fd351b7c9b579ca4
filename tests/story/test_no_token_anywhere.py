"""Everything at DEBUG while everything goes wrong: the token, names and texts of people are nowhere to be found."""

from __future__ import annotations

import asyncio
import io
import re
import zipfile
from pathlib import Path

import aiohttp

from bot.clock import SharedClock
from bot.fake_telegram.faults import Fault
from bot.fake_telegram.people import Person
from bot.fake_telegram.telegram import Telegram
from tests.conftest import START, TOKEN, Process

ADMIN = 500_600_700
ADA = 77_123_456
SECRET = "MyPrivateWords"
FAULTS = (
    Fault("drop_after", count=1, skip=1, method="sendMessage"),
    Fault("drop_before", count=1, method="editMessageText"),
    Fault("bad_json", count=1, method="answerCallbackQuery"),
    Fault("status", code=502, html=True, count=1, method="getUpdates"),
    Fault("status", code=401, count=1, method="getUpdates", description="Unauthorized"),
    Fault("status", code=404, count=1, method="copyMessage", description="Not Found"),
    Fault("status", code=500, count=1, method="sendDocument", description="Internal Server Error"),
    Fault("too_many", retry_after=2, count=1, method="copyMessage"),
    Fault("drop_before", count=2, method="getFile"),
    Fault("status", code=400, count=1, method="sendPhoto", description="Bad Request: PHOTO_INVALID"),
)


async def set_up(telegram: Telegram, user_id: int) -> Person:
    person = telegram.person(user_id, "Ada" + SECRET)
    await person.send("/start bed_2230")
    await person.next()
    await person.press("I understand")
    await person.until(lambda seen: seen.text.startswith("Where do you sleep?"))
    await person.press(data="v1:zone:Europe/Berlin")
    await person.until(lambda seen: seen.text.startswith("Which magnesium"))
    await person.press("Citrate")
    await person.until(lambda seen: seen.text.startswith("All set."))
    person.catch_up()
    return person


async def trouble(telegram: Telegram, admin: Person, ada: Person) -> None:
    """A broadcast, a picture, an import, nonsense and updates that nobody can parse, with faults in all of them."""
    for fault in FAULTS:
        telegram.fault(fault)
    original = await admin.send(SECRET)
    await admin.reply(original, "/broadcast")
    question = await admin.until(lambda seen: "Send…" in seen.labels)
    await admin.press("Send…", message=question.message_id)
    question = await admin.until(lambda seen: seen.text.startswith("Send it to"))
    await admin.press(question.labels[0], message=question.message_id)
    telegram.inject({"message": {"date": SECRET, "chat": [SECRET], "from": {"id": ADA}}})
    telegram.inject({"callback_query": {"id": TOKEN, "data": TOKEN}})
    for text in (f"/diary {SECRET}", "/insight", TOKEN, f"/start {TOKEN}", "/import"):
        await ada.send(text)
    await ada.send_document(content=SECRET.encode(), name=f"{SECRET}.csv")
    await admin.until(lambda seen: ": done" in seen.text)
    await ada.send("/export")
    await ada.until(lambda seen: seen.file_name.endswith(".zip"))


async def served(process: Process) -> str:
    """What health and metrics say."""
    found = re.search(r"\"port\": ?\"?(\d+)|port=(\d+)", process.log)
    assert found is not None, process.log
    port = found[1] or found[2]
    async with aiohttp.ClientSession() as session:
        pages = [await session.get(f"http://127.0.0.1:{port}{path}") for path in ("/healthz", "/metrics", "/nowhere")]
        return "\n".join([await page.text() for page in pages])


def exported(person: Person) -> str:
    packed = next(seen.content for seen in reversed(person.chat) if seen.file_name.endswith(".zip"))
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        return "\n".join(file.read(name).decode() for name in file.namelist())


async def test_at_debug_and_with_faults_no_token_name_or_text_is_anywhere(
    tmp_path: Path, telegram: Telegram, clock: SharedClock
) -> None:
    clock.set(START, speed=20.0)
    environment = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json", "LISTEN": "127.0.0.1:0", "ADMIN_IDS": str(ADMIN)}
    process = Process(tmp_path, telegram.url, environment=environment, anew=True)
    await process.start()
    try:
        admin, ada = await set_up(telegram, ADMIN), await set_up(telegram, ADA)
        await trouble(telegram, admin, ada)
        assert process.running is not None
        shown = Path(f"/proc/{process.running.pid}/cmdline").read_bytes().decode()
        said = await served(process) + shown + exported(ada)
        before = await asyncio.to_thread(lambda: process.log)
        assert await process.stop() == 0
    finally:
        if process.running is not None and process.running.returncode is None:
            await process.kill()

    assert '"level": "debug"' in before
    assert TOKEN not in process.log
    assert TOKEN.split(":")[1] + "/" not in process.log
    assert SECRET not in process.log
    assert str(ADA) not in process.log
    assert str(ADMIN) not in process.log
    assert TOKEN not in said
    health = [file for file in tmp_path.iterdir() if file.suffix in {".health", ".lock"}]
    assert all(TOKEN not in file.read_text(encoding="utf-8") for file in health)
