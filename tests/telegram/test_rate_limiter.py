"""The limiter in virtual time: rates, lanes, reserve, halts, chats and cancellation, exactly the same every run."""

from __future__ import annotations

import asyncio
import itertools
import random
import statistics
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.outcome import Why
from bot.core.pacing import Lane
from bot.telegram.rate_limiter import KeptBack, NotYet, Passage, RateLimiter
from bot.telegram.transport import Flooded
from tests.telegram.virtual_time import VirtualClock, simulate

EVENING = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
BULK = [lane for lane in Lane if lane.bulk]


@dataclass(frozen=True)
class Call:
    """One call as Telegram saw it."""

    at: float
    lane: Lane
    chat: object
    endpoint: str
    waited: float


@dataclass
class Telegram:
    """Everything that went through a limiter; `refusals` are the waits to ask for, by chat, one for each call."""

    limiter: RateLimiter
    clock: VirtualClock
    calls: list[Call] = field(default_factory=list)
    refusals: dict[object, list[float]] = field(default_factory=dict)
    latency: float = 0.0

    async def ask(
        self, chat: object, lane: Lane = Lane.ANSWER, *, endpoint: str = "sendMessage", passage: Passage | None = None
    ) -> None:
        asked_at = self.clock.monotonic()

        async def call() -> bool:
            now = self.clock.monotonic()
            self.calls.append(Call(now, lane, chat, endpoint, now - asked_at))
            if self.latency:
                await self.clock.sleep(self.latency)
            if self.refusals.get(chat):
                raise Flooded(self.refusals[chat].pop(0))
            return True

        await self.limiter.process_request(call, (), {}, endpoint, {"chat_id": chat}, passage or Passage(lane))

    def start(self, chat: object, lane: Lane = Lane.ANSWER, passage: Passage | None = None) -> asyncio.Task[None]:
        return asyncio.create_task(self.ask(chat, lane, passage=passage))

    def fullest_second(self) -> int:
        moments = [call.at for call in self.calls]
        return max(sum(1 for other in moments if at <= other <= at + 1.0) for at in moments)

    def at(self, chat: object) -> list[float]:
        """Seconds after the start at which the chat was called."""
        return [round(call.at - 1000.0, 2) for call in self.calls if call.chat == chat]


def scene(play: Callable[[Telegram], Awaitable[None]], *, rate: int = 25) -> Telegram:
    """Play a scene with a new limiter, in virtual time, and give what Telegram saw."""
    clock = VirtualClock()
    telegram = Telegram(RateLimiter(rate, clock=clock), clock)

    async def run() -> None:
        await play(telegram)
        await telegram.limiter.shutdown()

    simulate(run())
    return telegram


@pytest.mark.parametrize("rate", [1, 25, 30, 1000])
@pytest.mark.parametrize("lane", [Lane.ANSWER, Lane.BROADCAST])
def test_no_second_is_fuller_than_the_rate_and_none_is_wasted(rate: int, lane: Lane) -> None:
    number = rate * 4

    async def play(telegram: Telegram) -> None:
        await asyncio.gather(*(telegram.ask(chat, lane) for chat in range(number)))

    telegram = scene(play, rate=rate)
    assert telegram.fullest_second() <= rate + 1
    assert telegram.calls[-1].at - telegram.calls[0].at < 4 * 1.1 + 1
    assert len(telegram.calls) == number


def test_mixed_lanes_and_bursts_of_answers_keep_within_the_rate() -> None:
    async def play(telegram: Telegram) -> None:
        tasks = [telegram.start(chat, Lane.REMINDER) for chat in range(300)]
        for burst in range(10):
            await telegram.clock.sleep(1.03)
            tasks += [telegram.start(1000 * burst + chat + 500) for chat in range(12)]
        await asyncio.gather(*tasks)

    assert scene(play, rate=30).fullest_second() <= 31


def test_bulk_messages_leave_evenly() -> None:
    async def play(telegram: Telegram) -> None:
        await asyncio.gather(*(telegram.ask(chat, Lane.REMINDER) for chat in range(100)))

    calls = scene(play).calls
    gaps = [later.at - earlier.at for earlier, later in itertools.pairwise(calls)]
    assert min(gaps[2:]) > 0.035
    assert max(gaps) < 0.08


