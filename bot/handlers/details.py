"""What more can be said of a night: its questions one by one, and how much the person wants to be asked."""

from __future__ import annotations

from dataclasses import replace

from telegram import Update

from bot.core import callback_data, parsing
from bot.core import diary as core
from bot.core import schedule as times
from bot.core import spoken as words
from bot.core.diary import Detail
from bot.core.model import Awaiting, Minute, Night
from bot.handlers import diary, plans, span
from bot.telegram.turn import AnswerHandler, Handler, Turn
from bot.texts import spoken
from bot.views import details as views
from bot.views.message import View
from db import diary as details

_TIMES = {"in_bed": "evening", "tried": "evening", "woke": "morning", "rose": "morning"}


async def add_detail(update: Update, turn: Turn) -> None:
    """[Add detail]: the first question without an answer, or the first of all when every one has one."""
    night = await diary.correctable(update, turn)
    if night is None:
        return
    turn.answer(update)
    detail = await details.find(turn.db, turn.person.id, night)
    level = turn.person.detail or core.TWO_QUESTIONS
    name = core.next_question(detail, level) or core.QUESTIONS[level][0]
    turn.edit(update, _ask(turn, detail, name))


async def pressed_detail(update: Update, turn: Turn) -> None:
    """An answer, tapped."""
    night, name, value = await diary.correctable(update, turn), turn.press.arg(1), turn.press.number(2)
    if night is None:
        return
    if name not in core.RANGES or value is None or value not in core.RANGES[name]:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.edit(update, await _answered(turn, night, name, value))


async def skip_question(update: Update, turn: Turn) -> None:
    """[Leave blank]: the next question."""
    night, name = await diary.correctable(update, turn), turn.press.arg(1)
    if night is None:
        return
    if name not in core.RANGES:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.edit(update, await _next(turn, await details.find(turn.db, turn.person.id, night), after=name))


async def typed_detail(_update: Update, turn: Turn, text: str) -> None:
    """An answer, typed."""
    day, _, name = (turn.person.awaiting_for or "").partition(" ")
    night = callback_data.Press("", (day,)).night
    if night is None or name not in core.RANGES or night not in await span.open_nights(turn):
        turn.change(awaiting=None, awaiting_for=None)
        turn.say(View(turn.words("That question is out of date. /diary shows your nights.")))
        return
    value = _read(turn, await details.find(turn.db, turn.person.id, night), name, text)
    if value is None or value not in core.RANGES[name]:
        turn.say(views.not_understood(turn.words, name))
        return
    turn.say(await _answered(turn, night, name, value))


def _read(turn: Turn, detail: Detail, name: str, text: str) -> int | None:
    if name in ("latency", "awake"):
        return words.minutes(text, spoken.known())
    if name not in _TIMES:
        return parsing.count(text)
    match words.time_of_day(text, spoken.known(), usual="evening" if _TIMES[name] == "evening" else "morning"):
        case parsing.Time(minute):
            return minute
        case parsing.Ambiguous(am, pm):
            return _likelier(turn, detail, name, (am, pm))
    return None


def _likelier(turn: Turn, detail: Detail, name: str, both: tuple[Minute, Minute]) -> Minute | None:
    """Choose between, say, 11:00 and 23:00: the time that is possible and nearer to the usual bedtime or the morning after."""
    usual = times.bedtime_on(turn.schedule, detail.night) + (0 if _TIMES[name] == "evening" else 480)
    possible = [one for one in both if _trouble(turn, replace(detail, **{name: one})) is None]  # type: ignore[arg-type]
    return min(possible, key=lambda one: min((one - usual) % 1440, (usual - one) % 1440), default=both[0])


def _trouble(turn: Turn, detail: Detail) -> core.Inconsistency | None:
    return core.trouble(detail, times.zone_on(turn.schedule, detail.night), now=turn.now)


async def _answered(turn: Turn, night: Night, name: str, value: int) -> View:
    """Keep the answer and ask on; an impossible one is refused and asked again."""
    before = await details.find(turn.db, turn.person.id, night)
    after = replace(before, **{name: value})  # type: ignore[arg-type]
    trouble = _trouble(turn, after)
    if trouble is not None:
        return _ask(turn, before, name, trouble)
    await diary.keep(turn, before, after)
    return await _next(turn, after, after=name)


async def _next(turn: Turn, detail: Detail, *, after: str) -> View:
    level = turn.person.detail or core.TWO_QUESTIONS
    name = core.next_question(detail, level, after=after)
    if name is not None:
        return _ask(turn, detail, name)
    turn.change(awaiting=None, awaiting_for=None)
    return await diary.night_view(turn, detail.night)


def _ask(turn: Turn, detail: Detail, name: str, trouble: core.Inconsistency | None = None) -> View:
    turn.await_typed(Awaiting.DETAIL, f"{detail.night.isoformat()} {name}")
    bedtime = times.bedtime_on(turn.schedule, detail.night)
    return views.question(turn.words, detail, name, bedtime=bedtime, trouble=trouble)


# -- how much to ask ---------------------------------------------------------------------------------------------------


async def choose_level(update: Update, turn: Turn) -> None:
    """How much the morning asks, tapped."""
    level = turn.press.number(0)
    if level not in core.QUESTIONS:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.change(detail=level or None)
    turn.edit(update, views.choices(turn.words, turn.person))


async def switch(update: Update, turn: Turn) -> None:
    """The diary's switches."""
    fields = {"evening": "ask_evening", "digest": "no_digest", "ground": "light"}
    field = fields.get(turn.press.arg(0))
    if field is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.change(**{field: not getattr(turn.person, field)})
    if turn.person.no_digest:
        await plans.switched_off(turn, "no_digest")
    turn.edit(update, views.choices(turn.words, turn.person))


COMMANDS: dict[str, Handler] = {}
PRESSES: dict[str, Handler] = {
    "det": add_detail,
    "det_set": pressed_detail,
    "det_next": skip_question,
    "detail": choose_level,
    "diary_set": switch,
}
ANSWERS: dict[Awaiting, AnswerHandler] = {Awaiting.DETAIL: typed_detail}
