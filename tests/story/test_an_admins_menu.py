"""The two commands that only admins see come with the claim, and with the first /admin of one who is named."""

from __future__ import annotations

from pathlib import Path

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from tests.conftest import Process


async def menu_of(telegram: Telegram, admin: int) -> list[str]:
    """The commands of one chat's own menu, once it has one."""
    commands, key = telegram.world.commands, (f"chat {admin}", "")
    assert await telegram.called.wait_for(lambda: key in commands, timeout=30), sorted(commands)
    return [str(command["command"]) for command in commands[key]]


async def test_who_claims_sees_an_admins_commands_at_once(lull: Process, telegram: Telegram) -> None:
    ann = telegram.person(1, language_code="en")
    await ann.send("/start")
    await ann.next()
    code = await lull.claim()

    await ann.send(f"/start claim_{code}")

    shown = await menu_of(telegram, 1)
    assert shown[-2:] == ["broadcast", "admin"]
    assert "tonight" in shown


async def test_an_admin_who_had_not_pressed_start_is_no_trouble_and_has_the_menu_once_they_come(
    tmp_path: Path, telegram: Telegram, clock: SharedClock
) -> None:
    del clock
    ben = telegram.person(2)
    process = Process(tmp_path, telegram.url, environment={"ADMIN_IDS": "2,3"})
    await process.start()
    await ben.send("/admin")

    assert (await menu_of(telegram, 2))[-2:] == ["broadcast", "admin"]

    assert await process.stop() == 0
    assert ("chat 3", "") not in telegram.world.commands
    assert "could not be published" not in process.log
    assert "Traceback" not in process.log
