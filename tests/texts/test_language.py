"""Another language is a catalogue and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages import pofile

from bot.core.model import Person, Status
from bot.texts import content, language
from bot.views import pages, settings

SOMEBODY = Person(
    7, Status.ACTIVE, created_at=datetime(2026, 1, 1, tzinfo=UTC), seen_at=datetime(2026, 1, 1, tzinfo=UTC)
)
ROOT = Path(__file__).parents[2]

GERMAN = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Language: de\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Taken"
msgstr "Genommen"

msgid "Bedtime {time}"
msgstr "Schlafenszeit {time}"

msgid "Snoozed until {time}."
msgstr "Bis {uhrzeit}."

msgid "{n} night"
msgid_plural "{n} nights"
msgstr[0] "{n} Nacht"
msgstr[1] "{n} Nächte"
"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[language.Words]:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "bot.po").write_text(GERMAN, encoding="utf-8")
    monkeypatch.setattr(language, "LOCALES", tmp_path)
    _forget()
    yield language.words("de-AT")
    _forget()


def _forget() -> None:
    language.words.cache_clear()
    language._catalogues.cache_clear()


def test_a_catalogue_in_the_folder_is_a_language(german: language.Words) -> None:
    assert language.available() == ("en", "de")
    assert german.code == "de"
    assert german.name == "Deutsch"


def test_a_second_language_is_offered_and_the_only_one_is_not(german: language.Words) -> None:
    english = language.words("en")
    panel = settings.panel(english, SOMEBODY, zone_label="Berlin", form=None)
    assert "Language" in [button.text for row in panel.keyboard.inline_keyboard for button in row]
    assert "/language de" in pages.help_page(english, contact="").text
    assert settings.no_such_language(english).text == "I do not have that language yet. I have: English, Deutsch."


def test_sentences_come_from_the_catalogue(german: language.Words) -> None:
    assert german("Taken") == "Genommen"
    assert german("Bedtime {time}", time="22:30") == "Schlafenszeit 22:30"


def test_plurals_follow_the_catalogue(german: language.Words) -> None:
    assert german.plural("{n} night", "{n} nights", 1) == "1 Nacht"
    assert german.plural("{n} night", "{n} nights", 3) == "3 Nächte"


def test_a_missing_sentence_is_english(german: language.Words) -> None:
    assert german("Skip tonight") == "Skip tonight"


def test_a_translation_with_another_placeholder_falls_back_to_english(german: language.Words) -> None:
    assert german("Snoozed until {time}.", time="22:40") == "Snoozed until 22:40."


def test_dates_and_weekdays_follow_the_language(german: language.Words) -> None:
    assert german.night(date(2026, 11, 20)) == "Fr., 20. November"
    assert german.weekday(4) == "Fr"
    assert german.months["dezember"] == 12
    assert german.weekdays["freitag".capitalize()] == frozenset({4})


@pytest.mark.parametrize(
    ("code", "clock"),
    [("en", "22:30"), (None, "22:30"), ("xx", "22:30"), ("en-GB", "22:30"), ("en-US", "10:30\u202fPM")],
)
def test_the_clock_has_24_hours_unless_american_english_was_chosen(code: str | None, clock: str) -> None:
    assert language.words(code).minute(22 * 60 + 30) == clock


def test_values_are_made_safe_for_html() -> None:
    assert language.words("en")("Form: {form}.", form="<b>&") == "Form: &lt;b&gt;&amp;."


def test_an_instant_is_written_in_the_zone_it_is_asked_for() -> None:
    words, at = language.words("en"), datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert words.moment(at, "Asia/Kolkata") == "05:00"
    assert words.day(at, "Asia/Kolkata") == "Saturday 21 November"
    assert words.date_in(at, "America/New_York") == date(2026, 11, 20)


@pytest.mark.parametrize("code", ["", "zz-ZZ", "../../etc", "e" * 500, "de\x00"])
def test_any_code_gives_some_language(code: str) -> None:
    assert language.words(code).code == "en"


def test_translators_get_every_kind_of_sentence(tmp_path: Path) -> None:
    template = tmp_path / "bot.pot"
    babel = Path(sys.executable).parent / "pybabel"
    command = [babel, "-q", "extract", "-F", "babel.cfg", "-k", "words", "-k", "plural:1,2", "-o", template, "bot"]
    subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": "."}, check=True)
    with template.open("rb") as file:
        sentences = {message.id for message in pofile.read_po(file)}
    assert "I understand" in sentences
    assert ("{n} night", "{n} nights") in sentences
    assert {tip.text for tip in content.load().tips} <= sentences
