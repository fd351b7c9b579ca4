"""The diary on the real database: a month to look at, a night to correct, notes, the evening, detail and stock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.diary import Detail, EveningFactors
from bot.core.model import Awaiting, Intake, Kind, Night, NightRecord, Rating, State
from bot.core.planning import Message
from bot.views.message import View
from db import diary, nights
from db.engine import Database
from db.outbox import rows as outbox
from db.outbox.rows import Settled
from tests.handlers.one_person import Ann, buttons

SATURDAY_NOON = datetime(2026, 11, 14, 11, 0, tzinfo=UTC)
FRIDAY = date(2026, 11, 13)


@pytest.fixture
async def ann(tmp_path: Path) -> AsyncIterator[Ann]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'lull.db'}")
    await database.migrate()
    person = Ann(database, SATURDAY_NOON)
    await person.moves_in()
    yield person
    await database.close()


async def record(ann: Ann, night: Night = FRIDAY) -> NightRecord:
    async with ann.database.read() as db:
        return await nights.find(db, 7, night)


async def detail(ann: Ann, night: Night = FRIDAY) -> Detail:
    async with ann.database.read() as db:
        return await diary.find(db, 7, night)


async def slept(ann: Ann, night: Night, intake: Intake | None, rating: Rating | None) -> None:
    async with ann.database.write() as db:
        await nights.record_intake(db, 7, night, intake, at=ann.now)
        await nights.record_rating(db, 7, night, rating, at=ann.now)


# -- the month ---------------------------------------------------------------------------------------------------------


async def test_a_month_shows_each_night_by_signs_that_need_no_colour(ann: Ann) -> None:
    await slept(ann, date(2026, 11, 3), Intake.TAKEN, Rating.MUCH_BETTER)
    await slept(ann, date(2026, 11, 4), Intake.SKIPPED, Rating.SAME)
    await slept(ann, date(2026, 11, 5), Intake.TAKEN, Rating.WORSE)
    await slept(ann, date(2026, 11, 6), Intake.TAKEN, None)

    await ann.types("/diary")

    shown = buttons(ann.page)
    for label, night in {"3↑✓": "03", "4=": "04", "5↓✓": "05", "6✓": "06", "7": "07"}.items():
        assert shown[label] == f"night:2026-11-{night}"
    assert shown["14"] == "still"  # its evening has not begun
    assert "Taken on 3 of 13 nights · 3 rated" in ann.page.text
    assert ann.page.keyboard is not None
    assert [len(row) for row in ann.page.keyboard.inline_keyboard] == [7] * 7 + [2]


async def test_months_can_be_turned_from_the_first_night_to_the_last(ann: Ann) -> None:
    await ann.types("/diary")
    assert "‹ Oct" in buttons(ann.page)
    assert not any("›" in label for label in buttons(ann.page))

    await ann.taps("month:2026-01")
    assert "January 2026" in ann.page.text
    assert not any("‹" in label for label in buttons(ann.page))
    assert "Taken on 0 of 22 nights" in ann.page.text

    for forged in ("month:2025-12", "month:2026-12", "month:2026-99", "month"):
        await ann.taps(forged)
        assert ann.pages == []
        assert "out of date" in ann.answer


async def test_on_the_first_afternoon_there_is_no_night_yet(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")
    await database.migrate()
    ann = Ann(database, datetime(2026, 1, 10, 13, 0, tzinfo=UTC))
    await ann.moves_in()

    await ann.types("/diary")

    assert "No night to show yet" in ann.page.text
    await database.close()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("2026-11-13", "Friday 13 November"),
        ("13 Nov", "Friday 13 November"),
        ("2026-01-10", "Saturday 10 January"),
        ("2026-01-09", "not in your diary"),
        ("2027-01-01", "did not understand"),
        ("2026-11-14", "not in your diary"),
        ("blue", "did not understand"),
    ],
)
async def test_a_night_can_be_typed(ann: Ann, typed: str, expected: str) -> None:
    await ann.types(f"/diary {typed}")

    assert expected in ann.page.text


async def test_nights_that_were_brought_in_are_there_as_if_they_had_been_lived_here(ann: Ann) -> None:
    await slept(ann, date(2025, 12, 30), Intake.TAKEN, Rating.BETTER)
    async with ann.database.write() as db:  # of this one nothing is known but how it was slept
        await diary.save(db, 7, Detail(date(2025, 11, 3)), Detail(date(2025, 11, 3), quality=4))

    await ann.taps("month:2026-01")
    assert "‹ Dec" in buttons(ann.page)
    await ann.taps("month:2025-12")
    assert "Taken on 1 of 31 nights" in ann.page.text
    assert buttons(ann.page)["30↑✓"] == "night:2025-12-30"
    await ann.taps("month:2025-11")
    assert not any("‹" in label for label in buttons(ann.page))
    await ann.taps("night:2025-12-30")
    assert "Sleep: Better" in ann.page.text
    await ann.types("/diary 2025-11-03")
    assert "Monday 3 November" in ann.page.text
    await ann.types("/diary 2025-11-02")
    assert "It begins on Monday 3 November" in ann.page.text


async def test_a_night_from_before_the_person_came_can_be_corrected(ann: Ann) -> None:
    ann.now = datetime(2026, 1, 11, 11, 0, tzinfo=UTC)
    await slept(ann, date(2025, 12, 30), Intake.TAKEN, Rating.BETTER)

    await ann.taps("fix_in:2025-12-31:skipped")
    await ann.taps("fix_rate:2025-12-30:-1")
    assert (await record(ann, date(2025, 12, 31))).intake is Intake.SKIPPED
    assert (await record(ann, date(2025, 12, 30))).rating is Rating.WORSE

    await ann.taps("fix_in:2025-12-29:taken")
    assert "older ones stay" in ann.answer


# -- one night ---------------------------------------------------------------------------------------------------------


async def test_a_night_can_be_corrected_and_cleared(ann: Ann) -> None:
    await ann.taps("fix_in:2026-11-13:taken")
    await ann.taps("fix_rate:2026-11-13:1")
    assert (await record(ann)).intake is Intake.TAKEN
    assert (await record(ann)).rating is Rating.BETTER
    assert "Taken (noted later)" in ann.page.text
    assert "Sleep: Better" in ann.page.text
    assert {"✓ Taken", "✓ Better"} < set(buttons(ann.page))

    await ann.taps("fix_in:2026-11-13:skipped")
    assert (await record(ann)).intake is Intake.SKIPPED
    await ann.taps("fix_in:2026-11-13:clear")
    await ann.taps("fix_rate:2026-11-13:clear")
    assert (await record(ann)).intake is None
    assert (await record(ann)).rating is None
    assert "Taken: no answer\nSleep: no answer" in ann.page.text


async def test_the_last_sixty_nights_can_be_corrected_and_older_ones_only_read(ann: Ann) -> None:
    await ann.taps("fix_in:2026-09-15:taken")
    assert (await record(ann, date(2026, 9, 15))).intake is Intake.TAKEN

    await ann.taps("fix_in:2026-09-14:taken")
    assert "The last 60 nights" in ann.answer
    assert (await record(ann, date(2026, 9, 14))).intake is None

    await ann.taps("night:2026-09-14")
    assert list(buttons(ann.page).values()) == ["month:2026-09", "night:2026-09-15"]


@pytest.mark.parametrize(
    "forged",
    [
        "fix_in:2026-11-15:taken",
        "fix_in:2025-12-31:taken",
        "fix_in:2026-11-13:often",
        "fix_in",
        "fix_rate:2026-11-13:3",
        "fix_rate:2026-11-13",
        "even_set:2026-11-13:3",
        "even_set:2026-11-13",
        "det_set:2026-11-13:note:1",
        "det_set:2026-11-13:rested:6",
        "det_next:2026-11-13:note",
        "det:2027-11-13",
        "note:x",
        "detail:7",
        "diary_set:admin",
        "refill",
        "pack:0",
    ],
)
async def test_a_forged_press_changes_nothing(ann: Ann, forged: str) -> None:
    before = await ann.person()

    await ann.taps(forged)

    assert ann.pages == []
    assert isinstance(ann.answer, str)
    assert await ann.person() == before
    assert await record(ann) == NightRecord(FRIDAY)
    assert await detail(ann) == Detail(FRIDAY)


async def test_tonight_can_be_taken_but_not_rated(ann: Ann) -> None:
    ann.now = datetime(2026, 11, 14, 19, 0, tzinfo=UTC)
    await ann.types("/diary 2026-11-14")
    assert "Taken" in buttons(ann.page)
    assert "Better" not in buttons(ann.page)

    await ann.taps("fix_rate:2026-11-14:1")

    assert (await record(ann, date(2026, 11, 14))).rating is None


async def test_an_answer_after_the_next_reminder_is_marked_late(ann: Ann) -> None:
    await ann.taps("fix_rate:2026-11-12:1")
    assert "Better (late answer)" in ann.page.text

    await ann.taps("fix_rate:2026-11-13:1")
    assert "late" not in ann.page.text


# -- notes -------------------------------------------------------------------------------------------------------------


async def test_the_next_text_is_the_note_that_was_asked_for(ann: Ann) -> None:
    await ann.taps("note:2026-11-13")
    await ann.types("A dog barked\n\u202eat three")

    assert (await detail(ann)).note == "A dog barked at three"
    assert ann.page.text == "Noted for Friday 13 November."
    assert (await ann.person()).awaiting is None

    await ann.taps("night:2026-11-13")
    assert "Note: A dog barked at three" in ann.page.text
    await ann.taps("note:2026-11-13")
    await ann.taps("note_off:2026-11-13")
    assert (await detail(ann)).note is None
    assert (await ann.person()).awaiting is None


async def test_going_back_to_the_night_no_longer_waits_for_a_note(ann: Ann) -> None:
    await ann.taps("note:2026-11-13")
    await ann.taps("night:2026-11-13")
    await ann.types("A dog barked")

    assert (await detail(ann)).note is None
    assert "did not understand" in ann.page.text


async def test_a_reply_to_a_morning_question_is_that_nights_note(ann: Ann) -> None:
    await ann.taps("rate:2026-11-12:1")

    await ann.types("22:30 was too late", replying_to=ann.page)

    assert (await detail(ann, date(2026, 11, 12))).note == "22:30 was too late"


async def test_a_reply_to_a_message_without_buttons_is_known_by_what_was_owed(ann: Ann) -> None:
    at, later = ann.now, ann.now + timedelta(hours=6)
    async with ann.database.write() as db:
        await outbox.owe(db, [Message(7, Kind.CHECK_IN, FRIDAY, due_at=at, until_at=later, bed_at=at, close_at=later)])
        (row,) = await outbox.claim(db, worker="w", now=at, limit=1)
        await outbox.start(db, [row.id], worker="w", now=at)
        await outbox.settle(db, [Settled(row.id, State.SENT, message_id=31)], worker="w")

    await ann.types("A dog barked", replying_to=View("How was your sleep?"), number=31)

    assert (await detail(ann)).note == "A dog barked"


async def test_a_reply_to_a_page_that_is_about_no_night_is_no_note(ann: Ann) -> None:
    await ann.types("/diary")

    await ann.types("A dog barked", replying_to=ann.page)

    assert (await detail(ann, date(2026, 11, 1))).note is None
    assert "did not understand" in ann.page.text


async def test_a_note_that_speaks_of_illness_is_kept_and_nothing_more(ann: Ann) -> None:
    await ann.taps("note:2026-11-13")
    await ann.types("My kidney hurt")

    assert (await detail(ann)).note == "My kidney hurt"
    assert "pharmacist" not in ann.page.text


async def test_a_long_note_is_cut_and_says_so(ann: Ann) -> None:
    await ann.taps("note:2026-11-13")
    await ann.types("word " * 300)

    note = (await detail(ann)).note
    assert note is not None
    assert 490 < len(note) <= 500
    assert "first 500 characters" in ann.page.text


async def test_a_note_cannot_break_the_page(ann: Ann) -> None:
    await ann.taps("note:2026-11-13")
    await ann.types("<b>&lt;i> & {night}")
    await ann.taps("night:2026-11-13")

    assert "Note: &lt;b&gt;&amp;lt;i&gt; &amp; {night}" in ann.page.text


# -- the evening -------------------------------------------------------------------------------------------------------


async def test_the_evening_is_blank_until_something_is_said_of_it(ann: Ann) -> None:
    await ann.taps("even:2026-11-13")
    assert (await detail(ann)).evening is None

    await ann.taps("even_set:2026-11-13:1")
    await ann.taps("even_set:2026-11-13:16")
    assert (await detail(ann)).evening == EveningFactors.ALCOHOL | EveningFactors.STRESS
    assert {"✓ alcohol", "✓ stress", "a nap"} < set(buttons(ann.page))

    await ann.taps("even_set:2026-11-13:0")
    assert (await detail(ann)).evening == EveningFactors(0)
    await ann.taps("night:2026-11-13")
    assert "Evening: none of these" in ann.page.text

    await ann.taps("even_set:2026-11-13:clear")
    assert (await detail(ann)).evening is None


async def test_a_slip_taken_back_is_not_an_answer(ann: Ann) -> None:
    await ann.taps("even_set:2026-11-13:4")
    await ann.taps("even_set:2026-11-13:4")

    assert (await detail(ann)).evening is None


# -- detail ------------------------------------------------------------------------------------------------------------


async def test_at_the_first_level_nothing_more_is_offered(ann: Ann) -> None:
    await ann.taps("rate:2026-11-13:1")

    assert set(buttons(ann.page)) == {"Undo"}


async def test_two_more_questions_are_asked_one_by_one(ann: Ann) -> None:
    await ann.taps("detail:1")
    await ann.taps("rate:2026-11-13:1")
    await ann.taps(buttons(ann.page)["Add detail"])
    assert "fall asleep" in ann.page.text
    await ann.taps(buttons(ann.page)["10–20 min"])
    assert "rested" in ann.page.text
    await ann.taps(buttons(ann.page)["4 · well rested"])

    assert await detail(ann) == Detail(FRIDAY, onset=1, rested=4)
    assert "Asleep in 10–20 min · rested 4 of 5" in ann.page.text
    assert (await ann.person()).awaiting is None


async def test_a_sleep_diary_can_be_typed(ann: Ann) -> None:
    await ann.taps("detail:2")
    await ann.taps("det:2026-11-13")
    for typed in ("11", "23:15", "20", "2", "15 min", "7:00", "7:30"):
        await ann.types(typed)
    await ann.taps(buttons(ann.page)["4 · good"])

    assert await detail(ann) == Detail(
        FRIDAY, in_bed=1380, tried=1395, latency=20, awakenings=2, awake=15, woke=420, rose=450, quality=4
    )
    assert "In bed 23:00 · lights out 23:15 · awake 07:00 · up 07:30" in ann.page.text
    assert "slept 7 h 10 min · 84 % of the time in bed" in ann.page.text


async def test_blank_questions_stay_blank(ann: Ann) -> None:
    await ann.taps("detail:2")
    await ann.taps("det:2026-11-13")
    for _ in range(8):
        await ann.taps(buttons(ann.page)["Leave blank"])

    assert await detail(ann) == Detail(FRIDAY)
    assert "Friday 13 November" in ann.page.text


async def test_an_impossible_answer_is_refused_in_one_sentence_and_asked_again(ann: Ann) -> None:
    await ann.taps("detail:2")
    await ann.taps("det_set:2026-11-13:in_bed:1380")
    await ann.taps("det_set:2026-11-13:rose:1320")

    assert "earlier than what came before it" in ann.page.text
    assert "When did you get out of bed" in ann.page.text
    assert await detail(ann) == Detail(FRIDAY, in_bed=1380)


async def test_what_cannot_be_read_is_asked_again(ann: Ann) -> None:
    await ann.taps("detail:2")
    await ann.taps("det:2026-11-13")
    await ann.types("never")
    assert "did not understand that time" in ann.page.text
    await ann.taps("det_next:2026-11-13:tried")
    await ann.types("long")
    assert "number" in ann.page.text

    assert (await ann.person()).awaiting is Awaiting.DETAIL
    assert await detail(ann) == Detail(FRIDAY)


async def test_a_question_left_over_from_long_ago_is_out_of_date(ann: Ann) -> None:
    await ann.taps("detail:2")
    ann.now = datetime(2026, 11, 14, 10, 30, tzinfo=UTC)
    await ann.taps("det:2026-09-14")
    assert "When did you get into bed" in ann.page.text
    ann.now += timedelta(hours=1)
    await ann.types("23:00")
    assert (await detail(ann, date(2026, 9, 14))).in_bed is None
    assert "out of date" in ann.page.text


async def test_the_diarys_switches_switch(ann: Ann) -> None:
    await ann.taps("panel:diary")
    for data, field in (("evening", "ask_evening"), ("digest", "no_digest"), ("ground", "light")):
        await ann.taps(f"diary_set:{data}")
        assert getattr(await ann.person(), field) is True
        await ann.taps(f"diary_set:{data}")
        assert getattr(await ann.person(), field) is False


async def test_with_evening_questions_on_the_morning_offers_them(ann: Ann) -> None:
    await ann.taps("diary_set:evening")
    await ann.taps("rate:2026-11-13:1")

    assert buttons(ann.page)["The evening"] == "even:2026-11-13"


# -- the stock ---------------------------------------------------------------------------------------------------------


async def test_a_stock_is_counted_down_by_taken_nights(ann: Ann) -> None:
    await ann.taps("panel:stock")
    await ann.types("10")
    assert (await ann.person()).stock == 10
    for night in (14, 15, 16):
        ann.now = datetime(2026, 11, night, 21, 0, tzinfo=UTC)
        await ann.types("/took")

    await ann.types("/tonight")

    assert "7 evenings' worth left" in ann.page.text


async def test_the_pace_of_a_stock_is_that_of_nights_that_were_brought_in_too(ann: Ann) -> None:
    ann.now = datetime(2026, 1, 12, 11, 0, tzinfo=UTC)  # she came two days ago
    for shift in range(0, 28, 2):
        await slept(ann, date(2025, 12, 15) + timedelta(days=shift), Intake.TAKEN, None)

    await ann.taps("panel:stock")
    await ann.types("10")

    assert "10 evenings' worth left, until about 31 Jan." in ann.page.text


async def test_a_low_stock_is_told_once(ann: Ann) -> None:
    await ann.taps("panel:stock")
    await ann.types("7")
    told = []
    for night in (14, 15):
        ann.now = datetime(2026, 11, night, 21, 0, tzinfo=UTC)
        await ann.types("/took")
        told.append(len(ann.pages))

    assert told == [2, 1]


async def test_a_new_pack_is_one_tap(ann: Ann) -> None:
    await ann.taps("panel:stock")
    await ann.types("3")
    await ann.taps("stock_pack")
    await ann.taps("pack:30")
    await ann.taps(buttons(ann.page)["New pack: + 30"])

    assert "33 evenings' worth left" in ann.page.text
    await ann.taps("stock_pack")
    await ann.types("28")
    assert (await ann.person()).pack == 28
    await ann.taps("stock_off")
    assert (await ann.person()).stock is None


@pytest.mark.parametrize("typed", ["many", "3000", "-1"])
async def test_a_stock_that_is_no_number_is_asked_again(ann: Ann, typed: str) -> None:
    await ann.taps("panel:stock")
    await ann.types(typed)

    assert (await ann.person()).stock is None
    assert "Type a number" in ann.page.text
