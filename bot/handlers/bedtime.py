"""The bedtime: typed or tapped, for the week or for the weekend."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import Update

from bot.core import parsing
from bot.core import spoken as words
from bot.core.model import Awaiting, Minute
from bot.handlers import onboarding
from bot.handlers.after_change import changed
from bot.telegram.turn import AnswerHandler, Handler, Turn
from bot.texts import spoken
from bot.views import settings as views
from bot.views import setup
from bot.views.message import View

_FRIDAY_SATURDAY = frozenset({4, 5})
_ALL_WEEK = frozenset(range(7))
_WEEK_FIRST = "week"
"""What a bedtime is awaited for when the weekend's comes after it."""


async def bedtime(update: Update, turn: Turn) -> None:
    """/bedtime, with a time or with weekdays and a time"""
    if not turn.typed:
        turn.await_typed(Awaiting.BEDTIME)
        turn.say(setup.bedtime(turn.words))
        return
    turn.change(awaiting=None, awaiting_for=None)
    await typed_bedtime(update, turn, turn.typed)


async def typed_bedtime(update: Update, turn: Turn, text: str) -> None:
    """A bedtime as people type it."""
    several = words.weekly(text, spoken.known(), turn.words.weekdays)
    if len(several) > 1:
        await _set_week(update, turn, several)
        return
    days, time = several[0] if several else (_ALL_WEEK, words.time_of_day(text, spoken.known(), usual="evening"))
    match time:
        case parsing.Time(minute) if _week_first(turn) and days == _ALL_WEEK:
            turn.say(_then_the_weekend(turn, minute))
        case parsing.Time(minute):
            await _set_bedtime(update, turn, minute, days, typed=True)
        case parsing.Ambiguous(morning, evening) if days == _ALL_WEEK:
            turn.say(setup.ambiguous(turn.words, morning=morning, evening=evening, verb="bed_set"))
        case words.Several() as two:
            turn.say(setup.one_of(turn.words, two, verb="bed_set"))
        case _:
            turn.say(_not_a_time(turn))


def _not_a_time(turn: Turn) -> View:
    return View(turn.words("I did not understand that time. Type it like 22:45, 10:45 pm or fri,sat 00:30."))


async def _set_week(update: Update, turn: Turn, several: Sequence[words.OfDays]) -> None:
    """Times of several nights at once; all of them, or none where one could be morning or evening."""
    exact = [(days, time.minute) for days, time in several if isinstance(time, parsing.Time)]
    if len(exact) < len(several):
        turn.say(_not_a_time(turn))
        return
    bedtimes = turn.person.bedtimes or (exact[0][1],) * 7
    for days, minute in exact:
        bedtimes = tuple(minute if day in days else bedtimes[day] for day in range(7))
    turn.change(bedtimes=bedtimes, later_night=None, later_bedtime=None)
    await changed(update, turn, lambda: views.bedtime_set(turn.words, turn.person))


async def _set_bedtime(
    update: Update, turn: Turn, minute: Minute, days: frozenset[int], *, typed: bool = False
) -> None:
    old = turn.person.bedtimes or (minute,) * 7
    turn.change(
        bedtimes=tuple(minute if day in days else old[day] for day in range(7)), later_night=None, later_bedtime=None
    )
    doubtful = minute if typed and 600 <= minute < 780 and days == _ALL_WEEK else None
    await changed(update, turn, lambda: views.bedtime_set(turn.words, turn.person, doubtful=doubtful))


async def bed(update: Update, turn: Turn) -> None:
    """A time of the grid: for every night."""
    await _pressed_bedtime(update, turn, _ALL_WEEK)


async def bed_weekend(update: Update, turn: Turn) -> None:
    """A time of the grid: for Friday's and Saturday's night."""
    await _pressed_bedtime(update, turn, _FRIDAY_SATURDAY)


async def _pressed_bedtime(update: Update, turn: Turn, days: frozenset[int]) -> None:
    minute = turn.press.number(0)
    if minute is None or not 0 <= minute < 1440 or turn.person.consent is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    if _week_first(turn) and days == _ALL_WEEK:
        turn.edit(update, _then_the_weekend(turn, minute))
        return
    await _set_bedtime(update, turn, minute, days)


def _week_first(turn: Turn) -> bool:
    return turn.person.awaiting_for == _WEEK_FIRST and onboarding.awaited(turn.person, turn) is Awaiting.BEDTIME


def _then_the_weekend(turn: Turn, minute: Minute) -> View:
    """ "Different at weekends": the week's time is known, now the weekend's."""
    turn.change(bedtimes=(minute,) * 7)
    return _weekend_grid(turn)


async def bed_grid(update: Update, turn: Turn) -> None:
    """The quarters between the half hours, or back."""
    turn.answer(update)
    back = "top" if turn.person.set_up else None
    turn.edit(update, _grid(turn, shifted=turn.press.arg(0) == "1", back=back))


def _grid(turn: Turn, *, shifted: bool, back: str | None) -> View:
    question = _week_question(turn) if _week_first(turn) else None
    return setup.bedtime(turn.words, text=question, shifted=shifted, back=back)


def _week_question(turn: Turn) -> str:
    return turn.words("<b>First the week: when do you go to bed from Sunday to Thursday?</b>")


async def bedw_grid(update: Update, turn: Turn) -> None:
    """The same for the weekend's grid."""
    turn.answer(update)
    turn.edit(update, _weekend_grid(turn, shifted=turn.press.arg(0) == "1"))


async def weekend(update: Update, turn: Turn) -> None:
    """[Different at weekends]: first the week, unless it is known, then the weekend."""
    if turn.person.consent is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    if turn.person.bedtimes:
        turn.edit(update, _weekend_grid(turn))
        return
    turn.await_typed(Awaiting.BEDTIME, _WEEK_FIRST)
    turn.edit(update, setup.bedtime(turn.words, text=_week_question(turn)))


def _weekend_grid(turn: Turn, *, shifted: bool = False) -> View:
    turn.await_typed(Awaiting.WEEKEND)
    question = turn.words("<b>And on Friday and Saturday?</b>\nTap a time, or type it.")
    return setup.bedtime(turn.words, verb="bedw", text=question, shifted=shifted)


async def typed_weekend(update: Update, turn: Turn, text: str) -> None:
    """The weekend's bedtime, typed."""
    match words.time_of_day(text, spoken.known(), usual="evening"):
        case parsing.Time(minute):
            await _set_bedtime(update, turn, minute, _FRIDAY_SATURDAY)
        case parsing.Ambiguous(morning, evening):
            turn.say(setup.ambiguous(turn.words, morning=morning, evening=evening, verb="bedw"))
        case words.Several() as two:
            turn.say(setup.one_of(turn.words, two, verb="bedw"))
        case None:
            turn.say(View(turn.words("I did not understand that time. Type it like 23:30.")))


COMMANDS: dict[str, Handler] = {"bedtime": bedtime}
PRESSES: dict[str, Handler] = {
    "bed": bed,
    "bed_set": bed,
    "bedw": bed_weekend,
    "bed_grid": bed_grid,
    "bedw_grid": bedw_grid,
    "weekend": weekend,
}
ANSWERS: dict[Awaiting, AnswerHandler] = {Awaiting.BEDTIME: typed_bedtime, Awaiting.WEEKEND: typed_weekend}
