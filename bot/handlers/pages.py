"""The pages a person opens: help, privacy, tips and their topics, the form guide, safety."""

from __future__ import annotations

from telegram import Update

from bot.core import schedule, tips, topics
from bot.core.model import Night, Tip
from bot.telegram.turn import Handler, Needs, Route, Turn
from bot.views import pages
from bot.views.message import View
from db import experiments
from db import tips as db_tips

# -- help, privacy, safety ---------------------------------------------------------------------------------------------


async def show_help(_update: Update, turn: Turn) -> None:
    """/help"""
    turn.say(pages.help_page(turn.words, contact=turn.settings.operator_contact))


async def show_privacy(update: Update, turn: Turn) -> None:
    """/privacy, or the button of the help."""
    turn.answer(update)
    turn.say(pages.privacy(turn.words, contact=turn.settings.operator_contact))


async def show_safety(update: Update, turn: Turn) -> None:
    """[Read more] or [Safety]: a message of its own, so that the one with the button stays. [Back] edits its own."""
    page = pages.safety(turn.words, turn.content, accepted=turn.person.consent is not None)
    turn.answer(update)
    if turn.press.arg(0) == pages.BACK:
        turn.edit(update, page)
    else:
        turn.say(page)


async def turn_to_medicines(update: Update, turn: Turn) -> None:
    """On to the safety text's list of medicines."""
    turn.answer(update)
    turn.edit(update, pages.medicines(turn.words, turn.content, accepted=turn.person.consent is not None))


# -- tips --------------------------------------------------------------------------------------------------------------


async def show_tip(_update: Update, turn: Turn) -> None:
    """/tips: one more than tonight's."""
    turn.say(await _page(turn, await _next(turn)))


async def tonights_tip(update: Update, turn: Turn) -> None:
    """[Tonight's tip], under /tonight: to read it again once the reminder has turned into its answer, or to put it away."""
    night = turn.press.night
    if night is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.say(await _page(turn, await _tip_of(turn, night)))


async def _tip_of(turn: Turn, night: Night) -> Tip | None:
    """The tip that the night's reminder carried; where that is not known, the one that it would carry now."""
    number = await db_tips.shown(turn.db, turn.person.id, night)
    shown = None if number is None else turn.content.tip(turn.content.tip_id(number) or "")
    if shown is not None:
        return shown
    retired, held = await db_tips.retired(turn.db, turn.person.id), await _held(turn)
    return tips.tonights(turn.person, night, turn.content.tips, retired=retired, held=held)


async def _held(turn: Turn) -> frozenset[str]:
    """The topics that wait for the end of a self-experiment: what they say would sway how its nights feel."""
    under_way = await experiments.open_of(turn.db, turn.person.id) is not None
    return turn.content.held_back if under_way else frozenset()


async def next_tip(update: Update, turn: Turn) -> None:
    """[A tip], on the topics' page."""
    turn.answer(update)
    turn.edit(update, await _page(turn, await _next(turn)))


async def another_tip(update: Update, turn: Turn) -> None:
    """[Another]"""
    shown = _pressed(update, turn)
    if shown is None:
        return
    tip = await _next(turn, shown)
    if tip == shown:
        turn.answer(update, turn.words("This is the only one left. More topics bring more tips."))
        return
    turn.answer(update)
    turn.edit(update, await _page(turn, tip))


async def retire_tip(update: Update, turn: Turn) -> None:
    """[Not for me]. A reminder keeps its text, which says what is recorded for the night."""
    tip = _pressed(update, turn)
    if tip is None:
        return
    await db_tips.retire(turn.db, turn.person.id, tip.id)
    if turn.press.arg(1) == pages.PAGE:
        turn.answer(update)
        turn.edit(update, pages.tip_retired(turn.words, tip))
    else:
        turn.answer(update, turn.words("That tip will not come again. /tips can bring it back, under Topics."))


async def why_taken_back(update: Update, turn: Turn) -> None:
    """[Why?] below the word that a tip no longer stands."""
    why = turn.content.withdrawn.get(turn.press.arg(0))
    if why is None:
        turn.out_of_date(update)
        return
    turn.answer(update, turn.words(why), alert=True)


async def restore_tip(update: Update, turn: Turn) -> None:
    """[Bring it back]"""
    tip = _pressed(update, turn)
    if tip is None:
        return
    await db_tips.restore(turn.db, turn.person.id, tip.id)
    turn.answer(update, turn.words("It is back."))
    turn.edit(update, await _page(turn, tip))


