"""The texts keep their promises: covered claims, no dose, no promise, no ranking, room for translation."""

from __future__ import annotations

import re

import pytest

from bot.core import tips
from bot.texts import content
from bot.texts.content import Content

CONTENT: Content = content.load()
TEXTS = [text for _, text in content.messages(CONTENT)]


# -- what we wrote -----------------------------------------------------------------------------------------------------


def test_there_are_tips_for_a_good_while() -> None:
    assert len(CONTENT.tips) >= 100
    assert {tip.topic for tip in CONTENT.tips} == set(CONTENT.topics)
    assert {tip.strength for tip in CONTENT.tips} == set(CONTENT.strengths)


def test_every_form_leaves_its_user_enough_tips() -> None:
    for form in CONTENT.forms:
        fitting = [tip for tip in CONTENT.tips if form.id not in tip.unfit_forms and not tip.by_day]
        assert len(fitting) >= 60
        assert sum(not tip.tells for tip in fitting) >= 30


def test_no_two_tips_say_the_same() -> None:
    assert len({tip.text for tip in CONTENT.tips}) == len(CONTENT.tips)


def test_a_tip_has_at_most_four_sentences() -> None:
    for tip in CONTENT.tips:
        assert len(re.findall(r"[.?!](?:\s|$)", tip.text)) <= 4, tip.id


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_promises_or_diagnoses_or_pushes(text: str) -> None:
    said = text.lower()
    forbidden = (
        r"\bworks\b",
        r"\bcures?\b(?!,)",
        r"you (?:are|may be|might be) (?:probably |likely )?deficient",
        r"\byou need\b(?! not)",
        r"\byour dose\b",
        r"take more\b(?! magnesium until)",
        r"\bguarantee",
        r"\bmiracle",
        r"natural sleeping pill",
        r"\bbest form\b",
    )
    said = said.replace("112 works across europe", "")  # a telephone number, not a promise
    found = [pattern for pattern in forbidden if re.search(pattern, said)]
    if "it does not cure" in said:
        found = [pattern for pattern in found if "cure" not in pattern]
    assert not found


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_looks_like_a_format(text: str) -> None:
    assert not set(text) & set("{}%")


def test_nothing_rests_on_a_claim_to_avoid() -> None:
    avoided = {claim.id for claim in CONTENT.claims if claim.use == "avoid"}
    assert len(avoided) > 30
    assert not avoided & CONTENT.covered


def test_what_people_are_told_elsewhere_and_no_text_may_rest_on_is_refuted_openly() -> None:
    avoided = {claim.id for claim in CONTENT.claims if claim.use == "avoid" and claim.actionable}
    assert avoided <= CONTENT.refuted


def test_a_claim_that_a_text_rests_on_names_its_sources() -> None:
    general = {"x30"}  # leave a forgotten one: what every leaflet says, and no source of ours
    without = {claim.id for claim in CONTENT.claims if claim.id in CONTENT.covered and not claim.sources}
    assert without == general


def test_contested_claims_are_told_with_their_limits() -> None:
    uncertain = {claim.id for claim in CONTENT.claims if claim.verdict in ("weak", "contested", "contradicted")}
    certain = {"Well established", "Several studies agree"}
    honest = {"read_broccoli", "low_intake"}  # what these say against the claim is itself well established
    for tip in CONTENT.tips:
        if tip.claims and set(tip.claims) <= uncertain:
            assert tip.strength not in certain or tip.id in honest, tip.id


def test_the_most_quotable_number_says_what_it_rests_on() -> None:
    (tip,) = [tip for tip in CONTENT.tips if "17 minutes" in tip.text]
    for part in ("Two small trials", "55 older people", "above official limits", "graded low"):
        assert part in tip.text
    assert "third and largest trial found no gain" in tip.text


def test_our_tips_are_short_and_speak_plainly() -> None:
    for tip in CONTENT.tips:
        assert len(tip.text) <= 220, tip.id
        assert not re.search(r"\b(?:missed|streak|only|proven|best|works)\b|!", tip.text), tip.id


def test_nothing_about_illness_or_danger_comes_in_the_evening() -> None:
    frightening = (
        r"kidney disease|heartbeat|disturb the heart|heart disease|depression|wreck|build up|low mood|signs of too much"
    )
    for tip in CONTENT.tips:
        if re.search(frightening, tip.text):
            # Tips with the limits of what they say are no warnings.
            assert tip.by_day or tip.id in {"limits_are_not_for_food"}, tip.id


def test_what_gives_away_what_is_taken_is_marked() -> None:
    telling = r"magnesium|supplement|tablet|dummy|pill\b|glycin|citrate|oxide|liposomal|\boil\b|took something"
    for tip in CONTENT.tips:
        if re.search(telling, tip.text.lower()):
            assert tip.tells or tip.by_day, tip.id


def test_a_positive_trial_is_told_as_well() -> None:
    assert any("breus_2024" in tip.sources and "longer" in tip.text for tip in CONTENT.tips)


