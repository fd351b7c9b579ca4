"""Pictures from plain values: their sizes, what is in them, and what is not invented."""

from __future__ import annotations

import io
import random
from datetime import date, timedelta

import numpy as np
import pytest
from PIL import Image

from bot import charts
from bot.charts import Calendar, ChartCell, ClinicianPage, Drawing, canvas, drawing
from bot.charts.canvas import DARK, LIGHT, Palette

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CALENDAR = Calendar(tuple("MTWTFSS"), MONTHS, 0)
LAST = date(2026, 11, 13)
PAGE = ClinicianPage(
    "Diary", "as told", (("Nights", "14"),), ("Night", "Taken"), (("Fri 13", "yes"), ("Sat 14", "–")), ("foot",)
)


def some(count: int) -> list[ChartCell]:
    chance = random.Random(count)
    return [(chance.choice([None, -2, -1, 0, 1, 2]), chance.random() < 0.7) for _ in range(count)]


def nights(cells: list[ChartCell], *, light: bool = False, calendar: Calendar = CALENDAR) -> Drawing:
    first = LAST - timedelta(days=max(0, len(cells) - 1))
    return charts.nights(cells, first=first, calendar=calendar, light=light)


def seen(picture: Drawing) -> Image.Image:
    content = drawing.draw(picture)
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return Image.open(io.BytesIO(content)).convert("RGB")


def has(image: Image.Image, colour: str) -> bool:
    """Whether the colour covers some of the picture; a palette may move it a little."""
    wanted = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)])
    distance = np.abs(np.asarray(image, dtype=int) - wanted).max(axis=2)
    return int((distance <= 8).sum()) > 200


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("count", [0, 1, 2, 30, 91, 365, 372, 373, 3650])
def test_any_number_of_nights_makes_a_picture_that_telegram_takes(count: int, light: bool) -> None:
    image = seen(nights(some(count), light=light))

    width, height = image.size
    assert width == 1080
    assert height >= 200
    assert width + height <= 10_000
    assert max(width, height) <= 20 * min(width, height)


@pytest.mark.parametrize("palette", [DARK, LIGHT])
def test_a_blank_night_has_no_colour_of_a_rating(palette: Palette) -> None:
    blank = seen(charts.week([(None, False)] * 7, first=LAST, calendar=CALENDAR, light=palette is LIGHT))
    rated = seen(
        charts.week([(-2, False)] * 3 + [(2, True)] * 4, first=LAST, calendar=CALENDAR, light=palette is LIGHT)
    )

    # The row of nights alone: grey letters are drawn with every shade of grey.
    row = blank.crop((0, 80, 1080, 220))
    assert has(row, palette.ground)
    assert not any(has(row, colour) for colour in (*palette.ratings, palette.taken))
    assert has(rated, palette.rating(-2))
    assert has(rated, palette.rating(2))
    assert has(rated, palette.taken)


def test_a_gap_in_the_answers_is_a_gap_in_the_trend() -> None:
    whole = seen(nights([(1, False)] * 91))
    gap = seen(nights([(1, False)] * 30 + [(None, False)] * 31 + [(1, False)] * 30))

    def trend(image: Image.Image) -> int:
        wanted = np.array([int(DARK.trend[place : place + 2], 16) for place in (1, 3, 5)])
        # The legend's outline, at the foot, is of nearly the same colour.
        above = np.asarray(image, dtype=int)[: image.height - 100]
        return int((np.abs(above - wanted).max(axis=2) <= 8).any(axis=0).sum())

    assert trend(whole) > 900
    assert 500 < trend(gap) < 750


def test_a_script_that_the_font_lacks_leaves_the_letters_out() -> None:
    japanese = Calendar(tuple("月火水木金土日"), tuple(f"{number}月" for number in range(1, 13)), 6)

    assert not canvas.can_write(*japanese.weekdays)
    assert seen(nights(some(91), calendar=japanese)).size[0] == 1080


@pytest.mark.parametrize(
    ("low", "high", "colour"), [(-8.0, 26.0, 0), (5.0, 35.0, 2), (-60.0, -5.0, -2), (-100.0, 100.0, 0), (0.0, 0.0, 0)]
)
def test_an_interval_is_coloured_only_off_zero(low: float, high: float, colour: int) -> None:
    image = seen(charts.interval(low=low, middle=(low + high) / 2, high=high))

    assert image.size == (1080, 256)
    assert has(image, DARK.rating(colour)) or low == high
    assert not any(has(image, DARK.rating(other)) for other in (-2, 2) if other != colour)


@pytest.mark.parametrize("rows", [0, 2, 14, 56])
def test_a_page_is_one_sheet_of_a4(rows: int) -> None:
    full = ClinicianPage(PAGE.title, PAGE.lead, PAGE.facts, PAGE.heads, PAGE.rows[:1] * rows, PAGE.foot)
    image = seen(charts.page(full, full, form="png"))
    pdf = drawing.draw(charts.page(full, full, form="pdf"))

    assert image.size == (1654, 2338)
    assert pdf[:5] == b"%PDF-"
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") == 1


def test_a_page_that_the_font_cannot_write_is_in_english() -> None:
    own = ClinicianPage("睡眠日記", "自己申告", (), (), (), ())

    assert drawing.draw(charts.page(own, PAGE, form="png")) == drawing.draw(charts.page(PAGE, PAGE, form="png"))


def test_the_same_values_have_the_same_mark_and_the_same_bytes() -> None:
    one, same, other = nights(some(30)), nights(some(30)), nights(some(30), light=True)

    assert one.mark == same.mark
    assert drawing.draw(one) == drawing.draw(same)
    assert one.mark != other.mark
    assert one.mark != charts.week(some(7), first=LAST, calendar=CALENDAR).mark


def test_letters_that_join_are_left_to_those_who_know_how() -> None:
    arabic = Calendar(tuple("نثرخجسح"), ("يناير",) * 12, 5)
    latin = Calendar(tuple("MTWTFSS"), ("MMMMM",) * 12, 5)

    assert canvas.can_write(*arabic.weekdays, *arabic.months)
    # The months' line alone; joined letters take another room than five capitals.
    line = [np.asarray(seen(nights(some(91), calendar=one)).crop((0, 0, 1080, 60))) for one in (arabic, latin)]
    written = [int((one != one[0, 0]).any(axis=2).sum()) for one in line]
    assert min(written) > 100
    assert written[0] != written[1]
