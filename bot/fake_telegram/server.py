"""The stand-in's HTTP server: the Bot API's calls, faults, and the webhook's deliveries."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import cast

import aiohttp
from aiohttp import web

from bot.clock import Clock, RealClock
from bot.fake_telegram import counting, driving, methods, tables
from bot.fake_telegram.faults import Fault, Limits, too_many
from bot.fake_telegram.telegram import TOKEN, Telegram
from bot.fake_telegram.values import Fields, Params, Refused, Upload, read

_LARGEST_BODY = 64 * 2**20
_NAMES = {name.lower(): name for name in tables.METHODS}
_HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Given:
    """The parameters of a request as they came."""

    texts: Fields = field(default_factory=dict)
    values: Fields = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def checked(self, method: str) -> Params:
        return Params(read(tables.METHODS[method], self.texts | self.values, form=self.texts))

    def shown(self) -> Fields:
        """For the log of calls: what was given, files by their size."""
        return {
            name: f"<{len(value.content)} bytes>" if isinstance(value, Upload) else value
            for name, value in (self.texts | self.values | self.files).items()
        }


@contextlib.asynccontextmanager
async def running(
    *,
    clock: Clock | None = None,
    port: int = 0,
    token: str = TOKEN,
    fast: bool = False,
    limits: Limits | None = None,
) -> AsyncIterator[Telegram]:
    """Serves on loopback until the block ends; `telegram.url` is the address. Port 0 picks a free one."""
    telegram = Telegram(clock or RealClock(), token=token, limits=limits)
    app = web.Application(client_max_size=_LARGEST_BODY)
    app.on_response_prepare.append(functools.partial(_dated, telegram))
    app.router.add_route("*", "/bot{token}/{method}", _BotApi(telegram, fast=fast).handle)
    app.router.add_get("/file/bot{token}/documents/{file_id}", functools.partial(_file, telegram))
    driving.add_routes(app, telegram)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
        telegram.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        courier = asyncio.create_task(_deliver(telegram))
        try:
            yield telegram
        finally:
            courier.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await courier
    finally:
        await runner.cleanup()


class _BotApi:
    """Takes the calls of the bot."""

    def __init__(self, telegram: Telegram, *, fast: bool) -> None:
        self.telegram = telegram
        self.fast = fast

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.telegram.token:
            return _json(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        method = _NAMES.get(request.match_info["method"].lower())
        if method is None or request.method not in ("GET", "POST"):
            return _json(404, {"ok": False, "error_code": 404, "description": "Not Found"})
        if self.fast and method in counting.METHODS and not self.telegram.faults.listed():
            return await counting.answer(request, method, self.telegram.counts)
        return await self._careful(request, method)

    async def _careful(self, request: web.Request, method: str) -> web.StreamResponse:
        telegram, began = self.telegram, time.time()
        telegram.counts.methods[method] += 1
        telegram.in_flight += method != "getUpdates"
        given, refused = await self._given(request, method)
        fault = telegram.faults.strike(method, given.texts | given.values)
        status, answer = 0, Fields()
        try:
            if fault is None or not fault.before:
                await self._wait(fault)
                status, answer = (refused.code, refused.answer()) if refused else await self._perform(method, given)
            if fault is not None:
                status, answer = _altered(fault, status, answer)
        finally:
            telegram.in_flight -= method != "getUpdates"
            telegram.counts.polls += method == "getUpdates"
            struck = fault.name if fault else ""
            telegram.log(method, given.shown(), outcome=(status, answer), began=began, fault=struck)
        return await _respond(request, fault, status=status, answer=answer)

    async def _given(self, request: web.Request, method: str) -> tuple[_Given, Refused | None]:
        try:
            return await _parameters(request, method), None
        except Refused as refused:
            return _Given(), refused

    async def _wait(self, fault: Fault | None) -> None:
        if fault is not None and fault.kind == "delay":
            await self.telegram.clock.sleep(fault.seconds)

    async def _perform(self, method: str, given: _Given) -> tuple[int, Fields]:
        try:
            params = given.checked(method)
            self.telegram.gate.check(method, params.values.get("chat_id"))
            call = methods.Call(self.telegram.world, params, given.files)
            result = await self._poll(call) if method == "getUpdates" else methods.METHODS[method](call)
        except Refused as refused:
            return refused.code, refused.answer()
        return 200, {"ok": True, "result": result}

    async def _poll(self, call: methods.Call) -> list[Fields]:
        methods.allow(call)
        return await self.telegram.world.updates.poll(
            offset=call.given.number("offset"),
            limit=call.given.number("limit", 100),
            timeout=call.given.number("timeout"),
        )


async def _dated(telegram: Telegram, _: web.Request, answer: web.StreamResponse) -> None:
    """With the date of the simulated time."""
    answer.headers["Date"] = formatdate(telegram.clock.now().timestamp() + telegram.date_shift, usegmt=True)


async def _file(telegram: Telegram, request: web.Request) -> web.Response:
    """A file that getFile told of."""
    content = telegram.world.files.content(request.match_info["file_id"])
    if request.match_info["token"] != telegram.token or content is None:
        return _json(404, {"ok": False, "error_code": 404, "description": "Not Found"})
    return web.Response(body=content)


async def _parameters(request: web.Request, method: str) -> _Given:
    """Query and body together; uploads that are no parameter must be named by some `attach://`."""
    given = _Given(texts=cast("Fields", dict(request.query)))
    if request.content_type == "application/json" and request.can_read_body:
        try:
            body = json.loads(await request.read())
        except ValueError as error:
            raise Refused("can't parse request body as JSON") from error
        if not isinstance(body, dict):
            raise Refused("request body must be a JSON object")
        given.values = cast("Fields", body)
        return given
    for name, value in (await request.post()).items():
        if not isinstance(value, web.FileField):
            given.texts[name] = value
            continue
        upload = Upload(value.filename, value.content_type, value.file.read())
        in_table = name in tables.METHODS[method]
        (given.texts if in_table else given.files)[name] = upload
    if loose := [name for name in given.files if f"attach://{name}" not in str(given.texts)]:
        raise Refused(f'unknown parameter "{loose[0]}"')
    return given


def _altered(fault: Fault, status: int, answer: Fields) -> tuple[int, Fields]:
    """Status and answer as the fault leaves them; what the bot does not see is logged all the same."""
    if fault.kind == "too_many":
        refused = too_many(fault.retry_after)
        return 429, refused.answer()
    if fault.kind == "status":
        text = fault.description or {500: "Internal Server Error", 502: "Bad Gateway", 504: "Gateway Timeout"}.get(
            fault.code, "Fault"
        )
        return fault.code, {"ok": False, "error_code": fault.code, "description": text}
    return (0 if fault.kind in ("drop_before", "drop_after", "silent") else status), answer


async def _respond(request: web.Request, fault: Fault | None, *, status: int, answer: Fields) -> web.StreamResponse:
    kind = "" if fault is None else fault.kind
    if kind == "silent":
        await asyncio.Event().wait()
    if kind in ("drop_before", "drop_after"):
        if request.transport is not None:
            request.transport.close()
        return web.Response()
    if kind == "bad_json":
        return web.Response(text=json.dumps(answer)[:-7], content_type="application/json")
    if fault is not None and kind == "status" and fault.html:
        return web.Response(
            text=_HTML.format(f"{status} {answer['description']}"), status=status, content_type="text/html"
        )
    return _json(status, answer)


def _json(status: int, body: Fields) -> web.Response:
    return web.json_response(body, status=status)


async def _deliver(telegram: Telegram) -> None:
    """Posts updates to the webhook one by one, again with growing pauses until each was answered with 200."""
    updates, pause = telegram.world.updates, 0.05
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        while True:
            await updates.changes.wait_for(lambda: bool(updates.webhook.url and updates.pending), timeout=3600)
            waiting, webhook = updates.first(), updates.webhook
            if waiting is None or not webhook.url:
                continue
            problem = await _posted(session, webhook.url, waiting.fields, secret=webhook.secret)
            if not problem:
                updates.confirm(waiting.number)
                pause = 0.05
                continue
            webhook.last_error_date, webhook.last_error_message = telegram.world.now(), problem
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)


async def _posted(session: aiohttp.ClientSession, url: str, update: Fields, *, secret: str | None) -> str:
    """What went wrong, nothing if nothing did."""
    headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
    try:
        async with session.post(url, json=update, headers=headers) as answer:
            return "" if answer.status == 200 else f"Wrong response from the webhook: {answer.status} {answer.reason}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"Connection failed: {type(error).__name__}"
