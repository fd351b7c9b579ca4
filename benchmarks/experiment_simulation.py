"""Simulated people take the self-experiment: how often its verdict is right, and how often simpler ways mislead.

Run from the project's root: python -m benchmarks.experiment_simulation [--people 2000] [--processes 1] [--write]
--write puts the tables between the markers in docs/experiment.md. Standard library only; the same people on any machine.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from bot.core.experiment import design, exact, ranges, together, verdict
from bot.core.experiment.counts import Label
from bot.core.experiment.design import FORTNIGHT, RUN_IN, Arm, AssignedNight, Design, Plan
from bot.core.experiment.forecast import SPREAD, latent_nights
from bot.core.experiment.verdict import End, Size
from bot.core.model import Rating

SEED = 20261203
START = date(2026, 11, 23)

STEPS = (
    -1.5,
    -0.5,
    0.5,
    1.5,
)  # in SD of the night-to-night noise: where Much worse, Worse, Same, Better and Much better part
ANSWERED = 0.85

NAIVE_NIGHTS = 42
NAIVE_T = 1.684  # one-sided 5 % of Student's t with 40 degrees of freedom
ROUGH_SKIPS, CALM_SKIPS = 0.8, 0.2  # share of rough and of other evenings on which the pill is skipped
WEAK_LINK, STRONG_LINK = 0.3, 0.5  # correlation of the evening with the night after it
AFTER_BAD, AFTER_GOOD = 0.7, 0.3  # share of nights with the pill after a night worse or better than usual

MORE = 10
"""So many times more people where nothing but chance plays, and where the power that people are told comes from: 5 % of
2,000 is uncertain by a point, of 20,000 by 0.3."""

WITH_RANGES = 2000
"""So many people of a row also get their ranges, which take most of the time."""

ENOUGH_EVIDENCE = 20

DOCUMENT = Path(__file__).parent.parent / "docs" / "experiment.md"
BEGIN, END = "<!-- simulation: begin -->", "<!-- simulation: end -->"


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of simulated person.

    `gain`: so many more nights of 100 become Better or Much better (negative: the mirror of it). `build_up`: nights over
    which the gain builds up and wears off. `expectation`: SD that knowing of it adds. `silence`: half of the bad mornings
    with it and half of the good mornings without it stay unanswered.
    """

    nights: int
    gain: int = 0
    design: Design = Design.NIGHTLY
    build_up: int = 0
    expectation: float = 0.0
    silence: bool = False

    @property
    def plain(self) -> bool:
        """Whether it stands for a useless pill with nothing that misleads, or for what people are told before the start."""
        return self.gain in (0, 7, 19) and not (self.build_up or self.expectation or self.silence)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one simulated person was told; the ranges held the truth or not (None where there was none)."""

    label: Label
    end: End
    fortnights: int
    held: bool | None
    held_clear: bool | None


ROWS = (
    *(Row(nights, gain) for nights in (28, 56, 84) for gain in (0, 7, 19, 30, -19)),
    Row(84, 19, build_up=2),
    *(Row(84, gain, Design.WEEKLY, days) for gain, days in ((0, 0), (19, 0), (19, 2), (19, 5))),
    *(Row(nights, expectation=shift) for nights in (56, 84) for shift in (0.15, 0.3, 0.5)),
    *(Row(nights, silence=True) for nights in (56, 84)),
    Row(84, 7, Design.WEEKLY),
)

SHOWN = sorted(
    range(len(ROWS)), key=lambda i: (ROWS[i].silence, ROWS[i].expectation > 0, ROWS[i].design is Design.WEEKLY)
)
"""The rows in the order of the tables. Theirs is kept as it is: each person's chance is drawn from the row's number."""


def latent_gain(gain: int) -> float:
    """Return the shift that turns `gain` more nights of 100 into Better or Much better; mirrored where negative."""
    usual = 1 - SPREAD.cdf(STEPS[2])
    return math.copysign(STEPS[2] + SPREAD.inv_cdf(usual + abs(gain) / 100), gain) if gain else 0.0


def true_steps(shift: float) -> float:
    """Return by how many steps the mean answer differs with and without a latent shift."""
    return sum(SPREAD.cdf(limit) - SPREAD.cdf(limit - shift) for limit in STEPS)


def true_pairs(gain: int) -> int:
    """Return of how many of 100 pairs of nights the one with it is the better one, as the result counts them."""
    limits = (-math.inf, *STEPS, math.inf)
    shares = [SPREAD.cdf(high) - SPREAD.cdf(low) for low, high in pairwise(limits)]
    shift = true_steps(latent_gain(gain))
    won = (a * b * ranges.won(x + shift - y) for x, a in enumerate(shares) for y, b in enumerate(shares))
    return round(100 * sum(won))


def five_steps(latent: float) -> int:
    """Turn a night into its answer."""
    return sum(latent >= limit for limit in STEPS) - 2


def answers(rng: random.Random, latent: Sequence[float]) -> list[int | None]:
    """Turn nights into answers, some mornings unanswered."""
    return [five_steps(night) if rng.random() < ANSWERED else None for night in latent]


def drawn_plan(rng: random.Random, row: Row) -> Plan:
    """Draw a plan."""
    return Plan(START, row.nights, rng.randbytes(design.SEED_BYTES), design=row.design)


def told_answers(rng: random.Random, row: Row, on: Sequence[bool]) -> list[int | None]:
    """Draw the answers of a plan's nights."""
    effect = latent_gain(row.gain)
    stays = math.exp(-1 / row.build_up) if row.build_up else 0.0
    level, latent = 0.0, []
    for assigned, night in zip(on, latent_nights(rng, row.nights), strict=True):
        level = stays * level + (1 - stays) * assigned
        latent.append(night + effect * level + row.expectation * assigned)
    told = answers(rng, latent)
    if row.silence:
        told = [None if _unkind(a, o) and rng.random() < 1 / 2 else a for a, o in zip(told, on, strict=True)]
    return told


