"""What is taken away: pictures that may be missing, and a sealed self-experiment that stays sealed."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot import export
from bot.core import diary_import
from bot.core.diary import Detail
from bot.core.diary_csv import Line
from bot.core.diary_import import Arrived
from bot.core.experiment import design
from bot.core.experiment import report as experiment_report
from bot.core.experiment.design import Plan
from bot.core.experiment.run import Experiment, Lived
from bot.core.model import Delivery, Intake, NightRecord, Person, Rating, Reason, Status
from bot.export import Held
from bot.texts import language

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
START = date(2026, 1, 12)
PERSON = Person(7, Status.ACTIVE, created_at=NOW, seen_at=NOW, zone="Europe/Berlin", bedtimes=(1380,) * 7)
ENGLISH = language.words("en")
PLAN = Plan(START, 28, bytes(range(32)))
UNDER_WAY = Experiment(1, 7, PLAN, blind=False, begun_at=NOW)


def told(night: date) -> Line:
    """A night with an answer to everything that a look could be stolen from."""
    record = NightRecord(
        night,
        delivery=Delivery.SENT,
        intake=Intake.SKIPPED,
        intake_at=NOW,
        reason=Reason.TEST,
        rating=Rating.BETTER,
        rated_at=NOW,
    )
    return Line(record, Detail(night, note="windy"))


def nights(count: int = 4) -> tuple[Line, ...]:
    """Half of them before the self-experiment."""
    return tuple(told(START + timedelta(days=shift)) for shift in range(-count // 2, count // 2))


def finished() -> Experiment:
    lived = []
    for place in range(design.RUN_IN + PLAN.length):
        night = design.night_at(PLAN, place)
        lived.append(Lived(NightRecord(night, delivery=Delivery.SENT, rating=Rating(place % 5 - 2)), revealed=True))
    report = experiment_report.judged(UNDER_WAY, lived)
    return replace(UNDER_WAY, ended_at=NOW, report=json.dumps(experiment_report.written(report)))


def packed(held: Held, pictures: dict[str, bytes | None] | None = None) -> dict[str, str]:
    """The files of the export as text, but for pictures."""
    file = zipfile.ZipFile(io.BytesIO(export.archive(ENGLISH, held, pictures=pictures or {}, now=NOW)))
    return {name: file.read(name).decode("utf-8-sig", "replace") for name in file.namelist()}


def arrived(text: str) -> tuple[Line, ...]:
    found = diary_import.read(text.encode(), zone="Europe/Berlin", last=date(2026, 2, 1))
    assert isinstance(found, Arrived)
    return found.lines


def test_pictures_go_along_and_the_readme_says_what_they_show() -> None:
    held = Held(PERSON, nights(), [finished()], {})
    wanted = export.drawings(ENGLISH, held)

    assert list(wanted) == ["nights.png", "experiment-1.png"]
    files = packed(held, dict.fromkeys(wanted, b"PNG"))
    assert files["nights.png"] == files["experiment-1.png"] == "PNG"
    assert "nights.png: the nights of nights.csv." in files["README.txt"]
    assert "experiment-1.png and so on" in files["README.txt"]
    assert "could not be drawn" not in files["README.txt"]


def test_a_picture_that_could_not_be_drawn_is_missing_and_said_so() -> None:
    files = packed(Held(PERSON, nights(), [], {}), {"nights.png": None})

    assert "nights.png" not in files
    assert "nights.png" not in files["README.txt"]
    assert "A picture could not be drawn this time. Everything else is here." in files["README.txt"]


def test_who_told_nothing_gets_no_picture() -> None:
    assert export.drawings(ENGLISH, Held(PERSON, (), [], {})) == {}


def test_while_a_test_is_sealed_no_file_has_what_was_taken_beside_how_the_night_was() -> None:
    held = Held(PERSON, nights(), [UNDER_WAY], {})
    files = packed(held)

    before, sealed = arrived(files["nights.csv"])[:2], arrived(files["nights.csv"])[2:]
    assert [line.record.intake for line in before] == [Intake.SKIPPED] * 2
    assert [(line.record.intake, line.record.intake_at, line.record.reason) for line in sealed] == [(None,) * 3] * 2
    assert [line.record.rating for line in sealed] == [Rating.BETTER] * 2
    apart = arrived(files["sealed.csv"])
    assert [(line.record.reason, line.record.rating) for line in apart] == [(Reason.TEST, None)] * 2
    assert PLAN.seed.hex() not in "".join(files.values())
    cells = json.loads(export.drawings(ENGLISH, held)["nights.png"].values)["cells"]
    assert [taken for _, taken in cells] == [0] * 4
    assert "sealed.csv: what you took since your test began." in files["README.txt"]


def test_the_tips_of_the_nights_go_along_by_their_ids() -> None:
    files = packed(Held(PERSON, nights(), (), {}, {START: "light_dim"}))

    assert json.loads(files["profile.json"])["tips"] == {"2026-01-12": "light_dim"}


def test_nothing_is_withheld_by_the_seal() -> None:
    files = packed(Held(PERSON, nights(), [UNDER_WAY], {}))

    halves = {line.night: line for line in arrived(files["sealed.csv"])}
    whole = [
        diary_import.merged(line, halves[line.night], sealed_from=None, at=NOW) if line.night in halves else line
        for line in arrived(files["nights.csv"])
    ]
    assert tuple(whole) == nights()


def test_once_it_is_over_there_is_one_sheet_with_everything() -> None:
    files = packed(Held(PERSON, nights(), [finished()], {}))

    assert "sealed.csv" not in files
    assert arrived(files["nights.csv"]) == nights()
    assert PLAN.seed.hex() in files["experiment.json"]
