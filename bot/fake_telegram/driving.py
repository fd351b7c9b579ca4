"""The stand-in's own HTTP interface, for tests and people in another process: `/sandbox/...`."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import cast

from aiohttp import web

from bot.clock import SharedClock
from bot.fake_telegram.counting import Counts
from bot.fake_telegram.faults import Fault, Limits
from bot.fake_telegram.people import Group, Person, Seen
from bot.fake_telegram.telegram import Telegram
from bot.fake_telegram.values import Fields

Act = Callable[[Person, Fields], Awaitable[object]]
_LONGEST_WAIT = 60.0


def add_routes(app: web.Application, telegram: Telegram) -> None:
    """Adds everything under `/sandbox` to the application."""
    interface = _Interface(telegram)
    app.router.add_routes(
        [
            web.post("/sandbox/people/{id}", interface.introduce),
            web.get("/sandbox/people/{id}/chat", interface.chat),
            web.post("/sandbox/people/{id}/{act}", interface.act),
            web.post("/sandbox/{kind:groups|channels}/{id}/post", interface.post),
            web.get("/sandbox/queries/{id}", interface.query),
            web.post("/sandbox/inject", interface.inject),
            web.get("/sandbox/calls", interface.calls),
            web.get("/sandbox/counts", interface.counts),
            web.delete("/sandbox/counts", interface.clear_counts),
            web.get("/sandbox/events", interface.events),
            web.get("/sandbox/faults", interface.faults),
            web.post("/sandbox/faults", interface.add_fault),
            web.delete("/sandbox/faults", interface.clear_faults),
            web.post("/sandbox/limits", interface.limits),
            web.get("/sandbox/clock", interface.clock),
            web.post("/sandbox/clock", interface.set_clock),
            web.get("/sandbox/commands", interface.commands),
        ]
    )


class _Interface:
    """One method a route."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram

    def _person(self, request: web.Request) -> Person:
        return self.telegram.person(int(request.match_info["id"]))

    async def introduce(self, request: web.Request) -> web.Response:
        body = await _body(request)
        person = self.telegram.person(
            int(request.match_info["id"]),
            str(body.get("first_name", "Ada")),
            language_code=str(body.get("language_code", "en")),
            username=cast("str | None", body.get("username")),
        )
        return web.json_response(person.user)

    async def chat(self, request: web.Request) -> web.Response:
        return web.json_response([_shown(message) for message in self._person(request).chat])

    async def act(self, request: web.Request) -> web.Response:
        act = _ACTS.get(request.match_info["act"])
        if act is None:
            raise web.HTTPNotFound(text=f"one of {', '.join(_ACTS)}")
        try:
            result = await act(self._person(request), await _body(request))
        except (KeyError, LookupError, TypeError, ValueError) as error:
            raise web.HTTPBadRequest(text=f"{type(error).__name__}: {error}") from error
        return web.json_response({"result": result})

    async def post(self, request: web.Request) -> web.Response:
        body, number = await _body(request), int(request.match_info["id"])
        place = self.telegram.group if request.match_info["kind"] == "groups" else self.telegram.channel
        group: Group = place(number)
        sender = self.telegram.person(int(str(body["from"]))) if "from" in body else None
        posted = await group.post(sender, str(body["text"]), anonymous=bool(body.get("anonymous")))
        return web.json_response({"result": posted})

    async def query(self, request: web.Request) -> web.Response:
        found = self.telegram.world.queries.get(request.match_info["id"])
        if found is None:
            raise web.HTTPNotFound
        return web.json_response(asdict(found))

    async def inject(self, request: web.Request) -> web.Response:
        numbers = []
        for update in cast("list[Fields]", (await _body(request))["updates"]):
            numbers.append(self.telegram.inject(update))
            pressed = update.get("callback_query")
            if isinstance(pressed, dict):
                self.telegram.counts.pressed(pressed.get("id"))
        return web.json_response({"result": numbers})

    async def calls(self, request: web.Request) -> web.Response:
        after, method = int(request.query.get("after", 0)), request.query.get("method")
        found = (call for call in self.telegram.since(after) if method in (None, call.method))
        return web.json_response([asdict(call) for call in found])

    async def counts(self, _: web.Request) -> web.Response:
        pending = {"pending_updates": self.telegram.world.updates.pending}
        return web.json_response(self.telegram.counts.report() | pending)

    async def clear_counts(self, _: web.Request) -> web.Response:
        self.telegram.counts = Counts()
        return web.json_response({})

    async def events(self, request: web.Request) -> web.Response:
        """What the bot did after event N, as soon as there is something; `timeout` in real seconds."""
        world, after = self.telegram.world, int(request.query.get("after", 0))
        timeout = min(float(request.query.get("timeout", 10)), _LONGEST_WAIT)
        await world.changes.wait_for(lambda: len(world.events) > after, timeout=timeout)
        return web.json_response([asdict(event) for event in world.events[after:]])

    async def faults(self, _: web.Request) -> web.Response:
        return web.json_response(self.telegram.faults.listed())

    async def add_fault(self, request: web.Request) -> web.Response:
        body = await _body(request)
        if "seed" in body:
            self.telegram.faults.seed(int(str(body.pop("seed"))))
        try:
            fault = self.telegram.fault(Fault(**body))  # type: ignore[arg-type]  # its own __init__ refuses the rest
        except (TypeError, ValueError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response(asdict(fault))

    async def clear_faults(self, _: web.Request) -> web.Response:
        self.telegram.faults.clear()
        return web.json_response([])

    async def limits(self, request: web.Request) -> web.Response:
        self.telegram.limit(Limits(**await _body(request)))  # type: ignore[arg-type]  # its own __init__ refuses the rest
        return web.json_response(asdict(self.telegram.gate.limits))

    async def clock(self, _: web.Request) -> web.Response:
        clock = self.telegram.clock
        return web.json_response({"now": clock.now().isoformat(), "speed": clock.speed})

    async def set_clock(self, request: web.Request) -> web.Response:
        """`skip` seconds, `set` to an ISO moment with offset, and `speed`; any of them."""
        body, clock = await _body(request), self.telegram.clock
        if not isinstance(clock, SharedClock):
            raise web.HTTPConflict(text="this stand-in runs on the real clock")
        if "skip" in body:
            clock.skip(float(str(body["skip"])))
        if "set" in body or "speed" in body:
            moment = datetime.fromisoformat(str(body["set"])) if "set" in body else clock.now()
            clock.set(moment, speed=float(str(body["speed"])) if "speed" in body else None)
        return await self.clock(request)

    async def commands(self, _: web.Request) -> web.Response:
        """The command menus that the bot has set."""
        found = self.telegram.world.commands.items()
        return web.json_response(
            [{"scope": scope, "language": code, "commands": menu} for (scope, code), menu in found]
        )


async def _body(request: web.Request) -> Fields:
    raw = await request.read()
    try:
        body = json.loads(raw) if raw else {}
    except ValueError as error:
        raise web.HTTPBadRequest(text="not JSON") from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="not a JSON object")
    return cast("Fields", body)


