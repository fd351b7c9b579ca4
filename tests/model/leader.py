"""Who leads, in small: two processes, one lock of the database, and what each of them believes.

A process is told at once that its session is gone, or finds out at its next look; one that hangs finds out when it wakes. So two
may believe for a while that they lead. What holds all the same: the row's fence, and the deadline at the socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

ALIVE, HANGS, DEAD = "alive", "hangs", "dead"


class Process(NamedTuple):
    """One process. `session`: the database knows its session. `leads`: it believes so. `has`: it holds the row, since `term`."""

    life: str = ALIVE
    session: bool = True
    leads: bool = False
    has: bool = False
    noted: bool = False  # a copy is counted, and the socket is next


class Cluster(NamedTuple):
    """Both processes, who holds the lock and the row (None: nobody), and what was written."""

    processes: tuple[Process, Process] = (Process(), Process())
    lock: int | None = None
    row: int | None = None
    sending: bool = False
    lease_over: bool = False
    copies: int = 0
    sent: int = 0
    settled: int = 0
    late: bool = False  # the window is over


class LeaderMistake(StrEnum):
    """Deliberate mistakes."""

    NO_FENCE = "a worker begins or ends a row that is not its own"
    LOCK_OUTLIVES_SESSION = "the lock stays when its session is gone"
    NEVER_LOOKS = "a leader never looks whether the lock is still its own"
    NO_LOCK = "everybody leads"
    RECLAIMS_AT_ONCE = "a new leader takes rows that are being sent before their lease is over"
    NO_DEADLINE = "the deadline is not looked at before the socket is written"
    NO_COUNT = "a copy is not counted before it leaves"


@dataclass(frozen=True, slots=True)
class LeaderRules:
    wrong: frozenset[LeaderMistake] = frozenset()
    most: int = 3


class Step(NamedTuple):
    what: str
    who: int = 0


def moves(cluster: Cluster, rules: LeaderRules) -> Iterator[tuple[Step, Cluster]]:
    """All that can happen next."""
    for who, process in enumerate(cluster.processes):
        for what, after in (*_fates(cluster, who, process, rules), *_acts(cluster, who, process, rules)):
            yield Step(what, who), after
    if cluster.row is not None and not cluster.lease_over:
        yield Step("the lease ends"), cluster._replace(lease_over=True)
    if not cluster.late:
        yield Step("the window ends"), cluster._replace(late=True)


def _fates(cluster: Cluster, who: int, process: Process, rules: LeaderRules) -> Iterator[tuple[str, Cluster]]:
    """What befalls a process: death, a hang and its end, the loss of its session, another beginning."""
    kept = LeaderMistake.LOCK_OUTLIVES_SESSION in rules.wrong
    free = cluster if cluster.lock != who or kept else cluster._replace(lock=None)
    if process.life == ALIVE:
        yield "hangs", _with(cluster, who, process._replace(life=HANGS))
    if process.life == HANGS:
        yield "wakes", _with(cluster, who, process._replace(life=ALIVE))
    if process.session and process.life != DEAD:
        # The server ends the session of one that is silent; one that lives is told, or finds out.
        yield "loses its session", _with(free, who, process._replace(session=False))
    if process.life != DEAD:
        yield "dies", _with(free, who, Process(DEAD, session=False))
    else:
        yield "is started again", _with(cluster, who, Process())


def _acts(cluster: Cluster, who: int, process: Process, rules: LeaderRules) -> Iterator[tuple[str, Cluster]]:
    if process.life != ALIVE:
        return
    yield from _looks(cluster, who, process, rules)
    unfenced = LeaderMistake.NO_FENCE in rules.wrong
    if process.leads:
        yield from _takes(cluster, who, process, rules)
    if _may_begin(cluster, who, process, rules):
        counted = cluster.copies + (LeaderMistake.NO_COUNT not in rules.wrong)
        begun = cluster._replace(sending=True, copies=counted, lease_over=False)
        yield "begins", _with(begun, who, process._replace(noted=True))
    if process.noted:
        late = cluster.late and LeaderMistake.NO_DEADLINE not in rules.wrong
        yield "writes", _with(cluster._replace(sent=cluster.sent + (not late)), who, process._replace(noted=False))
    if process.has and not process.noted:
        mine = cluster.sending and (cluster.row == who or unfenced)
        end = cluster._replace(row=None, sending=False, settled=cluster.settled + 1) if mine else cluster
        yield "settles", _with(end, who, process._replace(has=False))


def _may_begin(cluster: Cluster, who: int, process: Process, rules: LeaderRules) -> bool:
    mine = process.has and not process.noted and process.leads
    fits = cluster.row == who or LeaderMistake.NO_FENCE in rules.wrong
    return mine and fits and not cluster.sending and cluster.copies < rules.most and not cluster.late


def _looks(cluster: Cluster, who: int, process: Process, rules: LeaderRules) -> Iterator[tuple[str, Cluster]]:
    """Once a second: is the lock still mine, or free?"""
    if not process.session:
        blind = process.leads and LeaderMistake.NEVER_LOOKS in rules.wrong
        seen = process._replace(session=True, leads=blind)
        yield "sees that its session is gone, and opens another", _with(cluster, who, seen)
    elif not process.leads and (cluster.lock is None or LeaderMistake.NO_LOCK in rules.wrong):
        yield "leads", _with(cluster._replace(lock=who), who, process._replace(leads=True))


def _takes(cluster: Cluster, who: int, process: Process, rules: LeaderRules) -> Iterator[tuple[str, Cluster]]:
    """A leader claims the row, or takes it back from the dead first."""
    if process.has or cluster.settled:
        return
    if cluster.row is None and not cluster.late and cluster.copies < rules.most:
        yield "claims", _with(cluster._replace(row=who, lease_over=False), who, process._replace(has=True))
    gone = cluster.row is not None and not cluster.sending and not cluster.processes[cluster.row].has
    over = cluster.lease_over or (gone and cluster.row != who) or LeaderMistake.RECLAIMS_AT_ONCE in rules.wrong
    if cluster.row is not None and over:
        yield "reclaims", cluster._replace(row=None, sending=False)


def _with(cluster: Cluster, who: int, process: Process) -> Cluster:
    pair = list(cluster.processes)
    pair[who] = process
    return cluster._replace(processes=(pair[0], pair[1]))


def breaks(before: Cluster, step: Step, after: Cluster) -> str:
    """Which rule the step breaks; empty where it keeps all."""
    told = [process for process in after.processes if process.leads and process.session]
    if len(told) > 1:
        return "two that lead, and neither can know better"
    if step.what in ("begins", "settles") and after.row is not before.row and before.row != step.who:
        return "a write to a row that another has"
    if step.what == "begins" and before.row != step.who:
        return "a write to a row that another has"
    if after.sent > after.copies:
        return "more copies left than are counted"
    if step.what == "writes" and before.late and after.sent > before.sent:
        return "sent after the deadline"
    if step.what == "reclaims" and before.sending and not before.lease_over:
        return "taken from the living"
    return "ended twice" if after.settled > 1 else ""


def harmless(step: Step) -> bool:
    """Whether the step is no new fault; that time passes, that who hangs wakes and who died is started again are none."""
    return step.what not in ("hangs", "dies", "loses its session")


def ended(cluster: Cluster, most: int) -> bool:
    """Whether the row has ended, or its window, and nobody has it in hand."""
    over = bool(cluster.settled) or cluster.late or cluster.copies == most
    return over and cluster.row is None and not any(process.has for process in cluster.processes)