def _unkind(answer: int | None, on: bool) -> bool:
    return answer is not None and (answer < 0 if on else answer > 0)


def simulated_test(rng: random.Random, row: Row) -> tuple[Plan, list[AssignedNight]]:
    """Draw a plan and its nights after the run-in."""
    plan = drawn_plan(rng, row)
    arms = design.schedule(plan)
    told = told_answers(rng, row, [arm is Arm.ON for arm in arms])
    return plan, [
        AssignedNight(design.night_at(plan, RUN_IN + index), arm, arm is Arm.ON, None if a is None else Rating(a))
        for index, (arm, a) in enumerate(zip(arms, told, strict=True))
    ]


def one_person(rng: random.Random, row: Row, *, sized: bool = True) -> Outcome:
    """Run one person's test to its end, judged by the very functions the bot uses; `sized`: with its ranges."""
    plan, records = simulated_test(rng, row)
    if not sized:
        return Outcome(*verdict.decided(plan, records), None, None)
    found = verdict.analyse(plan, records)
    truth = true_steps(latent_gain(row.gain) + row.expectation)
    return Outcome(found.label, found.end, found.fortnights, _held(found.size, truth), _held(found.clear_size, truth))


def _held(size: Size | None, truth: float) -> bool | None:
    return None if size is None else size.low <= truth <= size.high


def stops_when_it_looks_good(rng: random.Random, _link: float) -> bool:
    """Say whether p falls to 0.05 after any whole fortnight of 84 nights with a useless pill."""
    plan, row = (drawn_plan(rng, Row(84)), Row(84))
    on = tuple(arm is Arm.ON for arm in design.schedule(plan))
    told = tuple(told_answers(rng, row, on))
    so_far = (exact.Nights(Design.NIGHTLY, on[:n], told[:n]) for n in range(2 * FORTNIGHT, 85, FORTNIGHT))
    return any(exact.chances(nights).better <= design.CLEAR for nights in so_far)