def test_at_a_high_rate_bulk_messages_leave_in_steps_of_a_fiftieth_of_a_second() -> None:
    async def play(telegram: Telegram) -> None:
        await asyncio.gather(*(telegram.ask(chat, Lane.REMINDER) for chat in range(3000)))

    telegram = scene(play, rate=1000)
    steps = Counter(round(call.at, 6) for call in telegram.calls)
    _, *middle, _ = (count for _, count in sorted(steps.items()))

    assert telegram.fullest_second() <= 1000
    assert 15 <= statistics.median(middle) <= 25
    assert telegram.calls[-1].at - telegram.calls[0].at < 3.0


def test_a_step_that_comes_late_is_made_up_for() -> None:
    async def play(telegram: Telegram) -> None:
        tasks = [telegram.start(chat, Lane.REMINDER) for chat in range(2000)]
        await telegram.clock.sleep(0.5)
        telegram.clock.stall(0.08)
        await asyncio.gather(*tasks)

    telegram = scene(play, rate=1000)

    assert telegram.fullest_second() <= 1000
    assert telegram.calls[-1].at - telegram.calls[0].at < 2.0


def test_an_idle_limiter_delays_nobody() -> None:
    async def play(telegram: Telegram) -> None:
        for lane in Lane:
            await telegram.ask(f"chat of {lane}", lane)
            await telegram.clock.sleep(5)

    assert all(call.waited == 0 for call in scene(play).calls)


def test_lanes_go_in_order_then_deadlines_then_arrival() -> None:
    soon, later = EVENING, EVENING + timedelta(minutes=5)

    async def play(telegram: Telegram) -> None:
        first = telegram.start("first")
        await asyncio.sleep(0)
        wishes = [
            ("broadcast", Lane.BROADCAST, None),
            ("late", Lane.REMINDER, later),
            ("undated", Lane.REMINDER, None),
            ("digest", Lane.DIGEST, None),
            ("soon", Lane.REMINDER, soon),
            ("soon too", Lane.REMINDER, soon),
            ("check-in", Lane.CHECK_IN, soon),
            ("answer", Lane.ANSWER, None),
        ]
        await asyncio.gather(
            first, *(telegram.ask(chat, lane, passage=Passage(lane, deadline)) for chat, lane, deadline in wishes)
        )

    order = [call.chat for call in scene(play, rate=1).calls]
    assert order == ["first", "answer", "soon", "soon too", "late", "undated", "check-in", "digest", "broadcast"]


@pytest.mark.parametrize("answers_a_second", [1, 3, 5])
def test_ninety_nine_answers_in_a_hundred_wait_less_than_a_tenth_of_a_second(answers_a_second: int) -> None:
    """While a burst of 2,000 reminders and a broadcast to 5,000 want every slot."""
    dice = random.Random(answers_a_second)

    async def play(telegram: Telegram) -> None:
        bulk = [telegram.start(chat, Lane.REMINDER) for chat in range(2_000)]
        bulk += [telegram.start(chat, Lane.BROADCAST) for chat in range(5_000, 10_000)]
        answers = []
        for number in range(60 * answers_a_second):
            await telegram.clock.sleep(dice.expovariate(answers_a_second))
            answers.append(telegram.start(f"person {number}"))
        await asyncio.gather(*answers)
        for task in bulk:
            task.cancel()
        await asyncio.gather(*bulk, return_exceptions=True)

    telegram = scene(play)
    waits = sorted(call.waited for call in telegram.calls if call.lane is Lane.ANSWER)
    assert waits[int(len(waits) * 0.99)] < 0.1
    assert sum(call.lane is Lane.REMINDER for call in telegram.calls) > 60 * 12
    assert telegram.fullest_second() <= 26


def test_a_chat_gets_three_at_once_and_then_one_a_second_and_holds_up_nobody() -> None:
    async def play(telegram: Telegram) -> None:
        await asyncio.gather(*(telegram.ask("busy") for _ in range(6)), telegram.ask("quiet"))

    telegram = scene(play)
    assert telegram.at("busy") == [0, 0, 0, 1, 2, 3]
    assert telegram.at("quiet") == [0]


