"""Set-up: consent, bedtime, zone, form, in four taps; every step also takes a typed answer."""

from __future__ import annotations

import re

from telegram import Update

from bot.core import parsing
from bot.core.model import Awaiting, Person, Status
from bot.handlers import admins, evening, experiment, plans
from bot.telegram.turn import Handler, Needs, Route, Turn
from bot.texts import language, places
from bot.views import settings, setup
from bot.views.message import View

CONSENT = 1
"""The version of the safety text; a new one is shown again to everybody."""

FIXING = "fix"
"""What a zone is awaited for when the last card of the set-up showed the wrong hour."""


def next_step(turn: Turn, *, place: str | None = None) -> View | None:
    """The first thing the set-up still needs; None when it has everything. `place` is what the person called their zone."""
    person, words = turn.person, turn.words
    if person.consent is None:
        return setup.welcome(words, languages=[(code, language.words(code).name) for code in language.available()])
    if not person.bedtimes:
        return setup.bedtime(words)
    if person.zone is None:
        return setup.zone(words, zone_guesses(turn), turn.now)
    if person.form is None:
        name = place or places.named(person.zone, words.code)
        return setup.form(words, turn.content.forms, there=setup.there(words, name, person.zone, turn.now))
    return None


def zone_guesses(turn: Turn) -> list[tuple[str, str]]:
    """The zones to offer, nearest first, with their names in the person's language."""
    return [(zone, places.label(zone, turn.words.code)) for zone in places.guesses(turn.person.language)]


async def start(update: Update, turn: Turn) -> None:
    """/start: the set-up, or for a person who is set up, tonight. A deep link may bring a bedtime or a language."""
    if turn.typed.startswith("claim_"):
        await admins.claim(update, turn, turn.typed.removeprefix("claim_"))
        return
    if turn.typed.startswith(experiment.LINK):
        await experiment.open_list(turn, turn.typed)
        return
    if turn.typed.startswith(experiment.LABEL):
        await experiment.label(update, turn)
        return
    _open_link(turn, turn.typed)
    if turn.person.status is Status.STOPPED:
        await plans.come_back(turn)
    step = next_step(turn)
    if step is None:
        await evening.tonight(update, turn)
    else:
        turn.say(step)


def _open_link(turn: Turn, payload: str) -> None:
    """What a link from outside may set: a stranger's bedtime, and a language that we have."""
    found = re.fullmatch(r"(bed|lang)_([A-Za-z0-9-]{2,8})", payload)
    if found is None:
        return
    if found[1] == "lang":
        known = language.known(found[2])
        if known is None:
            turn.say(settings.no_such_language(turn.words))
        else:
            turn.change(language=known)
    if found[1] == "bed" and not turn.person.bedtimes:
        match parsing.bedtime(found[2]) if len(found[2]) == 4 else None:
            case parsing.Time(minute) | parsing.Ambiguous(_, minute):
                turn.change(bedtimes=(minute,) * 7)


async def consent(update: Update, turn: Turn) -> None:
    """[I understand]"""
    if turn.person.consent is None:
        turn.change(consent=CONSENT, status=Status.SETTING_UP)
    turn.answer(update)
    await go_on(update, turn)


async def go_on(update: Update, turn: Turn, *, place: str | None = None) -> None:
    """After an answer of the set-up: the next question in the same message, or the card at the end.

    A person who was set up long ago and presses such a button sees tonight.
    """
    step = next_step(turn, place=place)
    if step is None and turn.before is not None and turn.before.set_up:
        step = await evening.glance(turn)
    elif step is None:
        step = await finish(turn)
    if update.callback_query is None:
        turn.say(step)
    else:
        turn.edit(update, step)


async def finish(turn: Turn) -> View:
    """Everything is known: plan the first night."""
    if turn.person.status is Status.STOPPED:
        turn.change(status=Status.SETTING_UP)
    turn.change(awaiting=None, awaiting_for=None, awaiting_until=None)
    await plans.replan(turn)
    return setup.all_set(turn.words, turn.person)


async def hour_ok(update: Update, turn: Turn) -> None:
    """[Yes], that is the right hour."""
    turn.answer(update)
    turn.edit(update, setup.all_right(turn.words, turn.person))


async def fix_zone(update: Update, turn: Turn) -> None:
    """[No, fix my time zone]"""
    turn.answer(update)
    turn.await_typed(Awaiting.ZONE, FIXING)
    turn.edit(update, setup.zone(turn.words, zone_guesses(turn), turn.now))


async def set_language(update: Update, turn: Turn) -> None:
    """A language's button on the welcome."""
    if turn.press.arg(0) in language.available():
        turn.change(language=turn.press.arg(0))
    turn.answer(update)
    await go_on(update, turn)


def awaited(person: Person, turn: Turn) -> Awaiting | None:
    """What the next free text answers: what was asked last, else the set-up's open question."""
    if person.awaiting is not None and person.awaiting_until is not None and turn.now < person.awaiting_until:
        return person.awaiting
    if person.consent is None or person.set_up:
        return None
    if not person.bedtimes:
        return Awaiting.BEDTIME
    return Awaiting.ZONE if person.zone is None else None


COMMANDS: dict[str, Handler | Route] = {"start": Route(start, Needs.NOTHING)}
PRESSES: dict[str, Handler | Route] = {
    "consent": Route(consent, Needs.NOTHING),
    "hour_ok": Route(hour_ok, Needs.SET_UP),
    "fix_zone": fix_zone,
    "lang": Route(set_language, Needs.NOTHING),
}
