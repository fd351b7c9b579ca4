"""Taking everything away, erasing it, and bringing nights in, through the real process and real HTTP."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import SharedClock
from bot.fake_telegram.people import Person, Seen
from bot.fake_telegram.telegram import Telegram
from tests.conftest import Process, both_engines

SHEET = "night,intake,rating,note\n2026-03-20,taken,better,=1+1\n2026-03-21,skipped,,\n"


@pytest.fixture
async def ada(lull: Process, telegram: Telegram) -> Person:
    """Ada, set up."""
    del lull
    person = telegram.person(77, language_code="de")
    await person.send("/start")
    message = await person.next()
    for label in ("I understand", "22:30", "Berlin", "Citrate"):
        before = message.text
        await person.press(next(b.text for row in message.buttons for b in row if b.text.startswith(label)))
        message = await person.until(lambda seen, before=before: seen.text != before)
    person.catch_up()
    return person


async def sends(ada: Person, content: bytes) -> Seen:
    """A file after /import; the bot's word about it."""
    await ada.send("/import")
    assert "Send me a file" in (await ada.next()).text
    await ada.send_document(content=content, name="nights.csv")
    return await ada.next()


def exported(file: Seen) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(file.content))


@pytest.mark.long
@both_engines
async def test_nights_come_in_go_out_and_are_erased(
    ada: Person, lull: Process, telegram: Telegram, clock: SharedClock
) -> None:
    preview = await sends(ada, SHEET.encode())
    assert "2 nights in this file" in preview.text
    assert "New: 2. Filled in: 0. Left as they are: 0." in preview.text
    await ada.press("Import", message=preview.message_id)
    done = await ada.until(lambda seen: seen.text == "2 nights were imported.")
    await ada.press("Diary", message=done.message_id)
    assert "Taken on 1 of 6 nights · 1 rated" in (await ada.next()).text
    await ada.press("What my nights say", message=done.message_id)
    assert "Taken: 1 better of 1 rated night" in (await ada.next()).text

    again = await sends(ada, SHEET.encode())
    assert "So there is nothing to import." in again.text

    await ada.send("/export")
    file = await ada.next()
    assert file.file_name == "lull-2026-03-26.zip"
    assert exported(file).read("nights.png")[:4] == b"\x89PNG"
    sheet = exported(file).read("nights.csv").decode("utf-8-sig")
    assert "2026-03-20,,taken," in sheet
    assert ",'=1+1," in sheet
    assert "better" in sheet
    assert '"zone": "Europe/Berlin"' in exported(file).read("profile.json").decode()
    await ada.send("/export")
    assert "Try again in 10 minutes." in (await ada.next()).text
    clock.set(clock.now() + timedelta(minutes=11))
    await ada.send("/export")
    assert (await ada.next()).media == "document"

    await ada.send("/delete")
    assert "type ERASE" in (await ada.next()).text
    await ada.send("no")
    assert "nothing was erased" in (await ada.next()).text
    await ada.send("/delete")
    await ada.next()
    await ada.send("erase")
    assert "I know nothing about you any more." in (await ada.next()).text
    assert await telegram.idle()
    await ada.send("/delete")
    assert "nothing to erase" in (await ada.next()).text
    await ada.send("/start")
    assert "not medical advice" in (await ada.next()).text
    assert "Traceback" not in lull.log


LOOP = b"Date,Value,Notes\n2026-03-20,YES_MANUAL,\n2026-03-21,NO,\n2026-03-22,SKIP,out of it\n"
PLEES = b"sid,start,stop,rating,comment,wakes\n1,1774044000000,1774069200000,4,slept,2\n2,1774083600000,1774085400000,0,,0\n"


@pytest.mark.parametrize(
    ("content", "previewed", "imported", "kept"),
    [
        (SHEET.encode(), "2 nights in this file", "2 nights were imported.", [(1, 1), (2, None)]),
        (LOOP, "3 nights in this file", "3 nights were imported.", [(1, None), (3, None), (2, None)]),
        (PLEES, "1 nap was left out.", "1 night was imported.", []),
    ],
    ids=["ours", "loop", "plees"],
)
async def test_each_kind_of_file_is_previewed_and_brought_in(
    ada: Person, lull: Process, content: bytes, previewed: str, imported: str, kept: list[tuple[int, int | None]]
) -> None:
    preview = await sends(ada, content)
    assert previewed in preview.text
    assert lull.rows("SELECT count(*) FROM nights WHERE intake IS NOT NULL") == [(0,)]
    await ada.press("Import", message=preview.message_id)
    await ada.until(lambda seen: seen.text == imported)

    assert lull.rows("SELECT intake, rating FROM nights WHERE intake IS NOT NULL ORDER BY night") == kept
    details = lull.rows("SELECT tried, woke, quality, note FROM night_details WHERE woke IS NOT NULL")
    assert details == ([(23 * 60, 6 * 60, 4, "slept")] if content is PLEES else [])


