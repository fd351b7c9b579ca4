"""A blind test played to its end: what an evening with a bag is while the seal holds, and what it becomes when it breaks."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.clock import RealClock, SharedClock
from bot.core import diary_import
from bot.core import schedule as times
from bot.core.diary import Detail
from bot.core.diary_csv import Line
from bot.core.diary_import import Arrived
from bot.core.experiment import design
from bot.core.experiment.design import Arm, Plan
from bot.core.experiment.run import Experiment
from bot.core.model import Delivery, Intake, Night, NightRecord, Rating, Reason
from bot.jobs import finish_experiments
from bot.telegram.file_reader import FileReader
from bot.telegram.turn import AfterCommit, Later, Show
from db import experiments, imports, nights
from db.engine import Database
from tests.handlers.one_person import APPLICATION, Ann, buttons

# A Monday, in the afternoon; bedtime is 23:00 in Berlin, the reminder at 22:15.
NOON = datetime(2026, 1, 12, 14, 0, tzinfo=UTC)
MONDAY = date(2026, 1, 12)
LAST = 7 + 28


@pytest.fixture
async def ann(database: Database, monkeypatch: pytest.MonkeyPatch) -> Ann:
    monkeypatch.setattr(type(APPLICATION.bot), "username", "lull_bot")
    person = Ann(database, NOON)
    await person.moves_in()
    await person.types("/resume")
    return person


async def begin(ann: Ann, mode: str = "bags") -> Experiment:
    await ann.taps(f"exp_start:28:{mode}")
    await ann.taps("exp_word")
    async with ann.database.read() as db:
        found = await experiments.open_of(db, 7)
    assert found is not None
    return found


async def evening(ann: Ann, night: Night, data: str) -> None:
    """The evening's reminder reaches her, and she answers it."""
    ann.now = datetime(night.year, night.month, night.day, 21, 20, tzinfo=UTC)
    async with ann.database.write() as db:
        await experiments.reveal(db, 7, night, at=ann.now)
    await ann.taps(data)


async def morning(ann: Ann, night: Night, rating: Rating) -> None:
    ann.now += timedelta(hours=10)
    await ann.taps(f"rate:{night}:{rating.value}")
    async with ann.database.write() as db:
        await nights.close(db, [{"user_id": 7, "night": night, "reminder": Delivery.SENT}])


async def live(ann: Ann, plan: Plan, first: int, last: int) -> None:
    """These places of the plan: every bag taken but on one evening in seven, nights with magnesium better."""
    for place in range(first, last):
        night = design.night_at(plan, place)
        arm = design.arm_on(plan, night)
        if place < 7:
            await evening(ann, night, f"without:{night}")
        else:
            await evening(ann, night, f"skip:{night}" if place % 7 == 3 else f"taken:{night}")
        await morning(ann, night, Rating.BETTER if arm is Arm.ON else Rating.SAME)


async def end(ann: Ann, clock: SharedClock) -> None:
    """It is over; she has no guess."""
    clock.set(ann.now)
    await finish_experiments.Endings(ann.database, clock=clock).look()
    await ann.taps("exp_guessed")
    await finish_experiments.Endings(ann.database, clock=clock).look()


async def intakes(ann: Ann, plan: Plan) -> dict[Night, tuple[Intake | None, Reason | None]]:
    async with ann.database.read() as db:
        known = await nights.between(db, 7, plan.start, design.last_night(plan))
    return {record.night: (record.intake, record.reason) for record in known}


def facts(ann: Ann) -> dict[str, str]:
    shown = next(reply for reply in ann.replies if isinstance(reply, Show))
    return dict(json.loads(shown.drawing.values)["own"]["facts"])


async def exported(ann: Ann) -> dict[str, list[dict[str, str]]]:
    async def fetch(_file_id: str, _most: int) -> bytes | None:
        return None

    async def draw(_drawing: object) -> bytes | None:
        return None

    await ann.types("/export")
    (later,) = [reply for reply in ann.replies if isinstance(reply, Later)]
    (file,) = await later.work(AfterCommit(ann.database, fetch, draw, FileReader(clock=RealClock())))
    packed = zipfile.ZipFile(io.BytesIO(file.content))  # type: ignore[union-attr]
    sheets = [name for name in packed.namelist() if name.endswith(".csv")]
    return {name: list(csv.DictReader(io.StringIO(packed.read(name).decode("utf-8-sig")))) for name in sheets}


