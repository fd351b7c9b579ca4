"""Telegram's HTML, its entities and its refusals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.fake_telegram import formatting
from bot.fake_telegram.formatting import Text
from bot.fake_telegram.values import Refused, utf16

EVERY_TAG = [
    "<b>x</b>",
    "<i>x</i>",
    "<u>x</u>",
    "<s>x</s>",
    "<tg-spoiler>x</tg-spoiler>",
    '<a href="https://example.org/a?b=1&amp;c=2">x</a>',
    "<code>x</code>",
    "<pre>x</pre>",
    "<blockquote>x</blockquote>",
    "<blockquote expandable>x</blockquote>",
    '<tg-emoji emoji-id="5368324170671202286">👍</tg-emoji>',
    '<tg-time unix="1647531900" format="wDT">22:45</tg-time>',
    '<tg-time unix="1647531900">22:45</tg-time>',
    "a <b>bold <i>both</i></b> z",
    "1 &lt; 2 &amp; 3 &gt; 2",
]


@pytest.mark.parametrize("source", EVERY_TAG)
def test_everything_that_can_be_written_can_be_read_back(source: str) -> None:
    assert formatting.to_html(formatting.from_html(source)) == source


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("<strong>x</strong>", "bold"),
        ("<em>x</em>", "italic"),
        ("<ins>x</ins>", "underline"),
        ("<del>x</del>", "strikethrough"),
        ("<strike>x</strike>", "strikethrough"),
        ('<span class="tg-spoiler">x</span>', "spoiler"),
        ("<B>x</B>", "bold"),
    ],
)
def test_other_spellings_of_a_tag_mean_the_same(source: str, kind: str) -> None:
    assert formatting.from_html(source).entities[0].kind == kind


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("é<b>x</i>", 'Unmatched end tag at byte offset 6, expected "</b>", found "</i>"'),
        ("<b><i>x</b></i>", "Unmatched end tag"),
        ("<p>x</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("a<br>b", 'Unsupported start tag "br" at byte offset 1'),
        ("1 < 2", "Unclosed start tag at byte offset 2"),
        ("1 <2> 3", "Unsupported start tag"),
        ("bed & breakfast", 'Unescaped "&"'),
        ("a&nbsp;b", "unsupported entity"),
        ("<b", "Unclosed start tag"),
        ("<b>x</b", "Unclosed end tag"),
        ('<b class="x">x</b>', "Unsupported attribute"),
        ("<span>x</span>", 'must have class "tg-spoiler"'),
        ('<a href="here">x</a>', "Invalid URL"),
        ("<a>x</a>", "Invalid URL"),
        ('<a href="https://example.org>x</a>', "Bad attributes"),
        ('<tg-emoji emoji-id="a">x</tg-emoji>', "Invalid custom emoji"),
        ('<tg-time unix="now">x</tg-time>', "Invalid date specified"),
        ('<tg-time unix="1" format="HH:MM">x</tg-time>', "Invalid date format"),
    ],
)
def test_what_telegram_cannot_parse_is_refused_with_the_place(source: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        formatting.from_html(source)

    assert refused.value.description.startswith("Bad Request: can't parse entities: ")
    assert reason in refused.value.description


def test_offsets_count_utf16_units_and_move_when_white_space_is_cut_off() -> None:
    text = formatting.from_html("\n 😴 <b> bold </b>\n")

    assert text.plain == "😴  bold"
    assert [(one.offset, one.length) for one in text.entities] == [(3, 5)]


def test_commands_links_and_mentions_are_found_but_not_inside_code_or_links() -> None:
    text = formatting.detected(formatting.from_html("😴 /start at https://example.org/a. <code>/no</code> @someone"))

    found = [(one.kind, one.offset, one.length) for one in text.entities if one.kind != "code"]
    assert found == [("bot_command", 3, 6), ("url", 13, 21), ("mention", 40, 8)]


@given(st.text(max_size=60))
def test_any_text_escaped_comes_through_unchanged(plain: str) -> None:
    escaped = formatting.to_html(Text(plain))

    assert formatting.from_html(escaped).plain == plain.strip()


@given(st.text(alphabet="<>/&;ab \"='ié😴", max_size=40))
def test_anything_else_is_parsed_or_refused_and_never_breaks_the_parser(source: str) -> None:
    try:
        text = formatting.from_html(source)
    except Refused:
        return

    assert all(0 <= one.offset < one.offset + one.length <= utf16(text.plain) for one in text.entities)
