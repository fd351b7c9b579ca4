"""What is counted, by which names, and that alarms can be set on what never happened yet."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from telegram.error import RetryAfter

from bot import health
from bot.clock import RealClock
from bot.core.model import Kind, NightRecord, Person, State, Status
from bot.core.outcome import Sent, Unknown
from bot.core.owed import Owed
from bot.core.pacing import Lane
from bot.metrics import Live, Metrics, QueriedGauges
from bot.runtime import monitor
from bot.runtime.monitor import Monitor
from bot.telegram import transport
from bot.telegram.rate_limiter import Passage, RateLimiter
from db.engine import Database

AT = datetime(2026, 3, 26, 20, 45, tzinfo=UTC)


def owed(*, copies: int = 0) -> Owed:
    person = Person(77, Status.ACTIVE, created_at=AT, seen_at=AT)
    later = AT + timedelta(minutes=40)
    return Owed(
        id=1,
        kind=Kind.REMINDER,
        night=AT.date(),
        planned_at=AT,
        until_at=later,
        bed_at=later,
        copies=copies,
        tries=0,
        person=person,
        record=NightRecord(AT.date()),
    )


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"lull_{name}", labels)


def test_an_attempt_counts_by_kind_and_outcome_and_how_late_it_was() -> None:
    metrics = Metrics()

    metrics.outcome(owed(), Sent(5), now=AT + timedelta(seconds=7))
    metrics.outcome(owed(copies=1), Unknown("silence"), now=AT + timedelta(minutes=3))

    assert value(metrics, "messages_total", kind="reminder", outcome="sent") == 1
    assert value(metrics, "messages_total", kind="reminder", outcome="unknown") == 1
    assert value(metrics, "repeats_total", kind="reminder") == 1
    assert value(metrics, "lateness_seconds_bucket", kind="reminder", le="5.0") == 0
    assert value(metrics, "lateness_seconds_bucket", kind="reminder", le="10.0") == 1


def test_a_reminder_given_up_is_counted_and_stood_at_zero_before() -> None:
    metrics = Metrics()
    assert value(metrics, "missed_total", kind="reminder", state="expired") == 0

    metrics.ended([(Kind.REMINDER, State.EXPIRED), (Kind.REMINDER, State.SENT), (Kind.CHECK_IN, State.EXPIRED)])
    metrics.reclaimed([(Kind.REMINDER, State.UNKNOWN), (Kind.REMINDER, State.DUE)])

    assert value(metrics, "missed_total", kind="reminder", state="expired") == 1
    assert value(metrics, "missed_total", kind="reminder", state="unknown") == 1
    assert value(metrics, "reclaimed_total", kind="reminder") == 2


def test_a_backup_is_known_by_its_moment() -> None:
    metrics = Metrics()
    assert value(metrics, "last_backup_timestamp_seconds") == 0
    metrics.backed_up(AT)
    assert value(metrics, "last_backup_timestamp_seconds") == AT.timestamp()


async def test_floods_and_halts_are_read_from_the_limiter_at_the_scrape() -> None:
    limiter, metrics = RateLimiter(30, clock=RealClock()), Metrics()
    metrics.watch(
        Live(
            lanes=lambda: {lane.name.lower(): limiter.waiting(lane) for lane in Lane},
            floods=lambda: limiter.floods,
            halts=lambda: limiter.halts,
            halted_seconds=lambda: limiter.halted_seconds,
            halted_for=lambda: limiter.halted_for,
            queued=lambda: 3,
            tasks=lambda: 2,
            leads=lambda: True,
        )
    )

    async def flooded() -> bool:
        raise transport.Flooded(7)

    for chat_id in (1, 2):
        with pytest.raises(RetryAfter):
            await limiter.process_request(flooded, (), {}, "sendMessage", {"chat_id": chat_id}, Passage(Lane.REMINDER))
    await asyncio.sleep(0.05)

    assert value(metrics, "floods_total") == limiter.floods == 2
    assert value(metrics, "halts_total") == 1
    assert (value(metrics, "halted_seconds_total") or 0) >= 0.04
    assert (value(metrics, "halt_age_seconds") or 0) >= 0.04
    assert value(metrics, "lane_waiting", lane="answer") == 0
    assert value(metrics, "queued") == 3
    assert value(metrics, "tasks") == 2
    assert value(metrics, "leads") == 1


def test_messages_refused_for_over_a_minute_are_red_and_no_reason_to_end_the_process() -> None:
    limiter = RateLimiter(30, clock=RealClock())
    assert monitor.flooded(limiter, RealClock()) == {}

    limiter._halt.began_at = time.monotonic() - 61

    assert monitor.flooded(limiter, RealClock()) == {"flood": "Telegram has refused messages for 61 seconds"}
    assert set(monitor.flooded(limiter, RealClock())) <= health.LASTING


async def test_what_costs_a_query_is_counted_on_both_databases(database: Database) -> None:
    metrics = Metrics()
    watch = Monitor(database, metrics, clock=RealClock(), ages=dict, faults=[dict])

    assert await watch.count() == QueriedGauges(active=0, oldest_due_seconds=0.0, inbox=0, dead_letters=0)
    await watch.look()
    assert not watch.health.red


async def test_a_database_that_is_gone_is_red() -> None:
    watch = Monitor(
        Database("postgresql+asyncpg://lull@127.0.0.1:1/none"), Metrics(), clock=RealClock(), ages=dict, faults=[dict]
    )
    await watch.look()
    assert watch.health.red == {"database": "no answer"}


async def test_a_loop_that_is_held_up_shows_its_lag(database: Database) -> None:
    metrics = Metrics()
    watch = Monitor(database, metrics, clock=RealClock(), ages=dict, faults=[dict])
    stop = asyncio.Event()
    task = asyncio.create_task(watch.run(stop))
    try:
        async with asyncio.timeout(20):
            while not (value(metrics, "loop_lag_seconds_count") or 0):
                time.sleep(0.3)  # the hold-up
                await asyncio.sleep(0)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert (value(metrics, "loop_lag_seconds_sum") or 0) > 0.05
