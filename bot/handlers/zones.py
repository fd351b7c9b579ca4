"""The time zone: typed, tapped or by location; for good, or until a date."""

from __future__ import annotations

from collections.abc import Sequence

from telegram import Update

from bot.core import spoken as words
from bot.core.model import Awaiting
from bot.handlers import onboarding, plans
from bot.handlers.after_change import changed
from bot.telegram.turn import ANSWER_WITHIN, AnswerHandler, Handler, Turn
from bot.texts import places, spoken
from bot.texts.places import Place
from bot.views import settings as views
from bot.views import setup
from bot.views.message import View

_BY_BUTTON = "button"
"""What a zone is awaited for while the phone's own keyboard is replaced by the button that sends the location."""


def name_of(turn: Turn, zone: str) -> str:
    """What to call a zone."""
    return places.label(zone, turn.words.code)


async def timezone(update: Update, turn: Turn) -> None:
    """/timezone"""
    if not turn.typed:
        turn.await_typed(Awaiting.ZONE)
        turn.say(setup.zone(turn.words, onboarding.zone_guesses(turn), turn.now))
        return
    await typed_zone(update, turn, turn.typed)


async def typed_zone(update: Update, turn: Turn, text: str) -> None:
    """A city, a country, a zone's name or an offset."""
    if text == setup.no_location(turn.words):
        if turn.person.awaiting_for == _BY_BUTTON:
            turn.await_typed(Awaiting.ZONE)
        turn.say(setup.type_city(turn.words))
        return
    found = places.Found()
    if len(text) <= places.LONGEST:
        found = places.find(text, turn.words.code, own=turn.person.language)
    if not found.places:
        turn.say(views.unknown_place(turn.words))
    elif len(found.places) == 1 and found.sure:
        await _take(update, turn, found.places[0])
    else:
        _choose(turn, found.places, sure=found.sure)


async def _take(update: Update, turn: Turn, place: Place) -> None:
    if turn.person.awaiting_for == _BY_BUTTON:
        turn.say(setup.located(turn.words))
    await _set_zone(update, turn, place.zone, name=places.named(place.zone, turn.words.code, place))


def _choose(turn: Turn, found: Sequence[Place], *, sure: bool) -> None:
    words = turn.words
    choices = [
        (place.zone, places.named(place.zone, words.code, place), words.moment(turn.now, place.zone)) for place in found
    ]
    turn.say(views.places(words, choices, sure=sure))


async def pressed_zone(update: Update, turn: Turn) -> None:
    """A zone, tapped."""
    zone = turn.press.arg(0)
    if not places.exists(zone) or turn.person.consent is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    await _set_zone(update, turn, zone, name=_pressed_name(update, turn, zone))


def _pressed_name(update: Update, turn: Turn, zone: str) -> str:
    """What the button called the place: a town may have another name than its zone's city."""
    name = places.named(zone, turn.words.code)
    query = update.callback_query
    message = query.message if query is not None else None
    markup = getattr(message, "reply_markup", None)  # one that is not accessible any more has none
    for one in (one for row in (markup.inline_keyboard if markup is not None else ()) for one in row):
        if query is not None and one.callback_data == query.data and " · " in one.text:
            label = one.text.rpartition(" · ")[0]
            return label if ", " in label else name
    return name


async def _set_zone(update: Update, turn: Turn, zone: str, *, name: str) -> None:
    """Set the new zone. A person who had another one is asked whether it is for good, except when correcting the set-up."""
    before = turn.person
    fixing = before.awaiting is Awaiting.ZONE and before.awaiting_for == onboarding.FIXING
    moved = before.set_up and before.zone not in (None, zone)
    there = setup.there(turn.words, name, zone, turn.now)
    turn.change(zone=zone, away_zone=None, away_until=None)

    def confirmation() -> View:
        if fixing:
            return setup.all_set(turn.words, turn.person, there=there)
        return views.zone_set(turn.words, there, turn.person, home=before.zone or zone, moved=moved)

    await changed(update, turn, confirmation, place=name)