async def test_a_blind_test_played_to_its_end_is_told_as_it_was(ann: Ann, clock: SharedClock) -> None:
    await ann.taps("panel:stock")
    await ann.types("60")
    plan = (await begin(ann)).plan
    bag_nights = [design.night_at(plan, place) for place in range(7, LAST) if place % 7 != 3]
    on = {night for night in bag_nights if design.arm_on(plan, night) is Arm.ON}

    # While the seal holds.
    await live(ann, plan, 0, LAST - 1)
    during = [night for night in bag_nights if night != design.last_night(plan)]
    told = await intakes(ann, plan)
    assert {told[night] for night in during} == {(Intake.BAG, None)}
    assert {told[design.night_at(plan, place)] for place in range(7)} == {(Intake.SKIPPED, Reason.TEST)}
    await ann.types("/diary")
    assert f"Taken on 0 of {ann.now.day - 1} nights" in ann.page.text
    assert f"A bag on {sum(night.month == 2 for night in during)} more, sealed." in ann.page.text
    await ann.taps(f"night:{during[0]}")
    assert "Bag taken" in ann.page.text
    assert "Taken " not in ann.page.text
    await ann.types("/tonight")
    assert "60 evenings' worth left." in ann.page.text
    assert f"{len(during)} bags of your test are not counted yet" in ann.page.text
    await ann.taps("page:8:pdf")
    assert facts(ann)["Magnesium taken, as told"].startswith("0 of ")
    assert facts(ann)["Numbered bags, still sealed"] == str(len(during))
    sheets = await exported(ann)
    assert {line["intake"] for line in sheets["nights.csv"] if line["night"] >= str(plan.start)} == {""}
    assert sum(line["intake"] == "bag" for line in sheets["sealed.csv"]) == len(during)

    # And when it breaks.
    await live(ann, plan, LAST - 1, LAST)
    await end(ann, clock)
    told = await intakes(ann, plan)
    for night in bag_nights:
        assert told[night] == ((Intake.TAKEN, None) if night in on else (Intake.SKIPPED, Reason.TEST))
    async with ann.database.read() as db:
        ended = await experiments.last_ended(db, 7)
    assert ended is not None
    by_night = {record.night: record.taken for record in experiments.report_of(ended).nights}
    assert {night for night in bag_nights if by_night[night]} == on
    without = next(night for night in bag_nights if night not in on)
    await ann.taps(f"night:{without}")
    assert "Without, as your test said" in ann.page.text
    await ann.types("/tonight")
    assert f"{60 - len(on)} evenings' worth left" in ann.page.text
    assert "bag" not in ann.page.text
    await ann.taps("page:8:pdf")
    assert facts(ann)["Magnesium taken, as told"].startswith(f"{len(on)} of ")
    assert "Numbered bags, still sealed" not in facts(ann)
    sheets = await exported(ann)
    assert "sealed.csv" not in sheets
    assert {date.fromisoformat(line["night"]) for line in sheets["nights.csv"] if line["intake"] == "taken"} == on


async def test_the_nights_of_a_finished_test_stand_apart_in_the_counts(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann)).plan
    await live(ann, plan, 0, LAST)
    await end(ann, clock)
    after = design.last_night(plan) + timedelta(days=1)
    for night in (after, after + timedelta(days=1)):
        await evening(ann, night, f"taken:{night}")
        await morning(ann, night, Rating.BETTER)

    await ann.types("/insight")

    taken = sum(
        design.arm_on(plan, design.night_at(plan, place)) is Arm.ON for place in range(7, LAST) if place % 7 != 3
    )
    chosen, apart = ann.page.text.split("In your tests chance chose these nights")
    assert "Taken: 2 better of 2 rated nights" in chosen
    assert "Skipped: 0 better of 0 rated nights" in chosen
    assert f"Taken: {taken} better of {taken} rated nights" in apart
    assert f"of {28 - taken} rated nights" in apart
    assert "Before that: 7 rated nights without" in apart


@pytest.mark.parametrize("data", ["taken:{night}", "fix_in:{night}:taken", "/took"])
async def test_however_it_is_told_a_bag_stays_a_bag_until_the_end(ann: Ann, data: str) -> None:
    plan = (await begin(ann)).plan
    night = design.night_at(plan, 12)
    ann.now = datetime(night.year, night.month, night.day, 21, 20, tzinfo=UTC)
    said = data.format(night=night)
    await (ann.types(said) if said.startswith("/") else ann.taps(said))
    assert (await intakes(ann, plan))[night] == (Intake.BAG, None)

    if not said.startswith("/"):
        await ann.taps(said)  # once more changes nothing
        assert (await intakes(ann, plan))[night] == (Intake.BAG, None)
    ann.now += timedelta(hours=10)
    await ann.taps(f"took:{night}:0")
    assert (await intakes(ann, plan))[night] == (Intake.BAG, None)
    await ann.taps(f"fix_in:{night}:skipped")
    assert (await intakes(ann, plan))[night] == (Intake.SKIPPED, None)


