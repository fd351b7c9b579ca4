"""The pages a person opens: help, privacy, tips and their topics, the form guide, safety."""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable, Sequence

from bot.core.model import Form, Source, Tip
from bot.texts import language
from bot.texts.content import Content, Section
from bot.texts.language import Words
from bot.views.message import Button, Row, View, button, grid, keyboard, lines

CHOOSE, READ = "choose", "read"
"""How the form guide was opened: to pick a form on the way, or only to read."""

ON, OFF = "on", "off"
"""What a topic's button does to it."""

BACK = "back"
"""Marks the button that turns back to the safety text's first page instead of opening it."""

PAGE = "page"
"""Marks the button under a tip that stands on its own, not under a reminder."""


def plain(words: Words, text: str) -> str:
    """A text of the content in the person's language. It is plain text, so it is made safe for HTML here."""
    return html.escape(words(text), quote=False)


# -- help and privacy --------------------------------------------------------------------------------------------------


def help_page(words: Words, *, contact: str) -> View:
    """What the bot does, every command and shortcut, and whom to ask."""
    text = lines(
        words("I remind you of your magnesium a little before bed, with one honest tip."),
        words("In the morning I ask how you slept. One tap is enough."),
        words("I am a reminder and a diary, not medical advice."),
        "",
        words("<b>Evenings</b>"),
        "/tonight – " + words("tonight at a glance"),
        "/took – " + words("you took it already"),
        "/tips – " + words("one more tip"),
        "/pause – " + words("nights off, or <code>/pause 7</code>"),
        "/resume – " + words("carry on"),
        "/stop – " + words("no more messages"),
        "",
        words("<b>Your nights</b>"),
        "/diary – " + words("month by month, or <code>/diary 2026-11-14</code>"),
        "/insight – " + words("what they say, and how sure that is"),
        "/experiment – " + words("a fair test: does it help you?"),
        words("Reply to a morning question and your text becomes that night's note."),
        "",
        words("<b>Settings</b>"),
        "/settings – " + words("all of them, with buttons"),
        *_shortcuts(words),
        words("Or just type a time, such as 22:45."),
        "",
        "/start – " + words("set up, or tonight"),
        "/privacy – " + words("what I keep, and who runs me"),
        "/export – " + words("take it all away") + " · /import – " + words("bring nights in"),
        "/delete – " + words("erase everything"),
        "",
        _whom_to_ask(words, contact),
    )
    buttons = [button(words("Safety"), "safety"), button(words("Privacy"), "privacy")]
    return View(text, keyboard([*buttons, button(words("Forms"), "forms", READ)]))


def _shortcuts(words: Words) -> Iterable[str]:
    """What can be typed with its value. As code, a tap on it copies it."""
    meanings = {
        "/bedtime 22:45": words("your bedtime"),
        "/bedtime fri,sat 00:30": words("on some days"),
        "/lead 45": words("minutes before bed"),
        "/timezone Europe/Berlin": words("where you sleep"),
        "/form glycinate": words("what you take"),
        **({"/language de": words("how I write")} if language.can_choose() else {}),
        "/checkin 07:30": words("the morning question"),
    }
    return (f"<code>{typed}</code> – {meaning}" for typed, meaning in meanings.items())


def _whom_to_ask(words: Words, contact: str) -> str:
    if not contact:
        return words("Questions? Ask whoever gave you this bot. Its operator has not said how to reach them.")
    return words("Questions? This bot is run by {contact}.", contact=contact)


