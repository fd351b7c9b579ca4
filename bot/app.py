"""The composition root: what the bot consists of, in which order it starts, what runs by the clock, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from telegram.ext import ApplicationBuilder, ContextTypes, ExtBot

from bot import VERSION
from bot.clock import Clock, open_clock
from bot.delivery.broadcast import Broadcasts
from bot.delivery.reminders import Reminders
from bot.delivery.renderer import Renderer
from bot.handlers import routes
from bot.jobs import backup, integrity_check, tzdata_update, withdrawn_tips
from bot.jobs.erase_dormant import Partings
from bot.jobs.error_digest import ErrorDigest
from bot.jobs.finish_experiments import Endings
from bot.jobs.integrity_check import IntegrityCheck
from bot.jobs.withdrawn_tips import Withdrawals
from bot.metrics import Metrics
from bot.runtime import connect, leadership, signals
from bot.runtime.clock_guard import ClockGuard
from bot.runtime.leadership import Leadership
from bot.runtime.monitor import Monitor, flooded, live
from bot.telegram import after_commit, command_menus, replies
from bot.telegram.file_reader import FileReader
from bot.telegram.late_edits import LateEdits
from bot.telegram.picture_process import PictureProcess
from bot.telegram.pictures import Pictures
from bot.telegram.rate_limiter import RateLimiter
from bot.telegram.transport import Transport
from bot.telegram.turn import AfterCommit, Turn
from bot.texts import content
from bot.texts.content import Content
from bot.updates.dispatcher import App, Dispatcher
from bot.updates.queues import Queues
from bot.updates.source import Ingress
from config import failpoints, logs
from config.settings import Settings
from db import marks
from db.engine import Database, Unavailable

_log = logs.logger(__name__)

Work = Callable[[], Awaitable[None]]

_ONE_AT_A_TIME = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}

FLYING = 8.0
"""Real seconds for which the end of the process waits for messages and handlers in progress."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """What runs by the clock beside the sending; `_schedule` says how often."""

    experiments: Endings
    dormant: Partings
    withdrawn_tips: Withdrawals
    integrity_check: IntegrityCheck
    error_digest: ErrorDigest


@dataclass(frozen=True, slots=True)
class Lull:
    """All parts of a running bot."""

    settings: Settings
    clock: Clock
    database: Database
    transport: Transport
    app: App
    dispatcher: Dispatcher
    ingress: Ingress
    queues: Queues
    pictures: Pictures
    files: FileReader
    late_edits: LateEdits
    reminders: Reminders
    broadcasts: Broadcasts
    jobs: Jobs
    guard: ClockGuard
    leadership: Leadership
    monitor: Monitor
    metrics: Metrics
    scheduler: AsyncIOScheduler


def build(settings: Settings, texts: Content) -> Lull:
    """All parts, connected to each other, none of them started."""
    clock, rate, metrics = open_clock(settings.clock_file), settings.send_rate, Metrics()
    database = _database(settings)
    # The connection to Telegram.
    token = settings.bot_token.get_secret_value()
    guard = ClockGuard(clock, on=settings.clock_file is None if settings.clock_guard is None else settings.clock_guard)
    transport = Transport(settings.telegram_api_url, token, clock=clock, proxy=settings.proxy, dated=guard.answered)
    limiter = RateLimiter(rate, clock=clock)
    app = _application(settings, transport, limiter)
    pictures, late_edits = Pictures(database, PictureProcess(), clock=clock), LateEdits(clock=clock)
    files = FileReader(clock=clock)
    # What people send: source, queues, dispatcher, handler, answer.
    do = functools.partial(replies.perform, app.bot, clock=clock, pictures=pictures, late=late_edits)
    after = AfterCommit(database, transport.download, pictures.drawn, files)
    perform = functools.partial(after_commit.perform, do, after)
    dispatcher = Dispatcher(app, database, clock=clock, settings=settings, texts=texts, perform=perform)
    queues = Queues(dispatcher, clock=clock)
    ingress = Ingress(settings, clock, database, queues, guard.wrote)
    # What people are owed.
    renderer = Renderer(texts)
    reminders = Reminders(app.bot, database, renderer, clock=clock, rate=rate, metrics=metrics, pictures=pictures)
    broadcasts = Broadcasts(app.bot, database, clock=clock, rate=rate, metrics=metrics)
    # What runs by the clock.
    jobs = _jobs(settings, texts, database, app, metrics, clock)
    dispatcher.reloaded += [renderer.renew, jobs.withdrawn_tips.renew]
    # Leadership and health.
    guard.tell = jobs.error_digest.at_once
    source = ingress.source(transport)
    on_duty = Leadership(settings, clock, database, app.bot, reminders, broadcasts, queues, source, guard)
    faults = (on_duty.faults, jobs.integrity_check.faults, functools.partial(flooded, limiter, clock), guard.faults)
    monitor = Monitor(database, metrics, clock=clock, ages=on_duty.ages, faults=faults)
    metrics.about(build=VERSION, tzdata=version("tzdata"))
    metrics.watch(live(limiter, queues, on_duty.leader))
    scheduler = AsyncIOScheduler(timezone="UTC")
    parts = (settings, clock, database, transport, app, dispatcher, ingress, queues, pictures, files, late_edits)
    return Lull(*parts, reminders, broadcasts, jobs, guard, on_duty, monitor, metrics, scheduler)


def _jobs(settings: Settings, texts: Content, database: Database, app: App, metrics: Metrics, clock: Clock) -> Jobs:
    return Jobs(
        Endings(database, clock=clock),
        Partings(database, clock=clock),
        Withdrawals(database, texts, clock=clock),
        IntegrityCheck(database, metrics),
        ErrorDigest(app.bot, database, clock=clock, admin_ids=settings.admin_ids),
    )


def _database(settings: Settings) -> Database:
    return Database(
        settings.database_url.get_secret_value(),
        allow_network_disk=settings.allow_network_disk,
        pool=settings.database_pool,
    )


def _application(settings: Settings, transport: Transport, limiter: RateLimiter) -> App:
    """The library's application, with our transport and handlers and without its updater, job queue and persistence."""
    bot = ExtBot(
        settings.bot_token.get_secret_value(),
        base_url=f"{settings.telegram_api_url}/bot",
        request=transport,
        get_updates_request=transport,
        rate_limiter=limiter,
    )
    app: App = (
        ApplicationBuilder().bot(bot).updater(None).job_queue(None).context_types(ContextTypes(context=Turn)).build()
    )
    app.add_handlers(routes.routes())
    return app


