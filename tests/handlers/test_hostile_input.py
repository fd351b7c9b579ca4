"""Nonsense, forgeries and strangers: one friendly line or a correct silence, the old value kept, every press answered."""

from __future__ import annotations

import pytest

from bot.fake_telegram.people import ANONYMOUS, Person
from bot.fake_telegram.values import Fields
from tests.handlers.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEPT = (
    "status",
    "bedtimes",
    "zone",
    "lead",
    "form",
    "check_ins",
    "no_check_in",
    "paused_until",
    "language",
    "away_zone",
)
NONSENSE = {
    "letters": "xyzzy plugh",
    "long": "9" * 3900,
    "negative": "-5",
    "huge": "99999999999999999999",
    "fraction": "22.75.99",
    "control": "\x00\x07\x1b[31m",
    "bidi": "\u202e22:45\u202c\u2066x",
    "emoji": "🛏️🌙💤",
    "rtl": "שלום עולם",
    "chinese": "睡觉吧朋友",
    "html": "<b>22:99</b>",
    "entity": "&lt;script&gt;",
    "sql": "'; DROP TABLE users; --",
    "path": "../../etc/passwd",
    "format": "{0.__class__} %s %n",
}
COMMANDS = ["/bedtime", "/lead", "/timezone", "/form", "/language", "/checkin", "/pause"]


async def resident(house: House) -> Person:
    """Somebody who is set up, whose greeting is out of the way."""
    person = await house.settled()
    person.catch_up()
    return person


@pytest.mark.parametrize("command", COMMANDS)
async def test_nonsense_after_a_command_gets_one_clear_line_and_changes_nothing(house: House, command: str) -> None:
    person = await resident(house)
    before = house.row(person, *KEPT)

    for text in NONSENSE.values():
        if (command, text) == ("/timezone", "-5"):
            continue  # that is an offset
        answer = await house.says(person, f"{command} {text}")
        assert answer.text.count("\n") < 2, answer.text
        assert len(answer.text) < 300
        assert "xyzzy" not in answer.text
        assert house.row(person, *KEPT) == before, text


async def test_nonsense_on_its_own_gets_one_friendly_line(house: House) -> None:
    person = await resident(house)
    before = house.row(person, *KEPT)

    for text in NONSENSE.values():
        answer = await house.says(person, text)
        assert answer.text == "I did not understand that, sorry. /help shows what I can do.", text

    assert house.row(person, *KEPT) == before


async def test_an_odd_slash_line_is_met_with_a_word_about_help(house: House) -> None:
    person = await resident(house)

    for text in ("/", "//", "/nonsense", "/BED TIME", "/@", "/\u202ebed time"):
        answer = await house.says(person, text)
        assert answer.text == "I do not know that command. /help shows those I know.", text


@pytest.mark.parametrize(
    "text",
    ["/BEDTIME 22:15", "/Bedtime@lull_sandbox_bot 22:15", "/bedtime@LULL_SANDBOX_BOT   22:15", "/bedtime\n22:15"],
)
async def test_commands_are_known_in_any_dress(house: House, text: str) -> None:
    person = await resident(house)

    answer = await house.says(person, text)

    assert answer.text.startswith("Bedtime: 22:15.\nNext reminder: Thursday 26 March, 21:30")
    assert house.row(person, "bedtimes") == ("1335",)


FORGED = [
    "",
    "v1",
    "v1:",
    "v2:taken:2026-03-26",
    "v1:nonsense:1",
    "v1:taken",
    "v1:taken:2026-02-30",
    "v1:taken:0001-01-01",
    "v1:taken:9999-12-31",
    "v1:taken:2099-12-31",
    "v1:taken:2000-01-01",
    "v1:taken:2026-W13-4",
    "v1:taken:2026-03-2६",
    "v1:skip:2026-03-30",
    "v1:why:2026-03-26:sloth",
    "v1:undo:2020-01-01",
    "v1:snooze:2026-03-26",
    "v1:unsnooze:2030-03-26",
    "v1:snz:2026-03-26:17",
    "v1:snz:2026-03-26",
    "v1:rate:2026-03-26:2",
    "v1:rate:2026-03-25:99",
    "v1:rate:2020-03-25:1",
    "v1:unrate:2026-03-30",
    "v1:took:2026-03-30:1",
    "v1:took:2026-03-25",
    "v1:later:2030-01-01",
    "v1:late:2026-03-26:99999",
    "v1:late:2026-03-30:1400",
    "v1:keep:forever",
    "v1:bed:1440",
    "v1:bed:-1",
    "v1:bed:999999999999",
    "v1:bedw:x",
    "v1:zone:../../etc/passwd",
    "v1:zone:Mars/Olympus",
    "v1:zone:",
    "v1:away:until:../../etc/passwd",
    "v1:away",
    "v1:lead:5",
    "v1:lead:121",
    "v1:form:poison",
    "v1:form_card:poison",
    "v1:checkin:1440",
    "v1:checkin:never",
    "v1:nudges:3",
    "v1:toggle:status",
    "v1:language:xx",
    "v1:panel:secret",
    "v1:pause:-1",
    "v1:pause:400",
    "v1:tip_more:poison",
    "v1:tip_down:poison",
    "v1:topic:poison:1",
    "v1:bed:1:2:3:4:5",
    "v1:" + "x" * 62,
    "\x00\x01\x02",
    "🛏️" * 16,
    "'; DROP TABLE users; --",
]


