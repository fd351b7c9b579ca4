"""All that is held of a person as one ZIP file: readable sheets, and an experiment that anybody can check."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from html import unescape

from bot.core import experiment, sheet
from bot.core.model import Person
from bot.core.sheet import Line
from bot.core.trial import Trial
from bot.language import Words

NIGHTS, PROFILE, EXPERIMENT, README = "nights.csv", "profile.json", "experiment.json", "README.txt"


def archive(
    words: Words,
    person: Person,
    *,
    lines: Sequence[Line],
    trials: Sequence[Trial],
    rows: Mapping[str, object],
    now: datetime,
) -> bytes:
    """The file. `rows` are the other tables' rows as JSON values. A self-experiment under way is there without its seed."""
    files = {
        NIGHTS: "\ufeff" + sheet.written(lines),
        PROFILE: _json({"profile": _profile(person), "rest": rows}),
        EXPERIMENT: _json({"tests": [_test(one) for one in trials]}),
        README: _readme(words),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def name(now: datetime) -> str:
    """What the file is called."""
    return f"lull-{now.date().isoformat()}.zip"


def _json(values: object) -> str:
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def _profile(person: Person) -> dict[str, object]:
    return {field.name: _plain(getattr(person, field.name)) for field in dataclasses.fields(person)}


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def _test(one: Trial) -> dict[str, object]:
    """A finished one with all that its verdict rests on; one under way with nothing that tells its arms."""
    times = {
        "begun_at": one.begun_at.isoformat(),
        "ended_at": None if one.ended_at is None else one.ended_at.isoformat(),
    }
    if not one.sealed and one.report is not None:
        finished: dict[str, object] = json.loads(one.report)
        return {"sealed": False, **times, **finished}
    pauses = [{"night": shift.night.isoformat(), "weeks": shift.weeks} for shift in one.plan.shifts]
    return {
        "sealed": True,
        **times,
        "start": one.plan.start.isoformat(),
        "length": one.plan.length,
        "pauses": pauses,
        "blind": one.blind,
        "fingerprint": experiment.fingerprint(one.plan.seed),
    }


def _readme(words: Words) -> str:
    parts = [
        words("This is all that the bot holds about you. It is self-report, not a medical record."),
        words("nights.csv: one night a line; what you did not say is blank. Instants are in UTC."),
        words("nights.csv: a cell that a spreadsheet would run as a formula has an apostrophe before it."),
        words("profile.json: your settings, and what waits to be sent."),
        words("experiment.json: your self-experiments, with the seed once they are over."),
        words("To check one: python -m bot experiment verify FILE.zip, or docs/experiment.md for doing it by hand."),
        words("To bring nights back: /import, then send nights.csv."),
    ]
    return "\r\n".join(unescape(part) for part in parts) + "\r\n"
