"""Simulated people take the self-experiment: how often its verdict is right, and how often simpler ways mislead.

Run from the project's root: python -m benchmarks.experiment_simulation [--people 2000] [--write]
--write puts the tables between the markers in docs/experiment.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.core.experiment import analysis, design
from bot.core.experiment.design import RUN_IN, Arm, AssignedNight, Label, Plan, Verdict
from bot.core.model import Rating

SEED = 20261120
START = date(2026, 11, 23)

# The model of a person's nights. The unit is the SD of the night-to-night noise.
LAG_1 = 0.2  # how much of one night's noise carries into the next
WEEKDAY_SD = 0.35
DRIFT_SD = 0.3
STEPS = (-1.5, -0.5, 0.5, 1.5)  # where Much worse, Worse, Same, Better and Much better part
ANSWERED = 0.85

NAIVE_NIGHTS = 42
NAIVE_T = 1.684  # one-sided 5 % of Student's t with 40 degrees of freedom
ROUGH_SKIPS, CALM_SKIPS = 0.8, 0.2  # share of rough and of other evenings on which the pill is skipped
WEAK_LINK, STRONG_LINK = 0.3, 0.5  # correlation of the evening with the night after it
AFTER_BAD, AFTER_GOOD = 0.7, 0.3  # share of nights with the pill after a night worse or better than usual

DOCUMENT = Path(__file__).parent.parent / "docs" / "experiment.md"
BEGIN, END = "<!-- simulation: begin -->", "<!-- simulation: end -->"

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
RNG = np.random.Generator


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of simulated person: so many nights, so many better nights per 100 truly gained."""

    nights: int
    gain: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether it seemed to help one simulated person; of a sealed test also its label and whether the interval held the
    truth (None without an interval).
    """

    helpful: bool
    label: Label | None = None
    covered: bool | None = None


ROWS = (Row(28, 0), Row(28, 19), Row(56, 0), Row(56, 19), Row(84, 0), Row(84, 19), Row(84, 30))


def latent_nights(rng: RNG, nights: int) -> Floats:
    """Draw how a person sleeps without a pill: noise that carries over, weekdays, and a slow drift."""
    noise = rng.standard_normal(nights)
    for night in range(1, nights):
        noise[night] = LAG_1 * noise[night - 1] + np.sqrt(1 - LAG_1**2) * noise[night]
    weekday = rng.normal(0, WEEKDAY_SD, 7)[np.arange(nights) % 7]
    # A slow wave with a chance phase, twice the length of the shortest plan or once the length of a longer one.
    phase = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(nights) / max(nights, 56)
    drift = DRIFT_SD * np.sqrt(2) * np.sin(phase)
    latent: Floats = noise + weekday + drift
    return latent


def latent_gain(gain: int) -> float:
    """Return the shift that turns `gain` more nights of 100 into Better or Much better."""
    spread = statistics.NormalDist(0, float(np.sqrt(1 + WEEKDAY_SD**2 + DRIFT_SD**2)))
    usual = 1 - spread.cdf(STEPS[2])
    return STEPS[2] + spread.inv_cdf(usual + gain / 100)


def answers(rng: RNG, latent: Floats) -> Floats:
    """Turn nights into five-step ratings, some mornings unanswered (NaN)."""
    ratings = np.digitize(latent, STEPS) - 2.0
    return np.where(rng.random(latent.size) < ANSWERED, ratings, np.nan)


def simulated_test(rng: RNG, row: Row) -> tuple[Plan, Floats]:
    """Draw a plan and the ratings of its nights after the run-in."""
    plan = Plan(START, row.nights, rng.bytes(design.SEED_BYTES))
    on = np.array([arm is Arm.ON for arm in design.schedule(plan)])
    return plan, answers(rng, latent_nights(rng, row.nights) + latent_gain(row.gain) * on)


def verdict(plan: Plan, ratings: Floats) -> Verdict:
    """Judge by the very function the bot uses."""
    records = [
        AssignedNight(design.night_at(plan, RUN_IN + i), arm, arm is Arm.ON, None if np.isnan(r) else Rating(int(r)))
        for i, (arm, r) in enumerate(zip(design.schedule(plan), ratings, strict=True))
    ]
    return analysis.analyse(plan, records)


def one_person(rng: RNG, row: Row) -> Outcome:
    """Run one person's test to its end."""
    found = verdict(*simulated_test(rng, row))
    effect = found.effect
    covered = None if effect is None else effect.low <= row.gain <= effect.high
    return Outcome(found.label is Label.CLEAR_HELP, found.label, covered)


