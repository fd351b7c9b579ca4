"""`python -m bot experiment verify`: the schedule and the verdict of an export, made again. Without database and token."""

from __future__ import annotations

import html
import json
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from bot.core.experiment import report
from bot.core.experiment.reading import Unreadable
from bot.core.experiment.report import Checked, Report, ReportPart
from bot.core.experiment.seed import fingerprint
from bot.core.experiment.version1.earlier_report import EarlierReport
from bot.texts import language
from bot.views import earlier_verdict, verdict

LARGEST = 8 * 2**20
"""Bytes of experiment.json that are read at all, whatever the ZIP says about them."""

_FILE = "experiment.json"


class NotVerified(Exception):  # noqa: N818 - named for what it says
    """The export cannot be read, or it does not hold; the message is one sentence."""


_BROKEN: Mapping[ReportPart, str] = {
    ReportPart.BOTS_FINGERPRINT: "The bot's own seed does not have the fingerprint that was shown before the word was asked for.",
    ReportPart.WORD: "The seed does not follow from the bot's own seed and the word.",
    ReportPart.FINGERPRINT: "The seed does not have the fingerprint that was shown before night 1.",
    ReportPart.NIGHTS: "The nights are not those of the seed: {differs}.",
    ReportPart.VERDICT: "The verdict in the file is not the one that its nights give: {differs}.",
}


def main(path: Path) -> int:
    """Print what was found; 0 when all of it holds, 1 with one sentence when something does not."""
    try:
        for number, found in enumerate(_checked(path), 1):
            plan = found.report.plan
            print(f"Test {number}, from {plan.start}, {plan.length} nights", *_told(found), "", sep="\n")
    except NotVerified as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _checked(path: Path) -> list[Checked]:
    """Every finished test, made again. Raises NotVerified for the first thing that does not hold."""
    ended = [test for test in _tests(path) if not (isinstance(test, dict) and test.get("sealed") is True)]
    try:
        found = [report.checked(test) for test in ended]
    except Unreadable as error:
        raise NotVerified(str(error)) from None
    if not found:
        raise NotVerified("There is no finished test in this export; the seed is in it once a test is over.")
    for check in (check for one in found for check in one.checks if not check.agrees):
        raise NotVerified(_BROKEN[check.claim].format(differs=", ".join(check.differs)))
    return found


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


def _told(found: Checked) -> list[str]:
    """What holds, line by line."""
    one = found.report
    lines = [
        f"Seed:        {one.plan.seed.hex()}",
        f"Fingerprint: {fingerprint(one.plan.seed)} (is it the one you were shown before night 1?)",
        f"Schedule:    {len(one.nights)} nights as the seed draws them",
        f"Verdict:     {one.verdict.label}, recomputed and the same",
    ]
    return [*lines, *(_told_2(one) if isinstance(one, Report) else _told_1(one))]


def _told_1(one: EarlierReport) -> list[str]:
    words = language.words(language.SOURCE)
    return [html.unescape(line) for line in (*earlier_verdict.in_words(words, one), earlier_verdict.always(words))]


def _told_2(one: Report) -> list[str]:
    found = one.verdict
    lines = [
        f"Word:        {one.word}" + (" (drawn by the bot)" if one.word_drawn else ""),
        f"Bot's seed:  {one.bots_seed.hex()}",
        f"Its print:   {fingerprint(one.bots_seed)} (is it the one you were shown before the word?)",
        f"End:         {found.end}, after {found.fortnights} of {found.planned} fortnights",
    ]
    if found.chances is not None:
        lines.append(
            f"p:           {found.chances.better:.6g} better, {found.chances.worse:.6g} worse; bound {found.bound}"
        )
    named = (("80 % range", found.size), ("Bound's range", found.clear_size), ("As taken", found.as_taken))
    for name, size in ((name, size) for name, size in named if size is not None):
        shares = [100 * share for share in (size.won, size.won_low, size.won_high)]
        lines.append(
            f"{name + ':':<13}{size.steps:+.3f} steps ({size.low:+.3f} to {size.high:+.3f}); "
            "of 100 pairs {:.1f} ({:.1f} to {:.1f})".format(*shares)
        )
    words = language.words(language.SOURCE)
    return [*lines, *(html.unescape(line) for line in (*verdict.in_words(words, one), verdict.always(words, one)))]
