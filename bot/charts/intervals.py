"""The interval of a difference, and the page for a clinician."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from bot.charts import glyphs, pdf
from bot.charts.canvas import DARK, LIGHT, Canvas, can_write, dot, sign
from bot.charts.glyphs import Word
from bot.charts.pdf import Rule

_A4 = (827.0, 1169.0)
_MARGIN = 64.0


_EVEN = 50.0
_USUAL_REACH = 30.0
"""The axis of pairs runs from 20 to 80 of 100, or to 0 and 100 if need be."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """What an axis shows: `ends` and the `step` between its ticks, seen from no difference, which is `zero` in its numbers."""

    ends: tuple[float, float]
    step: float
    zero: float | None = None

    def label(self, tick: float) -> str:
        """A tick's number: signed, or counted from `zero`."""
        return _signed(tick) if self.zero is None else str(round(self.zero + tick))


def interval(values: Mapping[str, object]) -> bytes:
    """A bar from low to high with its middle, over an axis of better nights per 100 with zero in the picture."""
    low, middle, high = (cast("float", values[name]) for name in ("low", "middle", "high"))
    step = _step(low, high)
    ends = min(-step, math.floor(low / step) * step), max(step, math.ceil(high / step) * step)
    return _bar(values, (low, middle, high), _Axis(ends, step), level=_colour(low, high))


def pairs(values: Mapping[str, object]) -> bytes:
    """The same over an axis of pairs of 100, and in grey whatever it says: no colour for good or bad."""
    low, middle, high = (cast("float", values[name]) - _EVEN for name in ("low", "middle", "high"))
    reach = _USUAL_REACH if max(-low, high) <= _USUAL_REACH else _EVEN
    return _bar(values, (low, middle, high), _Axis((-reach, reach), 10.0, zero=_EVEN), level=0)


def _bar(values: Mapping[str, object], shown: tuple[float, float, float], axis: _Axis, *, level: int) -> bytes:
    palette = LIGHT if values["light"] else DARK
    low, middle, high = shown
    ends, step = axis.ends, axis.step
    canvas = Canvas(128.0, palette)
    left, right, line = 40.0, canvas.width - 40.0, 92.0

    def across(value: float) -> float:
        return left + (value - ends[0]) / (ends[1] - ends[0]) * (right - left)

    canvas.line([(left, line), (right, line)], color=palette.line, width=1.2)
    ticks = [ends[0] + step * number for number in range(round((ends[1] - ends[0]) / step) + 1)]
    for tick in ticks:
        zero = abs(tick) < step / 2
        top = 20.0 if zero else line - 4
        canvas.line(
            [(across(tick), top), (across(tick), line + 4)], color=palette.faint if zero else palette.line, width=1.2
        )
        canvas.text(
            (across(tick), line + 20), axis.label(tick), size=12.0, color=palette.ink if zero else palette.faint
        )
    canvas.bar((across(low), 42.0), (across(high), 66.0), fill=palette.rating(level), radius=12.0)
    canvas.line([(across(0.0), 28.0), (across(0.0), line + 4)], color=palette.ink, width=1.2)
    for value, x in ((-2, 20.0), (2, canvas.width - 20.0)):
        canvas.marks(sign(value, 9.0), [(x, 54.0)], edge=palette.faint, width=1.4)
    canvas.marks(dot(13.0), [(across(middle), 54.0)], fill=palette.ground, edge=palette.taken, width=3.0)
    return canvas.png()


def _step(low: float, high: float) -> float:
    widest = max(abs(low), abs(high))
    return next((step for step in (5.0, 10.0, 20.0, 25.0) if widest <= 4 * step), 50.0)


def _colour(low: float, high: float) -> int:
    """Blue and orange only where all of the range lies on one side."""
    return 2 if low > 0 else -2 if high < 0 else 0


def _signed(value: float) -> str:
    number = round(value)
    return "0" if number == 0 else f"+{number}" if number > 0 else f"\u2212{-number}"


# -- the page ----------------------------------------------------------------------------------------------------------


def page(values: Mapping[str, object]) -> bytes:
    """One page of A4: what it is, the counts, every night, the small print."""
    own = cast("Mapping[str, object]", values["own"])
    texts = _texts(own)
    writable = can_write(*texts) and glyphs.one_by_one(*texts)
    shown = own if writable else cast("Mapping[str, object]", values["english"])
    words, rules = _page(shown)
    if values["form"] == "pdf":
        return pdf.pdf(str(shown["title"]), words, rules, size=_A4)
    canvas = Canvas(_A4[1], LIGHT, width=_A4[0])
    for rule in rules:
        canvas.line([(rule.left, rule.down), (rule.right, rule.down)], color=rule.color, width=rule.width)
    canvas.words(words)
    return canvas.png(grey=True)


def _page(shown: Mapping[str, object]) -> tuple[list[Word], list[Rule]]:
    facts, bottom = _facts(cast("Sequence[Sequence[str]]", shown["facts"]), 136.0)
    table, rules = _table(shown, bottom + 18.0)
    foot = [
        Word((_MARGIN, 1104.0 + 16 * place), line, 10.0, LIGHT.faint)
        for place, line in enumerate(cast("Sequence[str]", shown["foot"]))
    ]
    head = [
        Word((_MARGIN, 70.0), str(shown["title"]), 22.0, LIGHT.ink, bold=True),
        Word((_MARGIN, 98.0), str(shown["lead"]), 12.0, LIGHT.faint),
    ]
    return [*head, *facts, *table, *foot], rules


def _texts(page: Mapping[str, object]) -> list[str]:
    nested = [*cast("list[list[str]]", page["facts"]), *cast("list[list[str]]", page["rows"])]
    flat = [*cast("list[str]", page["heads"]), *cast("list[str]", page["foot"])]
    return [str(page["title"]), str(page["lead"]), *flat, *(text for row in nested for text in row)]


def _facts(facts: Sequence[Sequence[str]], top: float) -> tuple[list[Word], float]:
    """The counts, a name and a value a line, and where they end."""
    words: list[Word] = []
    for place, (name, value) in enumerate(facts):
        down = top + 22 * place
        words += [
            Word((_MARGIN, down), name, 12.0, LIGHT.faint),
            Word((_MARGIN + 250, down), value, 12.0, LIGHT.ink),
        ]
    return words, top + 22 * len(facts)


def _table(shown: Mapping[str, object], top: float) -> tuple[list[Word], list[Rule]]:
    heads, rows = cast("Sequence[str]", shown["heads"]), cast("Sequence[Sequence[str]]", shown["rows"])
    if not rows:
        return [], []
    right = _A4[0] - _MARGIN
    pitch = min(20.0, (1080.0 - top - 24) / len(rows))
    width = (right - _MARGIN) / (len(heads) + 0.6)
    starts = [_MARGIN, *(_MARGIN + width * (place + 0.6) for place in range(1, len(heads)))]
    size = min(11.0, pitch * 0.72)
    words = [
        Word((x, top), head, min(size + 0.5, 11.0), LIGHT.ink, bold=True) for x, head in zip(starts, heads, strict=True)
    ]
    words += [
        Word((x, top + pitch * (number + 1.2)), text, size, LIGHT.ink)
        for number, row in enumerate(rows)
        for x, text in zip(starts, row, strict=True)
    ]
    return words, [Rule(_MARGIN, right, top + pitch * 0.6, LIGHT.faint, 0.8)]
