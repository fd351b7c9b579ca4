"""An admin's pages: the draft, its audience, the second question, and that nobody else gets there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.broadcast import Fate, Phase
from bot.telegram.turn import CopyOf
from bot.views.message import View
from db import broadcasts
from db.broadcasts import CopySettled
from db.engine import Database
from tests.db import evenings
from tests.handlers.one_person import Ann, buttons

NOON = datetime(2026, 3, 26, 11, 0, tzinfo=UTC)


@pytest.fixture
async def ann(database: Database) -> Ann:
    """She is an admin, among people of two languages."""
    ann = Ann(database, NOON)
    await ann.moves_in()
    german = [evenings.person(user_id, language="de") for user_id in (1, 2, 3)]
    await evenings.settle_in(database, *german, evenings.person(4, language="it-CH"))
    async with database.write() as db:
        await broadcasts.make_admin(db, 7, now=NOON)
    return ann


async def drafted(ann: Ann) -> View:
    (preview,) = await ann.types("/broadcast", replying_to=View("News"), number=5)
    assert isinstance(preview, CopyOf)
    assert preview.message_id == 5
    return preview.then


async def phase(ann: Ann, number: int = 1) -> Phase:
    async with ann.database.read() as db:
        found = await broadcasts.find(db, number)
    assert found is not None
    return found.phase


async def test_without_a_message_it_says_how(ann: Ann) -> None:
    await ann.types("/broadcast")

    assert "reply to it with /broadcast" in ann.page.text


async def test_the_draft_names_languages_in_their_own_words_and_turns_through_them(ann: Ann) -> None:
    draft = await drafted(ann)
    assert "To: everyone active, 5 people" in draft.text
    assert "Not while they sleep" in draft.text

    await ann.taps(buttons(draft)["Only Deutsch"])
    assert "To: Deutsch, 3 people" in ann.page.text
    seen = {"Only Deutsch"}
    while "To everyone" not in buttons(ann.page):
        label = next(label for label in buttons(ann.page) if label.startswith("Only "))
        seen.add(label)
        await ann.taps(buttons(ann.page)[label])
    assert seen == {"Only Deutsch", "Only English", "Only Italiano"}


async def test_also_at_night_is_a_choice(ann: Ann) -> None:
    draft = await drafted(ann)

    await ann.taps(buttons(draft)["Also at night"])
    assert "At once, also at night." in ann.page.text
    await ann.taps(buttons(ann.page)["Not at night"])
    assert "Not while they sleep" in ann.page.text


async def test_nothing_is_sent_before_the_second_yes(ann: Ann) -> None:
    draft = await drafted(ann)

    await ann.taps(buttons(draft)["Send…"])
    assert "Send it to 5 people?" in ann.page.text
    assert await phase(ann) is Phase.DRAFT
    await ann.taps(buttons(ann.page)["Yes, send to 5"])

    assert await phase(ann) is Phase.RUNNING
    assert ": running" in ann.page.text


async def test_pause_resume_and_stop_are_audited_and_an_old_button_does_nothing(ann: Ann) -> None:
    draft = await drafted(ann)
    await ann.taps(buttons(draft)["Send…"])
    await ann.taps(buttons(ann.page)["Yes, send to 5"])
    for label, expected in (("Pause", Phase.PAUSED), ("Resume", Phase.RUNNING), ("Stop", Phase.STOPPED)):
        await ann.taps(buttons(ann.page)[label])
        assert await phase(ann) is expected

    await ann.taps("bc_resume:1")

    assert "out of date" in ann.answer
    assert await phase(ann) is Phase.STOPPED
    await ann.taps("adm_trail")
    assert all(word in ann.page.text for word in ("begun", "paused", "running", "stopped"))
    await ann.taps("adm_casts")
    assert "stopped" in ann.page.text


async def test_the_history_opens_on_what_became_of_each_to_whom_it_went_and_who_sent_it(ann: Ann) -> None:
    async with ann.database.write() as db:
        number = await broadcasts.draft(db, admin_id=500, message_id=1, now=NOON)
        await broadcasts.choose(db, number, language="de", awake_only=False)
        await broadcasts.begin(db, number, total=3, panel_id=2)
        cast = await broadcasts.find(db, number)
        assert cast is not None
        await broadcasts.feed(db, cast, now=NOON, limit=10)
        await broadcasts.start(db, number, [1, 2, 3], now=NOON)
        ends = [(1, Fate.DELIVERED, None), (2, Fate.FAILED, "Bad Request: VOICE_FORBIDDEN"), (3, Fate.UNKNOWN, "died")]
        await broadcasts.settle(db, [CopySettled(number, *end) for end in ends])
        await broadcasts.end(db, number, now=NOON + timedelta(minutes=5))

    await ann.taps("adm_casts")
    assert "1 · 26 Mar · done · 3 people" in ann.page.text
    await ann.taps(buttons(ann.page)["Report 1"])

    assert ann.page.text.splitlines() == [
        "<b>Broadcast 1: done</b>",
        "▓▓▓▓▓▓▓▓▓▓ 3 of 3",
        "Delivered 1",
        "Blocked 0 · unknown 1 · failed 1",
        "• failed, Bad Request: VOICE_FORBIDDEN: 1",
        "• unknown, died: 1",
        "",
        "To: Deutsch",
        "At once, also at night.",
        "Begun by 500, 2026-03-26 11:00 UTC",
        "Ended 2026-03-26 11:05 UTC",
    ]
    await ann.taps(buttons(ann.page)["‹ Broadcasts"])
    assert buttons(ann.page) == {"Report 1": "bc_report:1"}


async def test_another_admin_finds_the_buttons_of_one_under_way_in_the_history(ann: Ann) -> None:
    async with ann.database.write() as db:
        number = await broadcasts.draft(db, admin_id=500, message_id=1, now=NOON)
        await broadcasts.begin(db, number, total=3, panel_id=2)

    await ann.taps("bc_report:1")
    await ann.taps(buttons(ann.page)["Stop"])

    assert await phase(ann) is Phase.STOPPED


async def test_a_second_one_has_to_wait(ann: Ann) -> None:
    async with ann.database.write() as db:
        other = await broadcasts.draft(db, admin_id=500, message_id=1, now=NOON)
        await broadcasts.begin(db, other, total=1, panel_id=2)
    draft = await drafted(ann)

    await ann.taps(buttons(draft)["Send…"])
    await ann.taps(buttons(ann.page)["Yes, send to 5"])

    assert "Another broadcast is under way" in ann.page.text
    assert await phase(ann, 2) is Phase.DRAFT


async def test_a_cancelled_draft_cannot_be_sent(ann: Ann) -> None:
    draft = await drafted(ann)

    await ann.taps(buttons(draft)["Cancel"])
    assert "Nothing was sent" in ann.page.text
    await ann.taps("bc_go:1:5")

    assert "out of date" in ann.answer
    assert await phase(ann) is Phase.CANCELLED


@pytest.mark.parametrize(
    "data", ["bc_go:2:1", "bc_who:2:de", "bc_sleep:2:0", "bc_cancel:2", "bc_go:99", "bc_go", "bc_go:x"]
)
async def test_another_admins_draft_and_none_at_all_are_out_of_reach(ann: Ann, data: str) -> None:
    await drafted(ann)
    async with ann.database.write() as db:
        assert await broadcasts.draft(db, admin_id=500, message_id=1, now=NOON) == 2

    await ann.taps(data)

    assert "out of date" in ann.answer
    assert await phase(ann, 2) is Phase.DRAFT


async def test_who_is_no_admin_finds_no_such_command_and_no_such_button(database: Database) -> None:
    ann = Ann(database, NOON)
    await ann.moves_in()
    for command in ("/broadcast", "/admin"):
        await ann.types(command)
        assert "I do not know that command" in ann.page.text
    for verb in ("bc_go:1:1", "bc_stop:1", "adm", "adm_reload", "adm_trail", "adm_casts", "bc_report:1"):
        await ann.taps(verb)
        assert "out of date" in ann.answer
        assert ann.pages == []
