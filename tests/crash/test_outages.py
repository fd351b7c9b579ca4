"""Telegram that is away or says wait, clocks that jump, a process that is stopped: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.fake_telegram.faults import Fault
from tests.crash import town as towns

NIGHT = date(2026, 3, 26)
EVENING = datetime(2026, 3, 26, 21, 14, 55, tzinfo=UTC)
MORNING = datetime(2026, 3, 27, 7, 5, tzinfo=UTC)


_IN_HAND = "outbox WHERE state IN ('claimed', 'sending')"
_SENT = "outbox WHERE kind = 'reminder' AND state = 'sent'"


async def all_sent(town: towns.Town, number: int) -> None:
    """So many reminders are out and noted."""
    await town.wait(lambda: towns.count(town.database_url, _SENT) == number)


@pytest.mark.parametrize(
    "fault",
    [Fault("drop_before"), pytest.param(Fault("status", code=502, html=True), marks=pytest.mark.long), Fault("silent")],
    ids=["connections close", "502", "accepted and silent"],
)
@pytest.mark.long
async def test_half_an_hour_without_telegram_makes_reminders_late_and_tells_of_those_it_took(
    tmp_path: Path, fault: Fault
) -> None:
    """Bedtimes 21:30 and 22:00, leads of 45 minutes; Telegram is away from 20:40 to 21:26: too late for the first."""
    began = datetime(2026, 3, 26, 20, 40, tzinfo=UTC)
    async with towns.founded(tmp_path, begin=began, speed=240) as town:
        await town.settle(6, beds=[21 * 60 + 30, 22 * 60])
        await town.start()
        fault.lasting = 46 * 60.0
        town.telegram.fault(fault)
        await town.until(began + timedelta(minutes=8))
        town.jump(began + timedelta(minutes=37))
        await town.until(began + timedelta(minutes=48))
        await town.wait(lambda: towns.open_reminders(town.database_url) == 0)
        town.jump(MORNING)
        await town.wait(
            lambda: towns.count(town.database_url, "outbox WHERE kind = 'check_in' AND state = 'sent'") == 6
        )
        verdict = await town.judge(NIGHT, NIGHT)
        assert await town.stop() == 0

    assert verdict.broken == []
    assert verdict.most() <= 3
    late = [fate for fate in verdict.fates if fate.due.bed_at.hour == 22]
    assert all(fate.copies for fate in late)
    assert all(fate.told for fate in verdict.fates if not fate.copies)
    assert "Traceback" not in town.bot.log


@pytest.mark.parametrize("hours", [1.25, -2])
async def test_a_wall_clock_that_jumps_loses_and_doubles_nothing(tmp_path: Path, hours: float) -> None:
    """In the middle of a burst; the bedtimes are far enough away for both."""
    async with towns.founded(tmp_path, begin=EVENING - timedelta(hours=2), speed=10) as town:
        await town.settle(40, beds=[22 * 60], lead=45)
        await town.settle(40, beds=[22 * 60 + 1], lead=120, first=2000)
        town.clock.set(datetime(2026, 3, 26, 20, 0, 58, tzinfo=UTC))
        await town.start()
        await town.wait(lambda: town.telegram.counts.methods["sendMessage"] >= 5)

        town.jump(town.clock.now() + timedelta(hours=hours))
        if hours < 0:
            await town.wait(lambda: towns.count(town.database_url, _IN_HAND) == 0)
            town.jump(EVENING)
        await all_sent(town, 80)
        verdict = await town.judge(NIGHT, NIGHT)
        assert await town.stop() == 0

    assert {len(fate.copies) for fate in verdict.fates} == {1}
    assert "Traceback" not in town.bot.log


async def test_a_suspended_machine_wakes_up_and_sends_each_reminder_once(tmp_path: Path) -> None:
    async with towns.founded(tmp_path, begin=EVENING, speed=10) as town:
        await town.settle(40, beds=[22 * 60])
        await town.start()
        await town.wait(lambda: town.telegram.counts.methods["sendMessage"] >= 5)

        os.kill(town.bot.pid, signal.SIGSTOP)
        town.jump(town.clock.now() + timedelta(minutes=20))
        os.kill(town.bot.pid, signal.SIGCONT)
        await all_sent(town, 40)
        verdict = await town.judge(NIGHT, NIGHT)
        assert await town.stop() == 0

    assert (verdict.broken, verdict.sent, verdict.doubled) == ([], 40, 0)


async def test_a_machine_suspended_between_the_note_and_the_socket_sends_nothing_after_bedtime(tmp_path: Path) -> None:
    async with towns.founded(tmp_path, begin=EVENING, speed=20) as town:
        await town.settle(1, beds=[22 * 60])
        await town.start(FAIL_POINT="before_send=stop")
        await town.wait(lambda: state(town.bot.pid) == "T")
        noted = towns.count(town.database_url, "outbox WHERE state = 'sending' AND copies = 1")

        town.jump(datetime(2026, 3, 26, 23, 30, tzinfo=UTC))
        os.kill(town.bot.pid, signal.SIGCONT)
        await town.wait(lambda: towns.open_reminders(town.database_url) == 0)
        ended = towns.count(town.database_url, "outbox WHERE state = 'expired' AND reason = 'too late' AND copies = 0")
        town.jump(MORNING)
        await town.wait(
            lambda: towns.count(town.database_url, "outbox WHERE kind = 'check_in' AND state = 'sent'") == 1
        )
        verdict = await town.judge(NIGHT, NIGHT)
        assert await town.stop() == 0

    assert (noted, ended) == (1, 1)
    (fate,) = verdict.fates
    assert not fate.copies
    assert fate.told
    assert verdict.broken == []


def state(pid: int) -> str:
    """What the kernel says a process is doing; T: it is stopped."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


async def test_sigterm_in_a_burst_ends_within_seconds_and_the_next_start_goes_on(tmp_path: Path) -> None:
    async with towns.founded(tmp_path, begin=EVENING, speed=20) as town:
        await town.settle(60, beds=[22 * 60])
        await town.start()
        town.telegram.fault(Fault("too_many", "sendMessage", skip=20, count=1, retry_after=120))
        await town.wait(lambda: any(call.status == 429 for call in town.telegram.calls))

        assert await town.stop() == 0
        left = towns.count(town.database_url, _IN_HAND)
        await town.start()
        await all_sent(town, 60)
        verdict = await town.judge(NIGHT, NIGHT)
        assert await town.stop() == 0

    assert left == 0
    assert (verdict.broken, verdict.sent, verdict.doubled) == ([], 60, 0)


async def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    async with towns.founded(tmp_path, begin=EVENING, speed=1) as town:
        await town.settle(3, beds=[22 * 60])
        town.telegram.fault(Fault("silent", "sendMessage"))
        await town.start()
        town.clock.set(EVENING + timedelta(minutes=1))
        await town.wait(lambda: town.telegram.counts.methods["sendMessage"] >= 3)

        os.kill(town.bot.pid, signal.SIGTERM)
        await town.wait(lambda: "goes to sleep" in town.bot.log)
        code = await town.bot.end(signal.SIGTERM)

    assert code == 128 + signal.SIGTERM
