"""The checker of the promise can fail: doctored histories, each with one thing wrong, and each called by its own sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core.model import Cadence, Intake, Person, State, Status
from bot.fake_telegram.telegram import Call
from tests.crash.promise import AGAIN, LATE, QUESTION, History, Record, Tap, Verdict

NIGHT = date(2026, 3, 26)
DUE = datetime(2026, 3, 26, 21, 15, tzinfo=UTC)
BED = DUE + timedelta(minutes=45)
MORNING = datetime(2026, 3, 27, 7, tzinfo=UTC)
ADA = Person(77, Status.ACTIVE, DUE, DUE, consent=1, zone="UTC", bedtimes=(22 * 60,) * 7, form="citrate")
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def words(at: datetime, note: str = "") -> str:
    left = round((BED - at).total_seconds() / 60)
    return f"<b>Bedtime 22:00 · {left} minutes left.</b>\nTime for your magnesium (citrate).\n{note}"


def call(at: datetime, *, verb: str = "taken", text: str | None = None, silent: bool = False, **more: object) -> Call:
    keyboard = {"inline_keyboard": [[{"text": "x", "callback_data": f"v1:{verb}:{NIGHT}"}]]}
    said = words(at) if text is None else text
    given = {"chat_id": 77, "text": said, "disable_notification": silent, "reply_markup": keyboard}
    usual = Call(1, 0.0, at.timestamp(), "sendMessage", given, 200, {"ok": True})
    return replace(usual, **more)


def again(at: datetime, **more: object) -> Call:
    return call(at, text=words(at, f"{AGAIN} – one reminder, one dose)"), silent=True, **more)


def late(at: datetime, **more: object) -> Call:
    return call(at, text=words(at, LATE), **more)


def failed(at: datetime, fault: str = "drop_before") -> Call:
    """A try that Telegram never got, of which the bot cannot know."""
    return call(at, status=0, answer={}, fault=fault)


def asked(news: str = "", at: datetime = MORNING, **more: object) -> Call:
    return call(at, verb="rate", text=f"{news}\n{QUESTION}, compared with your usual?", silent=True, **more)


NOT_SENT = "Last night's reminder was not sent: I was offline."
DO_NOT_KNOW = "I could not find out whether last night's reminder reached you."
UNKNOWN, EXPIRED = Record(State.UNKNOWN, 1, "timed out"), Record(State.EXPIRED, 0, "not sent in time")
SENT = Record(State.SENT, 1)
THREE = [call(DUE), again(DUE + 2 * MINUTE), again(DUE + 7 * MINUTE)]
DIED = (DUE + SECOND, DUE + 2 * MINUTE + SECOND)
UP = ((DUE - MINUTE, MORNING + 60 * MINUTE),)
AWAY = ((DUE - MINUTE, BED),)


def judged(calls: list[Call], record: Record = Record(State.SENT, 9), **more: object) -> Verdict:  # noqa: B008
    history = History([ADA], calls, {(77, NIGHT): record}, UP, deaths=DIED)
    return replace(history, **more).judge(NIGHT, NIGHT)  # type: ignore[arg-type]


def taps(*moments: datetime) -> tuple[Tap, ...]:
    return tuple(Tap(77, NIGHT, at) for at in moments)


TAKEN = replace(SENT, intake=Intake.TAKEN, answered_at=DUE + 3 * MINUTE)
CALM: dict[str, object] = {"deaths": ()}


@pytest.mark.parametrize(
    ("calls", "record", "more"),
    [
        ([call(DUE), asked()], SENT, CALM),
        ([*THREE, asked()], Record(State.SENT, 3), {}),
        ([*THREE, asked()], Record(State.SENT), {}),
        ([call(DUE, fault="silent"), again(DUE + 2 * MINUTE), asked()], Record(State.SENT, 2), CALM),
        ([failed(DUE), again(DUE + 5 * MINUTE), asked()], Record(State.SENT, 2), CALM),
        ([again(DUE + 5 * MINUTE), asked()], Record(State.SENT, 2), {}),
        ([late(DUE + 20 * MINUTE), asked()], SENT, CALM),
        ([failed(DUE), asked(DO_NOT_KNOW)], UNKNOWN, CALM),
        ([call(DUE, fault="silent"), asked(DO_NOT_KNOW)], UNKNOWN, CALM),
        ([asked(NOT_SENT)], EXPIRED, {"deaths": (), "away": AWAY}),
        ([call(DUE, status=429, answer={"ok": False}), asked(NOT_SENT)], EXPIRED, CALM),
        ([asked(NOT_SENT, fault="silent"), asked(NOT_SENT, MORNING + 2 * MINUTE)], EXPIRED, {}),
        ([call(DUE), failed(MORNING)], SENT, CALM),
        ([call(DUE + 20 * MINUTE, text=words(DUE)), asked()], SENT, {"leaps": (DUE + 20 * MINUTE,)}),
        ([], Record(State.GONE), {"blocked": {77}}),
        ([call(DUE, status=400, answer={"description": "Bad Request: chat not found"})], Record(State.GONE), {}),
        ([call(DUE), asked()], TAKEN, {"taps": taps(DUE + 3 * MINUTE)}),
        ([call(DUE), asked()], TAKEN, {"taps": taps(DUE + 3 * MINUTE, DUE + 4 * MINUTE)}),
        ([call(DUE)], SENT, {"people": [replace(ADA, cadence=Cadence.WEEKLY)]}),
        ([call(DUE)], SENT, {"people": [replace(ADA, no_check_in=True)]}),
        ([call(DUE, silent=True), asked()], SENT, {"people": [replace(ADA, quiet=True)]}),
    ],
)
def test_a_kept_promise_is_not_called_broken(calls: list[Call], record: Record, more: dict[str, object]) -> None:
    assert judged(calls, record, **more).broken == []


BOB = call(DUE, text="<b>Bedtime 03:33 · 45 minutes left.</b>\nBob, your secret label")


@pytest.mark.parametrize(
    ("calls", "record", "more", "complaint"),
    [
        # -- whether it came
        ([], Record(), {}, "lost, though the service ran for"),
        ([asked()], Record(State.SENT, 1), {}, "lost, though"),
        ([asked()], Record(State.DUE, 0), {}, "lost, though"),
        ([asked(DO_NOT_KNOW)], replace(UNKNOWN, reason=None), {}, "unknown without a reason"),
        ([asked(NOT_SENT)], replace(EXPIRED, reason=None), {}, "expired without a reason"),
        ([asked()], UNKNOWN, {}, "unknown, and not told in the morning"),
        ([], Record(State.GONE), {}, "gone, though Telegram never said so"),
        ([call(DUE, status=502, answer={"ok": False}, fault="status")], Record(State.GONE), {}, "gone, though"),
        ([asked(NOT_SENT)], EXPIRED, CALM, "expired without a cause"),
        ([asked(NOT_SENT)], replace(EXPIRED, reason="because I felt like it"), CALM, "expired without a cause"),
        ([asked(NOT_SENT)], EXPIRED, {"deaths": (), "away": ((MORNING, MORNING),)}, "expired without a cause"),
        ([asked(DO_NOT_KNOW)], UNKNOWN, CALM, "unknown without a cause"),
        ([asked(DO_NOT_KNOW)], replace(UNKNOWN, copies=0), {}, "unknown, though no copy is counted"),
        ([call(DUE), asked(DO_NOT_KNOW)], UNKNOWN, CALM, "recorded as unknown, though Telegram's answer was heard"),
        ([call(DUE), asked(NOT_SENT)], replace(EXPIRED, copies=1), CALM, "recorded as expired, though 1 arrived"),
        ([call(DUE), asked()], Record(), CALM, "recorded as None, though 1 arrived"),
        # -- copies
        ([call(DUE), call(DUE + 2 * MINUTE), asked()], Record(State.SENT, 2), {}, "copy 2 is not labelled and silent"),
        ([call(DUE), again(DUE + MINUTE), asked()], Record(State.SENT, 2), {}, "copy 2 came after 0:01:00"),
        (
            [*THREE[:2], again(DUE + 6 * MINUTE), asked()],
            Record(State.SENT, 3),
            {},
            "copy 3 came after 0:04:00",
        ),
        ([*THREE, again(DUE + 20 * MINUTE), asked()], Record(State.SENT, 4), {}, "4 copies"),
        ([*THREE, asked()], SENT, {}, "3 copies arrived, 1 are counted"),
        ([*THREE[:2], asked()], Record(State.SENT, 2), CALM, "copy 2 has no cause"),
        ([*THREE[:2], asked()], Record(State.SENT), CALM, "copy 2 has no cause"),
        ([*THREE, asked()], Record(State.SENT, 3), {"deaths": DIED[:1]}, "copy 3 has no cause"),
        ([*THREE[:2], asked()], Record(State.SENT, 2), {"deaths": (DUE + 5 * MINUTE,)}, "copy 2 has no cause"),
        ([again(DUE), asked()], SENT, CALM, "the first copy says that it is not the first"),
        # -- what it says, and to whom
        ([BOB, asked()], SENT, {}, "the words are not this person's"),
        (
            [call(DUE, text=words(DUE).replace("citrate", "oxide")), asked()],
            SENT,
            {},
            "the words are not this person's",
        ),
        ([call(DUE, text=words(DUE + 9 * MINUTE)), asked()], SENT, {}, "it does not say that 45 minutes are left"),
        ([call(DUE + 20 * MINUTE), asked()], SENT, {}, "it is late and does not say so"),
        ([call(DUE + 20 * MINUTE), asked()], SENT, {"leaps": (DUE + 19 * MINUTE,)}, "it is late and does not say so"),
        ([late(DUE), asked()], SENT, {}, "it calls itself late and is not"),
        ([call(DUE, silent=True), asked()], SENT, {}, "a first copy without a sound"),
        ([late(DUE + 35 * MINUTE), asked()], SENT, {}, "a late copy with a sound"),
        # -- when
        ([late(DUE + 41 * MINUTE, silent=True), asked()], SENT, {}, "at the wrong time: sent at 2026-03-26 21:56"),
        (
            [late(DUE + 40 * MINUTE + 41 * SECOND, silent=True), asked()],
            SENT,
            {"slack": 42 * SECOND},
            "at the wrong time: sent at 2026-03-26 21:55:41",
        ),
        ([call(DUE - 16 * MINUTE), asked()], SENT, {}, "at the wrong time: sent at 2026-03-26 20:59"),
        # -- the morning
        ([call(DUE)], SENT, {}, "no check-in, and nothing was in its way"),
        ([call(DUE), asked(), asked()], SENT, {}, "2 check-ins"),
        ([asked(NOT_SENT)] * 3, EXPIRED, {}, "3 check-ins"),
        (
            [failed(DUE), asked(DO_NOT_KNOW), asked("again", MORNING + 2 * MINUTE)],
            UNKNOWN,
            CALM,
            "a second check-in without a cause",
        ),
        ([asked(NOT_SENT), asked(NOT_SENT, MORNING + 2 * MINUTE)], EXPIRED, {}, "a second check-in without a cause"),
        ([call(DUE), asked(at=DUE + 300 * MINUTE)], SENT, {}, "a check-in at 2026-03-27 02:15"),
        ([call(DUE), asked(at=MORNING + 361 * MINUTE)], SENT, {}, "a check-in at 2026-03-27 13:01"),
        ([call(DUE), call(MORNING, verb="rate", text=QUESTION)], SENT, {}, "a check-in with a sound"),
        ([call(DUE), call(MORNING, verb="rate", text="Hm.", silent=True)], SENT, {}, "a check-in that asks nothing"),
        ([call(DUE), asked(NOT_SENT)], SENT, {}, "told as expired, which it was not"),
        ([call(DUE), asked(DO_NOT_KNOW)], SENT, {}, "told as unknown, which it was not"),
        # -- answers
        ([call(DUE), asked()], TAKEN, {}, "answered (<Intake.TAKEN: 1>), though nobody pressed"),
        ([call(DUE), asked()], SENT, {"taps": taps(DUE + MINUTE)}, "1 times [Taken] was pressed, and recorded is None"),
        (
            [call(DUE), asked()],
            replace(TAKEN, intake=Intake.SKIPPED),
            {"taps": taps(DUE + 3 * MINUTE)},
            "1 times [Taken] was pressed, and recorded is <Intake.SKIPPED: 2>",
        ),
        ([call(DUE), asked()], TAKEN, {"taps": taps(DUE + 5 * MINUTE)}, "before anybody pressed"),
        ([call(DUE), asked()], TAKEN, {"taps": taps(DUE + MINUTE, DUE + 2 * MINUTE)}, "another one acted again"),
    ],
)
def test_a_broken_promise_is_called_by_its_name(
    calls: list[Call], record: Record, more: dict[str, object], complaint: str
) -> None:
    found = judged(calls, record, **more).broken

    assert any(complaint in what for what in found), found
    assert len(found) == 1, found


def test_three_copies_on_a_calm_evening_are_two_too_many() -> None:
    first, second = judged([*THREE, asked()], Record(State.SENT, 3), **CALM).broken

    assert "copy 2 has no cause" in first
    assert "copy 3 has no cause" in second


def test_a_night_on_which_the_service_did_not_run_is_not_lost() -> None:
    assert judged([], Record(), up=()).broken == []


def test_who_never_answers_is_asked_in_another_way_after_a_week() -> None:
    def night(number: int) -> list[Call]:
        day = timedelta(days=number)
        one = [replace(call(DUE), at=(DUE + day).timestamp()), replace(asked(), at=(MORNING + day).timestamp())]
        for sent in one:
            button = sent.given["reply_markup"]["inline_keyboard"][0][0]
            button["callback_data"] = button["callback_data"].replace(str(NIGHT), str(NIGHT + day))
        return one if number < 7 else one[:1]

    nights = [NIGHT + timedelta(days=number) for number in range(8)]
    calls = [sent for number in range(8) for sent in night(number)]
    up = ((DUE, DUE + timedelta(days=9)),)
    records = {(77, one): SENT for one in nights}

    assert History([ADA], calls, records, up).judge(NIGHT, nights[-1]).broken == []
    (missing,) = History([ADA], calls[:11] + calls[12:], records, up).judge(NIGHT, nights[-1]).broken[:1]
    assert "no check-in" in missing


def test_what_telegram_refused_does_not_count_and_what_it_kept_quiet_about_does() -> None:
    refused = call(DUE, status=429, answer={"ok": False})
    silent = call(DUE, status=0, fault="silent")
    gateway = call(DUE, status=502, answer={"ok": False}, fault="status_after")

    assert [judged([one], Record(State.SENT, 1)).sent for one in (refused, silent, gateway)] == [0, 1, 1]


@pytest.mark.parametrize("sent", [call(DUE), asked()])
def test_a_message_for_a_night_outside_the_plan_is_seen(sent: Call) -> None:
    verdict = History([], [sent], {}, []).judge(NIGHT, NIGHT)

    assert verdict.broken == [f"stray: {(77, NIGHT)}"]
