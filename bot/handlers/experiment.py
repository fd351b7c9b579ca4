"""/experiment: the way in, what can be done under way, the helper's list, and the result. Nothing here tells the arms apart."""

from __future__ import annotations

import asyncio
import hmac
import html
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta

from telegram import Update

from bot import charts, export
from bot.core import schedule as times
from bot.core.experiment import design, forecast, run
from bot.core.experiment.design import Design, Plan, Void
from bot.core.experiment.run import Experiment, Halves
from bot.core.experiment.seed import DRAWN_BYTES, WordFault, code_of, drawn_word, fingerprint, read_word
from bot.core.model import Awaiting, Night, Rating, Status
from bot.handlers import evening, plans
from bot.telegram.turn import AfterCommit, AnswerHandler, Edit, Handler, Needs, Reply, Route, Say, Turn, all_need
from bot.views import experiment as views
from bot.views import verdict
from bot.views.message import View
from db import experiments, nights

LINK = "bags_"
"""What a helper's link begins with, after /start."""

LABEL = "bag_"
"""What a bag's label begins with, after /start: then its number and its code."""

_LABEL = re.compile(r"bag_([0-9]{1,2})_([a-z2-7]{8})")
_REMEMBERED = timedelta(days=83)
"""How far back a forecast looks at the diary: as many nights as the longest test has."""


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
    told = await experiments.told(turn.db, turn.person.id)
    return _way_in(turn) if told is None else verdict.result(turn.words, told)


async def _progress(turn: Turn, one: Experiment) -> View:
    if one.over_after is not None:
        return views.ask_guess(turn.words)
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
    """[Picture] of the result's range."""
    told = await experiments.told(turn.db, turn.person.id)
    drawing = None if told is None else export.of_report(told.report, light=bool(turn.person.light))
    if told is None or drawing is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.show(drawing, verdict.picture(turn.words, told))


async def details(update: Update, turn: Turn) -> None:
    """[Details] of the result."""
    told = await experiments.told(turn.db, turn.person.id)
    if told is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.say(verdict.details(turn.words, told))


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
    turn.edit(update, views.questions(turn.words) if turn.press.arg(0) == "no" else views.refused(turn.words))


async def ask_length(update: Update, turn: Turn) -> None:
    """[Tonight's effect]: how long?"""
    turn.answer(update)
    turn.edit(update, views.lengths(turn.words))


def _asked(turn: Turn, place: int) -> tuple[int, Design] | None:
    """The length and question of a press; the question stands at `place`, and older buttons do not name it."""
    length, name = turn.press.number(0), turn.press.arg(place) or Design.NIGHTLY.value
    if length not in design.LENGTHS or name not in list(Design):
        return None
    question = Design(name)
    return None if question is Design.WEEKLY and length != design.WEEKLY_LENGTH else (length, question)


async def choose(update: Update, turn: Turn) -> None:
    """A length: the rules, and what to expect, also of somebody who answers as this person does."""
    asked, first = _asked(turn, 1), turn.person.remind_night
    if asked is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    if first is None:
        turn.edit(update, _not_now(turn))
        return
    length, question = asked
    answers, share = await _answers(turn)
    if len(answers) < forecast.FEWEST_ANSWERS:
        turn.edit(update, views.expect(turn.words, question, length, first=first, like_you=None))
        return
    message, words = update.callback_query and update.callback_query.message, turn.words

    async def work(_backstage: AfterCommit) -> Sequence[Reply]:
        # Half a second of a processor.
        found = await asyncio.to_thread(forecast.forecast, answers, share, length=length, question=question)
        view = views.expect(words, question, length, first=first, like_you=found)
        return [Edit(message.message_id, view)] if message and message.is_accessible else [Say(view)]

    turn.later(work)


async def _answers(turn: Turn) -> tuple[list[Rating], float]:
    """The ratings of the last weeks, and the share (0 to 1) of mornings that were answered."""
    last = run.through(turn.schedule, now=turn.now)
    known = await nights.between(turn.db, turn.person.id, last - _REMEMBERED, last)
    rated = [record.rating for record in known if record.rating is not None]
    asked = [record for record in known if record.delivery is not None or record.rating is not None]
    return rated, len(rated) / len(asked) if asked else 0.0


def _not_now(turn: Turn) -> View:
    return View(turn.words("No reminder is planned, so no night can begin. /resume first, then /experiment."))


async def explain_bags(update: Update, turn: Turn) -> None:
    """[What are the bags?]"""
    asked = _asked(turn, 1)
    if asked is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.edit(update, views.about_bags(turn.words, length=asked[0], design=asked[1]))