def _shown(message: Seen) -> Fields:
    fields = {name: getattr(message, name) for name in Seen.__dataclass_fields__}
    rows = [[asdict(button) for button in row] for row in message.buttons]
    content = base64.b64encode(message.content).decode()
    return {**fields, "at": message.at.isoformat(), "buttons": rows, "content": content}


def _int(body: Fields, name: str) -> int | None:
    return int(str(body[name])) if body.get(name) is not None else None


async def _press(person: Person, body: Fields) -> object:
    data = cast("str | None", body.get("data"))
    query = await person.press(str(body.get("button", "")), message=_int(body, "message"), data=data)
    return query.query_id


_ACTS: dict[str, Act] = {
    "send": lambda person, body: person.send(
        str(body["text"]), reply_to=_int(body, "reply_to"), extra=cast("Fields | None", body.get("extra"))
    ),
    "location": lambda person, body: person.send_location(float(str(body["latitude"])), float(str(body["longitude"]))),
    "photo": lambda person, body: person.send_photo(str(body.get("caption", ""))),
    "document": lambda person, body: person.send_document(
        str(body.get("caption", "")), content=str(body.get("text", "")).encode()
    ),
    "sticker": lambda person, _: person.send_sticker(),
    "voice": lambda person, _: person.send_voice(),
    "forward": lambda person, body: person.forward(cast("Fields", body["author"]), str(body["text"])),
    "edit": lambda person, body: person.edit(int(str(body["message_id"])), str(body["text"])),
    "press": _press,
    "block": lambda person, _: person.block(),
    "unblock": lambda person, _: person.unblock(),
    "deactivate": lambda person, _: person.deactivate(),
}
