"""Turns the parameters of a call into a message: text, entities, keyboard, reply, file."""

from __future__ import annotations

from typing import cast

from bot.fake_telegram import formatting, keyboards
from bot.fake_telegram.formatting import Text
from bot.fake_telegram.media import Media
from bot.fake_telegram.values import SHAPES, Fields, Params, Refused, Upload, read, utf16
from bot.fake_telegram.world import BOT, Message, Room, World

_LONGEST_TEXT = 4096
_LONGEST_CAPTION = 1024
_UNSUPPORTED = {
    "business_connection_id": "business connection not found",
    "message_thread_id": "message thread not found",
    "direct_messages_topic_id": "message thread not found",
    "suggested_post_parameters": "suggested posts can be sent only to channel direct messages",
    "inline_message_id": "MESSAGE_ID_INVALID",
    "rich_message": "rich messages are not supported here",
}


def body(given: Params) -> Text:
    """The text of a message."""
    found = _formatted(given, "text", "entities")
    if not found.plain:
        raise Refused("message text is empty")
    if utf16(found.plain) > _LONGEST_TEXT:
        raise Refused("message is too long")
    return found


def caption(given: Params) -> Text:
    found = _formatted(given, "caption", "caption_entities")
    if utf16(found.plain) > _LONGEST_CAPTION:
        raise Refused("message caption is too long")
    return found


def _formatted(given: Params, name: str, entities: str) -> Text:
    plain = given.text(name) or ""
    mode = given.text("parse_mode")
    if mode:
        if mode.lower() != "html":
            raise Refused("unsupported parse_mode")
        return formatting.from_html(plain)
    return formatting.from_entities(plain, given.records(entities) or [])


def markup(given: Params, room: Room) -> Fields | None:
    """The keyboard; an inline keyboard without buttons is none."""
    found = given.record("reply_markup")
    if found is None:
        return None
    checked = keyboards.checked(found, private=room.private)
    return None if checked.get("inline_keyboard") == [] else checked


def supported(given: Params) -> None:
    """Refuses what exists in the Bot API and not in private chats with this bot."""
    for name, reason in _UNSUPPORTED.items():
        if name in given:
            raise Refused(reason)


def message(world: World, given: Params, text: Text, media: Media | None = None) -> Message:
    """A new message of the bot, posted."""
    supported(given)
    room = world.writable(given.chat())
    sender = BOT if room.chat["type"] != "channel" else {}
    effect = given.text("message_effect_id")
    if effect is not None and not (effect.isdigit() and room.private):
        raise Refused("EFFECT_ID_INVALID")
    link = given.record("link_preview_options")
    if link is not None and "url" in link and not formatting.URL.fullmatch(str(link["url"])):
        raise Refused("WEBPAGE_URL_INVALID")
    return world.post(
        room,
        Message(
            chat_id=room.chat_id,
            message_id=0,
            sent_at=0,
            from_bot=True,
            sender=sender,
            text=text,
            media=media,
            markup=markup(given, room),
            silent=given.flag("disable_notification"),
            protected=given.flag("protect_content"),
            reply_to=_reply(given, room),
            extra={"sender_chat": room.chat} if room.chat["type"] == "channel" else {},
        ),
    )


def _reply(given: Params, room: Room) -> int | None:
    wanted = given.record("reply_parameters")
    if wanted is None:
        return None
    number = cast("int", wanted["message_id"])
    elsewhere = wanted.get("chat_id", room.chat_id) != room.chat_id
    if number in room.messages and not elsewhere:
        return number
    if wanted.get("allow_sending_without_reply"):
        return None
    raise Refused("message to be replied not found")


def media(world: World, fields: Fields, files: dict[str, Upload]) -> tuple[Media, Text]:
    """The new photo or document of an edited message, with its caption."""
    inner = Params(read(SHAPES[f"InputMedia{str(fields['type']).capitalize()}"], fields))
    given = attached(str(fields["media"]), files)
    found = world.files.photo(given) if fields["type"] == "photo" else world.files.document(given)
    return found, caption(inner)


def attached(given: Upload | str | None, files: dict[str, Upload]) -> Upload | str:
    """The upload that `attach://name` means, or what was given."""
    if isinstance(given, str) and given.startswith("attach://"):
        name = given.removeprefix("attach://")
        if name not in files:
            raise Refused(f'file "{name}" was not attached')
        return files[name]
    if not given:
        raise Refused("there is no file in the request")
    return given
