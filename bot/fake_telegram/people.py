"""People, groups and channels that a test or the demo drives: what they do, and what they see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.fake_telegram import formatting, keyboards
from bot.fake_telegram.formatting import Text
from bot.fake_telegram.keyboards import Button
from bot.fake_telegram.media import Media
from bot.fake_telegram.values import Fields, Refused
from bot.fake_telegram.world import BOT, Message, Query, Room, World

PATIENCE = 30.0
"""Real seconds that `next` and `until` wait when not told otherwise."""
ANONYMOUS: Fields = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as it stands on a person's screen; a photo's or document's caption is its text."""

    chat_id: int
    message_id: int
    from_bot: bool
    text: str
    html: str
    buttons: tuple[tuple[Button, ...], ...]
    at: datetime
    silent: bool = False
    edits: tuple[str, ...] = ()
    media: str = ""
    file_name: str = ""
    content: bytes = field(default=b"", repr=False)
    reply_to: int | None = None
    reaction: str = ""

    @property
    def labels(self) -> list[str]:
        """The texts on all buttons, row by row."""
        return [button.text for row in self.buttons for button in row]


def seen(message: Message) -> Seen:
    media = message.media or Media("", {})
    return Seen(
        chat_id=message.chat_id,
        message_id=message.message_id,
        from_bot=message.from_bot,
        text=message.text.plain,
        html=message.html,
        buttons=keyboards.buttons(message.markup),
        at=datetime.fromtimestamp(message.edited_at or message.sent_at, UTC),
        silent=message.silent,
        edits=message.history,
        media=media.kind,
        file_name=media.name,
        content=media.content,
        reply_to=message.reply_to,
        reaction=message.reaction,
    )