def privacy(words: Words, *, contact: str) -> View:
    """What is stored and why, where, for how long, and how to leave."""
    operator = words("Who: {contact}.", contact=contact) if contact else words("Who: the operator has not said.")
    text = lines(
        words("<b>What I keep, and why</b>"),
        words("• Your Telegram id and language: to write to you."),
        words("• Time zone, bedtimes and other settings: to write at the right minute."),
        words("• The form and label of what you take: for the reminder."),
        words("• What you tapped, the notes you wrote, and when: your diary."),
        words("• When I wrote to you: so that no reminder comes twice."),
        words("• When you came and were last here: to notice who has moved on."),
        words("• Which tip a night had: to take it back, should it prove wrong."),
        words("• The plan and the outcome of a test, if you start one."),
        words("• Tips and topics you did not want, and that you read the safety text."),
        words("No name, no phone number. A place you share becomes a time zone and is thrown away."),
        "",
        words("<b>Where, and who can read it</b>"),
        words("On the machine of whoever runs this bot, and in their backups. They can read it."),
        operator,
        words("Chats with bots are not end-to-end encrypted: they are stored on Telegram's servers, too."),
        "",
        words("<b>How long</b>"),
        words("Of what you erase a keyed hash and the date stay, so that a backup brought back is erased again."),
        words("After 18 silent months I warn you once, and erase everything 30 days later."),
        words("Other words are forgotten as soon as they are handled; what they set stays until it is erased."),
        words(
            "What I fail to read is kept for 7 days, without your name, to find the fault; for 30, what kind it was."
        ),
        "",
        words("<b>Leaving</b>"),
        words("/stop ends all messages and keeps your diary."),
        words("/export gives you all of it as a file."),
        words("/delete erases all of it at once. Backups may hold a copy for up to 30 days."),
    )
    return View(text)


# -- tips --------------------------------------------------------------------------------------------------------------


def tip_lines(tip: Tip, words: Words, content: Content) -> str:
    """The tip as it stands in a message: its text, then how strong the evidence is and where it comes from."""
    strength = f"<i>{plain(words, tip.strength)}</i>"
    sources = [_named(words, source) for source in map(content.source, tip.sources) if source is not None]
    return lines(plain(words, tip.text), " · ".join([strength, *sources]))


def _named(words: Words, source: Source) -> str:
    """A source after a tip. Without a link the bare name would not show what it is."""
    return words("source: {source}", source=cite(words, source)) if source.link is None else _linked(words, source)


def _linked(words: Words, source: Source) -> str:
    cited = html.escape(cite(words, source), quote=False)
    return cited if source.link is None else f'<a href="{html.escape(source.link)}">{cited}</a>'


def cite(words: Words, source: Source) -> str:
    """A source in a few words: who and when. Not safe for HTML."""
    first, others, rest = source.authors.partition(" and others")
    who = html.unescape(words("{author} and others", author=first)) if others and not rest else source.authors
    return who if source.year is None else f"{who} {source.year}"


def tip_page(words: Words, tip: Tip, content: Content) -> View:
    """One more tip, because the person asked."""
    topic = plain(words, content.topics[tip.topic])
    text = lines(f"<b>{topic}</b>", tip_lines(tip, words, content))
    more = [button(words("Another"), "tip_more", tip.id), button(words("Not for me"), "tip_down", tip.id, PAGE)]
    return View(text, keyboard(more, [button(words("Topics"), "topics")]))


def tip_retired(words: Words, tip: Tip) -> View:
    """The tip's place once it was not wanted."""
    text = words("Fine, that tip will not come again.")
    back = button(words("Bring it back"), "tip_up", tip.id)
    return View(text, keyboard([button(words("Another"), "tip_more", tip.id), back]))


def tip_taken_back(words: Words, tip_id: str | None, why: str | None, *, discreet: bool) -> View:
    """A word about a tip that was shown and no longer stands. In discreet mode the reason is one tap away."""
    if why is None or tip_id is None:
        return View(words("A tip that I showed you no longer stands."), silent=True)
    if discreet:
        asks = keyboard([button(words("Why?"), "tip_why", tip_id)])
        return View(words("A tip that I showed you no longer stands."), asks, silent=True)
    return View(words("A tip that I showed you no longer stands: {why}", why=words(why)), silent=True)


def no_tips(words: Words, *, retired: bool) -> View:
    """Every tip that would fit was retired or its topic is off."""
    text = words("That was the last tip I had for you. Sleep well.")
    back = [button(words("Bring the tips back"), "tips_back")] if retired else []
    return View(text, keyboard(back, [button(words("Topics"), "topics")]))


