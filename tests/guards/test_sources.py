"""What a tip rests on is there, and nothing lies there that no text rests on."""

from __future__ import annotations

from tests.guards import reading


def test_every_source_is_one_that_some_text_rests_on() -> None:
    lines = [line for part in reading.texts().safety.sections for line in part.lines]
    entries = (*reading.texts().tips, *reading.texts().forms, *reading.texts().answers.values(), *lines)

    assert {source.id for source in reading.texts().sources} == {
        source for entry in entries for source in entry.sources
    }


def test_every_actionable_claim_is_covered() -> None:
    wanted = {claim.id for claim in reading.texts().claims if claim.actionable and claim.use != "avoid"}

    assert len(wanted) > 60
    assert wanted <= reading.texts().covered


def test_every_topic_has_a_tip() -> None:
    assert {tip.topic for tip in reading.texts().tips} == reading.texts().topics.keys()
