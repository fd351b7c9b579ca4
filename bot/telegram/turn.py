"""What a handler is given: the open transaction, the instant, the person, and a way to answer once all is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Protocol

from telegram import Update
from telegram.ext import CallbackContext, ExtBot

from bot.charts import Drawing
from bot.core import planning
from bot.core.callback_data import Press
from bot.core.model import Awaiting, Person, Schedule, Sleeper, Status
from bot.telegram.file_reader import FileReader
from bot.texts import language
from bot.texts.content import Content
from bot.texts.language import Words
from bot.views.menu import Menu
from bot.views.message import Keyboard, View
from config.settings import Settings
from db import users
from db.engine import Connection, Database


@dataclass(frozen=True, slots=True)
class Say:
    """A new message: to the person, or to another chat."""

    view: View
    chat_id: int | None = None


@dataclass(frozen=True, slots=True)
class CopyOf:
    """A copy of a message in this chat, as others would see it, and below it `then`; `otherwise` where Telegram lets
    nobody copy it."""

    message_id: int
    then: View
    otherwise: View


@dataclass(frozen=True, slots=True)
class Edit:
    """A message of ours becomes this."""

    message_id: int
    view: View


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a press: a short line on the screen, or none. `alert` waits for a tap on OK."""

    callback_id: str
    text: str = ""
    alert: bool = False


@dataclass(frozen=True, slots=True)
class OwnMenu:
    """The command menu of this chat alone, in place of the general one."""

    entries: Menu


@dataclass(frozen=True, slots=True)
class EditButtons:
    """A message of ours keeps its text and gets other buttons."""

    message_id: int
    keyboard: Keyboard | None


@dataclass(frozen=True, slots=True)
class Attach:
    """A file, with plain HTML under it."""

    name: str
    content: bytes = field(repr=False)
    caption: str = ""


@dataclass(frozen=True, slots=True)
class AfterCommit:
    """What work after the commit may use.

    `fetch` gets a file of Telegram's by its id, or None when it has more bytes; `draw` a picture's bytes, or None where it cannot
    be drawn; `files` reads what somebody sent.
    """

    database: Database
    fetch: Callable[[str, int], Awaitable[bytes | None]]
    draw: Callable[[Drawing], Awaitable[bytes | None]]
    files: FileReader


@dataclass(frozen=True, slots=True)
class Later:
    """Work to do after the commit, because it takes long. The replies that it returns are sent then."""

    work: Callable[[AfterCommit], Awaitable[Sequence[Reply]]]


@dataclass(frozen=True, slots=True)
class Show:
    """A picture with a view as its caption; the caption says in words what the picture shows."""

    drawing: Drawing
    view: View


Reply = Say | CopyOf | Edit | EditButtons | Answer | Attach | Show | OwnMenu | Later

SEEN_EVERY = timedelta(hours=12)
"""How exactly it is kept when a person was last here: enough to find the dormant, without a write for every tap."""

ANSWER_WITHIN = timedelta(hours=12)
"""How long a question waits for its typed answer."""


class Services(Protocol):
    """What every turn has in common."""

    @property
    def settings(self) -> Settings: ...

    @property
    def content(self) -> Content: ...

    def reload(self) -> Sequence[str]:
        """Read the operator's content again. Returns the problems, if any; then the old content stays in use."""

    def about(self) -> tuple[str, str, int]:
        """The version, which database it is, and the free disk space beside it in megabytes."""


