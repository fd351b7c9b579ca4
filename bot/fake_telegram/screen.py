"""A chat in a terminal: messages with their buttons, edits and notices, and the clock on the left."""

from __future__ import annotations

import textwrap
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import TextIO

from bot.clock import Clock
from bot.fake_telegram.keyboards import Button
from bot.fake_telegram.people import Person, Seen, seen
from bot.fake_telegram.world import Event

_WIDTH = 76
_MARGIN = " " * 13
_CODES = {"time": "2", "bot": "1;36", "you": "1;32", "note": "2;3", "danger": "31", "success": "32", "primary": "34"}


class Screen:
    """Prints what happens in one person's chat and knows which button has which number."""

    def __init__(self, person: Person, clock: Clock, out: TextIO, *, folder: Path, colour: bool) -> None:
        self.person = person
        self.clock = clock
        self.zone: tzinfo | None = None  # the machine's own
        self.quiet = False
        self.buttons: list[tuple[int, Button]] = []
        self._out = out
        self._folder = folder
        self._colour = colour
        self._shown_events = 0
        self._versions: dict[int, tuple[object, ...]] = {}
        self._day: date | None = None
        self._told: set[str] = set()

    def now(self) -> datetime:
        return self.clock.now().astimezone(self.zone)

    def show_new(self) -> None:
        """Prints everything that the bot did since the last time."""
        events = self.person.world.events
        while self._shown_events < len(events):
            event = events[self._shown_events]
            self._shown_events += 1
            if event.chat_id == self.person.id:
                self._show(event)
        self._out.flush()

    def _show(self, event: Event) -> None:
        message = self.person.room.messages.get(event.message_id)
        if event.kind in ("message", "edit") and message is not None:
            self._show_message(seen(message))
        elif event.kind == "answer":
            self._show_notices()
        elif event.kind == "delete":
            self.note("(a message was deleted)")
        elif event.kind == "reaction" and message is not None:
            self.note(f"(reaction: {message.reaction})")

    def _show_message(self, message: Seen) -> None:
        version = (message.html, message.buttons, message.content)
        if self._versions.get(message.message_id) == version:
            return
        marks = ["edited"] if message.message_id in self._versions else []
        marks += ["silent"] if message.silent and not marks else []
        self._versions[message.message_id] = version
        text = f"({', '.join(marks)}) {message.text}" if marks else message.text
        self._say("Lull", "bot", text, at=message.at.astimezone(self.zone))
        self._show_media(message)
        self._show_buttons(message)

    def _show_media(self, message: Seen) -> None:
        if not message.media:
            return
        path = self._folder / f"{message.message_id}-{Path(message.file_name or message.media).name}"
        path.write_bytes(message.content)
        self._print(f"{_MARGIN}[{message.media}, {len(message.content)} bytes: {path}]")

    def _show_buttons(self, message: Seen) -> None:
        if not message.buttons:
            self.buttons = [one for one in self.buttons if one[0] != message.message_id]
            return
        self.buttons = []
        for row in message.buttons:
            self._print(_MARGIN + "  ".join(self._button(message.message_id, button) for button in row))

    def _button(self, message_id: int, button: Button) -> str:
        self.buttons.append((message_id, button))
        where = f" -> {button.url}" if button.url else " (sends a location)" if button.asks_location else ""
        return self._styled(f"[{len(self.buttons)}] {button.text}", button.style or "") + where

    def _show_notices(self) -> None:
        for query in self.person.world.queries.values():
            if query.person_id == self.person.id and query.text and query.query_id not in self._told:
                self._told.add(query.query_id)
                self.note(f"({'alert' if query.alert else 'notice'}: {query.text})")

    def typed(self, line: str) -> None:
        """What the person did, where the terminal does not show it by itself."""
        self._say("you", "you", line, at=self.now())

    def note(self, text: str) -> None:
        """A line about the demo itself, unless they were switched off."""
        if not self.quiet:
            self.help(text)

    def help(self, text: str) -> None:
        self._print(self._styled(text, "note"))

    def _say(self, who: str, style: str, text: str, *, at: datetime) -> None:
        if at.date() != self._day:
            self._day = at.date()
            self._print(self._styled(f"--- {at:%A %d %B %Y} ---", "time"))
        lines = [part for line in text.split("\n") for part in textwrap.wrap(line, _WIDTH) or [""]]
        head = f"{self._styled(f'{at:%H:%M}', 'time')}  {self._styled(who.ljust(4), style)}  "
        self._print(head + f"\n{_MARGIN}".join(lines))

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self._colour and style in _CODES else text

    def _print(self, text: str) -> None:
        start = "\r\x1b[K" if self._colour else ""
        self._out.write(f"{start}{text}\n")
        self._out.flush()
