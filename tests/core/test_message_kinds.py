"""The table of kinds: whole, consistent, and what it is the source of."""

from __future__ import annotations

from dataclasses import fields

import pytest

from bot.core import message_kinds
from bot.core.message_kinds import KINDS, Policy, Repeats
from bot.core.model import Kind, Person
from bot.delivery.renderer import VIEWS
from db import tables

SETTINGS = {field.name for field in fields(Person)}


def test_every_kind_has_its_entry() -> None:
    assert set(KINDS) == set(Kind)


@pytest.mark.parametrize(("kind", "policy"), KINDS.items(), ids=[kind.value for kind in KINDS])
def test_an_entry_names_what_there_is(kind: Kind, policy: Policy) -> None:
    assert len(kind.value) <= (tables.outbox.c.kind.type.length or 0)
    assert (policy.view in VIEWS) is not policy.picture
    assert policy.switch is None or policy.switch in SETTINGS
    assert policy.lane.bulk
    assert not policy.ahead or policy.when is not None


def test_no_view_is_without_a_kind() -> None:
    assert set(VIEWS) <= {policy.view for policy in KINDS.values()}


def test_only_a_reminder_may_come_three_times_or_before_its_moment() -> None:
    assert message_kinds.having(lambda policy: policy.repeats is Repeats.LABELLED) == (Kind.REMINDER,)
    assert message_kinds.having(lambda policy: policy.may_go_early) == (Kind.REMINDER,)


def test_what_an_answer_ends_is_what_rests_with_a_pause() -> None:
    ended = message_kinds.having(lambda policy: policy.ended_by_answer)
    assert ended[:2] == (Kind.REMINDER, Kind.NUDGE)
    assert message_kinds.having(lambda policy: not policy.while_paused) == ended


def test_only_the_last_word_before_an_erasure_goes_to_people_who_said_stop() -> None:
    assert message_kinds.having(lambda policy: policy.while_stopped) == (Kind.DORMANT,)


def test_a_setting_switches_off_what_it_names() -> None:
    assert message_kinds.switched_off_by("no_check_in") == (Kind.CHECK_IN, Kind.KEEP_GOING)
    assert message_kinds.switched_off_by("no_digest") == (Kind.DIGEST,)
