"""Photos, documents and what else a message can carry."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from bot.fake_telegram.values import Fields, Refused, Upload

_MOST_PHOTO = 10 * 2**20
_MOST_DOCUMENT = 50 * 2**20
_MOST_FETCHED = 20 * 2**20


@dataclass(frozen=True, slots=True)
class Media:
    """What hangs on a message: its field in the message, that field's value, and the bytes where there are any."""

    kind: str
    fields: object
    name: str = ""
    content: bytes = field(default=b"", repr=False)

    @property
    def captioned(self) -> bool:
        return self.kind in ("photo", "document", "voice", "video", "animation", "audio")


class Files:
    """Everything uploaded, by file id."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._known: dict[str, Media] = {}

    def photo(self, given: Upload | str) -> Media:
        if isinstance(given, str):
            return self._again("photo", given)
        if not given.content:
            raise Refused("file must be non-empty")
        if len(given.content) > _MOST_PHOTO:
            raise Refused("file is too big for a photo")
        width, height = _size(given.content)
        if width + height > 10_000 or max(width, height) > 20 * min(width, height):
            raise Refused("PHOTO_INVALID_DIMENSIONS")
        size = {**self._identity("photo"), "width": width, "height": height, "file_size": len(given.content)}
        return self._keep(Media("photo", [size], given.name, given.content), size)

    def document(self, given: Upload | str) -> Media:
        if isinstance(given, str):
            return self._again("document", given)
        if not given.content:
            raise Refused("file must be non-empty")
        if len(given.content) > _MOST_DOCUMENT:
            raise Refused("Request Entity Too Large", code=413)
        fields = {**self._identity("document"), "file_name": given.name, "mime_type": given.mime}
        fields["file_size"] = len(given.content)
        return self._keep(Media("document", fields, given.name, given.content), fields)

    def described(self, file_id: str) -> Fields:
        """What getFile says of a file: where to fetch it."""
        known = self._known.get(file_id)
        if known is None:
            raise Refused("invalid file_id")
        if len(known.content) > _MOST_FETCHED:
            raise Refused("file is too big")
        size = {"file_size": len(known.content)} if known.content else {}
        return {"file_id": file_id, "file_unique_id": file_id[-12:], "file_path": f"documents/{file_id}", **size}

    def content(self, file_id: str) -> bytes | None:
        """The bytes of a file, or None where there is none."""
        known = self._known.get(file_id)
        return None if known is None else known.content

    def from_person(self, kind: str, content: bytes = b"", name: str = "document.txt") -> Media:
        """A photo, sticker, voice, video or document as a person's app would upload it."""
        fields: Fields = {**self._identity(kind), "file_size": max(len(content), 1)}
        match kind:
            case "photo":
                fields |= {"width": 90, "height": 90}
                return self._keep(Media(kind, [fields], content=content), fields)
            case "sticker":
                fields |= {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
                fields["emoji"] = "😴"
            case "voice":
                fields |= {"duration": 3, "mime_type": "audio/ogg"}
            case "video":
                fields |= {"width": 1280, "height": 720, "duration": 12, "mime_type": "video/mp4"}
            case "document":
                fields |= {"file_name": name, "mime_type": "text/plain"}
        return self._keep(Media(kind, fields, content=content), fields)

    def poll(self, question: str, options: Sequence[str], *, correct: int | None = None, known: bool = True) -> Media:
        """A poll, or with a correct option a quiz. Of a forwarded quiz a bot is not told which it is: not `known`."""
        fields: Fields = {
            "id": f"58{next(self._numbers):017d}",
            "question": question,
            "options": [
                {"persistent_id": str(number), "text": option, "voter_count": 0}
                for number, option in enumerate(options)
            ],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular" if correct is None else "quiz",
            "allows_multiple_answers": False,
            "allows_revoting": correct is None,
            "members_only": False,
        }
        if correct is not None and known:
            fields["correct_option_ids"] = [correct]
        return Media("poll", fields)

    def copied(self, media: Media) -> Media:
        """What a copy of a message with it carries: the same file, but of a poll a new one with votes of its own."""
        if media.kind != "poll":
            return media
        poll = cast("Fields", media.fields)
        if poll["type"] == "quiz" and "correct_option_ids" not in poll:
            raise Refused("message can't be copied")
        options = [cast("Fields", option)["text"] for option in cast("list[object]", poll["options"])]
        known = cast("list[int]", poll.get("correct_option_ids", []))
        return self.poll(str(poll["question"]), [str(text) for text in options], correct=next(iter(known), None))

    def _identity(self, kind: str) -> Fields:
        number = next(self._numbers)
        return {"file_id": f"BQAC{kind}{number:08d}", "file_unique_id": f"AQAD{number:08d}"}

    def _keep(self, media: Media, fields: Fields) -> Media:
        self._known[str(fields["file_id"])] = media
        return media

    def _again(self, kind: str, file_id: str) -> Media:
        if file_id.startswith(("http://", "https://")):
            raise Refused("failed to get HTTP URL content")
        found = self._known.get(file_id)
        if found is None:
            raise Refused("wrong file identifier/HTTP URL specified")
        if found.kind != kind:
            raise Refused(f"can't use file of type {found.kind.capitalize()} as {kind.capitalize()}")
        return found


def _size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG or JPEG picture."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) > 24:
        width, height = struct.unpack(">II", content[16:24])
        return int(width), int(height)
    if content[:2] == b"\xff\xd8":
        return _jpeg_size(content)
    raise Refused("IMAGE_PROCESS_FAILED")


def _jpeg_size(content: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + length
    raise Refused("IMAGE_PROCESS_FAILED")
