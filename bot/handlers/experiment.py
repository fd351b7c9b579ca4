"""/experiment: the way in, what can be done under way, the helper's list, and the result. Nothing here tells the arms apart."""

from __future__ import annotations

import secrets
from datetime import timedelta

from telegram import Update

from bot import charts
from bot.core import schedule as times
from bot.core.experiment import design, run
from bot.core.experiment.design import Plan, Void
from bot.core.experiment.run import Experiment
from bot.core.model import Night, Status
from bot.handlers import plans
from bot.telegram.turn import Handler, Needs, Route, Turn, all_need
from bot.views import experiment as views
from bot.views import verdict
from bot.views.message import View
from db import experiments

LINK = "bags_"
"""What a helper's link begins with, after /start."""


async def show(update: Update, turn: Turn) -> None:
    """/experiment, or [Back]: the way in, the progress, or the result."""
    turn.answer(update)
    view = await _page(turn)
    if update.callback_query is None:
        turn.say(view)
    else:
        turn.edit(update, view)


async def _page(turn: Turn) -> View:
    one = await experiments.open_of(turn.db, turn.person.id)
    if one is not None:
        return await _progress(turn, one)
    ended = await experiments.last_ended(turn.db, turn.person.id)
    return _way_in(turn) if ended is None else verdict.result(turn.words, experiments.report_of(ended))


async def _progress(turn: Turn, one: Experiment) -> View:
    if one.stopped_after is not None:
        return views.stopped(turn.words)
    tonight = times.tonight(turn.schedule, turn.now)
    slept = run.through(turn.schedule, now=turn.now)
    lived = run.whole(one, await experiments.lived(turn.db, one, until=tonight), until=slept)
    done = run.progress(one, lived, tonight=tonight, slept=slept)
    until = design.last_night(one.plan) + timedelta(days=1)
    return views.progress(turn.words, one, done, voidable=await _voidable(turn, one), until=until)


async def _voidable(turn: Turn, one: Experiment) -> Night | None:
    """The coming night, if it is in the plan, its arm was not shown and it is not left out already."""
    night = await plans.first_unrevealed(turn)
    coming = night <= times.tonight(turn.schedule, turn.now) + timedelta(days=1)
    planned = design.place_of(one.plan, night) is not None and one.paused_since is None
    out = await experiments.is_left_out(turn.db, turn.person.id, night)
    return night if coming and planned and not out else None


async def picture(update: Update, turn: Turn) -> None:
    """[Picture] of the result's interval."""
    ended = await experiments.last_ended(turn.db, turn.person.id)
    report = None if ended is None else experiments.report_of(ended)
    if report is None or report.verdict.effect is None:
        turn.out_of_date(update)
        return
    effect = report.verdict.effect
    turn.answer(update)
    drawing = charts.interval(low=effect.low, middle=effect.per_100, high=effect.high, light=bool(turn.person.light))
    turn.show(drawing, verdict.picture(turn.words, report))


# -- the way in --------------------------------------------------------------------------------------------------------


def _way_in(turn: Turn) -> View:
    return views.no_supplement(turn.words) if _takes_none(turn) else views.intro(turn.words)


def _takes_none(turn: Turn) -> bool:
    return turn.person.form == design.NO_SUPPLEMENT


async def again(update: Update, turn: Turn) -> None:
    """[A new test]"""
    turn.answer(update)
    turn.say(_way_in(turn))


async def ask_gates(update: Update, turn: Turn) -> None:
    """[Go on]: who may not start?"""
    turn.answer(update)
    turn.edit(update, views.no_supplement(turn.words) if _takes_none(turn) else views.gates(turn.words))


async def gate(update: Update, turn: Turn) -> None:
    """The answer. It is not kept."""
    turn.answer(update)
    turn.edit(update, views.lengths(turn.words) if turn.press.arg(0) == "no" else views.refused(turn.words))


async def choose(update: Update, turn: Turn) -> None:
    """A length, and the rules before the start."""
    length, first = turn.press.number(0), turn.person.remind_night
    if length not in design.LENGTHS:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.edit(update, _not_now(turn) if first is None else views.confirm(turn.words, length=length, first=first))


def _not_now(turn: Turn) -> View:
    return View(turn.words("No reminder is planned, so no night can begin. /resume first, then /experiment."))


async def explain_bags(update: Update, turn: Turn) -> None:
    """[What are the bags?]"""
    length = turn.press.number(0)
    if length not in design.LENGTHS:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.edit(update, views.about_bags(turn.words, length=length))


