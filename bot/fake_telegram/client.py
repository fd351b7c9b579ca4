"""Drives a stand-in that runs in another process, in the same shape as the one in this process."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeVar, cast

import aiohttp

from bot.fake_telegram.faults import Fault, Limits
from bot.fake_telegram.keyboards import Button
from bot.fake_telegram.people import PATIENCE, Seen
from bot.fake_telegram.values import Fields

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a press."""

    query_id: str
    answered: bool
    text: str | None
    alert: bool


class Remote:
    """A stand-in at `url`."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url.rstrip("/")
        self._session = session

    async def call(self, method: str, path: str, body: object = None, **query: str | int | float) -> object:
        """One request to `/sandbox/...`; refusals become LookupError with the stand-in's words."""
        address = f"{self.url}/sandbox/{path}"
        async with self._session.request(method, address, json=body, params=query) as answer:
            if answer.status >= 400:
                raise LookupError(f"{path}: {answer.status} {await answer.text()}")
            return await answer.json()

    async def person(self, person_id: int, first_name: str = "Ada", *, language_code: str = "en") -> RemotePerson:
        names = {"first_name": first_name, "language_code": language_code}
        await self.call("POST", f"people/{person_id}", names)
        return RemotePerson(self, person_id)

    async def inject(self, *updates: Fields) -> list[int]:
        answer = cast("Fields", await self.call("POST", "inject", {"updates": updates}))
        return cast("list[int]", answer["result"])

    async def fault(self, fault: Fault) -> None:
        await self.call("POST", "faults", asdict(fault))

    async def seed(self, seed: int) -> None:
        """Starts the chance of faults anew, with no fault in force."""
        await self.clear_faults()
        await self.call("POST", "faults", {"kind": "delay", "count": 0, "seed": seed})

    async def clear_faults(self) -> None:
        await self.call("DELETE", "faults")

    async def limit(self, limits: Limits) -> None:
        await self.call("POST", "limits", asdict(limits))

    async def calls(self, *, after: int = 0) -> list[Fields]:
        """The log of calls from number `after` + 1 on, as JSON objects with the fields of `telegram.Call`."""
        return cast("list[Fields]", await self.call("GET", "calls", after=after))

    async def counts(self) -> Fields:
        return cast("Fields", await self.call("GET", "counts"))

    async def clear_counts(self) -> None:
        await self.call("DELETE", "counts")

    async def skip(self, seconds: float) -> None:
        await self.call("POST", "clock", {"skip": seconds})

    async def set(self, moment: datetime, *, speed: float | None = None) -> None:
        await self.call("POST", "clock", {"set": moment.isoformat()} | ({} if speed is None else {"speed": speed}))

    async def events(self, *, after: int = 0, timeout: float = 0.0) -> list[Fields]:
        return cast("list[Fields]", await self.call("GET", "events", after=after, timeout=timeout))


class RemotePerson:
    """Somebody in that stand-in."""

    def __init__(self, remote: Remote, person_id: int) -> None:
        self.remote = remote
        self.id = person_id
        self._taken = 0

    async def chat(self) -> list[Seen]:
        answer = await self.remote.call("GET", f"people/{self.id}/chat")
        return [_seen(fields) for fields in cast("list[Fields]", answer)]

    async def send(self, text: str, *, reply_to: int | None = None, extra: Fields | None = None) -> int:
        return cast("int", await self._act("send", text=text, reply_to=reply_to, extra=extra))

    async def reply(self, to: int, text: str) -> int:
        return await self.send(text, reply_to=to)

    async def send_location(self, latitude: float, longitude: float) -> int:
        return cast("int", await self._act("location", latitude=latitude, longitude=longitude))

    async def send_photo(self, caption: str = "") -> int:
        return cast("int", await self._act("photo", caption=caption))

    async def send_document(self, caption: str = "", *, text: str = "") -> int:
        return cast("int", await self._act("document", caption=caption, text=text))

    async def send_sticker(self) -> int:
        return cast("int", await self._act("sticker"))

    async def send_voice(self) -> int:
        return cast("int", await self._act("voice"))

    async def edit(self, message_id: int, text: str) -> None:
        await self._act("edit", message_id=message_id, text=text)

    async def press(self, button: str = "", *, message: int | None = None, data: str | None = None) -> str:
        """Returns the id of the press, for `answered`."""
        return cast("str", await self._act("press", button=button, message=message, data=data))

    async def answered(self, query_id: str, *, timeout: float = PATIENCE) -> Answered:
        async def look() -> Answered | None:
            fields = cast("Fields", await self.remote.call("GET", f"queries/{query_id}"))
            names = Answered.__dataclass_fields__
            found = Answered(**{name: fields[name] for name in names})  # type: ignore[arg-type]  # as `world.Query` has them
            return found if found.answered else None

        return await self._wait(look, timeout=timeout)

    async def block(self) -> None:
        await self._act("block")

    async def unblock(self) -> None:
        await self._act("unblock")

    async def deactivate(self) -> None:
        await self._act("deactivate")

    async def next(self, *, timeout: float = PATIENCE) -> Seen:
        """The bot's next message that `next` has not returned yet; real seconds."""

        async def look() -> Seen | None:
            newer = (one for one in await self.chat() if one.from_bot and one.message_id > self._taken)
            return next(newer, None)

        found = await self._wait(look, timeout=timeout)
        self._taken = found.message_id
        return found

    async def until(self, predicate: Callable[[Seen], bool], *, timeout: float = PATIENCE) -> Seen:
        """The newest message of the bot, new, edited or already there, of which the predicate is true; real seconds."""

        async def look() -> Seen | None:
            return next((one for one in reversed(await self.chat()) if one.from_bot and predicate(one)), None)

        return await self._wait(look, timeout=timeout)

    async def _act(self, act: str, **body: object) -> object:
        answer = await self.remote.call("POST", f"people/{self.id}/{act}", body)
        return cast("Fields", answer)["result"]

    async def _wait(self, look: Callable[[], Awaitable[_Found | None]], *, timeout: float) -> _Found:
        loop = asyncio.get_running_loop()
        deadline, after = loop.time() + timeout, 0
        while True:
            events = await self.remote.events(after=after, timeout=0)
            after += len(events)
            if (found := await look()) is not None:
                return found
            if loop.time() >= deadline:
                raise TimeoutError(f"waited in vain for {self.id}; the chat ends with {(await self.chat())[-3:]}")
            await self.remote.events(after=after, timeout=deadline - loop.time())


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Remote]:
    """A client of the stand-in at `url`."""
    async with aiohttp.ClientSession() as session:
        yield Remote(url, session)


def _seen(fields: Fields) -> Seen:
    rows = cast("list[list[dict[str, str]]]", fields["buttons"])
    known = fields | {
        "at": datetime.fromisoformat(str(fields["at"])),
        "buttons": tuple(tuple(Button(**button) for button in row) for row in rows),  # type: ignore[arg-type]  # as sent
        "edits": tuple(cast("list[str]", fields["edits"])),
        "content": base64.b64decode(str(fields["content"])),
    }
    return Seen(**known)  # type: ignore[arg-type]  # the other end built it from the same dataclass
