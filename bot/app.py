"""The composition root: builds every part, wires them, registers, schedules. The only module that knows all of them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from typing import Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from telegram.error import InvalidToken, TelegramError
from telegram.ext import ApplicationBuilder, ContextTypes, ExtBot

from bot import VERSION, backups, content, menus, replanning, troubles
from bot.clock import Clock, open_clock
from bot.content import Content
from bot.context import Backstage, Later, Reply, Turn
from bot.core.pacing import Lane
from bot.delivery import replies
from bot.delivery.announcer import Announcer
from bot.delivery.gallery import Gallery
from bot.delivery.heartbeat import Heartbeat
from bot.delivery.leader import Leader
from bot.delivery.limiter import Limiter
from bot.delivery.renderer import Renderer
from bot.delivery.studio import Studio
from bot.delivery.transport import Transport
from bot.endings import Endings
from bot.handlers import routes
from bot.intake.desk import App, Desk
from bot.intake.polling import Polling
from bot.intake.queues import Queues
from bot.metrics import Live, Metrics
from bot.watching import Watch
from config import failpoints, logs
from config.settings import Settings, SettingsError
from db import broadcasts, claims, inbox, marks
from db.engine import Database, Unavailable

_log = logs.logger(__name__)

FLYING = 8.0
"""Real seconds that what is in flight may take to finish at the end."""

LEFT = timedelta(seconds=5)
"""An update that waits for so long, in real time, may have lost its process."""


class TokenRefused(SettingsError):  # noqa: N818 - named for what Telegram did
    """Telegram does not accept the token."""


class Intake(Protocol):
    """Where updates come from: polling, or what Telegram is asked to post."""

    last_good: float | None
    fault: str

    async def run(self) -> None: ...


class Do(Protocol):
    """Does one reply on the wires."""

    async def __call__(self, reply: Reply, /, *, chat_id: int) -> None: ...


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
    announcer: Announcer
    digest: troubles.Digest
    queues: Queues
    intake: Intake
    scheduler: AsyncIOScheduler
    metrics: Metrics
    limiter: Limiter
    gallery: Gallery
    leader: Leader = field(init=False)
    watch: Watch = field(init=False)
    endings: Endings = field(init=False)
    awake_at: float | None = None  # since when it may poll or be posted to, on the monotonic clock
    led_at: float | None = None

    def __post_init__(self) -> None:
        self.endings = Endings(self.database, clock=self.clock)
        self.watch = Watch(
            self.database,
            self.metrics,
            clock=self.clock,
            ages=functools.partial(_ages, self),
            faults=functools.partial(_faults, self),
        )
        self.leader = Leader(
            self.database,
            self.heartbeat.worker,
            rise=functools.partial(_rise, self),
            fall=functools.partial(_fall, self),
        )


def build(settings: Settings, texts: Content) -> Lull:
    """Every part, wired, nothing started."""
    failpoints.arm(settings.fail_point)
    clock = open_clock(settings.clock_file)
    database = Database(settings.database_url.get_secret_value(), allow_network_disk=settings.allow_network_disk)
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
    gallery = Gallery(database, Studio(), clock=clock)
    do = functools.partial(replies.perform, bot, clock=clock, gallery=gallery)
    perform = functools.partial(_perform, do, Backstage(database, transport.download))
    desk = Desk(app, database, clock=clock, settings=settings, texts=texts, perform=perform)
    queues = Queues(desk, clock=clock)
    metrics = Metrics()
    renderer = Renderer(texts)
    desk.reloaded.append(renderer.renew)
    heartbeat = Heartbeat(
        bot, database, renderer, clock=clock, rate=settings.send_rate, metrics=metrics, gallery=gallery
    )
    intake = _intake(settings, transport, database, queues, clock)
    scheduler = AsyncIOScheduler(timezone="UTC")
    lull = Lull(
        settings,
        clock,
        database,
        transport,
        app,
        desk,
        heartbeat,
        Announcer(bot, database, clock=clock, rate=settings.send_rate),
        troubles.Digest(bot, database, clock=clock, admin_ids=settings.admin_ids),
        queues,
        intake,
        scheduler,
        metrics,
        limiter,
        gallery,
    )
    _measure(lull)
    return lull


def _intake(settings: Settings, transport: Transport, database: Database, queues: Queues, clock: Clock) -> Intake:
    if settings.webhook_url is None or settings.webhook_secret is None or settings.mode == "polling":
        return Polling(transport.call, database, queues, clock=clock)
    # Imported where it is wanted: it brings aiohttp's server.
    from bot.intake.webhook import Subscription

    secret = settings.webhook_secret.get_secret_value()
    return Subscription(transport.call, clock=clock, url=settings.webhook_url, secret=secret)


def _measure(lull: Lull) -> None:
    limiter = lull.limiter
    lull.metrics.about(build=VERSION, tzdata=version("tzdata"))
    lull.metrics.watch(
        Live(
            lanes=lambda: {lane.name.lower(): limiter.waiting(lane) for lane in Lane},
            floods=lambda: limiter.floods,
            halts=lambda: limiter.halts,
            halted_seconds=lambda: limiter.halted_seconds,
            queued=lambda: len(lull.queues),
            leads=lull.leader.leads.is_set,
        )
    )


def _ages(lull: Lull) -> dict[str, float]:
    """Real seconds since each part that is on duty was last good. Who stands by has neither polls nor ticks to show."""
    since: dict[str, float] = {}
    if lull.led_at is not None:
        since["tick"] = max(lull.led_at, lull.heartbeat.last_beat or lull.led_at)
    begun = lull.led_at if lull.settings.mode == "polling" else lull.awake_at
    if begun is not None:
        since["telegram"] = max(begun, lull.intake.last_good or begun)
    now, speed = lull.clock.monotonic(), lull.clock.speed
    return {part: (now - at) / speed for part, at in since.items()}


def _faults(lull: Lull) -> dict[str, str]:
    if lull.awake_at is None:
        return {"telegram": "not reached yet"}
    return {"telegram": lull.intake.fault} if lull.intake.fault else {}


async def _perform(do: Do, backstage: Backstage, reply: Reply, chat_id: int) -> None:
    if not isinstance(reply, Later):
        await do(reply, chat_id=chat_id)
        return
    try:
        more = await reply.work(backstage)
    except Exception as error:  # its update is done and must not be handled again
        _log.error("work after an answer failed", kind=type(error).__name__, exc_info=error)
        return
    for said in more:
        await _perform(do, backstage, said, chat_id)


async def run(settings: Settings) -> int:
    """The bot, from start to SIGTERM. Returns the exit code."""
    lull = build(settings, content.load(settings.content_dir))
    stop = _on_signals()
    try:
        await _open(lull)
        return await _live(lull, stop)
    finally:
        await lull.gallery.close()
        await lull.transport.shutdown()
        await lull.database.close()


async def _open(lull: Lull) -> None:
    """The database at head and only ours; what an earlier process left undone taken back."""
    lull.database.lock()
    await lull.database.examine()
    await backups.open_database(lull.database, lull.settings, clock=lull.clock)
    await replanning.after_new_zone_rules(lull.database, tzdata=version("tzdata"), now=lull.clock.now())
    await lull.transport.initialize()


async def _rise(lull: Lull) -> None:
    """This process leads from now on: it takes over what others left undone, updates and messages."""
    async with lull.database.write() as db:
        clean = await marks.find(db, "ended") != "running"
        await marks.put(db, "ended", "running")
    lull.led_at = lull.clock.monotonic()
    await lull.heartbeat.lead(clean=clean)
    await lull.announcer.lead()
    async with lull.database.read() as db:
        lull.queues.add(await inbox.waiting(db))
    await _offer_claim(lull)


def _fall(lull: Lull) -> None:
    """Another process may lead now."""
    lull.led_at = None
    lull.heartbeat.rest()
    lull.announcer.rest()


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


async def _take_in(lull: Lull) -> None:
    """Every replica is posted to; only the leader polls: two that poll would only end each other's polls."""
    if lull.settings.mode == "webhook":
        await lull.intake.run()
    while True:
        await lull.leader.leads.wait()
        polling = asyncio.create_task(lull.intake.run(), name="polling")
        try:
            await lull.leader.stands_by.wait()
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)


