"""Every kind of message as a broadcast: what the admin sees in the preview is what people get."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.clock import SharedClock
from bot.fake_telegram.media import Media
from bot.fake_telegram.people import Person, Seen
from bot.fake_telegram.telegram import Telegram
from tests.conftest import START, Process
from tests.story.test_a_broadcast import ADMIN, begun, settle_in

FORMATTED = (
    '<b>Bold</b>, <i>italic</i>, <tg-spoiler>hidden</tg-spoiler> &amp; <a href="https://example.org/">a link</a>'
)

Sends = Callable[[Person], Awaitable[int]]

KINDS: dict[str, tuple[str, Sends]] = {
    "formatted": ("", lambda admin: admin.send_formatted(FORMATTED)),
    "photo": ("photo", lambda admin: admin.send_photo("The new look")),
    "video": ("video", lambda admin: admin.send_video("How it is done")),
    "document": ("document", lambda admin: admin.send_document("Read me", content=b"text", name="read.txt")),
    "voice": ("voice", lambda admin: admin.send_voice()),
    "sticker": ("sticker", lambda admin: admin.send_sticker()),
    "location": ("location", lambda admin: admin.send_location(52.5, 13.4)),
    "poll": ("poll", lambda admin: admin.send_poll("Earlier reminders?", "Yes", "No")),
    "quiz": ("poll", lambda admin: admin.send_poll("How many forms?", "Two", "Ten", correct=1)),
}


@pytest.fixture
async def bot(tmp_path: Path, telegram: Telegram, clock: SharedClock) -> AsyncIterator[Process]:
    clock.set(START, speed=20.0)
    process = Process(tmp_path, telegram.url, environment={"ADMIN_IDS": str(ADMIN)})
    await process.start()
    yield process
    assert await process.stop() == 0, process.log
    assert "Traceback" not in process.log


def looks(person: Person, seen: Seen) -> tuple[str, str, str, object]:
    """What somebody sees of a message: formatting, kind and what is in it, but for a poll's own number."""
    media = person.room.messages[seen.message_id].media or Media("", {})
    inside = media.fields
    if media.kind == "poll" and isinstance(inside, dict):
        inside = {name: value for name, value in inside.items() if name != "id"}
    return seen.html, media.kind, media.name, inside


@pytest.mark.long
async def test_every_kind_arrives_as_it_was_written_and_as_the_preview_showed_it(
    bot: Process, telegram: Telegram
) -> None:
    admin = await settle_in(telegram, ADMIN)
    ada = await settle_in(telegram, 1)
    for number, (name, (kind, write)) in enumerate(KINDS.items(), start=1):
        original = await write(admin)
        await admin.reply(original, "/broadcast")
        draft = await admin.until(
            lambda seen, after=original: seen.message_id > after and "Above is what people will see." in seen.text  # type: ignore[misc]
        )
        preview = max(
            (seen for seen in admin.chat if seen.from_bot and original < seen.message_id < draft.message_id),
            key=lambda seen: seen.message_id,
        )
        await begun(admin)
        await admin.until(lambda seen, number=number: f"Broadcast {number}: done" in seen.text)  # type: ignore[misc]

        mine = next(seen for seen in admin.chat if seen.message_id == original)
        assert ada.last.media == kind, name
        assert looks(ada, ada.last) == looks(admin, preview) == looks(admin, mine), name
    assert bot.rows("SELECT fate, count(*) FROM recipients GROUP BY fate") == [("delivered", 2 * len(KINDS))]


@pytest.mark.parametrize("what", ["a forwarded quiz", "an invoice"])
async def test_what_nobody_can_copy_is_a_sentence_and_no_draft(bot: Process, telegram: Telegram, what: str) -> None:
    admin = await settle_in(telegram, ADMIN)
    if what == "an invoice":
        invoice = {"title": "Lull", "description": "-", "start_parameter": "", "currency": "XTR", "total_amount": 1}
        original = await admin.send("", extra={"invoice": invoice})
    else:
        original = await admin.send_poll("How many?", "Two", "Ten", correct=1, forwarded=True)
    assert "reply to it with /broadcast" in (await admin.until(lambda seen: seen.message_id > original)).text
    admin.catch_up()

    await admin.reply(original, "/broadcast")

    said = await admin.next()
    assert said.text == "Telegram lets nobody copy that message, so it cannot go out. Please send me another one."
    await telegram.idle()
    assert admin.last.message_id == said.message_id
    assert "Traceback" not in bot.log


async def test_one_of_an_album_goes_alone_and_that_is_said(bot: Process, telegram: Telegram) -> None:
    del bot
    admin = await settle_in(telegram, ADMIN)
    first = await admin.send_video("Morning", album="12345")
    await admin.send_video("Evening", album="12345")
    await admin.until(lambda seen: seen.message_id > first and "reply to it with /broadcast" in seen.text)
    admin.catch_up()

    await admin.reply(first, "/broadcast")

    assert "one of an album" in (await admin.next()).text
    assert (await admin.next()).text == "Morning"
    assert "Above is what people will see." in (await admin.next()).text
