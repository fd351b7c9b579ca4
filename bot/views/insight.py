"""What the nights say in numbers: captions of pictures, the week's digest, the counts with their doubt, and the page to show."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.core import diary
from bot.core.diary import FEWEST_RATED, Detail, Insight, Side, Tally
from bot.core.model import Intake, Night, NightRecord
from bot.texts.language import Words
from bot.views import diary as diary_views
from bot.views import morning
from bot.views.message import View, button, keyboard, lines

SPANS = (3, 12, 120)
"""Months that a picture can show; the last is everything."""

WEEKS = (2, 4, 8)
"""Weeks that the page for a clinician can cover."""


def caption(
    words: Words, tally: Tally, *, first: Night, last: Night, spans: Sequence[int], shown: int, sealed: bool = False
) -> View:
    """What the picture of nights shows, in words."""
    text = lines(
        words("<b>{first} – {last}</b>", first=_date(words, first, last), last=words.short_date(last)),
        *_counts(words, tally),
        words("Blue is better, orange worse, an outline means taken; a blank night has no answer."),
        _sealed(words) if sealed else None,
    )
    names = {3: words("3 months"), 12: words("1 year"), 120: words("All nights")}
    others = [button(names[span], "pic", span) for span in spans if span != shown]
    return View(text, keyboard(others, [button(words("A page to show"), "pages"), button(words("Diary"), "diary")]))


def _sealed(words: Words) -> str:
    return words("Your test is sealed: what you took on its nights is not shown beside how you slept until it is over.")


def _date(words: Words, first: Night, last: Night) -> str:
    return words.short_date(first) if first.year == last.year else f"{words.short_date(first)} {first.year}"


def _counts(words: Words, tally: Tally) -> list[str]:
    same = tally.rated - tally.better - tally.worse
    return [
        words.plural(
            "Taken on {taken} of {n} night.", "Taken on {taken} of {n} nights.", tally.nights, taken=tally.taken
        ),
        *([bags] if (bags := diary_views.bags(words, tally)) else []),
        words(
            "{rated} rated: {better} better, {same} same, {worse} worse.",
            rated=tally.rated,
            better=tally.better,
            same=same,
            worse=tally.worse,
        ),
    ]


def no_nights(words: Words) -> View:
    """Nothing to draw yet."""
    return View(words("There is no night to draw yet: the first one begins this evening."))


def digest(words: Words, tally: Tally, *, first: Night, last: Night) -> View:
    """The week in three lines."""
    week = words("<b>Your week, {first} – {last}</b>", first=words.short_date(first), last=words.short_date(last))
    buttons = [button(words("Diary"), "diary"), button(words("No more of these"), "digest_off")]
    return View(lines(week, *_counts(words, tally)), keyboard(buttons), silent=True)


def digest_stopped(words: Words) -> View:
    """The digest once its person wants no more of them; the text is sent if the digest itself can no longer be edited."""
    return View(
        words("No more of them. /settings, Diary brings them back."),
        keyboard([button(words("Diary"), "diary")]),
    )


# -- the counts --------------------------------------------------------------------------------------------------------


def insight(words: Words, found: Insight) -> View:
    """Counts by taken and skipped, the difference with its doubt, and why it proves nothing."""
    text = lines(
        words("<b>What your nights say</b>"),
        _side(words, words("Taken"), found.taken),
        _side(words, words("Skipped"), found.without),
        _difference(words, found),
        words("You chose which nights to take it, and a rough evening sways that choice. So this shows no cause."),
        _by_chance(words, found),
        _left_out(words, found.unknown),
    )
    return View(text, keyboard([button(words("Pictures"), "pic", 3), button(words("Diary"), "diary")]))


def _by_chance(words: Words, found: Insight) -> str | None:
    """The nights of finished tests, apart: there a rough evening swayed nothing."""
    if found.chance is None:
        return None
    with_it, without = found.chance
    run_in = words.plural(
        "Before that: {n} rated night without, to start from",
        "Before that: {n} rated nights without, to start from",
        found.run_in,
    )
    return lines(
        words("In your tests chance chose these nights; /experiment has the verdict:"),
        _side(words, words("Taken"), with_it),
        _side(words, words("Without"), without),
        run_in if found.run_in else None,
    )


def _side(words: Words, name: str, side: Side) -> str:
    return words.plural(
        "{name}: {better} better of {n} rated night",
        "{name}: {better} better of {n} rated nights",
        side.rated,
        name=html.unescape(name),
        better=side.better,
    )


def _difference(words: Words, found: Insight) -> str:
    if found.low is None or found.high is None:
        return words("Too few nights to compare: I need {n} rated nights on each side.", n=FEWEST_RATED)
    return words(
        "Difference: {low} to {high} better nights per 100 (95 % interval after Newcombe).",
        low=_signed(found.low),
        high=_signed(found.high),
    )


def _signed(value: float) -> str:
    number = round(value)
    return f"+{number}" if number > 0 else f"\u2212{-number}" if number < 0 else "0"


def _left_out(words: Words, count: int) -> str | None:
    if not count:
        return None
    return words.plural(
        "Left out: {n} rated night without an answer about taking it.",
        "Left out: {n} rated nights without an answer about taking it.",
        count,
    )


# -- a page to show ----------------------------------------------------------------------------------------------------


def page_choices(words: Words) -> View:
    """For how many weeks, and as what."""
    rows = [
        [
            button(words("{n} weeks · PDF", n=weeks), "page", weeks, "pdf"),
            button(words("{n} weeks · picture", n=weeks), "page", weeks, "png"),
        ]
        for weeks in WEEKS
    ]
    text = words("One page with your counts and nights, for a doctor or for yourself. Your notes are not on it.")
    return View(text, keyboard(*rows))


def page_caption(words: Words, tally: Tally, *, first: Night, last: Night, sealed: bool = False) -> View:
    """What the page says, in words."""
    head = words("<b>{first} – {last}, as you told me</b>", first=words.short_date(first), last=words.short_date(last))
    return View(lines(head, *_counts(words, tally), _sealed(words) if sealed else None))


def page_facts(
    words: Words, tally: Tally, nights: Sequence[tuple[NightRecord, Detail, str]]
) -> tuple[tuple[str, str], ...]:
    """The page's counts: a name and a value each."""
    same = tally.rated - tally.better - tally.worse
    rated = words("{better} better, {same} same, {worse} worse", better=tally.better, same=same, worse=tally.worse)
    facts = [
        (words("Nights"), str(tally.nights)),
        (words("Magnesium taken, as told"), words("{taken} of {n}", taken=tally.taken, n=tally.nights)),
        *([(words("Numbered bags, still sealed"), str(tally.bags))] if tally.bags else []),
        (words("Sleep against own usual"), words("{n} rated: {what}", n=tally.rated, what=html.unescape(rated))),
    ]
    slept = [diary.sleep(detail, zone) for _, detail, zone in nights]
    asleep = [one.asleep for one in slept if one.asleep is not None]
    in_bed = [one.in_bed for one in slept if one.in_bed is not None]
    for name, known in ((words("Time in bed, mean"), in_bed), (words("Time asleep, mean"), asleep)):
        if known:
            mean = html.unescape(diary_views.length(words, round(sum(known) / len(known))))
            facts.append((name, words.plural("{mean} ({n} night)", "{mean} ({n} nights)", len(known), mean=mean)))
    return tuple((html.unescape(name), html.unescape(value)) for name, value in facts)


