"""Webhook mode in a real process: what Telegram posts is stored before it is accepted, and nobody else can post."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
import pytest

from bot.clock import SharedClock
from bot.fake_telegram.telegram import Telegram
from tests.conftest import Process
from tests.updates import front as fronts
from tests.updates.front import HEADERS, Front

MIB = 2**20


@dataclass(slots=True)
class Posted:
    """One bot behind a front, and a session to post to it directly."""

    process: Process
    url: str
    session: aiohttp.ClientSession

    async def post(self, body: bytes, **headers: str) -> int:
        headers = {"Content-Type": "application/json"} | HEADERS | headers
        async with self.session.post(f"{self.url}/telegram", data=body, headers=headers) as answer:
            return answer.status

    def dead(self) -> list[tuple[object, ...]]:
        return self.process.rows("SELECT error, body FROM dead_letters ORDER BY at, update_id")


@pytest.fixture
async def front() -> AsyncIterator[Front]:
    async with fronts.front() as found:
        yield found


@pytest.fixture
async def posted(tmp_path: Path, telegram: Telegram, clock: SharedClock, front: Front) -> AsyncIterator[Posted]:
    """A bot in webhook mode on SQLite; it must end in order."""
    del clock
    process = fronts.bot("one", folder=tmp_path, telegram_url=telegram.url, url=front.url)
    port = await fronts.started(process)
    front.ports.append(port)
    try:
        async with aiohttp.ClientSession() as session:
            yield Posted(process, f"http://127.0.0.1:{port}", session)
        assert await process.stop() == 0, process.log
        assert "Traceback" not in process.log, process.log
    finally:
        if process.running is not None and process.running.returncode is None:
            await process.kill()


def update(number: int, text: str = "/help") -> bytes:
    person = {"id": 77, "is_bot": False, "first_name": "Ada"}
    message = {"message_id": number, "date": 1774526400, "chat": {"id": 77, "type": "private"}, "from": person}
    entity = {"type": "bot_command", "offset": 0, "length": len(text)}
    return json.dumps({"update_id": number, "message": message | {"text": text, "entities": [entity]}}).encode()


async def test_telegram_posts_and_is_answered(posted: Posted, telegram: Telegram, front: Front) -> None:
    ada = telegram.person(77)
    await ada.send("/start")
    assert "not medical advice" in (await ada.next()).text

    (call,) = telegram.called_with("setWebhook")
    assert call.given["url"] == front.url
    assert call.given["secret_token"] == fronts.SECRET
    assert call.given["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]
    assert call.given["drop_pending_updates"] is False
    assert telegram.called_with("getWebhookInfo")
    assert not telegram.called_with("getUpdates")
    assert fronts.SECRET not in posted.process.log


async def test_what_is_forged_or_not_posted_as_json_is_refused_and_does_nothing(posted: Posted) -> None:
    for secret in ("", "wrong", "ä" * 32, fronts.SECRET[:-1], fronts.SECRET + "x"):
        assert await posted.post(update(5), **{"X-Telegram-Bot-Api-Secret-Token": secret}) == 403
    assert await posted.post(update(5), **{"Content-Type": "text/plain"}) == 415
    async with posted.session.get(f"{posted.url}/telegram", headers=HEADERS) as answer:
        assert answer.status == 405
    async with posted.session.post(f"{posted.url}/elsewhere", data=update(5), headers=HEADERS) as answer:
        assert answer.status == 404
    assert posted.process.rows("SELECT * FROM inbox") == []
    assert posted.dead() == []


BAD = [
    b"",
    b"{",
    b"[" * 100_000,
    b"\xff\xfe\x00",
    b"[1]",
    b'{"message": {}}',
    b'{"update_id": "7"}',
    b'{"update_id": 1e400}',
    b'{"update_id": 99999999999999999999}',
]


async def test_bad_bodies_are_accepted_and_kept_for_the_operator(posted: Posted, telegram: Telegram) -> None:
    for body in BAD:
        assert await posted.post(body) == 200
        assert await posted.post(body) == 200  # as Telegram would, had it missed the answer

    assert len(posted.dead()) == len(BAD)
    await telegram.person(77).send("/start")
    await telegram.person(77).next()


async def test_an_update_that_comes_again_is_dropped(posted: Posted, telegram: Telegram) -> None:
    ada = telegram.person(77)
    await ada.send("/start")
    await ada.next()
    statuses = await asyncio.gather(*(posted.post(update(9)) for _ in range(20)))
    await ada.next()
    await telegram.idle()

    assert set(statuses) == {200}
    assert sum("/tonight" in seen.text for seen in ada.chat if seen.from_bot) == 1


async def test_a_huge_body_is_refused_without_taking_memory(posted: Posted, telegram: Telegram) -> None:
    assert posted.process.running is not None
    memory = psutil.Process(posted.process.running.pid).memory_info
    ada = telegram.person(77)
    for _ in range(2):  # what is loaded at the first answer is not the body's
        await ada.send("/start")
        await ada.next()
    await telegram.idle()
    before, most = memory().rss, 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal most
        for _ in range(60):
            most = max(most, memory().rss)
            yield b" " * MIB

    headers = {"Content-Type": "application/json"} | HEADERS
    for _ in range(3):  # as a stream of unknown length
        statuses: list[int] = []
        try:
            async with posted.session.post(f"{posted.url}/telegram", data=chunks(), headers=headers) as answer:
                statuses.append(answer.status)
        except aiohttp.ClientError:
            pass  # the refusal came while we still sent, and the line was cut
        assert statuses in ([413], [])
    # And with its length said.
    said = headers | {"Content-Length": str(60 * MIB)}
    reader, writer = await asyncio.open_connection("127.0.0.1", int(posted.url.rpartition(":")[2]))
    head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    writer.write(f"POST /telegram HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
    assert (await reader.readline()).split()[1] == b"413"
    writer.close()

    assert max(most, memory().rss) - before < 5 * MIB
    assert await posted.post(update(2)) == 200
    assert posted.dead() == []


@pytest.mark.long
async def test_a_webhook_that_was_set_elsewhere_is_taken_back(posted: Posted, telegram: Telegram, front: Front) -> None:
    del posted
    url = f"{telegram.url}/bot{telegram.token}/setWebhook"
    async with aiohttp.ClientSession() as session, session.post(url, json={"url": "http://127.0.0.1:1/x"}) as answer:
        assert answer.status == 200
    await telegram.called.wait_for(lambda: telegram.world.updates.webhook.url == front.url, timeout=60)
    assert telegram.world.updates.webhook.secret == fronts.SECRET


async def test_polling_takes_over_from_a_webhook_without_losing_what_waits(
    tmp_path: Path, telegram: Telegram, clock: SharedClock
) -> None:
    del clock
    async with aiohttp.ClientSession() as session:
        url = f"{telegram.url}/bot{telegram.token}/setWebhook"
        async with session.post(url, json={"url": "http://127.0.0.1:1/x"}) as answer:
            assert answer.status == 200
    await telegram.person(77).send("/start")
    process = Process(tmp_path, telegram.url)
    await process.start()
    try:
        assert "not medical advice" in (await telegram.person(77).next()).text
        assert len(telegram.called_with("deleteWebhook")) == 1
        assert telegram.world.updates.webhook.url == ""
        assert await process.stop() == 0
    finally:
        assert process.running is not None
        if process.running.returncode is None:
            await process.kill()


async def test_a_port_that_is_taken_is_one_sentence(posted: Posted, tmp_path: Path, telegram: Telegram) -> None:
    listen = posted.url.removeprefix("http://")
    second = fronts.bot("two", folder=tmp_path, telegram_url=telegram.url, url="http://127.0.0.1:1/telegram")
    second.anew = True
    await second.start(LISTEN=listen)
    assert second.running is not None
    assert await asyncio.wait_for(second.running.wait(), 30) == 2
    assert second.log.strip().splitlines()[-1].startswith(f"Nothing can listen on {listen} (")