class Person:
    """Somebody with Telegram on the phone."""

    def __init__(self, world: World, user: Fields, person_id: int) -> None:
        self.world = world
        self.user = user
        self.id = person_id
        names: Fields = {key: user[key] for key in ("first_name", "last_name", "username") if key in user}
        self.room = Room({"id": person_id, "type": "private", **names})
        self.room.refusal = Refused("bot can't initiate conversation with a user", code=403)
        world.rooms[person_id] = self.room
        self._taken = 0

    @property
    def chat(self) -> list[Seen]:
        """Everything in the chat with the bot, oldest first, as it looks now."""
        return [seen(message) for message in self.room.messages.values()]

    @property
    def last(self) -> Seen:
        """The newest message of the bot."""
        return next(message for message in reversed(self.chat) if message.from_bot)

    async def send(self, text: str, *, reply_to: int | None = None, extra: Fields | None = None) -> int:
        """Types a text; commands and links in it get their entities. Returns the message id."""
        content = formatting.trimmed(Text(text))
        return self._say(Message(0, 0, 0, False, self.user, content, reply_to=reply_to, extra=extra or {}))

    async def reply(self, to: int, text: str) -> int:
        return await self.send(text, reply_to=to)

    async def forward(self, author: Fields, text: str) -> int:
        """Forwards what somebody else (a user object) wrote."""
        origin = {"type": "user", "date": self.world.now() - 60, "sender_user": author}
        return await self.send(text, extra={"forward_origin": origin})

    async def send_location(self, latitude: float, longitude: float) -> int:
        return self._attach(Media("location", {"latitude": latitude, "longitude": longitude}))

    async def send_photo(self, caption: str = "") -> int:
        return self._attach(self.world.files.from_person("photo"), caption)

    async def send_document(self, caption: str = "", *, content: bytes = b"", name: str = "document.txt") -> int:
        return self._attach(self.world.files.from_person("document", content, name), caption)

    async def send_sticker(self) -> int:
        return self._attach(self.world.files.from_person("sticker"))

    async def send_voice(self) -> int:
        return self._attach(self.world.files.from_person("voice"))

    async def send_video(self, caption: str = "", *, album: str | None = None) -> int:
        """A video; with the number of an album it is one of several that were sent together."""
        extra: Fields = {} if album is None else {"media_group_id": album}
        return self._attach(self.world.files.from_person("video"), caption, extra=extra)

    async def send_poll(self, question: str, *options: str, correct: int | None = None, forwarded: bool = False) -> int:
        """A poll, or with the correct option's number a quiz."""
        return self._attach(self.world.files.poll(question, options, correct=correct, known=not forwarded))

    async def send_formatted(self, html: str) -> int:
        """Types a text and formats it, as Telegram's HTML would."""
        return self._say(Message(0, 0, 0, False, self.user, formatting.from_html(html)))

    def _attach(self, media: Media, caption: str = "", *, extra: Fields | None = None) -> int:
        text = formatting.trimmed(Text(caption))
        return self._say(Message(0, 0, 0, False, self.user, text, media, extra=extra or {}))

    def _say(self, message: Message) -> int:
        if self.room.refusal is not None and self.room.refusal.description.endswith("with a user"):
            self.room.refusal = None
        posted = self.world.post(self.room, message)
        self.world.updates.add("message", self.world.fields(posted))
        return posted.message_id

    async def edit(self, message_id: int, text: str) -> None:
        """Edits one of the person's own messages."""
        old = self.room.messages[message_id]
        new = replace(old, text=Text(text), edited_at=self.world.now(), history=(*old.history, old.html))
        self.room.messages[message_id] = new
        self.world.updates.add("edited_message", self.world.fields(new))

    async def press(self, button: str = "", *, message: int | None = None, data: str | None = None) -> Query:
        """Presses a button by its text (or its data) on the newest message that has it, or on `message`.

        With `data` the press is forged: no such button needs to exist, nor the message."""
        if data is not None:
            return self._pressed(data, message or self.last.message_id)
        for shown in reversed(self.chat):
            for found in (one for row in shown.buttons for one in row if button in (one.text, one.data)):
                if shown.from_bot and message in (None, shown.message_id) and found.data is not None:
                    return self._pressed(found.data, shown.message_id)
        raise LookupError(f"no button {button!r}; there are {[one.labels for one in self.chat if one.labels]}")

    def _pressed(self, data: str, message_id: int) -> Query:
        query = self.world.new_query(self.id, data)
        message = self.room.messages.get(message_id)
        gone: Fields = {"chat": self.room.chat, "message_id": message_id, "date": 0}
        fields: Fields = {"id": query.query_id, "from": self.user, "chat_instance": str(7_000_000_000 + self.id)}
        shown = gone if message is None else self.world.fields(message)
        self.world.updates.add("callback_query", {**fields, "message": shown, "data": data})
        return query

    async def answered(self, query: Query, *, timeout: float = PATIENCE) -> Query:
        """Waits for the little notice after a press."""
        if not await self.world.changes.wait_for(lambda: query.answered, timeout=timeout):
            raise TimeoutError(f"the press of {query.data!r} was not answered")
        return query

    async def block(self) -> None:
        self.room.refusal = Refused("bot was blocked by the user", code=403)
        self._membership("member", "kicked")

    async def unblock(self) -> None:
        self.room.refusal = None
        self._membership("kicked", "member")

    async def deactivate(self) -> None:
        """Deletes the account; Telegram tells nobody."""
        self.room.refusal = Refused("user is deactivated", code=403)

    def _membership(self, old: str, new: str) -> None:
        def member(status: str) -> Fields:
            return {"user": BOT, "status": status, **({"until_date": 0} if status == "kicked" else {})}

        change = {"chat": self.room.chat, "from": self.user, "date": self.world.now()}
        self.world.updates.add(
            "my_chat_member", change | {"old_chat_member": member(old), "new_chat_member": member(new)}
        )

    def catch_up(self) -> None:
        """Lets `next` begin after everything that is there now."""
        self._taken = max(self.room.messages, default=0)

    async def next(self, *, timeout: float = PATIENCE) -> Seen:
        """The bot's next message that `next` has not returned yet; real seconds."""
        if not await self.world.changes.wait_for(lambda: self._untaken() is not None, timeout=timeout):
            raise TimeoutError(f"nothing new for {self.id}; the chat ends with {self.chat[-3:]}")
        found = self._untaken()
        assert found is not None  # noqa: S101 - the wait above says so
        self._taken = found.message_id
        return seen(found)

    def _untaken(self) -> Message | None:
        newer = (message for key, message in self.room.messages.items() if key > self._taken and message.from_bot)
        return next(newer, None)

    async def until(self, predicate: Callable[[Seen], bool], *, timeout: float = PATIENCE) -> Seen:
        """The newest message of the bot, new, edited or already there, of which the predicate is true; real seconds."""

        def found() -> Seen | None:
            return next((one for one in reversed(self.chat) if one.from_bot and predicate(one)), None)

        await self.world.changes.wait_for(lambda: found() is not None, timeout=timeout)
        if (match := found()) is None:
            raise TimeoutError(f"waited in vain for {self.id}; the chat ends with {self.chat[-3:]}")
        return match

    async def gone(self, message_id: int, *, timeout: float = PATIENCE) -> None:
        """Waits until a message is deleted; real seconds."""
        if not await self.world.changes.wait_for(lambda: message_id not in self.room.messages, timeout=timeout):
            raise TimeoutError(f"message {message_id} is still in the chat")


class Group:
    """A group in which the bot reads everything, or a channel."""

    def __init__(self, world: World, chat_id: int, kind: str) -> None:
        self.world = world
        self.room = Room({"id": chat_id, "type": kind, "title": f"{kind} {chat_id}"})
        world.rooms[chat_id] = self.room

    @property
    def chat(self) -> list[Seen]:
        return [seen(message) for message in self.room.messages.values()]

    async def post(self, sender: Person | None, text: str, *, anonymous: bool = False) -> int:
        """Writes as a member, as an anonymous admin, or (no sender) as the channel itself."""
        extra: Fields = {"sender_chat": self.room.chat} if sender is None or anonymous else {}
        user = ANONYMOUS if anonymous else {} if sender is None else sender.user
        posted = self.world.post(self.room, Message(0, 0, 0, False, user, formatting.trimmed(Text(text)), extra=extra))
        kind = "channel_post" if self.room.chat["type"] == "channel" else "message"
        self.world.updates.add(kind, self.world.fields(posted))
        return posted.message_id

    async def migrate(self, new_id: int) -> Group:
        """Becomes a supergroup with another id; writing to the old one tells the bot where to."""
        self.room.refusal = Refused("group chat was upgraded to a supergroup chat", migrate_to_chat_id=new_id)
        return Group(self.world, new_id, "supergroup")

    async def kick_bot(self) -> None:
        self.room.refusal = Refused(f"bot was kicked from the {self.room.chat['type']} chat", code=403)
