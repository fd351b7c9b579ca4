"""The state of the stand-in: chats, messages, people, button presses, and what the bot said of itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import cast

from bot.clock import Clock
from bot.fake_telegram import formatting, keyboards
from bot.fake_telegram.formatting import Text
from bot.fake_telegram.media import Files, Media
from bot.fake_telegram.updates import Changes, Updates
from bot.fake_telegram.values import Fields, Refused

QUERY_LASTS = 15 * 60
"""Seconds after which a button press can no longer be answered."""
BOT_ID = 123456
BOT: Fields = {"id": BOT_ID, "is_bot": True, "first_name": "Lull", "username": "lull_sandbox_bot"}

_NOTHING = Text()


@dataclass(frozen=True, slots=True)
class Message:
    """One version of one message."""

    chat_id: int
    message_id: int
    sent_at: int
    from_bot: bool
    sender: Fields = field(hash=False)
    text: Text = _NOTHING
    media: Media | None = None
    markup: Fields | None = field(default=None, hash=False)
    silent: bool = False
    protected: bool = False
    reply_to: int | None = None
    edited_at: int | None = None
    history: tuple[str, ...] = ()
    extra: Fields = field(default_factory=dict, hash=False)
    reaction: str = ""

    @property
    def html(self) -> str:
        return formatting.to_html(self.text)


@dataclass(slots=True)
class Room:
    """A chat: private, group, supergroup or channel."""

    chat: Fields
    messages: dict[int, Message] = field(default_factory=dict)
    refusal: Refused | None = None

    @property
    def chat_id(self) -> int:
        return cast("int", self.chat["id"])

    @property
    def private(self) -> bool:
        return self.chat["type"] == "private"


@dataclass(slots=True)
class Query:
    """A press of a button and what the bot answered."""

    query_id: str
    person_id: int
    pressed_at: float
    data: str
    answered: bool = False
    text: str | None = None
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the bot did, in order: message, edit, delete, answer, reaction, action."""

    number: int
    kind: str
    chat_id: int
    message_id: int = 0


class World:
    """Everything that Telegram would know."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.updates = Updates(clock)
        self.files = Files()
        self.rooms: dict[int, Room] = {}
        self.queries: dict[str, Query] = {}
        self.events: list[Event] = []
        self.changes = Changes()
        self.commands: dict[tuple[str, str], list[Fields]] = {}
        self.profile: dict[tuple[str, str], str] = {}
        self._message_ids = itertools.count(1)
        self._query_ids: Iterator[int] = itertools.count(4_382_000_000_000_000_001)

    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def room(self, chat: int | str) -> Room:
        """The chat by id or @name, or Telegram's refusal."""
        if isinstance(chat, str):
            names = (room for room in self.rooms.values() if not room.private)
            found = next((room for room in names if f"@{room.chat.get('username')}" == chat), None)
        else:
            found = self.rooms.get(chat)
        if found is None:
            raise Refused("chat not found")
        return found

    def writable(self, chat: int | str) -> Room:
        """The chat, if the bot may write there."""
        found = self.room(chat)
        if found.refusal is not None:
            raise found.refusal
        return found

    def post(self, room: Room, message: Message) -> Message:
        """Puts a new message into its chat under the next number."""
        message = replace(message, chat_id=room.chat_id, message_id=next(self._message_ids), sent_at=self.now())
        room.messages[message.message_id] = message
        if message.from_bot:
            self.happened("message", room.chat_id, message.message_id)
        return message

    def change(self, message: Message, *, kind: str = "edit") -> Message:
        """Puts another version of a message in the old one's place."""
        self.rooms[message.chat_id].messages[message.message_id] = message
        self.happened(kind, message.chat_id, message.message_id)
        return message

    def remove(self, message: Message) -> None:
        del self.rooms[message.chat_id].messages[message.message_id]
        self.happened("delete", message.chat_id, message.message_id)

    def happened(self, kind: str, chat_id: int, message_id: int = 0) -> None:
        self.events.append(Event(len(self.events) + 1, kind, chat_id, message_id))
        self.changes.announce()

    def new_query(self, person_id: int, data: str) -> Query:
        query = Query(str(next(self._query_ids)), person_id, self.clock.now().timestamp(), data)
        self.queries[query.query_id] = query
        return query

    def answerable(self, query_id: str) -> Query:
        query = self.queries.get(query_id)
        if query is None or self.clock.now().timestamp() - query.pressed_at > QUERY_LASTS:
            raise Refused("query is too old and response timeout expired or query ID is invalid")
        return query

    def fields(self, message: Message, *, deep: bool = True) -> Fields:
        """The message as Bot API JSON."""
        chat = self.rooms[message.chat_id].chat
        fields: Fields = {"message_id": message.message_id, "date": message.sent_at, "chat": chat}
        if message.sender:
            fields["from"] = message.sender
        if message.edited_at is not None:
            fields["edit_date"] = message.edited_at
        fields |= _content(message)
        replied = self.rooms[message.chat_id].messages.get(message.reply_to or 0)
        if deep and replied is not None:
            fields["reply_to_message"] = self.fields(replied, deep=False)
        if message.markup is not None and keyboards.is_inline(message.markup):
            fields["reply_markup"] = message.markup
        if message.protected:
            fields["has_protected_content"] = True
        return fields | message.extra


def _content(message: Message) -> Fields:
    entities = [entity.fields() for entity in formatting.detected(message.text).entities]
    name, entities_name = ("text", "entities") if message.media is None else ("caption", "caption_entities")
    fields: Fields = {} if message.media is None else {message.media.kind: message.media.fields}
    if message.text.plain:
        fields[name] = message.text.plain
    if entities:
        fields[entities_name] = entities
    return fields
