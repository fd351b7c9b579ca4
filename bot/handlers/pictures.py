"""Pictures of the nights, what they say in numbers, the page to show, and the end of the Sunday digest."""

from __future__ import annotations

from datetime import timedelta

from telegram import Update

from bot import charts
from bot.core import diary as core
from bot.core import schedule as times
from bot.core.diary import Detail
from bot.core.model import Night, NightRecord
from bot.handlers import diary, experiment, plans, span
from bot.telegram.turn import Handler, Needs, Route, Turn, all_need
from bot.texts import language
from bot.texts.language import Words
from bot.views import insight as views
from db import diary as details
from db import experiments, nights


async def show_diary(update: Update, turn: Turn) -> None:
    """[Diary]"""
    turn.answer(update)
    await diary.show_diary(update, turn)


async def show_picture(update: Update, turn: Turn) -> None:
    """[Pictures], and the spans under one."""
    months = turn.press.number(0)
    if months not in views.SPANS:
        turn.out_of_date(update)
        return
    turn.answer(update)
    open_ = await span.open_nights(turn)
    begins, last = open_.begins, open_.last
    if last < begins:
        turn.say(views.no_nights(turn.words))
        return
    first = views.span_start(begins, last, months)
    records = await nights.between(turn.db, turn.person.id, first, last)
    tally = core.tally(records, nights=(last - first).days + 1)
    spans = core.spans(begins, last, months=views.SPANS)
    sealed_from = await experiments.sealed_from(turn.db, turn.person.id)
    drawing = charts.nights(
        core.cells(records, first, last, sealed_from=sealed_from),
        first=first,
        calendar=_calendar(turn.words),
        light=bool(turn.person.light),
    )
    sealed = sealed_from is not None and sealed_from <= last
    turn.show(
        drawing, views.caption(turn.words, tally, first=first, last=last, spans=spans, shown=months, sealed=sealed)
    )


def _calendar(words: Words) -> charts.Calendar:
    return charts.Calendar(*words.calendar)


# -- what they say -----------------------------------------------------------------------------------------------------


async def show_insight(update: Update, turn: Turn) -> None:
    """/insight: the counts, or while a self-experiment runs how far it is."""
    if await experiments.open_of(turn.db, turn.person.id) is not None:
        # Sealed until its end: looking at the counts on the way would be peeking.
        await experiment.show(update, turn)
        return
    open_ = await span.open_nights(turn)
    known = await nights.between(turn.db, turn.person.id, open_.begins, open_.last)
    found = core.insight(known, await experiments.tested(turn.db, turn.person.id))
    view = views.insight(turn.words, found)
    if found.low is None or found.high is None:
        turn.say(view)
        return
    middle = 100 * (found.taken.better / found.taken.rated - found.without.better / found.without.rated)
    turn.show(charts.interval(low=found.low, middle=middle, high=found.high, light=bool(turn.person.light)), view)


async def press_insight(update: Update, turn: Turn) -> None:
    """[What my nights say]"""
    turn.answer(update)
    await show_insight(update, turn)


async def digest_off(update: Update, turn: Turn) -> None:
    """[No more of these] under a digest."""
    turn.change(no_digest=True)
    await plans.switched_off(turn, "no_digest")
    turn.answer(update, turn.words("No more of them."))
    turn.edit_buttons(update, views.digest_stopped(turn.words))


# -- a page to show ----------------------------------------------------------------------------------------------------


async def page_choices(update: Update, turn: Turn) -> None:
    """[A page to show]"""
    turn.answer(update)
    turn.say(views.page_choices(turn.words))


async def show_page(update: Update, turn: Turn) -> None:
    """Send the page for the chosen number of weeks, as a PDF or a picture."""
    weeks, form = turn.press.number(0), turn.press.arg(1)
    if weeks not in views.WEEKS or form not in ("pdf", "png"):
        turn.out_of_date(update)
        return
    turn.answer(update)
    open_ = await span.open_nights(turn)
    last = open_.rateable
    first = max(open_.begins, last - timedelta(days=7 * weeks - 1))
    if last < first:
        turn.say(views.no_nights(turn.words))
        return
    told = await _told(turn, first, last)
    tally = core.tally([record for record, _, _ in told], nights=len(told))
    sealed_from = await experiments.sealed_from(turn.db, turn.person.id)
    own, english = (_page(words, tally, told, sealed_from) for words in (turn.words, language.words(None)))
    sealed = core.is_sealed(last, sealed_from)
    caption = views.page_caption(turn.words, tally, first=first, last=last, sealed=sealed)
    turn.show(charts.page(own, english, form=form), caption)


async def _told(turn: Turn, first: Night, last: Night) -> list[tuple[NightRecord, Detail, str]]:
    """Every night of the span with what was said of it and the zone it was slept in."""
    records = {record.night: record for record in await nights.between(turn.db, turn.person.id, first, last)}
    known = {detail.night: detail for detail in await details.between(turn.db, turn.person.id, first, last)}
    every = [first + timedelta(days=shift) for shift in range((last - first).days + 1)]
    return [
        (records.get(night, NightRecord(night)), known.get(night, Detail(night)), times.zone_on(turn.schedule, night))
        for night in every
    ]


def _page(
    words: Words, tally: core.Tally, told: list[tuple[NightRecord, Detail, str]], sealed_from: Night | None
) -> charts.ClinicianPage:
    sealed = core.is_sealed(told[-1][0].night, sealed_from)
    texts = views.page_texts(words, first=told[0][0].night, last=told[-1][0].night)
    return charts.ClinicianPage(
        title=texts["title"],
        lead=texts["lead"],
        facts=views.page_facts(words, tally, told),
        heads=views.page_heads(words),
        rows=tuple(
            views.page_row(words, record, detail, zone, sealed=core.is_sealed(record.night, sealed_from))
            for record, detail, zone in told
        ),
        foot=(texts["blank"], texts["source"], *([texts["sealed"]] if sealed else [])),
    )


COMMANDS: dict[str, Handler | Route] = {"insight": Route(show_insight, Needs.SET_UP)}
PRESSES: dict[str, Handler | Route] = all_need(
    Needs.SET_UP,
    {
        "diary": show_diary,
        "insight": press_insight,
        "pic": show_picture,
        "digest_off": digest_off,
        "pages": page_choices,
        "page": show_page,
    },
)
