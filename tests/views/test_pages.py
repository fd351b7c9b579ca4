"""The pages as Telegram would take them: valid HTML, short enough, with buttons that can be read back."""

from __future__ import annotations

import gettext
import re
from dataclasses import replace

import pytest

from bot import handlers
from bot.core import callback_data
from bot.core.model import Form, Source, Tip
from bot.fake_telegram import formatting
from bot.texts import content as contents
from bot.texts import language
from bot.texts.content import Content
from bot.texts.language import Words
from bot.views import pages
from bot.views.message import TEXT_LIMIT, View

CONTENT: Content = contents.load()
ENGLISH = language.words("en")
HOSTILE = 'a < b & "c" <b>'


class Catalogue(gettext.NullTranslations):
    """A language in which every text of the content reads like a tag."""

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self._texts = texts

    def gettext(self, message: str) -> str:
        return HOSTILE if message in self._texts else message


def hostile(*texts: str) -> Words:
    return Words("xx", Catalogue(*texts))


def shown(view: View) -> str:
    """What a reader sees. Raises for HTML that Telegram refuses."""
    return formatting.from_html(view.text).plain


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def labels(view: View) -> list[str]:
    rows = view.keyboard.inline_keyboard if view.keyboard is not None else ()
    return [button.text for row in rows for button in row]


def pressed(view: View, label: str) -> callback_data.Press:
    """What the button of this label says."""
    rows = view.keyboard.inline_keyboard if view.keyboard is not None else ()
    found = next(button for row in rows for button in row if button.text == label)
    read = callback_data.parse(str(found.callback_data))
    assert read is not None
    return read


def every_page() -> dict[str, View]:
    form_cards = {
        f"card {form.id} {mode}": pages.form_card(ENGLISH, form, CONTENT, mode=mode)
        for form in CONTENT.forms
        for mode in (pages.CHOOSE, pages.READ)
    }
    return {
        "help": pages.help_page(ENGLISH, contact="@somebody"),
        "privacy": pages.privacy(ENGLISH, contact="x" * 200),
        "safety": pages.safety(ENGLISH, CONTENT, accepted=False),
        "medicines": pages.medicines(ENGLISH, CONTENT, accepted=False),
        "topics": pages.topics(ENGLISH, CONTENT, {"care"}, retired=2),
        "no tips": pages.no_tips(ENGLISH, retired=True),
        "forms": pages.form_list(ENGLISH, CONTENT.forms, mode=pages.READ),
        **form_cards,
    }


@pytest.mark.parametrize("name", every_page())
def test_a_page_leaves_room_for_longer_languages(name: str) -> None:
    view = every_page()[name]

    # Translations run half as long again as English at the worst.
    assert units(shown(view)) * 1.5 <= TEXT_LIMIT


@pytest.mark.parametrize("name", every_page())
def test_the_buttons_of_a_page_can_be_read_back(name: str) -> None:
    view = every_page()[name]

    for label in labels(view):
        assert pressed(view, label).verb
        assert units(label) <= 40


@pytest.mark.parametrize("tip", CONTENT.tips, ids=lambda tip: tip.id)
def test_a_tip_is_short_names_its_evidence_and_its_source(tip: Tip) -> None:
    view = pages.tip_page(ENGLISH, tip, CONTENT)

    topic, text, evidence = shown(view).split("\n")
    assert topic == CONTENT.topics[tip.topic]
    assert text == tip.text
    assert evidence.startswith(f"{tip.strength} · ")
    assert len(evidence) > len(tip.strength) + 4


@pytest.mark.parametrize("tip", CONTENT.tips, ids=lambda tip: tip.id)
def test_the_buttons_of_a_tip_name_it(tip: Tip) -> None:
    view = pages.tip_page(ENGLISH, tip, CONTENT)

    assert pressed(view, "Another") == callback_data.Press("tip_more", (tip.id,))
    assert pressed(view, "Not for me").args[0] == tip.id
    assert pressed(pages.tip_retired(ENGLISH, tip), "Bring it back") == callback_data.Press("tip_up", (tip.id,))