def looks_helpful(told: Sequence[int | None], took: Sequence[bool]) -> bool:
    """Compare nights with and without the pill as if chance had chosen them: a one-sided t test at 5 %."""
    sides = [[a for a, t in zip(told, took, strict=True) if t is side and a is not None] for side in (True, False)]
    if min(map(len, sides)) < 2:
        return False
    scatter = math.sqrt(sum(statistics.variance(side) / len(side) for side in sides))
    return statistics.fmean(sides[0]) - statistics.fmean(sides[1]) > NAIVE_T * scatter


def rough_evenings_person(rng: random.Random, link: float) -> bool:
    """Skip the useless pill mostly on rough evenings, which also make for rough nights."""
    latent = latent_nights(rng, NAIVE_NIGHTS)
    evenings = [link * night + math.sqrt(1 - link**2) * rng.gauss(0, 1) for night in latent]
    took = [rng.random() >= (ROUGH_SKIPS if evening < -0.5 else CALM_SKIPS) for evening in evenings]
    return looks_helpful(answers(rng, latent), took)


def last_night_person(rng: random.Random, _link: float) -> bool:
    """Take the useless pill mostly after bad nights, and rate each night against the one before."""
    latent = latent_nights(rng, NAIVE_NIGHTS + 1)
    took = [rng.random() < (AFTER_BAD if before < 0 else AFTER_GOOD) for before in latent[:-1]]
    return looks_helpful(answers(rng, [b - a for a, b in pairwise(latent)]), took)


def coin_person(rng: random.Random, _link: float) -> bool:
    """Let a coin choose the nights of the useless pill."""
    took = [rng.random() < 1 / 2 for _ in range(NAIVE_NIGHTS)]
    return looks_helpful(answers(rng, latent_nights(rng, NAIVE_NIGHTS)), took)


def keeps_testing(rng: random.Random, tests: float) -> bool:
    """Say whether so many 84-night tests of a useless pill together ever seem to help at 1 of 20."""
    total = together.Evidence()
    for _ in range(int(tests)):
        plan, records = simulated_test(rng, Row(84))
        for first in range(0, 84, FORTNIGHT):
            total += fortnight_evidence(plan, records, first)
            if 2 * together.together([total]).e >= ENOUGH_EVIDENCE and together.together([total]).helps:
                return True
    return False


def fortnight_evidence(plan: Plan, records: Sequence[AssignedNight], first: int) -> together.Evidence:
    """Return the evidence of one fortnight, the others being unlived."""
    return together.evidence(plan, records[first : first + FORTNIGHT])


@dataclass(frozen=True, slots=True)
class Way:
    """A way of finding out, with a useless pill."""

    words: str
    person: Callable[[random.Random, float], bool]
    link: float = 0.0


WAYS = (
    Way(
        f"{NAIVE_NIGHTS} nights: skip it on rough evenings (link {WEAK_LINK} between evening and night)",
        rough_evenings_person,
        WEAK_LINK,
    ),
    Way(f"{NAIVE_NIGHTS} nights: skip it on rough evenings (link {STRONG_LINK})", rough_evenings_person, STRONG_LINK),
    Way(f'{NAIVE_NIGHTS} nights: take it after bad nights, ask "better than LAST night?"', last_night_person),
    Way(f"{NAIVE_NIGHTS} nights: let a coin choose each night", coin_person),
    Way("up to 84 nights by this plan, stopped by hand once p is 0.05 at a fortnight's end", stops_when_it_looks_good),
    Way("all tests together reach 1 of 20 within 84 nights, looked at every fortnight", keeps_testing, 1),
    Way("all tests together reach 1 of 20 within 168 nights (two tests)", keeps_testing, 2),
)

# (kind, index, first person, last person + 1): small enough to spread, and the same people on any number of cores.
Task = tuple[str, int, int, int]
Found = dict[tuple[str, int], list[Outcome | bool]]
KINDS = ("test", "way")
CHUNK = 25


def simulated(kind: str, index: int, number: int) -> Outcome | bool:
    """Simulate one person from a generator of their own."""
    rng = random.Random(f"{SEED}/{kind}/{index}/{number}")
    if kind == "way":
        return WAYS[index].person(rng, WAYS[index].link)
    return one_person(rng, ROWS[index], sized=number < WITH_RANGES)


