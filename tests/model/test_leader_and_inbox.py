"""Every history of two processes that would lead, and of updates on their way in: no rule is broken, an end is always near."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.model import inbox, leader
from tests.model.inbox import InboxMistake, InboxRules, Intake
from tests.model.leader import Cluster, LeaderMistake, LeaderRules
from tests.model.search import FULL, Explored, explore

MOST = 3 if FULL else 2
"""Copies that may leave."""


def leading(*wrong: LeaderMistake) -> Explored[Cluster, leader.Step]:
    rules = LeaderRules(frozenset(wrong), most=MOST)
    return explore(Cluster(), lambda cluster: _bounded(leader.moves(cluster, rules)), breaks=leader.breaks)


def _bounded(steps: Iterable[tuple[leader.Step, Cluster]]) -> Iterable[tuple[leader.Step, Cluster]]:
    return (step for step in steps if step[1].sent <= MOST + 1)


def _led(cluster: Cluster) -> bool:
    return any(process.leads and process.session and process.life == leader.ALIVE for process in cluster.processes)


@pytest.fixture(scope="module")
def led() -> Explored[Cluster, leader.Step]:
    return leading()


def test_whoever_hangs_or_loses_the_lock_two_never_write_one_row(led: Explored[Cluster, leader.Step]) -> None:
    assert led.broken == "", led.story
    assert led.without_end(ends=lambda cluster: leader.ended(cluster, MOST), harmless=leader.harmless) == []
    assert led.without_end(ends=_led, harmless=leader.harmless) == []


def test_a_zombie_that_slept_between_the_note_and_the_socket_can_still_send_its_counted_copy(
    led: Explored[Cluster, leader.Step],
) -> None:
    # No fence reaches the socket: it is why a copy is counted before, and why the deadline is looked at last.
    assert [world for world in led.states if world.sent > 1 and not world.settled]
    assert all(world.sent <= world.copies <= MOST for world in led.states)


@pytest.mark.parametrize("mistake", LeaderMistake)
def test_every_mistake_about_leading_is_found(mistake: LeaderMistake) -> None:
    found = leading(mistake)

    assert found.broken or found.without_end(ends=_led, harmless=leader.harmless)


def taking_in(*wrong: InboxMistake, replicas: bool = True) -> Explored[Intake, inbox.Happens]:
    rules = InboxRules(replicas, wrong=frozenset(wrong))
    return explore(Intake(), lambda intake: inbox.moves(intake, rules), breaks=inbox.breaks)


@pytest.mark.parametrize("replicas", [False, True])
def test_every_update_is_handled_once_and_in_its_persons_order(replicas: bool) -> None:
    found = taking_in(replicas=replicas)

    assert found.broken == "", found.story
    assert found.without_end(ends=inbox.ended, harmless=inbox.harmless) == []


@pytest.mark.parametrize("mistake", InboxMistake)
def test_every_mistake_about_updates_is_found(mistake: InboxMistake) -> None:
    found = taking_in(mistake)

    assert found.broken or found.without_end(ends=inbox.ended, harmless=inbox.harmless)