def page_heads(words: Words) -> tuple[str, ...]:
    """The heads of the page's table."""
    heads = (words("Night"), words("Taken"), words("Sleep"), words("In bed"), words("Asleep"), words("Efficiency"))
    return tuple(html.unescape(head) for head in heads)


def page_row(words: Words, record: NightRecord, detail: Detail, zone: str, *, sealed: bool = False) -> tuple[str, ...]:
    """One night of the table; what was not said is a dash. What was taken on a sealed one is not on the page."""
    slept = diary.sleep(detail, zone)
    taken = {Intake.TAKEN: words("yes"), Intake.SKIPPED: words("no"), Intake.BAG: words("bag")}
    rating = None if record.rating is None else morning.rating_names(words)[record.rating]
    late = " *" if record.late or detail.late else ""
    cells = (
        f"{words.weekday(record.night.weekday())} {words.short_date(record.night)}{late}",
        words("sealed") if sealed else taken.get(record.intake, "–") if record.intake is not None else "–",
        rating or "–",
        "–" if slept.in_bed is None else diary_views.length(words, slept.in_bed),
        "–" if slept.asleep is None else diary_views.length(words, slept.asleep),
        "–" if slept.efficiency is None else words("{n} %", n=slept.efficiency),
    )
    return tuple(html.unescape(cell) for cell in cells)


def page_texts(words: Words, *, first: Night, last: Night) -> Mapping[str, str]:
    """The page's title, its line about what it is, and its small print."""
    texts = {
        "title": words("Sleep and magnesium diary"),
        "lead": words(
            "{first} – {last} · self-report, not a measurement",
            first=f"{words.short_date(first)} {first.year}",
            last=f"{words.short_date(last)} {last.year}",
        ),
        "blank": words("A dash is no answer; an asterisk means answered only after the next evening's reminder."),
        "source": words(
            "Times as in the Consensus Sleep Diary (Carney and others 2012). No cause can be read from this."
        ),
        "sealed": words("Sealed: a night of a self-experiment under way, in which chance decides what is taken."),
    }
    return {name: html.unescape(text) for name, text in texts.items()}


def span_start(begins: Night, last: Night, months: int) -> Night:
    """Where a picture of so many months begins; `begins` is the diary's first night."""
    if months == SPANS[-1]:
        return begins
    return max(begins, last - timedelta(days=90 if months == SPANS[0] else 365))
