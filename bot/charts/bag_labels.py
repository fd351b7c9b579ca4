"""Labels for numbered bags: a sheet of A4 to print and cut, each with its number, its code, and a QR code that says both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import cast

from bot.charts import pdf
from bot.charts.canvas import LIGHT
from bot.charts.glyphs import Word
from bot.charts.pdf import Rule

_A4 = (827.0, 1169.0)
_LEFT, _TOP = 46.0, 56.0
_CELL = (105.0, 90.0)
_ACROSS = 7
_QR = 74.0
"""Units of a QR code with the quiet zone around it."""


def labels(values: Mapping[str, object]) -> bytes:
    """The sheet as PDF, for up to 84 bags: `labels` are pairs of what to read and what the QR code holds."""
    words: list[Word] = [Word((_LEFT, 34.0), str(values["title"]), 12.0, LIGHT.ink)]
    rules: list[Rule] = []
    for place, (number, code, held) in enumerate(cast("Sequence[Sequence[str]]", values["labels"])):
        left, top = _LEFT + place % _ACROSS * _CELL[0], _TOP + place // _ACROSS * _CELL[1]
        rules += _qr(held, left, top)
        words += [
            Word((left + _QR, top + 18), number, 15.0, LIGHT.ink, bold=True),
            Word((left + 8, top + _QR + 4), code, 8.0, LIGHT.ink),
        ]
    return pdf.pdf(str(values["title"]), words, rules, size=_A4)


def _qr(held: str, left: float, top: float) -> list[Rule]:
    """A QR code's dark runs, a rule each."""
    import segno  # nothing else that is drawn needs it

    matrix = segno.make_qr(held, error="m").matrix
    quiet = 4
    module = _QR / (len(matrix) + 2 * quiet)
    rules = []
    for row, cells in enumerate(matrix):
        down = top + (row + quiet + 0.5) * module
        for start, end in _runs(bytes(cells)):
            x, right = (left + (column + quiet) * module for column in (start, end))
            rules.append(Rule(x, right, down, LIGHT.ink, module))
    return rules


def _runs(cells: bytes) -> list[tuple[int, int]]:
    """From where to where a row is dark."""
    framed = (0, *cells, 0)
    edges = [place for place, (before, cell) in enumerate(pairwise(framed)) if before != cell]
    return list(zip(edges[::2], edges[1::2], strict=True))