async def start(update: Update, turn: Turn) -> None:
    """A way to do it was chosen: the bot draws its half and shows its fingerprint, then the person gives a word."""
    asked, mode = _asked(turn, 2), turn.press.arg(1)
    if asked is None or mode not in ("open", "bags"):
        turn.out_of_date(update)
        return
    turn.answer(update)
    if (hindered := await _hindered(turn)) is not None:
        turn.edit(update, hindered)
        return
    new = experiments.Draft(secrets.token_bytes(design.SEED_BYTES), *asked, blind=mode == "bags")
    kept = await experiments.draft(turn.db, turn.person.id, new)
    turn.await_typed(Awaiting.WORD)
    turn.edit(update, views.ask_word(turn.words, fingerprint(kept.bots_seed)))


async def _hindered(turn: Turn) -> View | None:
    """What to say where no test can begin."""
    if _takes_none(turn):
        return views.no_supplement(turn.words)
    if turn.person.remind_night is None or turn.person.status is not Status.ACTIVE:
        return _not_now(turn)
    under_way = await experiments.open_of(turn.db, turn.person.id)
    return None if under_way is None else await _progress(turn, under_way)


async def skip_word(update: Update, turn: Turn) -> None:
    """[Skip]: the bot draws the word, too."""
    draft = await experiments.draft_of(turn.db, turn.person.id)
    if draft is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    word = drawn_word(secrets.token_bytes(DRAWN_BYTES))
    for place, view in enumerate(await _begin(turn, draft, Halves(draft.bots_seed, word, drawn=True))):
        # The question becomes the start, so that its button is gone.
        turn.edit(update, view) if place == 0 else turn.say(view)


async def typed_word(_update: Update, turn: Turn, text: str) -> None:
    """The person's half, typed."""
    draft = await experiments.draft_of(turn.db, turn.person.id)
    word = read_word(text)
    if draft is None:
        turn.change(awaiting=None, awaiting_for=None)
        turn.say(await _page(turn))
    elif isinstance(word, WordFault):
        turn.say(views.bad_word(turn.words, word))
    else:
        for view in await _begin(turn, draft, Halves(draft.bots_seed, word, drawn=False)):
            turn.say(view)


async def _begin(turn: Turn, draft: experiments.Draft, halves: Halves) -> list[View]:
    """The plan is drawn from both halves, and its fingerprint shown before night 1."""
    turn.change(awaiting=None, awaiting_for=None)
    first, hindered = turn.person.remind_night, await _hindered(turn)
    if hindered is not None or first is None:
        return [hindered or _not_now(turn)]
    plan = Plan(first, draft.length, halves.seed, design=draft.design)
    code = secrets.token_urlsafe(16) if draft.blind else None
    one = await experiments.begin(
        turn.db, turn.person.id, plan, halves, blind=draft.blind, bags_code=code, now=turn.now
    )
    if one is None:
        return [await _page(turn)]
    # The morning's answer is the outcome, so it is asked for.
    turn.change(no_check_in=None, cadence=None, unanswered=None)
    return [views.begun(turn.words, one), *([_link(turn, code)] if code is not None else [])]


async def proof(update: Update, turn: Turn) -> None:
    """[Proof]: the fingerprints again."""
    one = await experiments.open_of(turn.db, turn.person.id)
    if one is None:
        turn.out_of_date(update)
        return
    turn.answer(update)
    turn.edit(update, views.proof(turn.words, one))


# -- under way ---------------------------------------------------------------------------------------------------------


async def _under_way(update: Update, turn: Turn) -> Experiment | None:
    one = await experiments.open_of(turn.db, turn.person.id)
    if one is None or one.lived_out:
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
        turn.edit(update, views.ask_stop(turn.words, one))
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
        turn.say(views.helpers_list(turn.words, one))
        turn.say_to(one.user_id, View(turn.words("Your helper has opened the list of bags.")))


async def packed(update: Update, turn: Turn) -> None:
    """[Packed and counted], under the helper's list. Of a helper who is a stranger nothing is kept."""
    turn.leave_no_trace = turn.before is None
    number, code = turn.press.number(0), turn.press.arg(1) or ""
    one = None if number is None else await experiments.pack(turn.db, number, code, helper=turn.person.id)
    if one is None:
        turn.out_of_date(update)
        return
    turn.answer(update, turn.words("Thank you. Your part is done."), alert=True)
    turn.edit_buttons(update, View(""))
    if not one.packed:
        turn.say_to(one.user_id, views.packed(turn.words))


# -- before the seal breaks --------------------------------------------------------------------------------------------


