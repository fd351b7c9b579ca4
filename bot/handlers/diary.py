"""The diary: the month, one night and its corrections, its note and its evening."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from telegram import InlineKeyboardMarkup, Message, Update

from bot.core import callback_data, parsing, planning
from bot.core import diary as core
from bot.core import schedule as times
from bot.core.diary import Detail, EveningFactors, Open
from bot.core.model import Awaiting, Intake, Night, Rating
from bot.handlers import evening, morning, span
from bot.telegram.turn import Handler, Needs, Route, Turn, all_need
from bot.views import diary as views
from bot.views.message import View
from db import diary as details
from db import experiments, nights
from db.outbox import changes

# -- the month ---------------------------------------------------------------------------------------------------------


async def show_diary(_update: Update, turn: Turn) -> None:
    """/diary: this month, or with a date that night."""
    open_ = await span.open_nights(turn)
    if not turn.typed:
        turn.say(await _month(turn, open_, open_.last.replace(day=1)))
        return
    night = parsing.night(turn.typed, times.tonight(turn.schedule, turn.now), turn.words.months)
    if night is None:
        turn.say(views.not_there(turn.words))
    elif not open_.has(night):
        turn.say(views.before_you(turn.words, open_.begins))
    else:
        turn.say(await _night_view(turn, night, open_))


async def show_month(update: Update, turn: Turn) -> None:
    """[‹] or [›], or back from a night."""
    first = core.month_of(turn.press.arg(0))
    open_ = await span.open_nights(turn)
    if first is None or not _within(open_, first):
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.edit(update, await _month(turn, open_, first))


def _within(open_: Open, first: date) -> bool:
    """Whether the month has a night of the diary, or is this one."""
    return open_.begins.replace(day=1) <= first <= max(open_.last, open_.begins)


async def _month(turn: Turn, open_: Open, first: date) -> View:
    end = core.shifted(first, 1) - timedelta(days=1)
    begin, last = max(open_.begins, first), min(open_.last, end)
    records = await nights.between(turn.db, turn.person.id, begin, last)
    tally = core.tally(records, nights=max(0, (last - begin).days + 1))
    known = {record.night: record for record in records}
    sealed_from = await experiments.sealed_from(turn.db, turn.person.id)
    return views.month(turn.words, views.Month(first, open_.begins, open_.last, known, tally, sealed_from))


async def still(update: Update, turn: Turn) -> None:
    """A button that stands for no night."""
    turn.answer(update)


# -- one night ---------------------------------------------------------------------------------------------------------


async def night_view(turn: Turn, night: Night) -> View:
    """One night as it stands."""
    return await _night_view(turn, night, await span.open_nights(turn))


async def _night_view(turn: Turn, night: Night, open_: Open) -> View:
    record = await nights.find(turn.db, turn.person.id, night)
    detail = await details.find(turn.db, turn.person.id, night)
    return views.night(turn.words, turn.person, record, detail, open_=open_)


async def show_night(update: Update, turn: Turn) -> None:
    """A night of the month, or back to it."""
    night = turn.press.night
    open_ = await span.open_nights(turn)
    if night is None or not open_.has(night):
        turn.out_of_date(update)
        return
    if turn.person.awaiting in (Awaiting.NOTE, Awaiting.DETAIL):
        turn.change(awaiting=None, awaiting_for=None)
    turn.answer(update)
    turn.edit(update, await _night_view(turn, night, open_))


async def correctable(update: Update, turn: Turn) -> Night | None:
    """The pressed night if it can be corrected; else say why not."""
    night = turn.press.night
    if night is None:
        turn.out_of_date(update)
        return None
    if night not in await span.open_nights(turn):
        turn.answer(update, turn.words("The last 60 nights can be corrected, older ones stay as they are."), alert=True)
        return None
    return night


async def fix_intake(update: Update, turn: Turn) -> None:
    """[Taken], [Skipped] or [Clear] under a night."""
    choice = {"taken": Intake.TAKEN, "skipped": Intake.SKIPPED, views.CLEAR: None}
    night = await correctable(update, turn)
    if night is None:
        return
    if turn.press.arg(1) not in choice:
        turn.out_of_date(update)
        return
    wanted = choice[turn.press.arg(1)]
    record = await nights.find(turn.db, turn.person.id, night)
    same = record.took if wanted is Intake.TAKEN else record.intake is wanted
    if not same:
        await evening.record_intake(turn, night, wanted)
    await _noted(update, turn, night)


async def fix_rating(update: Update, turn: Turn) -> None:
    """A step or [Clear] under a night."""
    night, number = await correctable(update, turn), turn.press.number(1)
    known = number in [rating.value for rating in Rating] or turn.press.arg(1) == views.CLEAR
    if night is None:
        return
    if not known or night > (await span.open_nights(turn)).rateable:
        turn.out_of_date(update)
        return
    if number is None:
        late = planning.is_late_rating(turn.schedule, night, now=turn.now)
        await nights.record_rating(turn.db, turn.person.id, night, None, at=turn.now, late=late)
    elif (await nights.find(turn.db, turn.person.id, night)).rating != number:
        await morning.record_rating(turn, night, Rating(number))
    await _noted(update, turn, night)


async def _noted(update: Update, turn: Turn, night: Night) -> None:
    turn.answer(update, turn.words("Noted."))
    turn.edit(update, await night_view(turn, night))


async def keep(turn: Turn, before: Detail, after: Detail) -> None:
    """Write what more was said of a night, marked when it comes late."""
    late = planning.is_late_rating(turn.schedule, after.night, now=turn.now)
    marked = replace(after, late=after.late or late) if after != before else after
    await details.save(turn.db, turn.person.id, before, marked)


# -- the note ----------------------------------------------------------------------------------------------------------


async def ask_note(update: Update, turn: Turn) -> None:
    """[Note]: the next text is it."""
    night = await correctable(update, turn)
    if night is None:
        return
    turn.answer(update)
    turn.await_typed(Awaiting.NOTE, night.isoformat())
    turn.edit(update, views.ask_note(turn.words, await details.find(turn.db, turn.person.id, night)))


async def drop_note(update: Update, turn: Turn) -> None:
    """[Remove it]"""
    night = await correctable(update, turn)
    if night is None:
        return
    turn.change(awaiting=None, awaiting_for=None)
    before = await details.find(turn.db, turn.person.id, night)
    await details.save(turn.db, turn.person.id, before, replace(before, note=None))
    await _noted(update, turn, night)


async def take_note(update: Update, turn: Turn, said: str) -> bool:
    """Keep the text as a night's note, if it answers [Note] or a message of ours that is about a night."""
    night = await _noted_night(update, turn)
    if night is None:
        return False
    # Longer than any note; it keeps the cleaning of a huge text short.
    note = parsing.clean(said[: 4 * core.LONGEST_NOTE], 4 * core.LONGEST_NOTE)
    before = await details.find(turn.db, turn.person.id, night)
    after = replace(before, note=note[: core.LONGEST_NOTE].rstrip() or None)
    await keep(turn, before, after)
    if turn.person.awaiting is Awaiting.NOTE:
        turn.change(awaiting=None, awaiting_for=None)
    turn.say(views.note_kept(turn.words, after, cut=len(note) > core.LONGEST_NOTE))
    return True


