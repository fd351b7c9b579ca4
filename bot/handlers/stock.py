"""The stock: counted down by taken nights, filled up by a tap, spoken of once when it runs low."""

from __future__ import annotations

from datetime import timedelta

from telegram import Update

from bot.core import diary as core
from bot.core import parsing
from bot.core import schedule as times
from bot.core.diary import Stock
from bot.core.model import Awaiting, Intake, Night
from bot.handlers import span
from bot.telegram.turn import AnswerHandler, Handler, Needs, Route, Turn, all_need
from bot.views import stock as views
from bot.views.message import View
from db import diary, nights

MOST = 2000


async def current(turn: Turn) -> Stock | None:
    """What is left; None for a person who does not count their stock."""
    person = turn.person
    if person.stock is None or person.stock_from is None or person.sleeper is None:
        return None
    tonight = times.tonight(turn.schedule, turn.now)
    # Tonight may still be taken: the pace is that of the nights before it.
    first = max(await span.begins(turn), tonight - timedelta(days=core.PACE_SPAN))
    return core.stock(
        had=person.stock,
        used=await diary.count(turn.db, person.id, Intake.TAKEN, person.stock_from),
        bags=await diary.count(turn.db, person.id, Intake.BAG, person.stock_from),
        taken_lately=await diary.count(turn.db, person.id, Intake.TAKEN, first, tonight - timedelta(days=1)),
        nights_lately=(tonight - first).days,
        tonight=await _next_night(turn, tonight),
    )


async def _next_night(turn: Turn, tonight: Night) -> Night:
    """The night that takes the next one: tonight, or tomorrow once tonight is taken."""
    record = await nights.find(turn.db, turn.person.id, tonight)
    return tonight + timedelta(days=record.took)


async def page(turn: Turn) -> View:
    """The stock in the settings; a typed number is what there is."""
    turn.await_typed(Awaiting.STOCK)
    return views.page(turn.words, await current(turn), pack=turn.person.pack)


async def typed_stock(_update: Update, turn: Turn, text: str) -> None:
    """What there is, typed."""
    number = parsing.count(text)
    if number is None or number > MOST or turn.person.sleeper is None:
        turn.say(views.not_a_number(turn.words))
        return
    await _set(turn, number)
    turn.say(await page(turn))


async def _set(turn: Turn, number: int) -> None:
    """Set the stock: nights taken before now no longer reduce it."""
    night = await _next_night(turn, times.tonight(turn.schedule, turn.now))
    turn.change(stock=number, stock_from=night, stock_told=None)


async def _add(turn: Turn, left: Stock, pack: int) -> None:
    """Add to the stock. The count keeps its beginning, because bags since then are still to be counted."""
    since = turn.person.stock_from
    used = 0 if since is None else await diary.count(turn.db, turn.person.id, Intake.TAKEN, since)
    turn.change(stock=min(left.left + used + pack, MOST), stock_told=None)


async def refill(update: Update, turn: Turn) -> None:
    """[New pack]: add a pack."""
    left, pack = await current(turn), turn.person.pack
    if left is None or pack is None:
        turn.out_of_date(update)
        return
    if left.bags:
        await _add(turn, left, pack)
    else:
        await _set(turn, min(left.left + pack, MOST))
    turn.answer(update, turn.words("Noted."))
    turn.edit(update, await page(turn))


async def ask_pack(update: Update, turn: Turn) -> None:
    """[Pack size]"""
    turn.answer(update)
    turn.await_typed(Awaiting.PACK)
    turn.edit(update, views.ask_pack(turn.words))


async def pressed_pack(update: Update, turn: Turn) -> None:
    """A pack's size, tapped."""
    size = turn.press.number(0)
    if size is None or not 1 <= size <= MOST:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.change(pack=size)
    turn.edit(update, await page(turn))


async def typed_pack(_update: Update, turn: Turn, text: str) -> None:
    """A pack's size, typed."""
    size = parsing.count(text)
    if size is None or not 1 <= size <= MOST:
        turn.say(views.not_a_number(turn.words))
        return
    turn.change(pack=size)
    turn.say(await page(turn))


async def stop_counting(update: Update, turn: Turn) -> None:
    """[Do not count]"""
    turn.answer(update)
    turn.change(stock=None, stock_from=None, stock_told=None, awaiting=None)
    turn.edit(update, await page(turn))


async def after_taking(turn: Turn) -> None:
    """After an evening was taken: a quiet word, once, when few are left."""
    left = None if turn.person.stock_told else await current(turn)
    if left is not None and left.left < core.LOW_STOCK:
        turn.change(stock_told=True)
        turn.say(views.low(turn.words, left, pack=turn.person.pack))


COMMANDS: dict[str, Handler] = {}
PRESSES: dict[str, Handler | Route] = all_need(
    Needs.SET_UP,
    {
        "refill": refill,
        "stock_pack": ask_pack,
        "pack": pressed_pack,
        "stock_off": stop_counting,
    },
)
ANSWERS: dict[Awaiting, AnswerHandler] = {Awaiting.STOCK: typed_stock, Awaiting.PACK: typed_pack}
