"""The settings: one message, edited in place, and the short answers to what is typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.core.model import DEFAULT_LEAD, Form, Minute, Person
from bot.core.spoken import Doubtful
from bot.texts import language
from bot.texts.language import Words
from bot.views import setup
from bot.views.message import Row, View, button, grid, keyboard, lines

LEADS = (30, 45, 60)
"""Minutes before bed on the buttons; any from 15 to 120 can be typed."""

PAUSES = (3, 7, 14)
"""Nights on the pause buttons."""


def panel(words: Words, person: Person, *, zone_label: str, form: Form | None) -> View:
    """Everything that can be changed, and what it is now."""
    on = {True: words("on"), False: words("off")}
    text = lines(
        words("<b>Settings</b>"),
        words(
            "Bedtime {times} · {minutes} min before",
            times=week(words, person.bedtimes),
            minutes=person.lead or DEFAULT_LEAD,
        ),
        words("Zone {zone}", zone=zone_label),
        words("Form {form}", form=words(form.name) if form else "–"),
        None if person.label is None else words("Called: {label}", label=person.label),
        words("Morning question {time}", time=check_in_time(words, person)),
        words(
            "Quiet {quiet} · discreet {discreet} · nudges {nudges}",
            quiet=on[bool(person.quiet)],
            discreet=on[bool(person.discreet)],
            nudges=person.nudges or 0,
        ),
        None
        if person.away_zone is None or person.away_until is None
        else words("Away until {day}", day=words.short_date(person.away_until)),
    )
    rows = grid(
        [
            button(words("Bedtime"), "panel", "bedtime"),
            button(words("Lead"), "panel", "lead"),
            button(words("Time zone"), "panel", "zone"),
            button(words("Form"), "panel", "form"),
            button(words("Morning question"), "panel", "checkin"),
            button(words("Nudges"), "panel", "nudges"),
            button(words("Quiet: {state}", state=on[bool(person.quiet)]), "toggle", "quiet"),
            button(words("Discreet: {state}", state=on[bool(person.discreet)]), "toggle", "discreet"),
            button(words("News: {state}", state=on[not person.no_news]), "toggle", "no_news"),
            button(words("Diary"), "panel", "diary"),
            *([button(words("Language"), "panel", "language")] if language.can_choose() else []),
            button(words("Pause"), "panel", "pause"),
        ],
        across=2,
    )
    return View(text, keyboard(*rows))


def week(words: Words, minutes: Sequence[Minute]) -> str:
    """Seven bedtimes as people say them: one time, or each with its nights."""
    if not minutes:
        return "–"
    if len(set(minutes)) == 1:
        return words.minute(minutes[0])
    by_time: dict[Minute, list[int]] = {}
    for day, minute in enumerate(minutes):
        by_time.setdefault(minute, []).append(day)
    return ", ".join(
        f"{', '.join(words.weekday(day) for day in days)} {words.minute(minute)}" for minute, days in by_time.items()
    )


def check_in_time(words: Words, person: Person) -> str:
    """When the morning question comes, in words."""
    if person.no_check_in:
        return words("off")
    if person.check_ins is None:
        return words("9 hours after bedtime")
    # Kept by nights, said by mornings: Monday's is that of Sunday's night.
    return week(words, (*person.check_ins[-1:], *person.check_ins[:-1]))


def lead(words: Words, *, text: str | None = None) -> View:
    """How long before bed."""
    choices = [button(words("{n} min", n=minutes), "lead", minutes) for minutes in LEADS]
    question = text or words("How long before bed shall I remind you? Tap, or type 15 to 120 minutes.")
    return View(question, keyboard(choices, back(words)))


def check_in(words: Words, *, text: str | None = None) -> View:
    """When to ask in the morning."""
    times = [button(words.minute(minute), "checkin", minute) for minute in (360, 390, 420, 450, 480, 510, 540, 600)]
    other = [button(words("9 hours after bedtime"), "checkin", "auto"), button(words("Do not ask"), "checkin", "off")]
    question = text or words("When shall I ask how you slept? Tap a time, or type it: 07:30")
    return View(question, keyboard(*grid(times, across=4), other, back(words)))


def nudges(words: Words) -> View:
    """A second and third word for a reminder without an answer."""
    choices = [button(words("None"), "nudges", 0), button("1", "nudges", 1), button("2", "nudges", 2)]
    return View(
        words("If you do not answer the reminder, shall I nudge you? Never in the last five minutes before bed."),
        keyboard(choices, back(words)),
    )


def languages(words: Words) -> View:
    """The languages there are, to choose from where there is a choice."""
    if not language.can_choose():
        return View(words("I only speak English so far."), keyboard(back(words)))
    choices = [button(language.words(code).name, "language", code) for code in language.available()]
    return View(words("Language"), keyboard(*grid(choices, across=3), back(words)))


def no_such_language(words: Words) -> View:
    """The language that was asked for does not exist here."""
    if not language.can_choose():
        return View(words("I only speak English so far."))
    names = ", ".join(language.words(code).name for code in language.available())
    return View(words("I do not have that language yet. I have: {names}.", names=names))


def pause(words: Words, *, text: str | None = None) -> View:
    """For how long to rest."""
    choices = [button(words.plural("{n} night", "{n} nights", nights), "pause", nights) for nights in PAUSES]
    until = [button(words("Until I return"), "pause", 0)]
    return View(text or words("Rest for how long?"), keyboard(choices, until, back(words)))


def bedtime_set(words: Words, person: Person, *, doubtful: Minute | None = None) -> View:
    """What the bedtime is now. `doubtful`: a time typed like 10:30, which may have been meant for the evening."""
    text = lines(words("Bedtime: {times}.", times=week(words, person.bedtimes)), next_reminder(words, person))
    if doubtful is None:
        return View(text)
    evening = doubtful + 720
    return View(
        text, keyboard([button(words("I meant {time}", time=words.minute(evening % 1440)), "bed_set", evening % 1440)])
    )


def saved(words: Words, line: str, person: Person) -> View:
    """One line about what was changed, and when the next reminder comes."""
    return View(lines(line, next_reminder(words, person)))


def next_reminder(words: Words, person: Person) -> str:
    """When the next reminder comes; to somebody who rests, how to go on."""
    if person.remind_at is None:
        return words("You are resting now: /resume starts again.")
    return words("Next reminder: {moment}", moment="\0").replace("\0", setup.moment(words, person))


def zone_set(words: Words, there: str, person: Person, *, home: str, moved: bool) -> View:
    """A zone was set; `there` names it and its hour. A person who `moved` is asked: for good, or a journey from `home`?"""
    text = lines(there, next_reminder(words, person), words("For good, or until a date?") if moved else None)
    length = [button(words("For good"), "away", "good"), button(words("Until a date"), "away", "until", home)]
    return View(text, keyboard(length if moved else [], [setup.another_place(words, home=home)]))


def suggest_bedtime(words: Words, minute: Minute) -> View:
    """A time was typed without a question."""
    text = words("Set bedtime to {time}?", time=words.minute(minute))
    return View(text, keyboard([button(words("Yes"), "bed_set", minute), button(words("No"), "dismiss")]))


def doubtful_date(words: Words, two: Doubtful) -> View:
    """A date that may be two: half the world puts the month first."""
    first, second = words.short_date(two.first), words.short_date(two.second)
    return View(words("Is that {first} or {second}? Type it with the month's name.", first=first, second=second))


def places(words: Words, found: Sequence[tuple[str, str, str]], *, sure: bool) -> View:
    """Places to choose from: each one's zone, name and time now. Not `sure`: some word of what was typed was not understood."""
    choices = [button(f"{name} · {time}", "zone", zone) for zone, name, time in found]
    text = (
        words("Which one? The time there now is beside it.")
        if sure
        else words("I am not sure which place you mean. Is it one of these? If not, type a bigger city nearby.")
    )
    return View(text, keyboard(*grid(choices, across=1)))


def unknown_place(words: Words) -> View:
    """A typed place that nothing is known of."""
    return View(
        words("I do not know that place. Type a bigger city nearby, a zone like Europe/Berlin, or an offset like +2.")
    )


def back(words: Words) -> Row:
    """To the settings."""
    return [button("‹ " + words("Back"), "panel", "top")]


def with_way_back(words: Words, view: View) -> View:
    """The same with a button to the settings, where it has none."""
    return (
        view
        if view.keyboard is not None
        else replace(view, keyboard=keyboard([button("‹ " + words("Settings"), "panel", "top")]))
    )
