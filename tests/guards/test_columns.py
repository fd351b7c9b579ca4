"""What is kept of a person is read, written and handed out: column by column."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime

from bot import export
from bot.core.model import Person, Status
from db import tables

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_every_column_of_people_is_a_field_of_a_person() -> None:
    assert {column.name for column in tables.users.c} == {field.name for field in fields(Person)}


def test_every_field_of_a_person_is_in_what_they_take_away() -> None:
    person = Person(7, Status.ACTIVE, created_at=NOW, seen_at=NOW)

    assert json.loads(json.dumps(export.profile(person))).keys() == {field.name for field in fields(Person)}
