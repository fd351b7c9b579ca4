"""Handles one stored update: runs its handler in one transaction, and answers after the commit.

1. One transaction holds everything that the update changes, and its removal from the inbox. So it takes effect once.
2. Answers are sent after the commit. An answer that fails changes nothing that was written.
3. Updates of one person are handled in order of their numbers, also when another replica stored the earlier one.
4. An update that fails TRIES times is put aside for the operator, and its sender is told.
5. When the database is away nothing is done, `Unavailable` is raised, and the update stays in the inbox.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from telegram import Update
from telegram.ext import Application

from bot import VERSION
from bot.clock import Clock
from bot.telegram.turn import Answer, Reply, Say, Turn
from bot.texts import content, language
from bot.texts.content import Content
from bot.updates.unchanged_edits import UnchangedEdits
from bot.views.message import View
from config import failpoints, logs
from config.settings import Settings
from db import engine, inbox, users
from db.engine import Database, Unavailable
from db.group_commit import GroupCommit
from db.inbox import Dead, StoredUpdate

_log = logs.logger(__name__)

TRIES = 3
"""How often an update may fail before it is put aside for the operator."""

PAUSES = (0.2, 2.0)
"""Seconds before the second and third try if the database refused, because its trouble may pass. After a fault in our own code
the next try follows at once: waiting would not mend it, and others wait for the place."""

STALE = timedelta(minutes=10)
"""If an update waited longer than this, its answer begins with a sentence about the wait."""

App = Application[Any, Turn, Any, Any, Any, Any]
Perform = Callable[[Reply, int], Awaitable[None]]
"""Sends a reply to a chat. Never raises."""


class _Handled(Exception):  # noqa: N818 - named for what it says
    """Another process has handled this update already, so this transaction must be rolled back."""


class Dispatcher:
    """Handles updates, and holds what all of them share: the application's handlers, database, settings and content."""

    def __init__(
        self, app: App, database: Database, *, clock: Clock, settings: Settings, texts: Content, perform: Perform
    ) -> None:
        self.app, self.database, self.clock, self._perform = app, database, clock, perform
        self.settings, self.content = settings, texts
        self.reloaded: list[Callable[[Content], None]] = []
        self._apologised: dict[int, datetime] = {}
        self._burying = GroupCommit[Dead, None](self._bury_all)
        self._screens = UnchangedEdits()

    def reload(self) -> Sequence[str]:
        """Read the operator's content again. Returns the problems, if any; then the old content stays in use."""
        try:
            fresh = content.load(self.settings.content_dir)
        except content.ContentError as error:
            return error.problems
        self.content = fresh
        for listener in self.reloaded:
            listener(fresh)
        return ()

    def about(self) -> tuple[str, str, int]:
        """The version, the database's name, and the free space on its disk in megabytes."""
        beside = self.database.path.parent if self.database.path is not None else Path.cwd()
        name = "SQLite" if self.database.is_sqlite else "PostgreSQL"
        return VERSION, name, shutil.disk_usage(beside).free // 1_000_000

    async def handle(self, stored_update: StoredUpdate) -> StoredUpdate | None:
        """Handle one update to its end: answered, silently done, or put aside after the last try.

        Returns None then. If another process left an earlier update of the same person, that one is returned instead; the
        caller must handle it first and this one afterwards. Raises Unavailable if the database cannot be written: nothing
        was done, and the update stays in the inbox.
        """
        update = await self._read(stored_update)
        if update is None:
            return None
        for attempt in range(stored_update.attempts + 1, TRIES + 1):
            try:
                answers = await self._turn(update, stored_update)
            except Unavailable:
                raise
            except _Handled:
                return None
            except Exception as error:
                await self._failed(stored_update, update, error, last=attempt == TRIES)
                if attempt < TRIES and engine.is_refusal(error):
                    await self.clock.sleep(PAUSES[attempt - 1])
                continue
            if isinstance(answers, StoredUpdate):
                return answers
            await self._reply(update, answers)
            return None
        return None

    async def turn_away(self, stored_update: StoredUpdate, *, warn: bool) -> None:
        """Drop an update of somebody who sends too many a minute. A press stops its waiting sign; with `warn` they are told."""
        async with self.database.write("turn_away") as db:
            await inbox.done(db, stored_update.update_id)
            person = None if stored_update.user_id is None else await users.find(db, stored_update.user_id)
        update = _readable(stored_update, self.app)
        if update is None:
            return
        await self._still(update)
        if warn:
            words = language.words(None if person is None else person.language)
            await self._tell(update, words("Slow down a little, please: I answer again in a minute."))

    async def _read(self, stored_update: StoredUpdate) -> Update | None:
        """The parsed update; None if it cannot be parsed, in which case it was put aside."""
        try:
            update = Update.de_json(json.loads(stored_update.body), self.app.bot)
        except Exception as error:  # whatever shape a forged or future update has
            await self._bury(stored_update, error)
            return None
        return update

    async def _turn(self, update: Update, stored_update: StoredUpdate) -> list[Reply] | StoredUpdate:
        """Run the update's handler and remove the update from the inbox, in one transaction.

        Returns the answers to send, or an earlier update of the same person that must be handled first. Raises _Handled if
        another process has handled the update.
        """
        async with self.database.write("handle", quick=True) as db:
            first = await inbox.first(db, stored_update)
            if first is None:
                raise _Handled
            if first.update_id != stored_update.update_id:
                return first
            answers: list[Reply] = []
            route = next((found for found in self.app.handlers[0] if found.check_update(update)), None)
            if route is not None and update.effective_user is not None:
                turn = Turn.from_update(update, self.app)
                await turn.begin(update, db=db, now=self.clock.now(), services=self)
                await route.handle_update(update, self.app, route.check_update(update), turn)
                await turn.end(update)
                answers = self._with_apology(turn, update)
            if not await inbox.done(db, stored_update.update_id):
                raise _Handled
        return answers

    def _with_apology(self, turn: Turn, update: Update) -> list[Reply]:
        """The turn's replies; after an outage with a sentence about the wait before the first one, once a person and outage."""
        waited = turn.now - turn.said_at
        if waited < STALE or update.message is None or not turn.replies:
            return turn.replies
        last = self._apologised.get(turn.person.id)
        if last is not None and turn.said_at <= last:
            return turn.replies
        self._apologised[turn.person.id] = turn.now
        return [Say(View(turn.words("I was away for a while; here is the answer to what you wrote."))), *turn.replies]

    async def _reply(self, update: Update, answers: list[Reply]) -> None:
        chat_id = 0 if update.effective_chat is None else update.effective_chat.id
        for answer in answers:
            failpoints.reach("before_reply")
            if self._screens.changes(update, answer, chat_id=chat_id, now=self.clock.monotonic()):
                await self._perform(answer, chat_id)

    async def _still(self, update: Update, text: str = "") -> None:
        """End the waiting sign of a press that no handler answered. `text` is a short line on the screen."""
        if update.callback_query is not None:
            await self._perform(Answer(update.callback_query.id, text), 0)

    async def _tell(self, update: Update, text: str) -> None:
        """Send the sender a message, in a private chat only: elsewhere it would be noise, or could not be delivered."""
        chat = update.effective_chat
        if chat is not None and chat.type == "private":
            await self._perform(Say(View(text)), chat.id)

    async def _failed(self, stored_update: StoredUpdate, update: Update, error: Exception, *, last: bool) -> None:
        if not last:
            _log.warning("an update failed, and is tried again", kind=type(error).__name__)
            async with self.database.write("failed", quick=True) as db:
                await inbox.failed(db, stored_update.update_id)
            return
        trouble = secrets.token_hex(3)
        _log.error("an update failed", trouble=trouble, kind=type(error).__name__, exc_info=error)
        await self._bury(stored_update, error)
        await self._still(update)
        words = language.words(None)
        text = words("Something went wrong here, and that was not taken in. Please try again. ({code})", code=trouble)
        await self._tell(update, text)

    async def _bury(self, stored_update: StoredUpdate, error: Exception) -> None:
        await self._burying.add(Dead(stored_update, f"{type(error).__name__}: {logs.redact(str(error))[:500]}"))

    async def _bury_all(self, dead: list[Dead]) -> list[None]:
        """Put these updates aside, in one transaction and with one line of the log."""
        try:
            async with self.database.write("bury", quick=True) as db:
                await inbox.bury(db, dead, now=self.clock.now())
        except Unavailable:
            raise
        except Exception as error:  # one of them may be the cause, so each is tried by itself
            if len(dead) > 1:
                for one in dead:
                    await self._bury_all([one])
                return [None] * len(dead)
            _log.error("an update could not even be put aside", kind=type(error).__name__, exc_info=error)
            return [None]
        kinds = Counter(one.error.partition(":")[0] for one in dead)
        _log.warning("updates were put aside", first=dead[0].stored_update.update_id, **kinds)
        return [None] * len(dead)


def _readable(stored_update: StoredUpdate, app: App) -> Update | None:
    """The parsed update; None if it cannot be parsed."""
    with contextlib.suppress(Exception):
        return Update.de_json(json.loads(stored_update.body), app.bot)
    return None
