"""Updates are stored without names, and are read all the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from telegram import Bot, Update

from bot.updates import nameless
from bot.updates.polling import letter_of
from tests.conftest import TOKEN

NOW = datetime(2026, 3, 26, 12, 0, tzinfo=UTC)
ADA: dict[str, Any] = {
    "id": 77,
    "is_bot": False,
    "first_name": 'Ada "the \\ first"',
    "last_name": "Łovelace\n\u2028",
    "username": "countess",
    "language_code": "de",
}
MESSAGE: dict[str, Any] = {
    "message_id": 5,
    "date": 1774526400,
    "chat": {"id": -5, "type": "group", "title": "The Lovelaces"},
    "from": ADA,
    "text": 'my "first_name": "Ada" is no name here',
    "entities": [{"type": "text_mention", "offset": 0, "length": 2, "user": ADA}],
    "forward_origin": {"type": "hidden_user", "sender_user_name": "Lovelace", "date": 1774526400},
    "contact": {"phone_number": "+4912345", "first_name": "Lovelace", "vcard": "N:Lovelace"},
}


def test_no_name_is_left_and_ids_language_and_text_are() -> None:
    stored_update = letter_of({"update_id": 9, "message": MESSAGE}, now=NOW)

    assert stored_update is not None
    for name in ("the \\\\ first", "ovelace", "countess", "12345"):
        assert name not in stored_update.body
    update = Update.de_json(json.loads(stored_update.body), Bot(TOKEN))
    assert update.message is not None
    assert update.message.text == MESSAGE["text"]
    assert update.effective_user is not None
    assert (update.effective_user.id, update.effective_user.language_code) == (77, "de")
    assert update.effective_user.first_name == ""
    assert stored_update.user_id == 77


def test_a_text_that_looks_like_a_name_stays_a_text() -> None:
    for text in ('"first_name":"Ada"', '\\"first_name\\":\\"Ada\\"', 'x","first_name":"Ada', "\\"):
        body = json.dumps({"text": text, "first_name": "Ada"}, separators=(",", ":")).encode()
        assert json.loads(nameless.blanked(body)) == {"text": text, "first_name": ""}


def test_what_is_no_text_is_left_as_it_is() -> None:
    body = b'{"first_name": 5, "last_name" : "x" , "title":null,"other_title":"kept"}'
    assert json.loads(nameless.blanked(body)) == {
        "first_name": 5,
        "last_name": "",
        "title": None,
        "other_title": "kept",
    }