async def start(update: Update, turn: Turn) -> None:
    """[Start]: the plan is drawn, and its fingerprint shown before night 1."""
    length, mode, first = turn.press.number(0), turn.press.arg(1), turn.person.remind_night
    if length not in design.LENGTHS or mode not in ("open", "bags"):
        turn.out_of_date(update)
        return
    turn.answer(update)
    if _takes_none(turn):
        turn.edit(update, views.no_supplement(turn.words))
        return
    if first is None or turn.person.status is not Status.ACTIVE:
        turn.edit(update, _not_now(turn))
        return
    plan = Plan(first, length, secrets.token_bytes(design.SEED_BYTES))
    code = secrets.token_urlsafe(16) if mode == "bags" else None
    one = await experiments.begin(turn.db, turn.person.id, plan, blind=mode == "bags", bags_code=code, now=turn.now)
    if one is None:
        turn.edit(update, await _page(turn))
        return
    # The morning's answer is the outcome, so it is asked for.
    turn.change(no_check_in=None, cadence=None, unanswered=None)
    turn.edit(update, views.begun(turn.words, plan))
    if code is not None:
        turn.say(_link(turn, code))


# -- under way ---------------------------------------------------------------------------------------------------------


async def _under_way(update: Update, turn: Turn) -> Experiment | None:
    one = await experiments.open_of(turn.db, turn.person.id)
    if one is None or one.stopped_after is not None:
        turn.out_of_date(update)
        return None
    return one


async def leave_out(update: Update, turn: Turn) -> None:
    """[Leave tonight out]: why?"""
    await _voiding(update, turn, None)


async def void(update: Update, turn: Turn) -> None:
    """A reason: the night does not count, if its arm was not shown yet."""
    reason = turn.press.arg(1)
    if reason not in list(Void):
        turn.out_of_date(update)
        return
    await _voiding(update, turn, Void(reason))


async def _voiding(update: Update, turn: Turn, why: Void | None) -> None:
    one, night = await _under_way(update, turn), turn.press.night
    if one is None or night is None:
        turn.out_of_date(update)
        return
    if night != await _voidable(turn, one):
        turn.answer(update, views.too_late_to_leave_out(turn.words), alert=True)
        turn.edit(update, await _progress(turn, one))
        return
    turn.answer(update)
    if why is None:
        turn.edit(update, views.why_out(turn.words, night))
        return
    await experiments.leave_out(turn.db, turn.person.id, night, why)
    turn.edit(update, views.left_out(turn.words, night))


async def rest(update: Update, turn: Turn) -> None:
    """[Pause the test], and for how many weeks. Reminders continue."""
    one, weeks = await _under_way(update, turn), turn.press.number(0)
    if one is None:
        return
    turn.answer(update)
    if weeks is None or not 1 <= weeks <= 4:
        turn.edit(update, views.pauses(turn.words))
        return
    since = await plans.first_unrevealed(turn)
    moved = await experiments.move(turn.db, one, design.postpone(one.plan, since, back=since + timedelta(weeks=weeks)))
    back = moved.plan.shifts[-1].back
    turn.edit(update, View(views.goes_on(turn.words, back)))


async def stop(update: Update, turn: Turn) -> None:
    """[Stop the test], and surely? What it found comes as a message of its own."""
    one = await _under_way(update, turn)
    if one is None:
        return
    turn.answer(update)
    if turn.press.arg(0) != "yes":
        turn.edit(update, views.ask_stop(turn.words))
        return
    after = run.through(turn.schedule, now=turn.now)
    await experiments.stop(turn.db, one, after=after, now=turn.now)
    turn.edit(update, views.stopped(turn.words))


# -- the helper's list -------------------------------------------------------------------------------------------------


async def link_again(update: Update, turn: Turn) -> None:
    """[The helper's link again], a new one; the old one works no more."""
    one = await _under_way(update, turn)
    if one is None:
        return
    if one.bags_code is None:
        turn.out_of_date(update)
        return
    code = secrets.token_urlsafe(16)
    await experiments.new_code(turn.db, one, code)
    turn.answer(update)
    turn.say(_link(turn, code))


def _link(turn: Turn, code: str) -> View:
    return views.helper_link(turn.words, f"https://t.me/{turn.bot.username}?start={LINK}{code}")


async def open_list(turn: Turn, payload: str) -> None:
    """A helper opened the link. If the helper is a stranger, nothing is stored about them."""
    turn.leave_no_trace = turn.before is None
    one = await experiments.open_list(turn.db, payload.removeprefix(LINK)[:32])
    if one is None:
        turn.say(views.used_link(turn.words))
    elif one.user_id == turn.person.id:
        turn.say(views.own_link(turn.words))
    elif await experiments.use_up(turn.db, one):
        turn.say(views.helpers_list(turn.words, design.bags(one.plan)))
        turn.say_to(one.user_id, View(turn.words("Your helper has opened the list of bags.")))


COMMANDS: dict[str, Handler | Route] = {"experiment": Route(show, Needs.SET_UP)}
PRESSES: dict[str, Handler | Route] = all_need(
    Needs.SET_UP,
    {
        "exp": show,
        "exp_again": again,
        "exp_pic": picture,
        "exp_gates": ask_gates,
        "exp_gate": gate,
        "exp_len": choose,
        "exp_bags": explain_bags,
        "exp_start": start,
        "exp_out": leave_out,
        "exp_void": void,
        "exp_rest": rest,
        "exp_stop": stop,
        "exp_link": link_again,
    },
)