def test_a_translated_tip_cannot_break_the_message() -> None:
    tip = CONTENT.tips[0]

    text = pages.tip_lines(tip, hostile(tip.text, tip.strength), CONTENT)

    assert formatting.from_html(text).plain.startswith(f"{HOSTILE}\n{HOSTILE} · ")


def test_a_translated_form_cannot_break_its_card() -> None:
    form = CONTENT.forms[0]

    view = pages.form_card(hostile(form.name, form.what, form.known, form.gut), form, CONTENT, mode=pages.READ)

    assert shown(view).count(HOSTILE) == 4


def test_a_source_with_an_address_is_a_link_to_it() -> None:
    tip = next(tip for tip in CONTENT.tips if len(tip.sources) == 1 and _source(tip).link is not None)

    entities = formatting.from_html(pages.tip_lines(tip, ENGLISH, CONTENT)).entities

    assert [dict(entity.extra) for entity in entities if entity.kind == "text_link"] == [{"url": _source(tip).link}]


def test_a_source_without_an_address_is_named() -> None:
    source = next(source for source in CONTENT.sources if source.link is None)

    text = pages.tip_lines(replace(CONTENT.tips[0], sources=(source.id,)), ENGLISH, CONTENT)

    assert text.endswith(f"source: {pages.cite(ENGLISH, source)}")


def test_every_source_of_a_tip_is_named() -> None:
    tip = next(tip for tip in CONTENT.tips if len(tip.sources) > 1)

    text = pages.tip_lines(tip, ENGLISH, CONTENT)

    assert [f">{pages.cite(ENGLISH, source)}</a>" in text for source in map(CONTENT.source, tip.sources) if source] == [
        True for _ in tip.sources
    ]


def test_rarer_medicines_are_behind_a_tap() -> None:
    page = pages.medicines(ENGLISH, CONTENT, accepted=True).text

    folded = page[page.index("<b>Rarer:</b>") :]
    assert folded.startswith("<b>Rarer:</b>\n<blockquote expandable>• Transplant")
    assert "Levothyroxine, gabapentin, HIV tablets" in page[: page.index("<b>Rarer:</b>")]


def _source(tip: Tip) -> Source:
    source = CONTENT.source(tip.sources[0])
    assert source is not None
    return source


@pytest.mark.parametrize(
    ("authors", "year", "cited"),
    [
        ("Abbasi and others", 2012, "Abbasi and others 2012"),
        ("National Institutes of Health, USA", None, "National Institutes of Health, USA"),
        ("O'Neil & Sons and others", 2001, "O'Neil & Sons and others 2001"),
    ],
)
def test_a_source_is_cited_by_who_and_when(authors: str, year: int | None, cited: str) -> None:
    source = Source("x", title="A trial", authors=authors, year=year, link=None)

    assert pages.cite(ENGLISH, source) == cited


# -- help and privacy --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", shown(pages.help_page(ENGLISH, contact="@somebody")).split("\n"))
def test_the_lines_of_the_help_are_short(line: str) -> None:
    assert len(line) <= 80


def test_help_and_privacy_say_who_runs_the_bot() -> None:
    for page in (pages.help_page, pages.privacy):
        assert "Ann & Bob <ann@example.org>" in shown(page(ENGLISH, contact="Ann & Bob <ann@example.org>"))
        assert "operator has not said" in shown(page(ENGLISH, contact=""))


def test_the_privacy_page_says_what_telegram_can_see_and_how_to_leave() -> None:
    text = shown(pages.privacy(ENGLISH, contact=""))

    assert "not end-to-end encrypted" in text
    assert "/stop" in text
    assert "30 days" in text
    assert "/delete erases all of it" in text


def test_the_privacy_page_owns_up_to_the_notes_that_are_kept() -> None:
    assert "the notes you wrote" in shown(pages.privacy(ENGLISH, contact=""))


def test_the_privacy_page_promises_no_command_that_is_not_there() -> None:
    text = shown(pages.privacy(ENGLISH, contact=""))

    assert set(re.findall(r"/([a-z]+)", text)) <= handlers.COMMANDS.keys()