def peeking_person(rng: RNG, row: Row) -> bool:
    """Say whether a person who looks every second morning ever reads "clearly helps"."""
    plan, ratings = simulated_test(rng, row)
    on = np.array([arm is Arm.ON for arm in design.schedule(plan)])
    for morning in range(2, row.nights + 1, 2):
        so_far = np.where(np.arange(row.nights) < morning, ratings, np.nan)
        rated = ~np.isnan(so_far)
        if min(np.count_nonzero(rated & on), np.count_nonzero(rated & ~on)) < analysis.FEWEST_RATED:
            continue
        if analysis.chances(on, so_far, seed=plan.seed)[0] <= analysis.CLEAR:
            return True
    return False


def looks_helpful(ratings: Floats, took: Flags) -> bool:
    """Compare nights with and without the pill as if chance had chosen them: a one-sided t test at 5 %."""
    with_it, without = (ratings[which & ~np.isnan(ratings)] for which in (took, ~took))
    if min(with_it.size, without.size) < 2:
        return False
    scatter = np.sqrt(with_it.var(ddof=1) / with_it.size + without.var(ddof=1) / without.size)
    return bool(with_it.mean() - without.mean() > NAIVE_T * scatter)


def rough_evenings_person(rng: RNG, link: float) -> bool:
    """Skip the useless pill mostly on rough evenings, which also make for rough nights."""
    latent = latent_nights(rng, NAIVE_NIGHTS)
    evening = link * latent + np.sqrt(1 - link**2) * rng.standard_normal(NAIVE_NIGHTS)
    skipped = rng.random(NAIVE_NIGHTS) < np.where(evening < -0.5, ROUGH_SKIPS, CALM_SKIPS)
    return looks_helpful(answers(rng, latent), ~skipped)


def last_night_person(rng: RNG, _link: float) -> bool:
    """Take the useless pill mostly after bad nights, and rate each night against the one before."""
    latent = latent_nights(rng, NAIVE_NIGHTS + 1)
    before, after = latent[:-1], latent[1:]
    took = rng.random(NAIVE_NIGHTS) < np.where(before < 0, AFTER_BAD, AFTER_GOOD)
    return looks_helpful(answers(rng, after - before), took)


def coin_person(rng: RNG, _link: float) -> bool:
    """Let a coin choose the nights of the useless pill."""
    took = rng.random(NAIVE_NIGHTS) < 0.5
    return looks_helpful(answers(rng, latent_nights(rng, NAIVE_NIGHTS)), took)


@dataclass(frozen=True, slots=True)
class Habit:
    """A way of finding out for oneself, and who does it."""

    words: str
    person: Callable[[RNG, float], bool]
    link: float = 0.0


HABITS = (
    Habit(f"skip it on rough evenings (link {WEAK_LINK} between evening and night)", rough_evenings_person, WEAK_LINK),
    Habit(f"skip it on rough evenings (link {STRONG_LINK})", rough_evenings_person, STRONG_LINK),
    Habit('take it after bad nights, ask "better than LAST night?"', last_night_person),
    Habit("let a coin choose each night", coin_person),
)
PEEKED = Row(56, 0)

MORE_WITHOUT_EFFECT = 10
"""So many times more people where there is nothing to find: 5 % of 2,000 is uncertain by a whole point, of 20,000 by 0.3."""

# (kind, index, first person, last person + 1): small enough to spread, and the same people on any number of cores.
Task = tuple[str, int, int, int]
Found = dict[tuple[str, int], list[Outcome]]
KINDS = ("test", "peek", "habit")
CHUNK = 25


def simulated(kind: str, index: int, number: int) -> Outcome:
    """Simulate one person from a generator of their own."""
    rng = np.random.default_rng([SEED, KINDS.index(kind), index, number])
    if kind == "test":
        return one_person(rng, ROWS[index])
    if kind == "peek":
        return Outcome(peeking_person(rng, PEEKED))
    return Outcome(HABITS[index].person(rng, HABITS[index].link))


def run_task(task: Task) -> tuple[str, int, list[Outcome]]:
    """Simulate one batch of people."""
    kind, index, first, beyond = task
    return kind, index, [simulated(kind, index, number) for number in range(first, beyond)]


