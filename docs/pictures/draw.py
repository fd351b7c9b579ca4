"""Draw the chats of this folder: the real bot against the stand-in Telegram, as a phone in the dark would show it. Needs chromium.

python docs/pictures/draw.py, from the folder of the project.
"""

from __future__ import annotations

import asyncio
import html
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.clock import SharedClock
from bot.fake_telegram import server
from bot.fake_telegram.people import Person, Seen

HERE = Path(__file__).parent
TOKEN = "123456:TEST"
ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 26, 12, 0, tzinfo=UTC)
WIDTH = 390


def page(chat: list[Seen]) -> str:
    """The chat as a page."""
    rows, day = [], None
    for message in chat:
        at = message.at.astimezone(ZONE)
        if at.date() != day:
            day = at.date()
            rows.append(f"<div class=day><span>{at:%-d %B}</span></div>")
        keys = "".join(
            "<div>"
            + "".join(f'<span class="{key.style or ""}">{html.escape(key.text)}</span>' for key in row)
            + "</div>"
            for row in message.buttons
        )
        said = f"<div class=say>{message.html or html.escape(message.text)}<time>{at:%H:%M}</time></div>"
        rows.append(f'<div class="row {"" if message.from_bot else "you"}">{said}<div class=keys>{keys}</div></div>')
    style = (HERE / "chat.css").read_text(encoding="utf-8")
    head = "<header><i>L</i><div><b>Lull</b><small>bot</small></div></header>"
    return f"<!doctype html><meta charset=utf-8><style>{style}</style>{head}<main>{''.join(rows)}</main>"


def draw(chat: list[Seen], name: str, *, height: int) -> None:
    """A picture of the chat, twice as fine as its size."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "chat.html"
        source.write_text(page(chat), encoding="utf-8")
        quiet = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
                 "--disable-component-update --disable-sync --hide-scrollbars --force-device-scale-factor=2")  # fmt: skip
        command = ["chromium", *quiet.split(), f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{height}"]
        subprocess.run([*command, f"--screenshot={HERE / name}", source.as_uri()], check=True, capture_output=True)


async def press(person: Person, label: str) -> Seen:
    """Press the newest button that begins like this, and wait for what it changes."""
    message = next(seen for seen in reversed(person.chat) if any(text.startswith(label) for text in seen.labels))
    button = next(text for text in message.labels if text.startswith(label))
    await person.press(button, message=message.message_id)
    return await person.until(lambda seen: seen.message_id == message.message_id and seen.text != message.text)


async def live(person: Person, clock: SharedClock) -> None:
    """Set up, an evening, a morning; a picture of each."""
    await person.send("/start")
    await person.next()
    draw(person.chat, "start.png", height=480)
    for label in ("I understand", "22:30", "Berlin", "Citrate"):
        await press(person, label)
    clock.set(datetime(2026, 3, 26, 20, 44, 58, tzinfo=UTC))
    await person.next()
    draw(person.chat[-1:], "evening.png", height=460)
    await press(person, "Taken")
    clock.set(datetime(2026, 3, 27, 6, 29, 58, tzinfo=UTC))
    await person.next()
    draw(person.chat[-2:], "morning.png", height=460)


async def main() -> None:
    """The bot, the stand-in and one person."""
    with tempfile.TemporaryDirectory() as folder:
        clock = SharedClock.create(Path(folder) / "clock", origin=START)
        async with server.running(clock=clock, token=TOKEN) as telegram:
            environment = {"BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, "CLOCK_FILE": f"{folder}/clock"}
            environment |= {"DATABASE_URL": f"sqlite:///{folder}/lull.db", "BACKUP_DIR": folder}
            bot = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", env=os.environ | environment, stderr=asyncio.subprocess.DEVNULL
            )
            try:
                await live(telegram.person(42, first_name="Ada", language_code="de"), clock)
            finally:
                bot.terminate()
                await bot.wait()


if __name__ == "__main__":
    asyncio.run(main())
