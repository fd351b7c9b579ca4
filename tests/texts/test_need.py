"""Sentences of people in need, and sentences that only sound like it, in every language that has phrases."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core import phrases
from bot.core.phrases import Finder
from bot.texts import content
from bot.texts.content import Content
from bot.texts.need import ASKS, CRISIS, KINDS, URGENT

CONTENT: Content = content.load()
TABLES = Path(__file__).parents[1] / "need"
NONE = "none"
"""The group of a table that is heard as nothing at all."""


def sentences() -> Iterator[tuple[str, str, str]]:
    """Every sentence of every table: language, what it is heard as, the sentence."""
    for path in sorted(TABLES.glob("*.toml")):
        for kind, lines in tomllib.loads(path.read_text(encoding="utf-8")).items():
            assert kind in (*KINDS, NONE), f"{path.name}: {kind}"
            yield from ((path.stem, kind, line) for line in lines.splitlines() if line.strip())


EVERY = list(sentences())


@pytest.mark.parametrize("language", sorted({language for language, _, _ in EVERY}))
def test_every_sentence_is_heard_as_what_it_is(language: str) -> None:
    wrong = []
    for spoken, kind, said in EVERY:
        heard = CONTENT.need.kind(said, language=spoken, asks=True) or NONE
        if spoken == language and heard != kind:
            wrong.append(f"{said!r} is {kind}, and heard as {heard}")

    assert not wrong


def test_every_language_with_phrases_has_a_table_of_sentences() -> None:
    caught = {language: 0 for language, _, _ in EVERY}
    let_go = dict(caught)
    for language, kind, _ in EVERY:
        (let_go if kind == NONE else caught)[language] += 1

    assert {one.language for one in CONTENT.need.languages} == set(caught)
    for language in caught:
        enough = 150 if language == "en" else 25
        assert caught[language] >= enough, language
        assert let_go[language] >= enough, language


@pytest.mark.parametrize("said", [said for _, kind, said in EVERY if kind in (CRISIS, URGENT)][::7])
def test_need_is_heard_whatever_the_persons_language_and_however_it_is_written(said: str) -> None:
    for language in ("en", "de", "ar", "xx"):
        assert CONTENT.need.kind(said, language=language, asks=False) in (CRISIS, URGENT)
    for written in (
        said.upper(),
        f"“{said}”",
        f"…  {said}!!! 😢",
        said.replace(" ", " \n"),
        f"\u200f{said}\u2069",
    ):
        assert CONTENT.need.kind(written, language="en", asks=False) in (CRISIS, URGENT), written


def test_questions_are_heard_only_where_they_are_looked_for() -> None:
    for language, kind, said in EVERY:
        if kind in ASKS:
            assert CONTENT.need.kind(said, language=language, asks=False) is None, said


def test_the_gravest_of_two_is_heard() -> None:
    for said, kind in {
        "how much should i take to die, i want to die": CRISIS,
        "my chest hurts and i want to kill myself": CRISIS,
        "how many mg? i took the whole bottle": URGENT,
        "my kidneys are bad. which form is best, how much?": "medicine",
        "can i take two, how many mg is that": "double",
    }.items():
        assert CONTENT.need.kind(said, language="en", asks=True) == kind, said


def test_an_idiom_beside_a_true_word_hides_nothing() -> None:
    for said in ("this job is killing me and i want to die", "i nearly died laughing, then i fainted"):
        assert CONTENT.need.kind(said, language="en", asks=False) is not None


def test_no_text_of_our_own_is_heard_as_need() -> None:
    # What somebody copies back to the bot is no cry for help; the safety page and the answers speak of danger themselves.
    for tip in CONTENT.tips:
        assert CONTENT.need.kind(tip.text, language="en", asks=False) in (None, URGENT), tip.id


# -- the phrases as such -----------------------------------------------------------------------------------------------


def found(phrase: str, said: str, **lists: tuple[str, ...]) -> bool:
    """Whether the phrase is in the text."""
    named = {name: phrases.any_of(entries) for name, entries in lists.items()}
    return bool(Finder([("x", phrases.parse(phrase, named))]).find(phrases.tokens(said)))


@pytest.mark.parametrize(
    ("phrase", "caught", "let_go"),
    [
        ("chest hurts", "My CHEST, hurts!", "chest that hurts"),
        ("can't breathe", "i cant breathe", "i can breathe"),
        ("cant breathe", "i can\u2019t breathe", "canter breathe"),
        ("want/wanna die", "wanna die", "want a die"),
        ("i (really/so) want", "I so want", "i never want"),
        ("heart * racing", "heart is racing", "heart is not racing"),
        ("heart ** racing", "heart is not racing", "heart is not just racing"),
        ("took # pills", "took 3 pills", "took some pills"),
        ("took ## pills", "took 30pills", "took 3 pills"),
        ("took ## pills", "took ٣٠ pills", "took ٣ pills"),
        ("^ overdose $", "Overdose!", "overdose of sun"),
        ("não quero viver", "nao quero viver", "não quero vinho"),
        ("für immer", "fuer immer", "fur coat"),
        ("=ölüyorum", "Ölüyorum", "oluyorum"),
        ("yaşamak istemiyorum", "YAŞAMAK İSTEMİYORUM", "yaşamak istiyorum"),
        ("artık bıktım", "ARTIK BIKTIM", "artı bıktım"),
        ("boğazım şişti", "BOĞAZIM ŞİŞTİ", "boğazım kuru"),
        ("أريد أن أموت", "اريد ان اموت", "اريد ان انام"),
        ("मरना चाहता हूँ", "मरना चाहता हूं", "करना चाहता हूं"),
        ("ज़िंदगी", "जिंदगी", "जिंदा"),
        ("想死", "我真的想死了", "我想睡"),
        ("อยากตาย", "ฉันอยากตายแล้ว", "ฉันอยากนอน"),
        ("死にたい", "もう死にたいです", "もう寝たいです"),
        ("всё", "ВСЕ", "всегда"),
    ],
)
def test_a_phrase_is_whole_words_however_they_are_written(phrase: str, caught: str, let_go: str) -> None:
    assert found(phrase, caught)
    assert not found(phrase, let_go)


def test_a_list_of_words_stands_for_each_of_its_entries() -> None:
    lists = {"want": ("want to", "wanna")}

    assert found("i <want> die", "I want to die", **lists)
    assert found("i <want> die", "i wanna die", **lists)
    assert not found("i <want> die", "i want die", **lists)


def test_only_so_much_of_a_text_is_looked_at() -> None:
    assert len(phrases.tokens("a " * 10_000)) == phrases.LONGEST // 2


def test_a_finder_forgets_its_steps_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases, "MOST_STEPS", 20)
    finder = Finder(
        ("yes" if number == 7 else "no", phrases.parse(f"a b{number} *** c", {})) for number in range(1, 90)
    )
    chance = random.Random(3)

    for _ in range(300):
        said = chance.choices(["a", "b1", "b7", "b8", "c", "d"], k=30)
        assert finder.find(said) == Finder(
            [("yes", phrases.parse("a b7 *** c", {})), *(("no", phrases.parse(f"a b{n} *** c", {})) for n in (1, 8))]
        ).find(said)


def test_random_text_is_read_without_an_error() -> None:
    chance = random.Random(4)
    letters = "aäßİ'’.,\n 0123٣①²漢ก\u0308\u200d\u064b\ud83d\U0001f600\x00#*^$()<>/=\u00b4"
    for _ in range(2_000):
        CONTENT.need.kind("".join(chance.choices(letters, k=chance.randrange(40))), language="en", asks=True)