def test_what_rests_during_a_self_experiment_leaves_tips_for_every_evening_of_it() -> None:
    left = [tip for tip in CONTENT.tips if tip.topic not in CONTENT.held_back and not tip.by_day]
    assert len(left) >= 40
    assert CONTENT.held_back == {"magnesium", "myths", "forms", "timing"}


def test_popular_readings_begin_by_saying_so() -> None:
    for tip in CONTENT.tips:
        if tip.topic == "myths":
            assert tip.text.startswith("You may have read that "), tip.id


def test_the_forms_are_the_eleven_of_the_set_up() -> None:
    assert [form.id for form in CONTENT.forms] == [
        *("citrate", "glycinate", "oxide", "chloride", "malate", "l_threonate", "taurate"),
        *("topical_oil", "liposomal", "food_only", "other"),
    ]


def test_no_form_is_held_against_another() -> None:
    names = {form.name.lower() for form in CONTENT.forms} - {"other", "food only", "oil on the skin"}
    for form in CONTENT.forms:
        text = f"{form.what} {form.known} {form.gut}".lower()
        assert not re.search(r"better (?:absorbed )?than (?:" + "|".join(names) + ")", text), form.id
        assert not re.search(r"\b(?:best|worst|superior|most laxative)\b", text), form.id


def test_every_form_card_fits_with_its_sources() -> None:
    for form in CONTENT.forms:
        sources = [CONTENT.source(source) for source in form.sources]
        cited = sum(len(source.authors) + 10 for source in sources if source is not None)
        assert len(form.name + form.what + form.known + form.gut) + cited <= content.CARD_LONGEST


def test_the_safety_page_leaves_room_for_longer_languages() -> None:
    for medicines in (False, True):
        assert sum(len(text) + 3 for text in CONTENT.safety.half(medicines=medicines)) <= 2000


def test_the_safety_page_has_no_timetable_and_ends_with_the_pharmacist() -> None:
    page = " ".join(CONTENT.safety.texts())

    assert not re.search(r"\b(?:hours?|minutes?|h)\b|\d+ ?mg|upper limit", page)
    assert CONTENT.safety.closing.endswith("ask your pharmacist.")


def test_the_safety_page_names_who_asks_first_and_what_interferes() -> None:
    page = " ".join(CONTENT.safety.texts()).lower()
    for word in (
        *("kidney", "dialysis", "heart", "myasthenia", "bowel", "pregnant", "breastfeeding", "operation", "adults"),
        *(
            "doxycycline",
            "ciprofloxacin",
            "levothyroxine",
            "alendronate",
            "gabapentin",
            "dolutegravir",
            "mycophenolate",
        ),
        *("rosuvastatin", "digoxin", "furosemide", "spironolactone", "omeprazole", "penicillamine", "iron tablets"),
        *("hydroxychloroquine", "lithium", "nilotinib", "ulipristal", "polystyrene", "antacids", "laxatives"),
        *("three months", "breathing", "wheel", "legs", "low mood", "urgent", "no doubling"),
    ):
        assert word in page, word


def test_a_question_with_any_medicine_of_the_safety_page_is_heard() -> None:
    listed = [line for section in CONTENT.safety.sections if section.on_medicines for line in section.lines]
    assert len(listed) > 15
    for line in listed:
        for word in re.findall(
            r"[a-z]{8,}(?:cin|ine|ate|vir|tin|xin|ide|one|ole|nil|pag|nib|tal|lin)\b", line.text.lower()
        ):
            assert CONTENT.need.kind(f"I take {word}.", language="en", asks=True) == "medicine", word


def test_links_are_https_and_few_sources_have_none() -> None:
    assert all(source.link is None or source.link.startswith("https://") for source in CONTENT.sources)
    assert sum(source.link is None for source in CONTENT.sources) <= 5


# -- looking up and translating ----------------------------------------------------------------------------------------


def test_ids_lead_to_their_entries_and_unknown_ones_nowhere() -> None:
    tip = CONTENT.tips[3]
    form = CONTENT.forms[1]

    assert CONTENT.tip(tip.id) is tip
    assert CONTENT.form(form.id) is form
    assert CONTENT.source(tip.sources[0]) is not None
    assert CONTENT.tip("x") is CONTENT.form("x") is CONTENT.source("x") is None


def test_a_tip_has_its_number_for_good_and_no_two_have_the_same() -> None:
    ids = [tip.id for tip in CONTENT.tips]

    assert tips.number("light_dim") == 4848069
    assert [CONTENT.tip_id(tips.number(one)) for one in ids] == ids
    assert CONTENT.tip_id(-1) is None


def test_every_text_is_given_to_the_translators_once() -> None:
    given = set(TEXTS)

    assert len(TEXTS) == len(given)
    assert "" not in given
    assert {tip.text for tip in CONTENT.tips} <= given
    assert {*CONTENT.topics.values(), *CONTENT.strengths, *CONTENT.safety.texts()} <= given
    for form in CONTENT.forms:
        assert {form.name, form.what, form.known, form.gut} <= given
    for answer in CONTENT.answers.values():
        assert {answer.title, *answer.lines} <= given
