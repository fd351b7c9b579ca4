"""What a person can change besides the bedtime: lead, form, check-in and small switches; by command, button or typed answer."""

from __future__ import annotations

from telegram import Update

from bot.core import parsing
from bot.core import spoken as words
from bot.core.model import Awaiting, Form, Minute
from bot.handlers import onboarding, plans, stock, zones
from bot.handlers.after_change import changed
from bot.telegram.turn import AnswerHandler, Handler, Needs, Route, Turn
from bot.texts import language, spoken
from bot.views import details as detail_views
from bot.views import settings as views
from bot.views import setup
from bot.views.message import View

_ALL_WEEK = frozenset(range(7))
# Bedtimes are told by nights, the morning question by mornings: Saturday's belongs to Friday's night.
_MORNINGS = dict.fromkeys(("weekend", "weekends"), frozenset({5, 6})) | dict.fromkeys(
    ("weekday", "weekdays"), frozenset(range(5))
)


async def settings(_update: Update, turn: Turn) -> None:
    """/settings"""
    turn.say(_panel(turn))


def _panel(turn: Turn) -> View:
    person = turn.person
    form = turn.content.form(person.form) if person.form else None
    return views.panel(turn.words, person, zone_label=zones.name_of(turn, person.zone or "–"), form=form)


async def panel(update: Update, turn: Turn) -> None:
    """A button of the settings message: its picker, in the same message."""
    words = turn.words
    pickers = {
        "top": lambda: _panel(turn),
        "bedtime": lambda: setup.bedtime(words, back="top"),
        "lead": lambda: views.lead(words),
        "zone": lambda: setup.zone(words, onboarding.zone_guesses(turn), turn.now, back="top"),
        "form": lambda: setup.form(words, turn.content.forms, back="top", label=True),
        "checkin": lambda: views.check_in(words),
        "nudges": lambda: views.nudges(words),
        "language": lambda: views.languages(words),
        "pause": lambda: views.pause(words),
        "diary": lambda: detail_views.choices(words, turn.person),
    }
    typed = {"bedtime": Awaiting.BEDTIME, "lead": Awaiting.LEAD, "zone": Awaiting.ZONE, "checkin": Awaiting.CHECK_IN}
    picker = pickers.get(turn.press.arg(0))
    if turn.press.arg(0) == "stock":
        turn.answer(update)
        turn.edit(update, await stock.page(turn))
        return
    if picker is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.change(awaiting=None)
    if turn.press.arg(0) in typed:
        turn.await_typed(typed[turn.press.arg(0)])
    turn.edit(update, picker())


# -- lead, form, check-in ----------------------------------------------------------------------------------------------


async def lead(update: Update, turn: Turn) -> None:
    """/lead"""
    if not turn.typed:
        turn.await_typed(Awaiting.LEAD)
        turn.say(views.lead(turn.words))
        return
    await typed_lead(update, turn, turn.typed)


async def typed_lead(update: Update, turn: Turn, text: str) -> None:
    """Minutes before bed, typed."""
    minutes = words.lead(text, spoken.known())
    if minutes is None:
        turn.say(View(turn.words("Type a number of minutes from 15 to 120, such as /lead 45.")))
        return
    await _set_lead(update, turn, minutes)


async def pressed_lead(update: Update, turn: Turn) -> None:
    """Minutes before bed, tapped."""
    minutes = turn.press.number(0)
    if minutes is None or minutes not in parsing.LEADS:
        turn.out_of_date(update)
        return
    turn.answer(update)
    await _set_lead(update, turn, minutes)


async def _set_lead(update: Update, turn: Turn, minutes: int) -> None:
    turn.change(lead=minutes)
    line = turn.words.plural(
        "I will remind you {n} minute before bed.", "I will remind you {n} minutes before bed.", minutes
    )
    await changed(update, turn, lambda: views.saved(turn.words, line, turn.person))


async def form(update: Update, turn: Turn) -> None:
    """/form"""
    if not turn.typed:
        turn.say(setup.form(turn.words, turn.content.forms, label=turn.person.set_up))
        return
    found = find_form(turn, turn.typed)
    if found is None:
        names = ", ".join(turn.words(each.name) for each in turn.content.forms)
        turn.say(View(turn.words("I do not know that form. Known are: {names}.", names=names)))
        return
    await set_form(update, turn, found)


def find_form(turn: Turn, text: str) -> Form | None:
    """The form of that id or name, in English or the person's language."""
    wanted = parsing.clean(text, 64).casefold().removeprefix("magnesium ")
    for each in turn.content.forms:
        names = {
            each.id,
            each.id.replace("_", " "),
            each.id.replace("_", "-"),
            each.name.casefold(),
            turn.words(each.name).casefold(),
        }
        if wanted in names:
            return each
    return None


async def pressed_form(update: Update, turn: Turn) -> None:
    """A form, tapped."""
    known = {each.id: each for each in turn.content.forms}
    if turn.press.arg(0) not in known or turn.person.consent is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    await set_form(update, turn, known[turn.press.arg(0)])


