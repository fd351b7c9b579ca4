"""Buttons about nights mean nothing before the set-up is finished: they go on with it, and nothing else happens."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.handlers import diary, evening, experiment, morning, pictures, stock
from db.engine import Database
from tests.handlers.one_person import Ann

HELPERS = {"exp_packed"}  # may be a stranger
GATED = sorted(
    {verb for module in (diary, evening, experiment, morning, pictures, stock) for verb in module.PRESSES} - HELPERS
)
QUESTIONS = {"zone": "Where do you sleep?", "bedtimes": "When do you go to bed?", "form": "Which magnesium"}


@pytest.mark.parametrize(
    "missing", [{"zone": None}, {"bedtimes": ()}, {"form": None}], ids=lambda missing: next(iter(missing))
)
async def test_while_the_set_up_is_not_finished_such_a_button_goes_on_with_it(
    database: Database, missing: dict[str, object]
) -> None:
    ann = Ann(database, datetime(2026, 1, 12, 21, 30, tzinfo=UTC))
    await ann.moves_in(**missing)
    before = await ann.person()

    for verb in GATED:
        await ann.taps(f"{verb}:2026-01-12:1")
        assert ann.answer == "", verb
        assert QUESTIONS[next(iter(missing))] in ann.page.text, verb
        assert await ann.person() == before, verb
