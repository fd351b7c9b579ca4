"""The bot in a terminal: the stand-in, the bot as a process of its own, and one person who types and presses."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.clock import SharedClock
from bot.fake_telegram import server
from bot.fake_telegram.people import Person
from bot.fake_telegram.screen import Screen
from bot.fake_telegram.telegram import Telegram

_BOT = (sys.executable, "-m", "bot", "run")
_ROOT = Path(__file__).resolve().parents[2]
_PERSON_ID = 1001
_HELP = (
    "You are chatting with the bot; nothing leaves this computer. Type a text, a command (try /start) "
    "or a button's number.\nOf this demo: /skip 8h, /skip 45m, /skip to 22:15, /clock [zone], /speed 60, /press TEXT, "
    "/quiet, /quit"
)
_START_TAKES = 60.0
_ANSWER_TAKES = 8.0
_QUIET = 0.5
_STOP_TAKES = 15.0
_SKIP_SPEED = 10.0
_SKIP_STEP = timedelta(minutes=5)
_SKIP_PAUSE = 0.25
_SOMEWHERE = (52.52, 13.40)
"""Where a pressed location button says that the person is: Berlin, to the nearest kilometre."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """What the demo consists of."""

    telegram: Telegram
    clock: SharedClock
    person: Person
    screen: Screen
    scripted: bool


def main() -> int:
    """Runs the demo on this terminal, or on the lines of a pipe; the exit code."""
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(run(sys.stdin.fileno(), sys.stdout, scripted=not sys.stdin.isatty()))
    return 0


async def run(source: int, out: TextIO, *, scripted: bool, command: Sequence[str] = _BOT) -> int:
    """Chats on the file descriptor `source` and on `out` until the end of the input, /quit, SIGINT or SIGTERM.

    `scripted` takes a line only when the bot has answered the last one. Returns 1 only if the bot stopped by itself."""
    colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    evening = datetime.now().astimezone().replace(hour=20, minute=0, second=0, microsecond=0)
    with tempfile.TemporaryDirectory(prefix="lull-demo-") as name:
        folder = Path(name)
        # The bot sets its tick by the speed at its start; with this one it keeps up when time is skipped.
        clock = SharedClock.create(folder / "clock", origin=evening, speed=_SKIP_SPEED)
        async with server.running(clock=clock) as telegram:
            person = telegram.person(_PERSON_ID, "Ada", username="ada_in_the_demo")
            screen = Screen(person, clock, out, folder=folder, colour=colour)
            stage = _Stage(telegram, clock, person, screen, scripted)
            return await _with_bot(stage, folder, source, command=command)


async def _with_bot(stage: _Stage, folder: Path, source: int, *, command: Sequence[str]) -> int:
    stage.screen.help(_HELP)
    with (folder / "bot.log").open("wb") as log:
        bot = await asyncio.create_subprocess_exec(
            *command, env=_environment(stage, folder), cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    talk = asyncio.create_task(_talk(stage, source))
    gone = asyncio.create_task(bot.wait())
    follow = asyncio.create_task(_follow(stage))
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, talk.cancel)
    try:
        await asyncio.wait({talk, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not talk.done():
            stage.screen.help(f"The bot stopped by itself ({bot.returncode}). The end of its log:")
            stage.screen.help("\n".join((folder / "bot.log").read_text(errors="replace").splitlines()[-15:]))
            return 1
        return 0 if talk.cancelled() else talk.result()
    finally:
        for task in (talk, follow):
            task.cancel()
        await _stop(bot)
        await asyncio.gather(talk, follow, gone, return_exceptions=True)


def _environment(stage: _Stage, folder: Path) -> dict[str, str]:
    """What the bot's process is told; nothing of this shell's settings for a real bot gets in."""
    inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL", "TZ") if key in os.environ}
    return inherited | {
        "PYTHONPATH": str(_ROOT),
        "PYTHONUNBUFFERED": "1",
        "BOT_TOKEN": stage.telegram.token,
        "TELEGRAM_API_URL": stage.telegram.url,
        "DATABASE_URL": f"sqlite:///{folder / 'lull.db'}",
        "CLOCK_FILE": str(folder / "clock"),
    }


async def _stop(bot: asyncio.subprocess.Process) -> None:
    if bot.returncode is not None:
        return
    bot.terminate()
    try:
        await asyncio.wait_for(bot.wait(), _STOP_TAKES)
    except TimeoutError:
        bot.kill()
        await bot.wait()


async def _follow(stage: _Stage) -> None:
    """Shows what the bot does while the person does nothing."""
    world = stage.telegram.world
    while True:
        known = len(world.events)
        stage.screen.show_new()
        await world.changes.wait_for(lambda: len(world.events) > known, timeout=3600)  # noqa: B023


async def _talk(stage: _Stage, source: int) -> int:
    updates = stage.telegram.world.updates
    if not await updates.changes.wait_for(lambda: updates.polls > 0, timeout=_START_TAKES):
        stage.screen.help("The bot has not asked for updates within a minute.")
        return 1
    await stage.telegram.idle(quiet=_QUIET)
    stage.clock.set(stage.clock.now(), speed=1.0)
    async for line in _lines(source):
        if stage.scripted and line:
            stage.screen.typed(f"[{line}]" if line.isdigit() else line)
        if line == "/quit":
            break
        if line:
            await _take(stage, line)
    stage.screen.show_new()
    return 0


async def _lines(source: int) -> AsyncIterator[str]:
    """Lines of a terminal, pipe or file, read by a thread without Python's lock on stdin, which would hang the exit."""
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def put(line: str | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(queue.put_nowait, line)

    def pump() -> None:
        rest = b""
        while chunk := os.read(source, 4096):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                put(line.decode(errors="replace").strip())
        put(rest.decode(errors="replace").strip())
        put(None)

    threading.Thread(target=pump, daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line


async def _take(stage: _Stage, line: str) -> None:
    """One line of the person."""
    word, _, rest = line.partition(" ")
    local = {"/skip": _skip, "/clock": _clock, "/speed": _speed, "/press": _press, "/quiet": _quiet}.get(word)
    if local is not None:
        await local(stage, rest.strip())
    elif line.isdigit():
        await _press_number(stage, int(line))
    else:
        mark = stage.telegram.made
        await stage.person.send(line)
        await _settle(stage, mark)
    stage.screen.show_new()


async def _settle(stage: _Stage, mark: int) -> None:
    """In a script: until the bot has answered (made a call that shows something) and rests."""
    if not stage.scripted:
        return
    telegram = stage.telegram

    def answered() -> bool:
        recent = [call.method for call in telegram.since(mark) if call.method != "getUpdates"]
        return bool(recent) and recent[-1] != "sendChatAction"

    await telegram.called.wait_for(answered, timeout=_ANSWER_TAKES)
    await telegram.idle(quiet=_QUIET)


async def _press_number(stage: _Stage, number: int) -> None:
    if not 1 <= number <= len(stage.screen.buttons):
        stage.screen.help(f"There is no button {number} now.")
        return
    message_id, button = stage.screen.buttons[number - 1]
    mark = stage.telegram.made
    if button.url:
        stage.screen.help(f"(opens {button.url})")
        return
    if button.data is not None:
        await stage.person.press(data=button.data, message=message_id)
    elif button.asks_location:
        await stage.person.send_location(*_SOMEWHERE)
    else:
        await stage.person.send(button.text)
    await _settle(stage, mark)


async def _press(stage: _Stage, text: str) -> None:
    mark = stage.telegram.made
    try:
        await stage.person.press(text)
    except LookupError as error:
        stage.screen.help(f"({error})")
        return
    await _settle(stage, mark)


async def _quiet(stage: _Stage, _: str) -> None:
    stage.screen.quiet = not stage.screen.quiet


async def _clock(stage: _Stage, zone: str) -> None:
    if zone:
        try:
            stage.screen.zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            stage.screen.help(f"There is no zone {zone!r}; try Europe/Berlin.")
            return
    stage.screen.help(
        f"It is {stage.screen.now():%A %d %B, %H:%M:%S (UTC%z)}, at {stage.clock.speed:g} times real speed."
    )


async def _speed(stage: _Stage, text: str) -> None:
    if not re.fullmatch(r"\d{1,3}", text) or int(text) < 1:
        stage.screen.help("A speed is a whole number from 1 to 999: /speed 60 makes a minute of every second.")
        return
    stage.clock.set(stage.clock.now(), speed=float(text))
    await _clock(stage, "")


async def _skip(stage: _Stage, text: str) -> None:
    """Lets time pass quickly: in small jumps, with a moment for the bot after each, so that nothing comes late."""
    span = _span(text, stage.screen.now())
    if span is None:
        stage.screen.help("Like this: /skip 45m, /skip 8h, /skip 1h30m, /skip to 22:15.")
        return
    end, speed = stage.clock.now() + span, stage.clock.speed
    stage.clock.set(stage.clock.now(), speed=max(speed, _SKIP_SPEED))
    try:
        while (left := end - stage.clock.now()) > timedelta():
            stage.clock.skip(min(left, _SKIP_STEP).total_seconds())
            stage.telegram.world.updates.end_poll()  # or the skip would look like a long silence of Telegram's
            await _breathe(stage, _SKIP_PAUSE)
        await _breathe(stage, 4 * _SKIP_PAUSE)
    finally:
        stage.clock.set(stage.clock.now(), speed=speed)
    stage.screen.show_new()
    await _clock(stage, "")


async def _breathe(stage: _Stage, pause: float) -> None:
    mark, telegram = stage.telegram.made, stage.telegram

    def acted() -> bool:
        return any(call.method != "getUpdates" for call in telegram.since(mark))

    if await telegram.called.wait_for(acted, timeout=pause):
        await telegram.idle(quiet=_SKIP_PAUSE)


def _span(text: str, now: datetime) -> timedelta | None:
    """How far `8h`, `45m`, `1h30m` or `to 22:15` is from now; nothing if it is none of them."""
    if match := re.fullmatch(r"to ([01]?\d|2[0-3]):([0-5]\d)", text):
        then = now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
        return (then if then > now else then + timedelta(days=1)) - now
    match = re.fullmatch(r"(?:(\d{1,3})d)?\s*(?:(\d{1,3})h)?\s*(?:(\d{1,4})m)?", text)
    if match is None or not text:
        return None
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