async def test_the_mornings_answer_is_about_the_bag_too(ann: Ann) -> None:
    plan = (await begin(ann)).plan
    night = design.night_at(plan, 12)
    ann.now = datetime(night.year, night.month, night.day, 21, 20, tzinfo=UTC) + timedelta(hours=10)
    await ann.taps(f"took:{night}:1")
    assert (await intakes(ann, plan))[night] == (Intake.BAG, None)
    await ann.taps(f"rate:{night}:0")
    assert "Taken: the bag." in ann.page.text


async def test_evenings_that_have_no_bag_are_taken_as_ever(ann: Ann) -> None:
    plan = (await begin(ann)).plan
    for place in (3, 12):
        night = design.night_at(plan, place)
        ann.now = datetime(night.year, night.month, night.day, 14, 0, tzinfo=UTC)
        if place == 12:
            await ann.taps(f"exp_void:{night}:fever")
        await evening(ann, night, f"taken:{night}")
        assert (await intakes(ann, plan))[night] == (Intake.TAKEN, None), place


async def test_without_bags_what_was_taken_is_taken(ann: Ann) -> None:
    plan = (await begin(ann, "open")).plan
    night = design.night_at(plan, 12)
    await evening(ann, night, f"taken:{night}")
    assert (await intakes(ann, plan))[night] == (Intake.TAKEN, None)


async def test_a_bag_that_was_named_before_the_test_was_stopped_is_what_the_plan_says(
    ann: Ann, clock: SharedClock
) -> None:
    plan = (await begin(ann)).plan
    night = next(
        night for place in range(21, 35) if design.arm_on(plan, night := design.night_at(plan, place)) is Arm.OFF
    )
    await evening(ann, night, f"taken:{night}")
    await ann.taps("exp_stop:yes")
    await end(ann, clock)
    assert (await intakes(ann, plan))[night] == (Intake.SKIPPED, Reason.TEST)


async def test_a_new_pack_during_a_test_leaves_its_bags_to_be_counted(ann: Ann, clock: SharedClock) -> None:
    await ann.taps("panel:stock")
    await ann.types("40")
    await ann.taps("pack:30")
    plan = (await begin(ann)).plan
    await live(ann, plan, 0, 20)
    await ann.taps("refill")
    assert "70 evenings' worth left." in ann.page.text
    await live(ann, plan, 20, LAST)
    await end(ann, clock)

    taken = sum(intake is Intake.TAKEN for intake, _ in (await intakes(ann, plan)).values())
    await ann.types("/tonight")
    assert f"{70 - taken} evenings' worth left" in ann.page.text


@pytest.mark.parametrize("said", [Intake.TAKEN, Intake.BAG])
async def test_a_file_does_not_tell_a_bag_before_the_seal_breaks_and_tells_it_right_afterwards(
    ann: Ann, clock: SharedClock, said: Intake
) -> None:
    plan = (await begin(ann)).plan
    every = [design.night_at(plan, place) for place in range(LAST)]
    ann.now = times.plan((await ann.person()).schedule, every[-1]).bed_at + timedelta(hours=9)  # type: ignore[arg-type]
    early, late = every[7:21], every[21:]

    async def bring(wanted: list[Night]) -> None:
        lines = tuple(Line(NightRecord(night, intake=said, intake_at=NOON), Detail(night)) for night in wanted)
        await imports.keep(ann.database, 7, Arrived(lines), now=ann.now)
        assert await imports.take(ann.database, 7, now=ann.now) == len(wanted)

    await bring(early)
    assert {(await intakes(ann, plan))[night] for night in early} == {(Intake.BAG, None)}
    ann.now += timedelta(days=1)
    await end(ann, clock)
    await bring(late)
    for night, told in (await intakes(ann, plan)).items():
        if night >= every[7]:
            on = design.arm_on(plan, night) is Arm.ON
            assert told == ((Intake.TAKEN, None) if on else (Intake.SKIPPED, Reason.TEST)), night


def test_a_sheet_with_a_bag_of_another_installation_is_read_and_stays_a_bag() -> None:
    arrived = diary_import.read(b"night,intake\r\n2026-01-20,bag\r\n", zone="Europe/Berlin", last=date(2026, 1, 22))
    assert isinstance(arrived, Arrived)
    assert arrived.lines[0].record.intake is Intake.BAG


async def test_a_bag_that_was_taken_can_be_taken_back(ann: Ann) -> None:
    plan = (await begin(ann)).plan
    night = design.night_at(plan, 12)
    await evening(ann, night, f"taken:{night}")
    assert "✓ Bag taken" in ann.page.text
    await ann.taps(buttons(ann.page)["Undo"])
    assert (await intakes(ann, plan))[night] == (None, None)
