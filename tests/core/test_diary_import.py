"""Nights from a file: what each kind means, and for what all of it is refused."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core import diary_csv, diary_import
from bot.core.diary import Detail, EveningFactors
from bot.core.diary_csv import Line
from bot.core.diary_import import Arrived, Choice, ImportProblem, ImportProblemKind, Left, Odd
from bot.core.model import Delivery, Intake, NightRecord, Rating, Reason

LAST = date(2026, 11, 19)
NIGHT = date(2026, 11, 14)
FULL = Line(
    NightRecord(
        NIGHT,
        delivery=Delivery.SENT,
        intake=Intake.SKIPPED,
        intake_at=datetime(2026, 11, 14, 21, 5, tzinfo=UTC),
        reason=Reason.STOMACH,
        rating=Rating.MUCH_WORSE,
        rated_at=datetime(2026, 11, 15, 7, 0, tzinfo=UTC),
        late=True,
    ),
    Detail(
        NIGHT,
        note='=HYPERLINK("x"),\nand "so" on',
        evening=EveningFactors.ALCOHOL | EveningFactors.NAP,
        onset=2,
        rested=4,
        in_bed=22 * 60,
        tried=22 * 60 + 30,
        latency=20,
        awakenings=2,
        awake=15,
        woke=6 * 60,
        rose=6 * 60 + 5,
        quality=3,
        late=True,
    ),
)


def read(text: str | bytes) -> Arrived | Choice | ImportProblem:
    data = text.encode() if isinstance(text, str) else text
    return diary_import.read(data, zone="Europe/Berlin", last=LAST)


def nights(text: str | bytes) -> tuple[Line, ...]:
    found = read(text)
    assert isinstance(found, Arrived), found
    return found.lines


def trouble(text: str | bytes) -> ImportProblem:
    found = read(text)
    assert isinstance(found, ImportProblem), found
    return found


def arrived(text: str | bytes) -> Arrived:
    found = read(text)
    assert isinstance(found, Arrived), found
    return found


def left(text: str | bytes) -> list[Left]:
    return list(arrived(text).left)


def test_what_was_written_is_read_back_whole() -> None:
    blank = Line(
        NightRecord(date(2026, 11, 13), rating=Rating.SAME), Detail(date(2026, 11, 13), evening=EveningFactors(0))
    )
    assert nights("\ufeff" + diary_csv.written([FULL, blank])) == (blank, FULL)


def test_a_sheet_that_a_spreadsheet_saved_with_semicolons_is_read() -> None:
    assert nights("night;intake;rating\n2026-11-14;taken;much_better\n")[0].record.rating is Rating.MUCH_BETTER


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "''-2"])
def test_a_cell_that_a_spreadsheet_would_run_is_text_and_comes_back_as_it_was(text: str) -> None:
    assert diary_csv.defused(text)[0] == "'"
    assert diary_csv.fused(diary_csv.defused(text)) == text


@pytest.mark.parametrize("text", ["", "slept well", "'tis fine", "a=b", "–"])
def test_a_harmless_cell_stays_as_it_is(text: str) -> None:
    assert diary_csv.defused(text) == diary_csv.fused(text) == text


def test_loops_words_and_numbers_mean_taken_skipped_missed_or_nothing() -> None:
    words = "Date,Value,Notes\n2026-11-14,YES_MANUAL,\n2026-11-13,NO,Sick\n2026-11-12,YES_AUTO,\n2026-11-11,SKIP,\n"
    numbers = "Date,Magnesium,\n2026-11-14,2,\n2026-11-13,0,\n2026-11-12,1,\n2026-11-11,3,\n2026-11-10,-1,\n"
    expected = [(11, Intake.SKIPPED), (13, Intake.MISSED), (14, Intake.TAKEN)]
    for text in (words, numbers):
        assert [(line.night.day, line.record.intake) for line in nights(text)] == expected
    assert nights(words)[1].detail.note == "Sick"


def test_a_blank_cell_after_the_last_one_moves_nothing() -> None:
    (line,) = nights("night,intake,rating\n2026-11-14,taken,same,\n")
    assert (line.record.intake, line.record.rating) == (Intake.TAKEN, Rating.SAME)


def test_of_loops_many_habits_the_magnesium_is_meant() -> None:
    text = "Date,Running,Magnesium at night,\n2026-11-14,0,2,\n"
    assert nights(text)[0].record.intake is Intake.TAKEN
    assert arrived(text).habit == "Magnesium at night"
    for name in ("Hořčík", "Magnésio", "Магний", "镁", "マグネシウム", "مغنيسيوم"):
        assert nights(f"Date,Sport,{name},\n2026-11-14,0,2,\n")[0].record.intake is Intake.TAKEN


def test_of_habits_none_of_which_is_called_magnesium_the_person_chooses() -> None:
    found = read("Date,Running,Evening pill,\n2026-11-14,0,2,\n2026-11-13,2,0,\n")
    assert isinstance(found, Choice)
    assert [(name, len(one.lines)) for name, one in found.habits] == [("Running", 2), ("Evening pill", 2)]
    assert found.habits[1][1].lines[1].record.intake is Intake.TAKEN
    assert trouble("Date,Magnesium,Magnesium,\n2026-11-14,0,2,\n") == ImportProblem(ImportProblemKind.WHICH_HABIT)


def test_of_a_habit_that_is_measured_any_amount_is_taken() -> None:
    text = "Date,Value,Notes\n2026-11-14,400000,\n2026-11-13,0,\n2026-11-12,200000,half\n2026-11-11,-1,\n"
    assert [line.record.intake for line in nights(text)] == [Intake.TAKEN, Intake.MISSED, Intake.TAKEN]


@pytest.mark.parametrize("text", ["Date,Score\n2026-11-14,0.05\n", "Position,Name,Color\n1,Magnesium,red\n"])
def test_loops_other_files_are_known_for_what_they_are(text: str) -> None:
    assert trouble(text).kind is ImportProblemKind.SIBLING


def zipped_files(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return out.getvalue()


CHECKMARKS = "Date,Value,Notes\n2026-11-14,YES_MANUAL,\n"


def test_of_loops_zip_the_magnesiums_folder_is_read() -> None:
    files = {
        "Checkmarks.csv": "Date,Read, then write,Magnesium,\n2026-11-14,0,2,\n",
        "Habits.csv": "Position,Name\n1,Magnesium\n",
        "001 Read, then write/Checkmarks.csv": CHECKMARKS.replace("YES_MANUAL", "NO"),
        "002 Magnesium/Checkmarks.csv": CHECKMARKS,
        "002 Magnesium/Scores.csv": "Date,Score\n2026-11-14,1\n",
    }
    found = arrived(zipped_files(**files))
    assert (found.habit, found.lines[0].record.intake) == ("Magnesium", Intake.TAKEN)
    del files["002 Magnesium/Checkmarks.csv"]
    files["002 Evening/Checkmarks.csv"] = CHECKMARKS
    chosen = read(zipped_files(**files))
    assert isinstance(chosen, Choice)
    assert [name for name, _ in chosen.habits] == ["Read, then write", "Evening"]
    assert nights(zipped_files(**{"Checkmarks.csv": CHECKMARKS}))[0].record.intake is Intake.TAKEN


def test_of_our_own_zip_both_halves_of_a_sealed_night_are_one_again() -> None:
    rest, taken = diary_csv.apart(FULL)
    packed = zipped_files(
        **{"nights.csv": "\ufeff" + diary_csv.written([rest]), "sealed.csv": diary_csv.written([taken])}
    )
    assert nights(packed) == (FULL,)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (zipped_files(**{"README.txt": "hello"}), ImportProblemKind.EMPTY),
        (zipped_files(**{"nights.csv": "0" * 10_000_000}), ImportProblemKind.TOO_LARGE),
        (zipped_files(**{"1 A/Checkmarks.csv": "0" * 9_000_000}), ImportProblemKind.TOO_LARGE),
        (zipped_files(**{"nights.csv": "night\n"})[:-10], ImportProblemKind.NOT_TEXT),
        (b"PK\x03\x04" + b"\0" * 100, ImportProblemKind.NOT_TEXT),
    ],
)
def test_a_zip_of_something_else_or_of_too_much_is_refused(content: bytes, kind: ImportProblemKind) -> None:
    assert trouble(content).kind is kind


def test_a_plain_sheet_of_ones_own_is_read() -> None:
    text = "Night,Taken,Rating\n2026-11-14,yes,better\n13.11.2026,no,much worse\n2026-11-12,,3\n2026-11-11,missed,5\n"
    assert [(line.record.intake, line.record.rating) for line in reversed(nights(text))] == [
        (Intake.TAKEN, Rating.BETTER),
        (Intake.SKIPPED, Rating.MUCH_WORSE),
        (None, Rating.SAME),
        (Intake.MISSED, Rating.MUCH_BETTER),
    ]


def test_dates_and_times_as_a_spreadsheet_leaves_them_are_read() -> None:
    (line,) = nights("night;in_bed;rating\n14.11.2026;7:05:00;same\n")
    assert (line.night, line.detail.in_bed) == (NIGHT, 7 * 60 + 5)
    assert nights("night\ttaken\n2026/11/14\tyes\n".encode("utf-16"))[0].night == NIGHT
    for days in ("14/11/2026,yes\n3/10/2026,yes", "11/14/2026,yes\n10/3/2026,yes"):
        assert [one.night for one in nights(f"night,taken\n{days}\n")] == [date(2026, 10, 3), NIGHT]
    assert trouble("night,taken\n3/10/2026,yes\n") == ImportProblem(ImportProblemKind.DATES, 2, "night", "3/10/2026")


def test_a_cell_that_cannot_be_read_is_named_with_its_column() -> None:
    assert trouble("night,rating\n2026-11-14,great\n") == ImportProblem(
        ImportProblemKind.BAD_LINE, 2, "rating", "great"
    )
    assert trouble("sid,start,stop\n1,now,2\n") == ImportProblem(ImportProblemKind.BAD_LINE, 2, "start", "now")
    assert trouble("Date,Value\n14 Nov,YES_MANUAL\n") == ImportProblem(ImportProblemKind.BAD_LINE, 2, "Date", "14 Nov")


def test_an_odd_night_is_left_out_and_the_others_are_taken() -> None:
    assert left(HEAD + f"2026-11-14,taken,,\n{TOMORROW},taken,,\n") == [Left(3, Odd.NOT_OVER)]
    assert left(HEAD + "1999-01-01,taken,,\n2026-11-14,taken,,\n") == [Left(2, Odd.TOO_OLD)]
    assert left("night,in_bed,rose\n2026-11-14,22:00,18:00\n2026-11-13,22:00,06:00\n") == [Left(2, Odd.IMPOSSIBLE)]
    good = f"1,{milliseconds(14, 22)},{milliseconds(15, 5)},4,,0"
    zero = f"2,{milliseconds(15, 22)},{milliseconds(15, 22)},0,,0"
    long = f"3,{milliseconds(16, 2)},{milliseconds(16, 22)},0,,0"
    many = f"4,{milliseconds(16, 23)},{milliseconds(17, 5)},9,,60"
    found = arrived("\n".join(["sid,start,stop,rating,comment,wakes", good, zero, long, many]) + "\n")
    assert found.left == (
        Left(3, Odd.NO_LENGTH, 0),
        Left(4, Odd.TOO_LONG, 20),
        Left(5, Odd.NUMBER, 9),
        Left(5, Odd.NUMBER, 60),
    )
    assert [(line.detail.quality, line.detail.awakenings) for line in found.lines] == [(4, None), (None, None)]


def test_a_short_sleep_by_day_is_a_nap_and_no_night() -> None:
    nap = f"1,{milliseconds(14, 13)},{milliseconds(14, 13, 30)},0,"
    assert trouble(f"sid,start,stop,rating,comment\n{nap}\n") == ImportProblem(ImportProblemKind.EMPTY, naps=1)
    shift = f"1,{milliseconds(14, 8)},{milliseconds(14, 15)},0,"
    assert arrived(f"sid,start,stop,rating,comment\n{shift}\n").naps == 0


def test_the_trackers_export_for_people_is_read_by_the_clock_where_they_were() -> None:
    head = "sid,start,stop,length,rating,comment,wakes\n"
    (line,) = nights(head + "1,2026-11-14 23:00:00,2026-11-15 07:00:00,8:00:00,4,,0\n")
    assert (line.detail.tried, line.detail.woke, line.night) == (23 * 60, 7 * 60, NIGHT)


def milliseconds(day: int, hour: int, minute: int = 0) -> int:
    return int(datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


def test_plees_sleeps_become_nights_and_naps_are_left_out() -> None:
    rows = [
        f"1,{milliseconds(14, 22, 30)},{milliseconds(15, 5)},4,slept,2",
        f"2,{milliseconds(15, 12)},{milliseconds(15, 12, 40)},0,,0",
        f"3,{milliseconds(15, 23, 30)},{milliseconds(16, 6)},0,,0",
    ]
    found = read("sid,start,stop,rating,comment,wakes\n" + "\n".join(rows))
    assert isinstance(found, Arrived)
    assert found.naps == 1
    first, second = (line.detail for line in found.lines)
    assert first == Detail(NIGHT, note="slept", tried=23 * 60 + 30, woke=6 * 60, awakenings=2, quality=4)
    # 00:30 in Berlin on the 16th is still the night of the 15th; no stars and no wakings are no answers.
    assert second == Detail(date(2026, 11, 15), tried=30, woke=7 * 60)


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("nights.csv", content)
    return out.getvalue()


HEAD = "night,intake,rating,note\n"
TOMORROW = (LAST + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    ("data", "kind", "line"),
    [
        (b"x" * (diary_import.LARGEST + 1), ImportProblemKind.TOO_LARGE, 0),
        (zipped(b"0" * 10_000_000), ImportProblemKind.TOO_LARGE, 0),
        (gzip.compress(b"night\n", mtime=0), ImportProblemKind.NOT_TEXT, 0),
        ("night,note\n2026-11-14,caf\xe9\n".encode("latin-1"), ImportProblemKind.NOT_TEXT, 0),
        (b"night\n2026-11-14\0\n", ImportProblemKind.NOT_TEXT, 0),
        (b"", ImportProblemKind.EMPTY, 0),
        (HEAD.encode(), ImportProblemKind.EMPTY, 0),
        (b"a,b,c\n1,2,3\n", ImportProblemKind.NOT_KNOWN, 0),
        ((HEAD + "2026-11-14,taken,,\n2026-02-30,taken,,\n").encode(), ImportProblemKind.BAD_LINE, 3),
        ((HEAD + "2026-11-14,swallowed,,\n").encode(), ImportProblemKind.BAD_LINE, 2),
        ((HEAD + "2026-11-14,taken,99,\n").encode(), ImportProblemKind.BAD_LINE, 2),
        ((HEAD + "2026-11-14,taken,,,,,\n").encode(), ImportProblemKind.COLUMNS, 2),
        ((HEAD + "2026-11-14,taken,,,\n2026-11-13,taken,\n").encode(), ImportProblemKind.COLUMNS, 3),
        (b"sid,start,stop,rating,comment\n1,2000,3000,3,well, thanks\n", ImportProblemKind.COLUMNS, 2),
        (b"Date,Read, then write,Magnesium,Run,\n2026-11-14,0,2,0,\n", ImportProblemKind.COLUMNS, 2),
        (b"Date,Read, then write,Magnesium,Run\n2026-11-14,0,2,0\n", ImportProblemKind.COLUMNS, 2),
        (b"Date,Magnesium,Read, then write,\n2026-11-14,2,0,\n", ImportProblemKind.COLUMNS, 2),
        ((HEAD + '2026-11-14,taken,,"never closed\n').encode(), ImportProblemKind.BAD_LINE, 2),
        ((HEAD + "2026-11-14,taken,," + "x" * 501 + "\n").encode(), ImportProblemKind.BAD_LINE, 2),
        ((HEAD + "2026-11-14,taken,,\n2569-11-14,taken,,\n").encode(), ImportProblemKind.FUTURE, 3),
        ((HEAD + f"{TOMORROW},taken,,\n").encode(), ImportProblemKind.FUTURE, 2),
        ((HEAD + "1999-01-01,taken,,\n").encode(), ImportProblemKind.TOO_OLD, 2),
        ((HEAD + "2026-11-14,taken,,\n2026-11-13,,,\n2026-11-14,,same,\n").encode(), ImportProblemKind.TWICE, 4),
        ((HEAD + "\n" * 5 + "2026-11-14,,,\n" * (diary_import.MOST_LINES + 1)).encode(), ImportProblemKind.TOO_MANY, 0),
        (b"Date,Value\n2026-11-14,MAYBE\n", ImportProblemKind.BAD_LINE, 2),
        (b"sid,start,stop,rating\n1,2000,1000,3\n", ImportProblemKind.ORDER, 2),
        (f"sid,start,stop\n1,{milliseconds(14, 2)},{milliseconds(14, 22)}\n".encode(), ImportProblemKind.ORDER, 2),
        (b"night,in_bed,rose\n2026-11-14,22:00,18:00\n", ImportProblemKind.IMPOSSIBLE, 2),
        (b"night,tried,latency,woke\n2026-11-14,23:00,600,07:00\n", ImportProblemKind.IMPOSSIBLE, 2),
        (b"night,in_bed\n2026-11-14,25:00\n", ImportProblemKind.BAD_LINE, 2),
        (b"night,quality\n2026-11-14,6\n", ImportProblemKind.BAD_LINE, 2),
        (b"night,late\n2026-11-14,perhaps\n", ImportProblemKind.BAD_LINE, 2),
        (b"night,evening\n2026-11-14,dancing\n", ImportProblemKind.BAD_LINE, 2),
        (b"night,intake,intake_at\n2026-11-14,taken,2026-11-14T22:00:00\n", ImportProblemKind.BAD_LINE, 2),
        (b"sid,start,stop,rating\n1,now,then,3\n", ImportProblemKind.BAD_LINE, 2),
        (b"sid,start,stop,rating\n1,9" + b"9" * 30 + b",1000,3\n", ImportProblemKind.BAD_LINE, 2),
    ],
)
def test_a_line_that_cannot_be_read_refuses_the_file_and_is_named(
    data: bytes, kind: ImportProblemKind, line: int
) -> None:
    found = trouble(data)
    assert (found.kind, found.line) == (kind, line)


def test_of_two_sleeps_of_a_night_the_longer_one_is_it_in_whatever_order_they_come() -> None:
    long, short = f"1,{milliseconds(14, 22)},{milliseconds(15, 5)}", f"2,{milliseconds(14, 20)},{milliseconds(14, 21)}"
    for rows in ((long, short), (short, long)):
        found = read("sid,start,stop\n" + "\n".join(rows))
        assert isinstance(found, Arrived), found
        assert ([line.detail.tried for line in found.lines], found.naps) == ([23 * 60], 1)


def test_what_was_taken_is_filled_in_with_its_reason_and_time_where_nothing_was_said() -> None:
    merged = diary_import.merged(None, FULL, sealed_from=None, at=datetime(2026, 11, 20, tzinfo=UTC))
    assert merged is not None
    given = FULL.record
    assert (merged.record.intake, merged.record.reason, merged.record.intake_at) == (
        given.intake,
        given.reason,
        given.intake_at,
    )


def test_a_night_apart_is_the_whole_night_again_once_put_together() -> None:
    rest, taken = diary_csv.apart(FULL)
    assert (rest.record.intake, rest.record.reason, rest.detail) == (None, None, FULL.detail)
    assert (taken.record.rating, taken.detail) == (None, Detail(NIGHT))
    assert diary_import.merged(rest, taken, sealed_from=None, at=datetime(2026, 11, 20, tzinfo=UTC)) == FULL


def test_what_was_said_here_is_never_overwritten() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    known = Line(NightRecord(NIGHT, intake=Intake.TAKEN), Detail(NIGHT, note="mine"))
    merged = diary_import.merged(known, FULL, sealed_from=None, at=at)
    assert merged is not None
    assert merged.record.intake is Intake.TAKEN
    assert merged.record.reason is None
    assert merged.detail.note == "mine"
    assert merged.record.rating is Rating.MUCH_WORSE
    assert merged.detail.quality == 3
    assert diary_import.merged(merged, FULL, sealed_from=None, at=at) is None


def test_times_from_a_file_do_not_make_a_night_that_cannot_be_of_one_that_was_told_here() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    known = Line(NightRecord(NIGHT), Detail(NIGHT, in_bed=23 * 60, tried=23 * 60))
    given = Line(NightRecord(NIGHT), Detail(NIGHT, woke=20 * 60, rose=21 * 60, quality=4))
    merged = diary_import.merged(known, given, sealed_from=None, at=at)
    assert merged is not None
    assert merged.detail == Detail(NIGHT, in_bed=23 * 60, tried=23 * 60, quality=4)


def test_a_rating_from_a_file_never_counts_in_a_test_under_way() -> None:
    given = Line(NightRecord(NIGHT, rating=Rating.BETTER), Detail(NIGHT))
    at = datetime(2026, 11, 20, tzinfo=UTC)
    for sealed_from, late in ((NIGHT, True), (NIGHT + timedelta(days=1), False), (None, False)):
        merged = diary_import.merged(None, given, sealed_from=sealed_from, at=at)
        assert merged is not None
        assert merged.record.late is late


def test_a_written_instant_names_its_offset_and_a_blank_cell_no_value() -> None:
    (line,) = nights("night,rating,rated_at,intake_at\n2026-11-14,same,2026-11-15T07:00:00+01:00,\n")
    assert line.record.rated_at == datetime(2026, 11, 15, 6, tzinfo=UTC)
    (bare,) = nights("night,rating\n2026-11-14,same\n")
    assert bare.record.rated_at is None
    assert diary_csv.written([bare]).splitlines()[1].count("same") == 1
