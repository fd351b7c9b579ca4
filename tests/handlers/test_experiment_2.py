"""Tests of the second version as they are lived: the word, the looks, early ends, weeks, the guess, the labels of bags."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle

import pytest
import sqlalchemy as sa

from bot.clock import RealClock, SharedClock
from bot.core.experiment import design, report, run
from bot.core.experiment.counts import Label
from bot.core.experiment.design import Arm, Design, Plan
from bot.core.experiment.report import Report
from bot.core.experiment.run import Assignment, Experiment, Tonight
from bot.core.experiment.seed import code_of, fingerprint, seed_of
from bot.core.experiment.verdict import End
from bot.core.experiment.version1.earlier_report import EarlierReport
from bot.core.model import Delivery, Intake, Kind, Rating, Reason
from bot.jobs import finish_experiments
from bot.telegram.file_reader import FileReader
from bot.telegram.turn import AfterCommit, Edit, Later, Say, Show
from db import experiments, nights, tables, users
from db.engine import Database
from tests.handlers.one_person import APPLICATION, Ann, buttons

# A Monday, in the afternoon; bedtime is 23:00 in Berlin, the reminder at 22:15.
NOON = datetime(2026, 1, 12, 14, 0, tzinfo=UTC)
MONDAY = date(2026, 1, 12)
WORD = "moon"


@pytest.fixture
async def ann(database: Database, monkeypatch: pytest.MonkeyPatch) -> Ann:
    monkeypatch.setattr(type(APPLICATION.bot), "username", "lull_bot")
    person = Ann(database, NOON)
    await person.moves_in()
    await person.types("/resume")
    return person


async def begin(ann: Ann, asked: str = "56:open", word: str = WORD) -> Experiment:
    await ann.taps(f"exp_start:{asked}")
    await ann.types(word)
    return await one(ann)


async def one(ann: Ann) -> Experiment:
    async with ann.database.read() as db:
        found = await experiments.open_of(db, 7)
    assert found is not None
    return found


async def under_way(ann: Ann) -> bool:
    async with ann.database.read() as db:
        return await experiments.open_of(db, 7) is not None


async def told(ann: Ann) -> report.Told:
    async with ann.database.read() as db:
        found = await experiments.told(db, 7)
    assert found is not None
    return found


async def look(ann: Ann, clock: SharedClock) -> None:
    clock.set(ann.now)
    await finish_experiments.Endings(ann.database, clock=clock).look()


async def owed(ann: Ann) -> list[Kind]:
    async with ann.database.read() as db:
        return list(
            await db.scalars(sa.select(tables.outbox.c.kind).where(tables.outbox.c.kind.in_(["guess", "result"])))
        )


async def live(
    ann: Ann, plan: Plan, first: int, last: int, sleeps: Callable[[bool], Rating], *, skips: Reason | None = None
) -> None:
    """These places of the plan, each told in its evening and in the morning after."""
    async with ann.database.write() as db:
        for place in range(first, last):
            night = design.night_at(plan, place)
            arm = design.arm_on(plan, night)
            evening = datetime(night.year, night.month, night.day, 21, 20, tzinfo=UTC)
            await experiments.reveal(db, 7, night, at=evening)
            taken = (await experiments.assignment(db, 7, night) or Assignment(Tonight.FREE)).tonight
            intake = {Tonight.WITH: Intake.TAKEN, Tonight.BAG: Intake.BAG}.get(taken, Intake.SKIPPED)
            reason = Reason.TEST if intake is Intake.SKIPPED else None
            if skips is not None and arm is Arm.ON and place % 7 == 3:
                intake, reason = Intake.SKIPPED, skips
            await nights.record_intake(db, 7, night, intake, at=evening, reason=reason)
            rating = sleeps(arm is Arm.ON) if isinstance(arm, Arm) else Rating.SAME
            await nights.record_rating(db, 7, night, rating, at=evening + timedelta(hours=10))
            await nights.close(db, [{"user_id": 7, "night": night, "reminder": Delivery.SENT}])
            ann.now = evening + timedelta(hours=10)


def helped(on: bool) -> Rating:
    return Rating.BETTER if on else Rating.WORSE


def alike(_on: bool) -> Rating:
    return Rating.SAME


# -- the word ----------------------------------------------------------------------------------------------------------


async def test_the_bots_half_is_shown_before_the_word_and_stays_the_same_until_one_is_given(ann: Ann) -> None:
    await ann.taps("exp_start:28:open")
    first = ann.page.text
    await ann.taps("exp_start:84:bags")
    assert next(line for line in first.splitlines() if line.startswith("<code>")) in ann.page.text
    await ann.types("/export")
    (later,) = [reply for reply in ann.replies if isinstance(reply, Later)]
    (file,) = await later.work(_backstage(ann))
    packed = zipfile.ZipFile(io.BytesIO(file.content))  # type: ignore[union-attr]
    await ann.types(WORD)

    found = await one(ann)
    assert found.halves is not None
    assert fingerprint(found.halves.bots_seed) in first
    assert (found.plan.length, found.blind) == (84, True)
    assert found.plan.seed == seed_of(found.halves.bots_seed, WORD)
    everything = "".join(packed.read(name).decode("utf-8", "replace") for name in packed.namelist())
    assert found.halves.bots_seed.hex() not in everything


async def _nothing(*_args: object) -> None:
    return None


def _backstage(ann: Ann) -> AfterCommit:
    return AfterCommit(ann.database, _nothing, _nothing, FileReader(clock=RealClock()))


@pytest.mark.parametrize("typed", ["x" * 61, "y" * 150])
async def test_a_word_that_is_too_long_begins_nothing_and_the_next_one_does(ann: Ann, typed: str) -> None:
    await ann.taps("exp_start:28:open")
    await ann.types(typed)
    assert "up to 60 characters" in ann.page.text
    assert not await under_way(ann)
    await ann.types("z" * 60)
    assert (await one(ann)).halves is not None


async def test_a_word_is_shown_as_it_was_typed_and_never_as_a_tag(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann, "28:open", word="<b>moon</b>  &  sun")).plan
    await live(ann, plan, 0, 35, helped)
    await look(ann, clock)
    await ann.taps("exp_details")
    assert "Your word: &lt;b&gt;moon&lt;/b&gt;" in ann.page.text


async def test_skip_draws_the_word_too_and_says_so(ann: Ann, clock: SharedClock) -> None:
    await ann.taps("exp_start:28:open")
    await ann.taps(buttons(ann.page)["Skip"])
    plan = (await one(ann)).plan
    await live(ann, plan, 0, 35, helped)
    await look(ann, clock)
    await ann.taps("exp_details")
    assert "The word, drawn by me: " in ann.page.text


async def test_a_word_without_a_question_begins_nothing(ann: Ann) -> None:
    await ann.types(WORD)
    await ann.taps("exp_word")
    assert "out of date" in ann.answer
    assert not await under_way(ann)


# -- what to expect ----------------------------------------------------------------------------------------------------


async def test_who_has_a_diary_is_told_what_somebody_like_them_would_get(ann: Ann) -> None:
    await ann.taps("exp_len:56")
    assert "who answer as you do" not in ann.page.text
    async with ann.database.write() as db:
        for days in range(1, 20):
            night = MONDAY - timedelta(days=days)
            await nights.close(db, [{"user_id": 7, "night": night, "reminder": Delivery.SENT}])
            await nights.record_rating(db, 7, night, Rating(days % 5 - 2), at=NOON)
    await ann.taps("exp_len:56:nightly")

    (later,) = [reply for reply in ann.replies if isinstance(reply, Later)]
    (edit,) = await later.work(_backstage(ann))  # type: ignore[arg-type]
    assert isinstance(edit, Edit)
    assert "Of 100 people who answer as you do, if it helps a lot: " in edit.view.text
    assert "Most tests end without a clear answer." in edit.view.text


async def test_the_two_questions_are_told_apart(ann: Ann) -> None:
    await ann.taps("exp_gate:no")
    assert "does tonight's magnesium change tonight's sleep?" in ann.page.text
    assert "All trials with any benefit ran for weeks." in ann.page.text
    await ann.taps(buttons(ann.page)["Weeks"])
    assert "12 weeks of which chance decides six" in ann.page.text
    assert "if it helps a lot (62 of 100 pairs of nights won): 34" in ann.page.text


# -- looks -------------------------------------------------------------------------------------------------------------


async def test_a_clear_test_is_ended_at_the_first_look_and_one_that_is_not_goes_on(
    ann: Ann, clock: SharedClock
) -> None:
    plan = (await begin(ann, "56:open")).plan
    await live(ann, plan, 0, 7 + 27, helped)
    await look(ann, clock)
    assert (await one(ann)).looks == 0

    await live(ann, plan, 7 + 27, 7 + 28, helped)
    await look(ann, clock)

    assert not await under_way(ann)
    found = (await told(ann)).report
    assert isinstance(found, Report)
    assert (found.verdict.label, found.verdict.end, found.verdict.fortnights) == (Label.CLEAR_HELP, End.CLEAR, 2)
    assert await owed(ann) == [Kind.RESULT]
    await ann.types("/experiment")
    assert "On nights with magnesium you slept better: in " in ann.page.text
    assert (
        "Luck alone does this in fewer than 1 of 1000 such tests. Expecting it to help is part of it." in ann.page.text
    )
    assert "Early ends look larger than they are." in ann.page.text
    assert ann.page.text.endswith("what builds up over several nights it can miss.")
    assert set(buttons(ann.page)) == {"Details", "Picture", "A new test"}


async def test_a_hopeless_test_is_let_go_at_the_third_fortnight(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann, "84:open")).plan
    await live(ann, plan, 0, 7 + 28, alike)
    await look(ann, clock)
    assert (await one(ann)).looks == 2
    await live(ann, plan, 7 + 28, 7 + 42, alike)
    await look(ann, clock)

    found = (await told(ann)).report
    assert isinstance(found, Report)
    assert (found.verdict.label, found.verdict.end, found.verdict.fortnights) == (Label.CANT_TELL, End.HOPELESS, 3)
    await ann.types("/experiment")
    assert "Can't tell: between " in ann.page.text
    assert "no effect" not in ann.page.text


async def test_an_answer_that_is_changed_after_a_look_does_not_change_what_it_saw(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann, "56:open")).plan
    await live(ann, plan, 0, 7 + 28, alike)
    await look(ann, clock)
    last = design.night_at(plan, 7 + 27)
    await ann.taps(f"rate:{last}:2")

    async with ann.database.read() as db:
        lived = await experiments.lived(db, await one(ann), until=last)
    assert lived[-1].in_time is Rating.SAME


async def test_a_pause_moves_the_look_too(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann, "56:open")).plan
    await live(ann, plan, 0, 7 + 20, helped)
    await ann.taps("exp_rest:2")
    ann.now += timedelta(days=8)  # the look would have been here
    await look(ann, clock)
    assert (await one(ann)).looks == 0


async def test_who_stops_early_gets_a_hint_at_most(ann: Ann, clock: SharedClock) -> None:
    halves = run.Halves(bytes(32), WORD, drawn=False)  # p hangs on the plan
    plan = Plan(MONDAY, 84, halves.seed)
    async with ann.database.write() as db:
        assert await experiments.begin(db, 7, plan, halves, blind=False, bags_code=None, now=NOON) is not None
    ratings = {True: cycle([Rating.BETTER, Rating.SAME]), False: cycle([Rating.SAME, Rating.WORSE, Rating.BETTER])}
    await live(ann, plan, 0, 7 + 28, lambda on: next(ratings[on]))
    await look(ann, clock)
    assert (await one(ann)).looks == 2
    await ann.taps("exp_stop:yes")
    await look(ann, clock)

    found = (await told(ann)).report
    assert isinstance(found, Report)
    assert found.verdict.p is not None
    assert found.verdict.p < 0.05  # which at a planned end of 28 nights were clear
    assert (found.verdict.end, found.verdict.label) == (End.STOPPED, Label.LEANS_HELP)
    await ann.types("/experiment")
    assert "A hint, no more: the night with magnesium was better in " in ann.page.text
    assert "2 of 6 fortnights count, and a hint is the most they can give." in ann.page.text


async def test_before_the_second_fortnight_a_stop_has_no_verdict(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann, "84:open")).plan
    await live(ann, plan, 0, 7 + 20, helped)
    await ann.taps("exp_stop:yes")
    await look(ann, clock)
    await ann.types("/experiment")
    assert "No verdict: the test was stopped before its second fortnight was over." in ann.page.text
    assert "Picture" not in buttons(ann.page)


# -- weeks -------------------------------------------------------------------------------------------------------------


async def test_a_weekly_test_runs_its_twelve_weeks_and_says_its_own_limits(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann, "84:open:weekly")).plan
    assert plan.design is Design.WEEKLY
    async with ann.database.read() as db:
        shown = [await experiments.assignment(db, 7, design.night_at(plan, 7 + night)) for night in range(84)]
    for week in range(12):
        assert len({one_ and one_.tonight for one_ in shown[7 * week : 7 * week + 7]}) == 1
    await live(ann, plan, 0, 7 + 84, helped)
    await look(ann, clock)

    found = (await told(ann)).report
    assert isinstance(found, Report)
    assert (found.verdict.end, found.verdict.label) == (End.PLANNED, Label.CLEAR_HELP)
    await ann.types("/experiment")
    assert "In weeks with magnesium you slept better" in ann.page.text
    assert "It compares weeks" in ann.page.text


@pytest.mark.parametrize("data", ["exp_len:56:weekly", "exp_start:28:open:weekly", "exp_start:84:open:moons"])
async def test_a_forged_question_begins_nothing(ann: Ann, data: str) -> None:
    await ann.taps(data)
    assert "out of date" in ann.answer


# -- the guess ---------------------------------------------------------------------------------------------------------


async def test_a_blind_test_asks_for_a_guess_before_its_seal_breaks(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann, "28:bags")).plan
    await live(ann, plan, 0, 35, helped, skips=Reason.STOMACH)
    await look(ann, clock)
    assert await owed(ann) == [Kind.GUESS]
    assert await under_way(ann)
    after = design.last_night(plan) + timedelta(days=1)
    async with ann.database.read() as db:
        assert await experiments.assignment(db, 7, after) is None
    await look(ann, clock)
    assert await owed(ann) == [Kind.GUESS]

    await ann.types("/experiment")
    await ann.taps(buttons(ann.page)["I'll guess"])
    assert list(buttons(ann.page)) == ["1: ?", "2: ?", "3: ?", "4: ?", "Done"]
    for week in (1, 1, 2, 3, 3, 3, 4):  # look-alike, magnesium, nothing again, magnesium
        await ann.taps(f"exp_week:{week}")
    assert list(buttons(ann.page)) == ["1: look-alike", "2: magnesium", "3: ?", "4: magnesium", "Done"]
    await ann.taps("exp_week:5")
    assert "out of date" in ann.answer
    await ann.taps("exp_guessed:yes")
    await look(ann, clock)

    found = (await told(ann)).report
    assert isinstance(found, Report)
    guesses = [record.guess for record in found.nights if record.arm is not None]
    assert guesses == [*[Arm.OFF] * 7, *[Arm.ON] * 7, *[None] * 7, *[Arm.ON] * 7]
    assert found.verdict.blinding is not None
    assert found.verdict.stomach.on > found.verdict.stomach.off
    await ann.types("/experiment")
    assert f"You guessed right on {found.verdict.blinding.right} of 21 nights: the bags" in ann.page.text
    assert "An upset stomach: on " in ann.page.text
    assert "Expecting" not in ann.page.text
    await ann.taps("exp_guess")
    assert "out of date" in ann.answer


async def test_without_a_guess_the_seal_breaks_three_days_later(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann, "28:bags")).plan
    await live(ann, plan, 0, 35, helped)
    await look(ann, clock)
    await ann.types("/pause 9")
    ann.now += timedelta(days=2)
    await look(ann, clock)
    assert await under_way(ann)
    ann.now += timedelta(days=1, minutes=1)
    await look(ann, clock)
    found = (await told(ann)).report
    assert isinstance(found, Report)
    assert (found.verdict.blinding, found.plan.shifts) == (None, ())
    assert found.verdict.label is Label.CLEAR_HELP


async def test_right_after_the_seal_broke_every_page_tells_what_the_bags_held(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann, "28:bags")).plan
    await live(ann, plan, 0, 35, helped)
    await look(ann, clock)
    await ann.taps("exp_guessed")
    await look(ann, clock)

    await ann.types("/insight")
    assert "In your tests chance chose these nights" in ann.page.text
    await ann.taps("page:8:pdf")
    shown = next(reply for reply in ann.replies if isinstance(reply, Show))
    assert dict(json.loads(shown.drawing.values)["own"]["facts"])["Magnesium taken, as told"].startswith("14 of ")
    await ann.taps("exp_pic")
    drawn = next(reply for reply in ann.replies if isinstance(reply, Show))
    assert drawn.drawing.name == "pairs"
    await ann.types("/export")
    (later,) = [reply for reply in ann.replies if isinstance(reply, Later)]
    (file,) = await later.work(_backstage(ann))
    packed = zipfile.ZipFile(io.BytesIO(file.content))  # type: ignore[union-attr]
    lines = list(csv.DictReader(io.StringIO(packed.read("nights.csv").decode("utf-8-sig"))))
    assert sum(line["intake"] == "taken" for line in lines) == 14
    assert not any(line["intake"] == "bag" for line in lines)
    (test,) = json.loads(packed.read("experiment.json"))["tests"]
    assert (test["version"], test["word"]) == (2, WORD)
    assert report.checked(test).holds


# -- all tests together ------------------------------------------------------------------------------------------------


async def test_a_second_test_is_told_with_the_first(ann: Ann, clock: SharedClock) -> None:
    plan = (await begin(ann, "28:open")).plan
    await live(ann, plan, 0, 7 + 14, helped)
    await ann.taps("exp_stop:yes")
    await look(ann, clock)
    await ann.types("/experiment")
    assert "All your tests together" not in ann.page.text
    ann.now += timedelta(days=1)
    async with ann.database.write() as db:
        person = await ann.person()
        tomorrow = ann.now.date() + timedelta(days=1)
        await users.save(db, person, replace(person, remind_night=tomorrow))
    again = (await begin(ann, "28:open")).plan
    await live(ann, again, 0, 35, helped)
    await look(ann, clock)

    both = await told(ann)
    assert both.together.tests == 2
    await ann.types("/experiment")
    assert "All your tests together, for help: luck alone would do this in at most 1 of " in ann.page.text


# -- a test of the first version ---------------------------------------------------------------------------------------


async def test_a_running_test_of_the_first_version_ends_as_it_began(ann: Ann, clock: SharedClock) -> None:
    plan = Plan(MONDAY, 28, bytes(range(32)))
    async with ann.database.write() as db:
        values = {"user_id": 7, "start": plan.start, "length": 28, "seed": plan.seed, "blind": True, "begun_at": NOON}
        await db.execute(tables.experiments.insert().values(**values, look_at=NOON + timedelta(days=33)))
    await live(ann, plan, 0, 7 + 28, helped)
    await ann.taps("exp_stop")
    assert "hint" not in ann.page.text  # what it was begun with could be clear at a stop, too
    await look(ann, clock)

    assert await owed(ann) == [Kind.RESULT]
    found = (await told(ann)).report
    assert isinstance(found, EarlierReport)
    await ann.types("/experiment")
    assert "On the nights you were assigned magnesium you slept better: 14 better nights of 14" in ann.page.text
    assert plan.seed.hex() in ann.page.text
    await ann.taps("exp_pic")
    assert next(reply for reply in ann.replies if isinstance(reply, Show)).drawing.name == "interval"


# -- the helper, and the labels ----------------------------------------------------------------------------------------


async def test_the_helpers_second_tap_is_told_once_and_a_forged_one_is_not(ann: Ann) -> None:
    found = await begin(ann, "28:bags")
    await ann.types("/experiment")
    assert "has not opened the list of bags yet" in ann.page.text
    code = code_of(found.plan.seed, "packed")
    await ann.taps(f"exp_packed:{found.id}:{code}")
    assert "out of date" in ann.answer  # it is the helper's, not hers
    assert not (await one(ann)).packed
    helper = Ann(ann.database, ann.now, user_id=8)
    await helper.taps(f"exp_packed:{found.id}:aaaaaaaa")
    assert not (await one(ann)).packed
    await helper.taps(f"exp_packed:{found.id}:{code}")
    assert (await one(ann)).packed
    assert [reply.chat_id for reply in helper.replies if isinstance(reply, Say)] == [7]
    await helper.taps(f"exp_packed:{found.id}:{code}")
    assert not [reply for reply in helper.replies if isinstance(reply, Say)]
    async with ann.database.read() as db:
        assert await users.find(db, 8) is None


def label(found: Experiment, number: int) -> str:
    return f"/start bag_{number}_{code_of(found.plan.seed, f'bag/{number}')}"


async def test_a_label_notes_tonights_bag_once_and_nothing_else(ann: Ann) -> None:
    found = await begin(ann, "28:bags")
    night = design.night_at(found.plan, 12)
    number = design.bag_on(found.plan, night)
    assert number is not None
    other = number % 28 + 1

    async def intake() -> Intake | None:
        async with ann.database.read() as db:
            return (await nights.find(db, 7, night)).intake

    ann.now = datetime(night.year, night.month, night.day, 12, 0, tzinfo=UTC)
    await ann.types(label(found, number))
    assert "no bag for tonight" in ann.page.text
    ann.now = datetime(night.year, night.month, night.day, 21, 20, tzinfo=UTC)
    for said in (f"/start bag_{number}_aaaaaaaa", "/start bag_", "/start bag_99_zzzzzzzz", f"/start bag_{number}"):
        await ann.types(said)
        assert "not of a test of yours" in ann.page.text
        assert await intake() is None
    await ann.types(label(found, other))
    assert f"Tonight is bag {number}, not this one." in ann.page.text
    assert await intake() is None

    await ann.types(label(found, number))
    assert await intake() is Intake.BAG
    await ann.types(label(found, number))
    assert "answered already" in ann.page.text

    stranger = Ann(ann.database, ann.now, user_id=8)
    await stranger.types(label(found, number))
    assert "not of a test of yours" in stranger.page.text
    async with ann.database.read() as db:
        assert await users.find(db, 8) is None


async def test_the_sheet_has_a_label_for_every_bag_and_each_is_read_as_its_own(ann: Ann) -> None:
    found = await begin(ann, "28:bags")
    await ann.types("/experiment")
    await ann.taps(buttons(ann.page)["Labels to print"])
    shown = next(reply for reply in ann.replies if isinstance(reply, Show))
    labels = json.loads(shown.drawing.values)["labels"]
    assert [held for _, _, held in labels] == [
        f"https://t.me/lull_bot?start={label(found, number).removeprefix('/start ')}" for number in range(1, 29)
    ]


async def test_an_open_test_has_no_labels(ann: Ann) -> None:
    await begin(ann, "28:open")
    await ann.types("/experiment")
    assert "Labels to print" not in buttons(ann.page)
    await ann.taps("exp_sheet")
    assert "out of date" in ann.answer


def test_the_codes_of_a_tests_labels_are_all_different() -> None:
    codes = {code_of(bytes(32), f"bag/{number}") for number in range(1, 85)}
    assert len(codes) == 84
    assert all(len(code) == 8 for code in codes)


def test_the_next_look_of_the_first_version_is_its_end() -> None:
    first = Experiment(1, 7, Plan(MONDAY, 84, bytes(32)), blind=False, begun_at=NOON)
    assert (run.next_look(first), run.looks(first)) == (6, (6,))
