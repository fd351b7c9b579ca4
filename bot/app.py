"""The composition root: builds every part, wires them, registers, schedules. The only module that knows all of them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ApplicationBuilder, ContextTypes, ExtBot

from bot import content, menus, replanning
from bot.clock import Clock, open_clock
from bot.content import Content
from bot.context import Reply, Turn
from bot.delivery import replies
from bot.delivery.heartbeat import Heartbeat
from bot.delivery.leader import Leader
from bot.delivery.limiter import Limiter
from bot.delivery.renderer import Renderer
from bot.delivery.transport import Transport
from bot.handlers import routes
from bot.intake.desk import App, Desk
from bot.intake.polling import Polling
from bot.intake.queues import Queues
from bot.metrics import Counts
from config import failpoints, logs
from config.settings import Settings
from db import inbox, marks
from db.engine import Database, Unavailable

_log = logs.logger(__name__)

FLYING = 8.0
"""Real seconds that what is in flight may take to finish at the end."""

LEFT = timedelta(seconds=5)
"""An update that waits for so long, in real time, may have lost its process."""

SICK_AFTER = timedelta(minutes=5)
"""Without a good answer from Telegram for so long the process ends with code 1, so that a container starts it anew."""


class TokenRefused(Exception):  # noqa: N818 - named for what Telegram did
    """Telegram does not accept the token."""


@dataclass(slots=True)
class Lull:
    """All the parts of a running bot."""

    settings: Settings
    clock: Clock
    database: Database
    transport: Transport
    app: App
    desk: Desk
    heartbeat: Heartbeat
    queues: Queues
    polling: Polling
    scheduler: AsyncIOScheduler
    leader: Leader = field(init=False)

    def __post_init__(self) -> None:
        self.leader = Leader(
            self.database, self.heartbeat.worker, rise=functools.partial(_rise, self), fall=self.heartbeat.rest
        )


def build(settings: Settings, texts: Content) -> Lull:
    """Every part, wired, nothing started."""
    failpoints.arm(settings.fail_point)
    clock = open_clock(settings.clock_file)
    database = Database(settings.database_url.get_secret_value())
    token = settings.bot_token.get_secret_value()
    transport = Transport(settings.telegram_api_url, token, clock=clock)
    limiter = Limiter(settings.send_rate, clock=clock)
    bot = ExtBot(
        token,
        base_url=f"{settings.telegram_api_url}/bot",
        request=transport,
        get_updates_request=transport,
        rate_limiter=limiter,
    )
    app: App = (
        ApplicationBuilder().bot(bot).updater(None).job_queue(None).context_types(ContextTypes(context=Turn)).build()
    )
    app.add_handlers(routes.routes())
    perform = functools.partial(_perform, bot, clock)
    desk = Desk(app, database, clock=clock, settings=settings, content=texts, perform=perform)
    queues = Queues(desk, clock=clock)
    heartbeat = Heartbeat(bot, database, Renderer(texts), clock=clock, rate=settings.send_rate, counts=Counts())
    polling = Polling(transport.call, database, queues, clock=clock)
    return Lull(
        settings, clock, database, transport, app, desk, heartbeat, queues, polling, AsyncIOScheduler(timezone="UTC")
    )


async def _perform(bot: ExtBot[Any], clock: Clock, reply: Reply, chat_id: int) -> None:
    await replies.perform(bot, reply, chat_id=chat_id, clock=clock)


async def run(settings: Settings) -> int:
    """The bot, from start to SIGTERM. Returns the exit code."""
    lull = build(settings, content.load(settings.content_dir))
    stop = _on_signals()
    try:
        await _open(lull)
        return await _live(lull, stop)
    finally:
        await lull.transport.shutdown()
        await lull.database.close()


async def _open(lull: Lull) -> None:
    """The database at head and only ours; what an earlier process left undone taken back."""
    lull.database.lock()
    await lull.database.migrate()
    await replanning.after_new_zone_rules(lull.database, tzdata=version("tzdata"), now=lull.clock.now())
    await lull.transport.initialize()


async def _rise(lull: Lull) -> None:
    """This process leads from now on: it takes over what others left undone, updates and messages."""
    async with lull.database.write() as db:
        clean = await marks.find(db, "ended") != "running"
        await marks.put(db, "ended", "running")
    await lull.heartbeat.lead(clean=clean)
    async with lull.database.read() as db:
        lull.queues.add(await inbox.waiting(db))


async def _sweep(lull: Lull) -> None:
    """Handle the updates of a replica that took them in and died. One that lives loses nothing: the inbox gives each once."""
    if lull.database.is_sqlite or not lull.leader.leads.is_set():
        return
    before = lull.clock.now() - LEFT * lull.clock.speed
    try:
        async with lull.database.read() as db:
            lull.queues.add(await inbox.waiting(db, before=before, limit=500))
    except Unavailable:
        return  # it is said elsewhere


async def _poll(lull: Lull) -> None:
    """Poll while this process leads: two that poll would only end each other's polls."""
    while True:
        await lull.leader.leads.wait()
        polling = asyncio.create_task(lull.polling.run(), name="polling")
        try:
            await lull.leader.stands_by.wait()
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)


