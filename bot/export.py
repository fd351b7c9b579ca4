"""Everything stored about a person as one ZIP file: readable sheets, and an experiment that anybody can check."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from html import unescape

from bot import charts
from bot.charts import Drawing
from bot.core import diary, diary_csv
from bot.core.diary_csv import Line
from bot.core.experiment import report
from bot.core.experiment.report import AnyReport, Report
from bot.core.experiment.run import Experiment
from bot.core.experiment.seed import fingerprint
from bot.core.model import Intake, Night, Person
from bot.texts.language import Words

NIGHTS, SEALED, PROFILE, EXPERIMENT = "nights.csv", "sealed.csv", "profile.json", "experiment.json"
README, PICTURE = "README.txt", "nights.png"

_BOM = "\ufeff"  # without it some spreadsheets take UTF-8 for something else


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """Everything stored about a person. `rows` are the other tables' rows as JSON values, `tips` the tips of their nights by id."""

    person: Person
    lines: Sequence[Line]
    trials: Sequence[Experiment]
    rows: Mapping[str, object]
    tips: Mapping[Night, str] = dataclasses.field(default_factory=dict)

    @property
    def sealed_from(self) -> Night | None:
        """The first night of the self-experiment under way."""
        return next((one.plan.start for one in self.trials if one.sealed), None)


def drawings(words: Words, held: Held) -> dict[str, Drawing]:
    """The pictures to go with it, by the names of their files: the nights, and each finished self-experiment's interval."""
    light = bool(held.person.light)
    found: dict[str, Drawing] = {}
    if held.lines:
        first, last = held.lines[0].night, held.lines[-1].night
        cells = diary.cells((line.record for line in held.lines), first, last, sealed_from=held.sealed_from)
        found[PICTURE] = charts.nights(cells, first=first, calendar=charts.Calendar(*words.calendar), light=light)
    for number, one in enumerate(held.trials, 1):
        drawing = None if one.report is None else of_report(report.read_any(json.loads(one.report)), light=light)
        if drawing is not None:
            found[f"experiment-{number}.png"] = drawing
    return found


def of_report(found: AnyReport, *, light: bool) -> Drawing | None:
    """The picture of the range that a finished self-experiment tells; None where there is none."""
    if isinstance(found, Report):
        size = found.verdict.clear_size if found.verdict.clear else found.verdict.size
        if size is None:
            return None
        low, middle, high = (100 * share for share in (size.won_low, size.won, size.won_high))
        return charts.pairs(low=low, middle=middle, high=high, light=light)
    effect = found.verdict.effect
    if effect is None:
        return None
    return charts.interval(low=effect.low, middle=effect.per_100, high=effect.high, light=light)


def archive(words: Words, held: Held, *, pictures: Mapping[str, bytes | None], now: datetime) -> bytes:
    """The file. A self-experiment under way is there without its seed, and what was taken on its nights in a sheet apart.

    A picture that is None could not be drawn; the file goes without it, and says so.
    """
    files = {
        **_sheets(held),
        PROFILE: _json({"profile": profile(held.person), "tips": _tips(held), "rest": held.rows}),
        EXPERIMENT: _json({"tests": [_test(one) for one in held.trials]}),
        README: _readme(words, held, pictures),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, text in files.items():
            packed.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), text.encode(), zipfile.ZIP_DEFLATED)
        for name, picture in pictures.items():
            if picture is not None:  # which is packed already
                packed.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), picture)
    return out.getvalue()


def _tips(held: Held) -> dict[str, str]:
    """Each night's tip by its id."""
    return {night.isoformat(): tip for night, tip in held.tips.items()}


def _sheets(held: Held) -> dict[str, str]:
    """The nights; those of a sealed self-experiment in two halves, so that a look into the file is no look at the result."""
    known = [(line, diary.is_sealed(line.night, held.sealed_from)) for line in held.lines]
    open_ = [diary_csv.apart(line)[0] if sealed else line for line, sealed in known]
    taken = [diary_csv.apart(line)[1] for line, sealed in known if sealed]
    found = {NIGHTS: _BOM + diary_csv.written(open_)}
    return found | {SEALED: _BOM + diary_csv.written(taken)} if taken else found


def name(now: datetime) -> str:
    """What the file is called."""
    return f"lull-{now.date().isoformat()}.zip"


def _json(values: object) -> str:
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def profile(person: Person) -> dict[str, object]:
    """Every field of a person, as JSON values by name."""
    return {field.name: _plain(getattr(person, field.name)) for field in dataclasses.fields(person)}


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value


def _test(one: Experiment) -> dict[str, object]:
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
        **_halves(one),
        "fingerprint": fingerprint(one.plan.seed),
    }


def _halves(one: Experiment) -> dict[str, object]:
    """What a test of version 2 says more while it is sealed: neither half of its seed."""
    if one.halves is None:
        return {"version": one.version}
    prints = {"bots_fingerprint": fingerprint(one.halves.bots_seed)}
    return {"version": one.version, "design": one.plan.design.value, **prints}


def _readme(words: Words, held: Held, pictures: Mapping[str, bytes | None]) -> str:
    parts: list[str | None] = [
        words("This is all that the bot holds about you. It is self-report, not a medical record."),
        words("nights.csv: one night a line; what you did not say is blank. Instants are in UTC."),
        words("nights.csv: bag is an evening with a numbered bag of a test; what it held is not known yet.")
        if any(line.record.intake is Intake.BAG for line in held.lines)
        else None,
        words("nights.csv: a cell that a spreadsheet would run as a formula has an apostrophe before it."),
        words("sealed.csv: what you took since your test began. Beside nights.csv it would give the test away.")
        if held.sealed_from is not None
        else None,
        words("nights.png: the nights of nights.csv. Blue is better, orange worse, an outline means taken.")
        if pictures.get(PICTURE) is not None
        else None,
        words("experiment-1.png and so on: what a test found, as a range.")
        if any(name != PICTURE and picture is not None for name, picture in pictures.items())
        else None,
        words("A picture could not be drawn this time. Everything else is here.")
        if None in pictures.values()
        else None,
        words("profile.json: your settings, the tips that you were shown, and what waits to be sent."),
        words("experiment.json: your self-experiments, with the seed once they are over."),
        words("To check one: python -m bot experiment verify FILE.zip, or docs/experiment.md for doing it by hand."),
        words("To bring nights back: /import, then send nights.csv."),
    ]
    return "\r\n".join(unescape(part) for part in parts if part is not None) + "\r\n"