async def run(settings: Settings) -> int:
    """The bot, from start to SIGTERM. Returns the exit code."""
    failpoints.arm(settings.fail_point)
    lull = build(settings, content.load(settings.content_dir))
    stop = signals.listen()
    try:
        await _open(lull)
        _spare_the_collector()
        return await _live(lull, stop)
    finally:
        await lull.files.close()
        await lull.pictures.close()
        await lull.transport.shutdown()
        await lull.database.close()


def _spare_the_collector() -> None:
    """What start-up made stays for good. Looked through again and again, it made a press an eighth dearer, and each full
    collection was a wait of 60 ms for everybody."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


async def _open(lull: Lull) -> None:
    """The database at head and only ours; what an earlier process left undone taken back."""
    lull.database.lock()
    await lull.database.examine()
    await backup.open_database(lull.database, lull.settings, clock=lull.clock)
    await tzdata_update.after_new_zone_rules(lull.database, tzdata=version("tzdata"), now=lull.clock.now())
    await lull.transport.initialize()


async def _live(lull: Lull, stop: asyncio.Event) -> int:
    """Take in, beat and answer until told to stop, or too sick to go on."""
    watching_over = asyncio.create_task(lull.monitor.run(stop), name="monitor")
    try:
        if await connect.greet(lull.app, stop):
            lull.leadership.wake()
            await _work(lull, stop)
    finally:
        watching_over.cancel()
        await asyncio.gather(watching_over, return_exceptions=True)
    return 1 if lull.monitor.sick else 0


async def _work(lull: Lull, stop: asyncio.Event) -> None:
    async with contextlib.AsyncExitStack() as server:
        await server.enter_async_context(lull.ingress.served(lull.monitor.health, lull.metrics))
        tasks = [
            asyncio.create_task(lull.leadership.leader.run(), name="leader"),
            asyncio.create_task(lull.leadership.take_in(), name="updates"),
            asyncio.create_task(
                command_menus.publish(lull.app.bot, lull.database, lull.settings.admin_ids), name="menus"
            ),
        ]
        _schedule(lull)
        _log.info("lull is awake", rate=lull.settings.send_rate)
        await stop.wait()
        await server.aclose()  # what comes from here on another replica takes, or Telegram keeps
        await _close(lull, tasks)


def _schedule(lull: Lull) -> None:
    """Schedule the interval jobs. Each looks into the database for what is due; nothing that is due has a job of its own."""
    jobs, leads = lull.jobs, lull.leadership.leader.leads

    def add(name: str, work: Work, every: timedelta, *, least: float, first: timedelta | None = None) -> None:
        # Simulated time runs `speed` times as fast; below `least` real seconds there is no point in looking more often.
        seconds, soon = (
            max(time.total_seconds() / lull.clock.speed, least) for time in (every, every if first is None else first)
        )
        at = None if first is None else {"next_run_time": datetime.now(UTC) + timedelta(seconds=soon if first else 0)}
        lull.scheduler.add_job(work, "interval", seconds=seconds, id=name, **_ONE_AT_A_TIME, **(at or {}))

    # By a clock that is wrong nobody is reminded, and nothing ends, is erased or is let go for being old.
    def held(work: Work) -> Work:
        async def unless_held() -> None:
            if not await lull.guard.holds():
                await work()

        return unless_held

    async def back_up() -> None:
        if leads.is_set():
            await backup.when_due(lull.settings, lull.metrics, clock=lull.clock)

    async def take_tips_back() -> None:
        if leads.is_set():
            await jobs.withdrawn_tips.look()

    add("reminders", held(lull.reminders.beat), timedelta(seconds=1), least=0.02)
    add("broadcasts", held(lull.broadcasts.beat), timedelta(seconds=1), least=0.02)
    add("experiments", held(jobs.experiments.look), timedelta(seconds=5), least=0.1)
    add("dormant", held(jobs.dormant.look), timedelta(seconds=5), least=0.1)
    add("backup", held(back_up), backup.LOOK_EVERY, least=0.3)
    # Also soon after the start, because a tip is withdrawn by a restart with new content.
    add("withdrawn tips", held(take_tips_back), withdrawn_tips.EVERY, least=0.3, first=withdrawn_tips.SOON)
    # At once as well: of a big file the start has read only the beginning.
    add("integrity check", jobs.integrity_check.look, integrity_check.EVERY, least=0.3, first=timedelta())
    # These two are about the process, whose time is real.
    add("updates left", lull.leadership.sweep, leadership.LEFT * lull.clock.speed, least=1.0)
    add("error digest", jobs.error_digest.beat, timedelta(seconds=60) * lull.clock.speed, least=1.0)
    lull.scheduler.start()


async def _close(lull: Lull, tasks: list[asyncio.Task[None]]) -> None:
    """End in order: begin nothing new, let what is in progress finish, give back claims, note a clean end, release the lock."""
    _log.info("lull goes to sleep")
    # Shutting the scheduler down would cut off a tick half-way. Without jobs it only idles until the tick is over.
    lull.scheduler.remove_all_jobs()
    lull.jobs.integrity_check.stop()
    await lull.files.close()  # nobody waits for a file that is being read: it can be sent again
    leader, *others = tasks
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    senders = (lull.queues.drain, lull.reminders.stop, lull.broadcasts.stop)
    await asyncio.gather(*(end(seconds=FLYING) for end in senders))
    await lull.late_edits.stop()
    lull.scheduler.shutdown(wait=False)
    with contextlib.suppress(Unavailable):
        async with lull.database.write() as db:
            await marks.put(db, "ended", "cleanly")
    leader.cancel()
    await asyncio.gather(leader, return_exceptions=True)
    await lull.app.shutdown()