@pytest.mark.parametrize("forged", [FORGED[0::2], FORGED[1::2]])  # all at once would be a flood
async def test_a_forged_button_is_answered_and_changes_nothing(house: House, forged: list[str]) -> None:
    person = await resident(house)
    before, said = house.row(person, *KEPT), len(person.chat)

    for data in forged:
        notice = await house.noticed(person, data=data)
        assert notice == "That button is out of date. /tonight shows where things stand.", data

    assert house.row(person, *KEPT) == before
    assert house.nights(person, "night") == []
    assert len(person.chat) == said


async def test_a_forged_button_of_a_stranger_is_answered_too(house: House) -> None:
    person = house.someone()
    await house.says(person, "/start")

    for data in ("v1:pause:7", "v1:later:2026-03-26", "v1:keep:pause", "v1:hour_ok", "v1:bed:1350", *FORGED[:30]):
        await house.noticed(person, data=data)

    assert house.row(person, "status", "consent") == ("new", None)


async def test_nobody_presses_a_button_of_another_persons_chat(house: House) -> None:
    owner, stranger = await resident(house), await resident(house)
    query = house.telegram.world.new_query(stranger.id, "v1:bed:1400")
    message = house.telegram.world.fields(owner.room.messages[owner.last.message_id])
    shown = owner.chat

    house.telegram.inject(
        {
            "callback_query": {
                "id": query.query_id,
                "from": stranger.user,
                "chat_instance": "1",
                "message": message,
                "data": "v1:bed:1400",
            }
        }
    )
    await stranger.answered(query)

    assert house.row(owner, "bedtimes") == house.row(stranger, "bedtimes") == ("1350",)
    assert owner.chat == shown


@pytest.mark.parametrize("where", ["inline", "nowhere", "inaccessible", "group", "game"])
async def test_a_press_without_its_message_is_answered(house: House, where: str) -> None:
    person = await resident(house)
    query = house.telegram.world.new_query(person.id, "v1:panel:top")
    press: Fields = {"id": query.query_id, "from": person.user, "chat_instance": "1", "data": "v1:panel:top"}
    group = {"id": -1002, "type": "supergroup", "title": "Nights"}
    more: dict[str, Fields] = {
        "inline": {"inline_message_id": "AAAA"},
        "nowhere": {},
        "inaccessible": {"message": {"chat": person.room.chat, "message_id": 3, "date": 0}},
        "group": {"message": {"chat": group, "message_id": 3, "date": 1774546200, "text": "x"}},
        "game": {"game_short_name": "x"},
    }
    if where == "game":
        del press["data"]

    house.telegram.inject({"callback_query": press | more[where]})
    await person.answered(query)

    if where == "inaccessible":
        assert (await person.next()).text.startswith("Settings")
    else:
        assert "out of date" in (query.text or "")


MEDIA: dict[str, Fields] = {
    "video": {"video": {"file_id": "v", "file_unique_id": "v", "width": 1, "height": 1, "duration": 1}},
    "video note": {"video_note": {"file_id": "v", "file_unique_id": "v", "length": 1, "duration": 1}},
    "animation": {"animation": {"file_id": "v", "file_unique_id": "v", "width": 1, "height": 1, "duration": 1}},
    "audio": {"audio": {"file_id": "v", "file_unique_id": "v", "duration": 1}},
    "contact": {"contact": {"phone_number": "1", "first_name": "B"}},
    "dice": {"dice": {"emoji": "🎲", "value": 3}},
    "poll": {
        "poll": {
            "id": "1",
            "question": "?",
            "options": [],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
            "allows_revoting": False,
            "members_only": False,
        }
    },
    "unheard of": {"hologram": {"depth": 3}},
}


