"""Every rule of the content files is held against somebody who breaks it, our operator or ourselves."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core import tips
from bot.core.model import Source, Tip
from bot.texts import content
from bot.texts.content import Content, ContentError

CONTENT: Content = content.load()
ARTICLE: dict[str, object] = {
    "id": "our_own",
    "topic": "food",
    "text": "Our canteen has spinach on Thursdays.",
    "strength": "Expert advice",
    "source": "nih_ods_mg",
}
JOURNAL: dict[str, object] = {
    "id": "canteen",
    "title": "The canteen",
    "authors": "Cook",
    "link": "https://example.org/menu",
}
Write = Callable[..., Path]


def toml(key: str, entry: dict[str, object]) -> str:
    """One entry of an array of tables. JSON's texts, lists, numbers and booleans are TOML's as well."""
    return f"[[{key}]]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in entry.items()) + "\n"


def problems(folder: Path | None = None, *, ours: Path = content.FOLDER) -> tuple[str, ...]:
    with pytest.raises(ContentError) as caught:
        content.load(folder, folder=ours)
    return caught.value.problems


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an operator's folder: tips and sources as entries, or any file as it stands."""

    def written(*tips: dict[str, object], sources: tuple[dict[str, object], ...] = (), **files: str) -> Path:
        if tips:
            (tmp_path / "tips.toml").write_text("\n".join(toml("tip", tip) for tip in tips), encoding="utf-8")
        if sources:
            (tmp_path / "sources.toml").write_text("\n".join(toml("source", one) for one in sources), encoding="utf-8")
        for name, text in files.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return written


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """A copy of our own files in which one text of one file was replaced."""

    def copied(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "ours"
        shutil.copytree(content.FOLDER, folder)
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return copied


# -- the operator's own folder -----------------------------------------------------------------------------------------


def test_an_empty_folder_changes_nothing(tmp_path: Path) -> None:
    assert content.load(tmp_path) == CONTENT


def test_a_new_id_adds_a_tip_which_may_rest_on_no_claim(write: Write) -> None:
    loaded = content.load(write(ARTICLE))

    assert loaded.tips == (
        *CONTENT.tips,
        Tip("our_own", "food", str(ARTICLE["text"]), "Expert advice", ("nih_ods_mg",), (), tells=True),
    )


def test_a_known_id_changes_only_what_is_given(write: Write) -> None:
    before = CONTENT.tips[0]

    after = content.load(write({"id": before.id, "text": "Said in our own way."})).tip(before.id)

    assert after == replace(before, text="Said in our own way.")


def test_off_takes_a_tip_away_and_false_leaves_it(write: Write) -> None:
    gone, kept = CONTENT.tips[0].id, CONTENT.tips[1].id

    loaded = content.load(write({"id": gone, "off": True}, {"id": kept, "off": False}))

    assert loaded.tip(gone) is None
    assert loaded.tip(kept) == CONTENT.tip(kept)
    assert len(loaded.tips) == len(CONTENT.tips) - 1


def test_an_operator_brings_sources_and_topics(write: Write) -> None:
    tip = toml("tip", {**ARTICLE, "source": "canteen", "topic": "canteen"})

    loaded = content.load(write(sources=(JOURNAL,), tips=f'[topics]\ncanteen = "Our canteen"\n{tip}'))

    assert loaded.source("canteen") == Source("canteen", "The canteen", "Cook", None, "https://example.org/menu")
    assert loaded.topics == {**CONTENT.topics, "canteen": "Our canteen"}
    assert loaded.tips[-1].topic == "canteen"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id": "Our-Own"}, "the id must be"),
        ({"id": "o" * 33}, "the id must be"),
        ({"id": ""}, "id is missing"),
        ({"id": 7}, "id is missing"),
        ({"topic": "gossip"}, "topic 'gossip' is not known"),
        ({"text": ""}, "text is missing"),
        ({"text": ["a"]}, "text is missing"),
        ({"text": "a" * 351}, "text has 351 characters, 350 is the most"),
        ({"text": " spinach"}, "begins or ends with a space"),
        ({"text": "one\nline"}, "a control character"),
        ({"text": "beep\u0085"}, "a control character"),
        ({"text": "turned \u202eround"}, "a control character"),
        ({"text": "mark\u200f"}, "a control character"),
        ({"text": "a <b>bold</b> claim"}, "holds HTML"),
        ({"text": "fish &amp; chips"}, "holds HTML"),
        ({"text": "Take 300 mg tonight"}, "names an amount (300 mg)"),
        ({"text": "Try 0.5g of it"}, "names an amount"),
        ({"text": "About 1,000 milligrams"}, "names an amount"),
        ({"text": "some 200\u00b5g"}, "names an amount"),
        ({"text": "some 200\u03bcg"}, "names an amount"),
        ({"text": "４００ｍｇ"}, "names an amount"),
        ({"text": "two tablets are fine"}, "names an amount (two tablets)"),
        ({"text": "half a tablet is fine"}, "names an amount"),
        ({"text": "a few hundred milligrams"}, "names an amount"),
        ({"text": "300 мг на ночь"}, "names an amount"),
        ({"text": "睡前四百毫克"}, "names an amount"),
        ({"strength": "Dead certain"}, "strength 'Dead certain' is not known"),
        ({"source": "hearsay"}, "sources names 'hearsay', which does not exist"),
        ({"sources": ["nih_ods_mg"]}, "it gives both source and sources"),
        ({"by_day": "yes"}, "by_day is neither true nor false"),
        ({"tells": 1}, "tells is neither true nor false"),
        ({"refutes": ["f026"]}, "it refutes the claim 'f026', which other texts may rest on"),
        ({"refutes": ["f999"]}, "refutes names 'f999', which does not exist"),
        ({"withdrawn": "w" * 161}, "withdrawn has 161 characters"),
        ({"withdrawn": "It named 300 mg"}, "names an amount"),
        ({"claims": ["f999"]}, "claims names 'f999', which does not exist"),
        ({"claims": ["f140"]}, "rests on the claim 'f140', which is not to be used"),
        ({"claims": "f026"}, "claims is not a list of texts"),
        ({"claims": ["f026", "f026"]}, "claims names one id twice"),
        ({"unfit_forms": ["gravel"]}, "unfit_forms names 'gravel', which does not exist"),
        ({"unfit_form": ["oxide"]}, "unfit_form is not a known field"),
        ({"off": "yes"}, "off is neither true nor false"),
        ({"off": True}, "nothing of this id to switch off"),
    ],
)
def test_a_broken_rule_is_told_with_file_and_entry(write: Write, change: dict[str, object], complaint: str) -> None:
    folder = write({**ARTICLE, **change})

    found = problems(folder)

    assert any(complaint in problem for problem in found), found
    told = f"{folder / 'tips.toml'}: tip {change.get('id', 'our_own')!r}"
    assert all(problem.startswith(told) and problem.endswith(".") for problem in found), found