# -- topics ------------------------------------------------------------------------------------------------------------


def test_a_topic_s_switch_does_the_opposite_of_what_it_shows() -> None:
    view = pages.topics(ENGLISH, CONTENT, {"caffeine"}, retired=0)

    assert pressed(view, "✕ Caffeine") == callback_data.Press("topic", ("caffeine", "on"))
    assert pressed(view, "✓ Alcohol") == callback_data.Press("topic", ("alcohol", "off"))


def test_tips_can_be_brought_back_where_some_were_put_away() -> None:
    assert "Bring the tips back" in labels(pages.topics(ENGLISH, CONTENT, (), retired=1))
    assert "Bring the tips back" not in labels(pages.topics(ENGLISH, CONTENT, (), retired=0))
    assert "Bring the tips back" in labels(pages.no_tips(ENGLISH, retired=True))
    assert "Bring the tips back" not in labels(pages.no_tips(ENGLISH, retired=False))


# -- the form guide and the safety page --------------------------------------------------------------------------------


def test_the_guide_lists_every_form_and_leads_to_its_card() -> None:
    view = pages.form_list(ENGLISH, CONTENT.forms, mode=pages.CHOOSE)

    for form in CONTENT.forms:
        assert pressed(view, form.name) == callback_data.Press("form_card", (form.id, "choose"))
    assert len(labels(view)) == len(CONTENT.forms)


@pytest.mark.parametrize("form", CONTENT.forms, ids=lambda form: form.id)
def test_a_form_can_be_chosen_only_where_one_is_being_chosen(form: Form) -> None:
    choosing = pages.form_card(ENGLISH, form, CONTENT, mode=pages.CHOOSE)
    reading = pages.form_card(ENGLISH, form, CONTENT, mode=pages.READ)

    assert pressed(choosing, "Choose this") == callback_data.Press("form", (form.id,))
    assert "Choose this" not in labels(reading)
    assert pressed(reading, "‹ Back to the list") == callback_data.Press("form_list", ("read",))


def test_a_source_without_an_address_is_only_named_among_others() -> None:
    source = next(source for source in CONTENT.sources if source.link is None)
    form = replace(CONTENT.forms[0], sources=(source.id,))

    card = shown(pages.form_card(ENGLISH, form, CONTENT, mode=pages.READ))

    assert card.endswith(f"Read on\n{pages.cite(ENGLISH, source)}")


def test_a_form_without_sources_has_no_empty_heading() -> None:
    form = replace(CONTENT.forms[0], sources=())

    assert "Read on" not in shown(pages.form_card(ENGLISH, form, CONTENT, mode=pages.READ))


def test_every_line_of_the_safety_text_is_on_one_of_its_two_pages() -> None:
    both = shown(pages.safety(ENGLISH, CONTENT, accepted=True)) + shown(
        pages.medicines(ENGLISH, CONTENT, accepted=True)
    )

    for section in CONTENT.safety.sections:
        for line in section.lines:
            assert f"• {line.text}" in both


def test_both_safety_pages_end_with_whom_to_ask() -> None:
    for page in (pages.safety, pages.medicines):
        assert shown(page(ENGLISH, CONTENT, accepted=True)).endswith("ask your pharmacist.")


def test_the_safety_pages_can_be_accepted_by_those_who_have_not() -> None:
    for page in (pages.safety, pages.medicines):
        assert pressed(page(ENGLISH, CONTENT, accepted=False), "I understand") == callback_data.Press("consent")
        assert "I understand" not in labels(page(ENGLISH, CONTENT, accepted=True))


def test_the_safety_pages_lead_to_each_other() -> None:
    assert pressed(pages.safety(ENGLISH, CONTENT, accepted=True), "Medicines ›").verb == "safety_meds"
    assert pressed(pages.medicines(ENGLISH, CONTENT, accepted=True), "‹ Back") == callback_data.Press(
        "safety", ("back",)
    )
