"""What 429s may cost: of one chat nothing to anybody else, of several a halt that is probed by rule. For any 429 at all."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import halting
from bot.core.pacing import Lane
from bot.telegram.rate_limiter import Passage, RateLimiter
from bot.telegram.transport import Flooded
from tests.telegram.virtual_time import VirtualClock, simulate

DAY = 86_400.0
BULK = [lane for lane in Lane if lane.bulk]
SECONDS = st.one_of(st.floats(0.5, 90), st.floats(1, DAY))
METHODS = st.sampled_from(["sendMessage", "editMessageText", "editMessageReplyMarkup", "copyMessage", "sendChatAction"])
EXAMPLES = settings(max_examples=60, deadline=None)


@dataclass(frozen=True)
class Seen:
    """A call that reached Telegram, how long it had waited, and whether it was refused."""

    at: float
    chat: object
    lane: Lane
    waited: float
    refused: bool


@dataclass
class World:
    """A limiter and a Telegram that refuses as `refuses` says: it gives the seconds to ask for, or None."""

    limiter: RateLimiter
    clock: VirtualClock
    refuses: Callable[[object, float], float | None]
    seen: list[Seen] = field(default_factory=list)

    async def ask(self, chat: object, lane: Lane, method: str = "sendMessage") -> None:
        """Ask for it until it goes, as the outbox does: what was put off is asked for again when it said."""
        asked_at = self.clock.monotonic()
        while True:
            try:
                await self.once(chat, lane, method, asked_at=asked_at)
            except Flooded as error:
                await self.clock.sleep(error.seconds)
            else:
                return

    async def once(self, chat: object, lane: Lane, method: str = "sendMessage", *, asked_at: float) -> None:
        async def call() -> bool:
            now = self.clock.monotonic()
            seconds = self.refuses(chat, now)
            self.seen.append(Seen(now, chat, lane, now - asked_at, seconds is not None))
            await self.clock.sleep(0.05)
            if seconds is not None:
                raise Flooded(seconds)
            return True

        await self.limiter.process_request(call, (), {}, method, {"chat_id": chat}, Passage(lane))


def played(play: Callable[[World], Awaitable[None]], refuses: Callable[[object, float], float | None]) -> World:
    clock = VirtualClock()
    world = World(RateLimiter(25, clock=clock), clock, refuses)

    async def run() -> None:
        await play(world)
        await world.limiter.shutdown()

    simulate(run())
    return world


@EXAMPLES
@given(
    presses=st.lists(st.tuples(st.floats(0, 120), METHODS, st.sampled_from(Lane)), min_size=1, max_size=60),
    asked=st.lists(st.one_of(st.none(), SECONDS), min_size=1, max_size=20),
    reminders=st.lists(st.floats(0, 120), min_size=1, max_size=30),
)
def test_whatever_one_chat_is_refused_no_reminder_of_another_is_five_seconds_late(
    presses: list[tuple[float, str, Lane]], asked: list[float | None], reminders: list[float]
) -> None:
    answers = itertools.cycle(asked)

    def refuses(chat: object, _now: float) -> float | None:
        return next(answers) if chat == "evil" else None

    async def play(world: World) -> None:
        async def later(seconds: float, call: Awaitable[None]) -> None:
            await world.clock.sleep(seconds)
            await call

        async def reminder(number: int, seconds: float) -> None:
            await world.clock.sleep(seconds)
            await world.ask(number, Lane.REMINDER)

        async def press(seconds: float, method: str, lane: Lane) -> None:
            await world.clock.sleep(seconds)
            await world.once("evil", lane, method, asked_at=world.clock.monotonic())

        evil = [asyncio.create_task(press(*one)) for one in presses]
        await asyncio.gather(*(reminder(number, seconds) for number, seconds in enumerate(reminders)))
        for task in evil:
            task.cancel()
        await asyncio.gather(*evil, return_exceptions=True)

    world = played(play, refuses)
    sent = [one for one in world.seen if one.chat != "evil"]
    assert len(sent) == len(reminders)
    assert max(one.waited for one in sent) < 5
    assert world.limiter.halts == 0


@EXAMPLES
@given(
    asked=st.lists(SECONDS, min_size=1, max_size=30),
    lasting=st.floats(1, 1500),
    lanes=st.lists(st.sampled_from(BULK), min_size=2, max_size=8),
)
def test_when_everybody_is_refused_nothing_bulky_goes_but_the_probes_of_the_rule(
    asked: list[float], lasting: float, lanes: list[Lane]
) -> None:
    answers = itertools.cycle(asked)
    begin = 1000.0

    def refuses(_chat: object, now: float) -> float | None:
        return next(answers) if now < begin + lasting else None

    async def play(world: World) -> None:
        chats = itertools.count()

        async def crowd(lane: Lane) -> None:
            # Every second somebody else is due, in every lane.
            while world.clock.monotonic() < begin + lasting + 200:
                await asyncio.gather(
                    world.once(next(chats), lane, asked_at=world.clock.monotonic()), return_exceptions=True
                )
                await world.clock.sleep(1)

        await asyncio.gather(*(crowd(lane) for lane in lanes))

    world = played(play, refuses)
    refused = [one for one in world.seen if one.refused]
    # Those that were on their way as the second was refused are not in the limiter's hands any more.
    began = refused[1].at + 0.05 if len(refused) > 1 else begin + lasting
    flying = sum(one.at <= began for one in refused)
    probes = [one for one in world.seen if one.at > began]
    earliest = began
    for number, probe in enumerate(probes):
        earliest += (30, 60, 120)[min(number, 2)]
        assert probe.at >= earliest - 0.2
        earliest = probe.at
        if not probe.refused:
            break
    assert flying <= len(lanes)
    accepted = [one for one in world.seen if not one.refused]
    assert accepted[0].at <= begin + lasting + 125
    assert max(later.at - one.at for one, later in itertools.pairwise(accepted)) < 5


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 700), st.booleans()), max_size=80))
def test_only_the_refusals_of_two_chats_close_together_begin_a_halt(events: list[tuple[int, float, bool]]) -> None:
    halt, now = halting.Halt(), 0.0
    refusals: dict[int, float] = {}
    for chat, gap, refused in events:
        now += gap
        if not refused:
            halt.taken(now)
            continue
        others = [at for other, at in refusals.items() if other != chat]
        begins = halt.refused(chat, now, before=refusals.get(chat, -1e9))
        refusals[chat] = now
        if begins:
            assert others
            assert now - max(others) <= halting.TOGETHER
            halt.probe()
            halt.probe_taken(now)
    assert halt.wait(now) == 0
