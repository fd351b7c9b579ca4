"""The page as a PDF: one sheet, whose text can be searched and copied; and the letters that both its forms are made of."""

from __future__ import annotations

import re
import zlib

import pytest

from bot import charts
from bot.charts import ClinicianPage, drawing, glyphs
from bot.charts import pdf as charts_pdf
from bot.charts.glyphs import Word
from bot.charts.pdf import Rule

SIZE = (827.0, 1169.0)


def streams(pdf: bytes) -> list[str]:
    return [zlib.decompress(found).decode() for found in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)]


def read(pdf: bytes) -> list[str]:
    """The words of the page, by what the file says that its letters' codes mean."""
    meanings = [stream for stream in streams(pdf) if "begincmap" in stream]
    fonts = [dict(re.findall(r"^<(..)> <(\w+)>$", stream, re.MULTILINE)) for stream in meanings]
    (content,) = [stream for stream in streams(pdf) if "BT" in stream.splitlines()]
    words = []
    for font, codes in re.findall(r"/F(\d) .*?<(\w*)> Tj", content, re.DOTALL):
        pairs = [codes[place : place + 2] for place in range(0, len(codes), 2)]
        words.append("".join(bytes.fromhex(fonts[int(font)][pair]).decode("utf-16-be") for pair in pairs))
    return words


def test_the_text_of_a_pdf_can_be_read_back() -> None:
    said = ["Better", "7 h 12 min", "–", "Für Größe", "90 %"]
    words = [Word((60.0, 20.0 * place), text, 11.0, "#343a46", bold=place == 0) for place, text in enumerate(said)]

    assert read(charts_pdf.pdf("Diary", words, [], size=SIZE)) == said


def test_every_object_of_a_pdf_is_where_its_table_says() -> None:
    pdf = charts_pdf.pdf("Schlaf – Diary", [Word((1, 2), "ab", 9, "#000000")], [Rule(1, 2, 3, "#ffffff", 1)], size=SIZE)

    table = int(pdf.rsplit(b"startxref\n", 1)[1].split()[0])
    assert pdf[table : table + 4] == b"xref"
    starts = [int(start) for start in re.findall(rb"^(\d{10}) 00000 n ", pdf[table:], re.MULTILINE)]
    assert starts
    for number, start in enumerate(starts, 1):
        assert pdf[start:].startswith(b"%d 0 obj\n" % number)
    assert f"/Title <FEFF{'Schlaf – Diary'.encode('utf-16-be').hex()}>".encode() in pdf


def test_a_page_without_words_is_still_a_page() -> None:
    empty = ClinicianPage("", "", (), (), (), ())

    assert b"/Count 1" in drawing.draw(charts.page(empty, empty, form="pdf"))
    assert drawing.draw(charts.page(empty, empty, form="png"))[:4] == b"\x89PNG"


def test_more_letters_than_one_font_holds_are_refused() -> None:
    crowd = "".join(chr(number) for number in range(0x100, 0x200))

    with pytest.raises(ValueError, match="more letters"):
        charts_pdf.pdf("", [Word((0, 0), crowd, 9, "#000000")], [], size=SIZE)


@pytest.mark.parametrize("text", ["سجل النوم", "יומן שינה", "e\u0301"])
def test_letters_that_join_or_run_from_the_right_are_not_set_one_by_one(text: str) -> None:
    own = ClinicianPage(text, "", (), (), (), ())
    english = ClinicianPage("Diary", "as told", (), (), (), ())

    assert not glyphs.one_by_one("Diary", text)
    assert read(drawing.draw(charts.page(own, english, form="pdf"))) == ["Diary", "as told"]


def test_words_of_a_line_are_as_wide_as_their_letters() -> None:
    two = glyphs.outline([Word((0, 0), "ll", 10, "#000000")]).vertices[:, 0]
    one = glyphs.outline([Word((0, 0), "l", 10, "#000000")]).vertices[:, 0]

    assert two.max() - one.max() == pytest.approx(10 * glyphs.glyph("l", bold=False).advance)
