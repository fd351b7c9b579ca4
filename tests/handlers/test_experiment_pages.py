"""/experiment on the real database: the gates, the seal, nights left out, pauses by whole weeks, the helper's bags."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from telegram import Update

from bot.clock import SharedClock
from bot.core import schedule as times
from bot.core.experiment import design, run
from bot.core.experiment import report as experiment_report
from bot.core.experiment.design import Arm, Plan
from bot.core.experiment.run import Assignment, Experiment, Tonight
from bot.core.experiment.seed import fingerprint, seed_of
from bot.core.model import Delivery, Kind, Night, Rating, State, Status
from bot.core.planning import Message
from bot.handlers import experiment as handlers
from bot.jobs import finish_experiments
from bot.telegram.turn import Reply, Say, Turn
from bot.texts import language
from bot.views import verdict
from db import experiments, nights, tables, users
from db.engine import Database
from db.outbox import rows as outbox
from tests.handlers.one_person import APPLICATION, DESK, Ann, buttons

# A Monday, in the afternoon; bedtime is 23:00 in Berlin, the reminder at 22:15.
NOON = datetime(2026, 1, 12, 14, 0, tzinfo=UTC)
MONDAY = date(2026, 1, 12)


@pytest.fixture
async def ann(database: Database) -> Ann:
    person = Ann(database, NOON)
    await person.moves_in()
    await person.types("/resume")
    return person


async def one(ann: Ann) -> Experiment:
    async with ann.database.read() as db:
        found = await experiments.open_of(db, 7)
    assert found is not None
    return found


async def begin(ann: Ann, mode: str = "open") -> Experiment:
    await ann.taps(f"exp_start:28:{mode}")
    await ann.taps("exp_word")
    return await one(ann)


async def remind(ann: Ann, night: Night, *, sent: bool = True) -> None:
    """The reminder of that night is owed, and perhaps sent."""
    schedule = (await ann.person()).schedule
    assert schedule is not None
    due = times.plan(schedule, night)
    at, bed = due.remind_at, due.bed_at
    row = Message(7, Kind.REMINDER, night, due_at=at, until_at=bed, bed_at=bed, close_at=bed)
    async with ann.database.write() as db:
        await outbox.owe(db, [row])
        await users.save(db, await ann.person(), replace(await ann.person(), reminded_night=night, reminded_at=at))
        if sent:
            await db.execute(tables.outbox.update().values(state=State.SENT, copies=1, message_id=5, sent_at=at))


# -- the way in --------------------------------------------------------------------------------------------------------


async def test_who_answers_yes_at_the_gate_is_sent_to_a_clinician(ann: Ann) -> None:
    await ann.types("/experiment")
    await ann.taps(buttons(ann.page)["Go on"])
    asked = (
        "kidney",
        "heart",
        "myasthenia",
        "bowel",
        "pregnant",
        "breastfeeding",
        "under 18",
        "prescribed",
        "medicine",
    )
    for reason in (*asked, "migraine", "constipation", "cramps", "heartburn"):
        assert reason in ann.page.text
    await ann.taps(buttons(ann.page)["Yes"])
    assert "ask your clinician" in ann.page.text
    assert ann.page.keyboard is None


async def test_the_power_is_told_before_the_start_and_the_fingerprint_before_night_1(ann: Ann) -> None:
    await ann.types("/experiment")
    for label in ("Go on", "No, none of it", "Tonight's effect"):
        await ann.taps(buttons(ann.page)[label])
    assert "if it helps a lot (62 of 100 pairs of nights won): 26 · 49 · 65" in ann.page.text
    assert "if it helps as in the best trial (55 of 100): 9 · 15 · 19" in ann.page.text
    assert "Most tests end without a clear answer." in ann.page.text
    await ann.taps(buttons(ann.page)["28 nights"])
    assert next(iter(buttons(ann.page))) == "With numbered bags"
    await ann.taps(buttons(ann.page)["Open: I know each night"])
    first = ann.page.text
    await ann.types("  Mondschein ")
    begun = await one(ann)
    assert begun.plan.start == MONDAY
    assert begun.halves is not None
    assert (begun.halves.word, begun.halves.drawn) == ("Mondschein", False)
    assert fingerprint(begun.halves.bots_seed) in first
    assert begun.plan.seed == seed_of(begun.halves.bots_seed, "Mondschein")
    assert fingerprint(begun.plan.seed) in ann.page.text
    for secret in (begun.plan.seed, begun.halves.bots_seed):
        assert secret.hex() not in first + ann.page.text


async def test_a_second_start_changes_nothing(ann: Ann) -> None:
    first = await begin(ann)
    await ann.taps("exp_start:84:open")
    assert (await one(ann)).plan == first.plan
    assert "Run-in night" in ann.page.text
    await ann.taps("exp_word")
    assert "out of date" in ann.answer


@pytest.mark.parametrize("way", ["/experiment", "exp_again", "exp_gates", "exp_start:28:open", "exp_start:56:bags"])
async def test_who_takes_no_supplement_has_nothing_to_leave_out(ann: Ann, way: str) -> None:
    async with ann.database.write() as db:
        person = await ann.person()
        await users.save(db, person, replace(person, form="food_only"))
    await (ann.types(way) if way.startswith("/") else ann.taps(way))

    assert "you take none" in ann.page.text
    assert ann.page.keyboard is None
    async with ann.database.read() as db:
        assert await experiments.open_of(db, 7) is None


@pytest.mark.parametrize("data", ["exp_start:27:open", "exp_start:28:closed", "exp_len:1", "exp_start", "exp_bags:9"])
async def test_a_forged_start_starts_nothing(ann: Ann, data: str) -> None:
    await ann.taps(data)
    assert "out of date" in ann.answer
    async with ann.database.read() as db:
        assert await experiments.open_of(db, 7) is None


async def test_nothing_begins_while_no_reminder_is_planned(ann: Ann) -> None:
    await ann.types("/stop")
    await ann.taps("exp_start:28:open")
    assert "/resume first" in ann.page.text


# -- the seal ----------------------------------------------------------------------------------------------------------


async def test_progress_counts_mornings_and_never_by_arm(ann: Ann) -> None:
    plan = (await begin(ann)).plan
    async with ann.database.write() as db:
        for place in range(20):
            night = design.night_at(plan, place)
            on = design.arm_on(plan, night) is Arm.ON
            await nights.close(db, [{"user_id": 7, "night": night, "reminder": Delivery.SENT}])
            if place != 4:
                await nights.record_rating(db, 7, night, Rating.BETTER if on else Rating.WORSE, at=NOON)
    ann.now = NOON + timedelta(days=20)
    await ann.types("/experiment")
    assert "Night 14 of 28" in ann.page.text
    assert "Mornings answered: 19 of 20" in ann.page.text
    assert "Sealed until Monday 16 February" in ann.page.text
    for word in ("better", "worse", "with", "seed"):
        assert word not in ann.page.text.lower()


async def test_a_late_correction_does_not_replace_the_answer_given_in_time(ann: Ann) -> None:
    await begin(ann)
    async with ann.database.write() as db:
        await nights.record_rating(db, 7, MONDAY, Rating.BETTER, at=NOON)
        await nights.record_rating(db, 7, MONDAY, Rating.MUCH_WORSE, at=NOON, late=True)
        await nights.record_rating(db, 7, MONDAY, None, at=NOON, late=True)
        (lived,) = await experiments.lived(db, await one(ann), until=MONDAY)
    assert lived.in_time is Rating.BETTER
    (record,) = run.records(await one(ann), [lived])
    assert (record.rating, record.late) == (Rating.BETTER, False)


async def test_a_first_answer_that_is_late_stays_late(ann: Ann) -> None:
    await begin(ann)
    async with ann.database.write() as db:
        await nights.record_rating(db, 7, MONDAY, Rating.MUCH_BETTER, at=NOON, late=True)
        (lived,) = await experiments.lived(db, await one(ann), until=MONDAY)
    (record,) = run.records(await one(ann), [lived])
    assert record.late


async def test_what_would_sway_the_test_is_no_tip_while_it_runs(ann: Ann) -> None:
    held = {DESK.content.topics[topic] for topic in DESK.content.held_back}

    async def topics() -> set[str]:
        await ann.types("/tips")
        seen = set()
        for _ in range(len(DESK.content.tips)):
            seen.add(ann.page.text.split("\n")[0].removeprefix("<b>").removesuffix("</b>"))
            await ann.taps(buttons(ann.page)["Another"])
        return seen

    assert held < await topics()
    await begin(ann)
    assert not held & await topics()


# -- nights left out ---------------------------------------------------------------------------------------------------


async def test_a_night_can_be_left_out_before_its_reminder(ann: Ann) -> None:
    await begin(ann)
    await remind(ann, MONDAY, sent=False)
    await ann.types("/experiment")
    await ann.taps(buttons(ann.page)["Leave tonight out"])
    await ann.taps(buttons(ann.page)["Fever"])
    assert "Monday 12 January does not count" in ann.page.text
    async with ann.database.read() as db:
        assert await experiments.assignment(db, 7, MONDAY) == Assignment(Tonight.FREE)


async def test_a_night_whose_arm_was_shown_stays_in(ann: Ann) -> None:
    await begin(ann)
    await remind(ann, MONDAY)
    ann.now = NOON + timedelta(hours=7, minutes=30)
    await ann.taps(f"exp_void:{MONDAY}:fever")
    assert "stays in" in ann.answer
    async with ann.database.read() as db:
        assert not await experiments.is_left_out(db, 7, MONDAY)


@pytest.mark.parametrize("data", [f"exp_void:{MONDAY}:mood", "exp_void:2026-01-20:fever", "exp_void:x:fever"])
async def test_no_other_reason_and_no_other_night_is_left_out(ann: Ann, data: str) -> None:
    await begin(ann)
    await ann.taps(data)
    assert ann.answer
    async with ann.database.read() as db:
        assert not await experiments.is_left_out(db, 7, MONDAY)
        assert not await experiments.is_left_out(db, 7, date(2026, 1, 20))


# -- pauses ------------------------------------------------------------------------------------------------------------


async def test_a_pause_of_the_test_moves_it_by_whole_weeks(ann: Ann) -> None:
    plan = (await begin(ann)).plan
    await ann.taps("exp_rest:2")
    assert "goes on on Monday 26 January" in ann.page.text
    moved = (await one(ann)).plan
    assert design.last_night(moved) == design.last_night(plan) + timedelta(weeks=2)
    assert design.arm_on(moved, MONDAY) is None


async def test_a_pause_of_everything_moves_it_by_whole_weeks_too(ann: Ann) -> None:
    plan = (await begin(ann)).plan
    await ann.types("/pause 9")
    moved = (await one(ann)).plan
    assert design.last_night(moved) == design.last_night(plan) + timedelta(weeks=2)


@pytest.mark.parametrize("command", ["/stop", "/pause"])
async def test_a_rest_without_an_end_holds_it_until_the_person_is_back(ann: Ann, command: str) -> None:
    plan = (await begin(ann)).plan
    await ann.types(command)
    if command == "/pause":
        await ann.taps("pause:0")
    assert (await one(ann)).paused_since == MONDAY
    ann.now = NOON + timedelta(days=17)
    await ann.types("/resume")
    moved = await one(ann)
    assert moved.paused_since is None
    assert design.last_night(moved.plan) == design.last_night(plan) + timedelta(weeks=3)


async def test_a_block_moves_it_from_the_first_night_that_did_not_arrive(ann: Ann) -> None:
    plan = (await begin(ann)).plan
    async with ann.database.write() as db:
        person = await ann.person()
        await users.save(
            db, person, replace(person, status=Status.GONE, remind_at=None, remind_night=None, reminded_night=MONDAY)
        )
    ann.now = NOON + timedelta(days=3)
    await ann.taps("exp")
    assert design.last_night((await one(ann)).plan) == design.last_night(plan) + timedelta(weeks=1)


# -- another bedtime, another zone -------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["/bedtime 21:30", "/bedtime 01:30", "zone:Asia/Tokyo", "zone:Pacific/Honolulu"])
async def test_another_bedtime_or_zone_leaves_every_night_what_it_is(ann: Ann, change: str) -> None:
    plan = (await begin(ann)).plan
    ann.now = NOON + timedelta(days=12)
    await (ann.types(change) if change.startswith("/") else ann.taps(change))

    one_ = await one(ann)
    assert (one_.plan, one_.paused_since) == (plan, None)
    person = await ann.person()
    assert person.remind_at is not None
    assert person.remind_night is not None
    assert abs((person.remind_night - (NOON + timedelta(days=12)).date()).days) <= 1
    async with ann.database.read() as db:
        for place in range(35):
            night = design.night_at(plan, place)
            without = design.arm_on(plan, night) is not Arm.ON
            expected = Tonight.WITHOUT if without else Tonight.WITH
            assert await experiments.assignment(db, 7, night) == Assignment(expected)


@pytest.mark.parametrize(
    ("delivery", "why"),
    [
        (Delivery.EXPIRED, "not_sent"),
        (Delivery.UNKNOWN, "not_sent"),
        (Delivery.CANCELLED, "not_sent"),
        (None, "not_sent"),
        (Delivery.SENT, "counts"),
    ],
)
async def test_a_night_whose_reminder_did_not_arrive_is_void_and_counted_as_such(
    ann: Ann, delivery: Delivery | None, why: str
) -> None:
    plan = (await begin(ann)).plan
    async with ann.database.write() as db:
        for place in range(35):
            night = design.night_at(plan, place)
            if place == 20:  # nothing at all is stored of this one
                continue
            arrived = delivery if place == 12 else Delivery.SENT
            await nights.close(db, [{"user_id": 7, "night": night, "reminder": arrived}])
            await nights.record_rating(db, 7, night, Rating.SAME, at=NOON)
        lived = await experiments.lived(db, await one(ann), until=design.last_night(plan))
    report = experiment_report.judged(await one(ann), lived)

    assert report.not_sent == (2 if why == "not_sent" else 1)
    assert [report.nights[place].void for place in (12, 20)] == [why == "not_sent", True]
    assert report.verdict.missing.mornings.total == 0
    assert report.verdict.on.nights + report.verdict.off.nights == 28 - report.not_sent
    assert isinstance(report, experiment_report.Report)
    text = verdict.details(language.words("en"), experiment_report.told([report])).text
    assert "not count, because" in text
    assert f"\n{report.not_sent} night" in text


# -- an early end ------------------------------------------------------------------------------------------------------


async def test_stopping_asks_once_and_counts_the_nights_lived(ann: Ann) -> None:
    await begin(ann)
    ann.now = NOON + timedelta(days=3)
    await ann.taps("exp_stop")
    assert (await one(ann)).stopped_after is None
    await ann.taps(buttons(ann.page)["Stop it"])
    assert (await one(ann)).stopped_after == MONDAY + timedelta(days=2)


async def test_two_tests_begun_on_one_day_both_tell_what_they_found(ann: Ann, clock: SharedClock) -> None:
    clock.set(NOON)
    endings_ = finish_experiments.Endings(ann.database, clock=clock)
    for _ in range(2):
        await begin(ann)
        await ann.taps("exp_stop:yes")
        await endings_.look()
        async with ann.database.write() as db:
            rows = (await db.execute(sa.select(tables.outbox.c.state).where(tables.outbox.c.kind == Kind.RESULT))).all()
            await db.execute(tables.outbox.update().values(state=State.SENT, message_id=5))
        assert [row.state for row in rows] == [State.DUE]


# -- the helper's bags -------------------------------------------------------------------------------------------------


def code(replies: list[Reply]) -> str:
    """The code in the helper's link."""
    for reply in replies:
        if isinstance(reply, Say) and reply.view.keyboard is not None:
            for row in reply.view.keyboard.inline_keyboard:
                for button in row:
                    if button.url and (found := re.search(r"start=(bags_\S+)", button.url)):
                        return found[1]
    raise AssertionError("no link")