def run_task(task: Task) -> tuple[str, int, list[Outcome | bool]]:
    """Simulate one batch of people."""
    kind, index, first, beyond = task
    return kind, index, [simulated(kind, index, number) for number in range(first, beyond)]


def tasks(people: int) -> list[Task]:
    """List all batches."""
    kinds = [*(("test", i) for i in range(len(ROWS))), *(("way", i) for i in range(len(WAYS)))]
    return [
        (kind, index, first, min(first + CHUNK, many))
        for kind, index in kinds
        for many in [people * MORE if kind == "test" and ROWS[index].plain else people]
        for first in range(0, many, CHUNK)
    ]


def simulate(people: int, processes: int) -> Found:
    """Simulate everybody, by kind and index."""
    todo = tasks(people)
    found: Found = {}
    with nullcontext() if processes == 1 else multiprocessing.get_context("spawn").Pool(processes) as pool:
        batches = map(run_task, todo) if pool is None else pool.imap_unordered(run_task, todo)
        for done, (kind, index, batch) in enumerate(batches, start=1):
            found.setdefault((kind, index), []).extend(batch)
            draw_bar(done, len(todo))
    return found


def draw_bar(done: int, total: int) -> None:
    """Draw the progress on standard error, over the last one."""
    filled = 40 * done // total
    end = "\n" if done == total else ""
    sys.stderr.write(f"\r[{'#' * filled}{'.' * (40 - filled)}] {100 * done // total:3d} %{end}")
    sys.stderr.flush()


def share(hits: Sequence[bool]) -> str:
    """Write how many of a list are true, in per cent."""
    return f"{100 * sum(hits) / len(hits):.1f} %" if hits else "–"


def interval(hits: Sequence[bool]) -> str:
    """Write the range in which the true share is with 95 % (Wilson's)."""
    n, found, z = len(hits), sum(hits) / len(hits), 1.96
    middle = found + z * z / (2 * n)
    spread = z * math.sqrt(found * (1 - found) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * spread) / (1 + z * z / n) for sign in (-1, 1))
    return f"{max(0.0, 100 * low):.1f}–{100 * high:.1f}"


def told(found: Found, index: int) -> list[Outcome]:
    """Return what the simulated people of a row were told."""
    return [outcome for outcome in found["test", index] if isinstance(outcome, Outcome)]


def effect_words(row: Row) -> str:
    """Name what is true of a row's people."""
    if row.expectation:
        return f"none, but expecting it adds {row.expectation:g} SD"
    if row.silence:
        return "none, but half of the mornings that speak against it stay unanswered"
    if not row.gain:
        return "none"
    slow = f", building up over {row.build_up} nights" if row.build_up else ""
    return f"{true_pairs(row.gain)} of 100 pairs ({row.gain:+d}){slow}"


def length_words(row: Row) -> str:
    """Name a row's plan."""
    if row.design is Design.WEEKLY:
        return "weeks"
    return str(row.nights) if row.nights == min(design.LENGTHS) else f"up to {row.nights}"


def table(heads: Sequence[str], lines: Iterator[Sequence[str]]) -> Iterator[str]:
    """Write a table of Markdown."""
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for cells in lines:
        yield f"| {' | '.join(cells)} |"


def verdict_lines(found: Found) -> Iterator[Sequence[str]]:
    """What each kind of person was told."""
    for index in SHOWN:
        row, people = ROWS[index], told(found, index)
        cells = [share([one.label is label for one in people]) for label in Label]
        cells[0] += f" ({interval([one.label is Label.CLEAR_HELP for one in people])})"
        nights = FORTNIGHT * statistics.fmean(one.fortnights for one in people)
        yield length_words(row), effect_words(row), *cells, f"{nights:.0f}"


def range_lines(found: Found) -> Iterator[Sequence[str]]:
    """How often the ranges held the truth, by what was told."""
    for index in SHOWN:
        row = ROWS[index]
        if row.build_up or row.silence:
            continue
        people = told(found, index)
        groups = (
            (*Label,),
            (Label.CLEAR_HELP, Label.CLEAR_WORSE),
            (Label.LEANS_HELP, Label.LEANS_WORSE),
            (Label.CANT_TELL,),
        )
        held = [share([o.held for o in people if o.label in group and o.held is not None]) for group in groups]
        clear = [one.held_clear for one in people if one.held_clear is not None]
        yield length_words(row), effect_words(row), *held, share(clear)