async def test_the_habit_is_chosen_where_none_is_called_magnesium(ada: Person, lull: Process) -> None:
    asked = await sends(ada, b"Date,Running,Evening,\n2026-03-20,0,2,\n2026-03-21,2,0,\n2026-03-26,2,2,\n")
    assert asked.labels == ["Running", "Evening", "None of these"]
    await ada.press("Evening", message=asked.message_id)
    preview = await ada.until(lambda seen: "From the habit “Evening”." in seen.text)
    assert "Left out: 1 (line 4: not over yet)." in preview.text
    assert "From Friday 20 March 2026 to Saturday 21 March 2026." in preview.text
    await ada.press("Import", message=preview.message_id)
    await ada.until(lambda seen: seen.text == "2 nights were imported.")
    assert lull.rows("SELECT intake FROM nights WHERE intake IS NOT NULL ORDER BY night") == [(1,), (3,)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x" * (50 * 2**20), "too large"),
        (b"PK\x03\x04" + b"\0" * 100, "Save it as CSV in UTF-8."),
        (SHEET.encode("latin-1") + b"\xe9", "Save it as CSV in UTF-8."),
        (SHEET.encode() + b"2026-03-21,taken,,\n", "Line 4 is about a night that came before."),
        (SHEET.encode() + b"2026-04-21,taken,,\n", "Line 4 is about a night that is not over: 2026-04-21."),
        (
            SHEET.encode() + b"2026-03-22,swallowed,,\n",
            "Line 4, column intake: I cannot read “swallowed”. I need yes or no",
        ),
        (b"who,knows\n1,2\n", "I do not know this kind of file"),
        (b"night,in_bed,rose\n2026-03-20,22:00,18:00\n", "The times on line 2 cannot all be those of one night."),
    ],
    ids=["huge", "zip", "latin-1", "twice", "future", "word", "unknown", "twenty-hours"],
)
async def test_a_bad_file_gets_one_sentence_and_changes_nothing(
    ada: Person, lull: Process, content: bytes, said: str
) -> None:
    answer = await sends(ada, content)
    assert said in answer.text
    assert "\nNothing was changed.\nI can read:\n" in answer.text
    assert lull.rows("SELECT count(*) FROM imports") == [(0,)]


async def test_a_file_that_nobody_asked_for_is_not_read(ada: Person, telegram: Telegram) -> None:
    await ada.send_document(content=SHEET.encode())
    await ada.next()
    assert not telegram.called_with("getFile")


@pytest.mark.long
async def test_who_falls_silent_is_warned_and_then_erased(ada: Person, lull: Process, clock: SharedClock) -> None:
    await ada.send("/stop")
    await ada.next()
    clock.set(datetime(2027, 10, 1, 12, tzinfo=UTC))
    warning = await ada.next()
    assert "In 30 days I erase your diary" in warning.text
    await ada.press("Keep them", message=warning.message_id)
    await ada.until(lambda seen: seen.text == "Good to hear from you. Everything stays.")
    clock.set(datetime(2029, 4, 5, 12, tzinfo=UTC))
    assert "In 30 days I erase your diary" in (await ada.next()).text
    clock.set(datetime(2029, 5, 6, 12, tzinfo=UTC))
    for _ in range(200):
        if lull.rows("SELECT count(*) FROM users") == [(0,)]:
            break
        await clock.sleep(0.1)
    assert lull.rows("SELECT count(*) FROM users") == [(0,)]
    assert lull.rows("SELECT count(*) FROM erasures") == [(1,)]


@pytest.mark.long
async def test_a_fourth_file_within_ten_minutes_waits(ada: Person, lull: Process) -> None:
    for _ in range(3):
        assert "2 nights in this file" in (await sends(ada, SHEET.encode())).text
    refused = await sends(ada, SHEET.encode())

    assert refused.text == "Three files in ten minutes are the most. Try again in 10 minutes."
    assert lull.rows("SELECT count(*) FROM imports") == [(1,)]
