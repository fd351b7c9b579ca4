"""The composition root: what the bot consists of, in which order it starts, what runs by the clock, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
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
from bot.jobs import backup, error_digest, tzdata_update, withdrawn_tips
from bot.jobs import integrity_check as inspection
from bot.jobs.finish_experiments import Endings
from bot.jobs.integrity_check import IntegrityCheck
from bot.jobs.withdrawn_tips import Withdrawals
from bot.metrics import Metrics
from bot.runtime import connect, monitor, signals
from bot.runtime import leadership as duty
from bot.runtime.leadership import Leadership
from bot.runtime.monitor import Monitor
from bot.telegram import after_commit, command_menus, replies
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

FLYING = 8.0
"""Real seconds that what is in flight may take to finish at the end."""


@dataclass(frozen=True, slots=True)
class Lull:
    """All the parts of a running bot."""

    settings: Settings
    clock: Clock
    database: Database
    transport: Transport
    app: App
    dispatcher: Dispatcher
    queues: Queues
    ingress: Ingress
    gallery: Pictures
    late: LateEdits
    reminders: Reminders
    broadcasts: Broadcasts
    digest: error_digest.ErrorDigest
    endings: Endings
    withdrawals: Withdrawals
    inspection: IntegrityCheck
    duty: Leadership
    watch: Monitor
    metrics: Metrics
    scheduler: AsyncIOScheduler


def build(settings: Settings, texts: Content) -> Lull:
    """Every part, wired, nothing started."""
    clock, rate = open_clock(settings.clock_file), settings.send_rate
    database = Database(
        settings.database_url.get_secret_value(),
        allow_network_disk=settings.allow_network_disk,
        pool=settings.database_pool,
    )
    metrics = Metrics()
    # The way to Telegram.
    token = settings.bot_token.get_secret_value()
    transport = Transport(settings.telegram_api_url, token, clock=clock, proxy=settings.proxy)
    limiter = RateLimiter(rate, clock=clock)
    app = _application(settings, transport, limiter)
    gallery = Pictures(database, PictureProcess(), clock=clock)
    # What people send: entrance, queues, desk, handler, answer.
    late = LateEdits(clock=clock)
    do = functools.partial(replies.perform, app.bot, clock=clock, gallery=gallery, late=late)
    perform = functools.partial(after_commit.perform, do, AfterCommit(database, transport.download, gallery.drawn))
    dispatcher = Dispatcher(app, database, clock=clock, settings=settings, texts=texts, perform=perform)
    queues = Queues(dispatcher, clock=clock)
    ingress = Ingress(settings, clock, database, queues)
    # What people are owed.
    renderer = Renderer(texts)
    dispatcher.reloaded.append(renderer.renew)
    reminders = Reminders(app.bot, database, renderer, clock=clock, rate=rate, metrics=metrics, gallery=gallery)
    broadcasts = Broadcasts(app.bot, database, clock=clock, rate=rate, metrics=metrics)
    withdrawals = Withdrawals(database, texts, clock=clock)
    dispatcher.reloaded.append(withdrawals.renew)
    # Who leads, and whether all is well.
    on_duty = Leadership(settings, clock, database, app.bot, reminders, broadcasts, queues, ingress.intake(transport))
    inspected = IntegrityCheck(database, metrics)
    metrics.about(build=VERSION, tzdata=version("tzdata"))
    metrics.watch(monitor.live(limiter, queues, on_duty.leader))
    flooded = functools.partial(monitor.flooded, limiter, clock)
    return Lull(
        settings=settings,
        clock=clock,
        database=database,
        transport=transport,
        app=app,
        dispatcher=dispatcher,
        queues=queues,
        ingress=ingress,
        gallery=gallery,
        late=late,
        reminders=reminders,
        broadcasts=broadcasts,
        digest=error_digest.ErrorDigest(app.bot, database, clock=clock, admin_ids=settings.admin_ids),
        endings=Endings(database, clock=clock),
        withdrawals=withdrawals,
        inspection=inspected,
        duty=on_duty,
        watch=Monitor(
            database,
            metrics,
            clock=clock,
            ages=on_duty.ages,
            faults=lambda: on_duty.faults() | inspected.faults() | flooded(),
        ),
        metrics=metrics,
        scheduler=AsyncIOScheduler(timezone="UTC"),
    )


def _application(settings: Settings, transport: Transport, limiter: RateLimiter) -> App:
    """The library, with our wires and handlers and none of its own updater, queue or persistence."""
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
        await lull.gallery.close()
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
    watching_over = asyncio.create_task(lull.watch.run(stop), name="watch")
    try:
        if await connect.greet(lull.app, stop):
            lull.duty.wake()
            await _work(lull, stop)
    finally:
        watching_over.cancel()
        await asyncio.gather(watching_over, return_exceptions=True)
    return 1 if lull.watch.sick else 0


async def _work(lull: Lull, stop: asyncio.Event) -> None:
    async with contextlib.AsyncExitStack() as server:
        await server.enter_async_context(lull.ingress.served(lull.watch.health, lull.metrics))
        tasks = [
            asyncio.create_task(lull.duty.leader.run(), name="leader"),
            asyncio.create_task(lull.duty.take_in(), name="intake"),
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
    """The few jobs: what is due is in the database, never in a job of its own."""
    # A tick is a second of the bot's clock; in simulated time there is no point in more than fifty a real second.
    tick = max(1.0 / lull.clock.speed, 0.02)
    options = {"trigger": "interval", "coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    lull.scheduler.add_job(lull.reminders.beat, seconds=tick, id="heartbeat", **options)
    lull.scheduler.add_job(lull.duty.sweep, seconds=duty.LEFT.total_seconds(), id="letters", **options)
    look = max(backup.LOOK_EVERY.total_seconds() / lull.clock.speed, 0.3)
    lull.scheduler.add_job(_back_up, args=(lull,), seconds=look, id="backup", **options)
    lull.scheduler.add_job(lull.endings.look, seconds=max(5.0 / lull.clock.speed, 0.1), id="endings", **options)
    # Soon as well: a tip is withdrawn with a restart.
    hour, soon = (
        max(time.total_seconds() / lull.clock.speed, 0.3) for time in (withdrawn_tips.EVERY, withdrawn_tips.SOON)
    )
    lull.scheduler.add_job(
        _take_tips_back,
        args=(lull,),
        seconds=hour,
        id="tips",
        next_run_time=datetime.now(UTC) + timedelta(seconds=soon),
        **options,
    )
    lull.scheduler.add_job(lull.broadcasts.beat, seconds=tick, id="broadcast", **options)
    lull.scheduler.add_job(lull.digest.beat, seconds=60.0, id="digest", **options)
    day = inspection.EVERY.total_seconds() / lull.clock.speed
    # Also now: of a big file the start has read only the beginning.
    lull.scheduler.add_job(
        lull.inspection.look, seconds=day, id="inspection", next_run_time=datetime.now(UTC), **options
    )
    lull.scheduler.start()


async def _back_up(lull: Lull) -> None:
    if lull.duty.leader.leads.is_set():
        await backup.when_due(lull.settings, lull.metrics, clock=lull.clock)


async def _take_tips_back(lull: Lull) -> None:
    if lull.duty.leader.leads.is_set():
        await lull.withdrawals.look()


async def _close(lull: Lull, tasks: list[asyncio.Task[None]]) -> None:
    """No new work; what is in flight finishes; what is claimed goes back; then a clean end is noted, and another may lead."""
    _log.info("lull goes to sleep")
    # Ending the scheduler would cut a beat in two; without its jobs it only idles until the beat is over.
    lull.scheduler.remove_all_jobs()
    lull.inspection.stop()
    leader, *others = tasks
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    senders = (lull.queues.drain, lull.reminders.stop, lull.broadcasts.stop)
    await asyncio.gather(*(end(seconds=FLYING) for end in senders))
    await lull.late.stop()
    lull.scheduler.shutdown(wait=False)
    with contextlib.suppress(Unavailable):
        async with lull.database.write() as db:
            await marks.put(db, "ended", "cleanly")
    leader.cancel()
    await asyncio.gather(leader, return_exceptions=True)
    await lull.app.shutdown()
