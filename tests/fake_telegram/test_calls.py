"""How strictly the stand-in reads calls, over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from bot.fake_telegram.telegram import Telegram
from tests.fake_telegram.caller import Caller

ADA = 42


@pytest.fixture(autouse=True)
async def ada(telegram: Telegram) -> None:
    await telegram.person(ADA).send("/start")


def keyboard(**button: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[button]]}


async def test_a_wrong_token_is_unauthorised_and_an_unknown_method_not_found(caller: Caller) -> None:
    telegram = caller.telegram
    async with caller.session.get(f"{telegram.url}/bot999:WRONG/getMe") as answer:
        assert (answer.status, (await answer.json())["description"]) == (401, "Unauthorized")

    missing = await caller.json("sendTelepathy")

    assert missing == {"ok": False, "error_code": 404, "description": "Not Found"}


async def test_query_form_json_and_multipart_bodies_mean_the_same(caller: Caller) -> None:
    url = f"{caller.telegram.url}/bot{caller.telegram.token}/sendMessage"
    markup = keyboard(text="Taken", callback_data="t")
    texts = {"chat_id": str(ADA), "text": "hello", "disable_notification": "true", "reply_markup": json.dumps(markup)}
    multipart = aiohttp.FormData(texts, default_to_multipart=True)
    async with caller.session.get(url, params=texts) as answer:
        by_query = await answer.json()
    async with caller.session.post(url, data=multipart) as answer:
        by_multipart = await answer.json()
    by_form = await caller.form("sendMessage", texts)
    by_json = await caller.json(
        "sendMessage", chat_id=ADA, text="hello", disable_notification=True, reply_markup=markup
    )

    for found in (by_query, by_multipart, by_form, by_json):
        assert found["result"]["text"] == "hello"
        assert found["result"]["reply_markup"] == markup
    shown = caller.telegram.person(ADA).chat[1:]
    assert [message.silent for message in shown] == [True] * 4


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"chat_id": ADA, "text": "x", "parsemode": "HTML"}, 'Bad Request: unknown parameter "parsemode"'),
        ({"text": "x"}, 'Bad Request: parameter "chat_id" is required'),
        ({"chat_id": ADA}, "Bad Request: message text is empty"),
        ({"chat_id": ADA, "text": "  \n "}, "Bad Request: message text is empty"),
        ({"chat_id": ADA, "text": "<b></b>", "parse_mode": "HTML"}, "Bad Request: message text is empty"),
        ({"chat_id": ADA, "text": "x" * 4097}, "Bad Request: message is too long"),
        ({"chat_id": ADA, "text": "😴" * 2049}, "Bad Request: message is too long"),
        ({"chat_id": ADA, "text": 5}, 'Bad Request: parameter "text" must be of type String'),
        ({"chat_id": 7, "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": "@nobody_here", "text": "x"}, "Bad Request: chat not found"),
        ({"chat_id": True, "text": "x"}, 'Bad Request: parameter "chat_id" must be of type Integer'),
        ({"chat_id": ADA, "text": "x", "parse_mode": "MarkdownV2"}, "Bad Request: unsupported parse_mode"),
        ({"chat_id": ADA, "text": "x", "message_thread_id": 5}, "Bad Request: message thread not found"),
        ({"chat_id": ADA, "text": "x", "message_effect_id": "big"}, "Bad Request: EFFECT_ID_INVALID"),
        (
            {"chat_id": ADA, "text": "x", "disable_notification": 1},
            'Bad Request: parameter "disable_notification" must be of type Boolean',
        ),
        (
            {"chat_id": ADA, "text": "x", "reply_parameters": {"message_id": 999}},
            "Bad Request: message to be replied not found",
        ),
        (
            {"chat_id": ADA, "text": "x", "link_preview_options": {"disabled": True}},
            'Bad Request: unknown field "disabled" in link_preview_options (LinkPreviewOptions)',
        ),
    ],
)
async def test_a_message_that_telegram_would_not_take_is_refused(
    caller: Caller, fields: dict[str, Any], reason: str
) -> None:
    assert await caller.refusal("sendMessage", **fields) == reason


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        (keyboard(text="A"), "text buttons are unallowed in the inline keyboard"),
        (keyboard(text=" ", callback_data="a"), "button text must be non-empty"),
        (keyboard(text="A", callback_data=""), "BUTTON_DATA_INVALID"),
        (keyboard(text="A", callback_data="é" * 33), "BUTTON_DATA_INVALID"),
        (keyboard(text="A", callback_data="a", url="https://example.org"), "exactly one action"),
        (keyboard(text="A", url="example"), "Wrong HTTP URL"),
        (keyboard(text="A", url="ftp://example.org"), "Wrong HTTP URL"),
        (keyboard(text="A", callback_data="a", style="pink"), 'invalid button style "pink"'),
        (keyboard(text="A", data="a"), 'unknown field "data"'),
        (keyboard(callback_data="a"), 'can\'t find field "text"'),
        ({"inline_keyboard": [[{"text": "A", "callback_data": "a"}] * 9]}, "more than 8 buttons"),
        ({"inline_keyboard": [[{"text": "A", "callback_data": "a"}]] * 101}, "REPLY_MARKUP_TOO_LONG"),
        ({"inline_keyboard": [{"text": "A", "callback_data": "a"}]}, "must be of type Array"),
        ({"inline_keyboard": [[]]}, "an empty row"),
        ({}, "object expected as reply markup"),
        ({"remove_keyboard": False}, "must be True"),
        ({"keyboard": []}, "at least one button"),
        ("keyboard", "must be of type Object"),
    ],
)
async def test_a_keyboard_that_telegram_would_not_take_is_refused(caller: Caller, markup: Any, reason: str) -> None:
    assert reason in await caller.refusal("sendMessage", chat_id=ADA, text="x", reply_markup=markup)


@pytest.mark.parametrize(
    "markup",
    [
        keyboard(text="A", callback_data="é" * 32, style="success"),
        keyboard(text="A", url="https://example.org/a?b=c"),
        {"inline_keyboard": []},
        {"keyboard": [[{"text": "Here", "request_location": True}], ["Berlin"]], "resize_keyboard": True},
        {"remove_keyboard": True},
        {"force_reply": True, "input_field_placeholder": "22:30"},
    ],
)
async def test_a_good_keyboard_is_taken(caller: Caller, markup: dict[str, Any]) -> None:
    assert (await caller.json("sendMessage", chat_id=ADA, text="x", reply_markup=markup))["ok"]


async def test_an_object_in_a_form_that_is_no_json_is_refused(caller: Caller) -> None:
    answer = await caller.form("sendMessage", {"chat_id": str(ADA), "text": "x", "reply_markup": "{'a': 1}"})

    assert answer["description"].startswith("Bad Request: can't parse reply_markup JSON object")


async def test_an_edit_that_changes_nothing_or_what_is_not_the_bots_is_refused(caller: Caller) -> None:
    markup = keyboard(text="Taken", callback_data="t")
    sent = await caller.json("sendMessage", chat_id=ADA, text="<b>a</b>", parse_mode="HTML", reply_markup=markup)
    place = {"chat_id": ADA, "message_id": sent["result"]["message_id"]}
    theirs = caller.telegram.person(ADA).chat[0].message_id

    same = await caller.refusal("editMessageText", **place, text=" <b>a</b> ", parse_mode="HTML", reply_markup=markup)
    same_markup = await caller.refusal("editMessageReplyMarkup", **place, reply_markup=markup)
    plain = await caller.json("editMessageText", **place, text="a")
    missing = await caller.refusal("editMessageText", chat_id=ADA, message_id=999, text="b")
    not_ours = await caller.refusal("editMessageText", chat_id=ADA, message_id=theirs, text="b")
    no_caption = await caller.refusal("editMessageCaption", **place, caption="b")

    assert same.startswith("Bad Request: message is not modified: ")
    assert same_markup.startswith("Bad Request: message is not modified: ")
    assert plain["result"]["edit_date"] > 0
    assert "reply_markup" not in plain["result"]
    assert missing == "Bad Request: message to edit not found"
    assert not_ours == "Bad Request: message can't be edited"
    assert no_caption == "Bad Request: there is no caption in the message to edit"


async def test_a_message_with_a_keyboard_under_the_input_field_cannot_be_edited(caller: Caller) -> None:
    sent = await caller.json("sendMessage", chat_id=ADA, text="where?", reply_markup={"keyboard": [["Berlin"]]})

    refusal = await caller.refusal(
        "editMessageText", chat_id=ADA, message_id=sent["result"]["message_id"], text="there"
    )

    assert refusal == "Bad Request: message can't be edited"


async def test_deleting_twice_is_refused(caller: Caller) -> None:
    sent = await caller.json("sendMessage", chat_id=ADA, text="x")
    place = {"chat_id": ADA, "message_id": sent["result"]["message_id"]}

    assert (await caller.json("deleteMessage", **place))["result"] is True
    assert await caller.refusal("deleteMessage", **place) == "Bad Request: message to delete not found"


async def test_a_press_can_be_answered_for_a_quarter_of_an_hour(caller: Caller) -> None:
    await caller.json("sendMessage", chat_id=ADA, text="x", reply_markup=keyboard(text="Taken", callback_data="t"))
    query = await caller.telegram.person(ADA).press("Taken")
    old = await caller.telegram.person(ADA).press("Taken")
    old.pressed_at -= 15 * 60 + 1
    too_old = "Bad Request: query is too old and response timeout expired or query ID is invalid"

    fine = await caller.json("answerCallbackQuery", callback_query_id=query.query_id, text="Good night")

    assert fine["result"] is True
    assert (query.answered, query.text) == (True, "Good night")
    assert await caller.refusal("answerCallbackQuery", callback_query_id=old.query_id) == too_old
    assert await caller.refusal("answerCallbackQuery", callback_query_id="1") == too_old
    assert "from 0 to 200" in await caller.refusal("answerCallbackQuery", callback_query_id="1", text="x" * 201)


async def test_people_who_cannot_be_written_to_are_told_apart(caller: Caller) -> None:
    telegram = caller.telegram
    telegram.person(1)
    for number in (2, 3, 4):
        await telegram.person(number).send("hi")
    await telegram.person(2).block()
    await telegram.person(3).deactivate()
    await telegram.person(4).block()
    await telegram.person(4).unblock()

    async def refusal(chat_id: int) -> str:
        return await caller.refusal("sendMessage", chat_id=chat_id, text="x")

    assert await refusal(1) == "Forbidden: bot can't initiate conversation with a user"
    assert await refusal(2) == "Forbidden: bot was blocked by the user"
    assert await refusal(3) == "Forbidden: user is deactivated"
    assert (await caller.json("sendMessage", chat_id=4, text="x"))["ok"]


async def test_a_group_that_became_a_supergroup_says_where_it_went(caller: Caller) -> None:
    group = caller.telegram.group(-55)
    await group.migrate(-1001234567890)

    answer = await caller.json("sendMessage", chat_id=-55, text="x")

    assert answer["parameters"] == {"migrate_to_chat_id": -1001234567890}
    assert (await caller.json("sendMessage", chat_id=-1001234567890, text="x"))["ok"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"commands": [{"command": "Start", "description": "x"}]}, "BOT_COMMAND_INVALID"),
        ({"commands": [{"command": "start", "description": ""}]}, "from 1 to 256"),
        ({"commands": [{"command": "start", "description": "x"}] * 101}, "more than 100"),
        ({"commands": [], "language_code": "pt-br"}, "invalid language code specified"),
        ({"commands": [], "scope": {"type": "chat", "chat_id": 7}}, "chat not found"),
        ({"commands": [], "scope": {"type": "everywhere"}}, "unsupported type"),
        ({"commands": [], "scope": {"type": "chat"}}, "can't find field"),
        ({}, "is required"),
    ],
)
async def test_a_bad_command_menu_is_refused(caller: Caller, fields: dict[str, Any], reason: str) -> None:
    assert reason in await caller.refusal("setMyCommands", **fields)


async def test_menus_and_profile_texts_are_kept_by_scope_and_language(caller: Caller) -> None:
    menu = [{"command": "start", "description": "Losgehen"}]
    scope = {"type": "all_private_chats"}

    await caller.json("setMyCommands", commands=menu, scope=scope, language_code="de")
    await caller.json("setMyDescription", description="Reminds you", language_code="")
    await caller.json("setMyDescription", description="Erinnert", language_code="de")

    assert (await caller.json("getMyCommands", scope=scope, language_code="de"))["result"] == menu
    assert (await caller.json("getMyCommands"))["result"] == []
    assert (await caller.json("getMyDescription", language_code="de"))["result"] == {"description": "Erinnert"}
    assert (await caller.json("getMyDescription", language_code="fr"))["result"] == {"description": "Reminds you"}
    assert "from 0 to 120" in await caller.refusal("setMyShortDescription", short_description="x" * 121)


async def test_reactions_and_actions_come_from_telegrams_lists(caller: Caller) -> None:
    theirs = caller.telegram.person(ADA).chat[0].message_id
    place = {"chat_id": ADA, "message_id": theirs}

    good = await caller.json("setMessageReaction", **place, reaction=[{"type": "emoji", "emoji": "👍"}])
    bad = await caller.refusal("setMessageReaction", **place, reaction=[{"type": "emoji", "emoji": "🛏"}])

    assert good["result"] is True
    assert caller.telegram.person(ADA).chat[0].reaction == "👍"
    assert bad == "Bad Request: REACTION_INVALID"
    assert (await caller.json("sendChatAction", chat_id=ADA, action="typing"))["ok"]
    assert "wrong parameter action" in await caller.refusal("sendChatAction", chat_id=ADA, action="sleeping")


async def test_files_are_looked_at(caller: Caller, picture: bytes) -> None:
    async def send(method: str, field: str, content: bytes, **texts: str) -> dict[str, Any]:
        form = aiohttp.FormData({"chat_id": str(ADA), **texts})
        form.add_field(field, content, filename="a.bin")
        url = f"{caller.telegram.url}/bot{caller.telegram.token}/{method}"
        async with caller.session.post(url, data=form) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    good = await send("sendPhoto", "photo", picture, caption="<i>a week</i>", parse_mode="HTML")
    attached = await send("sendDocument", "zip", b"PK", document="attach://zip")

    assert good["result"]["photo"][0]["width"] == 300
    assert good["result"]["caption_entities"] == [{"type": "italic", "offset": 0, "length": 6}]
    assert attached["result"]["document"]["file_size"] == 2
    assert caller.telegram.person(ADA).last.content == b"PK"
    assert "IMAGE_PROCESS_FAILED" in (await send("sendPhoto", "photo", b"no picture"))["description"]
    assert "non-empty" in (await send("sendDocument", "document", b""))["description"]
    assert "caption is too long" in (await send("sendPhoto", "photo", picture, caption="x" * 1025))["description"]
    assert "unknown parameter" in (await send("sendPhoto", "pic", picture, photo="AgAC"))["description"]
    assert "wrong file identifier" in await caller.refusal("sendPhoto", chat_id=ADA, photo="AgAC")


async def test_every_call_is_logged_with_what_was_given_and_answered(caller: Caller) -> None:
    await caller.json("sendMessage", chat_id=ADA, text="x", wrong=1)

    call = caller.telegram.called_with("sendMessage")[-1]

    assert call.given == {"chat_id": ADA, "text": "x", "wrong": 1}
    assert call.status == 400
    assert call.answer["ok"] is False
