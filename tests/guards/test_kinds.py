"""A kind of message has its rules, its text and its words in the glossary; what is stored of it fits its column."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
import sqlalchemy as sa

from bot.core.message_kinds import KINDS
from bot.core.model import Awaiting, Cadence, Kind, NightRecord, Person, Reason, State, Status
from bot.core.owed import Owed
from bot.delivery.renderer import VIEWS, Renderer
from db import tables
from tests.guards import reading

NOW = datetime(2026, 11, 20, 21, 15, tzinfo=UTC)
ANN = Person(
    7, Status.ACTIVE, created_at=NOW, seen_at=NOW, zone="Europe/Berlin", bedtimes=(23 * 60,) * 7, form="citrate"
)
WRITTEN = [kind for kind, policy in KINDS.items() if not policy.picture]


def test_every_kind_has_its_rules() -> None:
    assert set(KINDS) == set(Kind)


def test_every_kind_that_is_no_picture_has_a_view_and_no_view_is_left_over() -> None:
    assert VIEWS.keys() == {KINDS[kind].view for kind in WRITTEN}


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_kind_says_something(kind: Kind) -> None:
    bed = NOW + timedelta(minutes=45)
    row = Owed(1, kind, NOW.date(), NOW, bed, bed, 0, 0, ANN, NightRecord(NOW.date()))

    assert Renderer(reading.texts()).render(row, now=NOW).text


def test_the_glossary_names_every_kind_and_no_other() -> None:
    table = reading.section("docs/glossary.md", "Kinds of message")

    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {kind.value for kind in Kind}


@pytest.mark.parametrize(
    ("members", "column"),
    [
        (Kind, tables.outbox.c.kind),
        (State, tables.outbox.c.state),
        (Status, tables.users.c.status),
        (Awaiting, tables.users.c.awaiting),
        (Cadence, tables.users.c.cadence),
        (Reason, tables.nights.c.reason),
    ],
)
def test_every_value_fits_its_column(members: type[StrEnum], column: sa.Column[str]) -> None:
    """SQLite would keep a longer one, PostgreSQL refuses it."""
    assert isinstance(column.type, sa.String)
    assert column.type.length is not None

    assert max(len(member.value) for member in members) <= column.type.length
