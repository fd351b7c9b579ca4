"""The drawing process: it draws, ends when idle, survives its own death, and knows nothing of our secrets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from bot import charts
from bot.charts import Calendar, Drawing
from bot.telegram.picture_process import NotDrawn, PictureProcess

WEEK = charts.week([(1, True)] * 7, first=date(2026, 11, 7), calendar=Calendar(tuple("MTWTFSS"), ("1",) * 12, 0))


@pytest.fixture
async def drawing() -> AsyncIterator[PictureProcess]:
    drawing = PictureProcess()
    yield drawing
    await drawing.close()


async def test_pictures_come_back_in_the_order_they_were_asked_for(drawing: PictureProcess) -> None:
    first, second = await asyncio.gather(drawing.draw(WEEK), drawing.draw(charts.interval(low=1, middle=2, high=3)))

    assert first[:4] == second[:4] == b"\x89PNG"
    assert first != second


async def test_a_fault_in_one_picture_does_not_cost_the_next(drawing: PictureProcess) -> None:
    with pytest.raises(NotDrawn):
        await drawing.draw(Drawing("week", "{}"))

    assert (await drawing.draw(WEEK))[:4] == b"\x89PNG"


async def test_a_process_that_died_is_replaced(drawing: PictureProcess) -> None:
    await drawing.draw(WEEK)
    process = drawing.worker.process
    assert process is not None
    process.kill()
    await process.wait()

    assert (await drawing.draw(WEEK))[:4] == b"\x89PNG"


async def test_an_idle_process_ends_by_itself_and_a_new_one_comes() -> None:
    drawing = PictureProcess(idle=0.05)
    try:
        await drawing.draw(WEEK)
        process = drawing.worker.process
        assert process is not None
        assert await asyncio.wait_for(process.wait(), 10) == 0
        assert (await drawing.draw(WEEK))[:4] == b"\x89PNG"
    finally:
        await drawing.close()


async def test_closing_leaves_no_process_and_no_files(drawing: PictureProcess) -> None:
    await drawing.draw(WEEK)
    process, fonts = drawing.worker.process, drawing._fonts
    assert process is not None
    assert fonts is not None
    await drawing.close()

    assert process.returncode is not None
    assert not Path(fonts).exists()


async def test_the_process_is_told_nothing_of_our_environment(
    drawing: PictureProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_TOKEN", "123456:TEST")
    await drawing.draw(WEEK)
    process = drawing.worker.process
    assert process is not None

    told = Path(f"/proc/{process.pid}/environ").read_bytes() + Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert b"MPLBACKEND" in told
    assert b"123456" not in told
