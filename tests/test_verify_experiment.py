"""`experiment verify`: an honest export holds, any other ends in one sentence and exit code 1."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli import verify_experiment
from bot.core.experiment import design, report, verdict
from bot.core.experiment.design import Arm, Plan, Shift
from bot.core.experiment.run import Experiment, Lived
from bot.core.experiment.seed import fingerprint, seed_of
from bot.core.experiment.version1 import earlier_report
from bot.core.model import Delivery, Intake, NightRecord, Rating

START = date(2026, 1, 12)
PLAN = Plan(START, 28, bytes(range(32)), (Shift(date(2026, 1, 26), 2),))
Values = dict[str, object]


def trial(plan: Plan = PLAN, **more: object) -> Experiment:
    return Experiment(1, 7, plan, blind=False, begun_at=datetime(2026, 1, 12, tzinfo=UTC), **more)  # type: ignore[arg-type]


def lived(one: Experiment) -> list[Lived]:
    """Every night as the plan says, better with it; one reminder never arrived, one morning was answered late."""
    nights = []
    for place in range(design.RUN_IN + one.plan.length):
        night = design.night_at(one.plan, place)
        on = design.arm_on(one.plan, night) is Arm.ON
        record = NightRecord(
            night,
            delivery=Delivery.EXPIRED if place == 9 else Delivery.SENT,
            intake=Intake.TAKEN if on else Intake.SKIPPED,
            rating=Rating.BETTER if on else Rating.SAME,
            late=place == 12,
        )
        nights.append(Lived(record, revealed=place != 9))
    return nights


def export(folder: Path, change: Callable[[Values], None] = lambda _: None, one: Experiment | None = None) -> Path:
    one = one or trial()
    test = {
        "sealed": False,
        **json.loads(json.dumps(report.written(report.judged(one, lived(one))))),
    }
    change(test)
    return packed(folder, json.dumps({"tests": [test]}))


def packed(folder: Path, text: str, name: str = "experiment.json") -> Path:
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, text)
    return path


def test_an_honest_export_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_experiment.main(export(tmp_path)) == 0
    said = capsys.readouterr().out
    assert fingerprint(PLAN.seed) in said
    assert "clear_help, recomputed and the same" in said
    assert "One person, own rating, not a medical test." in said


def test_a_test_stopped_early_holds_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    after = design.night_at(PLAN, design.RUN_IN + 20)
    assert verify_experiment.main(export(tmp_path, one=trial(stopped_after=after))) == 0
    assert "You stopped early: 14 of 28 nights counted, whole fortnights only." in capsys.readouterr().out


def sets(**values: object) -> Callable[[Values], None]:
    return lambda test: test.update(values)


def rates_one_night_otherwise(test: Values) -> None:
    nights = test["nights"]
    assert isinstance(nights, list)
    nights[20]["rating"] = -2 if nights[20]["rating"] != -2 else 2


def swaps_an_arm(test: Values) -> None:
    nights = test["nights"]
    assert isinstance(nights, list)
    nights[20]["arm"] = "off" if nights[20]["arm"] == "on" else "on"


def swaps_the_seed(test: Values) -> None:
    seed = bytes(32)
    test.update(seed=seed.hex(), fingerprint=fingerprint(seed))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (sets(seed=bytes(32).hex()), "does not have the fingerprint"),
        (swaps_the_seed, "not those of the seed"),
        (swaps_an_arm, "not those of the seed"),
        (rates_one_night_otherwise, "not the one that its nights give"),
        (sets(seed="zz"), "plan is not one of ours"),
        (sets(length=29), "plan is not one of ours"),
        (sets(version=3), "another version"),
        (sets(nights="none"), "nights of the test is missing or wrong"),
        (sets(verdict=None), "the verdict is not what it should be"),
        (sets(start="2026-02-30"), "start of the test is missing or wrong"),
        (sets(start="9999-12-01"), "not"),
        (sets(sealed=True), "no finished test"),
    ],
)
def test_what_was_tampered_with_is_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Values], None], sentence: str
) -> None:
    assert verify_experiment.main(export(tmp_path, change)) == 1
    seen = capsys.readouterr()
    assert sentence in seen.err
    assert seen.err.count("\n") == 1
    assert seen.out == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"tests": 3}', "[" * 100_000, '{"tests": [3]}'])
def test_json_that_is_none_is_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert verify_experiment.main(packed(tmp_path, text)) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_damaged_file_a_bomb_and_none_at_all_are_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = export(tmp_path).read_bytes()
    damaged = tmp_path / "damaged.zip"
    for content in (whole[: len(whole) // 2], b"", b"not a zip", whole[:60] + b"\xff" * 40 + whole[100:]):
        damaged.write_bytes(content)
        assert verify_experiment.main(damaged) == 1
        assert capsys.readouterr().err.count("\n") == 1
    assert verify_experiment.main(packed(tmp_path, " " * (verify_experiment.LARGEST * 4))) == 1
    assert "larger than any test" in capsys.readouterr().err
    assert verify_experiment.main(packed(tmp_path, "{}", "other.json")) == 1
    assert "holds no experiment.json" in capsys.readouterr().err
    assert verify_experiment.main(tmp_path / "nowhere.zip") == 1
    assert "cannot be opened" in capsys.readouterr().err


def export_of_version_2(
    folder: Path, *, guesses: bool = False, nights: int = 28, change: Callable[[Values], None] = lambda _: None
) -> Path:
    """A test of version 2, better with magnesium; stopped where it has fewer than all nights."""
    bots_seed = bytes(range(32))
    plan = design.Plan(START, 28, seed_of(bots_seed, "moon"))
    records = tuple(
        design.AssignedNight(
            design.night_at(plan, design.RUN_IN + index),
            arm,
            taken=arm is Arm.ON,
            rating=Rating.BETTER if arm is Arm.ON else Rating.SAME,
            guess=arm if guesses else None,
        )
        for index, arm in enumerate(design.schedule(plan)[:nights])
    )
    after = None if nights == 28 else records[-1].night
    found = verdict.analyse(plan, records, stopped_after=after)
    one = report.Report(plan, bots_seed, "moon", guesses, guesses, after, records, 0, 0, found)
    test = {"sealed": False, **json.loads(json.dumps(report.written(one)))}
    change(test)
    return packed(folder, json.dumps({"tests": [test]}))


def test_a_test_of_version_2_holds_with_both_halves_of_its_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_experiment.main(export_of_version_2(tmp_path)) == 0
    said = capsys.readouterr().out
    assert "Word:        moon\n" in said
    assert fingerprint(bytes(range(32))) in said
    assert "clear_help, recomputed and the same" in said
    assert "p:           0.0001 better, 1 worse; bound 0.05" in said
    assert "80 % range:  +1.000 steps (+1.000 to +1.000); of 100 pairs 100.0 (100.0 to 100.0)" in said
    assert "As taken:" in said


def test_a_drawn_word_and_a_test_without_a_verdict_are_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_experiment.main(export_of_version_2(tmp_path, guesses=True, nights=20)) == 0
    said = capsys.readouterr().out
    assert "moon (drawn by the bot)" in said
    assert "End:         stopped, after 1 of 2 fortnights" in said
    assert "p:  " not in said
    assert "range" not in said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (sets(bots_fingerprint="0" * 64), "The bot's own seed does not have the fingerprint"),
        (sets(word="sun"), "The seed does not follow from the bot's own seed and the word."),
        (sets(fingerprint="0" * 64), "The seed does not have the fingerprint that was shown before night 1."),
        (lambda test: test["verdict"].update(planned=6), "not the one that its nights give: planned."),
    ],
)
def test_what_was_tampered_with_in_version_2_is_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Values], None], sentence: str
) -> None:
    assert verify_experiment.main(export_of_version_2(tmp_path, change=change)) == 1
    seen = capsys.readouterr()
    assert sentence in seen.err
    assert (seen.err.count("\n"), seen.out) == (1, "")


def test_a_report_is_read_back_as_it_was_written() -> None:
    kept = report.judged(trial(), lived(trial()))
    again = earlier_report.read(json.loads(json.dumps(earlier_report.written(kept))))
    assert again.nights == kept.nights
    assert again.plan == kept.plan
    assert (again.left_out, again.not_sent) == (0, 1)
    assert earlier_report.written(again) == earlier_report.written(kept)
    assert START + timedelta(days=14) == PLAN.shifts[0].night
