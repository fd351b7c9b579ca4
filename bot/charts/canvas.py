"""The ground that every picture is drawn on: colours, pixels, marks and text, and the way to bytes. Imports matplotlib."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from matplotlib import font_manager, ft2font
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D
from PIL import Image

from bot.charts import glyphs

WIDTH = 540.0
"""Of a phone, in units of which `SCALE` pixels each make the picture's own."""

SCALE = 2

_PER_INCH = 100.0
_COLOURS = 96
_INVISIBLE = "#00000000"
_STAMPED = 100
"""From this number of equal shapes on, speed matters more than half a pixel."""

Point = tuple[float, float]
Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours on one ground. `ratings` go from much worse to much better: orange and blue, which the colour-blind tell
    apart, the stronger the further from the usual; `taken` is the outline, `soft` the same where nights are small."""

    ground: str
    ink: str
    faint: str
    line: str
    taken: str
    soft: str
    trend: str
    ratings: tuple[str, str, str, str, str]
    marks: tuple[str, str, str, str, str]

    def rating(self, value: int) -> str:
        return self.ratings[value + 2]

    def mark(self, value: int) -> str:
        return self.marks[value + 2]


DARK = Palette(
    ground="#12151c",
    ink="#c9ced8",
    faint="#79808e",
    line="#2b303b",
    taken="#f3efe4",
    soft="#bdb8a9",
    trend="#e9e4d4",
    ratings=("#f2994a", "#8f5a26", "#4a505d", "#2a629c", "#5db0ff"),
    marks=("#2b1602", "#f6cfa4", "#aab0bc", "#bfe0ff", "#04203c"),
)
LIGHT = Palette(
    ground="#ffffff",
    ink="#343a46",
    faint="#7b8290",
    line="#e3e6eb",
    taken="#1c2028",
    soft="#5a6270",
    trend="#343a46",
    ratings=("#c8600c", "#f3c08d", "#d3d7de", "#a5cdf2", "#1f66b2"),
    marks=("#fff3e6", "#7a3c05", "#6d7482", "#0f4780", "#eaf4ff"),
)


class Canvas:
    """A picture being drawn. Coordinates are units from the top left corner; later things lie over earlier ones."""

    def __init__(self, height: float, palette: Palette, *, width: float = WIDTH) -> None:
        self.width, self.height, self.palette = width, height, palette
        self._figure = Figure(figsize=(width / _PER_INCH, height / _PER_INCH), dpi=_PER_INCH * SCALE)
        self._figure.patch.set_facecolor(palette.ground)
        flip = Affine2D().scale(1 / _PER_INCH, -1 / _PER_INCH).translate(0, height / _PER_INCH)
        self._at = flip + self._figure.dpi_scale_trans
        self._order = 0

    def _next(self) -> int:
        self._order += 1
        return self._order

    def marks(
        self, path: Path, points: Sequence[Point], *, fill: str = "none", edge: str = "none", width: float = 0.0
    ) -> None:
        """The same shape, given in units around the origin, at each of the points."""
        if not points:
            return
        if len(points) > _STAMPED:
            # With one colour of each kind, if only an invisible one, the shape is drawn once and stamped on whole pixels.
            fill, edge = (_INVISIBLE if fill == "none" else fill), (_INVISIBLE if edge == "none" else edge)
        shapes = PathCollection(
            [path],
            offsets=points,
            offset_transform=self._at,
            facecolors=fill,
            edgecolors=edge,
            linewidths=self.points(width),
            zorder=self._next(),
        )
        # The shape itself is in units too, the other way up: its place is the offset's affair.
        shapes.set_transform(Affine2D().scale(1 / _PER_INCH, -1 / _PER_INCH) + self._figure.dpi_scale_trans)
        self._figure.add_artist(shapes)

    def lines(self, runs: Sequence[Sequence[Point]], *, color: str, width: float, dashed: bool = False) -> None:
        """Lines through each run of points."""
        style = (0, (2.5, 2.5)) if dashed else "solid"
        drawn = LineCollection(
            [list(run) for run in runs],
            colors=color,
            linewidths=self.points(width),
            linestyles=[style],
            capstyle="round",
            joinstyle="round",
            transform=self._at,
            zorder=self._next(),
        )
        self._figure.add_artist(drawn)

    def line(self, run: Sequence[Point], *, color: str, width: float) -> None:
        """One line through the points."""
        across, down = zip(*run, strict=True)
        self._figure.add_artist(
            Line2D(
                across,
                down,
                color=color,
                linewidth=self.points(width),
                solid_capstyle="round",
                solid_joinstyle="round",
                transform=self._at,
                zorder=self._next(),
            )
        )

    def bar(self, start: Point, end: Point, *, fill: str, radius: float = 0.0) -> None:
        """A box from corner to corner."""
        (left, top), (right, bottom) = start, end
        shape = FancyBboxPatch(
            (left, top),
            right - left,
            bottom - top,
            boxstyle=f"round,pad=0,rounding_size={radius}",
            facecolor=fill,
            edgecolor="none",
            transform=self._at,
            zorder=self._next(),
        )
        self._figure.add_artist(shape)

    def text(
        self, at: Point, text: str, *, size: float, color: str, align: Align = "center", bold: bool = False
    ) -> None:
        """A word; `align` is where along it the point lies, its middle in height."""
        if not glyphs.one_by_one(text):
            self._shaped(at, text, size=size, color=color, align=align, bold=bold)
            return
        part = {"left": 0.0, "center": 0.5, "right": 1.0}[align]
        start = at[0] - part * glyphs.width(text, size, bold=bold)
        self.words([glyphs.Word((start, at[1]), text, size, color, bold)])

    def _shaped(self, at: Point, text: str, *, size: float, color: str, align: Align, bold: bool) -> None:
        """A word whose letters join or run from the right, laid out by matplotlib."""
        word = Text(
            *at,
            text,
            fontsize=self.points(size),
            color=color,
            horizontalalignment=align,
            verticalalignment="center_baseline",
            fontweight="bold" if bold else "normal",
            transform=self._at,
            zorder=self._next(),
            parse_math=False,
        )
        self._figure.add_artist(word)

    def words(self, words: Sequence[glyphs.Word]) -> None:
        """Many words at once, a shape a colour. matplotlib's own text takes milliseconds for each."""
        for color in dict.fromkeys(word.color for word in words):
            shape = PathPatch(
                glyphs.outline([word for word in words if word.color == color]),
                facecolor=color,
                edgecolor="none",
                transform=self._at,
                snap=False,
                zorder=self._next(),
            )
            self._figure.add_artist(shape)

    @staticmethod
    def points(units: float) -> float:
        """Units as typographic points, the measure of lines and letters."""
        return units * 72.0 / _PER_INCH

    def png(self, *, grey: bool = False) -> bytes:
        """The picture's bytes; `grey` where it has no colours to lose, which is quicker."""
        file = io.BytesIO()
        canvas = FigureCanvasAgg(self._figure)
        canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib has types only here and there
        pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]  # as above
        if grey:
            Image.fromarray(np.ascontiguousarray(np.asarray(pixels)[:, :, 1])).save(file, "png", compress_level=1)
            return file.getvalue()
        # A chart has few colours: with a palette it is a third of the bytes to send.
        picture = Image.frombuffer("RGBA", canvas.get_width_height(physical=True), pixels, "raw", "RGBA", 0, 1)
        small = picture.convert("RGB").quantize(_COLOURS, method=Image.Quantize.FASTOCTREE)
        small.save(file, "png", compress_level=3)
        return file.getvalue()


