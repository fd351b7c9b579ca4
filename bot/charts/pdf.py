"""A one-page PDF of words and lines: text that can be searched and copied, its font made of the letters that are on it.

matplotlib's own writer lays every word out anew and took half a second for a full page; this takes a fiftieth of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.path import Path

from bot.charts import glyphs as charts_glyphs
from bot.charts.glyphs import Word

_POINTS = 0.72
"""Typographic points to a unit."""

_THOUSAND = 1000
_MOST_LETTERS = 255  # that one font of this kind can have; alphabets have fewer


@dataclass(frozen=True, slots=True)
class Rule:
    """A thin line across."""

    left: float
    right: float
    down: float
    color: str
    width: float


def pdf(title: str, words: Sequence[Word], rules: Sequence[Rule], *, size: tuple[float, float]) -> bytes:
    """The file. `size` is the page's, in units."""
    out = _Objects()
    fonts = {
        bold: _Font(sorted({letter for word in words if word.bold is bold for letter in word.text}))
        for bold in (False, True)
    }
    names = " ".join(f"/F{int(bold)} {out.add(font.written(out, bold=bold))} 0 R" for bold, font in fonts.items())
    content = out.add_stream("\n".join(_drawn(words, rules, fonts, size[1])))
    pages = out.reserve()
    box = f"[0 0 {size[0] * _POINTS:.2f} {size[1] * _POINTS:.2f}]"
    page = out.add(
        f"<< /Type /Page /Parent {pages} 0 R /MediaBox {box} /Contents {content} 0 R /Resources << /Font << {names} >> >> >>"
    )
    out.put(pages, f"<< /Type /Pages /Kids [{page} 0 R] /Count 1 >>")
    root = out.add(f"<< /Type /Catalog /Pages {pages} 0 R >>")
    return out.file(root=root, about=out.add(f"<< /Title {_text(title)} >>"))


def _drawn(words: Sequence[Word], rules: Sequence[Rule], fonts: dict[bool, _Font], height: float) -> Iterable[str]:
    yield f"{_POINTS} 0 0 {_POINTS} 0 0 cm"
    for rule in rules:
        down = height - rule.down
        yield f"{_colour(rule.color)} RG {rule.width} w {rule.left:.2f} {down:.2f} m {rule.right:.2f} {down:.2f} l S"
    yield "BT"
    for word in words:
        yield f"/F{int(word.bold)} {word.size:.2f} Tf {_colour(word.color)} rg"
        yield f"1 0 0 1 {word.at[0]:.2f} {height - word.baseline:.2f} Tm <{fonts[word.bold].codes(word.text)}> Tj"
    yield "ET"


def _colour(color: str) -> str:
    return " ".join(f"{int(color[place : place + 2], 16) / 255:.3f}" for place in (1, 3, 5))


def _text(text: str) -> str:
    return f"<FEFF{text.encode('utf-16-be').hex()}>"


class _Font:
    """A font of the kind whose letters are little drawings (Type 3): nothing has to be embedded but what is used."""

    def __init__(self, used: Sequence[str]) -> None:
        if len(used) > _MOST_LETTERS:
            raise ValueError("more letters than a font of one page can have")
        self._used = used
        self._code = {letter: number for number, letter in enumerate(used, 1)}

    def codes(self, text: str) -> str:
        """The text in this font's own code, as hex."""
        return bytes(self._code[letter] for letter in text).hex()

    def written(self, out: _Objects, *, bold: bool) -> str:
        """The font's dictionary, its letters being put into the file."""
        glyphs = [charts_glyphs.glyph(letter, bold) for letter in self._used]
        drawings = " ".join(
            f"/g{number} {out.add_stream(_drawing(glyph))} 0 R" for number, glyph in enumerate(glyphs, 1)
        )
        names = " ".join(f"/g{number}" for number in range(1, len(glyphs) + 1))
        widths = " ".join(str(round(_THOUSAND * glyph.advance)) for glyph in glyphs)
        return (
            f"<< /Type /Font /Subtype /Type3 /FontMatrix [0.001 0 0 0.001 0 0] /FontBBox [0 0 0 0] /Resources << >> "
            f"/FirstChar 1 /LastChar {max(1, len(glyphs))} /Widths [{widths or 0}] /CharProcs << {drawings} >> "
            f"/Encoding << /Type /Encoding /Differences [1 {names}] >> /ToUnicode {out.add_stream(self._meaning())} 0 R >>"
        )

    def _meaning(self) -> str:
        """What the codes stand for, so that the text can be searched and copied."""
        pairs = [f"<{number:02x}> <{letter.encode('utf-16-be').hex()}>" for letter, number in self._code.items()]
        blocks = [pairs[start : start + 100] for start in range(0, len(pairs), 100)]  # a block may have a hundred
        maps = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Own def /CMapType 2 def\n"
            f"1 begincodespacerange <01> <ff> endcodespacerange\n{maps}\nendcmap end end"
        )


def _drawing(glyph: charts_glyphs.Glyph) -> str:
    """A letter's outline in a PDF's words. What TrueType draws with one control point takes two here."""
    points = [(round(_THOUSAND * float(x)), round(_THOUSAND * float(y))) for x, y in glyph.points]
    across, down = [x for x, _ in points] or [0], [y for _, y in points] or [0]
    said = [f"{round(_THOUSAND * glyph.advance)} 0 {min(across)} {min(down)} {max(across)} {max(down)} d1"]
    place, now = 0, (0, 0)
    while place < len(points):
        code, here = glyph.codes[place], points[place]
        if code == Path.CURVE3:
            control, here = here, points[place + 1]
            first, second = _thirds(now, control), _thirds(here, control)
            said.append(f"{first} {second} {here[0]} {here[1]} c")
            place += 1
        elif code == Path.CLOSEPOLY:
            said.append("h")
        else:
            said.append(f"{here[0]} {here[1]} {'m' if code == Path.MOVETO else 'l'}")
        now = here
        place += 1
    return "\n".join([*said, "f"])


def _thirds(end: tuple[int, int], control: tuple[int, int]) -> str:
    x, y = (one + (other - one) * 2 / 3 for one, other in zip(end, control, strict=True))
    return f"{x:.0f} {y:.0f}"


class _Objects:
    """A PDF's numbered objects, and the file of them."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []

    def reserve(self) -> int:
        """A number whose object comes later."""
        self._bodies.append(b"")
        return len(self._bodies)

    def put(self, number: int, body: str | bytes) -> None:
        self._bodies[number - 1] = body if isinstance(body, bytes) else body.encode("ascii")

    def add(self, body: str | bytes) -> int:
        number = self.reserve()
        self.put(number, body)
        return number

    def add_stream(self, content: str) -> int:
        packed = zlib.compress(content.encode("ascii"))
        return self.add(b"<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(packed), packed))

    def file(self, *, root: int, about: int) -> bytes:
        """All of it, with the table that says where each object begins."""
        out, starts = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"), []
        for number, body in enumerate(self._bodies, 1):
            starts.append(len(out))
            out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
        table = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(starts) + 1)
        out += b"".join(b"%010d 00000 n \n" % start for start in starts)
        trailer = (
            f"trailer << /Size {len(starts) + 1} /Root {root} 0 R /Info {about} 0 R >>\nstartxref\n{table}\n%%EOF\n"
        )
        return bytes(out + trailer.encode("ascii"))