@pytest.mark.parametrize("field", ["topic", "text", "strength", "source"])
def test_a_new_tip_needs_every_field(write: Write, field: str) -> None:
    (found,) = problems(write({name: value for name, value in ARTICLE.items() if name != field}))

    assert ("it names no source" if field == "source" else f"{field} is missing") in found


def test_a_tip_may_have_several_sources_and_one_may_be_given_alone(write: Write) -> None:
    several = {**ARTICLE, "sources": ["iom_1997", "nih_ods_mg"]}
    del several["source"]
    shared = next(tip.id for tip in CONTENT.tips if len(tip.sources) > 1)

    loaded = content.load(write(several, {"id": shared, "source": "iom_1997"}))

    assert loaded.tips[-1].sources == ("iom_1997", "nih_ods_mg")
    changed = loaded.tip(shared)
    assert changed is not None
    assert changed.sources == ("iom_1997",)


def test_an_operator_s_tip_is_hidden_in_discreet_mode_unless_it_says_that_it_tells_nothing(write: Write) -> None:
    quiet = {**ARTICLE, "id": "quiet", "tells": False}
    named = {**ARTICLE, "id": "named", "tells": False, "text": "Magnesium is in spinach."}

    loaded = content.load(write(ARTICLE, quiet, named))

    assert [tip.tells for tip in loaded.tips[-3:]] == [True, False, True]


def test_two_tips_of_one_number_are_told(write: Write) -> None:
    seen: dict[int, str] = {}
    for place in itertools.count():
        one = f"tip{place}"
        other = seen.setdefault(tips.number(one), one)
        if other != one:
            break

    found = problems(write({**ARTICLE, "id": other}, {**ARTICLE, "id": one}))

    assert [problem for problem in found if f"its number is that of {other!r}" in problem]


