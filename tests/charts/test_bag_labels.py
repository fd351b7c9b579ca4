"""The sheet of labels for bags: one page, and every QR code's dark cells are on it, each once."""

from __future__ import annotations

import re
import zlib

import pytest

from bot import charts
from bot.charts import bag_labels, drawing

segno = pytest.importorskip("segno")


def content(pdf: bytes) -> str:
    streams = [zlib.decompress(found).decode() for found in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)]
    return next(stream for stream in streams if "BT" in stream.splitlines())


def test_84_labels_are_one_page_whose_rules_are_the_codes_dark_cells() -> None:
    held = [f"https://t.me/a_bot_with_a_long_name_indeed_bot?start=bag_{number}_abcdefgh" for number in range(1, 85)]
    shown = [(str(number), "abcdefgh", text) for number, text in enumerate(held, 1)]
    pdf = drawing.draw(charts.labels("Labels", shown))

    assert pdf[:5] == b"%PDF-"
    assert pdf.count(b"/Type /Page ") == 1
    drawn = [
        [float(number) for number in line]
        for line in re.findall(r"([\d.]+) w ([\d.]+) [\d.]+ m ([\d.]+)", content(pdf))
    ]
    dark = sum((right - left) / module for module, left, right in drawn)
    assert dark == pytest.approx(sum(sum(map(sum, segno.make_qr(text, error="m").matrix)) for text in held), rel=0.01)
    assert max(right for _, _, right in drawn) < 827


def test_a_row_is_dark_where_it_says() -> None:
    assert bag_labels._runs(bytes([1, 1, 0, 0, 1])) == [(0, 2), (4, 5)]
    assert bag_labels._runs(bytes([0, 0, 0])) == []
    assert bag_labels._runs(bytes([0, 1, 1])) == [(1, 3)]
