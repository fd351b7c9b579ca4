"""The parameters of every Bot API method that the bot may call, and the objects inside them."""

from __future__ import annotations

from bot.fake_telegram.values import SHAPES, declare

_PLACE = "business_connection_id text, message_thread_id int"
_SUGGESTED = "direct_messages_topic_id int, suggested_post_parameters SuggestedPostParameters"
_MANNER = """disable_notification flag, protect_content flag, allow_paid_broadcast flag, message_effect_id text,
 reply_parameters ReplyParameters, reply_markup Markup"""
_SENDING = f"{_PLACE}, {_SUGGESTED}, {_MANNER}"
_CAPTION = "caption text, parse_mode text, caption_entities [MessageEntity], show_caption_above_media flag"
_TEXT = "parse_mode text, entities [MessageEntity], link_preview_options LinkPreviewOptions"
_EDITED = """business_connection_id text, chat_id chat, message_id int, inline_message_id text,
 reply_markup InlineKeyboardMarkup"""
_LANGUAGE = "language_code text"
_SCOPE = f"scope BotCommandScope, {_LANGUAGE}"

METHODS = {
    "getMe": {},
    "getUpdates": declare("offset int, limit int(1..100), timeout int(0..1000), allowed_updates [text]"),
    "setWebhook": declare(
        "url! text, certificate file, ip_address text, max_connections int(1..100), allowed_updates [text]",
        "drop_pending_updates flag, secret_token text(1..256)",
    ),
    "deleteWebhook": declare("drop_pending_updates flag"),
    "getWebhookInfo": {},
    "getFile": declare("file_id! text"),
    "sendMessage": declare("chat_id! chat, text! text", _TEXT, _SENDING),
    "sendPhoto": declare("chat_id! chat, photo! file, has_spoiler flag", _CAPTION, _SENDING),
    "sendDocument": declare(
        "chat_id! chat, document! file, thumbnail file, disable_content_type_detection flag",
        "caption text, parse_mode text, caption_entities [MessageEntity]",
        _SENDING,
    ),
    "copyMessage": declare(
        "chat_id! chat, from_chat_id! chat, message_id! int, message_thread_id int, video_start_timestamp int",
        _CAPTION,
        _SUGGESTED,
        _MANNER,
    ),
    "editMessageText": declare(_EDITED, _TEXT, "text text, rich_message InputRichMessage"),
    "editMessageCaption": declare(_EDITED, _CAPTION),
    "editMessageMedia": declare(_EDITED, "media! InputMedia"),
    "editMessageReplyMarkup": declare(_EDITED),
    "deleteMessage": declare("chat_id! chat, message_id! int"),
    "answerCallbackQuery": declare(
        "callback_query_id! text, text text(0..200), show_alert flag, url text, cache_time int"
    ),
    "sendChatAction": declare(_PLACE, "chat_id! chat, action! text"),
    "setMessageReaction": declare("chat_id! chat, message_id! int, reaction [ReactionType], is_big flag"),
    "getChat": declare("chat_id! chat"),
    "setMyCommands": declare("commands! [BotCommand](0..100)", _SCOPE),
    "getMyCommands": declare(_SCOPE),
    "deleteMyCommands": declare(_SCOPE),
    "setMyName": declare("name text(0..64)", _LANGUAGE),
    "getMyName": declare(_LANGUAGE),
    "setMyDescription": declare("description text(0..512)", _LANGUAGE),
    "getMyDescription": declare(_LANGUAGE),
    "setMyShortDescription": declare("short_description text(0..120)", _LANGUAGE),
    "getMyShortDescription": declare(_LANGUAGE),
}

_MEDIA = "type! text, media! text"
_BUTTON = "text! text, icon_custom_emoji_id text, style text"