def _message(house: House, person: Person, **more: object) -> Fields:
    return {
        "message_id": 900_000,
        "date": house.telegram.world.now(),
        "chat": person.room.chat,
        "from": person.user,
        **more,
    }


@pytest.mark.parametrize("content", MEDIA.values(), ids=MEDIA.keys())
async def test_what_cannot_be_read_is_said_so_kindly(house: House, content: Fields) -> None:
    person = await resident(house)

    house.telegram.inject({"message": _message(house, person, **content)})

    assert (await person.next()).text == "I can read text and buttons only. /help shows what I can do."


@pytest.mark.parametrize("act", ["send_photo", "send_document", "send_sticker", "send_voice"])
async def test_files_are_met_the_same_way(house: House, act: str) -> None:
    person = await resident(house)

    await getattr(person, act)()

    assert (await person.next()).text == "I can read text and buttons only. /help shows what I can do."


async def test_an_album_gets_one_line(house: House) -> None:
    person = await resident(house)
    photo = [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]

    for _ in range(4):
        house.telegram.inject({"message": _message(house, person, photo=photo, media_group_id=f"a{person.id}")})
    await person.next()
    answer = await house.says(person, "hm")

    assert answer.text.startswith("I did not understand")


@pytest.mark.parametrize(
    "update",
    [
        {"edited_message": "own"},
        {"message": {"pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}}},
        {"message": {"message_auto_delete_timer_changed": {"message_auto_delete_time": 86400}}},
        {"message_reaction": {"chat": {"id": 1, "type": "private"}, "message_id": 1, "date": 1}},
        {"channel_post": {"message_id": 1, "date": 1, "chat": {"id": -1009, "type": "channel"}, "text": "/took"}},
        {"something_new": {"from": {"id": 5}, "text": "/took"}},
        {"poll": {"id": "1"}},
        {},
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_not_for_the_bot_is_met_with_silence(house: House, update: Fields) -> None:
    person = await resident(house)
    if update.get("edited_message") == "own":
        update = {"edited_message": _message(house, person, text="/took", edit_date=1)}
    if isinstance(update.get("message"), dict):
        update = {"message": _message(house, person, **update["message"])}  # type: ignore[dict-item]  # looked at above

    house.telegram.inject(dict(update))
    answer = await house.says(person, "/lead 50")

    assert answer.text.startswith("I will remind you 50 minutes before bed.")
    assert house.nights(person, "night") == []


async def test_a_group_is_told_once_and_other_bots_commands_are_none_of_ours(house: House) -> None:
    person, group = await resident(house), house.telegram.group(-1_001_000_000_007)

    await group.post(person, "/start@some_other_bot")
    await group.post(person, "good night everybody")
    for text in ("/start", "/took@lull_sandbox_bot", "/bedtime 23:00"):
        await group.post(person, text)
    await group.post(person, "/took", anonymous=True)
    await house.says(person, "/lead 50")

    ours = [seen.text for seen in group.chat if seen.from_bot]
    assert ours == ["I work in private chats: tap my name and press Start."]
    assert house.row(person, "bedtimes") == ("1350",)
    assert house.nights(person, "night") == []
    assert house.lull.rows("SELECT id FROM users WHERE id = ?", ANONYMOUS["id"]) == []


async def test_a_forwarded_command_is_the_forwarders_own(house: House) -> None:
    owner, other = await resident(house), await resident(house)

    await other.forward(owner.user, "/lead 70")
    await other.next()

    assert house.row(owner, "lead") == (None,)
    assert house.row(other, "lead") == (70,)


async def test_a_person_without_a_language_or_a_name_is_welcome(house: House) -> None:
    person = house.someone(language=None)
    person.user["first_name"] = ""

    assert (await house.says(person, "/start")).text.startswith("Hello, I am Lull.")


async def test_who_floods_is_told_once_and_nobody_else_notices(house: House) -> None:
    flooder, other = await resident(house), await resident(house)
    house.clock.set(house.clock.now(), speed=1.0)

    queries = [await flooder.press(data="v1:hour_ok") for _ in range(140)]
    answer = await house.says(other, "/lead 55")
    for query in queries:
        await flooder.answered(query)
    house.clock.set(house.clock.now(), speed=20.0)

    assert answer.text.startswith("I will remind you 55 minutes before bed.")
    assert [seen.text for seen in flooder.chat if "Slow down" in seen.text] == [
        "Slow down a little, please: I answer again in a minute."
    ]