async def opens(ann: Ann, payload: str, *, user_id: int) -> list[Reply]:
    """Somebody opens the link."""
    sender = {"id": user_id, "is_bot": False, "first_name": "H", "language_code": "en"}
    chat = {"id": user_id, "type": "private", "first_name": "H"}
    message = {
        "message_id": 9,
        "date": int(ann.now.timestamp()),
        "chat": chat,
        "from": sender,
        "text": f"/start {payload}",
    }
    update = Update.de_json({"update_id": 1, "message": message}, None)
    async with ann.database.write() as db:
        turn = Turn(APPLICATION)
        await turn.begin(update, db=db, now=ann.now, services=DESK)
        turn.args = [payload]
        await handlers.open_list(turn, payload)
        await turn.end(update)
    return turn.replies


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot has a name, as after its getMe."""
    monkeypatch.setattr(type(APPLICATION.bot), "username", "lull_bot")


@pytest.mark.usefixtures("named")
async def test_the_helper_sees_the_list_once_and_the_participant_never(ann: Ann) -> None:
    plan = (await begin(ann, "bags")).plan
    payload = code(ann.replies)
    own = await opens(ann, payload, user_id=7)
    assert isinstance(own[0], Say)
    assert "With the magnesium" not in own[0].view.text

    first = await opens(ann, payload, user_id=8)
    listed = next(reply.view.text for reply in first if isinstance(reply, Say) and reply.chat_id is None)
    on = next(line for line in listed.splitlines() if line.startswith("With the magnesium"))
    numbers = {int(number) for number in re.findall(r"\d+", on)}
    assert numbers == {number for number, arm in enumerate(design.bags(plan), 1) if arm is Arm.ON}
    assert [reply.chat_id for reply in first if isinstance(reply, Say)] == [None, 7]
    async with ann.database.read() as db:
        assert await users.find(db, 8) is None

    again = await opens(ann, payload, user_id=9)
    assert isinstance(again[0], Say)
    assert "opened already" in again[0].view.text


@pytest.mark.usefixtures("named")
async def test_with_bags_the_evening_says_a_number_and_nothing_else(ann: Ann) -> None:
    plan = (await begin(ann, "bags")).plan
    async with ann.database.read() as db:
        run_in = await experiments.assignment(db, 7, plan.start)
        shown = [
            await experiments.assignment(db, 7, design.night_at(plan, place)) for place in range(7, 7 + plan.length)
        ]
    assert run_in == Assignment(Tonight.WITHOUT)
    assert {one.tonight for one in shown if one is not None} == {Tonight.BAG}
    assert sorted(one.bag or 0 for one in shown if one is not None) == list(range(1, 29))


def test_a_bag_taken_on_a_night_without_is_no_magnesium_taken() -> None:
    plan = Plan(MONDAY, 28, bytes(32))
    blind = Experiment(1, 7, plan, blind=True, begun_at=NOON)
    for place in range(7, 35):
        night = design.night_at(plan, place)
        diary = nights.NightRecord(night, delivery=Delivery.SENT, intake=nights.Intake.BAG)
        (record,) = run.records(blind, [run.Lived(diary, revealed=True)])
        assert record.taken is (record.arm is Arm.ON)
