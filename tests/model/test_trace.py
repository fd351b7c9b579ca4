"""Recorded nights that the protocol explains, and doctored ones that it does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.core.model import Intake, State
from bot.fake_telegram.telegram import Call
from tests.crash.promise import Record
from tests.crash.test_promise import DUE, MINUTE, THREE, again, call, judged
from tests.model import trace

SILENT: dict[str, Any] = {"status": 0, "fault": "silent"}
SECOND = timedelta(seconds=1)


def impossible(calls: list[Call], record: Record, *, alone: bool = True) -> list[str]:
    return trace.impossible(judged(calls, record).fates, alone=alone, slack=timedelta(0))


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(
    ("calls", "record"),
    [
        ([call(DUE)], Record(State.SENT, 1)),
        ([call(DUE - 10 * MINUTE)], Record(State.SENT, 1)),
        ([call(DUE + 20 * MINUTE)], Record(State.SENT)),
        (THREE, Record(State.SENT, 3)),
        ([call(DUE, **SILENT)], Record(State.UNKNOWN, 1)),
        ([call(DUE, **SILENT), again(DUE + 3 * MINUTE)], Record(State.SENT, 2)),
        ([again(DUE + 5 * MINUTE)], Record(State.SENT, 2)),
        ([], Record(State.EXPIRED, 0)),
        ([], Record(State.UNKNOWN, 1)),
        ([], Record(State.GONE, 0)),
        ([call(DUE, **SILENT)], Record(State.SENT, 1, intake=Intake.TAKEN)),
    ],
)
def test_what_the_protocol_does_is_explained(calls: list[Call], record: Record, alone: bool) -> None:
    assert impossible(calls, record, alone=alone) == []


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(
    ("calls", "record", "complaint"),
    [
        ([call(DUE), call(DUE + 2 * MINUTE)], Record(State.SENT, 2), "copy 2"),
        ([call(DUE), again(DUE + 2 * MINUTE - SECOND)], Record(State.SENT, 2), "copy 2"),
        ([*THREE[:2], again(DUE + 6 * MINUTE)], Record(State.SENT, 3), "copy 3"),
        ([*THREE, again(DUE + 20 * MINUTE)], Record(State.SENT, 3), "copy 4"),
        ([call(DUE + 40 * MINUTE)], Record(State.SENT, 1), "copy 1"),
        ([again(DUE)], Record(State.SENT, 2), "copy 1"),
        ([call(DUE - 16 * MINUTE)], Record(State.SENT, 1), "copy 1"),
        ([], Record(State.SENT, 1), "its end as sent"),
        ([call(DUE)], Record(State.EXPIRED, 0), "its end as expired"),
        ([call(DUE)], Record(State.SENT, 2), "its end as sent"),
        ([call(DUE, **SILENT)], Record(State.SENT, 1), "its end as sent"),
        (THREE, Record(State.SENT, 2), "its end as sent"),
    ],
)
def test_a_doctored_night_is_refused(calls: list[Call], record: Record, complaint: str, alone: bool) -> None:
    (found,) = impossible(calls, record, alone=alone)

    assert complaint in found