def test_the_chats_own_limit_holds_in_every_lane_and_keeps_their_order() -> None:
    async def play(telegram: Telegram) -> None:
        first = [telegram.start("busy") for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.gather(
            *first, *(telegram.ask("busy", lane) for lane in (Lane.BROADCAST, Lane.REMINDER, Lane.ANSWER))
        )

    telegram = scene(play)
    assert telegram.at("busy") == [0, 0, 0, 1, 2, 3]
    assert [call.lane for call in telegram.calls[3:]] == [Lane.ANSWER, Lane.REMINDER, Lane.BROADCAST]


def test_edits_count_towards_the_whole_and_are_not_delayed_before_telegram_refuses() -> None:
    async def play(telegram: Telegram) -> None:
        await asyncio.gather(*(telegram.ask("busy", endpoint="editMessageText") for _ in range(60)))

    telegram = scene(play)
    assert telegram.fullest_second() <= 26
    assert telegram.calls[-1].at - telegram.calls[0].at < 3


def test_edits_hold_back_the_bulk_messages_of_their_chat_and_of_no_other() -> None:
    async def play(telegram: Telegram) -> None:
        for _ in range(6):
            await telegram.ask("busy", endpoint="editMessageText")
        await asyncio.gather(
            telegram.ask("busy", Lane.REMINDER), telegram.ask("quiet", Lane.REMINDER), telegram.ask("busy")
        )

    telegram = scene(play)
    waits = {(call.chat, call.lane): call.waited for call in telegram.calls if call.endpoint == "sendMessage"}
    assert waits["busy", Lane.ANSWER] == 0
    assert waits["quiet", Lane.REMINDER] < 0.1
    assert waits["busy", Lane.REMINDER] == pytest.approx(4, abs=0.1)


def test_somebody_who_presses_without_end_puts_off_the_own_reminder_by_five_seconds_and_no_more() -> None:
    async def play(telegram: Telegram) -> None:
        async def press() -> None:
            for _ in range(300):
                await telegram.ask("busy", endpoint="editMessageReplyMarkup")
                await telegram.clock.sleep(0.2)

        pressing = asyncio.create_task(press())
        await telegram.clock.sleep(20)
        await telegram.ask("busy", Lane.REMINDER)
        await pressing

    (reminder,) = (call for call in scene(play).calls if call.lane is Lane.REMINDER)
    assert reminder.waited == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("endpoint", ["answerCallbackQuery", "getMe", "setMyCommands", "sendChatAction"])
def test_what_is_no_message_passes_freely(endpoint: str) -> None:
    async def play(telegram: Telegram) -> None:
        await asyncio.gather(*(telegram.ask("busy", endpoint=endpoint) for _ in range(200)))

    assert all(call.waited == 0 for call in scene(play).calls)


@pytest.mark.parametrize("endpoint", ["sendMessage", "editMessageText", "copyMessage", "sendChatAction"])
def test_a_429_holds_its_chat_for_as_long_as_it_asks_and_delays_nobody_else(endpoint: str) -> None:
    async def play(telegram: Telegram) -> None:
        telegram.refusals["unlucky"] = [86_400.0]
        with pytest.raises(Flooded):
            await telegram.ask("unlucky", Lane.REMINDER, endpoint=endpoint)
        await asyncio.gather(*(telegram.ask(f"{lane} {number}", lane) for lane in Lane for number in range(4)))
        for lane in Lane:
            with pytest.raises(NotYet) as caught:
                await telegram.ask("unlucky", lane)
            assert caught.value.seconds == pytest.approx(86_400, abs=2)
        await telegram.clock.sleep(86_400)
        await telegram.ask("unlucky", Lane.REMINDER)

    telegram = scene(play)
    assert all(call.waited < 1 for call in telegram.calls)
    assert len(telegram.at("unlucky")) == 2
    assert telegram.limiter.halts == 0


def test_no_429_holds_its_chat_for_longer_than_a_day() -> None:
    async def play(telegram: Telegram) -> None:
        telegram.refusals["unlucky"] = [1e7]
        with pytest.raises(Flooded):
            await telegram.ask("unlucky", Lane.REMINDER)
        with pytest.raises(NotYet) as caught:
            await telegram.ask("unlucky", Lane.REMINDER)
        assert caught.value.seconds == pytest.approx(86_400, abs=2)

    scene(play)


async def refused_in_two_chats(telegram: Telegram, *, seconds: float = 5.0) -> None:
    """Two reminders meet a 429, which halts the bulk lanes."""
    telegram.refusals |= {"one": [seconds], "two": [seconds]}
    for chat in ("one", "two"):
        with pytest.raises(Flooded):
            await telegram.ask(chat, Lane.REMINDER)


def test_429s_of_two_chats_halt_every_bulk_lane_until_a_probe_is_taken_and_answers_flow() -> None:
    async def play(telegram: Telegram) -> None:
        await refused_in_two_chats(telegram)
        for number in range(29):
            await telegram.clock.sleep(1)
            await telegram.ask(f"person {number}")
            for lane in BULK:
                with pytest.raises(NotYet):
                    await telegram.ask(f"{lane} {number}", lane)
            assert not telegram.limiter.takes_bulk
        await telegram.clock.sleep(1)
        assert telegram.limiter.takes_bulk
        await asyncio.gather(*(telegram.ask(f"{lane} {number}", lane) for lane in BULK for number in range(20)))
        assert telegram.limiter.halted_for == 0
        assert telegram.limiter.halted_seconds == pytest.approx(30, abs=0.1)

    telegram = scene(play)
    halted = [call for call in telegram.calls[2:] if call.at - telegram.calls[1].at < 30.0]
    assert {call.lane for call in halted} == {Lane.ANSWER}
    assert len(halted) == 29
    assert all(call.waited == 0 for call in halted)
    assert telegram.limiter.halts == 1
    assert len(telegram.calls) == 2 + 29 + 80


@pytest.mark.parametrize("seconds", [1.0, 86_400.0])
def test_a_halt_is_probed_by_one_message_to_another_chat_after_30_then_60_then_every_120_seconds(
    seconds: float,
) -> None:
    async def play(telegram: Telegram) -> None:
        await refused_in_two_chats(telegram, seconds=seconds)
        telegram.refusals |= {f"chat {number}": [5.0] * 9 for number in range(4)}
        await telegram.clock.sleep(1)
        number = 0
        while telegram.limiter.halted_for:
            asked = [telegram.ask(f"chat {number + other}", Lane.REMINDER) for other in range(3)]
            put_off = await asyncio.gather(*asked, return_exceptions=True)
            number += any(type(one) is Flooded for one in put_off)
            await telegram.clock.sleep(1)

    telegram = scene(play)
    began = telegram.calls[1].at
    assert telegram.limiter.halts == 1
    probes = [call.at - began for call in telegram.calls[2:-2]]
    assert probes == pytest.approx([30, 90, 210, 330, 450], abs=6)


def test_while_a_probe_is_on_its_way_the_others_wait_for_what_becomes_of_it() -> None:
    async def play(telegram: Telegram) -> None:
        await refused_in_two_chats(telegram)
        await telegram.clock.sleep(31)
        telegram.latency = 2.0
        await asyncio.gather(*(telegram.ask(number, Lane.REMINDER) for number in range(5)))

    first, *others = scene(play).calls[2:]
    assert all(first.at + 2 <= call.at < first.at + 2.5 for call in others)


def test_a_probe_that_was_no_longer_wanted_leaves_its_place_to_the_next() -> None:
    async def no() -> bool:
        return False

    async def play(telegram: Telegram) -> None:
        await refused_in_two_chats(telegram)
        await telegram.clock.sleep(31)
        with pytest.raises(KeptBack):
            await telegram.ask("unwanted", passage=Passage(Lane.REMINDER, before=no))
        cancelled = telegram.start("cancelled", Lane.REMINDER)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        await telegram.ask("next", Lane.REMINDER)

    assert [call.chat for call in scene(play).calls] == ["one", "two", "next"]


def test_two_people_who_press_without_end_halt_the_others_once_and_not_again_and_again() -> None:
    async def play(telegram: Telegram) -> None:
        telegram.refusals = {"one": [30.0] * 99, "two": [30.0] * 99}

        async def press(chat: str) -> None:
            while telegram.refusals[chat]:
                await asyncio.gather(telegram.ask(chat, endpoint="editMessageText"), return_exceptions=True)
                await telegram.clock.sleep(1)

        pressing = [asyncio.create_task(press(chat)) for chat in telegram.refusals]
        for number in range(300):
            await asyncio.gather(telegram.ask(number, Lane.REMINDER), return_exceptions=True)
            await telegram.clock.sleep(1)
        for task in pressing:
            task.cancel()

    telegram = scene(play)
    assert telegram.limiter.halts == 1
    assert sum(call.lane is Lane.REMINDER for call in telegram.calls) >= 265


def test_a_bulk_message_that_meets_a_429_is_left_to_its_sender() -> None:
    async def play(telegram: Telegram) -> None:
        telegram.refusals["unlucky"] = [7.0]
        with pytest.raises(Flooded) as caught:
            await telegram.ask("unlucky", Lane.CHECK_IN)
        assert caught.value.seconds == 7.0

    assert scene(play).at("unlucky") == [0]


def test_an_answer_that_meets_a_429_waits_it_out_and_goes_again() -> None:
    async def play(telegram: Telegram) -> None:
        telegram.refusals["unlucky"] = [7.0, 3.0]
        await telegram.ask("unlucky")

    assert scene(play).at("unlucky") == [0, 7, 10]


def test_an_answer_gives_up_after_three_more_tries() -> None:
    async def play(telegram: Telegram) -> None:
        telegram.refusals["unlucky"] = [1.0] * 9
        with pytest.raises(Flooded):
            await telegram.ask("unlucky")

    assert len(scene(play).at("unlucky")) == 4


def test_an_answer_does_not_wait_for_longer_than_a_minute() -> None:
    async def play(telegram: Telegram) -> None:
        telegram.refusals["unlucky"] = [61.0]
        with pytest.raises(Flooded):
            await telegram.ask("unlucky")

    assert scene(play).at("unlucky") == [0]


def test_an_edit_that_telegram_refuses_is_not_waited_out() -> None:
    async def play(telegram: Telegram) -> None:
        telegram.refusals["unlucky"] = [7.0]
        for _ in range(3):
            with pytest.raises(Flooded):
                await telegram.ask("unlucky", endpoint="editMessageText")
            await telegram.clock.sleep(2)
        await telegram.clock.sleep(2)
        await telegram.ask("unlucky", endpoint="editMessageText")

    assert scene(play).at("unlucky") == [0, 8]


def test_an_answer_that_waits_is_not_kept_by_a_longer_wait_that_comes_meanwhile() -> None:
    async def play(telegram: Telegram) -> None:
        telegram.refusals["unlucky"] = [5.0, 86_400.0]
        waiting = telegram.start("unlucky")
        await telegram.clock.sleep(1)
        with pytest.raises(Flooded):
            await telegram.ask("unlucky", endpoint="sendChatAction")
        with pytest.raises(NotYet):
            await waiting
        assert telegram.clock.monotonic() < 1002

    scene(play)


def test_nothing_leaves_after_its_deadline_however_long_it_was_on_its_way_to_the_socket() -> None:
    async def play(telegram: Telegram) -> None:
        async def suspended() -> bool:
            telegram.clock.stall(3600)
            return True

        deadline = telegram.clock.now() + timedelta(minutes=40)
        with pytest.raises(KeptBack) as caught:
            await telegram.ask("asleep", passage=Passage(Lane.REMINDER, deadline, suspended))
        assert caught.value.why is Why.TOO_LATE

    assert scene(play).calls == []


def test_before_is_asked_after_the_wait_and_just_before_the_call() -> None:
    moments: list[float] = []

    async def play(telegram: Telegram) -> None:
        async def before() -> bool:
            moments.append(telegram.clock.monotonic())
            return True

        await telegram.ask("first", Lane.REMINDER)
        await telegram.ask("second", Lane.REMINDER, passage=Passage(Lane.REMINDER, before=before))

    telegram = scene(play, rate=1)
    assert moments == [telegram.calls[1].at]
    assert telegram.calls[1].waited > 1


def test_messages_that_a_slow_before_has_bunched_still_leave_at_the_rate() -> None:
    async def play(telegram: Telegram) -> None:
        stalled_disk = asyncio.Event()

        async def before() -> bool:
            return await stalled_disk.wait()

        passage = Passage(Lane.REMINDER, before=before)
        tasks = [telegram.start(chat, passage=passage) for chat in range(150)]
        await telegram.clock.sleep(3)
        stalled_disk.set()
        await asyncio.gather(*tasks)

    telegram = scene(play)
    assert len(telegram.calls) == 150
    assert telegram.fullest_second() <= 26
    assert telegram.calls[-1].at - telegram.calls[0].at < 6.5


def test_answers_do_not_queue_behind_a_bunch() -> None:
    async def play(telegram: Telegram) -> None:
        stalled_disk = asyncio.Event()

        async def before() -> bool:
            return await stalled_disk.wait()

        tasks = [telegram.start(chat, passage=Passage(Lane.REMINDER, before=before)) for chat in range(75)]
        await telegram.clock.sleep(3)
        stalled_disk.set()
        await telegram.clock.sleep(0.5)
        await telegram.ask("person")
        await asyncio.gather(*tasks)

    answer = next(call for call in scene(play).calls if call.chat == "person")
    assert answer.waited < 0.1


def test_a_halt_that_comes_during_before_stops_the_message() -> None:
    async def play(telegram: Telegram) -> None:
        async def before() -> bool:
            await telegram.clock.sleep(2)
            return True

        slow = telegram.start("slow", passage=Passage(Lane.REMINDER, before=before))
        await telegram.clock.sleep(1)
        await refused_in_two_chats(telegram)
        with pytest.raises(NotYet) as caught:
            await slow
        assert caught.value.seconds == pytest.approx(29.0, abs=0.1)

    assert scene(play).at("slow") == []


def test_a_call_that_is_no_longer_wanted_is_not_made() -> None:
    async def no() -> bool:
        return False

    async def play(telegram: Telegram) -> None:
        with pytest.raises(KeptBack):
            await telegram.ask("late", passage=Passage(Lane.REMINDER, before=no))

    assert scene(play).calls == []


def test_the_number_of_waiting_calls_is_known_by_lane() -> None:
    async def play(telegram: Telegram) -> None:
        tasks = [telegram.start(chat, Lane.DIGEST) for chat in range(10)]
        await asyncio.sleep(0)
        assert telegram.limiter.waiting(Lane.DIGEST) == 9
        assert telegram.limiter.waiting(Lane.REMINDER) == 0
        await asyncio.gather(*tasks)
        assert telegram.limiter.waiting(Lane.DIGEST) == 0

    scene(play, rate=1)


def test_a_cancelled_call_leaves_the_queue_and_takes_no_slot() -> None:
    async def play(telegram: Telegram) -> None:
        tasks = [telegram.start(chat, Lane.REMINDER) for chat in range(20)]
        await asyncio.sleep(0)
        for task in tasks[1:19]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert telegram.limiter.waiting(Lane.REMINDER) == 0

    telegram = scene(play, rate=1)
    assert [call.chat for call in telegram.calls] == [0, 19]
    assert telegram.calls[-1].at - telegram.calls[0].at < 1.2


def test_a_cancelled_call_does_not_strand_the_others_of_its_chat() -> None:
    async def play(telegram: Telegram) -> None:
        tasks = [telegram.start("busy") for _ in range(8)]
        await asyncio.sleep(0)
        for task in tasks[3:6]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    assert scene(play).at("busy") == [0, 0, 0, 1, 2]


def test_an_answer_overtakes_a_limiter_that_sleeps_through_a_halt() -> None:
    async def play(telegram: Telegram) -> None:
        await refused_in_two_chats(telegram)
        await telegram.clock.sleep(31)
        telegram.latency = 60.0
        probe, asleep = telegram.start("probe", Lane.REMINDER), telegram.start("asleep", Lane.REMINDER)
        await telegram.clock.sleep(10)
        telegram.latency = 0.0
        await asyncio.gather(*(telegram.ask("busy") for _ in range(5)))
        for task in (probe, asleep):
            task.cancel()

    began, *later = scene(play).at("busy")
    assert [round(at - began, 2) for at in later] == [0, 0, 1, 2]


def test_shutting_down_withdraws_whoever_waits() -> None:
    async def play(telegram: Telegram) -> None:
        tasks = [telegram.start("busy") for _ in range(5)] + [telegram.start(chat, Lane.DIGEST) for chat in range(5)]
        await asyncio.sleep(0)
        await telegram.limiter.shutdown()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(result, KeptBack) for result in results) == 7

    scene(play, rate=3)


def test_idle_chats_are_forgotten() -> None:
    async def play(telegram: Telegram) -> None:
        for chat in range(5_000):
            await telegram.ask(chat)

    telegram = scene(play, rate=20)
    assert len(telegram.limiter._chats) < 4_500


def test_many_calls_to_one_chat_stay_in_order() -> None:
    order: list[int] = []

    async def play(telegram: Telegram) -> None:
        async def ask(number: int) -> None:
            await telegram.ask("busy", Lane.REMINDER)
            order.append(number)

        await asyncio.gather(*(ask(number) for number in range(200)))

    telegram = scene(play)
    assert order == sorted(order)
    assert telegram.at("busy")[-1] == pytest.approx(197, abs=0.5)


def test_a_rate_below_one_is_refused() -> None:
    with pytest.raises(ValueError):
        RateLimiter(0, clock=VirtualClock())
