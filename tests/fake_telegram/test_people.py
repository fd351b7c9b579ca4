"""People that tests drive, in the same process and over HTTP, and the library's own bot on the other side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import telegram as ptb
from telegram.error import BadRequest, Forbidden, InvalidToken

from bot.clock import SharedClock
from bot.fake_telegram import client, server
from bot.fake_telegram.client import Remote
from bot.fake_telegram.faults import Fault, Limits
from bot.fake_telegram.telegram import Telegram

Receive = Callable[[], Awaitable[ptb.Update]]


@pytest.fixture
async def bot(telegram: Telegram) -> AsyncIterator[ptb.Bot]:
    async with ptb.Bot(telegram.token, base_url=f"{telegram.url}/bot") as found:
        yield found


@pytest.fixture
def receive(bot: ptb.Bot) -> Receive:
    offset = 0

    async def take() -> ptb.Update:
        nonlocal offset
        update = (await bot.get_updates(offset=offset, limit=1, timeout=5))[0]
        offset = update.update_id + 1
        return update

    return take


@pytest.fixture
async def remote(telegram: Telegram) -> AsyncIterator[Remote]:
    async with client.connected(telegram.url) as found:
        yield found


def keyboard(*labels: str) -> ptb.InlineKeyboardMarkup:
    return ptb.InlineKeyboardMarkup(
        [[ptb.InlineKeyboardButton(label, callback_data=label.lower()) for label in labels]]
    )


async def test_the_library_understands_everything_a_person_does(telegram: Telegram, receive: Receive) -> None:
    ada = telegram.person(42, "Ada", language_code="de", username="ada")
    first = await ada.send("/start bed_2230")
    await ada.reply(first, "22.30")
    await ada.send_location(52.5, 13.4)
    await ada.send_photo("look")
    await ada.send_document(content=b"a,b")
    await ada.send_sticker()
    await ada.send_voice()
    await ada.edit(first, "/start")
    await ada.forward({"id": 7, "is_bot": False, "first_name": "Bob"}, "forwarded")
    await ada.block()
    await telegram.group(-5).post(ada, "/start", anonymous=True)
    await telegram.channel(-1005).post(None, "news")

    updates = [await receive() for _ in range(12)]

    start = updates[0].message
    assert start is not None
    assert start.parse_entities(["bot_command"]) == {start.entities[0]: "/start"}
    assert (start.from_user.id, start.from_user.language_code, start.chat.type) == (42, "de", "private")
    assert updates[1].message.reply_to_message.message_id == first
    assert updates[2].message.location.latitude == 52.5
    assert (updates[3].message.photo[0].width, updates[3].message.caption) == (90, "look")
    assert updates[4].message.document.file_size == 3
    assert updates[5].message.sticker.width == 512
    assert updates[6].message.voice.mime_type == "audio/ogg"
    assert updates[7].edited_message.text == "/start"
    assert updates[8].message.forward_origin.sender_user.id == 7
    assert updates[9].my_chat_member.new_chat_member.status == "kicked"
    assert (updates[10].message.from_user.id, updates[10].message.sender_chat.id) == (1087968824, -5)
    assert updates[11].channel_post.text == "news"


async def test_a_night_with_the_librarys_bot(
    telegram: Telegram, bot: ptb.Bot, receive: Receive, picture: bytes
) -> None:
    ada = telegram.person(42)
    await ada.send("/start")
    message = (await receive()).message
    assert message is not None
    sent = await message.reply_html("<b>Bedtime</b> 23:00", reply_markup=keyboard("Taken", "Snooze"), do_quote=True)
    press = await ada.press("Taken")
    query = (await receive()).callback_query
    assert query is not None
    await query.edit_message_text("Taken 22:17", reply_markup=keyboard("Undo"))
    await query.answer("Good night", show_alert=True)
    photo = await bot.send_photo(42, picture, caption="A week")
    await photo.edit_caption("Two weeks")
    await photo.edit_media(ptb.InputMediaDocument(b"PK\x03", filename="nights.zip", caption="All of it"))
    copied = await message.copy(42, disable_notification=True)

    taken = await ada.until(lambda seen: seen.text == "Taken 22:17")
    answered = await ada.answered(press)

    assert taken.message_id == sent.message_id
    assert taken.edits == ("<b>Bedtime</b> 23:00",)
    assert taken.labels == ["Undo"]
    assert taken.reply_to == message.message_id
    assert (answered.text, answered.alert) == ("Good night", True)
    assert (ada.chat[2].file_name, ada.chat[2].edits) == ("nights.zip", ("A week", "Two weeks"))
    assert ada.last.message_id == copied.message_id
    assert (ada.last.text, ada.last.silent) == ("/start", True)


async def test_every_other_call_of_the_library_is_taken(telegram: Telegram, bot: ptb.Bot) -> None:
    await telegram.person(42).send("hi")
    scope = ptb.BotCommandScopeChat(42)

    assert (await bot.get_me()).username == "lull_sandbox_bot"
    assert await bot.set_my_commands([ptb.BotCommand("start", "Set up")], scope=scope, language_code="de")
    assert (await bot.get_my_commands(scope=scope, language_code="de"))[0].command == "start"
    assert await bot.delete_my_commands(scope=scope, language_code="de")
    assert await bot.set_my_name("Lull")
    assert (await bot.get_my_name()).name == "Lull"
    assert await bot.set_my_description("Reminds", language_code="de")
    assert (await bot.get_my_description("de")).description == "Reminds"
    assert await bot.set_my_short_description("Short")
    assert (await bot.get_my_short_description()).short_description == "Short"
    assert (await bot.get_chat(42)).first_name == "Ada"
    assert await bot.send_chat_action(42, "upload_photo")
    assert await bot.set_message_reaction(42, 1, "👍")
    assert (await bot.get_webhook_info()).url == ""
    assert await bot.delete_webhook(drop_pending_updates=True)
    preview = ptb.LinkPreviewOptions(is_disabled=True)
    markup = ptb.ReplyKeyboardMarkup([[ptb.KeyboardButton("Here", request_location=True)]], one_time_keyboard=True)
    assert await bot.send_message(42, "Where?", link_preview_options=preview, reply_markup=markup)
    sent = await bot.send_message(42, "x", reply_markup=ptb.ReplyKeyboardRemove(), protect_content=True)
    assert await sent.delete()
    assert {call.status for call in telegram.calls} == {200}


async def test_refusals_become_the_librarys_errors(telegram: Telegram, bot: ptb.Bot) -> None:
    ada = telegram.person(42)
    with pytest.raises(Forbidden, match="initiate conversation"):
        await bot.send_message(42, "x")
    await ada.send("hi")
    await ada.block()
    with pytest.raises(Forbidden, match="blocked"):
        await bot.send_message(42, "x")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(43, "x")
    telegram.token = "123456:REVOKED"
    with pytest.raises(InvalidToken):
        await bot.get_me()


async def test_next_gives_each_message_of_the_bot_once(telegram: Telegram, bot: ptb.Bot) -> None:
    ada = telegram.person(42)
    await ada.send("hi")
    waiting = asyncio.create_task(ada.next(timeout=5))
    for text in ("one", "two", "three"):
        await bot.send_message(42, text)

    assert (await waiting).text == "one"
    assert (await ada.next()).text == "two"
    ada.catch_up()
    with pytest.raises(TimeoutError, match="nothing new"):
        await ada.next(timeout=0.01)


async def test_a_button_is_pressed_on_the_newest_message_that_has_it(telegram: Telegram, bot: ptb.Bot) -> None:
    ada = telegram.person(42)
    await ada.send("hi")
    old = await bot.send_message(42, "old", reply_markup=keyboard("Taken"))
    await bot.send_message(42, "new", reply_markup=keyboard("Taken"))
    await bot.send_message(42, "last", reply_markup=keyboard("Undo"))
    await bot.get_updates(offset=-1)

    await ada.press("Taken")
    await ada.press("Taken", message=old.message_id)
    await ada.press(data="v1:forged")
    await ada.press(data="v1:gone", message=999)
    with pytest.raises(LookupError, match="no button 'Skip'"):
        await ada.press("Skip")

    presses = [update.callback_query for update in await bot.get_updates() if update.callback_query]
    assert [(press.message.text, press.data) for press in presses[:3]] == [
        ("new", "taken"),
        ("old", "taken"),
        ("last", "v1:forged"),
    ]
    # What cannot be reached any more has the date 0, also where the library makes an ordinary message of it.
    assert presses[3].message.date.timestamp() == 0


async def test_the_same_people_can_be_driven_over_http(telegram: Telegram, bot: ptb.Bot, remote: Remote) -> None:
    ada = await remote.person(42, "Ada", language_code="de")
    first = await ada.send("/start")
    await ada.reply(first, "22.30")
    await ada.send_location(52.5, 13.4)
    await ada.edit(first, "/start again")
    waiting = asyncio.create_task(ada.next(timeout=5))
    sent = await bot.send_message(42, "Hello", reply_markup=keyboard("Taken"), disable_notification=True)
    query_id = await ada.press("Taken")
    await bot.answer_callback_query(query_id, "Noted")
    await sent.edit_text("Taken")

    assert (await waiting).text == "Hello"
    assert (await ada.until(lambda seen: seen.text == "Taken")).edits == ("Hello",)
    assert (await ada.answered(query_id)).text == "Noted"
    assert await ada.chat() == telegram.person(42).chat
    assert len(await remote.calls()) == len(telegram.calls)
    with pytest.raises(LookupError, match="no button"):
        await ada.press("Nothing")
    await ada.block()
    with pytest.raises(Forbidden):
        await bot.send_message(42, "x")


async def test_faults_limits_clock_and_updates_can_be_set_over_http(tmp_path: Path) -> None:
    clock = SharedClock.create(tmp_path / "clock", origin=datetime(2026, 11, 20, 20, tzinfo=UTC))
    async with server.running(clock=clock) as telegram, client.connected(telegram.url) as remote:
        await remote.skip(7200)
        await remote.fault(Fault("status", "sendMessage", code=500, count=1))
        await remote.limit(Limits(per_chat=1))
        await remote.inject({"message": 5}, {"poll": 6})
        first = telegram.world.now()
        await remote.set(datetime(2026, 11, 21, 7, tzinfo=UTC), speed=60)

        assert first - datetime(2026, 11, 20, 22, tzinfo=UTC).timestamp() in range(60)
        assert (clock.now().day, clock.speed) == (21, 60)
        assert telegram.faults.listed()[0]["code"] == 500
        assert telegram.gate.limits == Limits(per_chat=1)
        assert telegram.world.updates.pending == 2
        await remote.clear_faults()
        assert telegram.faults.listed() == []
        with pytest.raises(LookupError, match="none of"):
            await remote.call("POST", "faults", {"kind": "earthquake"})


async def test_the_bot_is_idle_when_it_took_every_update_and_rests(telegram: Telegram, bot: ptb.Bot) -> None:
    await telegram.person(42).send("hi")
    assert not await telegram.idle(quiet=0.05, timeout=0.2)

    (update,) = await bot.get_updates()
    await bot.get_updates(offset=update.update_id + 1)

    assert await telegram.idle(quiet=0.05, timeout=5)