# -- shapes ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def square(size: float, radius: float) -> Path:
    """A square around the origin, its corners round where there is a radius."""
    if not radius:
        return Path.unit_rectangle().transformed(Affine2D().translate(-0.5, -0.5).scale(size))
    box = FancyBboxPatch((-size / 2, -size / 2), size, size, boxstyle=f"round,pad=0,rounding_size={radius}")
    return box.get_path()


@lru_cache(maxsize=32)
def dot(size: float) -> Path:
    """A disc around the origin."""
    return Path.circle((0.0, 0.0), size / 2)


@lru_cache(maxsize=64)
def sign(rating: int, size: float) -> Path:
    """What tells a rating without its colour: one or two arrowheads up or down, or a dash. Down is positive."""
    if rating == 0:
        return Path([(-size / 2, 0.0), (size / 2, 0.0)])
    up = -1.0 if rating > 0 else 1.0
    rise, gap = size * 0.5 * up, size * 0.42 * up
    shifts = (0.0,) if abs(rating) == 1 else (-gap / 2, gap / 2)
    points: list[Point] = []
    for shift in shifts:
        points += [(-size / 2, shift - rise / 2), (0.0, shift + rise / 2), (size / 2, shift - rise / 2)]
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO] * len(shifts)
    return Path(points, codes)


# -- letters -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    font = ft2font.FT2Font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())


def can_write(*texts: str) -> bool:
    """Whether the font has every letter of the texts."""
    return all(ord(letter) in _letters() for text in texts for letter in text if not letter.isspace())