def test_a_withdrawn_tip_is_kept_with_its_reason_and_shown_no_more(write: Write) -> None:
    gone = CONTENT.tips[0]

    loaded = content.load(write({"id": gone.id, "withdrawn": "Its trial was taken back."}))

    assert loaded.tip(gone.id) is None
    assert loaded.withdrawn == {**CONTENT.withdrawn, gone.id: "Its trial was taken back."}
    assert "Its trial was taken back." in [text for _, text in content.messages(loaded)]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"link": "http://example.org"}, "link is not an https address"),
        ({"link": "https://"}, "link is not an https address"),
        ({"link": 'https://example.org/"x'}, "link is not an https address"),
        ({"link": "javascript:alert(1)"}, "link is not an https address"),
        ({"link": "https://[broken.example.org"}, "link is not an https address"),
        ({"link": 5}, "link is missing or is not a text"),
        ({"year": 1492}, "year is not a whole number from 1900 to 2100"),
        ({"year": "2020"}, "year is not a whole number"),
        ({"year": True}, "year is not a whole number"),
        ({"title": "t" * 251}, "title has 251 characters"),
        ({"authors": ""}, "authors is missing"),
        ({"doi": "10.1/1"}, "doi is not a known field"),
        ({"checked": "2026-11-28"}, "checked is not a day such as 2026-11-28"),
    ],
)
def test_a_broken_source_is_told(write: Write, change: dict[str, object], complaint: str) -> None:
    found = problems(write(sources=({**JOURNAL, **change},)))

    assert any(complaint in problem and "sources.toml: source 'canteen'" in problem for problem in found), found


def test_one_id_given_twice_is_told(write: Write) -> None:
    assert "this id is given twice" in problems(write(ARTICLE, ARTICLE))[0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("tip = [", "cannot be read"),
        ("tip = 5", "tip is not a list of entries"),
        ("tip = [5]", "tip is not a list of entries"),
        ("topics = 5", "topics is not a table"),
        ('[topics]\nBad-Id = "Label"', "'Bad-Id' must be"),
        ('[topics]\nfine = ""', "fine is missing"),
        ('strengths = ["Dead certain"]', "strengths is not a known field"),
        ("[topics]\n" + "\n".join(f'{"t" * 30}{n} = "Label"' for n in range(9)), "more than 255 characters together"),
    ],
)
def test_a_broken_file_is_told(write: Write, text: str, complaint: str) -> None:
    found = problems(write(tips=text))

    assert any(complaint in problem and "tips.toml" in problem for problem in found), found


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "tips.toml").write_bytes(b"# caf\xe9\n")

    assert "cannot be read" in problems(tmp_path)[0]


def test_a_missing_folder_and_a_stray_file_are_told(write: Write, tmp_path: Path) -> None:
    assert "does not exist" in problems(tmp_path / "nowhere")[0]
    assert "is not read" in problems(write(forms=""))[0]


def test_all_problems_are_told_at_once(write: Write) -> None:
    found = problems(write({**ARTICLE, "topic": "gossip", "source": "hearsay"}, {"id": "gone", "off": True}))

    assert len(found) == 3
    assert str(ContentError(found)) == "\n".join(found)


# -- our own files, broken ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        ("tips.toml", 'claims = ["x03"]', "claims = []", "it names no claim"),
        ("tips.toml", "Well established", "W" * 61, "61 characters, 60 is the most"),
        ("forms.toml", 'name = "Citrate"', 'name = "Citrate, 300 mg"', "names an amount"),
        ("forms.toml", 'inline = "citrate"', 'inline = "<i>citrate</i>"', "holds HTML"),
        ("forms.toml", 'what = "Magnesium', 'what = "' + "m" * 800, "the card has"),
        ("forms.toml", 'sources = ["nielsen_2010", "walker_2003", "nih_ods_mg"]', "sources = []", "it names no source"),
        ("forms.toml", 'claims = ["f143"]', 'claims = ["f141"]', "is not to be used"),
        ("safety.toml", "Pregnant or breastfeeding", "m" * 301, "text has 301 characters"),
        ("safety.toml", "\nfolded = true", '\nfolded = "yes"', "folded is neither true nor false"),
        ("sources.toml", "checked = ", "# checked = ", "checked is missing"),
        ("sources.toml", "checked = ", "checked = 1 # ", "checked is not a day"),
        ("tips.toml", 'held_back = ["magnesium"', 'held_back = ["gossip"', "held_back names 'gossip'"),
        ("claims.toml", 'sources = ["', 'sources = ["hearsay", "', "sources names 'hearsay', which does not exist"),
        ("safety.toml", 'title = "Stop the magnesium:"', 'titel = "Stop"', "titel is not a known field"),
        ("safety.toml", 'closing = "', 'closing = "' + "c" * 190, "closing has"),
        ("safety.toml", 'sources = ["mgfa"]', 'sources = ["hearsay"]', "which does not exist"),
        ("claims.toml", 'verdict = "weak"', 'verdict = "dubious"', "verdict 'dubious' is not known"),
        ("claims.toml", 'use = "caveat"', 'use = "perhaps"', "use 'perhaps' is not known"),
        ("claims.toml", "actionable = false", 'actionable = "no"', "actionable is neither true nor false"),
        ("claims.toml", "f001 = {", "F-001 = {", "F-001 is not an entry"),
        ("claims.toml", "f002 = { phrase", "f000 = 1\nf002 = { phrase", "f000 is not an entry"),
        ("sources.toml", "[[source]]", "sauce = 1\n[[source]]", "sauce is not a known field"),
    ],
)
def test_a_rule_broken_in_our_own_files_is_told(
    changed: Callable[[str, str, str], Path], file: str, old: str, new: str, complaint: str
) -> None:
    found = problems(ours=changed(file, old, new))

    assert any(complaint in problem and problem.startswith(file) for problem in found), found