SHAPES.update(
    {
        "MessageEntity": declare(
            "type! text, offset! int, length! int, url text, user any, language text, custom_emoji_id text",
            "unix_time int, date_time_format text",
        ),
        "LinkPreviewOptions": declare(
            "is_disabled flag, url text, prefer_small_media flag, prefer_large_media flag, show_above_text flag"
        ),
        "ReplyParameters": declare(
            "message_id! int, chat_id chat, allow_sending_without_reply flag, quote text, quote_parse_mode text",
            "quote_entities [MessageEntity], quote_position int, checklist_task_id int, poll_option_id text",
        ),
        "SuggestedPostParameters": declare("price any, send_date int"),
        "InputRichMessage": declare("html text, markdown text, is_rtl flag, skip_entity_detection flag"),
        "InlineKeyboardMarkup": declare("inline_keyboard! [[InlineKeyboardButton]]"),
        "InlineKeyboardButton": declare(
            _BUTTON,
            "url text, callback_data text, web_app WebAppInfo, login_url LoginUrl, switch_inline_query text",
            "switch_inline_query_current_chat text, switch_inline_query_chosen_chat SwitchInlineQueryChosenChat",
            "copy_text CopyTextButton, callback_game any, pay flag",
        ),
        "WebAppInfo": declare("url! text"),
        "LoginUrl": declare("url! text, forward_text text, bot_username text, request_write_access flag"),
        "CopyTextButton": declare("text! text(1..256)"),
        "SwitchInlineQueryChosenChat": declare(
            "query text, allow_user_chats flag, allow_bot_chats flag, allow_group_chats flag, allow_channel_chats flag"
        ),
        "ReplyKeyboardMarkup": declare(
            "keyboard! [[KeyboardButton]], is_persistent flag, resize_keyboard flag, one_time_keyboard flag",
            "input_field_placeholder text(1..64), selective flag",
        ),
        "KeyboardButton": declare(
            _BUTTON,
            "request_users any, request_chat any, request_managed_bot any, request_contact flag",
            "request_location flag, request_poll any, web_app WebAppInfo",
        ),
        "ReplyKeyboardRemove": declare("remove_keyboard! flag, selective flag"),
        "ForceReply": declare("force_reply! flag, input_field_placeholder text(1..64), selective flag"),
        "InputMediaPhoto": declare(_MEDIA, _CAPTION, "has_spoiler flag"),
        "InputMediaDocument": declare(
            _MEDIA,
            "thumbnail text, caption text, parse_mode text, caption_entities [MessageEntity]",
            "disable_content_type_detection flag",
        ),
        "ReactionTypeEmoji": declare("type! text, emoji! text"),
        "ReactionTypeCustomEmoji": declare("type! text, custom_emoji_id! text"),
        "ReactionTypePaid": declare("type! text"),
        "BotCommand": declare("command! text, description! text(1..256)"),
        "BotCommandScopeDefault": declare("type! text"),
        "BotCommandScopeAllPrivateChats": declare("type! text"),
        "BotCommandScopeAllGroupChats": declare("type! text"),
        "BotCommandScopeAllChatAdministrators": declare("type! text"),
        "BotCommandScopeChat": declare("type! text, chat_id! chat"),
        "BotCommandScopeChatAdministrators": declare("type! text, chat_id! chat"),
        "BotCommandScopeChatMember": declare("type! text, chat_id! chat, user_id! int"),
    }
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEVER_COPIED = _words(
    """
paid_media giveaway giveaway_winners invoice story pinned_message new_chat_members left_chat_member
successful_payment users_shared chat_shared
"""
)
"""What copyMessage refuses: paid media, giveaways, invoices and service messages."""

ACTIONS = _words(
    """
typing upload_photo record_video upload_video record_voice upload_voice upload_document
choose_sticker find_location record_video_note upload_video_note
"""
)

REACTIONS = _words(
    """
❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨
😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎
👾 🤷‍♂ 🤷 🤷‍♀ 😡
"""
)

UPDATE_KINDS = _words(
    """
message edited_message channel_post edited_channel_post business_connection business_message
edited_business_message deleted_business_messages guest_message message_reaction
message_reaction_count inline_query chosen_inline_result callback_query shipping_query
pre_checkout_query purchased_paid_media poll poll_answer my_chat_member chat_member
chat_join_request chat_boost removed_chat_boost managed_bot
"""
)
