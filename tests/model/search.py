"""Every state that a model can be in, one after another: what breaks a rule on the way, and from where no end is reached."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

FULL = os.environ.get("FULL") == "1"
"""Whether the searches go as far as they can, which takes minutes, or as far as a test run has time for."""

S = TypeVar("S", bound=Hashable)
A = TypeVar("A")


@dataclass(slots=True)
class Explored(Generic[S, A]):
    """All states that were reached, numbered in the order of their discovery, and the steps between them.

    `broken` names the first rule that a step broke and `story` the actions up to it; the search ended there.
    """

    states: list[S] = field(default_factory=list)
    steps: list[list[tuple[A, int]]] = field(default_factory=list)  # of each state: what can happen, and to where
    parents: list[tuple[int, A] | None] = field(default_factory=list)
    broken: str = ""
    story: list[A] = field(default_factory=list)

    def way_to(self, number: int) -> list[A]:
        """The shortest story that ends in that state."""
        found: list[A] = []
        parent = self.parents[number]
        while parent is not None:
            number, action = parent
            found.append(action)
            parent = self.parents[number]
        return found[::-1]

    def without_end(self, *, ends: Callable[[S], bool], harmless: Callable[[A], bool]) -> list[int]:
        """The states from which harmless actions alone lead to no end."""
        before: list[list[int]] = [[] for _ in self.states]
        for number, steps in enumerate(self.steps):
            for action, after in steps:
                if harmless(action):
                    before[after].append(number)
        good = {number for number, state in enumerate(self.states) if ends(state)}
        waiting = list(good)
        while waiting:
            for number in before[waiting.pop()]:
                if number not in good:
                    good.add(number)
                    waiting.append(number)
        return [number for number in range(len(self.states)) if number not in good]

    def circles(self, *, among: Callable[[A], bool]) -> list[int]:
        """States that such actions alone can lead back to: where they go round in circles, nothing gets done."""
        inside = [0] * len(self.states)
        onward = [[after for action, after in steps if among(action)] for steps in self.steps]
        for after in (after for steps in onward for after in steps):
            inside[after] += 1
        free = [number for number, count in enumerate(inside) if count == 0]
        done = set[int]()
        while free:
            number = free.pop()
            done.add(number)
            for after in onward[number]:
                inside[after] -= 1
                if inside[after] == 0:
                    free.append(after)
        return [number for number in range(len(self.states)) if number not in done]


def explore(
    start: S,
    moves: Callable[[S], Iterable[tuple[A, S]]],
    *,
    breaks: Callable[[S, A, S], str],
    most: int = 5_000_000,
) -> Explored[S, A]:
    """Breadth first from `start`, until a step breaks a rule or nothing new is found. `breaks` names the rule, or is empty."""
    found = Explored[S, A]([start], [], [None])
    known = {start: 0}
    waiting = deque([0])
    while waiting:
        number = waiting.popleft()
        state, steps = found.states[number], list[tuple[A, int]]()
        found.steps.append(steps)
        for action, after in moves(state):
            if why := breaks(state, action, after):
                found.broken, found.story = why, [*found.way_to(number), action]
                return found
            if after not in known:
                known[after] = len(found.states)
                found.states.append(after)
                found.parents.append((number, action))
                waiting.append(known[after])
                assert len(found.states) <= most, "the bounds of the model are too wide"
            steps.append((action, known[after]))
    return found