def test_a_safety_page_that_grew_too_long_is_told(changed: Callable[[str, str, str], Path]) -> None:
    more = "".join(f'[[section.line]]\nid = "more_{n}"\ntext = "{"m" * 280}"\n\n' for n in range(3))
    found = problems(
        ours=changed("safety.toml", '[[section.line]]\nid = "heart"', f'{more}[[section.line]]\nid = "heart"')
    )

    assert any("2300 is the most" in problem for problem in found)


def test_a_fixed_answer_too_few_is_told(changed: Callable[[str, str, str], Path]) -> None:
    folder = changed("answers.toml", 'id = "crisis"', 'id = "crysis"')

    (found,) = problems(ours=folder)
    assert found.startswith("answers.toml: there must be one answer for each of crisis, urgent, ")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ('lines = ["Take 300 mg and rest."]', "lines names an amount (300 mg)"),
        ('lines = "rest"', "lines is not a list of texts"),
        ('strength = "Dead certain"', "strength 'Dead certain' is not known"),
        ('sources = ["hearsay"]', "sources names 'hearsay', which does not exist"),
        ('claims = ["f140"]', "rests on the claim 'f140', which is not to be used"),
        ("number = 999", "number is not a known field"),
    ],
)
def test_a_fixed_answer_that_breaks_a_rule_is_told(
    changed: Callable[[str, str, str], Path], change: str, complaint: str
) -> None:
    heading = '[[answer]]\nid = "urgent"\n'
    folder = changed("answers.toml", heading, f'{heading}{change}\ntitle = "Now."\n[[answer]]\nid = "rest"\n')

    assert any(complaint in problem for problem in problems(ours=folder))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[crisis]\na = 'want to die'", "there are no phrases for urgent."),
        ("[crisis]\na = 'x <y>'", "crisis: a: 'x <y>': there is no list of words for <y>."),
        ("[crisis]\na = 'x (y'", "crisis: a: 'x (y': no word fits '(y'."),
        ("[crisis]\na = 'x (y)'", "crisis: a: 'x (y)': it must begin and end with something that is always there."),
        ("[crisis]\na = '* x'", "it must begin and end with something that is always there."),
        ("[crisis]\na = 'x - y'", "crisis: a: 'x - y': no word fits '-'."),
        ("[crisis]\na = 'x//y z'", "crisis: a: 'x//y z': no word fits ''."),
        ("[words]\na = '#5'", "words: a: no word fits '#5'."),
        ("[crisis]\na = ['x']", "crisis: a is not a text with an entry a line."),
        ("[crisis]\na = ''", "crisis: a is not a text with an entry a line."),
        ("[crisis]\nA = 'x'", "crisis: 'A' must be 1 to 32 of a-z, 0-9 and _."),
        ("[crisis]\na = '" + "x " * 101 + "'", "crisis: a: a phrase has 201 characters, 200 is the most."),
        ("[crisis]\na = '''\n" + "x\n" * 3001 + "'''", "there are 3001 phrases, 3000 is the most."),
        ("[ask]\nprice = 'x'", "ask: price is not a known field"),
        ("[hunger]\na = 'x'", "hunger is not a known field"),
        ("crisis = 3", "crisis is not a table such as [crisis]."),
        ("[crisis\n", "cannot be read"),
    ],
)
def test_a_file_of_phrases_that_breaks_a_rule_is_told(tmp_path: Path, text: str, complaint: str) -> None:
    folder = tmp_path / "ours"
    shutil.copytree(content.FOLDER, folder)
    (folder / "need" / "xx.toml").write_text(text, encoding="utf-8")

    found = problems(ours=folder)

    assert any(problem.startswith("need/xx.toml: ") and complaint in problem for problem in found), found


def test_a_file_of_phrases_is_named_by_a_language_and_english_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    shutil.copytree(content.FOLDER, folder)
    (folder / "need" / "en.toml").rename(folder / "need" / "english.toml")

    assert problems(ours=folder) == (
        "need/english.toml: its name is not the code of a language, such as de or pt_BR.",
        "need/en.toml: is missing, and without it nobody in need would be heard.",
    )
