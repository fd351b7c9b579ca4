"""What people wrote and sent, one by one, through the real handlers: places, times, first words and files.

A case is what somebody with this `language` of their app does (`say`, `tap`, `file`, `location`), at `home` with or without a
`bedtime` already set, or as a stranger; and what is to stand (`want`) or never to stand (`never`) in all that is said to it, as
patterns.
"""

from __future__ import annotations

import html
import io
import itertools
import json
import re
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from telegram import Update

from bot.clock import RealClock
from bot.core.model import Status
from bot.handlers import free_text, routes, zones
from bot.telegram.file_reader import FileReader
from bot.telegram.turn import AfterCommit, Attach, Edit, EditButtons, Later, Say, Show, Turn
from bot.updates import location
from bot.views.message import Keyboard, View
from db import users
from db.engine import Database
from tests.handlers.one_person import APPLICATION, DESK

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 28, 6, 30, tzinfo=UTC)
FOLDER = Path(__file__).parents[1] / "cases"
CASES = {
    f"{file.stem}: {case['name']}": case
    for file in sorted(FOLDER.glob("*.json"))
    for case in json.loads(file.read_text(encoding="utf-8"))
}
_ids = itertools.count(101)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    kept = Database(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('cases') / 'lull.db'}")
    await kept.migrate()
    yield kept
    await kept.close()


@dataclass(slots=True)
class Somebody:
    """Who writes, and all that was said to them: its text, and its buttons as [one | another]."""

    database: Database
    language: str | None
    number: int = field(default_factory=_ids.__next__)
    heard: list[str] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)

    async def moves_in(self, zone: str, *, bedtime: bool) -> None:
        async with self.database.write() as db:
            new = await users.create(db, self.number, now=NOW - timedelta(days=1), language=self.language)
            known = replace(new, status=Status.ACTIVE, consent=1, zone=zone, form="glycinate", seen_at=NOW)
            await users.save(db, new, replace(known, bedtimes=(22 * 60 + 30,) * 7) if bedtime else known)

    async def does(self, step: dict[str, Any]) -> None:
        match step:
            case {"say": text}:
                command = text.strip().startswith(("/", "／"))
                await self._turn(routes.command if command else free_text.text, message={"text": text})
            case {"tap": pattern}:
                label = next(label for label in reversed(self.buttons) if re.search(pattern, label))
                await self._turn(routes.pressed, data=self.buttons[label])
            case {"location": (latitude, longitude)}:
                await self._turn(zones.location, message={"location": {"latitude": latitude, "longitude": longitude}})
            case {"file": file}:
                document = {"file_id": "f", "file_unique_id": "u", "file_name": "a.csv"}
                await self._turn(free_text.other, message={"document": document}, content=_content(file))

    async def _turn(self, handler: Any, *, message: Any = None, data: str = "", content: bytes = b"") -> None:
        sender = {"id": self.number, "is_bot": False, "first_name": "Eve", "language_code": self.language}
        chat = {"id": self.number, "type": "private"}
        written = {"message_id": 9, "date": int(NOW.timestamp()), "chat": chat, "from": sender, **(message or {})}
        query = {"id": "1", "from": sender, "chat_instance": "1", "data": data, "message": written | {"text": "…"}}
        raw = {"update_id": 1, "callback_query": query} if data else {"update_id": 1, "message": written}
        update = Update.de_json(location.forgotten(raw), None)
        async with self.database.write() as db:
            turn = Turn(APPLICATION)
            await turn.begin(update, db=db, now=NOW, services=DESK)
            turn.args = []
            await handler(update, turn)
            await turn.end(update)
        for reply in turn.replies:
            await self._hear(reply, content)

    async def _hear(self, reply: Any, content: bytes) -> None:
        match reply:
            case Later(work):

                async def fetched(_file_id: str, _most: int) -> bytes | None:
                    return content

                async def not_drawn(_drawing: object) -> None:
                    return None

                for more in await work(AfterCommit(self.database, fetched, not_drawn, FileReader(clock=RealClock()))):
                    await self._hear(more, content)
            case Say(view) | Edit(_, view) | Show(_, view):
                self._seen(view)
            case EditButtons() | Attach():
                pass

    def _seen(self, view: View) -> None:
        rows = view.keyboard.inline_keyboard if isinstance(view.keyboard, Keyboard) else ()
        labels = {one.text: str(one.callback_data) for row in rows for one in row}
        self.buttons |= labels
        shown = html.unescape(re.sub("<[^>]+>", "", view.text))
        self.heard.append(f"{shown} [{' | '.join(labels)}]" if labels else shown)


def _content(file: dict[str, Any]) -> bytes:
    if "zip" not in file:
        return str(file["text"]).encode(file.get("encoding", "utf-8"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, text in file["zip"].items():
            packed.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize("name", CASES)
async def test_people_are_understood_or_asked_and_never_misread(database: Database, name: str) -> None:
    case = CASES[name]
    eve = Somebody(database, case.get("language"))
    if case["home"] is not None:
        await eve.moves_in(case["home"], bedtime=case["bedtime"])
    for step in case["steps"]:
        await eve.does(step)
    said = "\n".join(eve.heard)
    assert eve.heard
    assert re.search(case.get("want", ""), said), said
    assert "never" not in case or not re.search(case["never"], said), said