async def another(update: Update, turn: Turn) -> None:
    """[Another place]: it was not the one that was meant. What held before holds again, until the right one is said."""
    person, home = turn.person, turn.press.arg(0)
    if person.consent is None or not person.bedtimes:
        turn.out_of_date(update)
        return
    turn.answer(update)
    if not person.set_up:
        turn.change(zone=None)
    elif places.exists(home) and home != person.zone and _just_sent(update, turn):
        turn.change(zone=home, away_zone=None, away_until=None)
        await plans.replan(turn)
    turn.await_typed(Awaiting.ZONE)
    turn.edit(update, setup.zone(turn.words, onboarding.zone_guesses(turn), turn.now))


def _just_sent(update: Update, turn: Turn) -> bool:
    """Whether the pressed message is of today: an old one's button asks again, but takes nothing back."""
    message = update.callback_query.message if update.callback_query is not None else None
    return message is not None and turn.now - message.date < ANSWER_WITHIN


async def away(update: Update, turn: Turn) -> None:
    """For good, or until a date?"""
    choice, home = turn.press.arg(0), turn.press.arg(1)
    until = choice == "until" and places.exists(home)
    if not turn.person.set_up or not (until or choice == "good"):
        turn.out_of_date(update)
        return
    turn.answer(update)
    if until:
        turn.await_typed(Awaiting.AWAY_UNTIL, home)
        turn.edit(
            update, View(turn.words("Until when? Type the date you are home again, such as 24 Dec, or “in 5 days”."))
        )
        return
    turn.change(awaiting=None, awaiting_for=None)
    turn.edit(update, views.saved(turn.words, turn.words("All right, for good."), turn.person))


async def typed_away(update: Update, turn: Turn, text: str) -> None:
    """The date of the return: until then the new zone holds, after it the old one comes back by itself."""
    home = turn.person.awaiting_for
    today = turn.words.date_in(turn.now, turn.person.zone or "UTC")
    months, weekdays = turn.words.months, turn.words.weekdays
    until = words.day(text, today, spoken.known(), months=months, weekdays=weekdays)
    if isinstance(until, words.Doubtful):
        turn.say(views.doubtful_date(turn.words, until))
        return
    if until is None or home is None or not places.exists(home):
        turn.say(View(turn.words("I did not understand that date. Type it like 24 Dec, 2026-12-24 or “in 5 days”.")))
        return
    turn.change(away_zone=turn.person.zone, away_until=until, zone=home)
    line = turn.words(
        "I am with you over there until {day}, then back to {home}.",
        day=turn.words.short_date(until),
        home=name_of(turn, home),
    )
    await changed(update, turn, lambda: views.saved(turn.words, line, turn.person))


async def locate(update: Update, turn: Turn) -> None:
    """[Share my location]"""
    turn.answer(update)
    fixing = turn.person.awaiting_for == onboarding.FIXING
    turn.await_typed(Awaiting.ZONE, onboarding.FIXING if fixing else _BY_BUTTON)
    turn.say(setup.locate(turn.words))


async def location(update: Update, turn: Turn) -> None:
    """A location arrived. It became a zone's name at the door, before anything was written, and is forgotten."""
    message = update.effective_message
    told = "" if message is None else str(message.api_kwargs.get("lull_zone") or "")
    there = [Place(zone, name_of(turn, zone)) for zone in told.split() if places.exists(zone)]
    if turn.person.consent is None:
        await onboarding.start(update, turn)
    elif not there:
        turn.say(View(turn.words("I found no time zone there. Type a city instead.")))
    elif len(there) == 1:
        turn.say(setup.located(turn.words))
        await _set_zone(update, turn, there[0].zone, name=places.named(there[0].zone, turn.words.code))
    else:
        turn.say(setup.located(turn.words))
        _choose(turn, there, sure=True)


COMMANDS: dict[str, Handler] = {"timezone": timezone}
PRESSES: dict[str, Handler] = {"zone": pressed_zone, "zone_other": another, "locate": locate, "away": away}
ANSWERS: dict[Awaiting, AnswerHandler] = {Awaiting.ZONE: typed_zone, Awaiting.AWAY_UNTIL: typed_away}