async def restore_tips(update: Update, turn: Turn) -> None:
    """[Bring the tips back]"""
    await db_tips.restore_all(turn.db, turn.person.id)
    turn.answer(update, turn.words("All tips are back."))
    turn.edit(update, await _page(turn, await _next(turn)))


def _pressed(update: Update, turn: Turn) -> Tip | None:
    """The tip that the button is about; None, and said so, when there is no such tip."""
    tip = turn.content.tip(turn.press.arg(0))
    if tip is None:
        turn.out_of_date(update)
    return tip


async def _next(turn: Turn, shown: Tip | None = None) -> Tip | None:
    """The tip after `shown`, never tonight's own; None when no other is left."""
    person = turn.person
    plan = person.schedule
    night = schedule.night_of(turn.now, "UTC") if plan is None else schedule.tonight(plan, turn.now)
    retired = await db_tips.retired(turn.db, person.id)
    after = None if shown is None else shown.id
    every, muted = turn.content.tips, person.muted | await _held(turn)
    return tips.more(person.id, night, every, form=person.form, retired=retired, muted=muted, after=after)


async def _page(turn: Turn, tip: Tip | None) -> View:
    if tip is not None:
        return pages.tip_page(turn.words, tip, turn.content)
    return pages.no_tips(turn.words, retired=bool(await db_tips.retired(turn.db, turn.person.id)))


# -- topics ------------------------------------------------------------------------------------------------------------


async def show_topics(update: Update, turn: Turn) -> None:
    """[Topics]"""
    turn.answer(update)
    turn.edit(update, await _topics_page(turn))


async def switch_topic(update: Update, turn: Turn) -> None:
    """A topic's switch."""
    topic, wanted = turn.press.arg(0), turn.press.arg(1)
    if topic not in turn.content.topics or wanted not in (pages.ON, pages.OFF):
        turn.out_of_date(update)
        return
    muted = topics.switched(turn.person.muted, topic, on=wanted == pages.ON, topics=turn.content.topics)
    if muted is None:
        turn.answer(update, turn.words("At least one topic stays on."))
        return
    turn.change(muted=muted)
    turn.answer(update)
    turn.edit(update, await _topics_page(turn))


async def _topics_page(turn: Turn) -> View:
    retired = await db_tips.retired(turn.db, turn.person.id)
    return pages.topics(turn.words, turn.content, turn.person.muted, retired=len(retired))


# -- the form guide ----------------------------------------------------------------------------------------------------


async def show_forms(update: Update, turn: Turn) -> None:
    """[Compare] of the set-up and the settings, or [Forms] of the help: a message of its own."""
    turn.answer(update)
    turn.say(pages.form_list(turn.words, turn.content.forms, mode=_mode(turn, turn.press.arg(0))))


async def turn_to_forms(update: Update, turn: Turn) -> None:
    """[Back to the list]"""
    turn.answer(update)
    turn.edit(update, pages.form_list(turn.words, turn.content.forms, mode=_mode(turn, turn.press.arg(0))))


async def show_form(update: Update, turn: Turn) -> None:
    """One form's card."""
    form = turn.content.form(turn.press.arg(0))
    if form is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.edit(update, pages.form_card(turn.words, form, turn.content, mode=_mode(turn, turn.press.arg(1))))


def _mode(turn: Turn, asked: str) -> str:
    """A form can be chosen unless the guide was opened to read; before the safety text is accepted, nobody chooses."""
    return pages.READ if asked == pages.READ or turn.person.consent is None else pages.CHOOSE


COMMANDS: dict[str, Handler | Route] = {
    "help": Route(show_help, Needs.NOTHING),
    "privacy": Route(show_privacy, Needs.NOTHING),
    "tips": show_tip,
}
PRESSES: dict[str, Handler | Route] = {
    "privacy": Route(show_privacy, Needs.NOTHING),
    "safety": Route(show_safety, Needs.NOTHING),
    "safety_meds": Route(turn_to_medicines, Needs.NOTHING),
    "tip_now": Route(tonights_tip, Needs.SET_UP),
    "tip_next": next_tip,
    "tip_more": another_tip,
    "tip_down": retire_tip,
    "tip_up": restore_tip,
    "tip_why": why_taken_back,
    "tips_back": restore_tips,
    "topics": show_topics,
    "topic": switch_topic,
    "forms": Route(show_forms, Needs.NOTHING),
    "form_list": Route(turn_to_forms, Needs.NOTHING),
    "form_card": Route(show_form, Needs.NOTHING),
}