def end_lines(found: Found) -> Iterator[Sequence[str]]:
    """When the tests of up to 84 nights ended, and how often the ranges of these held the truth."""
    for index, row in enumerate(ROWS):
        if row.nights != max(design.LENGTHS) or row.design is Design.WEEKLY or row.expectation or row.silence:
            continue
        if not row.build_up:
            yield effect_words(row), *(_ended(told(found, index), fortnights) for fortnights in range(2, 7))


def _ended(people: Sequence[Outcome], fortnights: int) -> str:
    ended = [one for one in people if one.fortnights == fortnights]
    held = [one.held for one in ended if one.held is not None]
    clear = [one.held_clear for one in ended if one.held_clear is not None]
    return f"{share([one.fortnights == fortnights for one in people])}: {share(held)}, {share(clear)}" if ended else "–"


def way_lines(found: Found) -> Iterator[Sequence[str]]:
    """How often a useless pill seems to help, by the way of finding out."""
    for index, way in enumerate(WAYS):
        yield way.words, share([seemed is True for seemed in found["way", index]])
    for nights in design.LENGTHS:
        people = told(found, ROWS.index(Row(nights)))
        words = f"{length_words(Row(nights))} nights: this test, sealed, looked at by the bot alone"
        yield words, share([one.label is Label.CLEAR_HELP for one in people])


def milliseconds(row: Row, people: int = 50) -> tuple[float, float]:
    """Return the processor time of p alone, and of a whole analysis with all looks: medians over some people."""
    p, whole = [], []
    for number in range(people):
        plan, records = simulated_test(random.Random(f"{SEED}/time/{number}"), row)
        on = tuple(record.arm is Arm.ON for record in records)
        nights = exact.Nights(row.design, on, tuple(record.rating for record in records))
        began = time.process_time()
        exact.chances(nights)
        between = time.process_time()
        verdict.analyse(plan, records)
        p.append(between - began)
        whole.append(time.process_time() - between)
    return 1000 * statistics.median(p), 1000 * statistics.median(whole)


def report(found: Found, people: int) -> str:
    """Write all of it as Markdown."""
    p, whole = (max(times) for times in zip(*(milliseconds(Row(n, 19)) for n in design.LENGTHS), strict=True))
    verdicts = (
        "nights",
        "true effect",
        *(label.replace("_", " ").replace("cant", "can't") for label in Label),
        "nights lived",
    )
    ranges_ = ("nights", "true effect", "all", "clear", "leans", "can't tell", "clear, the wider range")
    ends = ("true effect", *(f"night {FORTNIGHT * fortnights}" for fortnights in range(2, 7)))
    made = (
        f"{people:,} simulated people a row, {people * MORE:,} where nothing but chance plays and for gains of 7 and 19; in "
        f"brackets the range in which the share is with 95 %. Ranges are those of {WITH_RANGES:,} people a row. Seed {SEED}, "
        f"CPython {platform.python_version()}. p took {p:.1f} ms of processor time, a whole analysis with its looks and "
        f"ranges {whole:.0f} ms (medians, the slowest of the lengths)."
    )
    return "\n".join(
        [
            "**What they are told**",
            "",
            *table(verdicts, verdict_lines(found)),
            "",
            "**How often the 80 % range holds the truth, by what is told; last, the wider range beside a clear verdict**",
            "",
            *table(ranges_, range_lines(found)),
            "",
            "**When a test of up to 84 nights ends: how many, how often the 80 % range held, how often the wider one**",
            "",
            *table(ends, end_lines(found)),
            "",
            "**How often a useless pill seems to help**",
            "",
            *table(("way", "seems to help"), way_lines(found)),
            "",
            made,
        ]
    )


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
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/experiment.md")
    options = parser.parse_args()
    text = report(simulate(options.people, options.processes), options.people)
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