def topics(words: Words, content: Content, muted: Collection[str], *, retired: int) -> View:
    """The topics, each with its switch."""
    switches = []
    for topic, name in content.topics.items():
        mark, target = ("✕", ON) if topic in muted else ("✓", OFF)
        switches.append(button(f"{mark} {words(name)}", "topic", topic, target))
    text = lines(words("<b>What tips may be about</b>"), words("Tap a topic to switch it. At least one stays on."))
    below: list[Row] = []
    if retired:
        text = lines(text, words.plural("{n} tip is put away.", "{n} tips are put away.", retired))
        below.append([button(words("Bring the tips back"), "tips_back")])
    return View(text, keyboard(*grid(switches, across=2), *below, [button("‹ " + words("A tip"), "tip_next")]))


# -- the form guide ----------------------------------------------------------------------------------------------------


def form_list(words: Words, forms: Sequence[Form], *, mode: str) -> View:
    """The forms to read about, in no order of merit."""
    text = lines(
        words("<b>The forms of magnesium</b>"),
        words("Tap one to read about it. I do not rank them: I know of no trial that compared them for sleep."),
    )
    cards = [button(words(form.name), "form_card", form.id, mode) for form in forms]
    return View(text, keyboard(*grid(cards, across=2)))


def form_card(words: Words, form: Form, content: Content, *, mode: str) -> View:
    """What one form is, what is known about it, how the gut takes it, and where that comes from."""
    cited = _sources(words, content, form.sources)
    text = lines(
        f"<b>{plain(words, form.name)}</b>",
        plain(words, form.what),
        "",
        words("<b>What is known</b>"),
        plain(words, form.known),
        "",
        words("<b>Stomach and gut</b>"),
        plain(words, form.gut),
        *(["", words("<b>Read on</b>"), cited] if cited else []),
    )
    choose = [button(words("Choose this"), "form", form.id, style="success")] if mode == CHOOSE else []
    return View(text, keyboard(choose, [button("‹ " + words("Back to the list"), "form_list", mode)]))


# -- safety ------------------------------------------------------------------------------------------------------------


def safety(words: Words, content: Content, *, accepted: bool) -> View:
    """Who should ask first, when to stop, when to see somebody. The medicines are on a page of their own."""
    page = content.safety
    rest = [section for section in page.sections if not section.on_medicines]
    text = lines(words("<b>Safety</b>"), plain(words, page.intro), _sections(words, content, rest))
    more = [button(words("Medicines") + " ›", "safety_meds")]
    return View(text, keyboard(more, _understood(words, accepted=accepted)))


def medicines(words: Words, content: Content, *, accepted: bool) -> View:
    """The medicines that magnesium and they disturb each other."""
    listed = [section for section in content.safety.sections if section.on_medicines]
    back = [button("‹ " + words("Back"), "safety", BACK)]
    return View(_sections(words, content, listed).strip(), keyboard(back, _understood(words, accepted=accepted)))


def _sections(words: Words, content: Content, sections: Sequence[Section]) -> str:
    """Each section's title and lines, what they rest on folded away, and at the end whom to ask."""
    parts: list[str] = []
    for section in sections:
        title, bullets = (
            f"<b>{plain(words, section.title)}</b>",
            [f"• {plain(words, line.text)}" for line in section.lines],
        )
        if section.folded:
            bullets = [f"<blockquote expandable>{lines(*bullets)}</blockquote>"]
        parts += ["", title, *bullets]
    ids = dict.fromkeys(source for section in sections for line in section.lines for source in line.sources)
    folded = f"<blockquote expandable>{words('Sources:')} {_sources(words, content, ids)}</blockquote>"
    return lines(*parts, "", folded, plain(words, content.safety.closing))


def _sources(words: Words, content: Content, ids: Iterable[str]) -> str:
    return " · ".join(_linked(words, source) for source in map(content.source, ids) if source is not None)


def _understood(words: Words, *, accepted: bool) -> list[Button]:
    return [] if accepted else [button(words("I understand"), "consent", style="success")]