async def _live(lull: Lull, stop: asyncio.Event) -> int:
    """Take in, beat and answer until told to stop, or too sick to go on."""
    watching = asyncio.create_task(lull.watch.run(stop), name="watch")
    try:
        if await _greet(lull, stop):
            lull.awake_at = lull.clock.monotonic()
            await _work(lull, stop)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return 1 if lull.watch.sick else 0


async def _work(lull: Lull, stop: asyncio.Event) -> None:
    async with contextlib.AsyncExitStack() as server:
        await _serve(lull, server)
        tasks = [
            asyncio.create_task(lull.leader.run(), name="leader"),
            asyncio.create_task(_take_in(lull), name="intake"),
            asyncio.create_task(menus.publish(lull.app.bot, lull.database, lull.settings.admin_ids), name="menus"),
        ]
        _schedule(lull)
        _log.info("lull is awake", rate=lull.settings.send_rate)
        await stop.wait()
        await server.aclose()  # what comes from here on another replica takes, or Telegram keeps
        await _close(lull, tasks)


async def _serve(lull: Lull, server: contextlib.AsyncExitStack) -> None:
    """The web server, where one is wanted."""
    settings = lull.settings
    if settings.address is None:
        return
    from bot import web
    from bot.intake.webhook import Receiver

    receiver = None
    if settings.mode == "webhook" and settings.webhook_secret is not None:
        secret = settings.webhook_secret.get_secret_value()
        receiver = Receiver(lull.database, lull.queues, clock=lull.clock, secret=secret)
    path = web.path_of(settings.webhook_url or "")
    served = web.serving(settings.address, health=lull.watch.health, metrics=lull.metrics, receiver=receiver, path=path)
    await server.enter_async_context(served)