def tasks(people: int) -> list[Task]:
    """List all batches."""
    kinds = [("peek", 0), *(("test", i) for i in range(len(ROWS))), *(("habit", i) for i in range(len(HABITS)))]
    return [
        (kind, index, first, min(first + CHUNK, many))
        for kind, index in kinds
        for many in [people * MORE_WITHOUT_EFFECT if kind == "test" and not ROWS[index].gain else people]
        for first in range(0, many, CHUNK)
    ]


def simulate(people: int, processes: int) -> Found:
    """Simulate everybody, by kind and index."""
    todo = tasks(people)
    found: Found = {}
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread a process: the matrices are small
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for done, (kind, index, batch) in enumerate(pool.imap_unordered(run_task, todo), start=1):
            found.setdefault((kind, index), []).extend(batch)
            draw_bar(done, len(todo))
    return found


def draw_bar(done: int, total: int) -> None:
    """Draw the progress on standard error, over the last one."""
    filled = 40 * done // total
    end = "\n" if done == total else ""
    sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {100 * done // total:3d} %{end}")
    sys.stderr.flush()


def share(hits: list[bool]) -> str:
    """Write how many of a list are true, in per cent."""
    return f"{100 * sum(hits) / len(hits):.1f} %"


def interval(hits: list[bool]) -> str:
    """Write the range in which the true share is with 95 % (Wilson's)."""
    n, found, z = len(hits), sum(hits) / len(hits), 1.96
    middle = found + z * z / (2 * n)
    spread = z * np.sqrt(found * (1 - found) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * spread) / (1 + z * z / n) for sign in (-1, 1))
    return f"{100 * low:.1f}–{100 * high:.1f}"


def verdict_table(found: Found) -> Iterator[str]:
    """Write one line for each row of simulated tests."""
    heads = ("nights", "true effect", "clear help", "leans help", "can't tell", "leans worse", "clear worse")
    yield f"| {' | '.join(heads)} | no verdict | interval holds the truth |"
    yield "|---" * 9 + "|"
    for index, row in enumerate(ROWS):
        told = found["test", index]
        cells = [share([outcome.label is label for outcome in told]) for label in Label]
        cells[0] += f" ({interval([outcome.helpful for outcome in told])})"
        covered = share([outcome.covered for outcome in told if outcome.covered is not None])
        effect = f"+{row.gain} better nights per 100" if row.gain else "none"
        yield f"| {row.nights} | {effect} | {' | '.join(cells)} | {covered} |"


def habit_table(found: Found) -> Iterator[str]:
    """Write how often a useless pill seems to help, by the way of finding out."""
    yield "| way, with a useless pill | seems to help |"
    yield "|---|---|"
    ways = [(f"{NAIVE_NIGHTS} nights: {habit.words}", found["habit", index]) for index, habit in enumerate(HABITS)]
    ways.append((f"{PEEKED.nights} nights: this test, looked at every second morning", found["peek", 0]))
    ways.append(
        (f"{PEEKED.nights} nights: this test with bags, sealed until the end", found["test", ROWS.index(PEEKED)])
    )
    for words, outcomes in ways:
        yield f"| {words} | {share([outcome.helpful for outcome in outcomes])} |"


def milliseconds(row: Row, times: int = 200) -> float:
    """Return the median processor time of one analysis: others may use the machine, too."""
    plan, ratings = simulated_test(np.random.default_rng(SEED), row)
    taken = []
    for _ in range(times):
        began = time.process_time()
        verdict(plan, ratings)
        taken.append(time.process_time() - began)
    return 1000 * statistics.median(taken)


def report(people: int, processes: int) -> str:
    """Simulate and write all of it as Markdown."""
    found = simulate(people, processes)
    slowest = max(milliseconds(Row(nights, 0)) for nights in design.LENGTHS)
    made = (
        f"{people:,} simulated people a row, {people * MORE_WITHOUT_EFFECT:,} where the true effect is none; in brackets the range "
        f"in which the share is with 95 %. Seed {SEED}, CPython {platform.python_version()}, numpy {np.__version__}. "
        f"One analysis took {slowest:.1f} ms of processor time (median, the slowest of the three lengths)."
    )
    return "\n".join([*verdict_table(found), "", *habit_table(found), "", made])


def write(text: str) -> None:
    """Put the tables between the markers of the document."""
    page = DOCUMENT.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    DOCUMENT.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


def main() -> None:
    """Read the options, simulate, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=2000, help="simulated people a row")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/experiment.md")
    options = parser.parse_args()
    text = report(options.people, options.processes)
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