class Turn(CallbackContext[ExtBot[Any], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """One update's turn.

    Handlers read and write through `db`, change `person` by putting a new value there, and call `say`, `edit` and `answer`.
    What they said is done after the transaction is committed: written first, then answered.
    """

    db: Connection
    now: datetime
    said_at: datetime  # when a message was written, which after an outage is earlier than now; a press does not say
    person: Person
    before: Person | None
    services: Services
    settings: Settings
    content: Content
    press: Press
    replies: list[Reply]
    leave_no_trace: bool  # nothing about the person is written at the end: they were erased, or only passed by

    async def begin(self, update: Update, *, db: Connection, now: datetime, services: Services) -> None:
        """Open the turn of the update's sender, who may be a stranger."""
        sender, message = update.effective_user, update.message
        if sender is None:
            raise ValueError("nobody sent this update")
        self.db, self.now, self.settings, self.content, self.replies = db, now, services.settings, services.content, []
        self.services = services
        self.said_at = now if message is None else min(now, message.date)
        self.press, self.leave_no_trace = Press(""), False
        self.before = await users.find(db, sender.id, lock=True)
        code = (sender.language_code or "")[:16] or None
        self.person = self.before or Person(sender.id, Status.NEW, created_at=now, seen_at=now, language=code)

    async def end(self, update: Update) -> None:
        """Write what changed about the person. Somebody who only passed by, for example in a group, is not recorded."""
        if self.leave_no_trace:
            return
        private = update.effective_chat is not None and update.effective_chat.type == "private"
        if self.before is None:
            if not private or not self.replies:
                return
            self.before = await users.create(self.db, self.person.id, now=self.now, language=self.person.language)
        if self.now - self.person.seen_at > SEEN_EVERY:
            self.change(seen_at=self.now)
        if self.person.warned_at is not None:
            self.change(seen_at=self.now, warned_at=None)
        if private:
            self.person = planning.heard(self.person) if update.message is not None else self.person
        await users.save(self.db, self.before, self.person)

    @property
    def words(self) -> Words:
        """The words of the person's language."""
        return language.words(self.person.language)

    @property
    def sleeper(self) -> Sleeper:
        """The person as they are now, with when they go to bed; only asked of people who have said so: routes see to it."""
        found = self.person.sleeper
        if found is None:
            raise ValueError("this person has no bedtime or no zone yet")
        return found

    @property
    def schedule(self) -> Schedule:
        """When the person goes to bed; only asked of people who have said so."""
        return self.sleeper.schedule

    @property
    def product(self) -> str | None:
        """The person's form as it reads in a sentence."""
        form = self.content.form(self.person.form) if self.person.form else None
        return None if form is None else self.words(form.inline) if form.inline else None

    @property
    def typed(self) -> str:
        """What was typed after the command, or the whole text where there was none."""
        return " ".join(self.args) if self.args else ""

    def await_typed(self, what: Awaiting, detail: str | None = None) -> None:
        """The next free text is the answer to this; it is kept in the person's row, with an end."""
        self.change(awaiting=what, awaiting_for=detail, awaiting_until=self.now + ANSWER_WITHIN)

    def change(self, **values: Any) -> None:
        """Change fields of the person."""
        self.person = replace(self.person, **values)

    def say(self, view: View) -> None:
        """Send a new message."""
        self.replies.append(Say(view))

    def later(self, work: Callable[[AfterCommit], Awaitable[Sequence[Reply]]]) -> None:
        """Do this once all is written."""
        self.replies.append(Later(work))

    def show(self, drawing: Drawing, caption: View) -> None:
        """Send a picture. It is drawn after the commit, unless Telegram has it already."""
        self.replies.append(Show(drawing, caption))

    def say_to(self, chat_id: int, view: View) -> None:
        """Send a new message to a chat that is not the person's."""
        self.replies.append(Say(view, chat_id))

    def copy(self, message_id: int, *, then: View, otherwise: View) -> None:
        """Show the person a copy of a message in their chat and below it `then`; or where nobody can copy it `otherwise`."""
        self.replies.append(CopyOf(message_id, then, otherwise))

    def edit(self, update: Update, view: View) -> None:
        """Change the message whose button was pressed; one that cannot be reached any more gets a new one in its place."""
        query = update.callback_query
        if query is None or query.message is None:
            return
        if not query.message.is_accessible:
            self.say(view)
        else:
            self.replies.append(Edit(query.message.message_id, view))

    def edit_buttons(self, update: Update, view: View) -> None:
        """Change the buttons under the message whose button was pressed; its text stays, where it still can be reached."""
        query = update.callback_query
        if query is None or query.message is None:
            return
        if not query.message.is_accessible:
            self.say(view)
        else:
            self.replies.append(EditButtons(query.message.message_id, view.keyboard))

    def edit_message(self, message_id: int, view: View) -> None:
        """Change a message of ours by its id."""
        self.replies.append(Edit(message_id, view))

    def answer(self, update: Update, text: str = "", *, alert: bool = False) -> None:
        """Answer the press, at most once."""
        query = update.callback_query
        if query is not None:
            self.replies = [reply for reply in self.replies if not isinstance(reply, Answer)]
            self.replies.insert(0, Answer(query.id, text[:200], alert))

    def out_of_date(self, update: Update) -> None:
        """Answer a button that no longer means anything, or never did."""
        self.answer(update, self.words("That button is out of date. /tonight shows where things stand."))


Handler = Callable[[Update, Turn], Coroutine[Any, Any, None]]
"""What answers one command or one button."""

AnswerHandler = Callable[[Update, Turn, str], Coroutine[Any, Any, None]]
"""What takes the typed answer to an open question: one line, cleaned, never empty."""


class Needs(IntEnum):
    """How far somebody's set-up must be before a command or button means anything."""

    NOTHING = 0
    CONSENT = 1  # has accepted the safety text; else that is shown, and what was typed is not kept
    SET_UP = 2  # has a bedtime, a zone and a form; else the set-up goes on


@dataclass(frozen=True, slots=True)
class Route:
    """A handler and what it needs. In a module's tables a bare handler needs consent."""

    handler: Handler
    needs: Needs = Needs.CONSENT


def all_need(needs: Needs, handlers: Mapping[str, Handler]) -> dict[str, Handler | Route]:
    """The same table, with this need set for every handler."""
    return {name: Route(handler, needs) for name, handler in handlers.items()}
