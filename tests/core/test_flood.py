"""Sixty updates a minute are welcome, the next one hears a word, the rest silence."""

from __future__ import annotations

from bot.core import flood
from bot.core.flood import FileGate, FloodGate, Manner


def admitted(gate: FloodGate, count: int, *, user: int = 1, now: float = 0.0) -> list[Manner]:
    return [gate.admit(user, now=now) for _ in range(count)]


def test_sixty_at_once_are_welcome_then_one_word_then_silence() -> None:
    answers = admitted(FloodGate(), 65)
    assert answers == [Manner.WELCOME] * 60 + [Manner.WARN] + [Manner.IGNORE] * 4


def test_after_a_while_there_is_room_again() -> None:
    gate = FloodGate()
    admitted(gate, 61)
    assert gate.admit(1, now=1.0) is Manner.WELCOME
    assert gate.admit(1, now=1.0) is Manner.IGNORE


def test_a_quiet_half_minute_earns_a_new_word() -> None:
    gate = FloodGate()
    admitted(gate, 61)
    assert gate.admit(1, now=40.0) is Manner.WELCOME
    assert Manner.WARN in admitted(gate, 60, now=40.0)


def test_one_person_does_not_use_up_anothers_room() -> None:
    gate = FloodGate()
    admitted(gate, 100)
    assert gate.admit(2, now=0.0) is Manner.WELCOME


def test_updates_that_are_nobodys_are_always_welcome() -> None:
    gate = FloodGate()
    assert {gate.admit(None, now=0.0) for _ in range(100)} == {Manner.WELCOME}


def test_people_who_are_quiet_are_forgotten() -> None:
    gate = FloodGate()
    for user in range(flood._KEEP + 1):
        gate.admit(user, now=0.0)
    gate.admit(0, now=120.0)
    assert len(gate._buckets) == 1


def test_a_crowd_is_not_looked_through_for_every_update() -> None:
    gate, looks = FloodGate(), 0
    for user in range(2 * flood._KEEP):
        before = gate._buckets
        gate.admit(user, now=0.0)
        looks += gate._buckets is not before
    assert looks == 1


def test_three_files_are_read_in_ten_minutes_then_there_is_a_wait() -> None:
    gate = FileGate()
    for at in (0.0, 60.0, 120.0):
        assert gate.wait(1, now=at) == 0
        gate.note(1, now=at, taken=True)

    assert gate.wait(1, now=180.0) == 420.0
    assert gate.wait(2, now=180.0) == 0
    assert gate.wait(1, now=600.0) == 0


def test_refused_files_are_free_up_to_ten() -> None:
    gate = FileGate()
    for at in range(10):
        assert gate.wait(1, now=float(at)) == 0
        gate.note(1, now=float(at), taken=False)

    assert gate.wait(1, now=10.0) == 590.0


def test_of_people_who_send_nothing_any_more_nothing_is_kept() -> None:
    gate = FileGate()
    for user in range(10_001):
        gate.note(user, now=0.0, taken=True)
    gate.note(1, now=601.0, taken=True)

    assert len(gate._files) == 1
