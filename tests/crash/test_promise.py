"""The checker of the promise can fail: doctored histories, each with one thing wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.core.model import Person, State, Status
from bot.fake_telegram.telegram import Call
from tests.crash.promise import AGAIN, History, Record, Verdict

NIGHT = date(2026, 3, 26)
DUE = datetime(2026, 3, 26, 21, 15, tzinfo=UTC)
MORNING = datetime(2026, 3, 27, 7, tzinfo=UTC)
ADA = Person(77, Status.ACTIVE, DUE, DUE, consent=1, zone="UTC", bedtimes=(22 * 60,) * 7, form="citrate")
MINUTE = timedelta(minutes=1)


def call(
    at: datetime, *, verb: str = "taken", text: str = "Bedtime 22:00", silent: bool = False, **more: object
) -> Call:
    keyboard = {"inline_keyboard": [[{"text": "x", "callback_data": f"v1:{verb}:{NIGHT}"}]]}
    given = {"chat_id": 77, "text": text, "disable_notification": silent, "reply_markup": keyboard}
    usual = Call(1, 0.0, at.timestamp(), "sendMessage", given, 200, {"ok": True})
    return replace(usual, **more)


def again(at: datetime) -> Call:
    return call(at, text=f"Bedtime 22:00\n{AGAIN} – one reminder, one dose)", silent=True)


def check_in(text: str = "How was your sleep?") -> Call:
    return call(MORNING, verb="rate", text=text, silent=True)


NOT_SENT = "Last night's reminder was not sent: I was offline."
UNKNOWN, EXPIRED = Record(State.UNKNOWN, 1, "timed out"), Record(State.EXPIRED, 0, "not sent in time")
THREE = [call(DUE), again(DUE + 2 * MINUTE), again(DUE + 7 * MINUTE)]


def judged(calls: list[Call], record: Record = Record(State.SENT, 9), *, up: bool = True) -> Verdict:  # noqa: B008
    spans = [(DUE - MINUTE, MORNING + 60 * MINUTE)] if up else []
    return History([ADA], calls, {(77, NIGHT): record}, spans).judge(NIGHT, NIGHT)


@pytest.mark.parametrize(
    ("calls", "record"),
    [
        ([call(DUE), check_in()], Record(State.SENT, 1)),
        (THREE, Record(State.SENT, 3)),
        ([again(DUE + 5 * MINUTE)], Record(State.SENT, 2)),
        ([check_in("I could not find out whether last night's reminder reached you.")], UNKNOWN),
        ([check_in(NOT_SENT)], EXPIRED),
        ([check_in(NOT_SENT), check_in(NOT_SENT)], EXPIRED),
        ([], Record(State.GONE)),
    ],
)
def test_a_kept_promise_is_not_called_broken(calls: list[Call], record: Record) -> None:
    assert judged(calls, record).broken == []


@pytest.mark.parametrize(
    ("calls", "record", "complaint"),
    [
        ([], Record(), "lost"),
        ([], Record(State.SENT, 1), "lost"),
        ([], Record(State.DUE, 0), "lost"),
        ([check_in()], UNKNOWN, "not told in the morning"),
        ([check_in()], replace(EXPIRED, reason=None), "without a reason"),
        ([call(DUE), call(DUE + 2 * MINUTE)], Record(State.SENT, 2), "copy 2 is not labelled and silent"),
        ([call(DUE), again(DUE + MINUTE)], Record(State.SENT, 2), "copy 2 came after 0:01:00"),
        ([*THREE[:2], again(DUE + 6 * MINUTE)], Record(State.SENT, 3), "copy 3 came after 0:04:00"),
        ([*THREE, again(DUE + 20 * MINUTE)], Record(State.SENT, 4), "4 copies"),
        (THREE, Record(State.SENT, 1), "3 copies arrived, 1 are counted"),
        ([call(DUE + 41 * MINUTE)], Record(State.SENT, 1), "sent at 2026-03-26 21:56"),
        ([call(DUE - 16 * MINUTE)], Record(State.SENT, 1), "sent at 2026-03-26 20:59"),
        ([call(DUE), check_in(), check_in()], Record(State.SENT, 1), "2 check-ins"),
        ([check_in(NOT_SENT)] * 3, EXPIRED, "3 check-ins"),
    ],
)
def test_a_broken_promise_is_called_by_its_name(calls: list[Call], record: Record, complaint: str) -> None:
    (found,) = judged(calls, record).broken

    assert complaint in found


def test_a_night_on_which_the_service_did_not_run_is_not_lost() -> None:
    assert judged([], Record(), up=False).broken == []


def test_what_telegram_refused_does_not_count_and_what_it_kept_quiet_about_does() -> None:
    refused = call(DUE, status=429, answer={"ok": False})
    silent = call(DUE, status=0, fault="silent")
    gateway = call(DUE, status=502, answer={"ok": False}, fault="status_after")

    assert [judged([one], Record(State.SENT, 1)).sent for one in (refused, silent, gateway)] == [0, 1, 1]


def test_a_reminder_for_a_night_outside_the_plan_is_seen() -> None:
    verdict = History([], [call(DUE)], {}, []).judge(NIGHT, NIGHT)

    assert verdict.broken == [f"stray: {(77, NIGHT)}"]
