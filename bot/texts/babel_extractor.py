"""For translators: hands the content's sentences to Babel, which finds those in the code by itself (see babel.cfg)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from bot.texts import content

Found = tuple[int, str | None, str, list[str]]


def content_messages(_file: IO[bytes], _keywords: object, _tags: object, options: object) -> Iterator[Found]:
    """Every tip, form and safety text, with a comment that says what it is. Babel's signature for an extractor."""
    del options  # Babel passes it by name
    for number, (comment, message) in enumerate(content.messages(content.load()), start=1):
        yield number, None, message, [comment]
