"""`python -m bot experiment verify`: the schedule and the verdict of an export, made again. Without database and token."""

from __future__ import annotations

import html
import json
import sys
import zipfile
from pathlib import Path

from bot.core.experiment import design, report_json
from bot.core.experiment.run import ExperimentReport
from bot.texts import language
from bot.views import verdict

LARGEST = 8 * 2**20
"""Bytes of experiment.json that are read at all, whatever the ZIP says about them."""

_FILE = "experiment.json"


class NotVerified(Exception):  # noqa: N818 - named for what it says
    """The export cannot be read, or it does not hold; the message is one sentence."""


def main(path: Path) -> int:
    """Print what was found; 0 when all of it holds, 1 with one sentence when something does not."""
    try:
        for number, report in enumerate(_reports(path), 1):
            said = _checked(report)
            print(f"Test {number}, from {report.plan.start}, {report.plan.length} nights", *said, sep="\n")
    except NotVerified as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _reports(path: Path) -> list[ExperimentReport]:
    tests = _tests(path)
    try:
        ended = [
            report_json.read(test) for test in tests if not (isinstance(test, dict) and test.get("sealed") is True)
        ]
    except report_json.Unreadable as error:
        raise NotVerified(str(error)) from None
    if not ended:
        raise NotVerified("There is no finished test in this export; the seed is in it once a test is over.")
    return ended


def _tests(path: Path) -> list[object]:
    try:
        with zipfile.ZipFile(path) as packed, packed.open(_FILE) as file:
            # What the ZIP says about sizes may be a lie: read to the limit and no further.
            data = file.read(LARGEST + 1)
    except KeyError:
        raise NotVerified(f"{path.name} holds no {_FILE}; it is not an export of this bot.") from None
    except OSError as error:
        raise NotVerified(f"{path.name} cannot be opened: {error.strerror or 'not readable'}.") from None
    except Exception:  # a damaged ZIP file fails in a dozen ways
        raise NotVerified(f"{path.name} is damaged or not a ZIP file.") from None
    if len(data) > LARGEST:
        raise NotVerified(f"{_FILE} is larger than any test is; it was not read.")
    try:
        tests = json.loads(data)["tests"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotVerified(f"{_FILE} cannot be read.") from None
    if not isinstance(tests, list):
        raise NotVerified(f"{_FILE} cannot be read.")
    return tests


def _checked(report: ExperimentReport) -> list[str]:
    """What holds, line by line. Raises NotVerified for the first thing that does not."""
    from bot.core.experiment import analysis

    try:
        again = analysis.analyse(report.plan, report.nights, through=report.stopped_after)
    except (ValueError, OverflowError) as error:
        raise NotVerified(f"The nights are not those of the seed: {error}.") from None
    if report_json.written_verdict(again) != report_json.written_verdict(report.verdict):
        raise NotVerified("The verdict in the file is not the one that its nights give.")
    words = language.words(language.SOURCE)
    said = [*verdict.in_words(words, report), verdict.always(words)]
    return [
        f"Seed:        {report.plan.seed.hex()}",
        f"Fingerprint: {design.fingerprint(report.plan.seed)} (is it the one you were shown before night 1?)",
        f"Schedule:    {len(report.nights)} nights as the seed draws them",
        f"Verdict:     {report.verdict.label}, recomputed and the same",
        *(html.unescape(line) for line in said),
        "",
    ]