async def _offer_claim(lull: Lull) -> None:
    """With nobody named as admin, the log shows the one-time link that makes one."""
    if lull.settings.admin_ids:
        return
    async with lull.database.write("offer_claim") as db:
        if await broadcasts.admins(db):
            return
        code = await claims.offer(db, now=lull.clock.now())
    link = f"https://t.me/{lull.app.bot.username}?start=claim_{code}"
    _log.info("nobody is admin yet; whoever opens this link within an hour becomes it", link=link)


async def _greet(lull: Lull, stop: asyncio.Event) -> bool:
    """Learn who we are, waiting for a Telegram that is away. False when stopped before that; a bad token raises."""
    wait = 0.5
    while not stop.is_set():
        try:
            await lull.app.initialize()
        except InvalidToken:
            raise TokenRefused(["Telegram does not accept BOT_TOKEN; copy it again from @BotFather."]) from None
        except TelegramError as error:
            _log.warning("Telegram is not reachable yet", kind=type(error).__name__, retry_in=wait)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)
            wait = min(wait * 2, 30.0)
        else:
            return True
    return False


def _schedule(lull: Lull) -> None:
    """The few jobs: what is due is in the database, never in a job of its own."""
    # A tick is a second of the bot's clock; in simulated time there is no point in more than fifty a real second.
    tick = max(1.0 / lull.clock.speed, 0.02)
    options = {"trigger": "interval", "coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    lull.scheduler.add_job(lull.heartbeat.beat, seconds=tick, id="heartbeat", **options)
    lull.scheduler.add_job(_sweep, args=(lull,), seconds=LEFT.total_seconds(), id="letters", **options)
    look = max(backups.LOOK_EVERY.total_seconds() / lull.clock.speed, 0.3)
    lull.scheduler.add_job(_back_up, args=(lull,), seconds=look, id="backup", **options)
    lull.scheduler.add_job(lull.endings.look, seconds=max(5.0 / lull.clock.speed, 0.1), id="endings", **options)
    lull.scheduler.add_job(lull.announcer.beat, seconds=tick, id="broadcast", **options)
    lull.scheduler.add_job(lull.digest.beat, seconds=60.0, id="digest", **options)
    lull.scheduler.start()


async def _back_up(lull: Lull) -> None:
    if lull.leader.leads.is_set():
        await backups.when_due(lull.settings, lull.metrics, clock=lull.clock)


async def _close(lull: Lull, tasks: list[asyncio.Task[None]]) -> None:
    """No new work; what is in flight finishes; what is claimed goes back; then a clean end is noted, and another may lead."""
    _log.info("lull goes to sleep")
    # Ending the scheduler would cut a beat in two; without its jobs it only idles until the beat is over.
    lull.scheduler.remove_all_jobs()
    leader, *others = tasks
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    senders = (lull.queues.drain, lull.heartbeat.stop, lull.announcer.stop)
    await asyncio.gather(*(end(seconds=FLYING) for end in senders))
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
