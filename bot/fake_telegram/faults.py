"""Faults to inject into calls, and rate limits; both decide before a call takes effect."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from bot.clock import Clock
from bot.fake_telegram.values import Fields, Refused

KINDS = ("drop_before", "drop_after", "delay", "status", "too_many", "bad_json", "silent")


@dataclass(slots=True)
class Fault:
    """What goes wrong, for which calls, and how often.

    - `drop_before`: the connection closes and nothing happened; `drop_after`: it happened, the connection closes.
    - `delay`: it happens and the answer comes, both `seconds` of the clock later. `silent`: it happens, no answer ever.
    - `status`: HTTP `code` with a JSON or (`html`) an HTML body; it happened only if `effect`.
    - `too_many`: 429 with `retry_after`. `bad_json`: it happens, the answer is 200 with half a JSON object.
    """

    kind: str
    method: str = "*"
    chat_id: int | None = None
    count: int | None = None
    skip: int = 0
    probability: float = 1.0
    seconds: float = 0.0
    code: int = 502
    html: bool = False
    effect: bool = False
    retry_after: int = 5
    description: str = ""
    lasting: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"fault {self.kind!r} is none of {', '.join(KINDS)}")

    @property
    def name(self) -> str:
        """What the log of calls says: its kind, and of a status that hides an effect that it does."""
        return "status_after" if self.kind == "status" and self.effect else self.kind

    @property
    def before(self) -> bool:
        """Whether it strikes instead of the call, not after it."""
        return self.kind in ("drop_before", "too_many") or (self.kind == "status" and not self.effect)


class Faults:
    """The faults in force; chance is seeded, so a run can be repeated."""

    def __init__(self, clock: Clock, *, seed: int = 1) -> None:
        self._clock = clock
        self._chance = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._active: list[tuple[Fault, float]] = []

    def add(self, fault: Fault) -> Fault:
        self._active.append((fault, self._clock.now().timestamp()))
        return fault

    def clear(self) -> None:
        self._active.clear()

    def seed(self, seed: int) -> None:
        self._chance.seed(seed)

    def listed(self) -> list[Fields]:
        return [asdict(fault) for fault, _ in self._active]

    def strike(self, method: str, given: Mapping[str, object]) -> Fault | None:
        """The first fault that strikes this call, if one does."""
        for fault, since in self._active:
            if not self._matches(fault, since, method=method, chat=str(given.get("chat_id", ""))):
                continue
            if fault.skip > 0:
                fault.skip -= 1
            elif fault.probability >= 1 or self._chance.random() < fault.probability:
                if fault.count is not None:
                    fault.count -= 1
                return fault
        return None

    def _matches(self, fault: Fault, since: float, *, method: str, chat: str) -> bool:
        if fault.count == 0 or (fault.lasting is not None and self._clock.now().timestamp() > since + fault.lasting):
            return False
        return fault.method.lower() in ("*", method.lower()) and fault.chat_id in (None, _number(chat))


def _number(chat: str) -> int | None:
    return int(chat) if chat.lstrip("-").isdigit() else None


@dataclass(frozen=True, slots=True)
class Limits:
    """What Telegram allows, per second of the clock; nothing is limited where it says nothing."""

    overall: float | None = None
    per_chat: float | None = None
    burst: int = 3


LIMITED = {
    "sendMessage",
    "sendPhoto",
    "sendDocument",
    "copyMessage",
    "editMessageText",
    "editMessageCaption",
    "editMessageMedia",
    "editMessageReplyMarkup",
}


class Gate:
    """Counts messages against the limits and refuses with 429."""

    def __init__(self, clock: Clock, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._clock = clock
        self._recent: deque[float] = deque()
        self._chats: dict[str, float] = {}

    def check(self, method: str, chat: object) -> None:
        if method not in LIMITED or (self.limits.overall is None and self.limits.per_chat is None):
            return
        now = self._clock.monotonic()
        self._check_overall(now)
        self._check_chat(now, str(chat))
        self._recent.append(now)

    def _check_overall(self, now: float) -> None:
        while self._recent and not now - 1 < self._recent[0] <= now:
            self._recent.popleft()
        if self.limits.overall is not None and len(self._recent) >= self.limits.overall:
            raise too_many(max(1, math.ceil(self._recent[0] + 1 - now)))

    def _check_chat(self, now: float, chat: str) -> None:
        """A bucket of `burst` messages that fills at `per_chat` a second, kept as the moment when it will be full."""
        if self.limits.per_chat is None:
            return
        each = 1 / self.limits.per_chat
        full = max(self._chats.get(chat, 0.0), now) + each
        if full - now > each * self.limits.burst + 1e-9:
            raise too_many(max(1, math.ceil(full - now - each * self.limits.burst)))
        self._chats[chat] = full


def too_many(retry_after: int) -> Refused:
    refused = Refused("", code=429, retry_after=retry_after)
    refused.description = f"Too Many Requests: retry after {retry_after}"
    return refused