async def _to_guess(update: Update, turn: Turn) -> tuple[Experiment, str] | None:
    one = await experiments.open_of(turn.db, turn.person.id)
    if one is None or one.over_after is None or one.guess is None:
        turn.out_of_date(update)
        return None
    return one, one.guess


async def guess(update: Update, turn: Turn) -> None:
    """[I'll guess], and a week's answer turned on."""
    found = await _to_guess(update, turn)
    if found is None:
        return
    one, told = found
    week = turn.press.number(0)
    if turn.press.verb == "exp_week":
        if week is None or not 1 <= week <= len(told):
            turn.out_of_date(update)
            return
        letters = "".join(run.GUESSES)
        after = letters[(letters.index(told[week - 1]) + 1) % len(letters)]
        told = told[: week - 1] + after + told[week:]
        await experiments.guess(turn.db, one, told)
    turn.answer(update)
    turn.edit(update, views.guesses(turn.words, told))


async def guessed(update: Update, turn: Turn) -> None:
    """[Done], or [I can't say]: the seal may break."""
    found = await _to_guess(update, turn)
    if found is None:
        return
    one, told = found
    if turn.press.arg(0) != "yes":
        await experiments.guess(turn.db, one, "-" * len(told))
    await experiments.guessed(turn.db, one, now=turn.now)
    turn.answer(update)
    turn.edit(update, views.guessed(turn.words))


# -- a bag's label -----------------------------------------------------------------------------------------------------


async def label(update: Update, turn: Turn) -> None:
    """A bag's label was scanned, or its code typed: tonight's bag is taken, if this is it. Anything else changes nothing."""
    read = _LABEL.fullmatch(turn.typed)
    one = None if turn.before is None else await experiments.open_of(turn.db, turn.person.id)
    number = 0 if read is None else int(read[1])
    if one is None or read is None or not _is_label_of(one, number, read[2]) or not turn.person.set_up:
        turn.leave_no_trace = turn.before is None
        turn.say(views.foreign_label(turn.words))
        return
    night = times.night_to_take(turn.schedule, turn.said_at)
    tonight = None if night is None else await experiments.assignment(turn.db, turn.person.id, night)
    if night is None or tonight is None or tonight.bag is None:
        turn.say(views.no_bag_tonight(turn.words))
    elif tonight.bag != number:
        turn.say(views.other_bag(turn.words, tonight.bag))
    elif (await nights.find(turn.db, turn.person.id, night)).answered:
        turn.say(views.used_label(turn.words, number))
    else:
        await evening.take(update, turn, night)


async def sheet(update: Update, turn: Turn) -> None:
    """[Labels to print]: they tell neither the arm nor the night."""
    one = await _under_way(update, turn)
    if one is None:
        return
    if one.version == 1 or not one.blind:
        turn.out_of_date(update)
        return
    turn.answer(update)
    codes = [(number, code_of(one.plan.seed, f"bag/{number}")) for number in range(1, one.plan.length + 1)]
    start = f"https://t.me/{turn.bot.username}?start={LABEL}"
    shown = [(str(number), code, f"{start}{number}_{code}") for number, code in codes]
    title = html.unescape(turn.words("Labels for {n} bags: cut, and one on each bag.", n=len(shown)))
    turn.show(charts.labels(title, shown), views.sheet(turn.words))


def _is_label_of(one: Experiment, number: int, code: str) -> bool:
    blind = one.version > 1 and one.blind
    return blind and hmac.compare_digest(code_of(one.plan.seed, f"bag/{number}"), code)


COMMANDS: dict[str, Handler | Route] = {"experiment": Route(show, Needs.SET_UP)}
PRESSES: dict[str, Handler | Route] = all_need(
    Needs.SET_UP,
    {
        "exp": show,
        "exp_again": again,
        "exp_pic": picture,
        "exp_gates": ask_gates,
        "exp_gate": gate,
        "exp_ask": ask_length,
        "exp_len": choose,
        "exp_bags": explain_bags,
        "exp_start": start,
        "exp_word": skip_word,
        "exp_proof": proof,
        "exp_details": details,
        "exp_out": leave_out,
        "exp_void": void,
        "exp_rest": rest,
        "exp_stop": stop,
        "exp_link": link_again,
        "exp_sheet": sheet,
        "exp_guess": guess,
        "exp_week": guess,
        "exp_guessed": guessed,
    },
) | {"exp_packed": Route(packed, Needs.NOTHING)}
ANSWERS: dict[Awaiting, AnswerHandler] = {Awaiting.WORD: typed_word}