async def set_form(update: Update, turn: Turn, chosen: Form) -> None:
    """Take this form."""
    turn.change(form=chosen.id, label=None)
    line = turn.words("Form: {form}.", form=turn.words(chosen.name))
    await changed(update, turn, lambda: views.saved(turn.words, line, turn.person))


async def check_in(update: Update, turn: Turn) -> None:
    """/checkin, with a time, "off" or "auto" """
    if not turn.typed:
        turn.await_typed(Awaiting.CHECK_IN)
        turn.say(views.check_in(turn.words))
        return
    await typed_check_in(update, turn, turn.typed)


async def typed_check_in(update: Update, turn: Turn, text: str) -> None:
    """When to ask in the morning, typed."""
    if text.casefold() in ("off", "auto"):
        await _set_check_in(update, turn, text.casefold())
        return
    known = spoken.known()
    several = words.weekly(text, known, {**turn.words.weekdays, **_MORNINGS}, usual="morning")
    whole = words.time_of_day(text, known, usual="morning")
    mornings, time = several[0] if len(several) == 1 else (_ALL_WEEK, None if several else whole)
    days = frozenset((morning - 1) % 7 for morning in mornings)
    match time:
        case parsing.Time(minute):
            await _set_check_in(update, turn, minute, days)
        case parsing.Ambiguous(morning, evening) if days == _ALL_WEEK:
            turn.say(setup.ambiguous(turn.words, morning=morning, evening=evening, verb="checkin"))
        case _:
            turn.say(View(turn.words("I did not understand that time. Type it like /checkin 07:30, or /checkin off.")))


async def pressed_check_in(update: Update, turn: Turn) -> None:
    """When to ask in the morning, tapped."""
    minute = turn.press.number(0)
    if turn.press.arg(0) not in ("auto", "off") and (minute is None or not 0 <= minute < 1440):
        turn.out_of_date(update)
        return
    turn.answer(update)
    await _set_check_in(update, turn, turn.press.arg(0) if minute is None else minute)


async def _set_check_in(update: Update, turn: Turn, when: str | Minute, days: frozenset[int] = _ALL_WEEK) -> None:
    if isinstance(when, str):
        turn.change(check_ins=None, no_check_in=when == "off")
    else:
        # Days without a time of their own keep the usual one, nine hours after that night's bedtime.
        usual = tuple((bed + 9 * 60) % 1440 for bed in turn.person.bedtimes) or (when,) * 7
        old = turn.person.check_ins or usual
        turn.change(check_ins=tuple(when if day in days else old[day] for day in range(7)), no_check_in=False)
    turn.change(cadence=None, unanswered=None)
    await plans.move_check_in(turn)
    line = turn.words("Morning question: {time}.", time=views.check_in_time(turn.words, turn.person))
    await changed(update, turn, lambda: View(line), replan=False)


# -- small switches ----------------------------------------------------------------------------------------------------


async def nudges(update: Update, turn: Turn) -> None:
    """How many nudges, tapped."""
    number = turn.press.number(0)
    if number not in (0, 1, 2):
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.change(nudges=number)
    turn.edit(update, _panel(turn))


async def toggle(update: Update, turn: Turn) -> None:
    """Quiet or discreet, on or off."""
    name = turn.press.arg(0)
    if name not in ("quiet", "discreet", "no_news"):
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.change(**{name: not getattr(turn.person, name)})
    turn.edit(update, _panel(turn))


async def choose_language(update: Update, turn: Turn) -> None:
    """/language"""
    wanted = language.known(turn.typed) if turn.typed else None
    if wanted is not None:
        turn.change(language=wanted)
        turn.say(View(turn.words("I write in {language} from now on.", language=turn.words.name)))
    elif turn.typed:
        turn.say(views.no_such_language(turn.words))
    else:
        turn.say(views.languages(turn.words))


async def pressed_language(update: Update, turn: Turn) -> None:
    """A language, tapped in the settings."""
    if turn.press.arg(0) not in language.available():
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.change(language=turn.press.arg(0))
    turn.edit(update, _panel(turn))


async def dismiss(update: Update, turn: Turn) -> None:
    """[No] to a suggestion."""
    turn.answer(update)
    turn.edit(update, View(turn.words("All right, nothing changed.")))


COMMANDS: dict[str, Handler | Route] = {
    "settings": Route(settings, Needs.SET_UP),
    "lead": lead,
    "form": form,
    "checkin": check_in,
    "language": Route(choose_language, Needs.NOTHING),
}
PRESSES: dict[str, Handler | Route] = {
    "panel": Route(panel, Needs.SET_UP),
    "lead": pressed_lead,
    "form": pressed_form,
    "checkin": pressed_check_in,
    "nudges": Route(nudges, Needs.SET_UP),
    "toggle": Route(toggle, Needs.SET_UP),
    "language": pressed_language,
    "dismiss": dismiss,
}
ANSWERS: dict[Awaiting, AnswerHandler] = {Awaiting.LEAD: typed_lead, Awaiting.CHECK_IN: typed_check_in}
