"""What each Bot API method does to the world, once its parameters were found right."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast
from urllib.parse import urlsplit

from bot.fake_telegram import composing, keyboards, tables
from bot.fake_telegram.updates import Webhook
from bot.fake_telegram.values import Fields, Params, Refused, Upload
from bot.fake_telegram.world import BOT, Message, World

_UNDELETABLE_AFTER = 48 * 3600


@dataclass(frozen=True, slots=True)
class Call:
    """One call: where it acts, what was given, and the files that came along."""

    world: World
    given: Params
    files: dict[str, Upload] = field(default_factory=dict)


def _get_me(call: Call) -> object:
    abilities = ("can_join_groups", "can_read_all_group_messages", "supports_inline_queries", "can_connect_to_business")
    more = ("has_main_web_app", "has_topics_enabled", "allows_users_to_create_topics", "can_manage_bots")
    return BOT | dict.fromkeys(abilities + more, False) | {"can_join_groups": True}


def _get_file(call: Call) -> object:
    return call.world.files.described(call.given.text("file_id") or "")


def _send_message(call: Call) -> object:
    return call.world.fields(composing.message(call.world, call.given, composing.body(call.given)))


def _send_photo(call: Call) -> object:
    photo = call.world.files.photo(composing.attached(call.given.file("photo"), call.files))
    return call.world.fields(composing.message(call.world, call.given, composing.caption(call.given), photo))


def _send_document(call: Call) -> object:
    document = call.world.files.document(composing.attached(call.given.file("document"), call.files))
    return call.world.fields(composing.message(call.world, call.given, composing.caption(call.given), document))


def _copy_message(call: Call) -> object:
    given = call.given
    source = call.world.room(given.chat("from_chat_id")).messages.get(given.number("message_id"))
    if source is None:
        raise Refused("message to copy not found")
    if source.protected or tables.NEVER_COPIED & source.extra.keys():
        raise Refused("message can't be copied")
    text = composing.caption(given) if source.media and "caption" in given else source.text
    copied = None if source.media is None else call.world.files.copied(source.media)
    posted = composing.message(call.world, given, text, copied)
    return {"message_id": posted.message_id}


def _editable(call: Call) -> Message:
    composing.supported(call.given)
    if "chat_id" not in call.given or "message_id" not in call.given:
        raise Refused("message identifier is not specified")
    found = call.world.writable(call.given.chat()).messages.get(call.given.number("message_id"))
    if found is None:
        raise Refused("message to edit not found")
    if not found.from_bot or (found.markup is not None and not keyboards.is_inline(found.markup)):
        raise Refused("message can't be edited")
    return found


def _edited(call: Call, old: Message, new: Message) -> object:
    new = replace(new, markup=composing.markup(call.given, call.world.room(old.chat_id)))
    if (new.text, new.media, new.markup) == (old.text, old.media, old.markup):
        raise Refused(
            "message is not modified: specified new message content and reply markup are exactly the same"
            " as a current content and reply markup of the message"
        )
    history = (*old.history, old.html) if (new.text, new.media) != (old.text, old.media) else old.history
    return call.world.fields(call.world.change(replace(new, edited_at=call.world.now(), history=history)))


def _edit_text(call: Call) -> object:
    old, text = _editable(call), composing.body(call.given)
    if old.media is not None:
        raise Refused("there is no text in the message to edit")
    return _edited(call, old, replace(old, text=text))


def _edit_caption(call: Call) -> object:
    old, text = _editable(call), composing.caption(call.given)
    if old.media is None or not old.media.captioned:
        raise Refused("there is no caption in the message to edit")
    return _edited(call, old, replace(old, text=text))


def _edit_media(call: Call) -> object:
    old = _editable(call)
    media, text = composing.media(call.world, cast("Fields", call.given.record("media")), call.files)
    return _edited(call, old, replace(old, media=media, text=text))


def _edit_markup(call: Call) -> object:
    old = _editable(call)
    return _edited(call, old, old)


def _delete(call: Call) -> object:
    room = call.world.room(call.given.chat())
    found = room.messages.get(call.given.number("message_id"))
    if found is None:
        raise Refused("message to delete not found")
    if call.world.now() - found.sent_at > _UNDELETABLE_AFTER or not (found.from_bot or room.private):
        raise Refused("message can't be deleted for everyone")
    call.world.remove(found)
    return True


def _answer_query(call: Call) -> object:
    query = call.world.answerable(call.given.text("callback_query_id") or "")
    url = call.given.text("url")
    if url is not None and not url.startswith((f"https://t.me/{BOT['username']}?start=", "tg://")):
        raise Refused("URL_INVALID")
    query.answered, query.text, query.alert = True, call.given.text("text"), call.given.flag("show_alert")
    call.world.happened("answer", query.person_id)
    return True


def _chat_action(call: Call) -> object:
    composing.supported(call.given)
    room = call.world.writable(call.given.chat())
    if call.given.text("action") not in tables.ACTIONS:
        raise Refused("wrong parameter action in request")
    call.world.happened("action", room.chat_id)
    return True


def _react(call: Call) -> object:
    found = call.world.writable(call.given.chat()).messages.get(call.given.number("message_id"))
    if found is None:
        raise Refused("message to react not found")
    reactions = call.given.records("reaction") or []
    if len(reactions) > 1:
        raise Refused("REACTIONS_TOO_MANY")
    emoji = str(reactions[0].get("emoji", "")) if reactions else ""
    if reactions and emoji.replace("\ufe0f", "") not in tables.REACTIONS:
        raise Refused("REACTION_INVALID")
    call.world.change(replace(found, reaction=emoji), kind="reaction")
    return True


def _get_chat(call: Call) -> object:
    chat = call.world.room(call.given.chat()).chat
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    return chat | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": dict.fromkeys(gifts, True)}


def _commands_key(call: Call) -> tuple[str, str]:
    scope = call.given.record("scope") or {"type": "default"}
    if "chat_id" in scope:
        room = call.world.room(cast("int | str", scope["chat_id"]))
        if room.private and scope["type"] != "chat":
            raise Refused("can't use this scope in a private chat")
        if room.refusal is not None and room.refusal.code == 403:
            raise Refused("chat not found")
    return " ".join(str(scope[name]) for name in sorted(scope, reverse=True)), _language(call)


def _language(call: Call) -> str:
    code = call.given.text("language_code") or ""
    if code and not re.fullmatch(r"[a-z]{2}", code):
        raise Refused("invalid language code specified")
    return code


def _set_commands(call: Call) -> object:
    commands = call.given.records("commands") or []
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command["command"])):
            raise Refused("BOT_COMMAND_INVALID")
        if not str(command["description"]).strip():
            raise Refused("BOT_COMMAND_DESCRIPTION_INVALID")
    if len({command["command"] for command in commands}) != len(commands):
        raise Refused("BOT_COMMAND_INVALID: a command appears twice")
    call.world.commands[_commands_key(call)] = commands
    return True


def _get_commands(call: Call) -> object:
    return call.world.commands.get(_commands_key(call), [])


def _delete_commands(call: Call) -> object:
    call.world.commands.pop(_commands_key(call), None)
    return True


def _setter(name: str) -> Callable[[Call], object]:
    def put(call: Call) -> object:
        call.world.profile[name, _language(call)] = call.given.text(name) or ""
        return True

    return put


def _getter(name: str) -> Callable[[Call], object]:
    def get(call: Call) -> object:
        everyone = call.world.profile.get((name, ""), str(BOT["first_name"]) if name == "name" else "")
        return {name: call.world.profile.get((name, _language(call))) or everyone}

    return get


def _set_webhook(call: Call) -> object:
    given, updates = call.given, call.world.updates
    url = given.text("url") or ""
    if url and urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
        raise Refused("bad webhook: only loopback addresses are reached from here")
    secret = given.text("secret_token")
    if secret is not None and not re.fullmatch(r"[A-Za-z0-9_-]+", secret):
        raise Refused("secret token contains unallowed characters")
    allow(call)
    if given.flag("drop_pending_updates"):
        updates.drop_all()
    updates.webhook = Webhook(url, secret, given.number("max_connections", 40))
    updates.changes.announce()
    return True


def _delete_webhook(call: Call) -> object:
    if call.given.flag("drop_pending_updates"):
        call.world.updates.drop_all()
    call.world.updates.webhook = Webhook()
    call.world.updates.changes.announce()
    return True


def _webhook_info(call: Call) -> object:
    updates, webhook = call.world.updates, call.world.updates.webhook
    info: Fields = {"url": webhook.url, "has_custom_certificate": False, "pending_update_count": updates.pending}
    if webhook.url:
        info["max_connections"] = webhook.max_connections
    if webhook.last_error_date is not None:
        info |= {"last_error_date": webhook.last_error_date, "last_error_message": webhook.last_error_message}
    if updates.allowed:
        info["allowed_updates"] = updates.allowed
    return info


def allow(call: Call) -> None:
    """Remembers which kinds of update the bot wants, until it says otherwise."""
    wanted = call.given.texts("allowed_updates")
    if wanted is None:
        return
    if unknown := set(wanted) - tables.UPDATE_KINDS:
        raise Refused(f'unsupported update type "{min(unknown)}" in allowed_updates')
    call.world.updates.allowed = wanted


METHODS: dict[str, Callable[[Call], object]] = {
    "getMe": _get_me,
    "setWebhook": _set_webhook,
    "deleteWebhook": _delete_webhook,
    "getWebhookInfo": _webhook_info,
    "getFile": _get_file,
    "sendMessage": _send_message,
    "sendPhoto": _send_photo,
    "sendDocument": _send_document,
    "copyMessage": _copy_message,
    "editMessageText": _edit_text,
    "editMessageCaption": _edit_caption,
    "editMessageMedia": _edit_media,
    "editMessageReplyMarkup": _edit_markup,
    "deleteMessage": _delete,
    "answerCallbackQuery": _answer_query,
    "sendChatAction": _chat_action,
    "setMessageReaction": _react,
    "getChat": _get_chat,
    "setMyCommands": _set_commands,
    "getMyCommands": _get_commands,
    "deleteMyCommands": _delete_commands,
    "setMyName": _setter("name"),
    "getMyName": _getter("name"),
    "setMyDescription": _setter("description"),
    "getMyDescription": _getter("description"),
    "setMyShortDescription": _setter("short_description"),
    "getMyShortDescription": _getter("short_description"),
}