async def _live(lull: Lull, stop: asyncio.Event) -> int:
    """Poll, beat and answer until told to stop."""
    if not await _greet(lull, stop):
        return 0
    tasks = [
        asyncio.create_task(lull.leader.run(), name="leader"),
        asyncio.create_task(_poll(lull), name="intake"),
        asyncio.create_task(menus.publish(lull.app.bot, lull.database, lull.settings.admin_ids), name="menus"),
    ]
    _schedule(lull, stop)
    _log.info("lull is awake", rate=lull.settings.send_rate)
    await stop.wait()
    sick = getattr(stop, "sick", False)
    await _close(lull, tasks)
    return 1 if sick else 0


async def _greet(lull: Lull, stop: asyncio.Event) -> bool:
    """Learn who we are, waiting for a Telegram that is away. False when stopped before that; a bad token raises."""
    wait = 0.5
    while not stop.is_set():
        try:
            await lull.app.initialize()
        except InvalidToken:
            raise TokenRefused("Telegram does not accept BOT_TOKEN; copy it again from @BotFather.") from None
        except TelegramError as error:
            _log.warning("Telegram is not reachable yet", kind=type(error).__name__, retry_in=wait)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)
            wait = min(wait * 2, 30.0)
        else:
            return True
    return False


def _schedule(lull: Lull, stop: asyncio.Event) -> None:
    """The few jobs: what is due is in the database, never in a job of its own."""
    # A tick is a second of the bot's clock; in simulated time there is no point in more than fifty a real second.
    tick = max(1.0 / lull.clock.speed, 0.02)
    options = {"trigger": "interval", "coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    lull.scheduler.add_job(lull.heartbeat.beat, seconds=tick, id="heartbeat", **options)
    lull.scheduler.add_job(_sweep, args=(lull,), seconds=LEFT.total_seconds(), id="letters", **options)
    lull.scheduler.add_job(_watch, args=(lull, stop), seconds=30.0, id="watch", **options)
    lull.scheduler.start()


async def _watch(lull: Lull, stop: asyncio.Event) -> None:
    """A bot that Telegram has not answered for minutes is better started anew."""
    good = lull.polling.last_good
    # Simulated seconds are shorter than Telegram's own long poll.
    if good is not None and lull.clock.monotonic() - good > SICK_AFTER.total_seconds() * max(1.0, lull.clock.speed):
        _log.error("no answer from Telegram for five minutes; ending, so that a fresh process can try")
        stop.sick = True  # type: ignore[attr-defined]
        stop.set()


async def _close(lull: Lull, tasks: list[asyncio.Task[None]]) -> None:
    """No new work; what is in flight finishes; what is claimed goes back; then a clean end is noted, and another may lead."""
    _log.info("lull goes to sleep")
    # Ending the scheduler would cut a beat in two; without its jobs it only idles until the beat is over.
    lull.scheduler.remove_all_jobs()
    leader, *others = tasks
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.gather(lull.queues.drain(seconds=FLYING), lull.heartbeat.stop(seconds=FLYING))
    lull.scheduler.shutdown(wait=False)
    with contextlib.suppress(Unavailable):
        async with lull.database.write() as db:
            await marks.put(db, "ended", "cleanly")
    leader.cancel()
    await asyncio.gather(leader, return_exceptions=True)
    await lull.app.shutdown()


def _on_signals() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    logs.watch(loop)

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            raise SystemExit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    return stop
