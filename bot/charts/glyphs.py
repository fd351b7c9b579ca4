"""Letters as outlines, so that a page full of text is one shape: a page has hundreds of words, and each cost milliseconds alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from matplotlib import font_manager, ft2font
from matplotlib.path import Path

_EM = 100.0
_BASELINE = 0.36
"""How far under a line's middle its letters stand, in ems: half the height of a capital."""

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Word:
    """A line of text from a point on, which is in its middle's height. Units from the top left corner."""

    at: tuple[float, float]
    text: str
    size: float
    color: str
    bold: bool = False

    @property
    def baseline(self) -> float:
        """Where its letters stand."""
        return self.at[1] + _BASELINE * self.size


@dataclass(frozen=True, slots=True)
class Glyph:
    """One letter, an em being 1 and up being positive. `codes` are matplotlib's for paths."""

    points: Floats
    codes: Codes
    advance: float


def one_by_one(*texts: str) -> bool:
    """Whether letters set one after the other are the text: not where they join, combine or run from the right."""
    return not any(unicodedata.bidirectional(letter) in ("R", "AL", "NSM") for text in texts for letter in text)


@lru_cache(maxsize=2)
def _font(bold: bool) -> ft2font.FT2Font:
    font = ft2font.FT2Font(font_manager.findfont("DejaVu Sans:bold" if bold else "DejaVu Sans"))
    font.set_size(_EM, 72)
    return font


@lru_cache(maxsize=1024)
def glyph(letter: str, bold: bool) -> Glyph:
    """A letter's outline, unhinted: the page is drawn so fine, and printed, that a pixel's grid is no help."""
    font = _font(bold)
    drawn = font.load_char(ord(letter), flags=ft2font.LoadFlags.NO_HINTING)
    points, codes = font.get_path()
    return Glyph(
        np.asarray(points, dtype=np.float64) / _EM, codes.astype(np.uint8), drawn.linearHoriAdvance / 65536 / _EM
    )


def width(text: str, size: float, *, bold: bool) -> float:
    """How wide a line of text is, in units."""
    return size * sum(glyph(letter, bold).advance for letter in text)


def outline(words: Sequence[Word]) -> Path:
    """All the words as one shape, down being positive."""
    points: list[Floats] = [np.empty((0, 2))]
    codes: list[Codes] = [np.empty(0, dtype=np.uint8)]
    for word in words:
        across = word.at[0]
        for letter in word.text:
            one = glyph(letter, word.bold)
            if len(one.codes):
                points.append(one.points * (word.size, -word.size) + (across, word.baseline))
                codes.append(one.codes)
            across += one.advance * word.size
    return Path(np.concatenate(points), np.concatenate(codes))
