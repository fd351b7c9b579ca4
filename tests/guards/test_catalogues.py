"""A language has its sentences, with the values of the English ones; what people write in it is heard; a page names it."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from babel.messages import Catalog, Message, pofile

from bot.texts import language
from tests.guards import reading

TRANSLATED = [code for code in language.available() if code != language.SOURCE]


def catalogue(code: str) -> Catalog:
    with (language.LOCALES / code / "LC_MESSAGES/bot.po").open("rb") as file:
        return pofile.read_po(file, locale=code, abort_invalid=True)


def forms(texts: str | tuple[str, ...] | list[str]) -> list[str]:
    """A sentence, or its singular and plurals; those that are there."""
    return [text for text in ([texts] if isinstance(texts, str) else texts) if text]


def marks(text: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The names of the values in a sentence, and its HTML tags."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        names = {text}  # a brace without its other half
    return frozenset(names), tuple(sorted(re.findall(r"</?[a-z]+", text)))


def wrong(message: Message) -> list[str]:
    """The translations whose values or tags differ from those of every form of the English sentence."""
    english = [marks(text) for text in forms(message.id)]
    names = frozenset().union(*(names for names, _ in english))
    # A plural may leave out its number: "one night".
    return [
        text
        for text in forms(message.string)
        if marks(text) not in english and not (message.pluralizable and marks(text) == (names - {"n"}, english[0][1]))
    ]


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_has_the_values_and_tags_of_its_sentence(code: str) -> None:
    assert [text for message in catalogue(code) if message.id for text in wrong(message)] == []


@pytest.mark.parametrize(
    ("english", "translated", "good"),
    [
        ("Bedtime {time}", "Schlafenszeit {time}", True),
        ("Bedtime {time}", "Schlafenszeit", False),
        ("Bedtime {time}", "Schlafenszeit {zeit}", False),
        ("Bedtime {time}", "Schlafenszeit {time", False),
        ("<b>Safety</b>", "<b>Sicherheit</b>", True),
        ("<b>Safety</b>", "<b>Sicherheit", False),
        (("{n} night", "{n} nights"), ("eine Nacht", "{n} Nächte"), True),
        (("{n} night", "{n} nights"), ("eine Nacht", "{m} Nächte"), False),
    ],
)
def test_a_translation_that_lost_something_is_seen(
    english: str | tuple[str, str], translated: str | tuple[str, str], good: bool
) -> None:
    assert (wrong(Message(english, translated)) == []) is good


def test_people_in_need_are_heard_in_every_language_that_the_bot_writes() -> None:
    phrases, sentences = (
        {path.stem for path in (reading.ROOT / folder).glob("*.toml")} for folder in ("bot/texts/need", "tests/need")
    )

    assert set(language.available()) <= phrases
    assert sentences == phrases


def test_times_and_days_are_read_in_every_language_that_the_bot_writes() -> None:
    read = {path.stem for path in (reading.ROOT / "bot/texts/spoken").glob("*.toml")}

    assert {code.partition("_")[0] for code in language.available()} <= read


def test_the_page_on_translating_names_every_language() -> None:
    table = reading.section("docs/translating.md", "Languages")

    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(language.available())