async def _noted_night(update: Update, turn: Turn) -> Night | None:
    message = update.effective_message
    if turn.person.sleeper is None or message is None:
        return None
    if message.reply_to_message is not None:
        night = await _night_of(turn, message.reply_to_message)
    else:
        night = _awaited_night(turn)
    return night if night is not None and night in await span.open_nights(turn) else None


async def _night_of(turn: Turn, ours: Message) -> Night | None:
    """The night that one of our messages is about, from its buttons or, if it has none, from its outbox row."""
    markup: InlineKeyboardMarkup | None = ours.reply_markup
    for row in markup.inline_keyboard if markup is not None else ():
        for one in row:
            found = callback_data.parse(one.callback_data if isinstance(one.callback_data, str) else None)
            # A button that opens some night says nothing about the message it is under.
            if found is not None and found.night is not None and found.verb != "night":
                return found.night
    return await changes.night_of(turn.db, turn.person.id, ours.message_id)


def _awaited_night(turn: Turn) -> Night | None:
    person = turn.person
    if person.awaiting is not Awaiting.NOTE or person.awaiting_until is None or turn.now >= person.awaiting_until:
        return None
    return callback_data.Press("", (person.awaiting_for or "",)).night


# -- the evening -------------------------------------------------------------------------------------------------------


async def ask_evening(update: Update, turn: Turn) -> None:
    """[The evening]"""
    night = await correctable(update, turn)
    if night is None:
        return
    turn.answer(update)
    turn.edit(update, views.evening(turn.words, await details.find(turn.db, turn.person.id, night)))


async def set_evening(update: Update, turn: Turn) -> None:
    """One of the evening's things on or off, none of them, or no answer again."""
    night, number = await correctable(update, turn), turn.press.number(1)
    if night is None:
        return
    if number not in [0, *(one.value for one in EveningFactors)] and turn.press.arg(1) != views.CLEAR:
        turn.out_of_date(update)
        return
    before = await details.find(turn.db, turn.person.id, night)
    after = replace(before, evening=_switched(before.evening, number))
    await keep(turn, before, after)
    turn.answer(update)
    if after != before:
        turn.edit(update, views.evening(turn.words, after))


def _switched(now: EveningFactors | None, number: int | None) -> EveningFactors | None:
    if number is None:
        return None
    switched = (now or EveningFactors(0)) ^ EveningFactors(number) if number else EveningFactors(0)
    # Switching off the only thing that was on takes back a slip of the finger; it is not the answer "none of these".
    return switched if switched or not number else None


COMMANDS: dict[str, Handler | Route] = {"diary": Route(show_diary, Needs.SET_UP)}
PRESSES: dict[str, Handler | Route] = all_need(
    Needs.SET_UP,
    {
        "month": show_month,
        "still": still,
        "night": show_night,
        "fix_in": fix_intake,
        "fix_rate": fix_rating,
        "note": ask_note,
        "note_off": drop_note,
        "even": ask_evening,
        "even_set": set_evening,
    },
)
